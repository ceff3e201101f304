"""Frames of ZeroMQ as messages of WebSocket (RFC 45, Framing)."""

import pytest

from conformance.draft.websocket import NEEDS, SESSIONS, expect_healthy, expect_not_delivered
from conformance.pipeline.ends import MESSAGES
from harness.case import case
from harness.peer import Peer
from harness.pytest_fixtures import AttachWs
from harness.zmtp import Message
from harness.zmtp.websocket import BINARY, CONTINUATION, PING, TEXT, WebSocketFrame

SESSION = pytest.mark.parametrize("wanted", SESSIONS.values(), ids=SESSIONS)
MESSAGE = pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
# The sizes of WebSocket's own header lie around these; the flags octet counts as one.
SIZES = [0, 1, 124, 125, 126, 65_534, 65_535, 65_536]
BODIES = [
    "45/framing/one-to-one", "45/framing/flags", "45/impl/binary-opcode",
    "45/mech/abnf-message", "45/mech/abnf-message-more", "45/mech/abnf-message-last",
    "45/mech/abnf-message-body",
    "45/nomech/abnf-message", "45/nomech/abnf-message-more", "45/nomech/abnf-message-last",
    "45/nomech/abnf-message-body",
]  # fmt: skip
UNKNOWN_FLAGS = {"bit-2": b"\x04", "bit-3": b"\x08", "bit-7": b"\x80", "six-bits": b"\xfc"}


@case("zws/framing/sends-frames-as-messages", clauses=BODIES, needs=["PAIR", *NEEDS])
@SESSION
@MESSAGE
def test_sends_frames_as_messages(
    peer: Peer, attach_ws: AttachWs, wanted: tuple[str, ...], message: list[bytes]
) -> None:
    """Each frame goes out as one binary message: the flags octet that it needs, and then its body."""
    pair = peer.open("PAIR")
    raw = attach_ws(pair).upgrade(*wanted).handshake("PAIR")
    pair.send(message)
    pair.send([b"fence"])
    raw.expect_faultless(Message(*message), clause="45/framing/one-to-one")
    raw.expect_faultless(Message(b"fence"), clause="45/framing/one-to-one")


@case("zws/framing/delivers-messages", clauses=BODIES, needs=["PAIR", *NEEDS])
@SESSION
@MESSAGE
def test_delivers_messages(
    peer: Peer, attach_ws: AttachWs, wanted: tuple[str, ...], message: list[bytes]
) -> None:
    """Binary messages with the flags 01 and a last one with 00 reach the application as one message."""
    pair = peer.open("PAIR")
    raw = attach_ws(pair).upgrade(*wanted).handshake("PAIR")
    raw.send(Message(*message), Message(b"fence"))
    pair.expect(*message, clause="45/framing/flags")
    pair.expect(b"fence", clause="45/framing/flags")


@case(
    "zws/framing/any-size",
    clauses=["45/mech/abnf-message-body", "45/framing/one-to-one"],
    needs=["PAIR", *NEEDS],
)
@pytest.mark.parametrize("size", SIZES)
def test_any_size(peer: Peer, attach_ws: AttachWs, size: int) -> None:
    """Frames around the sizes where WebSocket's header changes travel both ways, whole and as they are."""
    pair = peer.open("PAIR")
    raw = attach_ws(pair).handshake("PAIR")
    raw.send(Message(b"x" * size))
    pair.expect(b"x" * size, clause="45/mech/abnf-message-body")
    pair.send([b"y" * size])
    raw.expect_faultless(Message(b"y" * size), clause="45/mech/abnf-message-body")


@case("zws/framing/client-masks", clauses=["45/handshake/rfc6455"], needs=["PAIR", *NEEDS])
def test_client_masks(peer: Peer, attach_ws: AttachWs) -> None:
    """Who connects sends its frames under a mask, who binds without one, and no reserved bit is set."""
    pair = peer.open("PAIR")
    raw = attach_ws(pair).handshake("PAIR")
    pair.send([b"body"])
    raw.expect_faultless(Message(b"body"), clause="45/handshake/rfc6455")


@case("zws/framing/reads-octet-by-octet", clauses=["45/framing/one-to-one"], needs=["PAIR", *NEEDS])
def test_reads_octet_by_octet(peer: Peer, attach_ws: AttachWs) -> None:
    """Where the network cuts WebSocket's octets does not matter."""
    pair = peer.open("PAIR")
    raw = attach_ws(pair).handshake("PAIR")
    raw.send(Message(b"first", b"", b"x" * 130), Message(b"second"), pieces=1)
    pair.expect(b"first", b"", b"x" * 130, clause="45/framing/one-to-one")
    pair.expect(b"second", clause="45/framing/one-to-one")


@case("zws/framing/message-in-fragments", clauses=["45/framing/one-to-one"], needs=["PULL", *NEEDS])
def test_message_in_fragments(peer: Peer, attach_ws: AttachWs) -> None:
    """What WebSocket fragments is delivered whole, or gets the link closed; a fragment is no frame."""
    pull = peer.open("PULL")
    raw = attach_ws(pull).handshake("PUSH")
    begin = WebSocketFrame(BINARY, b"\0one ", fin=False)
    between = WebSocketFrame(PING, b"between")
    end = WebSocketFrame(CONTINUATION, b"body")
    clause = "45/framing/one-to-one"
    expect_not_delivered(pull, raw, begin, between, end, clause=clause, allowed=([b"one body"],))
    expect_healthy(pull, attach_ws)


@case("zws/framing/text-is-not-delivered", clauses=["45/impl/binary-opcode"], needs=["PULL", *NEEDS])
def test_text_is_not_delivered(peer: Peer, attach_ws: AttachWs) -> None:
    """A message with the opcode of text is passed over, or gets the link closed."""
    pull = peer.open("PULL")
    raw = attach_ws(pull).handshake("PUSH")
    expect_not_delivered(pull, raw, WebSocketFrame(TEXT, b"\0odd"), clause="45/impl/binary-opcode")
    expect_healthy(pull, attach_ws)


@case("zws/framing/empty-message-is-no-frame", clauses=["45/framing/one-to-one"], needs=["PULL", *NEEDS])
def test_empty_message_is_no_frame(peer: Peer, attach_ws: AttachWs) -> None:
    """A message of WebSocket without flags octet is passed over, or gets the link closed."""
    pull = peer.open("PULL")
    raw = attach_ws(pull).handshake("PUSH")
    expect_not_delivered(pull, raw, WebSocketFrame(BINARY), clause="45/framing/one-to-one")
    expect_healthy(pull, attach_ws)


@case("zws/framing/unknown-flags", clauses=["45/framing/flags"], needs=["PULL", *NEEDS])
@pytest.mark.parametrize("flags", UNKNOWN_FLAGS.values(), ids=UNKNOWN_FLAGS)
def test_unknown_flags(peer: Peer, attach_ws: AttachWs, flags: bytes) -> None:
    """Of a frame with other flags the bits are passed over, or all of it is, or the link is closed."""
    pull = peer.open("PULL")
    raw = attach_ws(pull).handshake("PUSH")
    odd = WebSocketFrame(BINARY, flags + b"odd")
    expect_not_delivered(pull, raw, odd, clause="45/framing/flags", allowed=([b"odd"],))
    expect_healthy(pull, attach_ws)
