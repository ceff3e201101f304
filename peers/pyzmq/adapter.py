"""Control protocol adapter for libzmq, by way of pyzmq. It reports; it judges nothing."""

# ruff: noqa: D103

import contextlib
import hashlib
import json
import os
import select
import sys
import threading
import time

import zmq
from zmq.utils.monitor import recv_monitor_message

FLAGS = {
    "mandatory": zmq.ROUTER_MANDATORY,
    "handover": zmq.ROUTER_HANDOVER,
    "conflate": zmq.CONFLATE,
    "immediate": zmq.IMMEDIATE,
    "xpub-verbose": zmq.XPUB_VERBOSE,
    "probe-router": zmq.PROBE_ROUTER,
    "req-relaxed": zmq.REQ_RELAXED,
    "req-correlate": zmq.REQ_CORRELATE,
    "plain-server": zmq.PLAIN_SERVER,
    "curve-server": zmq.CURVE_SERVER,
}
OCTETS = {
    "identity": zmq.ROUTING_ID,
    "plain-username": zmq.PLAIN_USERNAME,
    "plain-password": zmq.PLAIN_PASSWORD,
    "curve-public-key": zmq.CURVE_PUBLICKEY,
    "curve-secret-key": zmq.CURVE_SECRETKEY,
    "curve-server-key": zmq.CURVE_SERVERKEY,
    "zap-domain": zmq.ZAP_DOMAIN,
}
OPTIONS = {
    **FLAGS,
    **OCTETS,
    "plain-passwords": zmq.ZAP_DOMAIN,
    "send-hwm": zmq.SNDHWM,
    "receive-hwm": zmq.RCVHWM,
    "linger-ms": zmq.LINGER,
    "heartbeat-interval-ms": zmq.HEARTBEAT_IVL,
    "heartbeat-timeout-ms": zmq.HEARTBEAT_TIMEOUT,
    "heartbeat-ttl-ms": zmq.HEARTBEAT_TTL,
    "max-message-octets": zmq.MAXMSGSIZE,
    "handshake-interval-ms": zmq.HANDSHAKE_IVL,
    "reconnect-interval-ms": zmq.RECONNECT_IVL,
}
TYPES = {"PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB"}
OUTCOMES = {
    zmq.EAGAIN: "would-block",
    zmq.EHOSTUNREACH: "unroutable",
    zmq.EFSM: "refused",
    zmq.ENOTSUP: "refused",
}
PATTERN = bytes(range(256))

context = zmq.Context()
sockets, served, watches, proxies = {}, {}, {}, []  # served: those that no proxy's thread has
descriptors, everything = select.poll(), select.poll()
ZAP = "inproc://zeromq.zap.01"
passwords = {}  # by the ZAP domain of their socket
handlers = []  # the one that looks into `passwords`, while there are any


class Unsupported(Exception):
    """The library has no such operation, socket type or option."""


def touch():
    """Let libzmq work: its descriptors tell of news once, until EVENTS is read."""
    for socket in served.values():
        socket.get(zmq.EVENTS)
    for handler in handlers:
        while handler.get(zmq.EVENTS) & zmq.POLLIN:
            answer_zap(handler)


def watch(socket):
    for poller in (descriptors, everything):
        poller.register(socket.fileno(), select.POLLIN)


def unwatch(socket):
    for poller in (descriptors, everything):
        poller.unregister(socket.fileno())


def patiently(act, timeout_ms):
    """Do `act` as soon as it does not raise Again; all sockets are served meanwhile."""
    end = time.monotonic() + timeout_ms / 1000
    while True:
        try:
            return act()
        except zmq.Again:
            touch()
        try:
            return act()
        except zmq.Again:
            if time.monotonic() >= end:
                raise
        descriptors.poll((end - time.monotonic()) * 1000 + 1)


def hello(control):
    version = f"{zmq.zmq_version()} (pyzmq {zmq.__version__})"
    return {"peer": "pyzmq", "library": "libzmq", "version": version, "language": "Python", "control": "1"}


def open_socket(type, options):
    unknown = ({type} - TYPES) | (options.keys() - OPTIONS.keys())
    if unknown:
        raise Unsupported(", ".join(unknown))
    number, socket = len(watches) + 1, context.socket(getattr(zmq, type))
    sockets[number] = served[number] = socket
    watches[number] = None
    socket.linger = 0
    watch(socket)
    try:
        for option, value in options.items():
            set_option(number, option, value)
    except Exception:
        close(number)
        raise
    return {"socket": number}


def close(socket):
    for proxied in [entry for entry in proxies if socket in entry[:2]]:
        proxied[3].send(b"TERMINATE")
        proxied[2].join()
        proxied[3].close(0)
        proxies.remove(proxied)
    if watches[socket]:
        sockets[socket].disable_monitor()
        watches[socket].close(0)
    if served.pop(socket, None):
        leave_to_thread(socket)
    closing = sockets.pop(socket)
    if closing.last_endpoint.startswith(ZAP.encode()):  # closing alone frees it some time later
        with contextlib.suppress(zmq.ZMQError):
            closing.unbind(ZAP)
    closing.close(0)
    forget(b"socket %d" % socket)


def leave_to_thread(socket):
    served.pop(socket, None)
    unwatch(sockets[socket])


def set_option(socket, option, value):
    if option not in OPTIONS:
        raise Unsupported(option)
    if option == "plain-passwords":
        value = let_in(socket, value)
    else:
        value = bytes.fromhex(value) if option in OCTETS else int(value)
    sockets[socket].set(OPTIONS[option], value)


def let_in(socket, pairs):
    """Tell the handler of a socket's list; its name there is the socket's ZAP domain."""
    if not handlers:
        handlers.append(context.socket(zmq.REP))
        handlers[0].bind(ZAP)
        watch(handlers[0])
    domain = b"socket %d" % socket
    passwords[domain] = [[bytes.fromhex(octets) for octets in pair] for pair in pairs]
    return domain


def answer_zap(zap):
    """Whose credentials are good, as libzmq asks its application (RFC 27); of CURVE every client's key is."""
    version, number, domain, _, _, mechanism, *credentials = zap.recv_multipart()
    good = mechanism == b"CURVE" or credentials in passwords.get(domain, [])
    zap.send_multipart([version, number, b"200" if good else b"400", b"", b"", b""])


def forget(domain):
    """A socket with a list is gone; without any, ZAP's endpoint is free for others."""
    if passwords.pop(domain, None) is not None and not passwords:
        handler = handlers.pop()
        unwatch(handler)
        handler.unbind(ZAP)
        handler.close(0)


def get_option(socket, option):
    if option not in OPTIONS:
        raise Unsupported(option)
    value = sockets[socket].get(OPTIONS[option])
    return {"value": value.hex() if option in OCTETS else bool(value) if option in FLAGS else value}


def attach(socket, endpoint, binds):
    sockets[socket].ipv6 = "[" in endpoint
    (sockets[socket].bind if binds else sockets[socket].connect)(endpoint)
    return {"endpoint": sockets[socket].last_endpoint.decode().rstrip("\0") if binds else endpoint}


def subscribe(socket, prefix, starts):
    target, octets = sockets[socket], bytes.fromhex(prefix)
    if target.socket_type == zmq.XSUB:
        target.send(bytes([starts]) + octets, zmq.DONTWAIT)
    else:
        target.set(zmq.SUBSCRIBE if starts else zmq.UNSUBSCRIBE, octets)


def send(socket, parts, timeout_ms):
    """libzmq takes a whole message or, at its first part, none of it."""
    try:
        patiently(lambda: sockets[socket].send_multipart(parts, zmq.DONTWAIT), timeout_ms)
    except zmq.ZMQError as error:
        if error.errno not in OUTCOMES:
            raise
        return OUTCOMES[error.errno]
    return "accepted"


def receive(socket, timeout_ms):
    return patiently(lambda: sockets[socket].recv_multipart(zmq.DONTWAIT), timeout_ms)


def poll(numbers, timeout_ms):
    def act():
        readable = [number for number in numbers if sockets[number].get(zmq.EVENTS) & zmq.POLLIN]
        if not readable:
            raise zmq.Again
        return readable

    try:
        return {"readable": patiently(act, timeout_ms)}
    except zmq.Again:
        return {"readable": []}


def left_ms(end):
    return max(0, (end - time.monotonic()) * 1000)


def flood(socket, count, size_octets, seed, timeout_ms, head=()):
    end, envelope = time.monotonic() + timeout_ms / 1000, [bytes.fromhex(part) for part in head]
    pattern = PATTERN * (size_octets // 256 + 2)
    for index in range(count):
        start = (seed + index + 8) % 256
        body = index.to_bytes(8, "big") + pattern[start : start + size_octets - 8]
        if send(socket, [*envelope, body], left_ms(end)) != "accepted":
            return {"accepted": index}
    return {"accepted": count}


def drain(socket, count, timeout_ms):
    end, digest, seen = time.monotonic() + timeout_ms / 1000, hashlib.sha256(), []
    while len(seen) < count:
        try:
            body = receive(socket, left_ms(end))[-1]
        except zmq.Again:
            break
        digest.update(len(body).to_bytes(8, "big") + body)
        seen.append(int.from_bytes(body[:8], "big") if len(body) >= 8 else None)
    first, last = (seen[0], seen[-1]) if seen else (None, None)
    return {"received": len(seen), "digest": digest.hexdigest(), "first": first, "last": last}


def proxy(frontend, backend):
    """libzmq's own proxy, in a thread that has the two sockets until one is closed."""
    inside, control = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    inside.bind(f"inproc://proxy-{frontend}")
    control.connect(f"inproc://proxy-{frontend}")
    for socket in {frontend, backend}:
        leave_to_thread(socket)

    def run():
        zmq.proxy_steerable(sockets[frontend], sockets[backend], None, inside)
        inside.close(0)

    proxies.append((frontend, backend, threading.Thread(target=run, daemon=True), control))
    proxies[-1][2].start()


def monitor(socket):
    watches[socket] = watches[socket] or sockets[socket].get_monitor_socket()
    events = []
    while watches[socket].poll(0):
        event = recv_monitor_message(watches[socket])
        name = zmq.Event(event["event"]).name.lower().replace("_", "-")
        events.append({"event": name, "endpoint": event["endpoint"].decode(), "value": event["value"]})
    return {"events": events}


OPERATIONS = {
    "hello": hello,
    "open": open_socket,
    "close": close,
    "set": set_option,
    "get": get_option,
    "bind": lambda socket, endpoint: attach(socket, endpoint, True),
    "connect": lambda socket, endpoint: attach(socket, endpoint, False),
    "unbind": lambda socket, endpoint: sockets[socket].unbind(endpoint),
    "disconnect": lambda socket, endpoint: sockets[socket].disconnect(endpoint),
    "subscribe": lambda socket, prefix: subscribe(socket, prefix, True),
    "cancel": lambda socket, prefix: subscribe(socket, prefix, False),
    "send": lambda socket, parts, timeout_ms: {
        "outcome": send(socket, [bytes.fromhex(part) for part in parts], timeout_ms)
    },
    "recv": lambda socket, timeout_ms: {"parts": [part.hex() for part in receive(socket, timeout_ms)]},
    "poll": lambda sockets, timeout_ms: poll(sockets, timeout_ms),
    "flood": flood,
    "drain": drain,
    "proxy": proxy,
    "monitor": monitor,
}


def answer(id, op, **fields):
    try:
        if op not in OPERATIONS:
            raise Unsupported(op)
        return {"id": id, "ok": OPERATIONS[op](**fields) or {}}
    except Unsupported as error:
        kind, detail = "unsupported", str(error)
    except zmq.Again as error:
        kind, detail = "timeout", str(error)
    except Exception as error:
        kind, detail = "failed", f"{type(error).__name__}: {error}"
    return {"id": id, "error": {"kind": kind, "detail": detail}}


def main():
    """Answer requests until the end of input; in between libzmq works whenever it has news."""
    everything.register(0, select.POLLIN)
    while True:
        touch()
        if any(descriptor == 0 for descriptor, _ in everything.poll()):
            line = sys.stdin.buffer.readline()
            if not line:
                break
            os.write(1, json.dumps(answer(**json.loads(line))).encode() + b"\n")
    for socket in list(sockets):
        close(socket)
    context.term()


if __name__ == "__main__":
    main()
