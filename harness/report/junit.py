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
    made = [TestSuite(xml_text(name), cases) for name, cases in sorted(suites.items())]
    with path.open("w", encoding="utf-8") as file:
        to_xml_report_file(file, made, prettyprint=False, encoding="utf-8")


def _test_case(result: Result, strict: bool) -> TestCase:
    peers = ".".join(result.peers)
    made = TestCase(
        xml_text(result.named()),
        classname=xml_text(f"{peers}.{result.family.replace('/', '.')}"),
        elapsed_sec=result.duration_s,
    )
    text = xml_text(f"expected {result.expected}\nactual   {result.actual}\n{result.reason}\n{result.again}")
    title = xml_text(f"[{result.blamed}] expected {result.expected}, got {result.actual}")
    verdict = Verdict(result.verdict)
    if verdict is Verdict.FAIL or (strict and verdict is Verdict.NON_STRICT):
        made.add_failure_info(message=title, output=text, failure_type=result.verdict)
    elif verdict is Verdict.ERROR:
        made.add_error_info(message=xml_text(result.reason), output=text, error_type=result.verdict)
    elif verdict in (Verdict.UNSUPPORTED, Verdict.KNOWN):
        made.add_skipped_info(message=xml_text(f"{result.verdict}: {result.reason}"))
    return made


def xml_text(text: str) -> str:
    """Any text with what XML 1.0 cannot carry, not even escaped, replaced by question marks."""
    return _NOT_XML.sub("?", text)
