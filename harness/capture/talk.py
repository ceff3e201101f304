"""One connection of a capture: is it ZMTP, what was said, and which rules did that break.

Nothing is said of what an incomplete capture could be wrong about. Sources: RFC 37, "Formal Grammar"
(signature), "Backwards Interoperability"; the rules are those of `harness.wire.checks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.wire.checks import Finding
from harness.wire.render import describe, show_text
from harness.wire.trace import (
    SENDERS,
    VERSION_HEAD_OCTETS,
    Decoded,
    How,
    Sender,
    announced_major,
    other,
)
from harness.zmtp import (
    Decoder,
    Greeting,
    Hello,
    Introduction,
    LegacyGreeting,
    Message,
    Received,
    Undecodable,
)
from harness.zmtp.grammar import SIGNATURE_OCTETS

from .findings import LINES_OF_A_CONNECTION, Broken, Places, Report, Shown
from .opening import Opener
from .streams import Gap, Half
from .window import Windows, is_plain

CLIP_OCTETS = 4096
BOXED_CLIP_OCTETS = 1 << 20
COMMAND_MAX_OCTETS = 1 << 20
FRAMES_MAX = 8192
BOXED_FRAMES_MAX = 64
WAITING_MAX_OCTETS = 1 << 16
WINDOW_THINGS = 1024
WINDOW_PLACES = 16_384
MECHANISM_OFFSET = 12

ORDER = {"37/null/send-after-both", "37/heartbeat/pong-reply"}
"""Rules about what the partner had said by then."""

Show = Callable[[Shown], None]


class Talk:
    """Takes the streams of a connection; `report` is what it comes to, None unless it speaks ZMTP.

    `number` gives the connection its number when it turns out to be ZMTP. `show` is told of everything.
    """

    def __init__(
        self, blank: Report, number: Callable[[], int], opener: Opener | None = None, show: Show | None = None
    ) -> None:
        self.report: Report | None = None
        self._blank = blank
        self._number = number
        self._opener = opener
        self._show = show
        self._halves: Mapping[Sender, Half | None] = {}
        self._heads: dict[Sender, bytes] = dict.fromkeys(SENDERS, b"")
        self._waiting: list[tuple[Sender, bytes, float, int, int]] = []
        self._decoders: dict[Sender, Decoder] = {}
        self._places: dict[Sender, Places] = {sender: Places() for sender in SENDERS}
        self._ended: set[Sender] = set()
        self._windows = Windows(0, self._heads)
        self._done: dict[Sender, int] = dict.fromkeys(SENDERS, 0)
        self._is_other = False

    # -- what the streams bring ------------------------------------------------------------------

    def attach(self, halves: Mapping[Sender, Half | None]) -> None:
        """What is known of the two directions, as they go on."""
        self._halves = halves

    def octets(self, sender: Sender, octets: bytes, at_s: float, packet: int, at: int) -> None:
        """The next octets of a direction."""
        if self._decoders:
            self._read(sender, octets, at_s, packet, at)
        elif not self._is_other:
            self._wait(sender, octets, at_s, packet, at)

    def gap(self, sender: Sender, gap: Gap) -> None:
        """Nothing more of that direction will come."""
        where = f" (packet {gap.packet})" if gap.packet else ""
        self._blank.ends[sender].hush(f"from octet {gap.offset} on: {gap.why}{where}")
        self._ended.add(sender)

    def closed(self, sender: Sender, how: How, at_s: float) -> None:
        """An end has closed its direction."""
        self._blank.ends[sender].closed = how

    def lost(self, why: str) -> None:
        """Nothing more of either direction will come."""
        for sender in SENDERS:
            self.gap(sender, Gap(self._blank.ends[sender].octets, 0, why))

    def judge(self) -> None:
        """Judge what has come so far, rather than when there is enough of it."""
        if self._decoders:
            self._judge()

    def finish(self) -> None:
        """The connection is over, or the capture is."""
        if not self._decoders and not self._is_other:
            self._begin_alone()
        if self._decoders:
            self._judge()
            self._sum_up()
        self._waiting.clear()

    # -- is it ZMTP ------------------------------------------------------------------------------

    def _wait(self, sender: Sender, octets: bytes, at_s: float, packet: int, at: int) -> None:
        """Until both have shown which version they speak, all of it waits."""
        self._blank.began_s = self._blank.began_s or at_s
        self._heads[sender] = (self._heads[sender] + octets[:VERSION_HEAD_OCTETS])[:VERSION_HEAD_OCTETS]
        self._waiting.append((sender, octets, at_s, packet, at))
        signed = {each: is_signed(self._heads[each]) for each in SENDERS}
        if True in signed.values() and all(self._is_told(each) for each in SENDERS):
            self._begin()
        elif set(signed.values()) == {False} or self._waits_too_long():
            self._begin_alone()

    def _is_told(self, sender: Sender) -> bool:
        """Whether a direction has shown its version, or cannot."""
        head = self._heads[sender]
        return len(head) >= VERSION_HEAD_OCTETS or (head != b"" and is_signed(head) is False)

    def _is_midway(self, sender: Sender) -> bool:
        """Whether the capture begins in the middle of a direction."""
        half = self._halves.get(sender)
        return half is not None and not half.begun and not is_signed(self._heads[sender])

    def _waits_too_long(self) -> bool:
        return sum(len(each[1]) for each in self._waiting) > WAITING_MAX_OCTETS

    def _begin_alone(self) -> None:
        """The partner's version will not be known: only who has shown 3 beyond its signature can be read."""
        signed = [sender for sender in SENDERS if is_signed(self._heads[sender])]
        if not signed:
            self._is_other = True
            self._waiting.clear()
            return
        self._begin()

    def _speaks_3(self, sender: Sender) -> bool:
        """Whether an end has gone on as ZMTP 3.x does: where it names a mechanism, 2.0 has a zero octet."""
        said = b"".join(each[1] for each in self._waiting if each[0] == sender)[: MECHANISM_OFFSET + 1]
        return len(said) > MECHANISM_OFFSET and said[10] >= 3 and said[MECHANISM_OFFSET] != 0

    def _begin(self) -> None:
        report = self.report = self._blank
        report.number = self._number()
        self._windows = Windows(report.number, self._heads)
        clip = BOXED_CLIP_OCTETS if self._opener else CLIP_OCTETS
        for sender in SENDERS:
            partner = other(sender)
            known = self._is_told(partner) and not self._is_midway(partner)
            major = announced_major(self._heads[partner]) if known else 3
            self._decoders[sender] = Decoder(major, clip_octets=clip)
            if self._is_midway(sender):
                self._ended.add(sender)
                report.ends[sender].hush("the capture does not have its beginning")
            elif not known and not self._speaks_3(sender):
                self._ended.add(sender)
                report.ends[sender].hush("the partner's version is not in the capture")
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            self._read(*each)

    # -- what is said ----------------------------------------------------------------------------

    def _read(self, sender: Sender, octets: bytes, at_s: float, packet: int, at: int) -> None:
        assert self.report is not None
        end = self.report.ends[sender]
        places = self._places[sender]
        places.add(end.octets, packet, at)
        end.octets += len(octets)
        if sender in self._ended:
            places.forget(end.octets)
            return
        decoder = self._decoders[sender]
        received = decoder.feed(octets)
        if not received:
            self._bound(sender, decoder, packet)
        quiet = self._is_quiet(sender)
        for each in received:
            end.things += 1
            end.messages += isinstance(each.value, Message)
            self._done[sender] = each.end
            if self._show is not None or len(self.report.first) < LINES_OF_A_CONNECTION:
                self._tell(sender, each, at_s)
            if not (quiet and is_plain(each)):
                self._take(sender, each, at_s)
                quiet = self._is_quiet(sender)
        if decoder.stopped:
            self._ended.add(sender)
            end.hush(f"from octet {self._done[sender]} on: nothing can be read")
        if len(self._windows) > WINDOW_THINGS or len(places) > WINDOW_PLACES:
            self._judge()

    def _is_quiet(self, sender: Sender) -> bool:
        """Whether nobody looks at the plain messages of an end: no check, and no key opens them."""
        assert self.report is not None
        return self._opener is None and (self._windows.quiet[sender] or not self.report.ends[sender].judged)

    def _take(self, sender: Sender, received: Received, at_s: float) -> None:
        assert self.report is not None
        end = self.report.ends[sender]
        value = received.value
        if isinstance(value, Greeting):
            end.version, end.mechanism = f"{value.version[0]}.{value.version[1]}", value.mechanism
            end.judged = True
        elif isinstance(value, LegacyGreeting):
            end.version = "1.0" if value.socket_type is None else "2.0"
            end.socket_type = value.socket_type or ""
            end.hush(f"speaks ZMTP {end.version}: the rules here are those of ZMTP 3.x")
        elif isinstance(value, Undecodable) and received.start == 0:
            end.judged = True
        opened = self._opener.open(sender, received) if self._opener else [received]
        for each in opened:
            if each is not received:
                end.messages += isinstance(each.value, Message)
                self._tell(sender, each, at_s)
            if isinstance(each.value, Introduction) and not end.socket_type:
                end.socket_type = each.value.socket_type or ""
            if not (self._windows.quiet[sender] and is_plain(each)):
                self._windows.add(Decoded(at_s, self.report.number, sender, each))

    def _tell(self, sender: Sender, received: Received, at_s: float) -> None:
        report = self.report
        assert report is not None
        packet = self._places[sender].find(max(received.start, received.end - 1))[0]
        shown = Shown(at_s, report.number, sender, text_of(received), received.start, received.end, packet)
        if len(report.first) < LINES_OF_A_CONNECTION:
            report.first.append(shown)
        if self._show is not None:
            self._show(shown)

    def _bound(self, sender: Sender, decoder: Decoder, packet: int) -> None:
        """Give a direction up whose unfinished message or command takes more room than there is."""
        most = BOXED_FRAMES_MAX if self._opener else FRAMES_MAX
        if decoder.open_frames > most:
            why = f"a message of more than {most} frames is not held"
        elif decoder.held_octets > max(COMMAND_MAX_OCTETS, CLIP_OCTETS):
            why = f"a command of more than {COMMAND_MAX_OCTETS} octets is not held"
        else:
            return
        self.gap(sender, Gap(self._done[sender], packet, why))
        self._decoders[sender] = Decoder()

    # -- which rules it breaks -------------------------------------------------------------------

    def _judge(self) -> None:
        assert self.report is not None
        for finding in self._windows.judge():
            sender: Sender = "dialer" if finding.place.sender == "dialer" else "listener"
            if not self._could_be_fooled(finding, sender):
                octet = finding.place.offset
                packet, at = self._places[sender].find(octet)
                self.report.blame(Broken(finding.clause, finding.message, sender, octet, packet, at))
        for sender in SENDERS:
            self._places[sender].forget(self._done[sender])

    def _could_be_fooled(self, finding: Finding, sender: Sender) -> bool:
        """Whether what the capture does not show could explain it."""
        head = self._heads[sender]
        if finding.clause == "37/abnf/version-major":
            return True  # ZMTP 2.0 is no fault of who never claimed more.
        if finding.clause == "37/abnf/signature":
            half = self._halves.get(sender)
            return may_be_older(head) or (half is not None and not half.begun)
        return finding.clause in ORDER and not self._knows_order(other(sender))

    def _knows_order(self, partner: Sender) -> bool:
        """Whether all that the partner had said by then is in the capture, in its place."""
        if partner in self._ended or self._windows.too_many_pings:
            return False
        half = self._halves.get(partner)
        if self._halves and half is None:
            return False
        own = self._halves.get(other(partner))
        overtaken = any(each is not None and each.overtaken for each in (half, own))
        return not overtaken and (half is None or not half.held)

    def _sum_up(self) -> None:
        assert self.report is not None
        for sender in SENDERS:
            end = self.report.ends[sender]
            if not end.judged and not end.silent:
                why = "its greeting is not whole" if end.octets else "nothing of it is in the capture"
                end.hush(why)
            elif end.judged and not self._knows_order(other(sender)):
                end.hush(
                    "what depends on the partner's octets is not judged: they are not all there, in order"
                )
        if self._opener is not None:
            self.report.notes += [note for note in self._opener.notes() if note not in self.report.notes]


def is_signed(head: bytes) -> bool | None:
    """Whether a direction begins with the signature of ZMTP 2.0 or newer; None while that cannot be said."""
    if head[:1] not in (b"", b"\xff"):
        return False
    return None if len(head) < SIGNATURE_OCTETS else head[9] == 0x7F


def may_be_older(head: bytes) -> bool:
    """Whether octets without a signature may be ZMTP 1.0, or no ZMTP at all."""
    return head[:1] != b"\xff" or len(head) < SIGNATURE_OCTETS or head[9] <= 1


def text_of(received: Received) -> str:
    """One line for a thing, with its true size where its body was not kept whole."""
    if isinstance(received.value, Hello):
        return f"HELLO {describe(received.value.username)} and a password"
    kept = sum(len(frame.body) + frame.header_octets for frame in received.frames)
    size = received.end - received.start
    if isinstance(received.value, Message) and kept < size:
        return f"message of {len(received.value.parts)} parts, {size} octets"
    return show_text(describe(received.value))
