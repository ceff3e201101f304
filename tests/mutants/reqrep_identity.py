"""Faults with the Identity property (RFC 37, The Identity Property)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference.engine import Link
from peers.reference.reqrep import Router
from tests.mutants.registry import mutant, patch


@mutant(
    "reqrep/identity/is-the-address",
    "reqrep/identity/is-compared-by-octets",
    breaks=[
        "24/body/shared-grammar",
        "26/initiate/name-case",
        "28/router/*",
        "37/interop/*",
        "37/metadata/x-reserved",
        "37/null/name-case",
        "libzmq-2/durable/kept-while-away",
        "libzmq-4/handover/*",
        "libzmq-4/mandatory/*",
        "libzmq-4/probe-router/comes-first",
    ],
)
def router_ignores_identity() -> None:
    """Makes up a routing id for everybody."""
    patch(Router, "announced")(lambda original, self, pipe: b"")


@mutant("reqrep/identity/is-the-address", breaks=["37/interop/d10-long"])
def router_cuts_identity() -> None:
    """Uses the first 32 octets of an identity only."""
    patch(Router, "announced")(lambda original, self, pipe: original(self, pipe)[:32])


@mutant("reqrep/identity/is-compared-by-octets")
def router_ignores_case() -> None:
    """Takes identities for the same that differ in case only."""
    patch(Router, "announced")(lambda original, self, pipe: original(self, pipe).lower())


@mutant(
    "reqrep/identity/is-announced",
    breaks=["15/grammar/abnf-identity", "37/interop/d10-continue", "libzmq-2/durable/set-before-connecting"],
)
def keeps_identity_to_itself() -> None:
    """Does not announce the identity that the application chose."""
    patch(Link, "configure")(lambda original, self: replace(original(self), identity=b""))


@mutant("reqrep/identity/is-not-shared", breaks=["28/router/route", "libzmq-4/handover/*"])
def router_lets_identity_be_shared() -> None:
    """Serves two partners under one identity."""
    patch(Router, "accepts")(lambda original, self, pipe: True)


@mutant("reqrep/identity/is-handed-over", breaks=["libzmq-4/handover/newcomer-is-served"])
def router_never_hands_over() -> None:
    """Refuses the second partner with an identity, although configured to hand it over."""
    patch(Router, "hands_over")(lambda original, self, holder: False)


@mutant("reqrep/identity/is-handed-over", breaks=["28/router/route", "libzmq-4/handover/*"])
def router_keeps_hearing_old_holder() -> None:
    """Hands the identity over, but goes on hearing the partner before as if nothing had happened."""
    patch(Router, "hands_over")(lambda original, self, holder: True)
