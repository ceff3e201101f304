"""The cases that there are, read from the files below `conformance/`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from harness.case import ATTRIBUTE, Case
from harness.clauses import SPECS

CASES = SPECS.parent / "conformance"


def collect_cases(folder: Path = CASES) -> list[Case]:
    """Every case below a folder, by id; the files are loaded as pytest would load them."""
    found: dict[str, Case] = {}
    for path in sorted(folder.rglob("test_*.py")):
        name = ".".join(path.relative_to(folder.parent).with_suffix("").parts)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for value in vars(module).values():
            made = getattr(value, ATTRIBUTE, None)
            if isinstance(made, Case):
                found[made.id] = made
    return [found[case_id] for case_id in sorted(found)]
