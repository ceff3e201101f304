"""Control protocol adapter for azmq, a ZeroMQ of asyncio's own. It reports; it judges nothing.

azmq works in tasks of the event loop: requests are read in another thread, and the loop never waits for one.
It does not compile on Python 3.7 and newer, so what is used here is that of 3.6.
"""

# ruff: noqa: D103

import asyncio
import hashlib
import json
import os
import sys
import time

import pkg_resources
from azmq.context import Context
from azmq.errors import InvalidOperation, ZAPAuthenticationFailure
from azmq.mechanisms import PlainClient, PlainServer
from azmq.zap import BaseZAPAuthenticator

ATTRIBUTES = {"identity": "identity", "send-hwm": "max_outbox_size", "receive-hwm": "max_inbox_size"}
AT_OPEN = {"plain-server", "plain-username", "plain-password", "plain-passwords"}
TYPES = {"PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB"}
PATTERN = bytes(range(256))
LISTENERS = {b"PAIR", b"SUB", b"DEALER", b"ROUTER", b"PULL", b"XPUB", b"XSUB"}
TURNS = 20  # of the loop: more than any call of azmq takes when nothing is in its way

sockets, receiving, watches, bound = {}, {}, {}, {}


class Unsupported(Exception):
    """The library has no such operation, socket type or option."""


class NotInTime(Exception):
    """What the operation waits for did not happen."""


class Loop(asyncio.SelectorEventLoop):
    """Tells how the next server is started: azmq's own `bind` returns before that."""

    listening = None

    async def create_server(self, *args, **kwargs):
        """Of TCP."""
        return await self.tell(super().create_server(*args, **kwargs))

    async def create_unix_server(self, *args, **kwargs):
        """Of ipc."""
        return await self.tell(super().create_unix_server(*args, **kwargs))

    async def tell(self, starting):
        """Its address, or why there is none, to who waits for it."""
        future, self.listening = self.listening, None
        try:
            server = await starting
        except Exception as error:
            if future:
                future.set_exception(error)
            raise
        if future:
            future.set_result(server.sockets[0].getsockname())
        return server


class Passwords(BaseZAPAuthenticator):
    """Says whose credentials are good; each socket has a context of its own, and so a list of its own."""

    def on_open(self, context, pairs):
        """Keep the list."""
        super().on_open(context=context)
        self.pairs = pairs

    async def on_request(self, domain, address, identity, mechanism, credentials):
        """Let in who is in it."""
        if credentials not in self.pairs:
            raise ZAPAuthenticationFailure("not in the list")
        return None, None


def hello(control):
    version = pkg_resources.get_distribution("azmq").version
    return {"peer": "azmq", "library": "azmq", "version": version, "language": "Python", "control": "1"}


def mechanism(options):
    if options.get("plain-server"):
        return PlainServer()
    if "plain-username" in options or "plain-password" in options:
        octets = (bytes.fromhex(options.get(name, "")) for name in ("plain-username", "plain-password"))
        return PlainClient(*(text.decode() for text in octets))
    return None


def open_socket(type, options):
    unknown = ({type} - TYPES) | (options.keys() - ATTRIBUTES.keys() - AT_OPEN)
    if unknown:
        raise Unsupported(", ".join(unknown))
    number, context = len(watches) + 1, Context()
    if "plain-passwords" in options:
        pairs = [[bytes.fromhex(octets) for octets in pair] for pair in options["plain-passwords"]]
        context.set_zap_authenticator(Passwords(context=context, pairs=pairs))
    socket = context.socket(type.encode(), mechanism=mechanism(options))
    sockets[number], watches[number] = socket, None
    for option in options.keys() & ATTRIBUTES.keys():
        set_option(number, option, options[option])
    return {"socket": number}


async def close(socket):
    context = sockets.pop(socket).context
    context.close()
    await context.wait_closed()
    receiving.pop(socket, None)


def set_option(socket, option, value):
    if option not in ATTRIBUTES:
        raise Unsupported(option)
    setattr(sockets[socket], ATTRIBUTES[option], bytes.fromhex(value) if option == "identity" else value)


def get_option(socket, option):
    if option not in ATTRIBUTES:
        raise Unsupported(option)
    value = getattr(sockets[socket], ATTRIBUTES[option])
    return {"value": (value or b"").hex() if option == "identity" else value}


async def bind(socket, endpoint):
    asked = f"{endpoint[:-1]}0#{len(bound)}" if endpoint.endswith(":*") else endpoint  # a name of its own
    loop.listening = listening = loop.create_future()
    sockets[socket].bind(asked)
    try:
        name = await listening
    except OSError:
        await sockets[socket].unbind(asked)  # it would go on trying
        raise
    if asked != endpoint:
        endpoint = f"{endpoint[:-2]}:{name[1]}"
    bound[socket, endpoint] = asked
    start_receiving(socket, LISTENERS)
    return {"endpoint": endpoint}


def connect(socket, endpoint):
    sockets[socket].connect(endpoint)
    start_receiving(socket, LISTENERS)
    return {"endpoint": endpoint}


async def unbind(socket, endpoint):
    await sockets[socket].unbind(bound[socket, endpoint])


async def within(task, timeout_ms):
    """Whether the task is done in time; in no time at all, whether it is done without waiting for anybody."""
    await asyncio.wait([task], timeout=timeout_ms / 1000)
    for _ in range(TURNS):
        if not task.done():
            await asyncio.sleep(0)
    return task.done()


async def send(socket, parts, timeout_ms):
    task = asyncio.ensure_future(sockets[socket].send_multipart(list(parts)))
    if not await within(task, timeout_ms):
        task.cancel()
        return "would-block"
    try:
        task.result()
    except (InvalidOperation, AssertionError):
        return "refused"
    return "accepted"


def start_receiving(socket, types=None):
    """Have a receive under way, as an application of azmq has; one that is cancelled would lose messages.

    For REQ and REP it is a step of the conversation, so that it begins when it is asked for.
    """
    if socket not in receiving and (not types or sockets[socket].socket_type in types):
        receiving[socket] = asyncio.ensure_future(sockets[socket].recv_multipart())
    return receiving.get(socket)


async def receive(socket, timeout_ms):
    if not await within(start_receiving(socket), timeout_ms):
        raise NotInTime("nothing received")
    task = receiving.pop(socket)
    start_receiving(socket, LISTENERS)
    return task.result()


async def poll(numbers, timeout_ms):
    tasks = {number: start_receiving(number) for number in numbers}
    some = asyncio.ensure_future(asyncio.wait(tasks.values(), return_when=asyncio.FIRST_COMPLETED))
    await within(some, timeout_ms)
    some.cancel()
    for number in numbers:
        if tasks[number].done() and tasks[number].exception():  # it was no time to receive
            del receiving[number]
    return {"readable": [number for number in numbers if number in receiving and tasks[number].done()]}


def left_ms(end):
    return max(0, (end - time.monotonic()) * 1000)


async def flood(socket, count, size_octets, seed, timeout_ms, head=()):
    end, envelope = time.monotonic() + timeout_ms / 1000, [bytes.fromhex(part) for part in head]
    pattern = PATTERN * (size_octets // 256 + 2)
    for index in range(count):
        start = (seed + index + 8) % 256
        body = index.to_bytes(8, "big") + pattern[start : start + size_octets - 8]
        if await send(socket, [*envelope, body], left_ms(end)) != "accepted":
            return {"accepted": index}
    return {"accepted": count}


async def drain(socket, count, timeout_ms):
    end, digest, seen = time.monotonic() + timeout_ms / 1000, hashlib.sha256(), []
    while len(seen) < count:
        try:
            body = (await receive(socket, left_ms(end)))[-1]
        except NotInTime:
            break
        digest.update(len(body).to_bytes(8, "big") + body)
        seen.append(int.from_bytes(body[:8], "big") if len(body) >= 8 else None)
    first, last = (seen[0], seen[-1]) if seen else (None, None)
    return {"received": len(seen), "digest": digest.hexdigest(), "first": first, "last": last}


def monitor(socket):
    """What the socket's signals tell of its connections."""
    if watches[socket] is None:
        watches[socket] = []
        for signal, event in (
            (sockets[socket].on_connection_ready, "handshake-succeeded"),
            (sockets[socket].on_connection_lost, "disconnected"),
        ):
            signal.connect(lambda _, event=event: watches[socket].append({"event": event, "endpoint": ""}))
    events, watches[socket] = watches[socket], []
    return {"events": events}


async def outcome(socket, parts, timeout_ms):
    return {"outcome": await send(socket, [bytes.fromhex(part) for part in parts], timeout_ms)}


async def message(socket, timeout_ms):
    parts = await receive(socket, timeout_ms)
    if not parts:
        raise ValueError("a message without parts")
    return {"parts": [part.hex() for part in parts]}


OPERATIONS = {
    "hello": hello,
    "open": open_socket,
    "close": close,
    "set": set_option,
    "get": get_option,
    "bind": bind,
    "connect": connect,
    "unbind": unbind,
    "disconnect": lambda socket, endpoint: sockets[socket].disconnect(endpoint),
    "subscribe": lambda socket, prefix: sockets[socket].subscribe(bytes.fromhex(prefix)),
    "cancel": lambda socket, prefix: sockets[socket].unsubscribe(bytes.fromhex(prefix)),
    "send": outcome,
    "recv": message,
    "poll": lambda sockets, timeout_ms: poll(sockets, timeout_ms),
    "flood": flood,
    "drain": drain,
    "monitor": monitor,
}


async def answer(id, op, **fields):
    try:
        if op not in OPERATIONS:
            raise Unsupported(op)
        result = OPERATIONS[op](**fields)
        if asyncio.iscoroutine(result):
            result = await result
        return {"id": id, "ok": result or {}}
    except Unsupported as error:
        kind, detail = "unsupported", str(error)
    except NotInTime as error:
        kind, detail = "timeout", str(error)
    except (Exception, asyncio.CancelledError) as error:
        kind, detail = "failed", f"{type(error).__name__}: {error}"
    return {"id": id, "error": {"kind": kind, "detail": detail}}


async def main():
    """Answer requests until the end of input."""
    while True:
        line = await loop.run_in_executor(None, sys.stdin.buffer.readline)
        if not line:
            break
        os.write(1, json.dumps(await answer(**json.loads(line.decode()))).encode() + b"\n")
    await asyncio.wait([close(socket) for socket in list(sockets)] or [asyncio.sleep(0)], timeout=1)


if __name__ == "__main__":
    loop = Loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(main())
    sys.stdout.flush()
