"""The JSON schemas of specs/, and what in a document breaks them, in one line."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

_SPECS = Path(__file__).resolve().parent.parent / "specs"
_DETAIL_CHARACTERS = 200
PEER = "peer.schema.json"
CONTROL = "control.schema.json"


class Fault(NamedTuple):
    """What breaks a schema: the field's dotted path ("" for the whole document), and why, in one line."""

    field: str
    detail: str


@functools.cache
def load_schema(file: str) -> dict[str, Any]:
    """A schema by its file's name in specs/. Raises OSError where there is none."""
    schema: dict[str, Any] = json.loads((_SPECS / file).read_text(encoding="utf-8"))
    return schema


def fault_in(document: Any, file: str, part: str = "") -> Fault | None:
    """The worst fault of a document by a schema, or by a part of it such as "$defs/open-answer"."""
    broken = best_match(_validator(file, part).iter_errors(document))
    return None if broken is None else Fault(_field(broken), _detail(broken))


def answer_fault(answer: Any, op: str) -> Fault | None:
    """What is wrong with an answer to `op`, a JSON value (specs/control.schema.json).

    An operation that the protocol does not have can only be answered by an error.
    """
    known = f"{op}-answer" in load_schema(CONTROL)["$defs"]
    if not known or (isinstance(answer, dict) and "error" in answer):
        return fault_in(answer, CONTROL, "$defs/error-answer")
    return fault_in(answer, CONTROL, f"$defs/{op}-answer/anyOf/1")


@functools.cache
def _validator(file: str, part: str) -> Draft202012Validator:
    schema = load_schema(file)
    if part:
        schema = {"$ref": f"#/{part}", "$defs": schema["$defs"]}
    return Draft202012Validator(schema)


def _field(error: ValidationError) -> str:
    """The dotted path of the field that breaks the schema, list positions in brackets."""
    rule: Any = error.schema
    value: Any = error.validator_value
    instance: Any = error.instance
    words = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path]
    if error.validator == "required":
        words.append(f".{next(name for name in value if name not in instance)}")
    elif error.validator == "additionalProperties":
        words.append(f".{next(name for name in instance if name not in rule['properties'])}")
    return "".join(words).removeprefix(".")


def _detail(error: ValidationError) -> str:
    if error.validator == "required":
        return "missing"
    if error.validator == "additionalProperties":
        return "no such field"
    return error.message.replace("\n", " ")[:_DETAIL_CHARACTERS]
