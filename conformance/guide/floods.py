"""What is left of a flood of numbered messages, where some of it may have been dropped."""

from __future__ import annotations

from harness.peer import RemoteSocket
from harness.verdict import Mismatch

FENCE = b"fence"  # shorter than a number


def gather(sender: RemoteSocket, receiver: RemoteSocket, *head: bytes, clause: str) -> list[int]:
    """The numbers of the messages that arrive up to a short one, which is sent behind `head` until there is
    room for it. `clause` is broken where it never comes."""
    deadline, numbers = receiver.peer.deadlines.deadline("delivery"), list[int]()
    while not deadline.expired:
        came = receiver.drain(1, receiver.peer.deadlines.probe_s)
        if not came["received"]:
            sender.offer([*head, FENCE])
        elif came["first"] is None:
            return numbers
        else:
            numbers.append(came["first"])
            deadline = receiver.peer.deadlines.deadline("delivery")
    raise Mismatch("a message behind the others", f"none within {deadline.seconds:g} s", clause)
