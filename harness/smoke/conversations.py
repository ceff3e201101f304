"""The three conversations: the peer binds, the peer connects, the peer refuses. They judge no library.

Source: specs/control-protocol.md; the frames of each socket type as in `types`.
"""

from __future__ import annotations

import itertools
import secrets
import time
from typing import Any

from harness.control.client import OperationError, OperationFailed, OperationTimeout, OperationUnsupported
from harness.control.flood import body, flood_digest
from harness.deadlines import DeadlineExceeded
from harness.peer import RemoteSocket
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.wire.render import describe
from harness.zmtp import Message, Subscribe
from harness.zmtp.grammar import VERSION_OFFSET

from .talk import Talk
from .types import WAYS, Way

FRAMES = (b"zconform", b"", b"smoke")
COUNT, SIZE_OCTETS, SEED = 3, 300, 250
WAIT_S = 0.1
EARLY_S = 0.01  # a clock in whole milliseconds, and another one


def binds(talk: Talk, type_: str) -> None:
    """The peer binds and a raw end dials. Raises Over."""
    with talk.step(f"open {type_}"):
        sock = talk.peer().open(type_)
    with talk.step("bind"):
        endpoint = sock.bind()
    with talk.step(f"a raw {WAYS[type_].partner} dials, handshake of ZMTP 3") as notes:
        raw = talk.dial(endpoint).handshake(WAYS[type_].partner, WAYS[type_].identity)
        notes.append(_announced(raw))
    _exchange(talk, WAYS[type_], sock, raw)


def connects(talk: Talk, type_: str) -> None:
    """A raw end listens and the peer connects. Raises Over."""
    with talk.step(f"open {type_}"):
        sock = talk.peer().open(type_)
    with talk.step("connect"):
        listener = talk.listen()
        sock.connect(listener.endpoint)
    with talk.step(f"a raw {WAYS[type_].partner} is dialled, handshake of ZMTP 3") as notes:
        raw = talk.accept(listener).handshake(WAYS[type_].partner, WAYS[type_].identity)
        notes.append(_announced(raw))
    _exchange(talk, WAYS[type_], sock, raw)


def _announced(raw: RawPeer) -> str:
    """The version in the peer's greeting: what it has to claim (RFC 37, Version Negotiation)."""
    major, minor = raw.received[VERSION_OFFSET : VERSION_OFFSET + 2]
    return f"the peer announces {major}.{minor}"


def _exchange(talk: Talk, way: Way, sock: RemoteSocket, raw: RawPeer) -> None:
    if way.subscriber == "peer":
        with talk.step("subscribe"):
            sock.subscribe(FRAMES[0][:1])
            raw.expect_subscription(FRAMES[0][:1])
            sock.subscribe()
            raw.expect_subscription(b"")
    if way.subscriber == "raw":
        with talk.step("send after a subscription: three frames, the second empty"):
            raw.request(Subscribe())
            _publish(sock, raw)
    else:
        for step in way.steps:
            _carry(talk, step, way, sock, raw)
    if way.floods:
        _carry_many(talk, way, sock, raw)
    with talk.step("close"):
        sock.close()


def _carry(talk: Talk, step: str, way: Way, sock: RemoteSocket, raw: RawPeer) -> None:
    """One message of three frames one way."""
    with talk.step(f"{step}: three frames, the second empty"):
        if step == "send":
            sock.send([*way.api, *FRAMES])
            raw.expect_message(*way.wire, *FRAMES)
        else:
            raw.send(Message(*way.wire, *FRAMES))
            sock.expect(*way.api, *FRAMES)


def _publish(sock: RemoteSocket, raw: RawPeer) -> None:
    """Publish until the subscription has arrived and one message comes; then take the rest of them."""
    first, sent = _first_published(sock, raw)
    if first != Message(*FRAMES):
        raise Mismatch(describe(Message(*FRAMES)), describe(first) if first else "the connection closed")
    sock.send([b"last"])
    for _ in range(sent):
        if raw.expect(Message) == Message(b"last"):
            return
    raise Mismatch('message ["last"]', "other messages than were sent")


def _first_published(sock: RemoteSocket, raw: RawPeer) -> tuple[object | None, int]:
    """What came first (None: the connection closed), and how many messages were sent until then."""
    deadline = raw.deadlines.deadline("delivery")
    for sent in itertools.count(1):
        sock.send(FRAMES)
        try:
            received = raw.next("probe", "message")
        except DeadlineExceeded:
            if deadline.expired:
                break
            continue
        return (received.value if received else None), sent
    raise Mismatch(describe(Message(*FRAMES)), f"nothing within {deadline.seconds:g} s")


def _carry_many(talk: Talk, way: Way, sock: RemoteSocket, raw: RawPeer) -> None:
    """`flood` and `drain`, of three messages."""
    bodies = [body(SEED, index, SIZE_OCTETS) for index in range(COUNT)]
    if "send" in way.steps:
        with talk.step("flood: three messages"):
            accepted = sock.flood(COUNT, SIZE_OCTETS, SEED, raw.deadlines.delivery_s, way.api)
            if accepted != COUNT:
                raise Mismatch(f"accepted {COUNT}", f"accepted {accepted}")
            for octets in bodies:
                raw.expect_message(*way.wire, octets)
    if "recv" in way.steps:
        with talk.step("drain: three messages"):
            raw.send(*(Message(*way.wire, octets) for octets in bodies))
            drained = sock.drain(COUNT)
            _same(
                drained,
                received=COUNT,
                digest=flood_digest(SEED, COUNT, SIZE_OCTETS),
                first=0,
                last=COUNT - 1,
            )


def _same(answer: dict[str, Any], **expected: Any) -> None:
    for name, value in expected.items():
        if answer[name] != value:
            raise Mismatch(f"{name} {value}", f"{name} {answer[name]}")


def refuses(talk: Talk, type_: str, binds: bool) -> None:
    """What cannot be done is said in the right word, and no earlier than it may be. Raises Over."""
    option = f"no-such-option-{secrets.token_hex(4)}"
    with talk.step("hello"):
        client = talk.client()
    with talk.step("open of a socket type that there is not is unsupported"):
        _refused(talk, "open", OperationUnsupported, type="NOSUCHTYPE", options={})
    with talk.step("open with an option that there is not is unsupported"):
        _refused(talk, "open", OperationUnsupported, type=type_, options={option: 1})
    with talk.step(f"open {type_}" + (", bind" if binds else "")):
        sock = client.call("open", type=type_, options={})["socket"]
        if binds:
            client.call("bind", socket=sock, endpoint=client.hosts.wildcard)
    with talk.step("set and get of an option that there is not are unsupported"):
        _refused(talk, "set", OperationUnsupported, socket=sock, option=option, value=1)
        _refused(talk, "get", OperationUnsupported, socket=sock, option=option)
    _times_out(talk, type_, sock)
    with talk.step("after close, the socket is not open any more: failed"):
        client.call("close", socket=sock)
        _refused(talk, "recv", OperationFailed, timeout_s=0.0, socket=sock)
    with talk.step("end of input with a socket open: exit status 0"):
        client.call("open", type=type_, options={})
        client.close()


def _times_out(talk: Talk, type_: str, sock: int | str) -> None:
    with talk.step(f"poll of {WAIT_S * 1000:g} ms where nothing is: no socket"):
        readable = talk.client().call("poll", timeout_s=WAIT_S, sockets=[sock])["readable"]
        if readable:
            raise Mismatch("readable []", f"readable {readable}")
    if not WAYS[type_].receives:
        with talk.step("recv in a state or type that cannot: failed, or timeout"):
            _refused(talk, "recv", (OperationFailed, OperationTimeout), timeout_s=WAIT_S, socket=sock)
        return
    with talk.step(f"recv of {WAIT_S * 1000:g} ms where nothing comes: timeout, and not before"):
        began_s = time.monotonic()
        _refused(talk, "recv", OperationTimeout, timeout_s=WAIT_S, socket=sock)
        took_s = time.monotonic() - began_s
        if took_s < WAIT_S - EARLY_S:
            raise Mismatch(f"timeout after {WAIT_S * 1000:g} ms", f"timeout after {took_s * 1000:.1f} ms")


def _refused(
    talk: Talk,
    op: str,
    kinds: type[OperationError] | tuple[type[OperationError], ...],
    timeout_s: float | None = None,
    **fields: Any,
) -> None:
    """The operation comes back as an error of one of these kinds. Raises Mismatch, or PeerGone."""
    expected = " or ".join(kind.word for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))
    try:
        talk.client().call(op, timeout_s=timeout_s, **fields)
    except kinds:
        return
    except OperationError as error:
        raise Mismatch(f"error of the kind {expected}", f"{error.word}: {error.detail}") from None
    raise Mismatch(f"error of the kind {expected}", "ok")
