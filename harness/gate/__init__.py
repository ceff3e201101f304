"""Judge the results of a run against what is listed: the gate before a release."""

from harness.gate.findings import Finding, Kind, Remedy
from harness.gate.judge import Gate, Lists, judge_run
from harness.gate.render import as_json, markdown, text
from harness.gate.update import UpdateError, update

__all__ = [
    "Finding",
    "Gate",
    "Kind",
    "Lists",
    "Remedy",
    "UpdateError",
    "as_json",
    "judge_run",
    "markdown",
    "text",
    "update",
]
