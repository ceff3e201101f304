"""The ledger: what a clause file must look like, and what one line says when it does not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.clauses import Clause, Ledger, LedgerError, UnknownClause, default_judgement

HEAD = """
spec    = "28/REQREP"
edition = "stable"
subject = "ROUTER"
"""


RULE = "28/router/rule"


def clause(extra: str = "", *, clause_id: str = RULE, level: str = "SHALL", seen: str = '["wire"]') -> str:
    return f"""
[[clause]]
id    = "{clause_id}"
level = "{level}"
where = "The ROUTER socket type, 1st bullet"
text  = "A rule in our words."
seen  = {seen}
{extra}
"""


def load(root: Path, *bodies: str) -> Ledger:
    for number, body in enumerate(bodies):
        (root / f"file{number}.toml").write_text(HEAD + body, encoding="utf-8")
    return Ledger.load(root)


def complaint(root: Path, *bodies: str) -> str:
    with pytest.raises(LedgerError) as caught:
        load(root, *bodies)
    text = str(caught.value)
    assert "\n" not in text
    return text


class TestLoading:
    def test_a_clause_has_all_that_its_file_says(self, tmp_path: Path) -> None:
        extra = 'status = "ambiguous"\nreading = "Both pass."\njudged = "informational"'
        loaded = load(tmp_path, clause(extra, seen='["api", "wire"]')).get("28/router/rule")
        assert loaded == Clause(
            id="28/router/rule",
            level="SHALL",
            where="The ROUTER socket type, 1st bullet",
            text="A rule in our words.",
            seen=("api", "wire"),
            status="ambiguous",
            by=None,
            why=None,
            reading="Both pass.",
            judged="informational",
            same_as=None,
            spec="28/REQREP",
            edition="stable",
            subject="ROUTER",
            file="file0.toml",
        )

    def test_files_are_found_in_folders_and_named_from_the_root(self, tmp_path: Path) -> None:
        (tmp_path / "reqrep").mkdir()
        (tmp_path / "reqrep" / "router.toml").write_text(HEAD + clause(), encoding="utf-8")
        assert Ledger.load(tmp_path).get("28/router/rule").file == "reqrep/router.toml"

    def test_specifications_come_in_the_order_of_their_numbers(self, tmp_path: Path) -> None:
        for number, name in (("37", "a"), ("9", "b"), ("28", "c")):
            head = HEAD.replace("28/REQREP", f"{number}/SPEC")
            (tmp_path / f"{name}.toml").write_text(head + clause(clause_id=f"{number}/a/b"), encoding="utf-8")
        assert [found.id for found in Ledger.load(tmp_path)] == ["9/a/b", "28/a/b", "37/a/b"]

    def test_clauses_keep_their_place_in_the_file(self, tmp_path: Path) -> None:
        ledger = load(tmp_path, clause(clause_id="28/z/z") + clause(clause_id="28/a/a"))
        assert [found.id for found in ledger] == ["28/z/z", "28/a/a"]

    def test_nothing_can_be_changed_afterwards(self, tmp_path: Path) -> None:
        ledger = load(tmp_path, clause())
        with pytest.raises(dataclasses.FrozenInstanceError):
            ledger.get("28/router/rule").level = "MAY"  # type: ignore[misc]
        with pytest.raises(TypeError):
            ledger.clauses["28/x/y"] = ledger.get("28/router/rule")  # type: ignore[index]

    def test_a_library_s_own_rules_come_behind_the_rfcs(self, tmp_path: Path) -> None:
        (tmp_path / "a.toml").write_text(
            HEAD.replace("28/REQREP", "lib-2/API") + clause(clause_id="lib-2/swap/in-order"), encoding="utf-8"
        )
        (tmp_path / "b.toml").write_text(HEAD + clause(), encoding="utf-8")
        assert [one.id for one in Ledger.load(tmp_path)] == [RULE, "lib-2/swap/in-order"]


class TestJudgement:
    @pytest.mark.parametrize(
        ("level", "status", "expected"),
        [
            ("MUST", None, "strict"),
            ("SHALL NOT", None, "strict"),
            ("GRAMMAR", None, "strict"),
            ("PROSE", "implied", "strict"),
            ("SHOULD", None, "non-strict"),
            ("SHOULD NOT", None, "non-strict"),
            ("RECOMMENDED", None, "non-strict"),
            ("MAY", None, "informational"),
            ("PROSE", "permission", "informational"),
        ],
    )
    def test_follows_from_level_and_status(self, level: str, status: str | None, expected: str) -> None:
        assert default_judgement(level, status) == expected  # type: ignore[arg-type]

    def test_what_the_file_says_goes_first(self, tmp_path: Path) -> None:
        ledger = load(tmp_path, clause('judged = "strict"', level="MAY"))
        assert ledger.get("28/router/rule").judged == "strict"


class TestAsking:
    def test_an_unknown_id_is_a_key_error_that_names_neighbours(self, tmp_path: Path) -> None:
        ledger = load(tmp_path, clause())
        with pytest.raises(UnknownClause, match="'28/router/rules'; did you mean 28/router/rule") as caught:
            ledger.get("28/router/rules")
        assert isinstance(caught.value, KeyError)

    def test_a_glob_crosses_slashes(self, tmp_path: Path) -> None:
        ledger = load(tmp_path, clause(clause_id="28/a/one") + clause(clause_id="28/b/one"))
        assert [found.id for found in ledger.matching("28/*one")] == ["28/a/one", "28/b/one"]
        assert [found.id for found in ledger.matching("28/b/*")] == ["28/b/one"]
        assert ledger.matching("29/*") == ()

    def test_membership_and_length(self, tmp_path: Path) -> None:
        ledger = load(tmp_path, clause())
        assert "28/router/rule" in ledger
        assert "28/router/other" not in ledger
        assert len(ledger) == 1

    def test_the_twin_is_the_end_of_the_chain(self, tmp_path: Path) -> None:
        ledger = load(
            tmp_path,
            clause('same_as = "28/b/b"', clause_id="28/a/a")
            + clause('same_as = "28/c/c"', clause_id="28/b/b")
            + clause(clause_id="28/c/c"),
        )
        assert ledger.twin(ledger.get("28/a/a")).id == "28/c/c"
        assert ledger.twin(ledger.get("28/c/c")).id == "28/c/c"


class TestComplaints:
    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            (clause('colour = "red"'), "file0.toml: 28/router/rule: colour: unknown key"),
            (clause(level="WOULD"), "file0.toml: 28/router/rule: level: 'WOULD' is none of MUST, "),
            (clause('status = "done"'), "file0.toml: 28/router/rule: status: 'done' is none of permission, "),
            (clause('judged = "harsh"'), "file0.toml: 28/router/rule: judged: 'harsh' is none of strict, "),
            (clause(seen='["eye"]'), "file0.toml: 28/router/rule: seen: 'eye' is none of wire, api"),
            (clause(seen='"wire"'), "file0.toml: 28/router/rule: seen: must be a list"),
            (clause(seen='["wire", "wire"]'), "file0.toml: 28/router/rule: seen: names a witness twice"),
            (clause(seen="[]"), "file0.toml: 28/router/rule: seen: is empty"),
            (clause() + clause(), "file0.toml: 28/router/rule: id: also in file0.toml"),
            (clause(clause_id="28/rule"), "file0.toml: 28/rule: id: must read RFC/subject/rule"),
            (clause(clause_id="29/pub/rule"), "file0.toml: 29/pub/rule: id: must begin with 28/"),
            (clause('by = "28/a/b"'), "file0.toml: 28/router/rule: by: belongs to the status implied"),
            (clause('why = "so"'), "file0.toml: 28/router/rule: why: excuses nothing"),
            (clause('reading = " "'), "file0.toml: 28/router/rule: reading: must be a text"),
            (clause().replace('"A rule in our words."', "7"), f"file0.toml: {RULE}: text: must be a text"),
            ("", "file0.toml: (file): clause: needs at least one"),
            ("clause = [1]", "file0.toml: (file): clause: needs at least one"),
            ("[[clause]", "file0.toml: (file): TOML: "),
            ('colour = "red"' + clause(), "file0.toml: (head): colour: unknown key"),
        ],
    )
    def test_one_line_names_file_clause_and_field(self, tmp_path: Path, body: str, expected: str) -> None:
        assert complaint(tmp_path, body).startswith(expected)

    @pytest.mark.parametrize("key", ["id", "level", "where", "text", "seen"])
    def test_every_clause_needs_its_texts(self, tmp_path: Path, key: str) -> None:
        body = "\n".join(line for line in clause().splitlines() if line.split("=")[0].strip() != key)
        name = "clause 1" if key == "id" else "28/router/rule"
        assert complaint(tmp_path, body) == f"file0.toml: {name}: {key}: missing"

    @pytest.mark.parametrize("key", ["spec", "edition", "subject"])
    def test_every_file_needs_its_head(self, tmp_path: Path, key: str) -> None:
        head = "\n".join(line for line in HEAD.splitlines() if not line.startswith(key))
        (tmp_path / "file.toml").write_text(head + clause(), encoding="utf-8")
        with pytest.raises(LedgerError, match=rf"^file\.toml: \(head\): {key}: missing$"):
            Ledger.load(tmp_path)

    @pytest.mark.parametrize(
        ("status", "needed"),
        [("implied", "by"), ("unobservable", "why"), ("ambiguous", "reading"), ("optional", "why")],
    )
    def test_a_status_needs_its_reason(self, tmp_path: Path, status: str, needed: str) -> None:
        text = complaint(tmp_path, clause(f'status = "{status}"'))
        assert text == f"file0.toml: 28/router/rule: {needed}: missing, and the status is {status}"

    def test_the_same_id_in_two_files(self, tmp_path: Path) -> None:
        assert complaint(tmp_path, clause(), clause()) == "file1.toml: 28/router/rule: id: also in file0.toml"

    @pytest.mark.parametrize("extra", ['status = "implied"\nby = "28/no/one"', 'same_as = "28/no/one"'])
    def test_a_target_must_exist(self, tmp_path: Path, extra: str) -> None:
        assert complaint(tmp_path, clause(extra)).endswith("no clause has the id '28/no/one'")

    @pytest.mark.parametrize("line", ['same_as = "{}"', 'status = "implied"\nby = "{}"'])
    def test_no_chain_may_bite_its_tail(self, tmp_path: Path, line: str) -> None:
        first = clause(line.format("28/b/b"), clause_id="28/a/a")
        second = clause(line.format("28/a/a"), clause_id="28/b/b")
        assert "leads in a ring through '28/a/a'" in complaint(tmp_path, first + second)

    def test_nothing_is_implied_by_what_no_case_shows(self, tmp_path: Path) -> None:
        implied = clause('status = "implied"\nby = "28/b/b"', clause_id="28/a/a")
        hidden = clause('status = "unobservable"\nwhy = "inside"', clause_id="28/b/b", seen="[]")
        assert complaint(tmp_path, implied + hidden).startswith("file0.toml: 28/a/a: by: leads to 28/b/b")


class TestThisProject:
    def test_the_clause_files_load(self) -> None:
        specs = {one.spec for one in Ledger.load()}
        assert specs >= {"23/ZMTP", "28/REQREP", "29/PUBSUB", "30/PIPELINE", "31/EXPAIR", "37/ZMTP"}
        assert specs >= {"25/ZMTP-CURVE", "26/CURVEZMQ", "27/ZAP", "45/ZWS"}
        assert specs >= {"libzmq-2/API", "libzmq-3/API", "libzmq-4/API"}
        assert specs >= {"41/CLIENTSERVER", "48/RADIO-DISH", "49/SCATTERGATHER", "51/P2P", "52/CHANNEL"}

    def test_a_text_is_a_sentence_that_ends(self) -> None:
        assert [one.id for one in Ledger.load() if not one.text.endswith((".", ".)"))] == []

    def test_a_clause_and_its_twin_are_judged_alike(self) -> None:
        ledger = Ledger.load()
        twins = [(one, ledger.twin(one)) for one in ledger if one.same_as and one.status is None]
        assert twins
        assert [one.id for one, twin in twins if (one.level, one.judged) != (twin.level, twin.judged)] == []
