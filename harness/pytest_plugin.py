"""The pytest plugin: options, selection, verdicts as pytest outcomes, reports.

It acts only on functions that `harness.case.case` has marked; other tests are left alone.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Generator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from harness.known import Asked
from harness.pytest_bench import BENCH, INTEROP_CASES, SUITE, bench_of, is_whole
from harness.pytest_blame import look_for_roots
from harness.pytest_casts import cast_of, parametrize_casts
from harness.pytest_fixtures import (
    ASKING,
    Asking,
    asking,
    attach,
    attach_ws,
    dial,
    dial_ws,
    give,
    judge,
    listen,
    listen_ws,
    pair,
    peer,
    pytest_pyfunc_call,
    pytest_runtest_teardown,
    repetition,
    seed,
    stage,
)
from harness.pytest_options import is_strict, pytest_addhooks, pytest_addoption, spare_tracebacks
from harness.pytest_pairs import (
    leave_out,
    names_of,
    pair_summary,
    parametrize_pairs,
    pytest_runtest_call,
    together,
    unclaimed,
)
from harness.pytest_repro import Shown, go_along, prepare_scripts
from harness.pytest_results import judgement_of, param_id, result_of
from harness.pytest_selection import (
    case_of,
    check_cases,
    is_of_cast,
    is_of_pair,
    is_selected,
    params_of,
    pytest_collection_finish,
    repeat,
)
from harness.pytest_workers import (
    pytest_configure_node,
    pytest_report_from_serializable,
    pytest_report_to_serializable,
    pytest_runtest_protocol,
)
from harness.report.model import Judgement, Result, apply_known
from harness.report.rates import rates_text
from harness.report.run import Run
from harness.report.text import COLUMNS, failure_text, summary
from harness.verdict import Verdict

__all__ = [
    "asking",
    "attach",
    "attach_ws",
    "dial",
    "dial_ws",
    "judge",
    "listen",
    "listen_ws",
    "pair",
    "peer",
    "pytest_addhooks",
    "pytest_addoption",
    "pytest_collection_finish",
    "pytest_configure_node",
    "pytest_pyfunc_call",
    "pytest_report_from_serializable",
    "pytest_report_to_serializable",
    "pytest_runtest_call",
    "pytest_runtest_protocol",
    "pytest_runtest_teardown",
    "repetition",
    "seed",
    "stage",
]

ROLES = ("peer-binds", "peer-connects")
_STATUS = {
    Verdict.PASS: ("passed", ".", "PASS"),
    Verdict.FAIL: ("failed", "F", "FAIL"),
    Verdict.NON_STRICT: ("passed", "n", "NON_STRICT"),
    Verdict.INFO: ("passed", "i", "INFO"),
    Verdict.UNSUPPORTED: ("skipped", "u", "UNSUPPORTED"),
    Verdict.KNOWN: ("xfailed", "k", "KNOWN"),
    Verdict.ERROR: ("error", "E", "ERROR"),
}


def pytest_configure(config: pytest.Config) -> None:
    """Check the options; a mistake in them, in a manifest or in the ledger ends the run with one line."""
    config.addinivalue_line("markers", "waits: mostly waits for timers, so it is asked first (zconform)")
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        config.option.seed = worker["zconform_seed"]
        return
    if config.option.seed is None:
        config.option.seed = random.SystemRandom().randrange(2**32)
    config.pluginmanager.register(Recorder(config), "zconform-recorder")
    prepare_scripts(config)
    option = config.option
    named = option.peer or option.pair or option.peers_dir or option.expect or option.shard is not None
    if named or option.time_scale != 1.0 or option.runtime == "container":
        bench_of(config)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each peer, and for each role where a case attaches in both; or for each pair."""
    made, config = case_of(metafunc.function), metafunc.config
    if made is None:
        return
    if is_of_pair(metafunc):
        parametrize_pairs(metafunc)
    elif is_of_cast(metafunc):
        parametrize_casts(metafunc)
    elif "peer_name" in metafunc.fixturenames and (peers := bench_of(config).singles):
        asked = config.hook.pytest_zconform_peers(config=config, case=made, peers=peers)
        metafunc.parametrize("peer_name", peers if asked is None else asked)
        repeat(metafunc)
    if "role" in metafunc.fixturenames:
        metafunc.parametrize("role", ROLES)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Check the cases, keep the selected ones, and list them if that is all that was asked."""
    cases = [made for item in items if (made := case_of(item)) is not None]
    if not cases and not (config.option.case or config.option.clause):
        return
    check_cases(items, bench_of(config))
    leave_out(config, items)
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        (kept if is_selected(case_of(item), config) else dropped).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
    items[:] = together(kept)
    if config.option.list:
        for made in {case_of(item): None for item in items}:
            if made is not None:
                print(f"{made.id}  [{', '.join(made.clauses)}]\n    {made.rule}")
        items.clear()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Prepare the asking, or skip as UNSUPPORTED what the peers' manifests do not claim."""
    made, names = case_of(item), names_of(item)
    if made is None or not names:
        return
    bench = bench_of(item.config)
    spare_tracebacks(item)
    params, cast = params_of(item), cast_of(item)
    param = param_id(item, names)
    listed = bench.listed(Asked(made.id, param, names, cast))
    asked = Asking(made, bench, names, bench.patience(listed), params, param=param, listed=listed, cast=cast)
    item.stash[ASKING] = asked
    lacking = unclaimed(asked)
    if lacking is not None:
        pytest.skip(lacking)
    give(item, asked)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn what a case saw into its verdict, and the verdict into pytest's words."""
    report = yield
    made = case_of(item)
    if made is None or ASKING not in item.stash:
        return report
    if call.when == "teardown":
        asked = item.stash[ASKING]
        del item.stash[ASKING]  # a trace is kept no longer than its case
        asked.bench.renew_after_race(asked.listed)
        return report
    if call.when == "setup" and report.passed:
        return report
    _judge(item, call, report, item.stash[ASKING])
    return report


def _judge(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, asked: Asking) -> None:
    error = call.excinfo.value if call.excinfo is not None else None
    if error is not None and not isinstance(error, Exception | pytest.skip.Exception):
        return
    judgement = apply_known(judgement_of(asked, error), asked.listed)
    if judgement.blamed and judgement.verdict is not Verdict.KNOWN:
        judgement = apply_known(judgement_of(asked, look_for_roots(asked, error)), asked.listed)
    result = result_of(item, call, asked, judgement)
    shown = go_along(item.config, asked, judgement, result)
    _say(report, result, asked, judgement, shown, is_strict(item.config))
    peers = [asked.bench.about(one) for one in asked.names]
    report.zconform = {"result": result.as_json(), "peers": peers}  # type: ignore[attr-defined]  # pytest carries it from worker to controller


def _say(
    report: pytest.TestReport,
    result: Result,
    asked: Asking,
    judgement: Judgement,
    shown: Shown,
    strict: bool,
) -> None:
    """Give the report pytest's outcome for the verdict, and our own text instead of a traceback."""
    verdict = judgement.verdict
    if verdict is Verdict.UNSUPPORTED:
        return
    failing = verdict in (Verdict.FAIL, Verdict.ERROR) or (strict and verdict is Verdict.NON_STRICT)
    told = verdict is Verdict.ERROR and shown.trace is not None
    traceback = str(report.longrepr) if told and report.longrepr else ""
    report.outcome = "failed" if failing else "passed"
    report.longrepr = None
    if verdict is Verdict.KNOWN:
        report.outcome = "skipped"
        report.wasxfail = judgement.reason
    elif verdict is not Verdict.PASS:
        title = asked.bench.title(*asked.names)
        text = failure_text(result, asked.bench.ledger, shown.trace, judgement.place, title, shown.script)
        if failing:
            report.longrepr = f"{text}\n{traceback}".rstrip()
        else:
            report.sections.append((verdict.value, text))


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """A letter and a word for each verdict."""
    made = getattr(report, "zconform", None)
    if made is None:
        return None
    verdict = Verdict(made["result"]["verdict"])
    if verdict is Verdict.NON_STRICT and report.failed:
        return ("failed", "N", "NON_STRICT")
    return _STATUS[verdict]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave no peer behind."""
    if BENCH in session.config.stash:
        session.config.stash[BENCH].stop()


def pytest_unconfigure(config: pytest.Config) -> None:
    """After the workers have ended, too: leave nothing of the run's containers behind."""
    if BENCH in config.stash:
        config.stash[BENCH].close()


class Recorder:
    """Collects the verdicts of all workers, writes the report, and has the last word on the exit status."""

    def __init__(self, config: pytest.Config) -> None:
        option = config.option
        self.config = config
        self.deselected = False
        self.run = Run(
            version("zconform"),
            option.seed,
            is_strict(config),
            Path(option.report) if option.report else None,
            option.shard,
        )
        self._prepared = False
        self._crashed = False

    def pytest_deselected(self) -> None:
        """Not every case is asked, so nothing can be said of those that are not."""
        self.deselected = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a verdict, from this process or from a worker."""
        made = getattr(report, "zconform", None)
        if made is None:
            self._crashed |= str(report.when) == "???"  # a worker has gone, and the verdict with it
            return
        self.prepare()
        self.run.add(Result(**made["result"]), made["peers"])

    def prepare(self) -> None:
        """Before the first verdict: the known deviations of the peers that are judged."""
        if not self._prepared:
            self._prepared = True
            self.run.known = bench_of(self.config).known

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Make the report's folders before a worker writes into them."""
        if not self.config.option.list and not self.config.option.collectonly:
            self.run.prepare()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write what there is, complete or not."""
        if self.config.option.list and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK
            return
        if not self.run.results:
            self.run.close()
            return
        stopped = self._crashed or session.shouldfail or session.shouldstop
        ended = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not stopped
        done = ended and not self.deselected
        bench = bench_of(self.config)
        self.run.finish(
            whole=done and bool(bench.singles) and is_whole(self.config, SUITE),
            whole_pairs=done and bool(bench.pairs) and is_whole(self.config, INTEROP_CASES),
            ended=ended,
        )
        if self.run.red and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The table of peers and families, and where the report is."""
        write, option = terminalreporter.write_line, self.config.option
        if not_asked := pair_summary(self.config):
            write(not_asked)
        if not self.run.results:
            if option.case or option.clause or option.peer or option.pair:
                write("no case was selected", red=True)
            return
        terminalreporter.section("verdicts")
        write(summary(self.run.results, shutil.get_terminal_size((COLUMNS, 24)).columns))
        write(", ".join(f"{count} {verdict}" for verdict, count in self.run.counts().items()))
        for told in rates_text(self.run.results):
            write(told)
        for name, reason in sorted(bench_of(self.config).unavailable.items()):
            write(f"not judged: {name}: {reason}")
        for problem in self.run.problems:
            write(problem, red=True)
        write(f"seed {self.run.seed}")
        if self.run.report is not None:
            write(f"report: {self.run.report}/index.html, results.json, junit.xml, summary.md, logs/")
