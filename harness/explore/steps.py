"""What a conversation is made of: values that say themselves in words and know what is simpler."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from harness.zmtp import Frame

WAYS_TO_END = {"close": "closes", "reset": "resets", "half-close": "closes its direction"}
FAR = {"nothing": "", "greeting": ", sends its greeting", "traffic": ", shakes hands"}
FIRST_CHARACTERS = b"abcdefgh"


@dataclass(frozen=True, slots=True)
class Open:
    """A link dials, and goes on to its greeting or to traffic (`far` is a key of FAR)."""

    link: int
    far: str = "traffic"

    def __str__(self) -> str:
        return f"link {self.link} dials{FAR[self.far]}"

    def simpler(self) -> Iterator[Step]:
        """As short as can be is a whole handshake, which needs no other steps."""
        if self.far != "traffic":
            yield replace(self, far="traffic")


@dataclass(frozen=True, slots=True)
class Tell:
    """A link sends a message with frames of these sizes, or its first `cut` octets.

    The last frame begins with a mark that no other message has, so that its size is a least one.
    """

    link: int
    sizes: tuple[int, ...]
    cut: int | None = None
    long: bool = False

    def __str__(self) -> str:
        form = " in the long form" if self.long else ""
        whole = f"a message of {_sizes(self.sizes)}{form}"
        return f"link {self.link} sends " + (
            whole if self.cut is None else f"the first {self.cut} octets of {whole}"
        )

    def parts(self, mark: bytes) -> list[bytes]:
        """The bodies of its frames."""
        return bodies(self.sizes, mark)

    def octets(self, envelope: tuple[bytes, ...], mark: bytes) -> bytes:
        """What goes out, behind the frames of an `envelope`."""
        parts = [*envelope, *self.parts(mark)]
        frames = [
            Frame.of(part, more=n < len(parts), long=self.long or None) for n, part in enumerate(parts, 1)
        ]
        return b"".join(frame.serialize() for frame in frames)[: self.cut]

    def simpler(self) -> Iterator[Step]:
        """Whole, short, with fewer and smaller frames."""
        if self.cut is not None:
            yield replace(self, cut=None)
            yield from (
                replace(self, cut=cut) for cut in (1, 2, self.cut // 2, self.cut - 1) if 0 < cut < self.cut
            )
        if self.long:
            yield replace(self, long=False)
        yield from (replace(self, sizes=sizes) for sizes in fewer(self.sizes))


@dataclass(frozen=True, slots=True)
class Say:
    """A link sends octets, which `words` describe."""

    link: int
    words: str
    octets: bytes

    def __str__(self) -> str:
        return f"link {self.link} sends {self.words}"

    def simpler(self) -> Iterator[Step]:
        """Half of it, where it is octets and no more."""
        if self.words.startswith("octets ") and len(self.octets) > 1:
            half = len(self.octets) // 2
            for octets in (self.octets[:half], self.octets[half:], self.octets[:-1], self.octets[1:]):
                yield replace(self, octets=octets, words=f"octets {octets.hex()}")


@dataclass(frozen=True, slots=True)
class End:
    """A link ends (`how` is a key of WAYS_TO_END)."""

    link: int
    how: str

    def __str__(self) -> str:
        return f"link {self.link} {WAYS_TO_END[self.how]}"

    def simpler(self) -> Iterator[Step]:
        """In good order."""
        if self.how != "close":
            yield replace(self, how="close")


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody sends anything until something comes on this link, or for so many milliseconds."""

    link: int
    ms: int

    def __str__(self) -> str:
        return f"silence until link {self.link} has something, or for {self.ms} ms"

    def simpler(self) -> Iterator[Step]:
        """Nothing is simpler but to leave it out."""
        yield from ()


@dataclass(frozen=True, slots=True)
class Receive:
    """The application takes a message, if one is there."""

    def __str__(self) -> str:
        return "the application receives"

    def simpler(self) -> Iterator[Step]:
        """Nothing is simpler but to leave it out."""
        yield from ()


@dataclass(frozen=True, slots=True)
class Offer:
    """The application sends a message of these sizes; where it needs an address, what it received last."""

    sizes: tuple[int, ...]

    def __str__(self) -> str:
        return f"the application sends a message of {_sizes(self.sizes)}"

    def simpler(self) -> Iterator[Step]:
        """Fewer and smaller frames."""
        yield from (replace(self, sizes=sizes) for sizes in fewer(self.sizes))


Step = Open | Tell | Say | End | Silence | Receive | Offer


@dataclass(frozen=True, slots=True)
class Conversation:
    """Which type of socket is asked, and what happens, in order."""

    socket_type: str
    steps: tuple[Step, ...]

    def words(self) -> list[str]:
        """The whole conversation, a line for each step."""
        others = "clients in good order come before and after"
        return [f"a {self.socket_type} binds; {others}", *map(str, self.steps)]


def bodies(sizes: tuple[int, ...], mark: bytes) -> list[bytes]:
    """Bodies of these sizes, each frame of a letter of its own; the last begins with the mark."""
    parts = [FIRST_CHARACTERS[n : n + 1] * size for n, size in enumerate(sizes)]
    return [*parts[:-1], mark + parts[-1][len(mark) :]]


def fewer(sizes: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """One frame less, or one that is smaller."""
    if len(sizes) > 1:
        yield from (sizes[:n] + sizes[n + 1 :] for n in range(len(sizes)))
    for n, size in enumerate(sizes):
        yield from ((*sizes[:n], less, *sizes[n + 1 :]) for less in (0, 1, 255, 256) if less < size)


def _sizes(sizes: tuple[int, ...]) -> str:
    frames = "1 frame" if len(sizes) == 1 else f"{len(sizes)} frames"
    return f"{frames} ({', '.join(map(str, sizes))} octets)"
