from __future__ import annotations

from typing import Any

import pytest

from harness import schema

HELLO = {"peer": "a", "library": "b", "version": "c", "language": "d", "control": "1"}


@pytest.mark.parametrize(
    ("op", "answer"),
    [
        ("hello", {"id": 1, "ok": HELLO}),
        ("hello", {"id": 1, "ok": {**HELLO, "more": 1}}),
        ("close", {"id": 2, "ok": {}}),
        ("close", {"id": 2, "error": {"kind": "failed", "detail": ""}}),
        ("frobnicate", {"id": 2, "error": {"kind": "unsupported", "detail": "frobnicate"}}),
    ],
)
def test_sound_answers_have_no_fault(op: str, answer: Any) -> None:
    assert schema.answer_fault(answer, op) is None


@pytest.mark.parametrize(
    ("op", "answer", "field", "detail"),
    [
        ("close", 5, "", "is not of type 'object'"),
        ("close", {"id": 1, "ok": {}, "took_ms": 3}, "took_ms", "no such field"),
        ("close", {"ok": {}}, "id", "missing"),
        ("close", {"id": 0, "ok": {}}, "id", "less than the minimum"),
        ("close", {"id": 1, "ok": {}, "error": {"kind": "failed", "detail": ""}}, "ok", "no such field"),
        ("open", {"id": 1, "ok": {"socket": ""}}, "ok.socket", ""),
        ("hello", {"id": 1, "ok": {**HELLO, "peer": "My Peer"}}, "ok.peer", "does not match"),
        ("recv", {"id": 1, "ok": {"parts": ["0G"]}}, "ok.parts[0]", "does not match"),
        ("send", {"id": 1, "error": {"kind": "EAGAIN", "detail": ""}}, "error.kind", "is not one of"),
        ("send", {"id": 1, "error": {"kind": "failed"}}, "error.detail", "missing"),
        ("frobnicate", {"id": 2, "ok": {}}, "ok", "no such field"),
    ],
)
def test_a_fault_has_field_and_reason(op: str, answer: Any, field: str, detail: str) -> None:
    fault = schema.answer_fault(answer, op)
    assert fault is not None
    assert fault.field == field
    assert detail in fault.detail


def test_a_fault_is_one_short_line() -> None:
    fault = schema.answer_fault({"id": 1, "ok": ["a\nb" * 10_000]}, "open")
    assert fault is not None
    assert "\n" not in fault.detail
    assert len(fault.detail) <= 200
