"""Control protocol adapter for omq, by way of pyomq. It reports; it judges nothing.

omq serves its sockets in threads of its own, so between requests there is
nothing to do but to wait for the next one.
"""

# ruff: noqa: D103

import errno
import hashlib
import json
import os
import sys
import threading
import time

import pyomq

FLAGS = {"mandatory": pyomq.ROUTER_MANDATORY, "conflate": pyomq.CONFLATE}
OPTIONS = FLAGS | {
    "identity": pyomq.ROUTING_ID,
    "send-hwm": pyomq.SNDHWM,
    "receive-hwm": pyomq.RCVHWM,
    "linger-ms": pyomq.LINGER,
    "heartbeat-interval-ms": pyomq.HEARTBEAT_IVL,
    "heartbeat-timeout-ms": pyomq.HEARTBEAT_TIMEOUT,
    "heartbeat-ttl-ms": pyomq.HEARTBEAT_TTL,
    "max-message-octets": pyomq.MAXMSGSIZE,
    "handshake-interval-ms": pyomq.HANDSHAKE_IVL,
    "reconnect-interval-ms": pyomq.RECONNECT_IVL,
}
TYPES = {
    *("PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB"),
    *("CLIENT", "SERVER", "RADIO", "DISH", "SCATTER", "GATHER", "PEER", "CHANNEL"),
}
OUTCOMES = {
    errno.EAGAIN: "would-block",
    errno.EHOSTUNREACH: "unroutable",
    errno.EPROTO: "refused",
    errno.ENOTSUP: "refused",
}
PATTERN = bytes(range(256))

context = pyomq.Context()
sockets, watches, proxies = {}, {}, []


class Unsupported(Exception):
    """The library has no such operation, socket type or option."""


def hello(control):
    return {
        "peer": "pyomq",
        "library": "omq",
        "version": f"pyomq {pyomq.__version__}",
        "language": "Python",
        "control": "1",
    }


def open_socket(type, options):
    unknown = ({type} - TYPES) | (options.keys() - OPTIONS.keys())
    if unknown:
        raise Unsupported(", ".join(unknown))
    number, socket = len(watches) + 1, context.socket(getattr(pyomq, type))
    sockets[number], watches[number] = socket, None
    socket.linger = 0
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
    sockets.pop(socket).close(0)


def set_option(socket, option, value):
    if option not in OPTIONS:
        raise Unsupported(option)
    octets_or_number = bytes.fromhex(value) if option == "identity" else int(value)
    sockets[socket].setsockopt(OPTIONS[option], octets_or_number)


def get_option(socket, option):
    if option not in OPTIONS:
        raise Unsupported(option)
    value = sockets[socket].getsockopt(OPTIONS[option])
    return {"value": value.hex() if option == "identity" else bool(value) if option in FLAGS else value}


def bind(socket, endpoint):
    return {"endpoint": sockets[socket].bind(endpoint.removesuffix("*") + "0" * endpoint.endswith(":*"))}


def connect(socket, endpoint):
    sockets[socket].connect(endpoint)
    return {"endpoint": endpoint}


def membership(socket, plain, of_groups, octets):
    change = of_groups if sockets[socket].socket_type == pyomq.DISH else plain
    getattr(sockets[socket], change)(bytes.fromhex(octets))


def routed(head, *bodies):
    """The frames of a SERVER's message: each with the routing id, which is no frame."""
    if len(head) != 4:
        raise pyomq.ZMQError(errno.EPROTO, "no routing id")
    frames = [pyomq.Frame(body) for body in bodies]
    for frame in frames:
        frame.routing_id = int.from_bytes(head, "big")
    return frames


def send(socket, parts, timeout_ms):
    sockets[socket].setsockopt(pyomq.SNDTIMEO, int(timeout_ms))
    try:
        if sockets[socket].socket_type == pyomq.SERVER:
            parts = routed(*parts)
        sockets[socket].send_multipart(parts)
    except pyomq.ZMQError as error:
        if error.errno not in OUTCOMES:
            raise
        return OUTCOMES[error.errno]
    return "accepted"


def receive(socket, timeout_ms):
    sockets[socket].setsockopt(pyomq.RCVTIMEO, int(timeout_ms))
    if sockets[socket].socket_type != pyomq.SERVER:
        return sockets[socket].recv_multipart()
    frames = sockets[socket].recv_multipart(copy=False)
    return [frames[0].routing_id.to_bytes(4, "big"), *map(bytes, frames)]


def poll(numbers, timeout_ms):
    poller = pyomq.Poller()
    for number in numbers:
        poller.register(sockets[number], pyomq.POLLIN)
    ready = [socket for socket, _ in poller.poll(timeout_ms)]
    return {"readable": [number for number in numbers if sockets[number] in ready]}


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
        except pyomq.Again:
            break
        digest.update(len(body).to_bytes(8, "big") + body)
        seen.append(int.from_bytes(body[:8], "big") if len(body) >= 8 else None)
    first, last = (seen[0], seen[-1]) if seen else (None, None)
    return {"received": len(seen), "digest": digest.hexdigest(), "first": first, "last": last}


def proxy(frontend, backend):
    """omq's own proxy, in a thread that has the two sockets until one is closed."""
    inside, control = context.socket(pyomq.PAIR), context.socket(pyomq.PAIR)
    inside.bind(f"inproc://proxy-{frontend}")
    control.connect(f"inproc://proxy-{frontend}")

    def run():
        pyomq.proxy_steerable(sockets[frontend], sockets[backend], None, inside)
        inside.close(0)

    proxies.append((frontend, backend, threading.Thread(target=run, daemon=True), control))
    proxies[-1][2].start()


def monitor(socket):
    watches[socket] = watches[socket] or sockets[socket].monitor()
    events = []
    while True:
        try:
            event = watches[socket].recv_nowait()
        except pyomq.ZMQError:
            return {"events": events}
        name = event["event"].lower().replace("_", "-")
        events.append({"event": name, "endpoint": event.get("endpoint") or ""})


OPERATIONS = {
    "hello": hello,
    "open": open_socket,
    "close": close,
    "set": set_option,
    "get": get_option,
    "bind": bind,
    "connect": connect,
    "unbind": lambda socket, endpoint: sockets[socket].unbind(endpoint),
    "disconnect": lambda socket, endpoint: sockets[socket].disconnect(endpoint),
    "subscribe": lambda socket, prefix: membership(socket, "subscribe", "join", prefix),
    "cancel": lambda socket, prefix: membership(socket, "unsubscribe", "leave", prefix),
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
    except pyomq.Again as error:
        kind, detail = "timeout", str(error)
    except BaseException as error:  # a panic in the library is none of Python's own exceptions
        kind, detail = "failed", f"{type(error).__name__}: {error}"
    return {"id": id, "error": {"kind": kind, "detail": detail}}


def main():
    """Answer requests until the end of input."""
    for line in sys.stdin.buffer:
        os.write(1, json.dumps(answer(**json.loads(line))).encode() + b"\n")
    for socket in list(sockets):
        close(socket)
    context.term()


if __name__ == "__main__":
    main()
