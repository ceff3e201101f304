"""CURVE opened, as far as keys go.

A capture never shows the transient secret keys on which a session rests: the permanent key of the server
opens HELLO and WELCOME and nothing behind them, which is what CURVE promises (perfect forward secrecy).
A transient secret key of either side, which an implementation has to hand out, opens all the rest: the
server's by itself, the client's together with the server's public or secret permanent key, to learn the
server's transient one from WELCOME.

Source: RFC 26, "Overall Operation" and "CurveZMQ Commands"; RFC 32 for keys as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.curve import (
    INITIATE,
    KEY_OCTETS,
    READY,
    VOUCH_OCTETS,
    WELCOME,
    Client,
    KeyPair,
    Server,
    Side,
    unseal,
)
from harness.wire.render import describe
from harness.wire.trace import Sender
from harness.zmtp import (
    Cover,
    CurveHello,
    CurveInitiate,
    CurveMessage,
    CurveReady,
    CurveWelcome,
    Initiate,
    Ready,
    Received,
    RemoteProtocolError,
    Undecodable,
    Value,
)
from harness.zmtp.metadata import parse_properties, property_faults

_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_UNOPENED = "a box that does not open"


def parse_key(text: str) -> bytes:
    """A key of 32 octets, written as 40 characters of Z85 or 64 of hexadecimal. Raises ValueError."""
    if len(text) == 2 * KEY_OCTETS:
        return bytes.fromhex(text)
    if len(text) != KEY_OCTETS // 4 * 5:
        raise ValueError(f"a key is 40 characters of Z85 or 64 of hexadecimal, not {len(text)}")
    out = b""
    for at in range(0, len(text), 5):
        number = 0
        for char in text[at : at + 5]:
            if char not in _Z85:
                raise ValueError("a key has a character that Z85 does not have")
            number = number * 85 + _Z85.index(char)
        if number >= 1 << 32:
            raise ValueError("a key has five characters that Z85 does not have")
        out += number.to_bytes(4, "big")
    return out


@dataclass(frozen=True, slots=True)
class Keys:
    """Secret keys of whatever kind, tried in turn, and public permanent keys of servers; 32 octets each."""

    secrets: Sequence[bytes] = ()
    servers: Sequence[bytes] = ()

    def __bool__(self) -> bool:
        return bool(self.secrets)


class Opener:
    """Opens what it can of one connection's boxes."""

    def __init__(self, keys: Keys) -> None:
        self._pairs = [KeyPair.of(secret) for secret in keys.secrets]
        self._servers = list(keys.servers)
        self._hello: CurveHello | None = None
        self._client: Sender = "dialer"
        self._transient = b""
        self._opened_welcome = self._opened_session = False
        self._covers: dict[bool, Cover] = {}
        self._trouble: list[str] = []

    def open(self, sender: Sender, received: Received) -> list[Received]:
        """What stands in a box, in its place; what cannot be opened as it is."""
        value = received.value
        try:
            if isinstance(value, CurveHello):
                self._hello, self._client = value, sender
            elif isinstance(value, CurveWelcome):
                self._take_welcome(value)
            elif isinstance(value, CurveInitiate):
                return self._introduction(received, self._open_initiate(value))
            elif isinstance(value, CurveReady) and self._covers:
                content = self._covers[False].side
                assert isinstance(content, Side)
                return self._introduction(received, content.unbox(value.box, READY + value.nonce, _UNOPENED))
            elif isinstance(value, CurveMessage) and self._covers:
                return self._message(sender, received, value)
        except RemoteProtocolError as error:
            self._trouble.append(f"{describe(type(value))} at octet {received.start}: {error.message}")
        return [received]

    def notes(self) -> list[str]:
        """What the keys opened and what not, in words."""
        if self._hello is None:
            return []
        out = [f"CURVE: {trouble}" for trouble in self._trouble[:3]]
        if self._opened_session:
            return ["CURVE: a transient key opens this session", *out]
        which = "HELLO and WELCOME open" if self._opened_welcome else "nothing opens"
        why = "what follows needs a transient secret key of either side, which no capture shows"
        return [f"CURVE: with the keys given {which}; {why}"]

    def _take_welcome(self, welcome: CurveWelcome) -> None:
        """Learn the server's transient key: from its permanent one, or from the client's transient one."""
        if self._hello is None:
            return
        publics = self._servers + [pair.public for pair in self._pairs]
        tries = [(self._hello.client, pair.secret) for pair in self._pairs]
        tries += [
            (public, pair.secret)
            for pair in self._pairs
            if pair.public == self._hello.client
            for public in publics
        ]
        for public, secret in tries:
            try:
                content = unseal(welcome.box, WELCOME + welcome.nonce, public, secret, _UNOPENED)
            except RemoteProtocolError:
                continue
            self._transient, self._opened_welcome = content[:KEY_OCTETS], True
            return

    def _open_initiate(self, initiate: CurveInitiate) -> bytes | None:
        """The client's metadata, if one of the keys is a transient one of this session."""
        if self._hello is None:
            return None
        for pair in self._pairs:
            partner = self._transient if pair.public == self._hello.client else self._hello.client
            if not partner:
                continue
            try:
                of_client = Server(pair, pair, trusts=True)
                of_client.meet(partner)
                content = of_client.unbox(initiate.box, INITIATE + initiate.nonce, _UNOPENED)
            except RemoteProtocolError:
                continue
            of_server = Client(pair, b"", pair, trusts=True)
            of_server.meet(partner)
            self._covers = {True: Cover(of_client), False: Cover(of_server)}
            self._opened_session = True
            return content[KEY_OCTETS + VOUCH_OCTETS :]
        return None

    def _introduction(self, received: Received, metadata: bytes | None) -> list[Received]:
        if metadata is None:
            return [received]
        kind = Initiate if isinstance(received.value, CurveInitiate) else Ready
        try:
            value: Value = kind(properties=parse_properties(metadata))
            faults = list(property_faults(parse_properties(metadata)))
        except RemoteProtocolError as error:
            value, faults = Undecodable(error), [error]
        return [_at_its_box(received, value, faults)]

    def _message(self, sender: Sender, received: Received, message: CurveMessage) -> list[Received]:
        if received.end - received.start > len(message.box) + 64:
            raise RemoteProtocolError(_UNOPENED, "a box too large to be opened here")
        value = self._covers[sender == self._client].open(message, received.start)
        return [] if value is None else [_at_its_box(received, value, [])]


def _at_its_box(received: Received, value: Value, faults: list[RemoteProtocolError]) -> Received:
    """What stood in a box, in the place of the box: its own octets cannot be seen."""
    at_box = [RemoteProtocolError(fault.clause, fault.message, received.start) for fault in faults]
    return Received(value, received.start, received.end, (*received.faults, *at_box), received.frames)
