"""Who plays what: a scenario about some versions of ZMTP is given to those who will speak one of them."""

from __future__ import annotations

import pytest

from harness.bench import PEERS
from harness.manifest import load_manifests
from harness.stage.casting import understand
from harness.stage.scenario import PlannedLeg, Scenario

LEG = PlannedLeg("news", "subscriber", "SUB", "publisher", "PUB")


@pytest.mark.parametrize(
    ("at_least", "at_most", "subscriber", "fits"),
    [
        ("1.0", "3.1", "libzmq-2.2.0", True),
        ("1.0", "1.0", "libzmq-2.2.0", True),
        ("2.0", "3.1", "libzmq-2.2.0", False),
        ("1.0", "1.0", "reference", False),
        ("2.0", "3.1", "reference", True),
    ],
)
def test_the_version_that_both_come_to_speak_is_what_counts(
    at_least: str, at_most: str, subscriber: str, fits: bool
) -> None:
    manifests = load_manifests([PEERS / "reference", PEERS / "libzmq-2.2.0"])
    asked = Scenario("guide/x/y", (), (), "", False, (LEG,), {}, at_least, at_most)
    assert understand(asked, {"subscriber": subscriber, "publisher": "reference"}, manifests) is fits
