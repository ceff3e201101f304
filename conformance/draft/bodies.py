"""What a message of one frame may hold."""

BODIES = {
    "text": b"body",
    "empty": b"",
    "one-octet": b"\x00",
    "like-a-subscription": b"\x01topic",
    "like-a-command": b"\x04JOINgroup",
    "255": b"s" * 255,
    "256": b"l" * 256,
    "65536": b"x" * 65_536,
}
