"""The coverage text: every clause once, cases or a reason, and numbers that can be counted again."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

from harness.clauses import Ledger, Status, UnknownClause
from harness.report.coverage import Coverage, State, cover, render_coverage

CLAUSES = {
    "28/REQREP": """
[[clause]]
id = "28/router/route"
level = "SHALL"
where = "ROUTER"
text = "Routes."
seen = ["wire"]

[[clause]]
id = "28/router/limit"
level = "SHOULD"
where = "ROUTER"
text = "Limits."
seen = ["api"]

[[clause]]
id = "28/router/peers"
level = "MAY"
where = "ROUTER"
text = "Allows."
seen = []
status = "permission"

[[clause]]
id = "28/router/follows"
level = "SHALL NOT"
where = "ROUTER"
text = "Follows."
seen = ["wire"]
status = "implied"
by = "28/router/route"
""",
    "23/ZMTP": """
[[clause]]
id = "23/framing/atomic"
level = "SHALL"
where = "Messages"
text = "Whole."
seen = ["wire"]
same_as = "37/framing/atomic"

[[clause]]
id = "23/framing/hidden"
level = "PROSE"
where = "Messages"
text = "Hidden."
seen = ["wire"]
same_as = "37/framing/hidden"
""",
    "37/ZMTP": """
[[clause]]
id = "37/framing/atomic"
level = "SHALL"
where = "Messages"
text = "Whole."
seen = ["wire"]

[[clause]]
id = "37/framing/hidden"
level = "PROSE"
where = "Messages"
text = "Hidden."
seen = []
status = "unobservable"
why = "It is inside."
""",
}


@dataclass(frozen=True)
class FakeCase:
    id: str
    clauses: tuple[str, ...]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    for number, (spec, body) in enumerate(CLAUSES.items()):
        head = f'spec = "{spec}"\nedition = "stable"\nsubject = "Some"\n'
        (tmp_path / f"file{number}.toml").write_text(head + body, encoding="utf-8")
    return Ledger.load(tmp_path)


def row(ledger: Ledger, clause_id: str, *cases: FakeCase) -> Coverage:
    return next(found for found in cover(ledger, cases) if found.clause.id == clause_id)


def line(ledger: Ledger, clause_id: str, *cases: FakeCase) -> str:
    text = render_coverage(ledger, cases)
    (found,) = [found for found in text.splitlines() if found.startswith(f"  {clause_id} ")]
    return " ".join(found.split())


class TestOneClause:
    def test_without_status_and_case_is_open(self, ledger: Ledger) -> None:
        assert line(ledger, "28/router/limit") == "28/router/limit SHOULD OPEN"

    def test_names_its_case(self, ledger: Ledger) -> None:
        case = FakeCase("reqrep/router/limit", ("28/router/limit",))
        assert line(ledger, "28/router/limit", case) == "28/router/limit SHOULD reqrep/router/limit"

    def test_names_three_cases_in_order_and_counts_the_others(self, ledger: Ledger) -> None:
        cases = [FakeCase(f"reqrep/router/{name}", ("28/router/route",)) for name in "ebadc"]
        assert line(ledger, "28/router/route", *cases).endswith(
            "SHALL reqrep/router/a, reqrep/router/b, reqrep/router/c +2"
        )

    def test_exactly_three_cases_leave_nothing_to_count(self, ledger: Ledger) -> None:
        cases = [FakeCase(f"reqrep/router/{name}", ("28/router/route",)) for name in "abc"]
        assert line(ledger, "28/router/route", *cases).endswith("reqrep/router/b, reqrep/router/c")

    def test_a_case_that_comes_twice_counts_once(self, ledger: Ledger) -> None:
        case = FakeCase("reqrep/router/a", ("28/router/route", "28/router/route"))
        assert row(ledger, "28/router/route", case, case).cases == ("reqrep/router/a",)

    def test_a_status_stands_without_a_case(self, ledger: Ledger) -> None:
        assert line(ledger, "28/router/peers") == "28/router/peers MAY permission"
        assert line(ledger, "28/router/follows") == "28/router/follows SHALL NOT implied by 28/router/route"

    def test_a_status_stands_beside_its_cases(self, ledger: Ledger) -> None:
        case = FakeCase("reqrep/router/mixed", ("28/router/peers",))
        assert line(ledger, "28/router/peers", case) == "28/router/peers MAY permission; reqrep/router/mixed"
        assert row(ledger, "28/router/peers", case).state == "permission"


class TestTwins:
    def test_a_case_of_the_twin_covers(self, ledger: Ledger) -> None:
        case = FakeCase("zmtp/framing/atomic", ("37/framing/atomic",))
        expected = "23/framing/atomic SHALL as 37/framing/atomic: zmtp/framing/atomic"
        assert line(ledger, "23/framing/atomic", case) == expected
        assert row(ledger, "23/framing/atomic", case).state == "covered"

    def test_a_case_of_its_own_covers_this_edition_only(self, ledger: Ledger) -> None:
        case = FakeCase("zmtp/framing/atomic", ("23/framing/atomic",))
        assert line(ledger, "23/framing/atomic", case) == "23/framing/atomic SHALL zmtp/framing/atomic"
        assert row(ledger, "37/framing/atomic", case).state == "OPEN"

    def test_the_status_of_the_twin_stands(self, ledger: Ledger) -> None:
        expected = "23/framing/hidden PROSE as 37/framing/hidden: unobservable"
        assert line(ledger, "23/framing/hidden") == expected

    def test_an_open_twin_leaves_it_open(self, ledger: Ledger) -> None:
        assert line(ledger, "23/framing/atomic") == "23/framing/atomic SHALL as 37/framing/atomic: OPEN"


class TestWholeText:
    def test_every_status_is_a_state(self) -> None:
        assert {*get_args(Status), "covered", "OPEN"} == set(get_args(State))

    def test_an_unknown_clause_names_the_case(self, ledger: Ledger) -> None:
        with pytest.raises(UnknownClause, match="28/router/rout'") as caught:
            render_coverage(ledger, [FakeCase("reqrep/router/a", ("28/router/rout",))])
        assert caught.value.__notes__ == ["cited by the case reqrep/router/a"]

    def test_headings_come_in_the_order_of_the_specifications(self, ledger: Ledger) -> None:
        heads = re.findall(r"^(\S.*): (\d+) clauses$", render_coverage(ledger, []), re.MULTILINE)
        assert heads == [
            ("all specifications", "8"),
            ("23/ZMTP (stable)", "2"),
            ("28/REQREP (stable)", "4"),
            ("37/ZMTP (stable)", "2"),
        ]

    def test_the_same_cases_in_another_order_give_the_same_text(self, ledger: Ledger) -> None:
        cases = [FakeCase(f"reqrep/router/{name}", ("28/router/route",)) for name in "abcd"]
        assert render_coverage(ledger, cases) == render_coverage(ledger, cases[::-1])

    def test_an_empty_ledger_has_a_text(self, tmp_path: Path) -> None:
        assert "all specifications: 0 clauses" in render_coverage(Ledger.load(tmp_path), [])

    @pytest.mark.parametrize("real", [False, True], ids=["small", "this project"])
    def test_every_number_can_be_counted_again(self, ledger: Ledger, real: bool) -> None:
        ledger = Ledger.load() if real else ledger
        chosen = [clause.id for clause in ledger if clause.status is None][::2]
        cases = [FakeCase(f"some/case/n{n}", (clause_id,)) for n, clause_id in enumerate(chosen)]
        stated, counted = recount(render_coverage(ledger, [*cases, *cases[:1]]))
        assert counted == stated
        assert stated["all specifications"]["clauses"] == len(ledger)


LINE = re.compile(r"  (?P<id>[a-z0-9-]+)/\S+ +(?P<level>[A-Z]+( NOT)?)  +(as \S+: )?(?P<standing>.*)")
REASONS = "implied by|permission|ambiguous|unobservable|optional|OPEN"


def recount(text: str) -> tuple[dict[str, Counter[str]], dict[str, Counter[str]]]:
    """What the headings state and what their lines come to, read from the text alone."""
    total = "all specifications"
    stated: dict[str, Counter[str]] = {}
    counted: dict[str, Counter[str]] = {total: Counter()}
    spec = ""
    for found in text.splitlines():
        if head := re.fullmatch(r"(\S.*): (\d+) clauses", found):
            spec = head[1]
            stated[spec] = Counter(clauses=int(head[2]))
            counted.setdefault(spec, Counter())
        elif numbers := re.fullmatch(r"  by (?:level|state): (.*)", found):
            for name, number in re.findall(r"([A-Za-z ]+) (\d+)", numbers[1]):
                stated[spec][name.strip()] = int(number)
        elif member := LINE.fullmatch(found):
            reason = re.match(REASONS, member["standing"])
            state = reason[0].split()[0] if reason else "covered"
            for tally in (counted[spec], counted[total]):
                tally.update(["clauses", member["level"], state])
    return stated, counted
