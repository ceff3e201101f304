"""Captures judged: links and files, faults of TCP, each check, and silence where there is doubt."""

from __future__ import annotations

import random
import struct
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.files import DamagedCapture
from harness.capture.judge import Judged, judge_file, judge_trace
from harness.capture.opening import Keys
from harness.capture.window import Windows
from harness.wire.checks import run_checks
from harness.wire.pcapng import write_pcapng
from harness.wire.trace import SENDERS, Trace
from harness.wire.tracefile import save
from harness.zmtp import LegacyGreeting, Message, Ping, Pong, Ready, malformed
from tests.capture.packets import (
    ACK,
    FIN,
    HELLO,
    HELLO_WORLD,
    PUSH_SAYS,
    RST,
    SYN,
    Line,
    block,
    pcap,
    pcapng,
    written,
)
from tests.wire.test_checks import BAD, GOOD

FAULT = malformed.reserved_flag(5)
# What no capture can say: an older version is no fault; no signature at all may be one, or no ZMTP.
NOT_CLAIMED = {"37/abnf/version-major"}


@pytest.fixture
def judge(tmp_path: Path) -> Callable[[bytes], Judged]:
    return lambda octets: judge_file(written(tmp_path / "capture", octets), Keys())


def clauses(judged: Judged) -> list[tuple[str, str]]:
    return [(each.sender, each.clause) for report in judged.reports for each in report.broken]


def spoken() -> Line:
    line = Line().talk()
    for _ in range(5):
        line.say("dialer", HELLO_WORLD)
    line.say("dialer", FAULT)
    return line


# -- files and links -----------------------------------------------------------------------------

LINKS: dict[str, tuple[int, bytes, bytes]] = {
    "ethernet": (1, bytes(12) + b"\x08\x00", bytes(12) + b"\x86\xdd"),
    "vlan": (1, bytes(12) + b"\x81\x00\x00\x07\x08\x00", bytes(12) + b"\x88\xa8\0\1\x81\x00\0\2\x86\xdd"),
    "cooked": (113, bytes(14) + b"\x08\x00", bytes(14) + b"\x86\xdd"),
    "cooked 2": (276, b"\x08\x00" + bytes(18), b"\x86\xdd" + bytes(18)),
    "loopback": (0, b"\2\0\0\0", b"\x1c\0\0\0"),
    "raw": (101, b"", b""),
}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("name", LINKS)
def test_every_link_is_read(judge: Callable[[bytes], Judged], name: str, host: str) -> None:
    link, *heads = LINKS[name]
    line = Line(host).talk()
    line.say("dialer", FAULT)
    line.say("dialer", b"", FIN | ACK)
    packets = [heads[host == "::1"] + each + b"\0" * 6 for each in line.packets]
    judged = judge(pcap(packets, link))
    (report,) = judged.reports
    assert report.ends["dialer"].address == (host, 40_000)
    assert report.ends["dialer"].closed == "fin"
    (broken,) = report.broken
    assert (broken.clause, broken.sender, broken.packet) == ("37/framing/reserved-zero", "dialer", 5)
    assert broken.octet == len(PUSH_SAYS)
    assert packets[4][broken.packet_octet :].startswith(FAULT)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", [6, 3, 2])
def test_every_block_of_pcapng_is_read(judge: Callable[[bytes], Judged], order: str, kind: int) -> None:
    judged = judge(pcapng(spoken().packets, order=order, kind=kind))
    assert clauses(judged) == [("dialer", "37/framing/reserved-zero")]
    assert clauses(judge(pcap(spoken().packets, order=order))) == clauses(judged)


@pytest.mark.parametrize(
    ("octets", "what"),
    [
        (b"", "the file is empty"),
        (b"hello", "neither pcap nor pcapng"),
        (b"\x1f\x8b\x08\0\0", "compressed with gzip"),
        (pcap([])[:9], "header: the file ends inside it"),
        (pcapng([])[:6] + b"\0\0zzzz", "no byte-order magic"),
        (pcap([]) + b"\xff" * 16, "packet 1: captured length of 4294967295 octets"),
        (pcapng([]) + struct.pack("<II", 6, 1 << 31), "length of 2147483648 octets"),
        (pcapng([]) + struct.pack("<III", 6, 12, 16), "its two lengths differ"),
        (pcapng([]) + block(6, struct.pack("<IIIII", 4, 0, 0, 0, 0)), "packet 1: interface 4 of 1"),
        (pcapng([]) + block(6, struct.pack("<IIIII", 0, 0, 0, 99, 99)), "captured length of 99 octets"),
        (pcapng([]) + block(6, b""), "packet 1: its block is too short"),
    ],
)
def test_what_is_no_capture_is_told_in_a_line(
    judge: Callable[[bytes], Judged], octets: bytes, what: str
) -> None:
    with pytest.raises(DamagedCapture, match=what) as caught:
        judge(octets)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", [pcap, pcapng])
def test_what_came_before_the_damage_is_judged(
    judge: Callable[[bytes], Judged], form: Callable[[list[bytes]], bytes]
) -> None:
    whole = form(spoken().packets)
    judged = judge(whole + b"\xff" * 32)
    assert judged.damage
    assert clauses(judged) == [("dialer", "37/framing/reserved-zero")]
    cut = judge(whole[:-5])
    assert "the file ends inside" in cut.cut
    assert (cut.damage, clauses(cut)) == ("", [])


@given(st.binary(max_size=200), st.sampled_from([pcap([]), pcapng([])]), st.booleans())
def test_garbage_is_read_or_refused(octets: bytes, head: bytes, as_packet: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole = pcap([octets], 1) if as_packet else head + octets
        with suppress(DamagedCapture):
            judge_file(written(Path(folder) / "f", whole), Keys())


# -- TCP -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_lost_reordered_and_repeated_segments_are_set_right(
    judge: Callable[[bytes], Judged], seed: int
) -> None:
    chance = random.Random(seed)
    line = Line(first=2**32 - 60).talk()
    stream = b"".join(Message(bytes([n]) * n).serialize() for n in range(200)) + FAULT
    pieces, at = [], 0
    while at < len(stream):
        size = chance.randrange(1, 60)
        pieces.append((at, stream[max(0, at - chance.randrange(9)) : at + size]))
        at += size
    pieces = [
        (min(at + size, len(stream)) - len(piece), piece)
        for (at, piece), size in zip(
            pieces,
            [b - a for (a, _), (b, _) in zip(pieces, [*pieces[1:], (len(stream), b"")], strict=True)],
            strict=True,
        )
    ]
    order = sorted(pieces + chance.sample(pieces, 20), key=lambda each: each[0] + chance.randrange(300))
    base = len(PUSH_SAYS)
    for offset, piece in order:
        line.segment("dialer", piece, at=base + offset)
    judged = judge(pcap(line.packets))
    assert clauses(judged) == [("dialer", "37/framing/reserved-zero")]
    end = judged.reports[0].ends["dialer"]
    assert (end.octets, end.silent) == (base + len(stream), [])


def test_nothing_behind_a_gap_is_judged(judge: Callable[[bytes], Judged]) -> None:
    line = spoken()
    del line.packets[6]
    judged = judge(pcap(line.packets))
    assert clauses(judged) == []
    (why,) = judged.reports[0].ends["dialer"].silent
    assert why.startswith(f"from octet {len(PUSH_SAYS) + 2 * len(HELLO_WORLD)} on: 7 octets are missing")
    assert judged.reports[0].ends["dialer"].messages == 2


def test_packets_cut_by_the_snap_length_are_a_gap(judge: Callable[[bytes], Judged]) -> None:
    line = Line().talk()
    line.say("dialer", Message(b"x" * 400).serialize())
    line.say("dialer", FAULT)
    judged = judge(pcap(line.packets, keep=200))
    assert clauses(judged) == []
    assert "snap length" in judged.reports[0].ends["dialer"].silent[0]


def test_octets_sent_again_with_another_content_end_the_judging(judge: Callable[[bytes], Judged]) -> None:
    line = Line().talk()
    line.say("dialer", HELLO_WORLD)
    line.segment("dialer", HELLO_WORLD.upper(), at=len(PUSH_SAYS))
    line.say("dialer", FAULT)
    judged = judge(pcap(line.packets))
    assert clauses(judged) == []
    assert "another content" in judged.reports[0].ends["dialer"].silent[0]


def test_keep_alives_and_empty_segments_change_nothing(judge: Callable[[bytes], Judged]) -> None:
    line = Line().talk()
    line.segment("dialer", b"\0", at=len(PUSH_SAYS) - 1)
    line.segment("dialer", b"", at=len(PUSH_SAYS))
    line.say("dialer", FAULT)
    assert clauses(judge(pcap(line.packets))) == [("dialer", "37/framing/reserved-zero")]


def test_a_connection_that_began_before_the_capture_is_not_judged(judge: Callable[[bytes], Judged]) -> None:
    line = spoken()
    judged = judge(pcap(line.packets[4:]))
    assert (judged.reports, judged.others) == ([], 1)
    half = judge(pcap([each for each in line.packets if each is not line.packets[2]]))
    assert clauses(half) == []


def test_without_syn_the_greeting_is_enough(judge: Callable[[bytes], Judged]) -> None:
    judged = judge(pcap(spoken().packets[2:]))
    assert clauses(judged) == [("dialer", "37/framing/reserved-zero")]
    assert not judged.reports[0].dialer_known


def test_the_same_ports_again_are_another_connection(judge: Callable[[bytes], Judged]) -> None:
    line, again = spoken(), Line(first=777_777).talk()
    line.say("listener", b"", RST | ACK)
    again.say("listener", FAULT)
    judged = judge(pcap(line.packets + again.packets))
    assert clauses(judged) == [
        ("dialer", "37/framing/reserved-zero"),
        ("listener", "30/pull/receive-only"),
        ("listener", "37/framing/reserved-zero"),
    ]


def test_one_direction_alone_is_judged_for_its_own_octets(judge: Callable[[bytes], Judged]) -> None:
    packets = [each for each in spoken().packets if each[20:22] == struct.pack("!H", 40_000)]
    judged = judge(pcap(packets))
    assert clauses(judged) == [("dialer", "37/framing/reserved-zero")]


def test_a_flood_of_syn_is_no_connection(judge: Callable[[bytes], Judged]) -> None:
    packets = [Line(port=n).segment("dialer", b"", SYN, -1) for n in range(1, 3000)]
    assert judge(pcap(packets)).others == 0


def test_other_protocols_are_counted_alone(judge: Callable[[bytes], Judged]) -> None:
    line = Line().shake()
    line.say("dialer", b"GET / HTTP/1.1\r\n\r\n")
    line.say("listener", b"HTTP/1.1 200 OK\r\n\r\n")
    judged = judge(pcap(line.packets))
    assert (judged.reports, judged.others) == ([], 1)


# -- never crying wolf ---------------------------------------------------------------------------


def test_partners_of_older_versions_break_no_rule(judge: Callable[[bytes], Judged]) -> None:
    old = LegacyGreeting(1, "PULL", b"").serialize()
    first = LegacyGreeting(None, None, b"").serialize()
    for theirs, ours in (
        (old, LegacyGreeting(3, "PUSH", b"").serialize()),
        (first, b"\xff" + bytes(7) + b"\1\x7f"),
    ):
        line = Line().shake()
        line.say("dialer", ours)
        line.say("listener", theirs)
        judged = judge(pcap(line.packets))
        assert clauses(judged) == []
        assert len(judged.reports) == 1


def test_who_answers_in_another_protocol_breaks_no_rule(judge: Callable[[bytes], Judged]) -> None:
    line = Line().shake()
    line.say("dialer", HELLO)
    line.say("listener", b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert clauses(judge(pcap(line.packets))) == []


@pytest.mark.parametrize("lost", ["READY", "PING"])
def test_what_the_capture_missed_of_the_partner_explains_an_answer(
    judge: Callable[[bytes], Judged], lost: str
) -> None:
    line = Line().shake()
    line.say("dialer", HELLO)
    line.say("listener", HELLO + Ready("PULL").serialize())
    ready = line.say("dialer", Ready("PUSH").serialize())
    ping = line.say("dialer", Ping(0, b"context").serialize())
    line.say("listener", Pong(b"context").serialize())
    line.packets.remove(ready if lost == "READY" else ping)
    assert clauses(judge(pcap(line.packets))) == []


def test_a_pong_captured_before_its_ping_is_no_fault(judge: Callable[[bytes], Judged]) -> None:
    line = Line().talk()
    line.say("dialer", Ping(0, b"context").serialize())
    line.say("listener", Pong(b"context").serialize())
    line.packets[-2:] = reversed(line.packets[-2:])
    assert clauses(judge(pcap(line.packets))) == []


# -- each check ----------------------------------------------------------------------------------


def as_capture(trace: Trace, path: Path) -> Judged:
    write_pcapng(trace, path)
    return judge_file(path, Keys())


@pytest.mark.parametrize("name", BAD)
def test_each_check_catches_its_fault_in_a_capture(name: str, tmp_path: Path) -> None:
    for trace in BAD[name]:
        wanted = {("listener", each.clause) for each in run_checks(trace, 1, "listener")}
        wanted = {each for each in wanted if each[1] not in NOT_CLAIMED}
        if name == "signature" and not trace.stream(1, "listener").startswith(b"\xff"):
            wanted = set()
        found = set(clauses(as_capture(trace, tmp_path / "bad.pcapng")))
        if name == "signature" and found == set():
            assert trace.head(1, "listener")[0] != 0xFF or trace.head(1, "listener")[9] <= 1
            continue
        assert found == wanted


@pytest.mark.parametrize("name", GOOD)
def test_correct_peers_conform(name: str, tmp_path: Path) -> None:
    assert clauses(as_capture(GOOD[name], tmp_path / "good.pcapng")) == []


@pytest.mark.parametrize("name", [*BAD, *GOOD])
def test_judged_thing_by_thing_the_checks_say_the_same(name: str) -> None:
    for trace in [*BAD.get(name, []), *([GOOD[name]] if name in GOOD else [])]:
        windows = Windows(1, {sender: trace.head(1, sender) for sender in SENDERS})
        found = []
        for thing in trace.decoded(1):
            windows.add(thing)
            found += windows.judge()
        found += windows.judge()
        wanted = [each for sender in SENDERS for each in run_checks(trace, 1, sender)]
        assert set(found) == set(wanted)


@pytest.mark.parametrize("name", BAD)
def test_our_own_trace_files_are_judged_alike(name: str, tmp_path: Path) -> None:
    for trace in BAD[name]:
        save(trace, tmp_path / "trace.jsonl")
        judged = judge_file(tmp_path / "trace.jsonl", Keys())
        assert clauses(judged) == clauses(judge_trace(trace, "x", Keys()))
        assert set(clauses(judged)) == set(clauses(as_capture(trace, tmp_path / "c.pcapng")))


# -- bounds --------------------------------------------------------------------------------------


def test_large_bodies_are_passed_over_with_their_size(judge: Callable[[bytes], Judged]) -> None:
    line = Line().talk()
    large = Message(b"x" * 50_000, b"y" * 20_000).serialize()
    for at in range(0, len(large), 1400):
        line.say("dialer", large[at : at + 1400])
    line.say("dialer", FAULT)
    judged = judge(pcap(line.packets))
    assert clauses(judged) == [("dialer", "37/framing/reserved-zero")]
    assert judged.reports[0].ends["dialer"].messages == 2
    texts = [shown.text for shown in judged.reports[0].first]
    assert f"message of 2 parts, {len(large)} octets" in texts


def test_a_command_that_claims_too_much_ends_the_judging(judge: Callable[[bytes], Judged]) -> None:
    line = Line().talk()
    line.say("dialer", b"\x06" + (1 << 40).to_bytes(8, "big"))
    for _ in range(30):
        line.say("dialer", b"x" * 60_000)
    judged = judge(pcap(line.packets))
    assert clauses(judged) == []
    assert "is not held" in judged.reports[0].ends["dialer"].silent[0]


def test_many_faults_are_counted_and_few_are_shown(judge: Callable[[bytes], Judged]) -> None:
    line = Line().talk()
    for _ in range(60):
        line.say("dialer", FAULT * 50)
    (report,) = judge(pcap(line.packets)).reports
    assert len(report.broken) == 10
    assert report.counts["dialer", "37/framing/reserved-zero"] == 3000
