"""A ROUTER and those that it reaches by name: until it knows a name, it drops what is for it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.peer import Outcome, RemoteSocket, show_parts
from harness.stage.play import offer, poll, receive, say
from harness.verdict import Mismatch

MARK = b"~route-"


async def find(
    router: RemoteSocket,
    name: bytes,
    target: RemoteSocket,
    envelope: Sequence[bytes] = (),
    clause: str | None = None,
) -> None:
    """Send numbered probes to a name, behind this envelope, until `target` has one; none is left over.

    `clause` is broken where none gets through in the time that a connection may take, and where something
    else comes. What stands before the probe in what the target gets is not looked at.
    """
    deadline, last = target.peer.deadlines.deadline("connect"), b""
    for number, wait_s in enumerate(target.peer.deadlines.probes_s()):
        last = MARK + b"%d" % number
        await say(router, name, *envelope, last)
        if await poll(target, within_s=wait_s):
            break
        if deadline.expired:
            raise Mismatch(
                f"a message for {target.peer.title}", f"none within {deadline.seconds:g} s", clause
            )
    heard = b""
    while heard != last:
        heard = (await receive(target, clause))[-1]
        if not heard.startswith(MARK):
            raise Mismatch(f"{target.peer.title} gets probes", show_parts([heard]), clause)


async def post(router: RemoteSocket, name: bytes, *parts: bytes) -> None:
    """Send to whom a name belongs, who may have gone: a ROUTER drops that, or says so (RFC 28, ROUTER)."""
    outcome = await offer(router, name, *parts)
    if outcome not in (Outcome.ACCEPTED, Outcome.UNROUTABLE):
        raise Mismatch(f"{router.peer.title} takes or drops {show_parts([name, *parts])}", outcome.value)


def unwrap(sock: RemoteSocket, parts: Sequence[bytes], clause: str) -> tuple[bytes, list[bytes]]:
    """Who a message of a REQ came from, as ROUTER says it, and what stands behind the delimiter."""
    if len(parts) < 3 or parts[1] != b"":
        expected = f"{sock.peer.title} gets a name, an empty frame and more"
        raise Mismatch(expected, show_parts(parts), clause)
    return parts[0], list(parts[2:])
