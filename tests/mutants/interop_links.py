"""Faults that show between two peers: in subscriptions, heartbeats, reconnecting, and versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.zmtp import Connection, Ping, Subscribe
from peers.reference.dialling import Dialer
from peers.reference.engine import Link
from peers.reference.pipe import Pipe
from peers.reference.pubsub import Xpub, Xsub
from tests.mutants.registry import mutant, patch
from tests.mutants.zmtp_version import change_version_octets, refuse_versions

Original = Callable[..., Any]


@mutant("interop/subscription/selects-by-prefix")
def looks_for_the_topic_anywhere() -> None:
    """Sends every message whose first frame holds the topic, at whatever place."""

    @patch(Xpub, "matches")
    def matches(original: Original, self: Xpub, pipe: Pipe, first_frame: bytes) -> bool:
        return any(prefix in first_frame for prefix in pipe.subscriptions)


@mutant(
    "interop/subscription/ends-with-its-cancel",
    breaks=[
        "15/pubsub/unsub-msg",
        "23/pubsub/two-undo",
        "29/pub/receive-requests",
        "29/xpub/deliver-requests",
        "37/pubsub/*",
    ],
)
def goes_on_after_a_cancel() -> None:
    """Goes on to send what was cancelled."""

    @patch(Xpub, "count_down")
    def count_down(original: Original, self: Xpub, pipe: Pipe, prefix: bytes) -> None:
        """Nothing is counted down."""


@mutant(
    "interop/subscription/is-told-to-xpub",
    breaks=["29/xpub/synthetic-unsub", "37/pubsub/legacy-form-interop"],
)
def hides_cancellations() -> None:
    """Tells its application of subscriptions alone."""

    @patch(Xpub, "notify")
    def notify(original: Original, self: Xpub, command: Any) -> None:
        if isinstance(command, Subscribe):
            original(self, command)


@mutant(
    "interop/heartbeat/keeps-an-idle-link",
    breaks=["28/req/discard-others", "30/pull/receive-only", "37/abnf/traffic", "37/heartbeat/*"],
)
def answers_the_first_ping_alone() -> None:
    """Answers one PING of a connection and none of those that follow."""

    answered: set[Connection] = set()

    @patch(Connection, "_take_command")
    def take(original: Original, self: Connection, command: Any, offset: int) -> Any:
        if isinstance(command, Ping) and self in answered:
            return []
        if isinstance(command, Ping):
            answered.add(self)
        return original(self, command, offset)


@mutant("interop/reconnect/traffic-goes-on", breaks=["37/heartbeat/reconnect-after-hb"])
def never_dials_again() -> None:
    """Does not dial again after a connection that worked."""

    @patch(Dialer, "link_ended")
    def link_ended(original: Original, self: Dialer, link: Link, refused: bool) -> None:
        original(self, link, refused or link.is_ready)


@mutant("interop/reconnect/subscriptions-are-repeated", breaks=["29/sub/keep-unconnected"])
def tells_its_subscriptions_once() -> None:
    """Sends its subscriptions on the first connection to a publisher, and not on the next."""

    @patch(Xsub, "greet")
    def greet(original: Original, self: Xsub, pipe: Any) -> None:
        if not getattr(pipe, "greeted", False):
            pipe.greeted = True
            original(self, pipe)


@mutant("interop/version/lower-of-both", breaks=["23/null/ready-before-receive", "37/*"])
def refuses_partners_of_its_own_version() -> None:
    """Closes on partners of the version that it announces itself, and on higher ones."""
    refuse_versions(lambda version: version >= (3, 1))


@mutant("interop/version/form-of-subscriptions", breaks=["37/abnf/version-minor"])
def subscribes_by_command_in_3_0() -> None:
    """Announces ZMTP 3.0, which has no commands for subscriptions, and sends them all the same."""
    change_version_octets(3, 0)
