"""The harness in a container of its own, as on machines whose containers cannot be reached from the host."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.image import DockerImage

from tests.engine import labelled
from tests.launch.test_container import NO_ENGINE, ROOT

pytestmark = pytest.mark.skipif(NO_ENGINE is not None, reason=str(NO_ENGINE))

SOCKET = "/var/run/docker.sock"
OPTIONS = "--runtime container --peer reference --case zmtp/null/* -q --report /tmp/report"


@pytest.fixture(scope="module")
def image() -> Iterator[DockerImage]:
    # What this test starts it removes itself; the reaper's image cannot be had on every machine.
    testcontainers_config.ryuk_disabled = True
    with DockerImage(ROOT, tag="zconform/harness:test", clean_up=False) as built:
        yield built


def left_of(harness: str) -> list[str]:
    """The ids of the containers and networks whose owner was in this container."""
    return [thing.id for thing in labelled("zconform.owner") if harness[:12] in thing.value]


def test_it_judges_peers_beside_itself(image: DockerImage) -> None:
    harness = DockerContainer(str(image), command=OPTIONS).with_volume_mapping(SOCKET, SOCKET, "rw")
    with harness:
        container = harness.get_wrapped_container()
        ended = container.wait(timeout=180)
        printed = harness.get_logs()[0].decode()
    assert ended["StatusCode"] == 0, printed
    assert "PASS" in printed
    assert left_of(container.id) == []
