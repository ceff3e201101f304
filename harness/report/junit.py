"""JUnit XML that other tools read rightly: <failure> for verdicts, <error> only where we failed to ask.

FAIL, and NON_STRICT under --strict, is a failure; ERROR is an error; UNSUPPORTED and KNOWN are skipped
with their reason; everything else passed.

Nobody has specified the format. What is written keeps to both schemas that others hold it against: Jenkins'
(junit-10.xsd of its xunit plugin) and Apache Ant's (JUnit.xsd), which is why the root has no totals, each
suite has a host, and what a suite printed stands there empty.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.report.model import Result, is_red
from harness.report.record import Record
from harness.verdict import Verdict

# XML 1.0 cannot carry these, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SECONDS = len("2026-01-02T03:04:05")


def write_junit(record: Record, path: Path) -> None:
    """One suite for each peer or pair, one test case for each verdict. Raises OSError."""
    suites: dict[str, list[Result]] = {}
    for result in record.results:
        suites.setdefault(" - ".join(result.peers), []).append(result)
    root = ET.Element("testsuites")
    for number, name in enumerate(sorted(suites)):
        root.append(_suite(name, number, suites[name], record))
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _suite(name: str, number: int, results: Sequence[Result], record: Record) -> ET.Element:
    cases = [_test_case(result, record.strict) for result in results]
    made = ET.Element(
        "testsuite",
        {
            "name": xml_text(name),
            "id": str(number),
            "package": "zconform",
            "hostname": "localhost",
            "timestamp": record.started[:_SECONDS],
            "time": f"{sum(result.duration_s for result in results):.3f}",
            "tests": str(len(cases)),
            **_counts(cases),
        },
    )
    properties = ET.SubElement(made, "properties")
    # A name of its own in each suite: some readers put all suites together.
    ET.SubElement(
        properties, "property", {"name": xml_text(name), "value": xml_text(_about(results, record))}
    )
    made.extend(cases)
    ET.SubElement(made, "system-out")
    ET.SubElement(made, "system-err")
    return made


def _counts(cases: Iterable[ET.Element]) -> dict[str, str]:
    tags = [child.tag for each in cases for child in each]
    named = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    return {name: str(tags.count(tag)) for name, tag in named.items()}


def _about(results: Sequence[Result], record: Record) -> str:
    """What the verdicts are of: the libraries, the suite, and the seed."""
    names = dict.fromkeys(name for result in results for name in result.peers)
    known = [record.peers[name] for name in names if name in record.peers]
    libraries = [f"{about['library']} {about['version']}".strip() for about in known]
    return ", ".join([*libraries, f"zconform {record.version}", f"seed {record.seed}"])


def _test_case(result: Result, strict: bool) -> ET.Element:
    peers = ".".join(result.peers)
    made = ET.Element(
        "testcase",
        {
            "name": xml_text(result.named()),
            "classname": xml_text(f"{peers}.{result.family.replace('/', '.')}"),
            "time": f"{result.duration_s:.6f}",
        },
    )
    text = f"expected {result.expected}\nactual   {result.actual}\n{result.reason}\n{result.again}"
    verdict = Verdict(result.verdict)
    if verdict is Verdict.ERROR:
        _add(made, "error", result.reason, text, verdict)
    elif is_red(result, strict):
        title = f"[{result.blamed}] expected {result.expected}, got {result.actual}"
        _add(made, "failure", title, text, verdict)
    elif verdict in (Verdict.UNSUPPORTED, Verdict.KNOWN):
        ET.SubElement(made, "skipped", {"message": xml_text(f"{verdict}: {result.reason}")})
    return made


def _add(case: ET.Element, tag: str, message: str, text: str, verdict: Verdict) -> None:
    ET.SubElement(case, tag, {"type": verdict.value, "message": xml_text(message)}).text = xml_text(text)


def xml_text(text: str) -> str:
    """Any text with what XML 1.0 cannot carry, not even escaped, replaced by question marks."""
    return _NOT_XML.sub("?", text)
