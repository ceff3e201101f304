"""What is told of cases and clauses: the real ledger, cases and lists, and what an installation may lack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import explain as explaining
from harness.catalogue import caught_by_case, find_cases
from harness.clauses import Ledger
from harness.cli import main
from harness.console import UNUSABLE
from harness.known import Entry
from tests.mutants.registry import load_mutants

CASE, CLAUSE = "zmtp/greeting/as-server-means-nothing", "37/topology/as-server-ignored"
LEDGER, CASES, MUTANTS = Ledger.load(), find_cases(), caught_by_case()


def told(name: str, *known: Entry) -> tuple[str, dict[str, object]]:
    """The explanation as text without line breaks, and as JSON would have it."""
    made = explaining.Sources(LEDGER, CASES, MUTANTS, {"mine": known}).explain(name)
    return " ".join(" ".join(explaining.as_text(made)).split()), json.loads(json.dumps(made))


def test_a_case_tells_rule_reading_level_place_and_mutants() -> None:
    text, made = told(CASE)
    clause = LEDGER.get(CLAUSE)
    assert clause.reading is not None
    for part in (CASES[CASE].case.rule, clause.text, clause.reading, clause.where, "of one peer"):
        assert " ".join(part.split()) in text
    assert f"{CLAUSE} SHALL: NON_STRICT" in text
    assert "has-no-use-for-a-second-server: Closes on" in text
    assert made["place"] == CASES[CASE].place
    file, line = CASES[CASE].place.split(":")
    decorated = (Path(__file__).parent.parent / file).read_text().splitlines()[int(line) - 1 :][:3]
    assert CASE in "".join(decorated)


def test_a_clause_tells_its_cases_and_their_mutants() -> None:
    text, made = told(CLAUSE)
    assert "judged non-strict: NON_STRICT where it does not hold" in text
    assert made["cases"] == [{"id": CASE, "rule": CASES[CASE].case.rule}]
    assert [one["name"] for one in made["mutants"]] == ["has-no-use-for-a-second-server"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", ["implied", "permission", "ambiguous", "unobservable", "optional"])
def test_a_clause_without_a_case_says_why(status: str) -> None:
    clause = next(each for each in LEDGER if each.status == status)
    text, _ = told(clause.id)
    reason = f"implied by {clause.by}" if status == "implied" else status
    assert f"judged {reason}: " in text
    assert clause.why is None or " ".join(clause.why.split()) in text


def test_a_clause_of_another_edition_leads_to_its_twin() -> None:
    clause = next(each for each in LEDGER if each.same_as and not each.status)
    text, made = told(clause.id)
    assert f"same as {clause.same_as}" in text
    assert made["cases"] or made["status"] != "covered"


def test_every_id_can_be_explained() -> None:
    sources = explaining.Sources(LEDGER, CASES, MUTANTS, {})
    for name in [*CASES, *list(LEDGER.clauses)[::9]]:
        lines = explaining.as_text(sources.explain(name))
        assert all(line and len(line) <= 110 for line in lines if "http" not in line), name


def test_who_lists_it_is_told_with_the_reason() -> None:
    here = Entry(CASE, CLAUSE, ".", "It closes.", "https://here.example")
    glob = Entry("zmtp/greeting/*", "*", ".", "It is slow.", "https://glob.example", race=True)
    other = Entry("zmtp/null/*", CLAUSE, ".", "Another case.", "https://other.example")
    text, made = told(CASE, here, glob, other)
    assert "known mine: It closes. https://here.example mine, in some runs: It is slow." in text
    assert [one["reason"] for one in made["known"]] == ["It closes.", "It is slow."]  # type: ignore[attr-defined]
    assert "Another case." not in told(CLAUSE, here, glob, other)[0]
    assert "It is slow." in told(CLAUSE, glob)[0]


def test_an_installation_without_the_mutants_says_so(tmp_path: Path) -> None:
    assert caught_by_case(tmp_path / "kill-table.txt") is None
    made = explaining.Sources(LEDGER, CASES, None, {}).explain(CASE)
    assert made["mutants"] is None
    assert explaining.NO_TABLE in " ".join(" ".join(explaining.as_text(made)).split())


def test_the_table_of_mutants_is_read_as_it_is_written() -> None:
    assert MUTANTS is not None
    named = {mutant.name: mutant for caught in MUTANTS.values() for mutant in caught}
    for mutant in load_mutants().values():
        assert named[mutant.name].fault == mutant.fault
        assert set(named[mutant.name].cases) <= set(mutant.kills)


def test_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", CASE, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["case"] == CASE
    assert main(["explain", CLAUSE]) == 0
    assert "pyomq: omq closes on" in capsys.readouterr().out
    assert main(["cases", "zmtp/greeting/*", "--clause", CLAUSE, "--json"]) == 0
    (only,) = json.loads(capsys.readouterr().out)
    assert (only["id"], only["needs"], only["clauses"]) == (CASE, ["DEALER"], [CLAUSE])
    assert main(["cases", "guide/*"]) == 0
    assert "(several peers, each in a role)" in capsys.readouterr().out
    assert main(["cases"]) == 0
    assert capsys.readouterr().out.endswith(f"{len(CASES)} cases\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["explain", "37/topology/as-server"],
            "zconform explain: CASE|CLAUSE: neither a case nor a clause",
        ),
        (["explain", CASE, "--peers-dir", "/no/such"], "zconform explain: /no/such: no such folder"),
        (["cases", "no/*"], "zconform cases: GLOB: no case fits no/*"),
    ],
)
def test_what_is_not_there_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == UNUSABLE
    out, error = capsys.readouterr()
    assert not out
    assert error.startswith(said)
    assert error.count("\n") == 1
