"""Captures: tshark reads back the very octets of the trace and finds nothing to complain about."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from harness.wire.pcapng import SEGMENT_MAX_OCTETS, pcapng_blocks, write_pcapng
from harness.wire.trace import SENDERS, Address, Trace
from harness.zmtp import Greeting, Message, Ready

TSHARK = shutil.which("tshark")
needs_tshark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")

ENDS: dict[str, tuple[Address, Address]] = {
    "IPv4": (("127.0.0.1", 50_001), ("127.0.0.1", 45_001)),
    "IPv6": (("::1", 50_001), ("::1", 45_001)),
    "both": (("127.0.0.1", 50_001), ("::1", 45_001)),
    "zone": (("fe80::1%lo", 50_001), ("fe80::2%lo", 45_001)),
    "ipc": (("", 0), ("/tmp/socket", 0)),
    "name": (("localhost", 50_001), ("::1", 45_001)),
}


def tshark(path: Path, *arguments: str) -> str:
    assert TSHARK is not None
    run = subprocess.run(
        [TSHARK, "-r", str(path), *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    return run.stdout


def followed(path: Path, stream: int) -> tuple[bytes, bytes]:
    """Both directions of a stream as tshark follows it: (first speaker's, the other's)."""
    ours: list[str] = []
    theirs: list[str] = []
    for line in tshark(path, "-q", "-z", f"follow,tcp,raw,{stream}").splitlines():
        text = line.strip()
        if text and all(char in "0123456789abcdef" for char in text):
            (theirs if line.startswith("\t") else ours).append(text)
    return bytes.fromhex("".join(ours)), bytes.fromhex("".join(theirs))


def complaints(path: Path) -> str:
    """Packets with a wrong checksum, a sequence problem, or anything malformed; a reset alone is fine."""
    checks = ("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")
    bad = "tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0 || _ws.malformed"
    warned = "(_ws.expert.severity >= 6291456 && tcp.flags.reset == 0) || _ws.expert.severity >= 8388608"
    severe = f"{bad} || {warned} || !tcp"
    return tshark(path, *checks, "-Y", severe)


def conversation(trace: Trace, ends: tuple[Address, Address], seed: int = 1) -> int:
    number = trace.opened(*ends, label="dealer to router")
    dice = random.Random(seed)
    for sender, socket_type in zip(SENDERS, ("DEALER", "ROUTER"), strict=True):
        trace.octets(number, sender, Greeting().serialize())
        trace.octets(number, sender, Ready(socket_type).serialize())
    for _ in range(20):
        message = Message(dice.randbytes(dice.randrange(300)))
        trace.octets(number, dice.choice(SENDERS), message.serialize())
    return number


def assert_same(trace: Trace, path: Path) -> None:
    write_pcapng(trace, path)
    assert complaints(path) == ""
    for n, opened in enumerate(trace.connections()):
        want = tuple(trace.stream(opened.connection, sender) for sender in SENDERS)
        assert followed(path, n) == want


@needs_tshark
@pytest.mark.parametrize("kind", ENDS)
def test_octets_come_back(tmp_path: Path, kind: str) -> None:
    trace = Trace()
    number = conversation(trace, ENDS[kind])
    trace.closed(number, "dialer", "fin")
    trace.octets(number, "listener", b"last words")
    trace.closed(number, "listener", "fin")
    assert_same(trace, tmp_path / "one.pcapng")


@needs_tshark
def test_several_connections_interleaved_and_cut(tmp_path: Path) -> None:
    trace = Trace()
    for n in range(4):
        conversation(trace, (("127.0.0.1", 50_000 + n), ("127.0.0.1", 45_001)), n)
    trace.octets(2, "dialer", b"more")
    trace.octets(1, "dialer", b"more")
    trace.closed(1, "listener", "rst")
    trace.closed(2, "dialer", "fin")
    trace.closed(2, "listener", "rst")
    trace.closed(3, "dialer", "rst")
    trace.closed(3, "listener", "rst")
    assert_same(trace, tmp_path / "many.pcapng")


@needs_tshark
def test_same_ports_again_are_another_stream(tmp_path: Path) -> None:
    trace = Trace()
    for n in range(2):
        trace.closed(conversation(trace, ENDS["IPv4"], n), "dialer", "rst")
    assert_same(trace, tmp_path / "again.pcapng")


@needs_tshark
@pytest.mark.parametrize("kind", ["IPv4", "IPv6"])
def test_large_messages(tmp_path: Path, kind: str) -> None:
    trace = Trace()
    number = conversation(trace, ENDS[kind])
    trace.octets(number, "dialer", Message(random.Random(8).randbytes(8 << 20)).serialize())
    for sender in SENDERS:
        trace.octets(number, sender, bytes(SEGMENT_MAX_OCTETS))
        trace.octets(number, sender, b"\xff" * (SEGMENT_MAX_OCTETS + 1))
    assert_same(trace, tmp_path / "large.pcapng")


@needs_tshark
def test_calls_and_notes_are_comments(tmp_path: Path) -> None:
    trace = Trace()
    trace.note("before")
    number = trace.opened(*ENDS["IPv4"], label="first")
    trace.called("pyzmq", "send", {"parts": [b"hi"]}, {"outcome": "accepted"}, trace.now_s())
    trace.octets(number, "dialer", b"x")
    trace.note("after")
    write_pcapng(trace, tmp_path / "notes.pcapng")
    comments = tshark(tmp_path / "notes.pcapng", "-T", "fields", "-e", "frame.comment").splitlines()
    assert comments[0] == "-- before,connection 1 first"
    assert comments[3].startswith('pyzmq: send parts=["hi"] -> outcome=accepted (')
    assert comments[3].endswith("-- after")
    times = tshark(tmp_path / "notes.pcapng", "-T", "fields", "-e", "frame.time_epoch").splitlines()
    assert float(times[3]) == pytest.approx(trace.epoch_s + trace.records[-2].at_s, abs=1e-3)


def test_blocks_are_well_formed_without_connections_too() -> None:
    for trace in (Trace(), Trace()):
        trace.note("nothing was dialled" * 1000)
        for block in pcapng_blocks(trace):
            kind, size = struct.unpack_from("<II", block)
            assert kind in (0x0A0D0D0A, 1)
            assert size == len(block) == struct.unpack_from("<I", block, len(block) - 4)[0]
            assert size % 4 == 0
