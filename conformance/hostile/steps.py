"""How far a hostile link has come: everything that it has sent until there."""

from __future__ import annotations

from harness.zmtp import Greeting, Message, Ready, malformed

GREETING = Greeting().serialize()
READY = Ready("PUSH").serialize()
IN_TRAFFIC = GREETING + READY
FRAME = Message(b"never whole").serialize()

HANDSHAKE = {
    "nothing": b"",
    "signature": GREETING[:10],
    "half-a-greeting": GREETING[:32],
    "greeting": GREETING,
    "half-a-ready": GREETING + READY[: len(READY) // 2],
}
EVERY = HANDSHAKE | {
    "ready": IN_TRAFFIC,
    "half-a-header": IN_TRAFFIC + FRAME[:1],
    "half-a-frame": IN_TRAFFIC + FRAME[: len(FRAME) // 2],
    "half-a-message": IN_TRAFFIC + malformed.unfinished_message(b"never", b"whole"),
}
STATES = {"handshake": GREETING, "traffic": IN_TRAFFIC}
