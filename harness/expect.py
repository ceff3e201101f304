"""`--expect [PEER=]FILE`: a list of known deviations for one's own peer that does not stand in its folder.

It has the form of known.toml (harness.known), and its entries count before those of the folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.known import Entry, KnownError, load_list

_NAMED = re.compile(r"(?P<peer>[a-z0-9]+(?:[.-][a-z0-9]+)*)=(?P<file>.+)", re.DOTALL)


class Expected(NamedTuple):
    """Whose deviations a file lists."""

    peer: str
    file: Path


def parse_expected(
    wishes: Sequence[str], peers: Sequence[str], judged: Sequence[str] | None = None
) -> list[Expected]:
    """Read the option's values; `peers` are those of the run, `judged` those that it is about, if not all.

    A file without a peer is for the one that is judged, if it is one. Raises KnownError.
    """
    about = peers if judged is None else judged
    found = []
    for wish in wishes:
        named = _NAMED.fullmatch(wish)
        if named is None and len(about) != 1:
            told = ", ".join(about) or "none"
            raise KnownError(f"--expect {wish}: say PEER={wish}: which of these is it for? ({told})")
        peer, file = (named["peer"], named["file"]) if named is not None else (about[0], wish)
        if peer not in peers:
            raise KnownError(f"--expect {wish}: {peer!r} is not judged")
        found.append(Expected(peer, Path(file)))
    return found


def with_expected(known: Mapping[str, list[Entry]], expected: Sequence[Expected]) -> dict[str, list[Entry]]:
    """Each peer's list with the expected entries before it. Raises KnownError.

    A peer's own known.toml may be given, too; its entries stand once.
    """
    lists = dict(known)
    for peer, file in expected:
        mine = load_list(file)
        already = file.resolve()
        rest = [entry for entry in lists.get(peer, []) if Path(entry.file).resolve() != already]
        lists[peer] = mine + rest
    return lists
