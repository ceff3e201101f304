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
    for mutant in mutants:
        write_peer(folder, f"mutant-{mutant.name}", "tests/mutants/run.py", mutant.name)


def write_peer(folder: Path, name: str, script: str, *arguments: str) -> None:
    """A manifest for the reference as a script of ours runs it, with the reference's claims."""
    claims = tomllib.loads((ROOT / "peers" / "reference" / "peer.toml").read_text("utf-8"))["claims"]
    claim_lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in claims.items())
    command = json.dumps(["{python}", str(ROOT / script), *arguments])
    (folder / name).mkdir(parents=True)
    (folder / name / "peer.toml").write_text(
        f'schema = 1\nname = "{name}"\nlibrary = "zconform reference, broken on purpose"\n'
        f'language = "Python"\nhomepage = "https://example.org/"\n'
        f"[process]\ncommand = {command}\n[claims]\n{claim_lines}\n",
        encoding="utf-8",
    )


ALONE = ("--peer", "mutant-*")
PAIRED = ("--pair", "mutant-*:reference")


def run_cases(
    folder: Path, report: Path, *options: str, who: tuple[str, ...] = ALONE
) -> list[dict[str, Any]]:
    """Judge all mutants in `folder` with the suite, alone or paired with the peer that they are made of.

    The results are as results.json has them.
    """
    command = [
        sys.executable, "-m", "pytest", "conformance/", "-q", "--no-header", "--no-self-test",
        "--ignore", "conformance/guide",
        "-p", "no:cacheprovider", "--peers-dir", str(folder), *who,
        "--report", str(report), "--seed", "1", *options,
    ]  # fmt: skip
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=1800)
    path = report / "results.json"
    assert path.exists(), f"no results:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return list(json.loads(path.read_text("utf-8"))["results"])


def run_own(mutants: Iterable[Mutant], folder: Path, *options: str) -> list[dict[str, Any]]:
    """Judge every mutant with its own cases, below an empty folder."""
    mutants = list(mutants)
    write_peers(mutants, folder / "peers")
    own = ("-p", "tests.mutants.only_own", "-n", "4", "--repeat", "3", "--time-scale", "0.3", *options)
    runs = {"alone": ALONE, "paired": PAIRED}
    kills = [case_id for mutant in mutants for case_id in mutant.kills]
    asked = {"paired" if case_id.startswith("interop/") else "alone" for case_id in kills}
    return [
        result
        for name in sorted(asked)
        for result in run_cases(folder / "peers", folder / name, *own, who=runs[name])
    ]


def catches(result: dict[str, Any]) -> bool:
    """Whether a verdict says that something was wrong with the mutant."""
    return result["verdict"] in ("FAIL", "NON_STRICT") or (
        result["verdict"] == "INFO" and bool(result["blamed"])
    )
