# frozen_string_literal: true

# Control protocol adapter for libzmq, by way of ffi-rzmq. It reports; it judges nothing.

require "digest"
require "json"
require "ffi-rzmq"

TYPES = %w[PAIR PUB SUB REQ REP DEALER ROUTER PULL PUSH XPUB XSUB].freeze
FLAGS = {
  "mandatory": ZMQ::ROUTER_MANDATORY, "conflate": ZMQ::CONFLATE, "immediate": ZMQ::IMMEDIATE,
  "probe-router": ZMQ::PROBE_ROUTER, "req-relaxed": ZMQ::REQ_RELAXED, "req-correlate": ZMQ::REQ_CORRELATE
}.freeze
# ffi-rzmq has names for libzmq's later options, heartbeats and handover among them, but its setsockopt takes these only.
OPTIONS = FLAGS.merge(
  "identity": ZMQ::IDENTITY, "send-hwm": ZMQ::SNDHWM, "receive-hwm": ZMQ::RCVHWM, "linger-ms": ZMQ::LINGER,
  "max-message-octets": ZMQ::MAXMSGSIZE, "reconnect-interval-ms": ZMQ::RECONNECT_IVL
).freeze
OUTCOMES = {
  ZMQ::EAGAIN => "would-block", ZMQ::EHOSTUNREACH => "unroutable", ZMQ::EFSM => "refused", ZMQ::ENOTSUP => "refused"
}.freeze
EVENTS = %w[
  connected connect-delayed connect-retried listening bind-failed accepted accept-failed closed close-failed
  disconnected monitor-stopped handshake-failed-no-detail handshake-succeeded handshake-failed-protocol
  handshake-failed-auth
].freeze
ALL_EVENTS = (1 << EVENTS.size) - 1 # ZMQ::EVENT_ALL ends with monitor-stopped
FORWARDED_AT_ONCE = 1000
PATTERN = (0..255).map(&:chr).join.b.freeze

class Unsupported < StandardError; end

# What libzmq says, kept where it is said.
class Refused < StandardError
  attr_reader :number

  def initialize
    @number = ZMQ::Util.errno
    super(LibZMQ.zmq_strerror(@number).read_string)
  end
end

def check(code) = ZMQ::Util.resultcode_ok?(code) ? code : raise(Refused)
def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
def octets(hex) = [hex].pack("H*")
def hex(octets) = octets.unpack1("H*")

# The sockets by number, and all that is done with them.
class Adapter
  def initialize
    @context = ZMQ::Context.new
    @sockets, @descriptors, @watches, @partners = {}, {}, {}, {} # partners: where a proxy's messages go
    @opened = 0
  end

  def run(request)
    case request
    in {op: "hello"} then hello
    in {op: "open", type:, options:} then {socket: open_socket(type, options)}
    in {op: "close", socket:} then close(socket)
    in {op: "set", socket:, option:, value:} then set(find(socket), option, value)
    in {op: "get", socket:, option:} then {value: get(find(socket), option)}
    in {op: "bind", socket:, endpoint:} then {endpoint: bind(find(socket), endpoint)}
    in {op: "connect", socket:, endpoint:} then {endpoint: connect(find(socket), endpoint)}
    in {op: "unbind", socket:, endpoint:} then check(find(socket).unbind(endpoint))
    in {op: "disconnect", socket:, endpoint:} then check(find(socket).disconnect(endpoint))
    in {op: "subscribe", socket:, prefix:} then subscription(find(socket), ZMQ::SUBSCRIBE, "01", prefix)
    in {op: "cancel", socket:, prefix:} then subscription(find(socket), ZMQ::UNSUBSCRIBE, "00", prefix)
    in {op: "send", socket:, parts:, timeout_ms:}
      {outcome: offer(find(socket), parts.map { octets(_1) }, now + timeout_ms / 1e3)}
    in {op: "recv", socket:, timeout_ms:} then {parts: receive(find(socket), now + timeout_ms / 1e3).map { hex(_1) }}
    in {op: "poll", sockets:, timeout_ms:} then {readable: poll(sockets, now + timeout_ms / 1e3)}
    in {op: "flood", **fields} then {accepted: flood(**fields)}
    in {op: "drain", socket:, count:, timeout_ms:} then drain(find(socket), count, now + timeout_ms / 1e3)
    in {op: "proxy", frontend:, backend:} then proxy(frontend, backend)
    in {op: "monitor", socket:} then {events: events(watch(socket))}
    else raise Unsupported, request[:op]
    end
  end

  # Let libzmq work, and the proxies; whether there may be more to forward at once.
  def serve
    @sockets.each_value { ready?(_1, 0) } # the descriptor tells of news once, until this is read
    @partners.count { |number, partner| forward(@sockets[number], @sockets[partner]).positive? }.positive?
  end

  # Wait until a socket has news or one of the other files has input; whether the latter.
  def await(files, seconds)
    readable, = IO.select(files + @descriptors.values, nil, nil, seconds)
    readable ? !(readable & files).empty? : false
  end

  def close_all
    @sockets.keys.each { close(_1) }
    @context.terminate
  end

  private

  def find(number) = @sockets.fetch(number)

  def ready?(socket, event)
    check(socket.getsockopt(ZMQ::EVENTS, value = []))
    value.first & event != 0
  end

  # What the block answers as soon as it does not say EAGAIN; all sockets are served meanwhile.
  def patiently(until_time)
    loop do
      begin
        return yield
      rescue Refused => e
        raise if e.number != ZMQ::EAGAIN
      end
      busy = serve
      left = until_time - now
      begin
        return yield
      rescue Refused => e
        raise if e.number != ZMQ::EAGAIN || left <= 0
      end
      await([], busy ? 0 : left)
    end
  end

  def hello
    version = "#{LibZMQ.version.values_at(:major, :minor, :patch).join('.')} (ffi-rzmq #{ZMQ::VERSION})"
    {peer: "ffi-rzmq", library: "libzmq", version:, language: "Ruby", control: "1"}
  end

  def open_socket(type, options)
    raise Unsupported, type unless TYPES.include?(type)

    socket = ZMQ::Socket.new(@context, ZMQ.const_get(type))
    begin
      check(socket.setsockopt(ZMQ::LINGER, 0))
      options.each { |option, value| set(socket, option, value) }
      check(socket.getsockopt(ZMQ::FD, descriptor = []))
    rescue StandardError
      socket.close
      raise
    end
    @sockets[@opened += 1] = socket
    @descriptors[@opened] = IO.for_fd(descriptor.first, autoclose: false)
    @opened
  end

  def close(number)
    socket = find(number)
    @partners.delete(@partners.delete(number))
    @watches.delete(number)&.close
    @descriptors.delete(number)
    @sockets.delete(number)
    check(socket.close)
  end

  def set(socket, option, value)
    number = OPTIONS.fetch(option.to_sym) { raise Unsupported, option }
    value = octets(value) if number == ZMQ::IDENTITY
    value = {true => 1, false => 0}.fetch(value) if FLAGS.key?(option.to_sym)
    check(socket.setsockopt(number, value))
  end

  def get(socket, option)
    number = OPTIONS.fetch(option.to_sym) { raise Unsupported, option }
    check(socket.getsockopt(number, value = []))
    return hex(value.first) if number == ZMQ::IDENTITY

    FLAGS.key?(option.to_sym) ? value.first != 0 : value.first
  end

  def bind(socket, endpoint)
    check(socket.setsockopt(ZMQ::IPV6, endpoint.include?("[") ? 1 : 0))
    check(socket.bind(endpoint))
    check(socket.getsockopt(ZMQ::LAST_ENDPOINT, bound = []))
    bound.first.delete_suffix("\0")
  end

  def connect(socket, endpoint)
    check(socket.setsockopt(ZMQ::IPV6, endpoint.include?("[") ? 1 : 0))
    check(socket.connect(endpoint))
    endpoint
  end

  def subscription(socket, option, mark, prefix)
    xsub = socket.name == "XSUB"
    check(xsub ? socket.send_string(octets(mark + prefix), ZMQ::DONTWAIT) : socket.setsockopt(option, octets(prefix)))
  end

  def offer(socket, parts, until_time)
    patiently(until_time) { check(socket.send_strings(parts, ZMQ::DONTWAIT)) }
    "accepted"
  rescue Refused => e
    OUTCOMES.fetch(e.number) { raise }
  end

  def receive(socket, until_time)
    patiently(until_time) do
      check(socket.recv_strings(parts = [], ZMQ::DONTWAIT))
      parts
    end
  end

  def poll(numbers, until_time)
    loop do
      busy = serve
      left = until_time - now
      readable = numbers.select { ready?(find(_1), ZMQ::POLLIN) }
      return readable if readable.any? || left <= 0

      await([], busy ? 0 : left)
    end
  end

  def flood(socket:, count:, size_octets:, seed:, timeout_ms:, head: [], **)
    until_time = now + timeout_ms / 1e3
    envelope = head.map { octets(_1) }
    pattern = PATTERN * (size_octets / 256 + 2)
    count.times do |index|
      body = [index].pack("Q>") + pattern.byteslice((seed + index + 8) % 256, size_octets - 8)
      return index if offer(find(socket), [*envelope, body], until_time) != "accepted"
    end
    count
  end

  def drain(socket, count, until_time)
    digest, received, first, last = Digest::SHA256.new, 0, nil, nil
    while received < count
      body = receive(socket, until_time).last
      digest << [body.bytesize].pack("Q>") << body
      last = body.unpack1("Q>") # nil where it is shorter
      first = last if received.zero?
      received += 1
    end
    {received:, digest: digest.hexdigest, first:, last:}
  rescue Refused => e
    raise if e.number != ZMQ::EAGAIN

    {received:, digest: digest.hexdigest, first:, last:}
  end

  # ZMQ::Device cannot be ended while its sockets are open, so the messages are forwarded in serve.
  def proxy(frontend, backend)
    [frontend, backend].each { find(_1) }
    @partners.update(frontend => backend, backend => frontend)
    nil
  end

  def forward(from, to)
    (0...FORWARDED_AT_ONCE).each do |count|
      return count unless ready?(from, ZMQ::POLLIN) && ready?(to, ZMQ::POLLOUT)

      check(from.recv_strings(parts = [], ZMQ::DONTWAIT))
      check(to.send_strings(parts, ZMQ::DONTWAIT))
    end
    FORWARDED_AT_ONCE
  end

  def watch(number)
    @watches[number] ||= begin
      endpoint = "inproc://monitor-#{number}"
      check(LibZMQ.zmq_socket_monitor(find(number).socket, endpoint, ALL_EVENTS))
      @context.socket(ZMQ::PAIR).tap { check(_1.connect(endpoint)) }
    end
  end

  def events(watch)
    seen = []
    while ready?(watch, ZMQ::POLLIN)
      check(watch.recv_strings(parts = []))
      event, value = parts.first.unpack("Sl")
      seen << {event: EVENTS.fetch(event.bit_length - 1, "unknown"), endpoint: parts.last, value:}
    end
    seen
  end
end

def answer(adapter, request)
  ok = adapter.run(request)
  {id: request[:id], ok: ok.is_a?(Hash) ? ok : {}}
rescue StandardError => e
  kind = "failed"
  kind = "unsupported" if e.is_a?(Unsupported)
  kind = "timeout" if e.is_a?(Refused) && e.number == ZMQ::EAGAIN
  {id: request[:id], error: {kind:, detail: e.message.lines.first.to_s.chomp}}
end

# Answer requests until the end of input; in between libzmq works whenever it has news.
adapter = Adapter.new
$stdout.sync = true
loop do
  next unless adapter.await([$stdin], adapter.serve ? 0 : nil)
  break unless (line = $stdin.gets)

  $stdout.write(JSON.generate(answer(adapter, JSON.parse(line, symbolize_names: true))), "\n")
end
adapter.close_all
