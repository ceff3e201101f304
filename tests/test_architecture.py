"""The house rules that a machine can see: who imports whom, sizes, no sleeps."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MOST_LINES = 400
MOST_FUNCTION_LINES = 40

# A module imports from lower rows only; modules of one row do not know each other, except in one package.
ROWS: dict[str, int] = {
    "harness.console": 1,
    "harness.deadlines": 1,
    "harness.hosts": 1,
    "harness.memory": 1,
    "harness.schema": 1,
    "harness.verdict": 1,
    "harness.zmtp": 2,
    "harness.clauses": 2,
    "harness.manifest": 2,
    "harness.control.messages": 2,
    "harness.control.flood": 2,
    "harness.case": 3,
    "harness.curve": 3,
    "harness.wire": 3,
    "harness.control.client": 3,
    "harness.launch": 3,
    "harness.newpeer": 1,
    "harness.pairs": 3,
    "harness.catalogue": 4,
    "harness.options": 4,
    "harness.peer": 4,
    "harness.known": 4,
    "harness.exchange": 5,
    "harness.expect": 5,
    "harness.plaintalk": 6,
    "harness.pairing": 5,
    "harness.selftest": 5,
    "harness.report": 5,
    "harness.bench": 6,
    "harness.capture": 6,
    "harness.explain": 6,
    "harness.explore": 6,
    "harness.gate": 6,
    "harness.smoke": 6,
    "harness.stage": 6,
    "harness.cli": 8,
    "harness.cli_cases": 7,
    "harness.cli_peers": 7,
    "harness.cli_report": 7,
    "harness.cli_run": 7,
    "harness.cli_results": 7,
    "harness.live": 7,
    "harness.rejudge": 7,
    "harness.pytest_bench": 7,
    "harness.pytest_fixtures": 7,
    "harness.pytest_options": 7,
    "harness.pytest_selection": 7,
    "harness.pytest_blame": 8,
    "harness.pytest_casts": 8,
    "harness.pytest_pairs": 9,
    "harness.pytest_repro": 8,
    "harness.pytest_results": 8,
    "harness.pytest_workers": 8,
    "harness.pytest_plugin": 10,
    "conformance": 11,
}
# One place each for what may change under us.
ONLY_IN = {
    "pytest": {
        f"harness/pytest_{part}.py"
        for part in (
            "bench",
            "casts",
            "plugin",
            "fixtures",
            "options",
            "pairs",
            "repro",
            "results",
            "selection",
            "workers",
        )
    },
    "rich": {"harness/console.py"},
    "nacl": {"harness/curve.py"},
    "docker": {"harness/launch/container.py"},
    "testcontainers": {"harness/launch/container.py"},
    "jsonschema": {"harness/schema.py"},
    "wsproto": set(),
}


def modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, relative ones resolved."""
    package = name_of(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def row_of(module: str) -> tuple[str, int] | None:
    """The entry of ROWS that a module belongs to, the longest first."""
    for name in sorted(ROWS, key=len, reverse=True):
        if module == name or module.startswith(name + "."):
            return name, ROWS[name]
    return None


@pytest.mark.parametrize("path", modules("harness", "conformance"), ids=name_of)
def test_imports_point_to_lower_rows(path: Path) -> None:
    own = row_of(name_of(path))
    if own is None:
        assert name_of(path) in ("harness", "harness.control"), f"{name_of(path)} stands in no row"
        return
    for module in imports(path):
        theirs = row_of(module)
        if theirs is not None and theirs[0] != own[0]:
            assert theirs[1] < own[1], f"{name_of(path)} (row {own[1]}) imports {module} (row {theirs[1]})"


@pytest.mark.parametrize("path", modules("harness/zmtp"), ids=name_of)
def test_the_codec_stands_alone(path: Path) -> None:
    for module in imports(path):
        top = module.split(".")[0]
        assert module.startswith("harness.zmtp") or top in sys.stdlib_module_names, module


@pytest.mark.parametrize("path", modules("harness"), ids=name_of)
def test_third_parties_have_one_place(path: Path) -> None:
    relative = path.relative_to(ROOT).as_posix()
    for module in imports(path):
        places = ONLY_IN.get(module.split(".")[0])
        assert places is None or relative in places, f"{relative} imports {module}"


ADAPTERS = [path for path in modules("peers") if not {"node_modules", "build"} & set(path.parts)]


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_adapters_import_nothing_of_ours(path: Path) -> None:
    allowed = (
        ("harness.zmtp", "harness.control", "harness.curve", "peers.reference")
        if "reference" in path.parts
        else ()
    )
    for module in imports(path):
        if module.split(".")[0] in ("harness", "peers", "conformance", "tests"):
            ok = any(module == name or module.startswith(name + ".") for name in (*allowed, "peers"))
            assert allowed and ok, f"{path} imports {module}"  # noqa: PT018 (one rule)


@pytest.mark.parametrize(
    "path", modules("harness", "conformance", "peers/reference", "tests", "benchmarks"), ids=name_of
)
def test_sizes(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= MOST_LINES, f"{path}: more than {MOST_LINES} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= MOST_FUNCTION_LINES, f"{path}:{node.lineno} {node.name}: {lines} lines"


@pytest.mark.parametrize("path", modules("harness", "conformance", "peers/reference"), ids=name_of)
def test_nobody_sleeps(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            assert name != "sleep", f"{path}:{node.lineno} sleeps"


def test_data_and_prose_only_in_specs() -> None:
    assert not list((ROOT / "specs").rglob("*.py"))
