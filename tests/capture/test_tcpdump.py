"""What tcpdump saw between two real applications, not through our tap."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from harness.capture.judge import judge_file
from harness.capture.opening import Keys

zmq = pytest.importorskip("zmq")
TCPDUMP = shutil.which("tcpdump")
pytestmark = pytest.mark.skipif(TCPDUMP is None, reason="tcpdump is not installed here")


def test_two_libzmq_conform_in_a_capture_of_tcpdump(tmp_path: Path) -> None:
    context = zmq.Context()
    pull, push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
    port = pull.bind_to_random_port("tcp://127.0.0.1")
    pull.setsockopt(zmq.RCVTIMEO, 5000)
    path = tmp_path / "c.pcap"
    command = [str(TCPDUMP), "-i", "lo", "-U", "--immediate-mode", "-w", "-", "tcp", "port", str(port)]
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
