"""CURVE's keys, nonces and boxes: both sides of a connection, for the reference peer and for raw ends.

The cryptography is that of PyNaCl. What a side says of the handshake is made by methods whose arguments
have the right values unless a case wants others.
Source: RFC 26, "CurveZMQ Commands".
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, TypeVar

from nacl.bindings import (
    crypto_box,
    crypto_box_afternm,
    crypto_box_beforenm,
    crypto_box_keypair,
    crypto_box_open,
    crypto_box_open_afternm,
    crypto_scalarmult_base,
    crypto_secretbox,
    crypto_secretbox_open,
)
from nacl.exceptions import CryptoError
from nacl.utils import random

from harness.zmtp import (
    Boxed,
    CurveHello,
    CurveInitiate,
    CurveMessage,
    CurveReady,
    CurveWelcome,
    RemoteProtocolError,
)

KEY_OCTETS = 32
LONG_NONCE_OCTETS = 16
SHORT_NONCE_OCTETS = 8
COOKIE_OCTETS = 96
VOUCH_OCTETS = 96
SIGNATURE = bytes(64)

HELLO = b"CurveZMQHELLO---"
WELCOME = b"WELCOME-"
COOKIE = b"COOKIE--"
INITIATE = b"CurveZMQINITIATE"
VOUCH = b"VOUCH---"
READY = b"CurveZMQREADY---"
OF_CLIENT = b"CurveZMQMESSAGEC"
OF_SERVER = b"CurveZMQMESSAGES"

B = TypeVar("B", bound=Boxed)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A public and a secret key, 32 octets each."""

    public: bytes
    secret: bytes

    @classmethod
    def generate(cls) -> "KeyPair":
        """A new pair."""
        return cls(*crypto_box_keypair())

    @classmethod
    def of(cls, secret: bytes) -> "KeyPair":
        """The pair that a secret key belongs to."""
        return cls(crypto_scalarmult_base(secret), secret)


def seal(data: bytes, nonce: bytes, to: bytes, secret: bytes) -> bytes:
    """A box with the public key of the receiver and our secret key."""
    return crypto_box(data, nonce, to, secret)


def unseal(box: bytes, nonce: bytes, sender: bytes, secret: bytes, rule: str) -> bytes:
    """What a box holds. Raises RemoteProtocolError, by this rule, where it does not open."""
    return _opened(rule, crypto_box_open, box, nonce, sender, secret)


def _opened(rule: str, open_box: Callable[..., bytes], *args: bytes) -> bytes:
    try:
        return open_box(*args)
    except (CryptoError, ValueError):
        raise RemoteProtocolError(rule, "a box that does not open") from None


def tampered(command: B, field: str = "box", at: int = -1, bit: int = 0x01) -> B:
    """The same command with one bit of a field turned over."""
    octets = bytearray(getattr(command, field))
    octets[at] ^= bit
    return replace(command, **{field: bytes(octets)})


class Side:
    """What the two sides share: a transient pair, the session's key, and the count of short nonces.

    The side that `trusts` does not look at the partner's short nonces; its own count up from behind `sent`.
    """

    own: bytes
    theirs: bytes
    rules: ClassVar[dict[Literal["lower", "same"], str]]

    def __init__(
        self, keys: KeyPair, transient: KeyPair | None = None, *, trusts: bool = False, sent: int = 0
    ) -> None:
        self.keys = keys
        self.transient = transient or KeyPair.generate()
        self.partner = b""
        self.trusts = trusts
        self._shared = b""
        self._sent = sent
        self._seen = -1

    def meet(self, partner: bytes) -> None:
        """The partner's transient key: from here there is a session."""
        self.partner = partner
        try:
            self._shared = crypto_box_beforenm(partner, self.transient.secret)
        except (CryptoError, RuntimeError):
            raise RemoteProtocolError("26/boxes/box-notation", "a key that no box can be made with") from None

    def short_nonce(self) -> bytes:
        """The next of our short nonces."""
        self._sent += 1
        return self._sent.to_bytes(SHORT_NONCE_OCTETS, "big")

    def count(self, nonce: bytes) -> None:
        """Take note of a short nonce of the partner. Raises RemoteProtocolError unless it counts up."""
        number = int.from_bytes(nonce, "big")
        if not self.trusts and number <= self._seen:
            rule = self.rules["same" if number == self._seen else "lower"]
            raise RemoteProtocolError(rule, f"short nonce {number} behind {self._seen}")
        self._seen = number

    def box(self, data: bytes, nonce: bytes) -> bytes:
        """A box of the session."""
        return crypto_box_afternm(data, nonce, self._shared)

    def unbox(self, box: bytes, nonce: bytes, rule: str) -> bytes:
        """What a box of the session holds. Raises RemoteProtocolError, by this rule."""
        return _opened(rule, crypto_box_open_afternm, box, nonce, self._shared)

    def seal(self, payload: bytes, nonce: bytes | None = None, prefix: bytes | None = None) -> CurveMessage:
        """A flags octet and data in a MESSAGE."""
        nonce = self.short_nonce() if nonce is None else nonce
        prefix = self.own if prefix is None else prefix
        return CurveMessage(nonce, self.box(payload, prefix + nonce))

    def open(self, message: CurveMessage) -> bytes:
        """The flags octet and the data of the partner's MESSAGE."""
        payload = self.unbox(message.box, self.theirs + message.nonce, "26/message/recipient-rejects")
        self.count(message.nonce)
        return payload


class Client(Side):
    """The client's side: it has the server's permanent key."""

    own, theirs = OF_CLIENT, OF_SERVER
    rules: ClassVar[dict[Literal["lower", "same"], str]] = {
        "lower": "26/ready/client-checks-nonce",
        "same": "26/ready/client-drops-reuse",
    }

    def __init__(
        self,
        keys: KeyPair,
        server: bytes,
        transient: KeyPair | None = None,
        *,
        trusts: bool = False,
        sent: int = 0,
    ) -> None:
        super().__init__(keys, transient, trusts=trusts, sent=sent)
        self.server = self.partner_key = server
        self.cookie = b""

    def begin(self) -> Boxed | None:
        """Our HELLO."""
        return self.hello()

    def answer(self, command: Boxed, metadata: bytes) -> tuple[Boxed | None, bytes | None]:
        """INITIATE for WELCOME; what READY holds."""
        if isinstance(command, CurveWelcome):
            self.take_welcome(command)
            return self.initiate(metadata), None
        assert isinstance(command, CurveReady)
        return None, self.take_ready(command)

    def hello(
        self, nonce: bytes | None = None, signature: bytes = SIGNATURE, server: bytes | None = None
    ) -> CurveHello:
        """HELLO for our server, or another."""
        nonce = self.short_nonce() if nonce is None else nonce
        to = self.server if server is None else server
        box = seal(signature, HELLO + nonce, to, self.transient.secret)
        return CurveHello(client=self.transient.public, nonce=nonce, box=box)

    def take_welcome(self, welcome: CurveWelcome) -> None:
        """Learn the server's transient key and its cookie."""
        nonce = WELCOME + welcome.nonce
        rule = "26/welcome/client-disconnects"
        content = unseal(welcome.box, nonce, self.server, self.transient.secret, rule)
        self.meet(content[:KEY_OCTETS])
        self.cookie = content[KEY_OCTETS:]

    def vouch(
        self, nonce: bytes | None = None, transient: bytes | None = None, server: bytes | None = None
    ) -> bytes:
        """That our transient key, or another, is ours and meant for our server, or another."""
        nonce = random(LONG_NONCE_OCTETS) if nonce is None else nonce
        content = (transient or self.transient.public) + (server or self.server)
        return nonce + seal(content, VOUCH + nonce, self.partner, self.keys.secret)

    def initiate(
        self,
        metadata: bytes,
        nonce: bytes | None = None,
        vouch: bytes | None = None,
        cookie: bytes | None = None,
    ) -> CurveInitiate:
        """INITIATE with metadata as octets."""
        nonce = self.short_nonce() if nonce is None else nonce
        content = self.keys.public + (self.vouch() if vouch is None else vouch) + metadata
        box = self.box(content, INITIATE + nonce)
        return CurveInitiate(self.cookie if cookie is None else cookie, nonce, box)

    def take_ready(self, ready: CurveReady) -> bytes:
        """The server's metadata."""
        metadata = self.unbox(ready.box, READY + ready.nonce, "26/ready/client-disconnects")
        self.count(ready.nonce)
        return metadata


@dataclass(frozen=True, slots=True)
class Introduced:
    """What an INITIATE that opened holds: the client's permanent key, its vouch opened, metadata."""

    client: bytes
    vouch_nonce: bytes
    vouched_transient: bytes
    vouched_server: bytes
    metadata: bytes


class Server(Side):
    """The server's side; the key of its cookie is for this connection alone."""

    own, theirs = OF_SERVER, OF_CLIENT
    rules: ClassVar[dict[Literal["lower", "same"], str]] = {
        "lower": "26/hello/server-checks-nonce",
        "same": "26/hello/server-drops-reuse",
    }

    def __init__(
        self, keys: KeyPair, transient: KeyPair | None = None, *, trusts: bool = False, sent: int = 0
    ) -> None:
        super().__init__(keys, transient, trusts=trusts, sent=sent)
        self.cookie_key = random(KEY_OCTETS)
        self.partner_key = b""

    def begin(self) -> Boxed | None:
        """A server waits."""
        return None

    def answer(self, command: Boxed, metadata: bytes) -> tuple[Boxed | None, bytes | None]:
        """WELCOME for HELLO; READY for INITIATE, and what that holds."""
        if isinstance(command, CurveHello):
            self.take_hello(command)
            return self.welcome(), None
        assert isinstance(command, CurveInitiate)
        self.check_cookie(command.cookie)
        introduced = self.take_initiate(command)
        self.check_vouch(introduced)
        self.partner_key = introduced.client
        return self.ready(metadata), introduced.metadata

    def take_hello(self, hello: CurveHello) -> None:
        """Learn the client's transient key; its signature is 64 octets of zero."""
        rule = "26/hello/server-rejects"
        signature = unseal(hello.box, HELLO + hello.nonce, hello.client, self.keys.secret, rule)
        self.check_signature(signature)
        self.count(hello.nonce)
        self.meet(hello.client)

    def check_signature(self, signature: bytes) -> None:
        """Raises RemoteProtocolError unless it is zero."""
        if signature != SIGNATURE:
            raise RemoteProtocolError("26/hello/signature-zeros", "a signature that is not zero")

    def make_cookie(self) -> bytes:
        """The client's transient key and our secret one, for nobody but us."""
        nonce = random(LONG_NONCE_OCTETS)
        content = self.partner + self.transient.secret
        return nonce + crypto_secretbox(content, COOKIE + nonce, self.cookie_key)

    def check_cookie(self, cookie: bytes) -> None:
        """Raises RemoteProtocolError unless it is the one of this connection."""
        nonce, box = cookie[:LONG_NONCE_OCTETS], cookie[LONG_NONCE_OCTETS:]
        try:
            content = crypto_secretbox_open(box, COOKIE + nonce, self.cookie_key)
        except CryptoError:
            content = b""
        if content != self.partner + self.transient.secret:
            raise RemoteProtocolError("26/welcome/cookie-box", "a cookie that is not ours")

    def welcome(
        self, nonce: bytes | None = None, cookie: bytes | None = None, keys: KeyPair | None = None
    ) -> CurveWelcome:
        """WELCOME with our transient key and a cookie."""
        nonce = random(LONG_NONCE_OCTETS) if nonce is None else nonce
        content = self.transient.public + (self.make_cookie() if cookie is None else cookie)
        box = seal(content, WELCOME + nonce, self.partner, (keys or self.keys).secret)
        return CurveWelcome(nonce, box)

    def take_initiate(self, initiate: CurveInitiate) -> Introduced:
        """What the client says of itself; whether cookie and vouch are right is for others to ask."""
        rule = "26/initiate/server-rejects"
        content = self.unbox(initiate.box, INITIATE + initiate.nonce, rule)
        self.count(initiate.nonce)
        client, vouch = content[:KEY_OCTETS], content[KEY_OCTETS : KEY_OCTETS + VOUCH_OCTETS]
        nonce, box = vouch[:LONG_NONCE_OCTETS], vouch[LONG_NONCE_OCTETS:]
        vouched = unseal(box, VOUCH + nonce, client, self.transient.secret, rule)
        metadata = content[KEY_OCTETS + VOUCH_OCTETS :]
        return Introduced(client, nonce, vouched[:KEY_OCTETS], vouched[KEY_OCTETS:], metadata)

    def check_vouch(self, introduced: Introduced) -> None:
        """Raises RemoteProtocolError unless the vouch is for this connection's client and for us."""
        vouched = (introduced.vouched_transient, introduced.vouched_server)
        if vouched != (self.partner, self.keys.public):
            raise RemoteProtocolError("26/initiate/vouch-content", "a vouch for others")

    def ready(self, metadata: bytes, nonce: bytes | None = None) -> CurveReady:
        """READY with metadata as octets."""
        nonce = self.short_nonce() if nonce is None else nonce
        return CurveReady(nonce, self.box(metadata, READY + nonce))
