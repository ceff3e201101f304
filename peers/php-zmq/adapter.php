<?php
// Control protocol adapter for libzmq, by way of php-zmq. It reports; it judges nothing.
declare(strict_types=1);

ini_set("display_errors", "stderr");
ini_set("memory_limit", "-1");

const TYPES = ["PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB"];
const FLAGS = [
    "mandatory" => ZMQ::SOCKOPT_ROUTER_MANDATORY, "handover" => ZMQ::SOCKOPT_ROUTER_HANDOVER,
    "conflate" => ZMQ::SOCKOPT_CONFLATE, "immediate" => ZMQ::SOCKOPT_IMMEDIATE,
    "xpub-verbose" => ZMQ::SOCKOPT_XPUB_VERBOSE, "probe-router" => ZMQ::SOCKOPT_PROBE_ROUTER,
    "req-relaxed" => ZMQ::SOCKOPT_REQ_RELAXED, "req-correlate" => ZMQ::SOCKOPT_REQ_CORRELATE,
];
const OPTIONS = FLAGS + [
    "identity" => ZMQ::SOCKOPT_IDENTITY, "send-hwm" => ZMQ::SOCKOPT_SNDHWM, "receive-hwm" => ZMQ::SOCKOPT_RCVHWM,
    "linger-ms" => ZMQ::SOCKOPT_LINGER, "heartbeat-interval-ms" => ZMQ::SOCKOPT_HEARTBEAT_IVL,
    "heartbeat-timeout-ms" => ZMQ::SOCKOPT_HEARTBEAT_TIMEOUT, "heartbeat-ttl-ms" => ZMQ::SOCKOPT_HEARTBEAT_TTL,
    "max-message-octets" => ZMQ::SOCKOPT_MAXMSGSIZE, "handshake-interval-ms" => ZMQ::SOCKOPT_HANDSHAKE_IVL,
    "reconnect-interval-ms" => ZMQ::SOCKOPT_RECONNECT_IVL,
];
const EHOSTUNREACH = 113; // php-zmq has no name for it
const OUTCOMES = [EHOSTUNREACH => "unroutable", ZMQ::ERR_EFSM => "refused", ZMQ::ERR_ENOTSUP => "refused"];
const EVENTS = [
    "connected", "connect-delayed", "connect-retried", "listening", "bind-failed", "accepted", "accept-failed",
    "closed", "close-failed", "disconnected", "monitor-stopped", "handshake-failed-no-detail",
    "handshake-succeeded", "handshake-failed-protocol", "handshake-failed-auth",
];
const FORWARDED_AT_ONCE = 1000;
const UNSIGNED = "unsigned "; // before a number as text: PHP's own are signed, so that half of those of 64 bits are none
const JSON_FLAGS = JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES;

class Unsupported extends Exception {}
class TimeIsOver extends Exception {}

final class Adapter
{
    private ZMQContext $context;
    private array $sockets = [];
    private array $descriptors = []; // streams, to be waited for
    private array $watches = [];
    private array $partners = []; // of the sockets that a proxy has: where their messages go
    private int $opened = 0;

    public function __construct()
    {
        $this->context = new ZMQContext(1, false);
    }

    public function hello(): array
    {
        $version = ZMQ::LIBZMQ_VERSION . " (php-zmq " . phpversion("zmq") . ")";
        return ["peer" => "php-zmq", "library" => "libzmq", "version" => $version, "language" => "PHP", "control" => "1"];
    }

    public function open(string $type, array $options): array
    {
        if (!in_array($type, TYPES, true)) {
            throw new Unsupported($type);
        }
        $socket = new ZMQSocket($this->context, constant("ZMQ::SOCKET_$type"));
        $socket->setSockOpt(ZMQ::SOCKOPT_LINGER, 0);
        foreach ($options as $option => $value) {
            self::change($socket, $option, $value);
        }
        $this->sockets[++$this->opened] = $socket;
        $this->descriptors[$this->opened] = $socket->getSockOpt(ZMQ::SOCKOPT_FD);
        return ["socket" => $this->opened];
    }

    /** php-zmq closes a socket when nothing refers to it any more. */
    public function close(int $socket): void
    {
        $this->find($socket);
        unset($this->partners[$this->partners[$socket] ?? 0], $this->partners[$socket]);
        unset($this->watches[$socket], $this->descriptors[$socket], $this->sockets[$socket]);
    }

    public function set(int $socket, string $option, int|bool|string $value): void
    {
        self::change($this->find($socket), $option, $value);
    }

    public function get(int $socket, string $option): array
    {
        $value = $this->find($socket)->getSockOpt(OPTIONS[$option] ?? throw new Unsupported($option));
        return ["value" => $option === "identity" ? bin2hex($value) : (isset(FLAGS[$option]) ? (bool) $value : $value)];
    }

    public function bind(int $socket, string $endpoint): array
    {
        $this->find($socket)->setSockOpt(ZMQ::SOCKOPT_IPV6, (int) str_contains($endpoint, "["));
        $this->find($socket)->bind($endpoint, true);
        return ["endpoint" => rtrim($this->find($socket)->getSockOpt(ZMQ::SOCKOPT_LAST_ENDPOINT), "\0")];
    }

    public function connect(int $socket, string $endpoint): array
    {
        $this->find($socket)->setSockOpt(ZMQ::SOCKOPT_IPV6, (int) str_contains($endpoint, "["));
        $this->find($socket)->connect($endpoint, true); // true: also where it has done so before
        return ["endpoint" => $endpoint];
    }

    public function unbind(int $socket, string $endpoint): void
    {
        $this->find($socket)->unbind($endpoint);
    }

    public function disconnect(int $socket, string $endpoint): void
    {
        $this->find($socket)->disconnect($endpoint);
    }

    public function subscribe(int $socket, string $prefix): void
    {
        $this->subscription($socket, ZMQ::SOCKOPT_SUBSCRIBE, "\1", hex2bin($prefix));
    }

    public function cancel(int $socket, string $prefix): void
    {
        $this->subscription($socket, ZMQ::SOCKOPT_UNSUBSCRIBE, "\0", hex2bin($prefix));
    }

    public function send(int $socket, array $parts, int $timeout_ms): array
    {
        return ["outcome" => $this->offer($this->find($socket), array_map("hex2bin", $parts), self::end($timeout_ms))];
    }

    public function recv(int $socket, int $timeout_ms): array
    {
        return ["parts" => array_map("bin2hex", $this->receive($this->find($socket), self::end($timeout_ms)))];
    }

    public function poll(array $sockets, int $timeout_ms): array
    {
        $act = fn() => array_values(array_filter($sockets, fn($number) => self::is($this->find($number), ZMQ::POLL_IN)));
        return ["readable" => $this->patiently($act, self::end($timeout_ms)) ?: []];
    }

    public function flood(int $socket, int $count, int $size_octets, int $seed, int $timeout_ms, array $head = []): array
    {
        [$end, $envelope] = [self::end($timeout_ms), array_map("hex2bin", $head)];
        $pattern = str_repeat(implode("", array_map("chr", range(0, 255))), intdiv($size_octets, 256) + 2);
        for ($index = 0; $index < $count; $index++) {
            $body = pack("J", $index) . substr($pattern, ($seed + $index + 8) % 256, $size_octets - 8);
            if ($this->offer($this->find($socket), [...$envelope, $body], $end) !== "accepted") {
                break;
            }
        }
        return ["accepted" => $index];
    }

    public function drain(int $socket, int $count, int $timeout_ms): array
    {
        [$end, $digest, $first, $last] = [self::end($timeout_ms), hash_init("sha256"), null, null];
        for ($received = 0; $received < $count; $received++) {
            try {
                $parts = $this->receive($this->find($socket), $end);
            } catch (TimeIsOver) {
                break;
            }
            $body = end($parts);
            hash_update($digest, pack("J", strlen($body)) . $body);
            $last = strlen($body) >= 8 ? UNSIGNED . sprintf("%u", unpack("J", $body)[1]) : null;
            $first = $received ? $first : $last;
        }
        return ["received" => $received, "digest" => hash_final($digest), "first" => $first, "last" => $last];
    }

    /** ZMQDevice would keep this one thread to itself, so the messages are forwarded in serve(). */
    public function proxy(int $frontend, int $backend): void
    {
        [$this->find($frontend), $this->find($backend)];
        [$this->partners[$frontend], $this->partners[$backend]] = [$backend, $frontend];
    }

    public function monitor(int $socket): array
    {
        if (!isset($this->watches[$socket])) {
            $this->find($socket)->monitor("inproc://monitor-$socket", ZMQ::EVENT_ALL);
            $this->watches[$socket] = new ZMQSocket($this->context, ZMQ::SOCKET_PAIR);
            $this->watches[$socket]->connect("inproc://monitor-$socket");
        }
        $events = [];
        while (self::is($this->watches[$socket], ZMQ::POLL_IN)) {
            $event = $this->watches[$socket]->recvEvent();
            $name = EVENTS[(int) log($event["event"], 2)] ?? "unknown";
            $events[] = ["event" => $name, "endpoint" => $event["address"], "value" => $event["value"]];
        }
        return ["events" => $events];
    }

    /** Let libzmq work, and the proxies; whether there may be more to forward at once. */
    public function serve(): bool
    {
        $busy = false;
        foreach ($this->sockets as $socket) {
            $socket->getSockOpt(ZMQ::SOCKOPT_EVENTS); // the descriptor tells of news once, until this is read
        }
        foreach ($this->partners as $number => $partner) {
            [$from, $to] = [$this->sockets[$number], $this->sockets[$partner]];
            for ($i = 0; $i < FORWARDED_AT_ONCE && self::is($from, ZMQ::POLL_IN) && self::is($to, ZMQ::POLL_OUT); $i++) {
                $to->sendMulti($from->recvMulti(ZMQ::MODE_DONTWAIT), ZMQ::MODE_DONTWAIT);
                $busy = true;
            }
        }
        return $busy;
    }

    /** Wait until a socket has news or one of the other streams has input; whether the latter. */
    public function await(array $streams, ?float $seconds): bool
    {
        [$readable, $none] = [[...$streams, ...$this->descriptors], []];
        stream_select($readable, $none, $none, $seconds === null ? null : (int) $seconds, (int) (fmod($seconds ?? 0, 1) * 1e6));
        return array_intersect($streams, $readable) !== [];
    }

    /** What `act` answers as soon as that is something, or the nothing it answers when the time is over. */
    private function patiently(callable $act, float $end): mixed
    {
        while (!($result = $act())) {
            $busy = $this->serve();
            $left = $end - self::now();
            if (($result = $act()) || $left <= 0) {
                break;
            }
            $this->await([], $busy ? 0 : $left + 0.001);
        }
        return $result;
    }

    private function offer(ZMQSocket $socket, array $parts, float $end): string
    {
        try {
            $taken = $this->patiently(fn() => $socket->sendMulti($parts, ZMQ::MODE_DONTWAIT), $end);
            return $taken ? "accepted" : "would-block";
        } catch (ZMQSocketException $error) {
            return OUTCOMES[$error->getCode()] ?? throw $error;
        }
    }

    private function receive(ZMQSocket $socket, float $end): array
    {
        $parts = $this->patiently(fn() => $socket->recvMulti(ZMQ::MODE_DONTWAIT), $end);
        return $parts ?: throw new TimeIsOver("nothing received");
    }

    private function subscription(int $number, int $option, string $mark, string $prefix): void
    {
        $socket = $this->find($number);
        if ($socket->getSocketType() === ZMQ::SOCKET_XSUB) {
            $socket->send($mark . $prefix, ZMQ::MODE_DONTWAIT);
        } else {
            $socket->setSockOpt($option, $prefix);
        }
    }

    private function find(int $number): ZMQSocket
    {
        return $this->sockets[$number] ?? throw new Exception("no socket $number");
    }

    private static function change(ZMQSocket $socket, string $option, int|bool|string $value): void
    {
        $number = OPTIONS[$option] ?? throw new Unsupported($option);
        $socket->setSockOpt($number, $option === "identity" ? hex2bin($value) : (int) $value);
    }

    private static function is(ZMQSocket $socket, int $event): bool
    {
        return ($socket->getSockOpt(ZMQ::SOCKOPT_EVENTS) & $event) !== 0;
    }

    private static function end(int $timeout_ms): float
    {
        return self::now() + $timeout_ms / 1000;
    }

    private static function now(): float
    {
        return hrtime(true) / 1e9;
    }
}

const OPERATIONS = [
    "hello", "open", "close", "set", "get", "bind", "connect", "unbind", "disconnect", "subscribe", "cancel", "send",
    "recv", "poll", "flood", "drain", "proxy", "monitor",
];

function answer(Adapter $adapter, array $request): array
{
    [$id, $op] = [$request["id"], $request["op"]];
    try {
        if (!in_array($op, OPERATIONS, true)) {
            throw new Unsupported($op);
        }
        $known = array_map(fn($field) => $field->name, (new ReflectionMethod($adapter, $op))->getParameters());
        return ["id" => $id, "ok" => (object) $adapter->$op(...array_intersect_key($request, array_flip($known)))];
    } catch (Throwable $error) {
        $kind = match (true) {
            $error instanceof Unsupported => "unsupported",
            $error instanceof TimeIsOver => "timeout",
            default => "failed",
        };
        return ["id" => $id, "error" => ["kind" => $kind, "detail" => $error->getMessage()]];
    }
}

/** Answer requests until the end of input; in between libzmq works whenever it has news. */
$adapter = new Adapter();
for (;;) {
    if (!$adapter->await([STDIN], $adapter->serve() ? 0 : null)) {
        continue;
    }
    $line = fgets(STDIN);
    if ($line === false) {
        exit(0);
    }
    $answer = json_encode(answer($adapter, json_decode($line, true, 512, JSON_THROW_ON_ERROR)), JSON_FLAGS);
    fwrite(STDOUT, preg_replace('/"' . UNSIGNED . '(\d+)"/', "$1", $answer) . "\n");
}
