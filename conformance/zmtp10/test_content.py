"""What ZMTP 1.0 carries: broadcast, addressed and neutral content (RFC 13, The Content Layer)."""

import pytest

from conformance.zmtp.partners import publish_until_heard
from conformance.zmtp10.ends import meet
from harness.case import Judge, case
from harness.exchange import expect_serves
from harness.peer import Peer
from harness.pytest_fixtures import Attach
from harness.zmtp import Message, malformed

NEUTRAL = ("PAIR", "PUSH", "PULL")
ENVELOPES = {"empty": [], "one": [b"a"], "two": [b"alice", b"bob"], "octets": [b"\xff" * 255, b"\x01"]}
NEWS = (b"news", b"", b"of", b"today" * 60)
MORE = 0x01


@case(
    "zmtp10/content/broadcast-is-plain",
    clauses=["13/content/abnf-broadcast", "13/content/pub-sends", "13/content/abnf-content"],
    needs=["PUB", "zmtp:1.0"],
)
def test_broadcast_is_plain(peer: Peer, attach: Attach, judge: Judge) -> None:
    """What a publisher sends is the message of its application, frame by frame, and no envelope."""
    pub = peer.open("PUB")
    raw = meet(attach(pub))
    came = publish_until_heard(pub, raw, *NEWS)
    judge.equal(came and came.value, Message(*NEWS))


@case(
    "zmtp10/content/request-has-a-delimiter",
    clauses=["13/content/req-delimiter", "13/content/abnf-delimiter", "13/content/abnf-addressed"],
    needs=["REQ", "zmtp:1.0"],
)
def test_request_has_a_delimiter(peer: Peer, attach: Attach, judge: Judge) -> None:
    """A request begins with an empty frame that has MORE, and the reply is taken behind such a one."""
    req = peer.open("REQ")
    raw = meet(attach(req))
    greeted = len(raw.received)
    req.send([b"request", b"of two"])
    raw.expect(Message(b"", b"request", b"of two"))
    delimiter = malformed.frame_of_1_0(MORE, b"")
    sent = bytes(raw.received[greeted : greeted + len(delimiter)])
    judge.equal(sent, delimiter, clause="13/content/abnf-delimiter")
    raw.send(Message(b"", b"reply"))
    req.expect(b"reply")


@case(
    "zmtp10/content/reply-has-the-envelope",
    clauses=["13/content/rep-rewrap", "13/content/abnf-envelope", "13/content/envelope-use"],
    needs=["REP", "zmtp:1.0"],
)
@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES)
def test_reply_has_the_envelope(peer: Peer, attach: Attach, envelope: list[bytes]) -> None:
    """A replier gets the request without its envelope, and the reply goes out behind the same one."""
    rep = peer.open("REP")
    raw = meet(attach(rep))
    raw.send(Message(*envelope, b"", b"request"))
    rep.expect(b"request")
    rep.send([b"reply", b"of two"])
    raw.expect(Message(*envelope, b"", b"reply", b"of two"))


@case(
    "zmtp10/content/forwarder-adds-the-identity",
    clauses=["13/content/fwd-prepend", "13/content/abnf-envelope"],
    needs=["ROUTER", "zmtp:1.0"],
)
@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES)
def test_forwarder_adds_the_identity(peer: Peer, attach: Attach, envelope: list[bytes]) -> None:
    """What a ROUTER hands on has its sender's identity in front of the envelope that was there."""
    router = peer.open("ROUTER")
    raw = meet(attach(router), b"carol")
    raw.send(Message(*envelope, b"", b"request"))
    router.expect(b"carol", *envelope, b"", b"request")


@case(
    "zmtp10/content/neutral-is-plain",
    clauses=["13/content/abnf-neutral", "13/content/abnf-content"],
    needs=["{socket_type}", "zmtp:1.0"],
)
@pytest.mark.parametrize("socket_type", NEUTRAL)
def test_neutral_is_plain(peer: Peer, attach: Attach, socket_type: str) -> None:
    """Between PAIRs, and from PUSH to PULL, messages travel as they are."""
    sock = peer.open(socket_type)
    expect_serves(sock, meet(attach(sock)), more=(b"", b"second"))
