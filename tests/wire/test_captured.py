"""Captures read back: what was written is what is read, and nothing else is taken for one of ours."""

from __future__ import annotations

import contextlib
import random
import struct
from pathlib import Path

import pytest

from harness.wire.captured import CaptureError, read_capture
from harness.wire.pcapng import write_pcapng
from harness.wire.trace import SENDERS, Closed, Note, Octets, Opened, Trace
from harness.zmtp.zws import LABEL

ONE, TWO, SERVER = ("127.0.0.1", 40001), ("127.0.0.1", 40002), ("127.0.0.1", 5555)


def sample() -> Trace:
    trace = Trace()
    trace.called("pyzmq", "bind", {"socket": 1}, {}, trace.now_s())
    first = trace.opened(ONE, SERVER, "first of two")
    second = trace.opened(TWO, SERVER, LABEL)
    trace.octets(first, "dialer", b"\xff\0")
    trace.note("in between")
    trace.octets(second, "listener", b"x" * 70_000)
    trace.closed(first, "listener", "fin")
    trace.closed(second, "dialer", "rst")
    trace.note("at the end")
    return trace


def written(trace: Trace, folder: Path) -> Path:
    write_pcapng(trace, folder / "one.pcapng")
    return folder / "one.pcapng"


def test_what_was_written_is_read(tmp_path: Path) -> None:
    trace = sample()
    read, whole = read_capture(written(trace, tmp_path))
    assert whole
    assert [each.label for each in read.connections()] == ["first of two", LABEL]
    assert [(o.dialer, o.listener) for o in read.connections()] == [(ONE, SERVER), (TWO, SERVER)]
    assert read.is_websocket(2)
    for connection in (1, 2):
        assert read.closings(connection)[0].how == trace.closings(connection)[0].how
        for sender in SENDERS:
            assert read.stream(connection, sender) == trace.stream(connection, sender)


def test_notes_stand_where_they_stood(tmp_path: Path) -> None:
    read = read_capture(written(sample(), tmp_path)).trace
    kinds = [type(each) for each in read.records]
    assert kinds == [Note, Opened, Opened, Octets, Note, Octets, Octets, Closed, Closed, Note]
    notes = [each.text for each in read.records if isinstance(each, Note)]
    assert notes[0].startswith("pyzmq: bind socket=1 -> ok")
    assert notes[1:] == ["-- in between", "-- at the end"]
    assert [each.at_s for each in read.records] == sorted(each.at_s for each in read.records)


def test_times_count_from_the_first_packet(tmp_path: Path) -> None:
    trace = Trace.of([Opened(3.0, 1, ONE, SERVER), Octets(3.25, 1, "dialer", b"a")], epoch_s=1000.0)
    read = read_capture(written(trace, tmp_path)).trace
    assert read.epoch_s == pytest.approx(1003.0)
    assert [each.at_s for each in read.records] == pytest.approx([0.0, 0.25])


def test_without_a_connection_there_are_notes_alone(tmp_path: Path) -> None:
    trace = Trace()
    trace.note("nobody came")
    read = read_capture(written(trace, tmp_path)).trace
    assert [each.text for each in read.records if isinstance(each, Note)] == ["-- nobody came"]


def test_a_part_of_a_capture_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = written(sample(), tmp_path)
    read, whole = read_capture(path, 2000)
    assert not whole
    assert read.stream(1, "dialer") == b"\xff\0"
    assert read_capture(path, path.stat().st_size).whole


def test_a_file_cut_off_or_not_ours_is_refused(tmp_path: Path) -> None:
    path = written(sample(), tmp_path)
    octets = path.read_bytes()
    other = octets.replace(b"zconform", b"dumpcap!")
    strange = octets + struct.pack("<III", 5, 12, 12)
    for bad in (b"", b"no capture at all", octets[:-7], other, strange):
        path.write_bytes(bad)
        with pytest.raises(CaptureError, match=r"one\.pcapng: no capture of zconform"):
            read_capture(path)


def test_whatever_the_octets_the_reader_ends(tmp_path: Path) -> None:
    octets = written(sample(), tmp_path).read_bytes()[:4000]
    chance = random.Random(7)
    for _ in range(300):
        spoiled = bytearray(octets)
        for _ in range(4):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        (tmp_path / "one.pcapng").write_bytes(spoiled)
        with contextlib.suppress(CaptureError):
            read_capture(tmp_path / "one.pcapng", 4000)
