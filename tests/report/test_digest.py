"""summary.md as a reader of Markdown understands it: what strangers wrote stays inside code spans."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from harness.report.digest import MOST_LINES, MOST_ROWS, digest
from harness.report.markdown import MOST_CHARACTERS, code, fenced
from tests.report.records import about, record, result

HOSTILE = [
    "plain",
    "`",
    "``` a ` b ``",
    "`ends`",
    "a|b\\|c",
    "<img src=x onerror=alert(1)>",
    "![x](http://evil.example/x.png) [y](http://evil.example)",
    "@everyone #1 http://evil.example",
    "one\n\n# two\r\n- three\n| four |",
    "\x1b[31m\x00\u202e",
    " ",
    "",
    "\\`",
    "</code></td>",
]
READER = MarkdownIt("commonmark").enable("table")
MARKUP = {"html_inline", "html_block", "image", "link_open", "hr", "blockquote_open", "fence", "code_block"}


def tokens(text: str) -> Iterator[Token]:
    for token in READER.parse(text):
        yield token
        yield from token.children or ()


def shown(text: str) -> str:
    """What a reader sees of a text: control characters as escapes."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_code_span_holds_any_text(text: str) -> None:
    found = list(tokens(f"before {code(text)} after"))
    assert not MARKUP & {token.type for token in found}
    (span,) = (token for token in found if token.type == "code_inline")
    assert span.content.strip() == shown(text).strip()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_code_block_holds_any_text(text: str) -> None:
    (block,) = READER.parse(fenced(text, "toml"))
    assert (block.type, block.info) == ("fence", "toml")
    assert block.content.splitlines() == [shown(line) for line in text.splitlines()]


def test_a_long_text_is_cut() -> None:
    assert code("x" * 500) == f"`{'x' * MOST_CHARACTERS}…`"


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_a_peer_sent_is_markup(text: str) -> None:
    """As expected and actual, reason, parameter, problem, name and version of a peer."""
    name = f"p{text}"
    failed = result(verdict="FAIL", peers=[name], expected=text, actual=text, param=text, blamed="a/b/c")
    error = result("a/b/d", "ERROR", peers=[name], reason=text)
    often = [result("a/b/e", verdict, peers=[name], param=text) for verdict in ("PASS", "KNOWN")]
    peers = {name: about(name, text)}
    made = digest(record(failed, error, *often, problems=[text], peers=peers))
    found = list(tokens(made))
    assert not MARKUP & {token.type for token in found}
    assert [token.tag for token in found if token.type == "heading_open"] == ["h3"]
    rows = [token for token in found if token.type == "tr_open"]
    cells = [token for token in found if token.type in ("td_open", "th_open")]
    assert (len(rows), len(cells)) == (2, 2 * 5)
    outside = "".join(token.content for token in found if token.type == "text")
    assert "evil" not in outside
    assert "everyone" not in outside
    spans = [token.content for token in found if token.type == "code_inline"]
    assert sum(shown(text).strip() in span for span in spans) >= 7


def test_what_makes_a_run_red_and_how_much_of_it() -> None:
    made = digest(record(result(), result("a/b/c", "FAIL"), result("a/b/d", "ERROR", reason="no engine")))
    assert made.startswith("### zconform: red\n\n| peer | PASS | FAIL | ERROR |\n")
    assert "| `p 1.0` | 1 | 1 | 1 |" in made
    clause = "`37/version/padding-no-meaning`"
    assert f"- FAIL `p` `a/b/c`: expected `early`, got `late` ({clause})\n" in made
    assert "- ERROR `p` `a/b/d`: `no engine`" in made
    assert made.endswith("3 verdicts, suite `0.1.0`, seed 1\n")


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "green"),
        ({"complete": False}, "green (incomplete)"),
        ({"complete": False, "ended": False}, "green (broken off, incomplete)"),
        ({"problems": ["x"]}, "red"),
        ({"strict": True}, "red"),
    ],
)
def test_the_state_of_a_run(changes: dict[str, object], state: str) -> None:
    made = digest(record(result(verdict="NON_STRICT"), **changes))
    assert made.splitlines()[0] == f"### zconform: {state}"


def test_long_lists_are_cut_and_counted() -> None:
    many = [result(f"a/b/c{n}", "FAIL", peers=[f"p{n:02}"]) for n in range(MOST_ROWS + 5)]
    made = digest(record(*many))
    assert "\n\n5 more rows\n" in made
    assert f"- {MOST_ROWS + 5 - MOST_LINES} more failures\n" in made
    assert made.count("- FAIL") == MOST_LINES


def test_what_came_out_differently_is_told_with_its_rate() -> None:
    often = [result(verdict=verdict, param="x") for verdict in ("PASS", "KNOWN", "PASS", "PASS")]
    told = "Came out differently when asked again:\n\n- `p` `zmtp/sample/rule[x]`: KNOWN 1/4, PASS 3/4\n"
    assert told in digest(record(*often))
    assert "Came out" not in digest(record(*often[2:]))
