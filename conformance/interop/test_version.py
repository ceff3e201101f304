"""Two implementations of different generations: the lower of the two versions is what both go on with."""

from conformance.interop.audience import Audience
from conformance.interop.line import NEEDS, NEEDS_2_0, PUBLISHERS, SUBSCRIBERS, of_types, open_line
from conformance.interop.versions import announced, expect_framing, lower, requests_in
from harness.case import Judge, case
from harness.pairing import Pairing

PUBLISHING = [(publisher, subscriber) for publisher in PUBLISHERS for subscriber in SUBSCRIBERS]
PLAIN = [("DEALER", "ROUTER"), ("REQ", "REP"), ("PUSH", "PULL"), ("PAIR", "PAIR")]


@case(
    "interop/version/lower-of-both",
    clauses=[
        "37/version/own-protocol",
        "37/version/accept-higher",
        "37/interop/d20-old",
        "37/interop/d10-continue",
    ],
    needs=NEEDS,
)
@of_types(PLAIN)
def test_lower_of_both(pair: Pairing, first_type: str, second_type: str) -> None:
    """Both go on with the framing of the lower version that was announced, and are understood."""
    line = open_line(pair, first_type, second_type)
    line.exchange(b"short")
    line.exchange(b"x" * 256)
    expect_framing(line.joint)
    line.expect_wire()


@case("interop/version/form-of-subscriptions", clauses=["37/pubsub/legacy-form-interop"], needs=NEEDS_2_0)
@of_types(PUBLISHING)
def test_form_of_subscriptions(pair: Pairing, judge: Judge, first_type: str, second_type: str) -> None:
    """Subscriptions are understood; where one of the two announced less than 3.1 they are no commands."""
    audience = Audience.open(pair, first_type, second_type)
    audience.subscriber.subscribe(b"A")
    audience.settle()
    audience.subscriber.cancel(b"A")
    audience.settle()
    version = lower(announced(audience.joint))
    commands, messages = requests_in(audience.joint, audience.subscriber)
    judge.note(f"{len(commands)} commands and {len(messages)} messages with ZMTP {version[0]}.{version[1]}")
    judge.that(version >= (3, 1) or not commands, "messages alone", f"{len(commands)} commands")
