"""The verdict of a case: worst first, by the level of the clause that is blamed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.case import Case, CaseError, Judge, case
from harness.clauses import Ledger
from harness.known import Asked, Entry, KnownError, complaints, find, load_known
from harness.report.model import Judgement, Result, apply_known, is_red, judge_case
from harness.report.run import Run
from harness.verdict import Mismatch, Verdict

STRICT = "37/version/padding-no-meaning"
SHOULD = "37/version/padding-zero"
INFORMATIONAL = "37/abnf/mechanism-char"
CASE = Case("zmtp/sample/rule", (STRICT, SHOULD, INFORMATIONAL), (), "A rule.")


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return Ledger.load()


@pytest.mark.parametrize(
    ("clause", "verdict"),
    [
        (None, Verdict.FAIL),
        (STRICT, Verdict.FAIL),
        (SHOULD, Verdict.NON_STRICT),
        (INFORMATIONAL, Verdict.INFO),
    ],
)
def test_verdict_follows_the_blamed_clause(ledger: Ledger, clause: str | None, verdict: Verdict) -> None:
    judgement = judge_case(CASE, ledger, Mismatch("a", "b", clause), Judge())
    assert judgement.verdict is verdict
    assert judgement.blamed == (clause or STRICT)
    assert (judgement.expected, judgement.actual) == ("a", "b")


def test_a_peer_that_went_down_fails_whatever_the_clause(ledger: Ledger) -> None:
    down = Mismatch("an answer", "it exited", INFORMATIONAL, fatal=True)
    assert judge_case(CASE, ledger, down, Judge()).verdict is Verdict.FAIL


def test_nothing_wrong_is_a_pass_or_info_by_the_first_clause(ledger: Ledger) -> None:
    assert judge_case(CASE, ledger, None, Judge()).verdict is Verdict.PASS
    informational = Case("zmtp/sample/other", (INFORMATIONAL,), (), "A rule.")
    assert judge_case(informational, ledger, None, Judge()).verdict is Verdict.INFO


def test_the_worst_finding_counts(ledger: Ledger) -> None:
    judge = Judge()
    with judge.soft():
        Judge.equal(1, 2, SHOULD)
    assert judge_case(CASE, ledger, None, judge).verdict is Verdict.NON_STRICT
    assert judge_case(CASE, ledger, Mismatch("a", "b"), judge).verdict is Verdict.FAIL


def test_a_plain_assertion_is_a_mismatch(ledger: Ledger) -> None:
    judgement = judge_case(CASE, ledger, AssertionError("1 == 2\nmore"), Judge())
    assert (judgement.verdict, judgement.actual) == (Verdict.FAIL, "1 == 2")


def test_judge_raises_only_where_something_does_not_hold() -> None:
    Judge.that(True, "x", "y")
    Judge.equal([1], [1])
    with pytest.raises(Mismatch, match="expected x, got y"):
        Judge.that(False, "x", "y")
    with pytest.raises(Mismatch, match=r"expected \[2\], got \[1\]"):
        Judge.equal([1], [2])


def entry(**changes: Any) -> Entry:
    return replace(Entry(CASE.id, STRICT, "^late$", "r", "l", file="known.toml"), **changes)


FAILED = Judgement(Verdict.FAIL, STRICT, "SHALL NOT", "early", "late")


def test_a_listed_deviation_is_known() -> None:
    judged = apply_known(FAILED, [entry()])
    assert (judged.verdict, judged.reason, judged.actual) == (Verdict.KNOWN, "r", "late")
    assert apply_known(FAILED, []) is FAILED


def test_an_entry_speaks_of_its_cases_and_parameters() -> None:
    def found(made: Entry, param: str = "") -> bool:
        return find({"p": [made]}, Asked(CASE.id, param, ["p"])) == [made]

    assert found(entry())
    assert not found(entry(case="zmtp/other/*"))
    assert not found(entry(param="a*"), "b")
    assert found(entry(param="a*"), "ab")
    several = entry(param=["a*", "b", "!*z"])
    assert [param for param in ("a", "az", "b", "bz", "c") if found(several, param)] == ["a", "b"]


INTEROP = "interop/lockstep/arrives"


def test_an_entry_of_interop_speaks_of_its_partners_seen_from_its_own_side() -> None:
    mine = entry(case=INTEROP, param="SUB-*-first-binds", partners=["old-*"])
    known = {"me": [mine], "old-1": []}
    assert find(known, Asked(INTEROP, "SUB-PUB-first-binds", ["me", "old-1"])) == [mine]
    assert find(known, Asked(INTEROP, "PUB-SUB-second-binds", ["old-1", "me"])) == [mine]
    assert find(known, Asked(INTEROP, "PUB-SUB-first-binds", ["old-1", "me"])) == []
    assert find(known, Asked(INTEROP, "SUB-PUB-first-binds", ["me", "new-1"])) == []


@pytest.mark.parametrize(
    ("partners", "met"),
    [
        ((), "abc"),
        (("a", "c"), "ac"),
        (("!b",), "ac"),
        (("!b", "!c"), "a"),
        (("*", "!a"), "bc"),
        (("a", "!a"), ""),
    ],
)
def test_partners_are_named_or_left_out(partners: tuple[str, ...], met: str) -> None:
    mine = entry(case=INTEROP, partners=partners)
    assert "".join(name for name in "abc" if mine.meets(name)) == met


def test_the_lists_of_both_count_and_one_that_agrees_is_enough() -> None:
    other, agreeing = entry(case=INTEROP, clause=SHOULD), entry(case=INTEROP)
    known = {"one": [other], "two": [agreeing]}
    assert find(known, Asked(INTEROP, "", ["one", "two"])) == [other, agreeing]
    assert apply_known(FAILED, [other, agreeing]).verdict is Verdict.KNOWN
    assert apply_known(FAILED, [other]).verdict is Verdict.FAIL


def test_what_a_pair_cannot_be_asked_is_not_held_against_an_entry() -> None:
    unsupported = Judgement(Verdict.UNSUPPORTED)
    assert apply_known(unsupported, [entry(case=INTEROP)]) is unsupported


def test_a_race_may_pass_as_well() -> None:
    raced = [replace(entry(), race=True)]
    passed = Judgement(Verdict.PASS)
    assert apply_known(FAILED, raced).verdict is Verdict.KNOWN
    assert apply_known(passed, raced) == passed
    assert apply_known(passed, [entry()]).verdict is Verdict.FAIL


def test_a_race_may_hit_cases_of_several_rules() -> None:
    assert (
        apply_known(FAILED, [entry(race=True, clause="*/" + STRICT.split("/", 1)[1])]).verdict
        is Verdict.KNOWN
    )
    assert apply_known(FAILED, [entry(race=True, clause="*/another")]).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"clause": SHOULD}, "listed with clause"), ({"message": "never"}, "listed with message")],
)
def test_a_deviation_that_changed_is_red(changes: dict[str, str], says: str) -> None:
    judged = apply_known(FAILED, [entry(**changes)])
    assert judged.verdict is Verdict.FAIL
    assert says in judged.reason


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.INFO, Verdict.UNSUPPORTED])
def test_a_listed_case_that_passes_or_is_skipped_is_red(verdict: Verdict) -> None:
    judged = apply_known(Judgement(verdict), [entry()])
    assert judged.verdict is Verdict.FAIL
    assert "listed as a known deviation, but came out" in judged.reason


def test_a_binding_need_not_reach_what_its_library_has_listed() -> None:
    assert apply_known(Judgement(Verdict.UNSUPPORTED), [entry(included=True)]).verdict is Verdict.UNSUPPORTED
    assert apply_known(Judgement(Verdict.PASS), [entry(included=True)]).verdict is Verdict.FAIL


def test_an_error_is_never_hidden_by_a_listing() -> None:
    assert apply_known(Judgement(Verdict.ERROR), [entry()]).verdict is Verdict.ERROR


def test_entries_that_meet_nothing_or_too_much_are_complained_about() -> None:
    unmet, greedy, good = entry(), entry(), entry()
    greedy.cases_met = greedy.cases_swallowed = {f"zmtp/sample/{n}" for n in range(21)}
    good.cases_met = {f"zmtp/sample/{n}" for n in range(21)}
    good.cases_swallowed = {CASE.id}
    found = complaints("p", [unmet, greedy, good])
    assert len(found) == 2
    assert "matches no case" in found[0]
    assert "more than 20" in found[1]


def test_a_race_swallows_only_what_it_hit() -> None:
    raced = entry(case="zmtp/sample/*", race=True)
    run = Run("0", 1, False, None, known={"p": [raced]})
    for name, verdict in (("passed", "PASS"), ("hit", "KNOWN")):
        run.add(Result(f"zmtp/sample/{name}", "", ["p"], verdict, [STRICT]), [])
    assert raced.cases_met == {"zmtp/sample/passed", "zmtp/sample/hit"}
    assert raced.cases_swallowed == {"zmtp/sample/hit"}


@pytest.mark.parametrize(
    ("singly", "partners", "complained"),
    [(True, (), 0), (False, ("new-1",), 0), (False, ("new-1", "old-1"), 1)],
)
def test_an_entry_of_interop_counts_where_its_pair_was_asked(
    singly: bool, partners: tuple[str, ...], complained: int
) -> None:
    unmet = entry(case=INTEROP, partners=["old-*"])
    assert len(complaints("p", [unmet], singly=singly, partners=partners)) == complained
    assert len(complaints("p", [entry()], singly=singly, partners=partners)) == int(singly)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[known]]\ncase = 1", "known #1: case: missing"),
        ("[[known]]\nfoo = 1", "known #1: foo: no such field"),
        ("[other]\nx = 1", "only include, except and [[known]]"),
        ("known = 1", "known: not [[known]] tables"),
        (
            '[[known]]\ncase="a"\nclause="b"\nmessage="m"\nreason="r"\nlink="l"\nrace=1',
            "known #1: race: neither",
        ),
        (
            '[[known]]\ncase="a"\nclause="b/*"\nmessage="m"\nreason="r"\nlink="l"',
            "known #1: clause: a glob is for races and guide/ only",
        ),
        (
            '[[known]]\ncase="a"\nclause="b"\nmessage="m"\nreason="r"\nlink="l"\nsecurity="yes"',
            "known #1: security: neither",
        ),
        ('include = "other.toml"', "include: not a list"),
        ("except = 1", "except: not a list"),
        ('except = ["a/*"]', "except: a/* is in no list that is included"),
        ('include = ["absent.toml"]', "absent.toml: [Errno 2]"),
        ('include = ["known.toml"]', "include: known.toml includes others itself"),
        (
            '[[known]]\ncase="a"\nclause="b"\nmessage="c"\nreason="r"\nlink="l"\npartners=["x"]',
            "known #1: partners: only for cases of interop/ and guide/",
        ),
        (
            '[[known]]\ncase="interop/a"\nclause="b"\nmessage="c"\nreason="r"\nlink="l"\npartners="x"',
            "known #1: partners: not a list of names",
        ),
        (
            '[[known]]\ncase="a"\nclause="b"\nmessage="c"\nreason="r"\nlink="l"\nparam=[1]',
            "known #1: param: not a list of names",
        ),
        ("[[known]", "known.toml"),
        (
            '[[known]]\ncase="a"\nclause="b"\nmessage="("\nreason="r"\nlink="l"',
            "known #1: message",
        ),
    ],
)
def test_bad_known_files_are_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "known.toml").write_text(text)
    with pytest.raises(KnownError) as caught:
        load_known(tmp_path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_list_can_include_that_of_another_peer(tmp_path: Path) -> None:
    for name in ("library", "binding"):
        (tmp_path / name).mkdir()
        text = f'[[known]]\ncase="{name}"\nclause="b"\nmessage="m"\nreason="r"\nlink="l"\n'
        above = 'include = ["../library/known.toml"]\n' if name == "binding" else ""
        (tmp_path / name / "known.toml").write_text(above + text)
    entries = load_known(tmp_path / "binding")
    assert [(each.case, each.included) for each in entries] == [("binding", False), ("library", True)]
    assert [line.split(": ")[2] for line in complaints("p", entries)] == [
        "binding [*] matches no case that was run"
    ]


def test_a_binding_can_take_out_what_does_not_hold_for_it(tmp_path: Path) -> None:
    binds = 'include = ["../library/known.toml"]\nexcept = ["a/*"]\n'
    for name, head in (("library", ""), ("binding", binds)):
        (tmp_path / name).mkdir()
        entries = (
            f'[[known]]\ncase="{case_id}"\nclause="b"\nmessage="m"\nreason="r"\nlink="l"\n'
            for case_id in ("a/b", "c/d")
        )
        (tmp_path / name / "known.toml").write_text(head + "".join(entries))
    loaded = [(each.case, each.included) for each in load_known(tmp_path / "binding")]
    assert loaded == [("a/b", False), ("c/d", False), ("c/d", True)]


def test_no_known_file_is_no_entry(tmp_path: Path) -> None:
    assert load_known(tmp_path) == []


@pytest.mark.parametrize(
    ("verdict", "strict", "red"),
    [
        ("PASS", False, False),
        ("FAIL", False, True),
        ("NON_STRICT", False, False),
        ("NON_STRICT", True, True),
        ("INFO", True, False),
        ("UNSUPPORTED", True, False),
        ("KNOWN", True, False),
        ("ERROR", False, True),
    ],
)
def test_what_makes_a_run_red(verdict: str, strict: bool, red: bool) -> None:
    assert is_red(Result("a/b/c", "", ["p"], verdict, ["x"]), strict) is red


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: case("Bad", clauses=["x"]), "id: not"),
        (lambda: case("a/b/c", clauses=[]), "clauses"),
    ],
)
def test_malformed_cases_are_refused(made: object, says: str) -> None:
    def documented() -> None:
        """A rule."""

    with pytest.raises(CaseError, match=says):
        made()(documented)  # type: ignore[operator]


def test_a_case_without_a_rule_is_refused() -> None:
    def bare() -> None: ...

    with pytest.raises(CaseError, match="docstring"):
        case("a/b/c", clauses=["x"])(bare)


def test_needs_may_name_parameters() -> None:
    needing = Case("a/b/c", ("x",), ("{socket_type}", "option:identity"), "r")
    assert needing.needed({"socket_type": "REQ"}) == ["REQ", "option:identity"]
