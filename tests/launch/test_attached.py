from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.deadlines import Deadline
from harness.hosts import Hosts
from harness.launch.attached import Box, ContainerChannel, Demultiplexer, Exit
from harness.launch.log import BoundedLog


def frame(stream: int, octets: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(octets).to_bytes(4, "big") + octets


def gathered(pieces: Iterator[bytes]) -> dict[int, bytes]:
    frames, found = Demultiplexer(), {1: b"", 2: b""}
    for piece in pieces:
        for stream, octets in frames.feed(piece):
            found[stream] += octets
    return found


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 1000])
def test_frames_in_any_pieces(size: int) -> None:
    rng = random.Random(size)
    sent, expected = b"", {1: b"", 2: b""}
    for _ in range(50):
        stream, octets = rng.choice((1, 2)), rng.randbytes(rng.choice((0, 1, 300)))
        sent += frame(stream, octets)
        expected[stream] += octets
    assert gathered(sent[at : at + size] for at in range(0, len(sent), size)) == expected


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[ContainerChannel, socket.socket, socket.socket]]:
    lines, engine_lines = socket.socketpair()
    errors, engine_errors = socket.socketpair()
    ended = Exit(threading.Event(), 137)
    box = Box(lines, errors, ended, ended.removed.set, Hosts("192.0.2.2", "192.0.2.1"), "image")
    channel = ContainerChannel("peer", box, BoundedLog(tmp_path / "log"))
    yield channel, engine_lines, engine_errors
    for end in (engine_lines, engine_errors):
        end.close()
    channel.kill()


def test_lines_are_found_across_frames(
    ends: tuple[ContainerChannel, socket.socket, socket.socket], tmp_path: Path
) -> None:
    channel, lines, errors = ends
    lines.sendall(frame(1, b"one\ntw") + frame(2, b"noise\n") + frame(1, b"o\nrest"))
    errors.sendall(frame(2, b"log"))
    lines.close()
    errors.close()
    read = [channel.read_line(Deadline("test", 5), 100) for _ in range(4)]
    assert read == [b"one\n", b"two\n", b"rest", b""]
    channel.kill()
    assert (tmp_path / "log").read_bytes() == b"log"
    assert channel.exit_status(Deadline("test", 1)) == "died of SIGKILL (signal 9)"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "exited with status 0"),
        (128, "exited with status 128"),
        (134, "died of SIGABRT (signal 6)"),
        (255, "exited with status 255"),
        (None, "removed by the engine"),
    ],
)
def test_how_a_container_ended(status: int | None, text: str) -> None:
    assert Exit(status=status).text == text
