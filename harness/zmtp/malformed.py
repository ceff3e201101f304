"""Octets that no correct partner sends: one named builder for each kind.

Each returns octets and never raises; the clause that they break stands in its docstring.
"""

from .frames import Frame
from .grammar import COMMAND, LONG, MECHANISM_OCTETS, MORE, SIGNATURE_OCTETS
from .greeting import Greeting
from .messages import Message


def _patched(octets: bytes, offset: int, new: bytes) -> bytes:
    return octets[:offset] + new + octets[offset + len(new) :]


def greeting_signature_first(octet: int = 0xFE) -> bytes:
    """A greeting that does not begin with FF (37/abnf/signature)."""
    return _patched(Greeting().serialize(), 0, bytes([octet]))


def greeting_signature_last(octet: int = 0x7D) -> bytes:
    """A greeting whose tenth octet is odd, but not 7F (37/abnf/signature)."""
    return _patched(Greeting().serialize(), SIGNATURE_OCTETS - 1, bytes([octet]))


def greeting_signature_even(announced: int = 240) -> bytes:
    """A greeting whose tenth octet is even and whose padding is the size of a long identity frame.

    Whoever speaks ZMTP 1.0 reads it as the head of a frame of `announced` octets (37/interop/d10-long);
    for everybody else it is no signature (37/abnf/signature).
    """
    octets = Greeting(padding=announced.to_bytes(8, "big")).serialize()
    return _patched(octets, SIGNATURE_OCTETS - 1, b"\x7e")


def greeting_version(major: int, minor: int = 0) -> bytes:
    """A 64-octet greeting with any version, 0.0 to 255.255 (37/version/cannot-downgrade-close below 3)."""
    return _patched(Greeting().serialize(), SIGNATURE_OCTETS, bytes([major, minor]))


def greeting_mechanism(field: bytes) -> bytes:
    """A greeting with any 20 octets (padded with null) as mechanism (37/auth/name-charset)."""
    return _patched(Greeting().serialize(), 12, field[:MECHANISM_OCTETS].ljust(MECHANISM_OCTETS, b"\0"))


def greeting_as_server(octet: int) -> bytes:
    """A greeting with any octet as as-server (37/abnf/as-server)."""
    return _patched(Greeting().serialize(), 32, bytes([octet]))


def greeting_filler(octet: int = 0x55) -> bytes:
    """A greeting whose filler is not zero (37/abnf/filler)."""
    return _patched(Greeting().serialize(), 33, bytes([octet]) * 31)


def greeting_cut(end: int) -> bytes:
    """The first `end` octets of a good greeting (37/version/full-greeting-send)."""
    return Greeting().serialize()[:end]


def frame(flags: int, body: bytes, size: int | None = None) -> bytes:
    """A frame with any flags octet; `size` announces another size than the body has."""
    announced = len(body) if size is None else size
    field = announced.to_bytes(8 if flags & LONG else 1, "big")
    return bytes([flags]) + field + body


def reserved_flag(bit: int, body: bytes = b"reserved") -> bytes:
    """A message frame with one of the bits 3 to 7 set (37/framing/reserved-zero)."""
    return frame(1 << bit, body)


def command_with_more(body: bytes) -> bytes:
    """A command frame with MORE (37/framing/command-no-more)."""
    return frame(COMMAND | MORE, body)


def long_command(body: bytes) -> bytes:
    """A command in the long form whatever its size (37/auth/command-short, a SHOULD)."""
    return frame(COMMAND | LONG, body)


def negative_size() -> bytes:
    """A long message frame whose size has its highest bit set (37/framing/size-ranges)."""
    return frame(LONG, b"", 1 << 63)


def oversized_frame(size: int, sent: bytes = b"") -> bytes:
    """A long message frame that announces `size` octets and brings only `sent` (37/framing/size-ranges)."""
    return frame(LONG, sent, size)


def unfinished_message(*parts: bytes) -> bytes:
    """Frames that all have MORE: a message without an end (37/abnf/message-last)."""
    return b"".join(Frame.of(part, more=True).serialize() for part in parts)


def interrupted_message(before: bytes, command: bytes, after: bytes) -> bytes:
    """A message of two frames with a command between them (37/abnf/command-not-inside-message)."""
    first, last = Message(before, after).frames()
    return first.serialize() + command + last.serialize()


def command_empty() -> bytes:
    """A command frame of no octets, so without a name (37/abnf/command-name)."""
    return frame(COMMAND, b"")


def command_name_overrun(announced: int = 200, name: bytes = b"READY") -> bytes:
    """A command whose name is announced longer than the frame (37/abnf/command-name)."""
    return frame(COMMAND, bytes([announced]) + name)


def command_named(name: bytes, data: bytes = b"") -> bytes:
    """A command with any name of up to 255 octets (37/abnf/command-name-char)."""
    body = bytes([len(name)]) + name + data
    return frame(COMMAND | (LONG if len(body) > 255 else 0), body)


def property_octets(
    name: bytes, value: bytes, name_size: int | None = None, value_size: int | None = None
) -> bytes:
    """A property that may announce other sizes than it has (37/null/abnf-property, 37/null/abnf-value)."""
    announced_name = len(name) if name_size is None else name_size
    announced_value = len(value) if value_size is None else value_size
    return bytes([announced_name]) + name + announced_value.to_bytes(4, "big") + value


def ready(*properties: bytes) -> bytes:
    """READY with properties given as octets (37/null/abnf-property, by what they hold)."""
    return command_named(b"READY", b"".join(properties))


def ready_as_message(socket_type: bytes) -> bytes:
    """READY's body in a message frame, without COMMAND (37/null/send-after-both: it is a message)."""
    data = property_octets(b"Socket-Type", socket_type)
    return frame(0, b"\x05READY" + data)


def hello(
    username: bytes,
    password: bytes,
    username_size: int | None = None,
    password_size: int | None = None,
    more: bytes = b"",
) -> bytes:
    """PLAIN's HELLO with fields of any octets (24/abnf/username, 24/abnf/password) or announced size.

    `more` stands behind the password (24/abnf/hello, as are sizes that do not fit).
    """
    announced_username = len(username) if username_size is None else username_size
    announced_password = len(password) if password_size is None else password_size
    fields = _sized(username, announced_username) + _sized(password, announced_password)
    return command_named(b"HELLO", fields + more)


def hello_cut(data: bytes = b"") -> bytes:
    """PLAIN's HELLO with any data, such as nothing, or a username alone (24/abnf/hello)."""
    return command_named(b"HELLO", data)


def welcome_with_data(data: bytes = b"\0") -> bytes:
    """PLAIN's WELCOME with data (24/abnf/welcome)."""
    return command_named(b"WELCOME", data)


def initiate(*properties: bytes) -> bytes:
    """PLAIN's INITIATE with properties given as octets (37/null/abnf-property, by what they hold)."""
    return command_named(b"INITIATE", b"".join(properties))


def hello_padded(username: bytes, password: bytes) -> bytes:
    """HELLO with its name padded to 8 characters and no length (37/abnf/command-name).

    RFC 24 has it so in its text, and otherwise in its grammar (24/body/name-padding-text).
    """
    fields = _sized(username, len(username)) + _sized(password, len(password))
    return frame(COMMAND, b"HELLO   " + fields)


def _sized(octets: bytes, announced: int) -> bytes:
    return bytes([announced]) + octets


def error_reason_overrun(announced: int = 200, reason: bytes = b"short") -> bytes:
    """ERROR whose reason is announced longer than the command (37/null/abnf-error)."""
    return command_named(b"ERROR", bytes([announced]) + reason)


def ping_cut(data: bytes = b"\0") -> bytes:
    """PING with less than two octets of ttl (37/heartbeat/abnf-ping-ttl)."""
    return command_named(b"PING", data)


def ping_context(context: bytes, ttl_ds: int = 0) -> bytes:
    """PING with a context of any size (37/heartbeat/context-max)."""
    return command_named(b"PING", ttl_ds.to_bytes(2, "big") + context)


def frame_of_1_0(flags: int, body: bytes, size: int | None = None, *, long: bool = False) -> bytes:
    """A frame of ZMTP 1.0 with any flags octet; `size` announces another length than the frame has.

    The length counts the flags octet (13/framing/length-includes-flags). It is also what such a partner
    greets with, where the body is its identity (13/connection/abnf-identity).
    """
    announced = len(body) + 1 if size is None else size
    head = b"\xff" + announced.to_bytes(8, "big") if long else bytes([announced])
    return head + bytes([flags]) + body


def greeting_of_2_0(type_octet: int, *, last: int = 0x7F, identity_flags: int = 0) -> bytes:
    """A greeting of ZMTP 2.0 without identity, with any octet as socket type (15/grammar/abnf-socket-type).

    `last` is the tenth octet, `identity_flags` the flags of the identity's frame (15/grammar/abnf-identity).
    """
    return b"\xff" + bytes(8) + bytes([last, 1, type_octet, identity_flags, 0])
