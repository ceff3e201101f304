"""JUnit XML that other tools read rightly: <failure> for verdicts, <error> only where we failed to ask.

FAIL, and NON_STRICT under --strict, is a failure; ERROR is an error; UNSUPPORTED and KNOWN are skipped
with their reason; everything else passed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from junit_xml import TestCase, TestSuite, to_xml_report_file

from harness.report.model import Result
from harness.verdict import Verdict

# XML 1.0 cannot carry these, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(results: Iterable[Result], path: Path, strict: bool = False) -> None:
    """One suite a peer, one test case a verdict."""
    suites: dict[str, list[TestCase]] = {}
    for result in results:
        suites.setdefault(" - ".join(result.peers), []).append(_test_case(result, strict))
    made = [TestSuite(name, cases) for name, cases in sorted(suites.items())]
    with path.open("w", encoding="utf-8") as file:
        to_xml_report_file(file, made, prettyprint=False, encoding="utf-8")


def _test_case(result: Result, strict: bool) -> TestCase:
    name = f"{result.id}[{result.param}]" if result.param else result.id
    peers = ".".join(result.peers)
    made = TestCase(
        name, classname=f"{peers}.{result.family.replace('/', '.')}", elapsed_sec=result.duration_s
    )
    text = _clean(f"expected {result.expected}\nactual   {result.actual}\n{result.reason}\n{result.again}")
    title = _clean(f"[{result.blamed}] expected {result.expected}, got {result.actual}")
    verdict = Verdict(result.verdict)
    if verdict is Verdict.FAIL or (strict and verdict is Verdict.NON_STRICT):
        made.add_failure_info(message=title, output=text, failure_type=result.verdict)
    elif verdict is Verdict.ERROR:
        made.add_error_info(message=_clean(result.reason), output=text, error_type=result.verdict)
    elif verdict in (Verdict.UNSUPPORTED, Verdict.KNOWN):
        made.add_skipped_info(message=_clean(f"{result.verdict}: {result.reason}"))
    return made


def _clean(text: str) -> str:
    return _NOT_XML.sub("?", text)
