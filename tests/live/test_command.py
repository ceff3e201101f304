"""`zconform tap` between two ends: what it passes on, shows, judges and keeps, and how it ends."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.capture.judge import judge_file
from harness.capture.opening import Keys
from harness.cli import main
from harness.wire.endpoints import listen
from harness.zmtp import malformed
from tests.capture.packets import HELLO, HELLO_WORLD, PULL_SAYS, PUSH_SAYS

ROOT = Path(__file__).resolve().parent.parent.parent
WAIT_S = 60


class Tap:
    """`zconform tap` in a process of its own, in front of a listener of ours."""

    def __init__(self, *options: str, at: str = "tcp://127.0.0.1:0", to: str = "") -> None:
        self.listener, bound = listen("127.0.0.1")
        self.listener.settimeout(WAIT_S)
        command = [sys.executable, "-m", "harness.cli", "tap", "--listen", at, "--to", to or bound, *options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr is not None
        self.said = self.process.stderr.readline()
        found = re.search(r"listening on (\S+),", self.said)
        self.endpoint = found[1] if found else ""

    def talk(self, dialer_says: bytes = b"", listener_says: bytes = b"", shakes: bytes = b"") -> None:
        """One connection: PUSH and PULL shake hands, or whoever `shakes`; both say more, and close."""
        host, port = self.endpoint.removeprefix("tcp://").split(":")
        dialer = socket.create_connection((host, int(port)), WAIT_S)
        with dialer, self.listener.accept()[0] as end:
            end.settimeout(WAIT_S)
            for one, two, octets in ((dialer, end, shakes or PUSH_SAYS), (end, dialer, shakes or PULL_SAYS)):
                one.sendall(octets)
                assert two.recv(len(octets), socket.MSG_WAITALL) == octets
            for one, two, octets in ((dialer, end, dialer_says), (end, dialer, listener_says)):
                one.sendall(octets)
                one.shutdown(socket.SHUT_WR)
                with two.makefile("rb") as file:
                    assert file.read() == octets

    def end(self, how: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
        """Exit status, stdout and stderr."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=WAIT_S)
        return self.process.returncode, out, err

    def close(self) -> None:
        self.listener.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


Make = Callable[..., Tap]


@pytest.fixture
def tapped() -> Iterator[Make]:
    made: list[Tap] = []

    def make(*options: str, **places: str) -> Tap:
        made.append(Tap(*options, **places))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_what_passes_is_shown_and_judged(tapped: Make) -> None:
    tap = tapped()
    tap.talk(HELLO_WORLD)
    status, out, err = tap.end()
    assert (status, err) == (0, "")
    assert 'message ["hello"]' in out
    assert "3.1 NULL PUSH  1 message" in out
    assert out.rstrip().endswith("what was judged conforms")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_broken_rule_is_told_while_it_goes_and_at_the_end(tapped: Make, how: signal.Signals) -> None:
    tap = tapped()
    tap.talk(malformed.reserved_flag(5))
    assert tap.process.stdout is not None
    live = iter(tap.process.stdout.readline, "")
    assert next(line for line in live if "breaks a rule" in line) == "connection 1 breaks a rule:\n"
    assert next(line for line in live if "[37/framing/reserved-zero]" in line)
    status, out, _ = tap.end(how)
    assert status == 1
    assert "[37/framing/reserved-zero]" in out
    assert out.rstrip().endswith("rules broken: FAIL 1")


def test_json_comes_once_and_alone(tapped: Make) -> None:
    tap = tapped("--json")
    tap.talk(listener_says=HELLO_WORLD)
    status, out, _ = tap.end()
    found = json.loads(out)
    assert (status, found["counts"]["FAIL"]) == (1, 1)
    assert found["connections"][0]["broken"][0]["clause"] == "30/pull/receive-only"


def test_a_should_counts_when_asked_to(tapped: Make) -> None:
    no_type = HELLO + b"\x04\x06\x05READY"
    for options, wanted in (((), 0), (("--strict",), 1)):
        tap = tapped(*options)
        tap.talk(shakes=no_type)
        assert tap.end()[0] == wanted


def test_what_is_kept_is_judged_again_by_trace(tapped: Make, tmp_path: Path) -> None:
    path = tmp_path / "kept.pcapng"
    tap = tapped("--out", str(path))
    for _ in range(3):
        tap.talk(HELLO_WORLD * 1000 + malformed.reserved_flag(5))
    assert tap.end()[0] == 1
    judged = judge_file(path, Keys())
    assert [report.ends["dialer"].messages for report in judged.reports] == [1001] * 3
    assert {each.clause for report in judged.reports for each in report.broken} == {
        "37/framing/reserved-zero"
    }
    before = path.read_bytes()
    again = tapped("--out", str(path))
    assert again.process.wait(WAIT_S) == 2
    assert again.said == f"zconform tap: {path}: File exists\n"
    assert path.read_bytes() == before


def test_ipc_at_both_ends(tapped: Make, tmp_path: Path) -> None:
    zmq = pytest.importorskip("zmq")
    here, there = f"ipc://{tmp_path}/here", f"ipc://{tmp_path}/there"
    with zmq.Context() as context, context.socket(zmq.REP) as rep, context.socket(zmq.REQ) as req:
        rep.bind(there)
        tap = tapped(at=here, to=there)
        for sock in (req, rep):
            sock.setsockopt(zmq.RCVTIMEO, WAIT_S * 1000)
            sock.setsockopt(zmq.LINGER, 0)
        req.connect(here)
        for n in range(100):
            req.send(b"%d" % n)
            rep.send(rep.recv())
            assert req.recv() == b"%d" % n
        status, out, _ = tap.end()
    assert status == 0
    assert re.search(r"REQ  100 messages, \d+ octets.*: conforms", out)
    assert not Path(f"{tmp_path}/here").exists()


def test_a_target_that_refuses_is_told(tapped: Make) -> None:
    free, endpoint = listen("127.0.0.1")
    free.close()
    tap = tapped(to=endpoint)
    host, port = tap.endpoint.removeprefix("tcp://").split(":")
    with socket.create_connection((host, int(port)), WAIT_S) as dialer, pytest.raises(ConnectionResetError):
        dialer.recv(1)
    status, out, _ = tap.end()
    assert status == 3
    assert "connection 1: the target refused" in out


def test_what_passes_on_may_die_and_that_is_one_line(tapped: Make) -> None:
    tap = tapped()
    children = Path(f"/proc/{tap.process.pid}/task/{tap.process.pid}/children").read_text().split()
    subprocess.run(["kill", "-9", *children], check=True)
    out, err = tap.process.communicate(timeout=WAIT_S)
    assert (tap.process.returncode, out) == (2, "")
    assert err == "zconform tap: what passes on has ended (status -9)\n"


@pytest.mark.parametrize(
    ("listen_at", "to", "said"),
    [
        ("x", "tcp://127.0.0.1:1", "--listen: not a tcp or ipc endpoint: 'x'"),
        ("tcp://127.0.0.1:0", "ws://127.0.0.1:1/x", "--to: not a tcp or ipc endpoint: 'ws://127.0.0.1:1/x'"),
        ("tcp://127.0.0.1:99999", "tcp://127.0.0.1:1", "--listen: no port: 99999"),
        ("tcp://127.0.0.1", "tcp://127.0.0.1:1", "--listen: not a tcp or ipc endpoint with a port"),
        ("tcp://192.0.2.1:1", "tcp://127.0.0.1:1", "--listen: tcp://192.0.2.1:1: "),
        ("ipc:///nowhere/x", "tcp://127.0.0.1:1", "--listen: ipc:///nowhere/x: No such file"),
        ("tcp://127.0.0.1:0", "tcp://no.such.host.invalid:1", "--to: "),
    ],
)
def test_bad_addresses_are_refused_in_one_line(
    listen_at: str, to: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tap", "--listen", listen_at, "--to", to]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"zconform tap: {said}")
    assert shown.err.count("\n") == 1


def test_what_a_peer_sent_is_shown_escaped(tapped: Make) -> None:
    tap = tapped()
    tap.talk(b"\x00\x08\x1b[31m\n\r\0")
    _, out, _ = tap.end()
    assert "message [1b5b33316d0a0d00]" in out
    assert "\x1b" not in out
