"""What flood sends and what drain digests, so that the harness can say what must arrive.

The functions are those of specs/control-protocol.md, "flood and drain": message
bodies as a function of seed and index, and a digest over bodies in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

MIN_BODY_OCTETS = 8
_PATTERN = bytes(range(256))


def body(seed: int, index: int, size_octets: int) -> bytes:
    """Body `index` of a flood: its number in 8 octets, then octets (seed + index + position) mod 256."""
    if size_octets < MIN_BODY_OCTETS:
        raise ValueError(f"a body has at least {MIN_BODY_OCTETS} octets, not {size_octets}")
    start = (seed + index + MIN_BODY_OCTETS) % 256
    filler = (_PATTERN * (size_octets // 256 + 2))[start : start + size_octets - MIN_BODY_OCTETS]
    return index.to_bytes(8, "big") + filler


def digest(bodies: Iterable[bytes]) -> str:
    """SHA-256, in hex, over each body in order, each after its length in 8 octets, big-endian."""
    whole = hashlib.sha256()
    for octets in bodies:
        whole.update(len(octets).to_bytes(8, "big"))
        whole.update(octets)
    return whole.hexdigest()


def flood_digest(seed: int, count: int, size_octets: int) -> str:
    """The digest of all of a flood's bodies, 0 to count - 1."""
    return digest(body(seed, index, size_octets) for index in range(count))
