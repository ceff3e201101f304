"""Who started a container, and whether that process is still there.

A harness that is killed cannot clean up; the next one can, if it is sure that the first is gone. What
cannot be known (another machine, another pid namespace) counts as alive.
"""

from __future__ import annotations

import json
import os
import platform
import re
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

_ID = re.compile(r"/([0-9a-f]{64})/hostname$")


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, told from another of the same number by its start (clock ticks since the boot)."""

    host: str
    boot: str
    namespace: str
    container: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> Owner:
        """This process."""
        boot = _read(Path("/proc/sys/kernel/random/boot_id"))
        return cls(platform.node(), boot, _namespace(), own_container(), os.getpid(), _started(os.getpid()))

    @classmethod
    def decode(cls, text: str) -> Owner:
        """From a label; ValueError or TypeError if it is none of ours."""
        return cls(**json.loads(text))

    def encode(self) -> str:
        """As a label."""
        return json.dumps(asdict(self), separators=(",", ":"))

    def is_gone(self, here: Owner, runs: Callable[[str], bool]) -> bool:
        """Whether the process has surely ended; `runs` tells whether the engine runs a container."""
        if self.container and self.container != here.container:
            return not runs(self.container)
        if self.host != here.host:
            return False
        if self.boot != here.boot:
            return True
        return self.namespace == here.namespace and _started(self.pid) != self.started


@dataclass(frozen=True, slots=True)
class RunId:
    """One run of the suite, shared by its workers: a name for what it makes, and the owner of it."""

    name: str
    owner: Owner

    @classmethod
    def new(cls) -> RunId:
        """A run of this process."""
        return cls(f"zconform-{os.getpid()}-{secrets.token_hex(4)}", Owner.current())

    @classmethod
    def decode(cls, text: str) -> RunId:
        """From what the controller passed on."""
        name, _, owner = text.partition(" ")
        return cls(name, Owner.decode(owner))

    def encode(self) -> str:
        """To pass on to a worker."""
        return f"{self.name} {self.owner.encode()}"


def own_container() -> str:
    """The id of the container that this process runs in, "" if it runs in none."""
    for line in _read(Path("/proc/self/mountinfo")).splitlines():
        fields = line.split()
        if len(fields) > 4 and fields[4] == "/etc/hostname" and (match := _ID.search(fields[3])):
            return match[1]
    return ""


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process was started; "" if there is none. Without /proc: whether it is there."""
    if Path("/proc/self/stat").exists():
        fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
        return fields[19] if fields and fields[0] not in "ZX" else ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "there"


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except OSError:
        return ""
