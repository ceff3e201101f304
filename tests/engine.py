"""What the container engine has, as its own client lists it."""

from __future__ import annotations

import subprocess
from typing import NamedTuple

KINDS = {"container": ["ps", "-a"], "network": ["network", "ls"]}


class Thing(NamedTuple):
    """A container or a network, and the value of the label that was asked for."""

    kind: str
    id: str
    value: str


def labelled(label: str, kinds: tuple[str, ...] = ("container", "network")) -> list[Thing]:
    """Everything with this label. Raises CalledProcessError where no engine answers."""
    found = []
    for kind in kinds:
        form = '{{.ID}} {{.Label "' + label + '"}}'
        command = ["docker", *KINDS[kind], "--filter", f"label={label}", "--format", form]
        shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
        found += [Thing(kind, *line.split(" ", 1)) for line in shown.stdout.splitlines()]
    return found
