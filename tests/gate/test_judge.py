"""The gate: each reason for red is seen, with the lines that mend it, and nothing else is red."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from harness.gate import Gate, Kind, Lists, Remedy, judge_run, text
from harness.gate.findings import entry_text
from harness.known import load_list
from harness.report.model import Result
from harness.report.record import Record
from harness.report.secrecy import KEPT_OUT
from tests.report.records import CLAUSE, record, result

TODAY = date(2026, 6, 1)
ENTRY = f"""# A list.

[[known]]
case    = "zmtp/sample/rule"
clause  = "{CLAUSE}"
message = '^late$'
reason  = "It is late."
link    = "https://example.org/1"
"""
LISTED = result("zmtp/sample/rule", "FAIL")


class Listing:
    """Judges results by a list of the peer "p" that stands in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "known.toml"

    def gate(
        self, *results: Result, listed: str = ENTRY, baseline: Record | None = None, **changes: Any
    ) -> Gate:
        self.path.write_text(listed)
        lists = Lists({"p": load_list(self.path)}, {"p": self.path})
        return judge_run(record(*results, **changes), lists, TODAY, baseline)


@pytest.fixture
def listing(tmp_path: Path) -> Listing:
    return Listing(tmp_path)


def kinds(gate: Gate) -> list[Kind]:
    return [finding.kind for finding in gate.findings]


def test_what_is_listed_and_what_holds_is_green(listing: Listing) -> None:
    made = listing.gate(
        LISTED,
        result("a/b/c"),
        result("a/b/d", "INFO"),
        result("a/b/e", "UNSUPPORTED"),
        result("a/b/f", "NON_STRICT"),
    )
    assert (made.red, made.listed) == (False, 1)
    assert text(made) == "gate: green (5 results, 1 of them as listed)\n"


def test_an_unexpected_failure_has_its_entry_to_paste(listing: Listing, tmp_path: Path) -> None:
    fails = result("a/b/c", "FAIL", actual="12 of 30 'came' (x)", reason="They all come.", param="x")
    made = listing.gate(LISTED, fails, result("a/b/c", param="y"))
    (finding,) = made.findings
    assert (finding.kind, finding.remedy) == (Kind.FAILURE, Remedy.PASTE)
    assert finding.table is not None
    shown = entry_text(finding.table)
    assert f"if it stays so, paste into {listing.path}:\n    [[known]]\n" in text(made)
    assert all(f"    {line}\n" in text(made) for line in shown.splitlines())
    again = listing.gate(LISTED, fails, result("a/b/c", param="y"), listed=f"{ENTRY}\n{shown}\n")
    assert (again.red, again.listed) == (False, 2)
    entry = load_list(listing.path)[1]
    assert (entry.param, entry.since) == ("x", TODAY)
    assert entry.agrees(CLAUSE, "7 of 8 'came' (x)") is None
    assert entry.agrees(CLAUSE, "7 of 8 'came' (x) and more") is not None


def test_failures_that_are_alike_are_one_entry(listing: Listing) -> None:
    def seen(*failing: str) -> list[Any]:
        results = [result("a/b/c", "FAIL" if param in failing else "PASS", param=param) for param in "uvw"]
        return [
            finding.table and finding.table.get("param") for finding in listing.gate(*results).findings[:-1]
        ]

    assert seen("u", "v", "w") == [None]
    assert seen("u", "w") == [["u", "w"]]
    assert seen("v") == ["v"]


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [
        ("PASS", Kind.PASS),
        ("INFO", Kind.PASS),
        ("UNSUPPORTED", Kind.SKIPPED),
    ],
)
def test_a_listed_case_that_does_not_fail_is_red_with_the_entry_to_delete(
    listing: Listing, verdict: str, kind: Kind
) -> None:
    made = listing.gate(result("zmtp/sample/rule", verdict))
    assert kinds(made) == [kind]
    assert f'delete {listing.path}:3:\n    [[known]]\n    case    = "zmtp/sample/rule"\n' in text(made)
    assert not listing.gate(result("zmtp/sample/rule", verdict), listed="").red


def test_what_the_run_made_of_an_unexpected_pass_is_seen_through(listing: Listing) -> None:
    ran = result("zmtp/sample/rule", "FAIL", actual="PASS", found="PASS")
    assert kinds(listing.gate(ran)) == [Kind.PASS]
    assert not listing.gate(ran, listed="").red


def test_an_entry_that_holds_for_some_parameters_leaves_the_others_out(listing: Listing) -> None:
    results = [result("zmtp/sample/rule", "FAIL" if param == "u" else "PASS", param=param) for param in "uvw"]
    made = listing.gate(*results)
    assert [finding.params for finding in made.findings] == [("v", "w")]
    (table,) = [finding.table for finding in made.findings if finding.table is not None]
    assert f"replace {listing.path}:3 by:" in text(made)
    assert not listing.gate(*results, listed=entry_text(table)).red


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"actual": "gone"}, "listed with message '^late$', now 'gone'"),
        ({"blamed": "37/version/padding-zero"}, "listed with clause 37/version/padding-no-meaning, now"),
        ({"verdict": "NON_STRICT", "actual": "gone", "found": "NON_STRICT"}, "listed with message"),
    ],
)
def test_a_changed_deviation_is_red_with_the_entry_to_put_in_its_place(
    listing: Listing, changes: dict[str, str], says: str
) -> None:
    ran = result(**({"case_id": "zmtp/sample/rule", "verdict": "FAIL"} | changes))
    made = listing.gate(ran)
    (finding,) = made.findings
    assert (finding.kind, finding.remedy) == (Kind.CHANGED, Remedy.REPLACE)
    assert says in finding.what
    assert finding.table is not None
    assert finding.table["reason"] == "It is late."
    assert not listing.gate(ran, listed=entry_text(finding.table)).red


def test_what_changed_for_some_parameters_goes_above_the_entry(listing: Listing) -> None:
    results = [LISTED, result("zmtp/sample/rule", "FAIL", param="x", actual="gone")]
    made = listing.gate(*results)
    (finding,) = made.findings
    assert finding.remedy is Remedy.ABOVE
    assert finding.table is not None
    assert not listing.gate(*results, listed=f"{entry_text(finding.table)}\n{ENTRY}").red


def test_an_entry_that_met_nothing_is_red_in_a_complete_run_only(listing: Listing) -> None:
    assert kinds(listing.gate(result("a/b/c"))) == [Kind.UNMATCHED]
    partial = listing.gate(result("a/b/c"), complete=False)
    assert not partial.red
    assert "the run is partial" in text(partial)


def test_an_entry_hides_twenty_cases_and_no_more(listing: Listing) -> None:
    greedy = ENTRY.replace("zmtp/sample/rule", "zmtp/*")
    many = [result(f"zmtp/sample/n{number}", "FAIL") for number in range(21)]
    assert not listing.gate(*many[1:], listed=greedy).red
    made = listing.gate(*many, listed=greedy, complete=False)
    assert kinds(made) == [Kind.GREEDY]
    assert "it hides 21 cases, and may hide 20" in text(made)


@pytest.mark.parametrize(("until", "red"), [("2026-05-31", True), ("2026-06-01", False)])
def test_an_entry_stands_until_its_day(listing: Listing, until: str, red: bool) -> None:
    made = listing.gate(LISTED, listed=f"{ENTRY}until = {until}\n")
    assert kinds(made) == [Kind.OVERDUE] * red
    assert made.listed == 1


@pytest.mark.parametrize(
    ("versions", "found"),
    [
        ('["1.*"]', []),
        ('["!1.0"]', [Kind.FAILURE]),
        ('["2.*"]', [Kind.FAILURE]),
    ],
)
def test_an_entry_for_other_versions_is_not_there(listing: Listing, versions: str, found: list[Kind]) -> None:
    listed = f"{ENTRY}versions = {versions}\n"
    assert kinds(listing.gate(LISTED, listed=listed)) == found
    assert kinds(listing.gate(result("a/b/c"), listed=listed)) == [Kind.UNMATCHED] * (not found)


def test_errors_and_strictness(listing: Listing) -> None:
    soft = result("a/b/c", "NON_STRICT")
    assert not listing.gate(LISTED, soft).red
    assert kinds(listing.gate(LISTED, soft, strict=True)) == [Kind.FAILURE]
    error = listing.gate(result("zmtp/sample/rule", "ERROR", reason="our own fault"))
    assert (kinds(error), error.findings[0].remedy) == ([Kind.ERROR], Remedy.NONE)
    assert "our own fault" in text(error)


def test_a_run_that_was_broken_off_or_has_no_verdict_is_red(listing: Listing) -> None:
    assert kinds(listing.gate(LISTED, complete=False, ended=False)) == [Kind.BROKEN_OFF]
    assert kinds(listing.gate(complete=False, listed="")) == [Kind.BROKEN_OFF]


def test_what_the_baseline_judged_has_to_be_judged(listing: Listing) -> None:
    before = record(
        LISTED,
        result("a/b/gone", param="x"),
        result("a/b/gone", param="y"),
        result("a/b/unclaimed"),
        result("a/b/never", "UNSUPPORTED"),
    )
    now = [
        LISTED,
        result("a/b/unclaimed", "UNSUPPORTED"),
        result("a/b/never", "UNSUPPORTED"),
        result("a/b/new"),
    ]
    made = listing.gate(*now, baseline=before)
    assert [(finding.kind, finding.case, finding.params) for finding in made.findings] == [
        (Kind.MISSING, "a/b/gone", ("x", "y")),
        (Kind.MISSING, "a/b/unclaimed", ("",)),
    ]
    assert not listing.gate(*before.results, result("a/b/new"), baseline=before).red


def test_what_changes_from_time_to_time_is_measured(listing: Listing) -> None:
    often = [result("a/b/c", "FAIL" if number < 3 else "PASS") for number in range(10)]
    made = listing.gate(LISTED, *often)
    (finding,) = made.findings
    assert finding.rate == "FAIL 3/10, PASS 7/10"
    assert finding.table is not None
    assert finding.table["race"] is True
    assert "p a/b/c: FAIL 3/10, PASS 7/10" in text(made)
    listed = f"{ENTRY}\n{entry_text(finding.table)}\n"
    assert not listing.gate(LISTED, *often, listed=listed).red
    assert "of which 0 came out differently" in text(listing.gate(*[LISTED] * 3))


def test_a_listed_case_that_passes_from_time_to_time_is_a_race(listing: Listing) -> None:
    often = [result(LISTED.id, "PASS" if number else "FAIL") for number in range(4)]
    (finding,) = listing.gate(*often).findings
    assert (finding.kind, finding.remedy, finding.rate) == (Kind.PASS, Remedy.REPLACE, "FAIL 1/4, PASS 3/4")
    assert finding.table is not None
    assert not listing.gate(*often, listed=entry_text(finding.table)).red


def test_what_was_kept_out_is_believed(listing: Listing) -> None:
    hidden = result("zmtp/sample/rule", "KNOWN", actual=KEPT_OUT, security=True)
    assert not listing.gate(hidden).red
    fails = result("a/b/c", "FAIL", actual=KEPT_OUT, security=True)
    (finding,) = listing.gate(LISTED, fails).findings
    assert finding.table is not None
    assert (finding.table["message"], finding.table["security"]) == (".", True)


def test_a_binding_takes_out_what_does_not_hold_for_it(listing: Listing, tmp_path: Path) -> None:
    (tmp_path / "library.toml").write_text(ENTRY)
    made = listing.gate(result("zmtp/sample/rule"), listed='include = ["library.toml"]\n')
    assert [finding.remedy for finding in made.findings] == [Remedy.EXCEPT]
    assert 'except = ["zmtp/sample/rule"]' in text(made)


def test_an_entry_of_a_pair_is_written_from_its_own_side(tmp_path: Path) -> None:
    pair = result("interop/lockstep/arrives", "FAIL", peers=["other", "mine"], param="PUB-SUB-first-binds")
    passes = result("interop/lockstep/arrives", peers=["other", "mine"], param="PUB-SUB-second-binds")
    made = judge_run(record(pair, passes), Lists({}, own=["mine"]), TODAY)
    (finding,) = made.findings
    assert finding.peer == "mine"
    assert finding.table is not None
    assert (finding.table["param"], finding.table["partners"]) == ("SUB-PUB-second-binds", ["other"])
    path = tmp_path / "known.toml"
    path.write_text(entry_text(finding.table))
    assert not judge_run(record(pair, passes), Lists({"mine": load_list(path)}, own=["mine"]), TODAY).red
