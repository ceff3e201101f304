"""Every clause that the codec blames stands in the ledger."""

import ast
import re
from pathlib import Path

import harness.zmtp
from harness.clauses import Ledger

ID = re.compile(r"\b\d+/[a-z0-9-]+/[A-Za-z0-9_-]+\b")
FOLDER = Path(harness.zmtp.__file__).parent


def ids_of(path: Path) -> set[str]:
    """Ids in any string of a module, docstrings included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {found for text in texts if isinstance(text, str) for found in ID.findall(text)}


def test_every_clause_exists() -> None:
    used = {found: path.name for path in sorted(FOLDER.rglob("*.py")) for found in ids_of(path)}
    assert len(used) > 30
    ledger = Ledger.load()
    assert {found: file for found, file in used.items() if found not in ledger} == {}


def test_an_id_is_recognised_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text('"""A rule (37/a/b)."""\nraise_(f"15/c/d-e", 1 / 2 / 3)\n', encoding="utf-8")
    assert ids_of(path) == {"37/a/b", "15/c/d-e"}
