"""The schema, the transcript in the specification and the code say the same."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.control import flood
from harness.control.messages import (
    ANSWERS,
    MAX_LINE_OCTETS,
    Failure,
    MalformedAnswer,
    Ok,
    Request,
    parse_answer,
)

SPECS = Path(__file__).resolve().parents[2] / "specs"
SCHEMA: dict[str, Any] = json.loads((SPECS / "control.schema.json").read_text(encoding="utf-8"))
TEXT = (SPECS / "control-protocol.md").read_text(encoding="utf-8")
LINES = re.search(r"```transcript\n(.*?)```", TEXT, re.DOTALL).group(1).splitlines()  # type: ignore[union-attr]
EXCHANGES = list(zip(LINES[::2], LINES[1::2], strict=True))
KNOWN = [(ask, answer) for ask, answer in EXCHANGES if json.loads(ask[2:])["op"] in ANSWERS]


def answer_validator(op: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{op}-answer", "$defs": SCHEMA["$defs"]})


def request_of(line: str) -> Request:
    fields = json.loads(line[2:])
    return Request(fields.pop("id"), fields.pop("op"), fields)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_transcript_alternates_and_counts() -> None:
    assert all(ask.startswith("> ") and answer.startswith("< ") for ask, answer in EXCHANGES)
    ids = [json.loads(ask[2:])["id"] for ask, _ in EXCHANGES]
    assert ids == list(range(1, len(EXCHANGES) + 1))


def test_transcript_shows_every_operation_and_error_free_op_list() -> None:
    asked = {json.loads(ask[2:])["op"] for ask, _ in EXCHANGES}
    described = {ref["$ref"].removeprefix("#/$defs/").removesuffix("-request") for ref in SCHEMA["oneOf"]}
    assert asked - {"frobnicate"} == described == set(ANSWERS)


@pytest.mark.parametrize(("ask", "answer"), KNOWN)
def test_transcript_matches_schema(ask: str, answer: str) -> None:
    Draft202012Validator(SCHEMA).validate(json.loads(ask[2:]))
    answer_validator(json.loads(ask[2:])["op"]).validate(json.loads(answer[2:]))


@pytest.mark.parametrize(("ask", "answer"), EXCHANGES)
def test_transcript_is_read_by_the_harness(ask: str, answer: str) -> None:
    request = request_of(ask)
    assert json.loads(request.encode()) == json.loads(ask[2:])
    parsed = parse_answer(answer[2:].encode() + b"\n", request)
    assert isinstance(parsed, Failure) == ('"error"' in answer)


def test_an_unknown_operation_is_no_request_of_the_schema() -> None:
    assert not Draft202012Validator(SCHEMA).is_valid({"id": 1, "op": "frobnicate"})


WRONG: list[tuple[str, Any]] = [
    ("hello", {"peer": "x", "library": "x", "version": "x", "language": "x"}),
    ("hello", {"peer": "x", "library": "x", "version": 1, "language": "x", "control": "1"}),
    ("open", {}),
    ("open", {"socket": 1.5}),
    ("open", {"socket": True}),
    ("open", {"socket": ""}),
    ("open", {"socket": None}),
    ("get", {"value": [1]}),
    ("bind", {"endpoint": 5}),
    ("connect", {"endpoint": "x", "routing_id": 5}),
    ("connect", {"endpoint": "x", "routing_id": "000001"}),
    ("connect", {"endpoint": "x", "routing_id": "0000000G"}),
    ("send", {"outcome": "ok"}),
    ("send", {"outcome": ["accepted"]}),
    ("send", {}),
    ("recv", {"parts": []}),
    ("recv", {"parts": "00"}),
    ("recv", {"parts": ["0"]}),
    ("recv", {"parts": ["FF"]}),
    ("recv", {"parts": ["0 "]}),
    ("recv", {"parts": ["00 00"]}),
    ("recv", {"parts": ["00\t00"]}),
    ("recv", {"parts": ["00", 1]}),
    ("poll", {"readable": 1}),
    ("poll", {"readable": [None]}),
    ("flood", {"accepted": -1}),
    ("flood", {"accepted": True}),
    ("drain", {"received": 0, "digest": "00", "first": None, "last": None}),
    ("drain", {"received": 0, "digest": "0" * 64, "first": "0", "last": None}),
    ("drain", {"received": 0, "digest": "0" * 64, "first": None}),
    ("monitor", {"events": {}}),
    ("monitor", {"events": [{"event": "connected"}]}),
    ("close", []),
    ("close", None),
]


@pytest.mark.parametrize(("op", "ok"), WRONG)
def test_schema_and_harness_refuse_the_same(op: str, ok: Any) -> None:
    answer = {"id": 4, "ok": ok}
    assert not answer_validator(op).is_valid(answer)
    with pytest.raises(MalformedAnswer) as caught:
        parse_answer(json.dumps(answer).encode(), Request(4, op))
    assert caught.value.field.startswith("ok")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "field"),
    [
        ("failed", "error"),
        ({"detail": "x"}, "error.kind"),
        ({"kind": "oops", "detail": "x"}, "error.kind"),
        ({"kind": ["failed"], "detail": "x"}, "error.kind"),
        ({"kind": "failed"}, "error.detail"),
        ({"kind": "failed", "detail": 3}, "error.detail"),
    ],
)
def test_schema_and_harness_refuse_the_same_errors(error: Any, field: str) -> None:
    answer = {"id": 4, "error": error}
    assert not answer_validator("send").is_valid(answer)
    with pytest.raises(MalformedAnswer) as caught:
        parse_answer(json.dumps(answer).encode(), Request(4, "send"))
    assert caught.value.field == field


def test_the_bound_of_a_line_is_the_one_specified() -> None:
    assert f"{MAX_LINE_OCTETS:,} octets" in TEXT


def test_the_flood_of_the_transcript() -> None:
    drained = next(json.loads(answer[2:])["ok"] for ask, answer in EXCHANGES if '"drain"' in ask)
    assert drained["digest"] == flood.flood_digest(7, 3, 12)


def test_bodies_are_as_specified() -> None:
    assert flood.body(7, 2, 12).hex(" ") in TEXT
    for seed, index, size in [(0, 0, 8), (250, 9, 700), (2**32 - 1, 2**33, 256)]:
        body = flood.body(seed, index, size)
        assert body[:8] == index.to_bytes(8, "big")
        assert list(body[8:]) == [(seed + index + j) % 256 for j in range(8, size)]


def test_a_body_holds_at_least_its_index() -> None:
    with pytest.raises(ValueError, match="at least 8"):
        flood.body(0, 0, 7)


def test_the_digest_tells_order_and_lengths_apart() -> None:
    assert flood.digest([]) in TEXT
    assert len({flood.digest(bodies) for bodies in ([b"ab"], [b"a", b"b"], [b"b", b"a"], [b"", b"ab"])}) == 4


def test_octets_come_back_as_octets() -> None:
    request = Request(1, "recv", {"socket": 1, "timeout_ms": 0})
    assert parse_answer(b'{"id":1,"ok":{"parts":["00ff",""]}}', request) == Ok({"parts": [b"\0\xff", b""]})
    request = Request(2, "get", {"socket": 1, "option": "identity"})
    assert parse_answer(b'{"id":2,"ok":{"value":"6162"}}', request) == Ok({"value": b"ab"})
    with pytest.raises(MalformedAnswer):
        parse_answer(b'{"id":2,"ok":{"value":5}}', request)


def test_octets_go_out_as_hex_wherever_they_stand() -> None:
    request = Request(3, "open", {"type": "DEALER", "options": {"identity": b"ab", "mandatory": True}})
    assert json.loads(request.encode())["options"] == {"identity": "6162", "mandatory": True}
    request = Request(3, "send", {"socket": 1, "parts": (b"\xff", b""), "timeout_ms": 0})
    assert json.loads(request.encode())["parts"] == ["ff", ""]
