"""Texts that stand once and are named by their number: runs say the same things thousands of times."""

from __future__ import annotations

LABEL = "\ue000"
"""Stands in a text for the peers' names, "A" or "A:B" (a character that no text of ours has)."""


class Texts:
    """A growing list; the empty text is number 0."""

    def __init__(self) -> None:
        self.all: list[str] = [""]
        self._numbers = {"": 0}

    def number(self, text: str) -> int:
        """The number of a text."""
        number = self._numbers.setdefault(text, len(self.all))
        if number == len(self.all):
            self.all.append(text)
        return number

    def pattern(self, text: str, label: str) -> int:
        """The number of a text that differs from subject to subject by their names only."""
        return self.number(text.replace(LABEL, "\ufffd").replace(label, LABEL))


def expand(pattern: str, label: str) -> str:
    """What a pattern says of the peers with this label."""
    return pattern.replace(LABEL, label)
