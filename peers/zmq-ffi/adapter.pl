#!/usr/bin/perl
# Control protocol adapter for libzmq, by way of ZMQ::FFI. It reports; it judges nothing.
use v5.36;

use Digest::SHA;
use Errno qw(EAGAIN EHOSTUNREACH ENOTSUP);
use JSON::XS;
use List::Util qw(max);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
use ZMQ::FFI;
use ZMQ::FFI::Constants qw(:all);
use ZMQ::FFI::Util qw(zmq_version);

use constant { EFSM => ZMQ_HAUSNUMERO() + 51, FORWARDED_AT_ONCE => 1000, READ_OCTETS => 1 << 20 };

my %TYPES = (
    PAIR   => ZMQ_PAIR,   PUB    => ZMQ_PUB,    SUB  => ZMQ_SUB,  REQ  => ZMQ_REQ,  REP  => ZMQ_REP,
    DEALER => ZMQ_DEALER, ROUTER => ZMQ_ROUTER, PULL => ZMQ_PULL, PUSH => ZMQ_PUSH, XPUB => ZMQ_XPUB,
    XSUB   => ZMQ_XSUB,
);
my %FLAGS = (
    'mandatory'    => ZMQ_ROUTER_MANDATORY, 'handover'     => ZMQ_ROUTER_HANDOVER, 'conflate'    => ZMQ_CONFLATE,
    'immediate'    => ZMQ_IMMEDIATE,        'xpub-verbose' => ZMQ_XPUB_VERBOSE,    'req-relaxed' => ZMQ_REQ_RELAXED,
    'probe-router' => ZMQ_PROBE_ROUTER,     'req-correlate' => ZMQ_REQ_CORRELATE,
);
my %NUMBERS = (
    'send-hwm'              => ZMQ_SNDHWM,        'receive-hwm'           => ZMQ_RCVHWM,
    'linger-ms'             => ZMQ_LINGER,        'heartbeat-interval-ms' => ZMQ_HEARTBEAT_IVL,
    'heartbeat-timeout-ms'  => ZMQ_HEARTBEAT_TIMEOUT, 'heartbeat-ttl-ms'  => ZMQ_HEARTBEAT_TTL,
    'handshake-interval-ms' => ZMQ_HANDSHAKE_IVL, 'reconnect-interval-ms' => ZMQ_RECONNECT_IVL,
);
my %OPTIONS = (    # to the library's option and its type
    (map { $_ => [$FLAGS{$_}, 'int'] } keys %FLAGS),
    (map { $_ => [$NUMBERS{$_}, 'int'] } keys %NUMBERS),
    'max-message-octets' => [ZMQ_MAXMSGSIZE, 'int64_t'],
    'identity'           => [ZMQ_ROUTING_ID, 'binary'],
);
my %OUTCOMES = (
    0    => 'accepted', EAGAIN,  'would-block', EHOSTUNREACH, 'unroutable',
    EFSM,   'refused',  ENOTSUP, 'refused',
);
my @EVENTS = qw(
    connected connect-delayed connect-retried listening bind-failed accepted accept-failed closed close-failed
    disconnected monitor-stopped handshake-failed-no-detail handshake-succeeded handshake-failed-protocol
    handshake-failed-auth
);
my $PATTERN = join '', map { chr } 0 .. 255;

my $context = ZMQ::FFI->new;
my (%sockets, %watches, %partners);    # partners: where a proxy's messages go
my $opened = 0;

package Refusal {    # an answer's error
    sub throw ($class, $kind, $detail) { die bless {kind => $kind, detail => $detail}, $class }
}

sub now { clock_gettime(CLOCK_MONOTONIC) }

sub find ($number) { $sockets{$number} // Refusal->throw('failed', "no socket $number") }

sub option ($name) { @{$OPTIONS{$name} // Refusal->throw('unsupported', $name)} }

sub octets ($hex) { pack 'H*', $hex }

# Let libzmq work, and the proxies; whether there may be more to forward at once.
sub serve {
    my $busy = 0;
    $_->get(ZMQ_EVENTS, 'int') for values %sockets;    # the descriptor tells of news once, until this is read
    while (my ($number, $partner) = each %partners) {
        my ($from, $to) = @sockets{$number, $partner};
        for (1 .. FORWARDED_AT_ONCE) {
            last unless $from->has_pollin && $to->has_pollout;
            $to->send_multipart([$from->recv_multipart(ZMQ_DONTWAIT)], ZMQ_DONTWAIT);
            $busy = 1;
        }
    }
    return $busy;
}

# Wait until a socket has news or, if asked for, there is input; whether the latter. No time: for ever.
sub await ($input, $seconds = undef) {
    my $readable = '';
    vec($readable, $_->get_fd, 1) = 1 for values %sockets;
    vec($readable, fileno STDIN, 1) = 1 if $input;
    return select($readable, undef, undef, $seconds) > 0 && vec($readable, fileno STDIN, 1);
}

# Do `act` on the socket until its error is another than EAGAIN, or the time is over; all are served meanwhile.
sub patiently ($socket, $end, $act) {
    while (1) {
        my @result = $act->();
        return @result if $socket->last_errno != EAGAIN;
        my $busy = serve();
        my $left = $end - now();
        @result = $act->();
        return @result if $socket->last_errno != EAGAIN || $left <= 0;
        await(0, $busy ? 0 : $left);
    }
}

sub offer ($socket, $parts, $end) {
    $socket->die_on_error(0);
    patiently($socket, $end, sub { $socket->send_multipart($parts, ZMQ_DONTWAIT) });
    $socket->die_on_error(1);
    return $OUTCOMES{$socket->last_errno} // Refusal->throw('failed', $socket->last_strerror);
}

sub take ($socket, $end) {
    $socket->die_on_error(0);
    my @parts = patiently($socket, $end, sub { $socket->recv_multipart(ZMQ_DONTWAIT) });
    $socket->die_on_error(1);
    return @parts if @parts;
    Refusal->throw($socket->last_errno == EAGAIN ? 'timeout' : 'failed', $socket->last_strerror);
}

sub attach ($way, $number, $endpoint) {
    my $socket = find($number);
    $socket->set(ZMQ_IPV6, 'int', $endpoint =~ /\[/ ? 1 : 0);
    $socket->$way($endpoint);
    return {endpoint => $way eq 'bind' ? $socket->get(ZMQ_LAST_ENDPOINT, 'string') : $endpoint};
}

sub change_subscription ($way, $mark, $number, $prefix) {
    my $socket = find($number);
    if ($socket->type == ZMQ_XSUB) { $socket->send($mark . octets($prefix), ZMQ_DONTWAIT) }
    else                           { $socket->$way(octets($prefix)) }
    return {};
}

sub change ($socket, $name, $value) {
    my ($option, $type) = option($name);
    $socket->set($option, $type, $type eq 'binary' ? octets($value) : $value + 0);
}

sub close_socket ($number) {
    my $socket = find($number);
    delete $partners{delete $partners{$number} // ''};
    (delete $watches{$number})->close if $watches{$number};
    delete $sockets{$number};
    $socket->close;
}

my %OPERATIONS = (
    hello => sub ($r) {
        my $version = join('.', zmq_version()) . " (ZMQ::FFI $ZMQ::FFI::VERSION)";
        return {peer => 'zmq-ffi', library => 'libzmq', version => $version, language => 'Perl', control => '1'};
    },
    open => sub ($r) {
        my $type   = $TYPES{$r->{type}} // Refusal->throw('unsupported', $r->{type});
        my $socket = $context->socket($type);    # its linger is 0
        change($socket, $_, $r->{options}{$_}) for keys %{$r->{options}};
        $sockets{++$opened} = $socket;
        return {socket => $opened + 0};
    },
    close => sub ($r) { close_socket($r->{socket}); {} },
    set   => sub ($r) { change(find($r->{socket}), $r->{option}, $r->{value}); {} },
    get   => sub ($r) {
        my $value = find($r->{socket})->get(option($r->{option}));
        return {value => unpack 'H*', $value // ''} if $r->{option} eq 'identity';
        return {value => $FLAGS{$r->{option}} ? ($value ? JSON::XS::true : JSON::XS::false) : $value + 0};
    },
    bind        => sub ($r) { attach('bind', @$r{qw(socket endpoint)}) },
    connect     => sub ($r) { attach('connect', @$r{qw(socket endpoint)}) },
    unbind      => sub ($r) { find($r->{socket})->unbind($r->{endpoint}); {} },
    disconnect  => sub ($r) { find($r->{socket})->disconnect($r->{endpoint}); {} },
    subscribe   => sub ($r) { change_subscription('subscribe', "\1", @$r{qw(socket prefix)}) },
    cancel      => sub ($r) { change_subscription('unsubscribe', "\0", @$r{qw(socket prefix)}) },
    send        => sub ($r) {
        my $end = now() + $r->{timeout_ms} / 1000;
        return {outcome => offer(find($r->{socket}), [map { octets($_) } @{$r->{parts}}], $end)};
    },
    recv => sub ($r) {
        return {parts => [map { unpack 'H*', $_ } take(find($r->{socket}), now() + $r->{timeout_ms} / 1000)]};
    },
    poll => sub ($r) {
        my $end = now() + $r->{timeout_ms} / 1000;
        while (1) {
            my $busy     = serve();
            my $left     = $end - now();
            my @readable = grep { find($_)->has_pollin } @{$r->{sockets}};
            return {readable => [map { $_ + 0 } @readable]} if @readable || $left <= 0;
            await(0, $busy ? 0 : $left);
        }
    },
    flood => sub ($r) {
        my $end      = now() + $r->{timeout_ms} / 1000;
        my @envelope = map { octets($_) } @{$r->{head} // []};
        my $pattern  = $PATTERN x ($r->{size_octets} / 256 + 2);
        for my $index (0 .. $r->{count} - 1) {
            my $body = pack('Q>', $index) . substr $pattern, ($r->{seed} + $index + 8) % 256, $r->{size_octets} - 8;
            return {accepted => $index} if offer(find($r->{socket}), [@envelope, $body], $end) ne 'accepted';
        }
        return {accepted => $r->{count}};
    },
    drain => sub ($r) {
        my ($end, $digest, $received, $first, $last) = (now() + $r->{timeout_ms} / 1000, Digest::SHA->new(256), 0);
        while ($received < $r->{count}) {
            my @parts = eval { take(find($r->{socket}), $end) };
            die $@ if $@ && $@->{kind} ne 'timeout';
            last unless @parts;
            $digest->add(pack('Q>', length $parts[-1]), $parts[-1]);
            $last  = length $parts[-1] >= 8 ? unpack('Q>', $parts[-1]) : undef;
            $first = $last unless $received++;
        }
        return {received => $received, digest => $digest->hexdigest, first => $first, last => $last};
    },
    # ZMQ::FFI's own proxy would keep this one thread to itself, so the messages are forwarded in serve().
    proxy => sub ($r) {
        find($_) for @$r{qw(frontend backend)};
        @partners{@$r{qw(frontend backend)}} = @$r{qw(backend frontend)};
        return {};
    },
    monitor => sub ($r) {
        my $socket = find($r->{socket});
        my $watch  = $watches{$r->{socket}} //= do {
            $socket->monitor("inproc://monitor-$r->{socket}", ZMQ_EVENT_ALL);
            my $pair = $context->socket(ZMQ_PAIR);
            $pair->connect("inproc://monitor-$r->{socket}");
            $pair;
        };
        my @events;
        while ($watch->has_pollin) {
            my ($event, $value, $endpoint) = $watch->recv_event(ZMQ_DONTWAIT);
            my ($bit) = grep { 1 << $_ == $event } 0 .. $#EVENTS;
            push @events, {event => defined $bit ? $EVENTS[$bit] : 'unknown', endpoint => $endpoint, value => $value};
        }
        return {events => \@events};
    },
);

sub answer ($request) {
    my $ok = eval {
        my $operation = $OPERATIONS{$request->{op}} // Refusal->throw('unsupported', $request->{op});
        $operation->($request);
    };
    return {id => $request->{id}, ok => $ok} if $ok;
    my ($line) = ref $@ ? () : split /\n/, $@;
    return {id => $request->{id}, error => ref $@ eq 'Refusal' ? {%{$@}} : {kind => 'failed', detail => $line}};
}

# Answer requests until the end of input; in between libzmq works whenever it has news.
$| = 1;
my ($json, $input) = (JSON::XS->new->utf8, '');
while (1) {
    next unless await(1, serve() ? 0 : undef);
    sysread STDIN, $input, READ_OCTETS, length $input or last;
    while ((my $end = index $input, "\n") >= 0) {
        print $json->encode(answer($json->decode(substr $input, 0, $end + 1, ''))), "\n";
    }
}
close_socket($_) for keys %sockets;
exit($input eq '' ? 0 : 1);
