"""Runs mutants against cases in a pytest of their own and says who was caught by what."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.mutants.registry import Mutant

ROOT = Path(__file__).resolve().parent.parent


def write_peers(mutants: Iterable[Mutant], folder: Path) -> None:
    """A manifest for each mutant, with the reference's claims."""
    claims = tomllib.loads((ROOT / "peers" / "reference" / "peer.toml").read_text("utf-8"))["claims"]
    claim_lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in claims.items())
    for mutant in mutants:
        own = folder / f"mutant-{mutant.name}"
        own.mkdir(parents=True)
        command = json.dumps(["{python}", str(ROOT / "tests" / "mutants" / "run.py"), mutant.name])
        (own / "peer.toml").write_text(
            f'schema = 1\nname = "mutant-{mutant.name}"\nlibrary = "zconform reference, broken on purpose"\n'
            f'language = "Python"\nhomepage = "https://example.org/"\n'
            f"[process]\ncommand = {command}\n[claims]\n{claim_lines}\n",
            encoding="utf-8",
        )


def run_cases(folder: Path, report: Path, *options: str) -> list[dict[str, Any]]:
    """Judge all mutants in `folder` with the suite; the results as results.json has them."""
    command = [
        sys.executable, "-m", "pytest", "conformance/", "-q", "--no-header", "--no-self-test",
        "-p", "no:cacheprovider", "--peers-dir", str(folder), "--peer", "mutant-*",
        "--report", str(report), "--seed", "1", *options,
    ]  # fmt: skip
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=1800)
    path = report / "results.json"
    assert path.exists(), f"no results:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return list(json.loads(path.read_text("utf-8"))["results"])


def catches(result: dict[str, Any]) -> bool:
    """Whether a verdict says that something was wrong with the mutant."""
    return result["verdict"] in ("FAIL", "NON_STRICT") or (
        result["verdict"] == "INFO" and bool(result["blamed"])
    )
