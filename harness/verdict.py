"""The seven verdicts, and the exception by which a case says that a rule did not hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a case came to for a peer. None of them is grey: each says what to do next."""

    PASS = "PASS"
    FAIL = "FAIL"
    NON_STRICT = "NON_STRICT"
    INFO = "INFO"
    UNSUPPORTED = "UNSUPPORTED"
    KNOWN = "KNOWN"
    ERROR = "ERROR"

    @property
    def is_bad(self) -> bool:
        """Whether something was wrong, listed or not: there is more to tell than the verdict."""
        return self not in (Verdict.PASS, Verdict.INFO, Verdict.UNSUPPORTED)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a trace: which connection, who sent there ("dialer" or "listener"), which octet."""

    connection: int
    sender: str
    offset: int


class Mismatch(AssertionError):
    """A rule did not hold: what was expected, what was seen instead.

    `clause` is the rule to blame; None blames the first clause that the case cites. `place` is where
    in the trace it shows, None where only the application saw it. `fatal` says that the peer itself went
    down, which no clause's level makes harmless.
    """

    def __init__(
        self,
        expected: str,
        actual: str,
        clause: str | None = None,
        place: Place | None = None,
        *,
        fatal: bool = False,
    ) -> None:
        super().__init__(f"expected {expected}, got {actual}")
        self.expected = expected
        self.actual = actual
        self.clause = clause
        self.place = place
        self.fatal = fatal

    def blaming(self, clause: str) -> Mismatch:
        """The same, with another rule to blame."""
        return Mismatch(self.expected, self.actual, clause, self.place, fatal=self.fatal)
