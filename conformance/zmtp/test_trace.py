"""Rules that hold for everything a peer sends, judged over a standard conversation with each socket type.

One case for each check of harness/wire/checks.py: the check sees all that the peer sent to good partners in
both roles, to a bad one, and to one of ZMTP 3.0.
"""

from collections.abc import Callable, Sequence

import pytest

from conformance.zmtp.conversation import Conversation
from harness.case import case
from harness.peer import Peer
from harness.pytest_fixtures import Dial, Listen
from harness.wire.checks import ALL_CHECKS
from harness.zmtp.grammar import DRAFT_SOCKET_TYPES, SOCKET_TYPES

RULES = {
    "signature": "Every connection begins with FF, eight octets of padding, and 7F.",
    "version": "The major version is 3 or more, towards a partner of 3 or more.",
    "mechanism-name": "The mechanism is capital letters, digits and marks, filled up with nulls.",
    "as-server": "The as-server octet is 0 or 1.",
    "as-server-under-null": "Under NULL nobody is the server: the as-server octet is 0.",
    "filler": "The greeting ends with 31 zero octets.",
    "handshake": "The first thing behind the greeting is READY or ERROR.",
    "one-ready": "There is one READY on a connection, and nothing behind an ERROR.",
    "no-early-traffic": "No message and no further command goes out before READY has come.",
    "socket-type-sent": "READY states the socket type.",
    "socket-type-known": "The socket type in READY is one that the specification names.",
    "identity-size": "An identity in READY has at most 255 octets.",
    "identity-first-octet": "An identity in READY does not begin with a zero octet.",
    "resource": "A resource in READY is names of legal characters with slashes between them.",
    "property-name-length": "Every property in READY has a name.",
    "property-name-characters": "Property names are letters, digits and the four marks.",
    "property-whole": "Properties fill READY exactly.",
    "property-value-whole": "No value of a property leads beyond READY.",
    "property-value-size": "No value of a property claims more than 2^31-1 octets.",
    "reserved-flags": "The reserved bits of the flags are zero in every frame.",
    "command-without-more": "No command frame has MORE.",
    "command-in-short-form": "A command of up to 255 octets has a size of one octet.",
    "frame-size": "No frame claims more than 2^63-1 octets.",
    "command-between-frames": "No command stands between the frames of a message.",
    "command-name": "Every command has a name that ends within its frame.",
    "command-name-letters": "Command names are letters.",
    "error-whole": "The reason in ERROR fills the command exactly.",
    "error-reason-visible": "The reason in ERROR is visible characters.",
    "ping-ttl-whole": "Every PING has a ttl of two octets.",
    "heartbeat-context-size": "The context of PING and PONG has at most 16 octets.",
    "pongs": "Every PONG answers a PING and brings back its context.",
    "subscribers-subscribe": "SUBSCRIBE and CANCEL come from SUB and XSUB alone.",
    "command-form": "A partner of ZMTP 3.0 gets subscriptions as messages, not as commands.",
    "receivers-send-nothing": "PULL, DISH and GATHER send no message, and SUB none but subscriptions.",
}
DRAFT_RULES = {
    "one-frame": "A message of the thread-safe types is one frame, of RADIO a group and one frame.",
    "dishes-join": "JOIN and LEAVE come from DISH alone.",
    "group": "A group in JOIN and LEAVE has at most 255 octets, none of them zero.",
}
MORE_TYPES = {"receivers-send-nothing": ("DISH", "GATHER")}


def case_of(name: str, rule: str, types: Sequence[str]) -> Callable[..., None]:
    """The case that judges one check with these socket types."""
    check = ALL_CHECKS[name]

    def judge(peer: Peer, dial: Dial, listen: Listen, socket_type: str) -> None:
        Conversation(peer, dial, listen, socket_type).expect_holds(check)

    judge.__doc__ = rule
    judge.__name__ = judge.__qualname__ = function_name(name)
    marked = case(f"zmtp/trace/{name}", clauses=list(check.clauses), needs=["{socket_type}"])(judge)
    # Of the module's scope, so that what is asked of one talk stands together, and few workers hold the same.
    return pytest.mark.parametrize("socket_type", types, scope="module")(marked)


def function_name(name: str) -> str:
    """A check's name as that of a test function."""
    return f"test_{name.replace('-', '_')}"


for _name, _rule in RULES.items():
    globals()[function_name(_name)] = case_of(_name, _rule, (*SOCKET_TYPES, *MORE_TYPES.get(_name, ())))
for _name, _rule in DRAFT_RULES.items():
    globals()[function_name(_name)] = case_of(_name, _rule, DRAFT_SOCKET_TYPES)
