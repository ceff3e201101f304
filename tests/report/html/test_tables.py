"""What the page knows of a run: nothing lost, nothing doubled, counted here a second time."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.clauses import Ledger
from harness.report.html.page import embed, page_data
from harness.report.html.tables import LETTERS, NOT_ASKED
from harness.report.html.texts import LABEL, Texts, expand
from harness.report.model import Result
from tests.report.html.runs import CLAUSES, HOSTILE, as_run, chance_run, result

NAMES = {letter: verdict for verdict, letter in LETTERS.items()}


def unpacked(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Every result that the tables hold, as the page's script would read them."""
    texts = data["texts"]
    rows = {(row[0], row[1]): row for row in data["details"]}
    assert len(rows) == len(data["details"])
    out = []
    for n, (peers, cast, first, letters, reasons, tail, _) in enumerate(data["subjects"]):
        names = [data["peers"][peer][0] for peer in peers]
        pairs = zip(reasons[::2], reasons[1::2], strict=True)
        whys = [texts[reason] for reason, times in pairs for _ in range(times)]
        for k, letter in enumerate(letters):
            if letter == NOT_ASKED:
                continue
            case, param, _, again = data["items"][first + k]
            made = {"id": data["cases"][case][0], "param": param, "peers": names, "verdict": NAMES[letter]}
            made["cast"] = {role: data["peers"][peer][0] for role, peer in cast}
            made["again"] = expand(texts[again] + texts[tail], ":".join(names))
            made["reason"] = expand(whys.pop(0), ":".join(names)) if letter == "U" else ""
            out.append(made | told(data, rows.get((n, first + k)), made))
        assert not whys
    return out


def told(data: dict[str, Any], row: list[Any] | None, made: dict[str, Any]) -> dict[str, Any]:
    texts = data["texts"]
    if row is None:
        return dict.fromkeys(("blamed", "level", "expected", "actual", "link"), "") | {"notes": []}
    _, _, blamed, level, expected, actual, reason, link, notes, _, _, own, _ = row
    fields = {"level": level, "expected": expected, "actual": actual, "link": link}
    return {name: texts[number] for name, number in fields.items()} | {
        "blamed": data["clauses"][blamed][0] if blamed >= 0 else "",
        "reason": texts[reason] or made["reason"],
        "notes": [texts[note] for note in notes],
        "again": texts[own] or made["again"],
    }


def key(made: dict[str, Any]) -> str:
    return json.dumps(made, sort_keys=True)


def as_told(made: Result) -> dict[str, Any]:
    names = (
        "id",
        "param",
        "peers",
        "verdict",
        "cast",
        "again",
        "blamed",
        "level",
        "expected",
        "actual",
        "reason",
    )
    return {name: getattr(made, name) for name in (*names, "link", "notes")}


def test_every_result_is_there_once_as_it_was(tmp_path: Path) -> None:
    results = chance_run(tmp_path, 4, 90)
    results += [
        result("FAIL", peer="libone", again="quite another command"),
        result("PASS", peer="libone"),
        result("PASS", peer="libone"),
        result("INFO", notes=["seen"], peer="libtwo"),
        result(
            "UNSUPPORTED", "interop/x/y", "libone", peers=["libone", "libtwo"], reason="libone:libtwo cannot"
        ),
        result(
            "PASS",
            "guide/x/y",
            "libone",
            peers=["libone", "libtwo"],
            cast={"client": "libone", "server": "libtwo"},
        ),
    ]
    data = json.loads(embed(page_data(as_run(tmp_path, results))))
    assert Counter(map(key, unpacked(data))) == Counter(key(as_told(one)) for one in results)


def test_counts_are_those_of_the_results(tmp_path: Path) -> None:
    results = chance_run(tmp_path, 5, 120)
    data = page_data(as_run(tmp_path, results))
    letters = Counter("".join(subject[3] for subject in data["subjects"]))
    letters.pop(NOT_ASKED, None)
    assert {NAMES[letter]: count for letter, count in letters.items()} == Counter(
        one.verdict for one in results
    )
    assert sum(len(row) > 0 for row in data["details"]) == sum(
        one.verdict not in ("PASS", "UNSUPPORTED", "INFO") for one in results
    )


def test_each_clause_of_the_ledger_is_there_and_those_that_it_has_no_more(tmp_path: Path) -> None:
    made = result("FAIL", blamed="99/gone/rule")
    data = page_data(as_run(tmp_path, [made]))
    ids = [clause[0] for clause in data["clauses"]]
    assert ids[:-1] == list(Ledger.load().clauses)
    assert data["clauses"][-1] == ["99/gone/rule"]
    by_id = {clause[0]: clause for clause in data["clauses"]}
    assert by_id[CLAUSES[0]][7:] == ["covered", "", [0]]
    assert by_id[CLAUSES[2]][7] == "OPEN"


def test_nothing_in_the_data_ends_its_element(tmp_path: Path) -> None:
    made = result(
        "FAIL", actual=HOSTILE, reason=HOSTILE, notes=[HOSTILE], param=HOSTILE, link="javascript:alert(1)"
    )
    data = page_data(as_run(tmp_path, [made], problems=[HOSTILE]))
    text = embed(data)
    assert not set("<>&") & set(text)
    assert json.loads(text) == json.loads(json.dumps(data))
    assert HOSTILE in data["texts"]


@pytest.mark.parametrize("text", ["", "a b", "libone says", f"odd {LABEL} libone"])
def test_a_pattern_says_the_same_again(text: str) -> None:
    texts = Texts()
    number = texts.pattern(text, "libone")
    assert expand(texts.all[number], "libone") == text.replace(LABEL, "\ufffd")
    assert texts.pattern(text.replace("libone", "libtwo"), "libtwo") == number


def test_a_page_for_many_is_small(tmp_path: Path) -> None:
    """What a run of 20 peers and 500 cases needs, beside the ledger and its conversations."""
    data = page_data(as_run(tmp_path, chance_run(tmp_path, 20, 500)))
    assert len(embed({**data, "clauses": [], "talks": []})) < 1_500_000
