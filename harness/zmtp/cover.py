"""Traffic under CURVE: messages and commands in MESSAGE boxes, in both directions.

Each frame of a message has a MESSAGE of its own. A command of ZMTP, for which RFC 26 has no place, has
bit 1 of the flags set, as libzmq does it; bit 2 is understood too. What goes out is a message frame:
libzmq takes a MESSAGE in no other, though RFC 37 has it in a command.
Source: RFC 26, "The MESSAGE Command".
"""

from .commands import AnyCommand, command_faults, parse_command
from .curve import CurveMessage, CurveSide
from .errors import RemoteProtocolError
from .frames import Frame
from .messages import Message

MORE = 0x01
COMMAND = 0x02
COMMANDS = 0x06
RESERVED = 0xF8


def in_frame(message: CurveMessage) -> bytes:
    """A MESSAGE in a message frame."""
    return Frame.of(message.to_command().body()).serialize()


class Cover:
    """Seals what one side sends, and opens what its partner sends."""

    def __init__(self, side: CurveSide) -> None:
        self.side = side
        self._parts: list[bytes] = []

    def seal(self, value: Message | AnyCommand) -> bytes:
        """The octets of the MESSAGEs that carry this."""
        if not isinstance(value, Message):
            return in_frame(self.side.seal(bytes([COMMAND]) + value.to_command().body()))
        last = len(value.parts) - 1
        flags = (bytes([MORE if n < last else 0]) for n in range(last + 1))
        sealed = (self.side.seal(flag + part) for flag, part in zip(flags, value.parts, strict=True))
        return b"".join(map(in_frame, sealed))

    def open(self, message: CurveMessage, at: int) -> Message | AnyCommand | None:
        """What the MESSAGE at octet `at` completes: a message, a command, or nothing yet.

        Raises RemoteProtocolError for one that does not open, or holds what no grammar fits.
        """
        try:
            payload = self.side.open(message)
        except RemoteProtocolError as error:
            raise RemoteProtocolError(error.clause, error.message, at) from None
        flags, data = payload[0], payload[1:]
        if flags & RESERVED:
            raise RemoteProtocolError("26/message/reserved-zero", f"flags {flags:02x}", at)
        if flags & COMMANDS:
            return self._command(data, at)
        self._parts.append(data)
        if flags & MORE:
            return None
        parts, self._parts = self._parts, []
        return Message(*parts)

    def _command(self, body: bytes, at: int) -> AnyCommand:
        if self._parts:
            raise RemoteProtocolError("37/abnf/command-not-inside-message", "command inside a message", at)
        frame = Frame.of(body, command=True)
        command = parse_command(frame)
        for fault in command_faults(command, frame):
            raise RemoteProtocolError(fault.clause, fault.message, at)
        return command
