"""How each type of socket can be explored: who talks with it, and what stands before a message.

RFC 28 (REP, DEALER, ROUTER), RFC 29, RFC 30, RFC 31. REQ is missing: whoever takes its only request may
leave, and no RFC says what becomes of it then.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """`partner` is the links' type, `envelope` what they send before a message.

    `receives`: its application does. `sends`: it can send when it likes; `answers`: to whom it has heard of
    only. `alone`: it has one partner at a time.
    """

    partner: str
    envelope: tuple[bytes, ...] = ()
    receives: bool = True
    sends: bool = False
    answers: bool = False
    alone: bool = False

    @property
    def has_steady(self) -> bool:
        """Whether one client can be served all along, beside the others."""
        return self.receives and not self.alone


KINDS: dict[str, Kind] = {
    "PULL": Kind("PUSH"),
    "DEALER": Kind("ROUTER", sends=True),
    "ROUTER": Kind("DEALER", answers=True),
    "REP": Kind("REQ", (b"",), answers=True),
    "SUB": Kind("PUB"),
    "XSUB": Kind("PUB", sends=True),
    "XPUB": Kind("SUB", sends=True),
    "PAIR": Kind("PAIR", sends=True, alone=True),
    "PUB": Kind("SUB", receives=False, sends=True),
    "PUSH": Kind("PULL", receives=False, sends=True),
}
