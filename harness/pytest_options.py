"""The options and the hook that the plugin adds to pytest."""

from __future__ import annotations

from typing import Any

import pytest

from harness.case import Case
from harness.options import OPTIONS, Option
from harness.pairs import Pair


def pytest_addoption(parser: pytest.Parser) -> None:
    """The suite's own options."""
    group = parser.getgroup("zconform", "ZeroMQ conformance")
    for option in OPTIONS:
        group.addoption(option.name, **_as_pytest_has_it(option))


def _as_pytest_has_it(option: Option) -> dict[str, Any]:
    if option.metavar is None:
        return {"action": "store_true", "help": option.help}
    shown = {"choices": option.choices} if option.choices else {"metavar": option.metavar}
    made = {"help": option.help, "type": option.type, **shown}
    if option.kind == "many":
        return made | {"action": "append", "default": []}
    return made | {"default": option.default}


class Hooks:
    """What other plugins may say."""

    @pytest.hookspec(firstresult=True)
    def pytest_zconform_peers(self, config: pytest.Config, case: Case, peers: list[str]) -> list[str] | None:
        """Which of the chosen peers a case is asked of; by default all."""

    @pytest.hookspec(firstresult=True)
    def pytest_zconform_pairs(
        self, config: pytest.Config, case: Case, pairs: list[Pair]
    ) -> list[Pair] | None:
        """Which of the chosen pairs a case is asked of; by default all."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Let other plugins choose."""
    pluginmanager.add_hookspecs(Hooks)


def is_strict(config: pytest.Config) -> bool:
    """Whether `--strict` was given: pytest's own option, which for cases also makes NON_STRICT fail."""
    return "strict=true" in (config.option.override_ini or [])


def spare_tracebacks(item: pytest.Item) -> None:
    """What did not hold has a report of its own: a traceback, dear to make, is for our own faults only."""
    original = item.repr_failure

    def repr_failure(excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if isinstance(excinfo.value, AssertionError) else original(excinfo)

    item.repr_failure = repr_failure  # type: ignore[method-assign]  # pytest has no hook for it
