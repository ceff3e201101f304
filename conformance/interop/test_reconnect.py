"""A link between two implementations that breaks is made again, and nothing arrives twice."""

import pytest

from conformance.interop.audience import Audience
from conformance.interop.line import NEEDS, NEEDS_2_0, PUBLISHERS, SUBSCRIBERS, of_types, open_line
from harness.case import case
from harness.pairing import Pairing
from harness.wire.trace import How

PUBLISHING = [(publisher, subscriber) for publisher in PUBLISHERS for subscriber in SUBSCRIBERS]
# Not REQ, whose lost request cannot be said again, nor PAIR, which may hold the next peer without service.
PROBED = [("DEALER", "ROUTER"), ("DEALER", "DEALER"), ("PUSH", "PULL")]
BEFORE = 5
how_cut = pytest.mark.parametrize("how", ["fin", "rst"])


@case(
    "interop/reconnect/traffic-goes-on",
    clauses=["37/errors/close-reconnect", "37/sockets/no-duplicates", "37/sockets/ordered"],
    needs=NEEDS,
)
@how_cut
@of_types([*PROBED, *PUBLISHING])
def test_traffic_goes_on(pair: Pairing, first_type: str, second_type: str, how: How) -> None:
    """When the link is cut the end that dialled dials again; messages get through, and none comes twice."""
    line = open_line(pair, first_type, second_type)
    for number in range(BEFORE):
        line.exchange(b"before %d" % number)
    line.joint.cut(how)
    line.joint.await_reconnect("37/errors/close-reconnect")
    line.probe()
    for number in range(BEFORE):
        line.say(b"after %d" % number)
    line.expect_wire()


@case(
    "interop/reconnect/subscriptions-are-repeated",
    clauses=["29/xsub/resend-on-connect", "37/errors/close-reconnect", "37/pubsub/filter-at-pub"],
    needs=NEEDS_2_0,
)
@how_cut
@of_types(PUBLISHING)
def test_subscriptions_are_repeated(pair: Pairing, first_type: str, second_type: str, how: How) -> None:
    """On the link made anew the subscriptions that stand are in force, and none that was cancelled."""
    audience = Audience.open(pair, first_type, second_type)
    audience.subscriber.subscribe(b"kept")
    audience.subscriber.subscribe(b"cancelled")
    audience.settle()
    audience.subscriber.cancel(b"cancelled")
    audience.settle()
    audience.joint.cut(how)
    audience.joint.await_reconnect("37/errors/close-reconnect")
    audience.settle()
    audience.publisher.send([b"cancelled since"])
    audience.publisher.send([b"kept since"])
    audience.expect([b"kept since"])
