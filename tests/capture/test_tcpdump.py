"""What tcpdump saw between two real applications, not through our tap; also over a bad line."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.capture.files import CaptureFile
from harness.capture.judge import judge_file
from harness.capture.opening import Keys
from harness.capture.segments import Segment, segment_of, source_of
from harness.wire.trace import SENDERS, Address
from harness.zmtp import malformed
from tests.capture import lossy

zmq = pytest.importorskip("zmq")
ROOT = Path(__file__).resolve().parent.parent.parent
TCPDUMP = shutil.which("tcpdump")
pytestmark = pytest.mark.skipif(TCPDUMP is None, reason="tcpdump is not installed here")


def test_two_libzmq_conform_in_a_capture_of_tcpdump(tmp_path: Path) -> None:
    context = zmq.Context()
    pull, push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
    port = pull.bind_to_random_port("tcp://127.0.0.1")
    pull.setsockopt(zmq.RCVTIMEO, 5000)
    path = tmp_path / "c.pcap"
    how = f"-i lo -B 65536 -U --immediate-mode -w - tcp port {port}"
    command = [str(TCPDUMP), *how.split()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tcpdump:
        assert tcpdump.stderr is not None
        assert tcpdump.stdout is not None
        guard = threading.Timer(10, tcpdump.kill)
        guard.start()
        told = tcpdump.stderr.readline().decode()
        if "listening on" not in told:
            guard.cancel()
            tcpdump.terminate()
            pytest.skip(f"tcpdump may not capture here: {told.strip()}")
        push.connect(f"tcp://127.0.0.1:{port}")
        for size in (1, 300, 100_000):
            push.send_multipart([b"x" * size, b"end"])
            assert pull.recv_multipart() == [b"x" * size, b"end"]
        captured = b""
        while captured.count(b"end") < 3 and (more := os.read(tcpdump.stdout.fileno(), 1 << 20)):
            captured += more
        context.destroy(0)
        tcpdump.terminate()
        guard.cancel()
    path.write_bytes(captured)
    (report,) = judge_file(path, Keys()).reports
    assert report.broken == []
    assert (report.ends["dialer"].socket_type, report.ends["listener"].socket_type) == ("PUSH", "PULL")
    assert report.ends["dialer"].messages == 3
    assert 'message ["x", "end"]' in [shown.text for shown in report.first]


def test_a_bad_line_changes_no_verdict(tmp_path: Path) -> None:
    """Two libzmq over a line that loses, overtakes and doubles packets; somebody breaks a rule there."""
    path = tmp_path / "bad-line.pcap"
    command = [sys.executable, "-m", "tests.capture.lossy", str(path), "7"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=2 * lossy.MOST_S)
    if made.returncode == lossy.IMPOSSIBLE:
        pytest.skip(made.stdout.strip())
    assert made.returncode == 0, made.stderr
    done = json.loads(made.stdout)
    assert (done.pop("push"), done.pop("pull")) == (0, 0)
    assert min(done.values()) > 0, done
    good, bad = judge_file(path, Keys()).reports
    assert_was_hard(path, good.ends["dialer"].address)
    assert good.broken == []
    assert [good.ends[sender].silent for sender in SENDERS] == [[], []]
    assert (good.ends["dialer"].socket_type, good.ends["listener"].socket_type) == ("PUSH", "PULL")
    assert good.ends["dialer"].messages == lossy.MESSAGES
    assert [(each.sender, each.clause, each.octet) for each in bad.broken] == [
        ("dialer", "37/framing/reserved-zero", lossy.BROKEN.rindex(malformed.reserved_flag(5)))
    ]
    assert bad.ends["dialer"].octets == len(lossy.BROKEN)


def assert_was_hard(path: Path, dialer: Address) -> None:
    """The capture has octets twice, and some that came behind later ones."""
    segments = [
        segment
        for segment in map(segment_of, CaptureFile(path))
        if isinstance(segment, Segment) and source_of(segment.flow) == dialer and segment.size
    ]
    numbers = [segment.sequence for segment in segments]
    assert len(set(numbers)) < len(numbers)
    assert any(later < before for before, later in itertools.pairwise(dict.fromkeys(numbers)))
