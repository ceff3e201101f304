"""What the controller and the workers of pytest-xdist tell each other: the seed, the run, the verdicts."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from harness.launch.launcher import LaunchError
from harness.pytest_bench import BENCH
from harness.pytest_selection import case_of


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Workers of pytest-xdist use the controller's seed, and its run where there are containers."""
    node.workerinput["zconform_seed"] = node.config.option.seed
    if BENCH in node.config.stash:
        try:
            node.workerinput["zconform_run"] = node.config.stash[BENCH].prepare_workers()
        except LaunchError as error:
            raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """A worker tells the controller what became of a case, not also that nothing became of its setup.

    Half of the messages between them, and a tenth of what a run costs.
    """
    if case_of(item) is None or not hasattr(item.config, "workerinput"):
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
    """A verdict goes from worker to controller as text, at a fraction of what an object costs both."""
    data = yield
    if data is not None and "zconform" in data:
        data["zconform"] = json.dumps(data["zconform"])
    return data


@pytest.hookimpl(tryfirst=True)
def pytest_report_from_serializable(data: dict[str, Any]) -> None:
    """What `pytest_report_to_serializable` made, as it was."""
    if "zconform" in data:
        data["zconform"] = json.loads(data["zconform"])
