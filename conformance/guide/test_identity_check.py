"""What a ROUTER calls those that talk to it (ZeroMQ guide, chapter 3, Identities and Addresses)."""

from __future__ import annotations

from harness.peer import Parts, RemoteSocket, show_parts
from harness.stage.play import hear, receive, say
from harness.stage.scenario import scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch

NAME = b"PEER2"
ROUNDS = 3
ENVELOPE = "guide/identity-check/envelope"
MADE_UP = "guide/identity-check/made-up-begins-with-zero"
CHOSEN = "guide/identity-check/chosen"
WAY_BACK = "guide/identity-check/way-back"


@scenario(
    "guide/coordination/identity-check",
    clauses=[ENVELOPE, CHOSEN, WAY_BACK, MADE_UP],
    legs={"strangers": "stranger REQ -> host ROUTER", "friends": "friend REQ -> host ROUTER"},
    needs={"friend": ["option:identity"]},
)
def test_identity_check(stage: Stage) -> None:
    """A request comes behind its sender's name and an empty frame; who has no name is given one."""
    host, seen = stage.open("host", "ROUTER"), list[bytes]()
    stranger, friend = stage.open("stranger", "REQ"), stage.open("friend", "REQ", identity=NAME)
    stage.leg("strangers", host, stranger)
    stage.leg("friends", host, friend)
    stage.play(host=serve(host, seen), stranger=ask(stranger, b"stranger"), friend=ask(friend, b"friend"))
    for name in seen:
        if name[:1] != b"\0":
            raise Mismatch("a name that begins with a zero octet", show_parts([name]), MADE_UP)


async def ask(sock: RemoteSocket, own: bytes) -> None:
    """Ask some times; each answer is for who asked."""
    for number in range(ROUNDS):
        await say(sock, b"%s %d" % (own, number))
        await hear(sock, b"for %s %d" % (own, number), clause=WAY_BACK)


async def serve(sock: RemoteSocket, seen: list[bytes]) -> None:
    """Look at each envelope, and answer behind it. `seen` gets the stranger's name."""
    for _ in range(2 * ROUNDS):
        name, request = opened(await receive(sock, ENVELOPE))
        if request.startswith(b"friend") and name != NAME:
            raise Mismatch(f"the name {show_parts([NAME])}", show_parts([name]), CHOSEN)
        if request.startswith(b"stranger"):
            expect_same(name, seen)
        await say(sock, name, b"", b"for " + request)


def opened(heard: Parts) -> tuple[bytes, bytes]:
    """Name, and what stands behind the delimiter."""
    if len(heard) != 3 or not heard[0] or heard[1] != b"":
        raise Mismatch("a name, an empty frame and the request", show_parts(heard), ENVELOPE)
    return heard[0], heard[2]


def expect_same(name: bytes, seen: list[bytes]) -> None:
    """A stranger keeps the name that it was given, and it is nobody else's."""
    if name == NAME or (seen and name != seen[0]):
        raise Mismatch(f"the name {show_parts(seen or [b'of its own'])}", show_parts([name]), ENVELOPE)
    seen[:] = [name]
