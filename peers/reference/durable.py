"""Durable identities, as libzmq 2.x has them for partners of ZMTP 1.0 that announce one."""

from typing import TYPE_CHECKING

from .options import Options

if TYPE_CHECKING:
    from .pipe import Pipe


class Durables:
    """The double queues that a socket keeps for partners with a name, by that name."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.kept: dict[bytes, Pipe] = {}

    def name_of(self, pipe: "Pipe") -> bytes:
        """By which name the partner of an accepted pipe is known when it comes back; empty for none."""
        if pipe.dialled or self.options.handover or pipe.link is None or pipe.partner is None:
            return b""
        return pipe.partner.identity if pipe.link.version == 1 else b""

    def holder(self, pipe: "Pipe") -> "Pipe | None":
        """The pipe that is kept for the partner of this one, if there is any."""
        name = self.name_of(pipe)
        return self.kept.get(name) if name else None

    def keep(self, pipe: "Pipe") -> None:
        """Keep a pipe from now on, whatever becomes of its links, if its partner has a name."""
        name = self.name_of(pipe)
        if name:
            pipe.durable = True
            self.kept[name] = pipe
