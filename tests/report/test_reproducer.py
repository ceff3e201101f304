"""Stand-alone scripts: what they say and do, and that nothing that a peer says becomes code."""

from __future__ import annotations

import ast
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.clauses import Ledger
from harness.report.conversation import Conversation
from harness.report.model import Result
from harness.report.reproducer import MOST_OCTETS, script, script_name, write_script
from harness.verdict import Place
from harness.wire.trace import Trace
from harness.zmtp import Greeting, Message, Ping, Ready

LEDGER = Ledger.load()
OURS, THEIRS = ("127.0.0.1", 40001), ("127.0.0.1", 40002)
HOSTILE = "\"\"\"\n'''\\\r\x0c\u2028\ud800\nimport os; os._exit(3)\n# coding: utf-7 \x1b[31m {0} %s \\"


def result(**changes: Any) -> Result:
    made = Result("zmtp/heartbeat/sample", "peer-binds", ["pyzmq"], "FAIL", ["37/heartbeat/pong-reply"])
    made.rule, made.blamed, made.level, made.seed = "The rule.", "37/heartbeat/pong-reply", "SHALL", 5
    made.expected, made.actual, made.again = "PONG aa", "PONG bb", "pytest this --seed 5"
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def called(trace: Trace, op: str, answer: dict[str, Any] | None, **request: Any) -> None:
    trace.called("pyzmq", op, request, answer, trace.now_s())


def bound(trace: Trace) -> int:
    """A DEALER that is bound, and our connection to it."""
    called(trace, "open", {"socket": 7}, type="DEALER", options={"identity": b"me"})
    called(
        trace, "bind", {"endpoint": f"tcp://127.0.0.1:{THEIRS[1]}"}, socket=7, endpoint="tcp://127.0.0.1:*"
    )
    return trace.opened(OURS, THEIRS)


def sample() -> tuple[Trace, Place]:
    """A conversation whose last octets from the peer are wrong."""
    trace = Trace()
    connection = bound(trace)
    trace.octets(connection, "dialer", Greeting().serialize())
    trace.octets(connection, "listener", Greeting().serialize())
    trace.octets(connection, "listener", Ready("DEALER").serialize())
    trace.octets(connection, "dialer", Ready("DEALER").serialize() + Ping(0, b"aa").serialize())
    called(trace, "recv", {"error": "timeout", "detail": ""}, socket=7)
    called(trace, "poll", {"readable": [7]}, sockets=[7, 8])
    start = len(trace.stream(connection, "listener"))
    trace.octets(connection, "listener", b"bb")
    trace.closed(connection, "dialer", "fin")
    return trace, Place(connection, "listener", start)


def made(
    trace: Trace, place: Place | None = None, title: str = "libzmq 4.3.5 (pyzmq)", **changes: Any
) -> str:
    text = script(result(**changes), LEDGER, trace, place, title, "zconform 0.1.0")
    assert text == script(result(**changes), LEDGER, trace, place, title, "zconform 0.1.0")
    assert re.fullmatch(r"[\n -~]*", text)
    compile(text, "script.py", "exec")
    return text


def value_of(text: str, name: str) -> Any:
    """The literal that a script assigns to a name."""
    for node in ast.parse(text).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return ast.literal_eval(node.value)  # type: ignore[attr-defined]  # it is an assignment
    raise AssertionError(name)


def run(text: str, tmp_path: Path, *addresses: str) -> str:
    """Run a script with Python's standard library alone."""
    path = tmp_path / "script.py"
    write_script(text, path)
    command = [sys.executable, "-I", "-S", str(path), *addresses, "--wait", "0.5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd="/")
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


def test_the_head_tells_the_rule_and_the_steps_tell_the_conversation() -> None:
    text = made(*sample())
    head = text[: text.index('"""')]
    assert "# FAIL       zmtp/heartbeat/sample[peer-binds]\n" in head
    assert "# clause     37/heartbeat/pong-reply SHALL: " in head
    assert "# where      37/ZMTP, " in head
    assert "# expected   PONG aa\n# actual     PONG bb\n" in head
    assert "# found by   zconform 0.1.0, seed 5\n# again      pytest this --seed 5\n" in head
    assert "1. open a DEALER socket: s1, with identity b'me'\n" in head
    assert "2. bind s1 to tcp://127.0.0.1:*, which is place 1\n" in head
    assert "3. recv s1; it answered error timeout\n" in head
    assert "4. poll sockets [s1, socket 8]; it answered readable [s1]\n" in head
    assert value_of(text, "SIDES") == [("dial", "where s1 is bound")]
    ready = len(Ready("DEALER").serialize())
    assert value_of(text, "MARK") == (1, 64 + ready)
    sent = (Ready("DEALER").serialize() + Ping(0, b"aa").serialize()).hex()
    assert [step for step in value_of(text, "STEPS") if step[0] != "application"] == [
        ("dial", 1, "0"),
        ("send", 1, Greeting().serialize().hex()),
        ("until", 1, str(64 + ready)),
        ("send", 1, sent),
        ("until", 1, str(66 + ready)),
        ("fin", 1, ""),
    ]
    assert '    # READY DEALER, PING "aa"\n' in text


def test_a_script_shows_the_octets_that_deviate(tmp_path: Path) -> None:
    came: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        with listener, listener.accept()[0] as sock:
            sock.sendall(Greeting().serialize() + Ready("DEALER").serialize())
            while octets := sock.recv(4096):
                came.append(octets)
                if b"PING" in octets:
                    sock.sendall(b"bb")

    listener = socket.create_server(("127.0.0.1", 0))
    server = threading.Thread(target=serve, args=(listener,))
    server.start()
    trace, place = sample()
    out = run(made(trace, place), tmp_path, address_of(listener))
    server.join()
    assert b"".join(came) == trace.stream(1, "dialer")
    assert "application 2. bind s1" in out
    marked = [line for line in out.splitlines() if line.endswith("<-- here")]
    assert re.fullmatch(r"1: [0-9a-f]{8}  .*62 62 .*bb   <-- here", marked[0]), out
    assert "octets came, closed by the other side" in out


def test_a_script_listens_where_the_peer_dialled(tmp_path: Path) -> None:
    trace = Trace()
    called(trace, "open", {"socket": "x"}, type="PUSH", options={})
    called(trace, "connect", {}, socket="x", endpoint=f"tcp://127.0.0.1:{THEIRS[1]}")
    called(trace, "connect", {}, socket="x", endpoint="tcp://127.0.0.1:40003")
    for number in (1, 2):
        trace.opened((OURS[0], OURS[1] + number), THEIRS)
        trace.octets(number, "dialer", b"hello")
        trace.octets(number, "listener", b"welcome")
        trace.closed(number, "listener", "rst")
    text = made(trace, Place(2, "dialer", 0))
    assert value_of(text, "SIDES") == [("listen", "where s1 connects to")] * 2
    assert "connect s1 to place 2" in text
    write_script(text, tmp_path / "script.py")
    command = [sys.executable, "-I", str(tmp_path / "script.py"), "127.0.0.1:0", "127.0.0.1:0", "--wait", "9"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(re.findall(r"listening at 127.0.0.1:(\d+)", process.stdout.readline())[0])
        for said in (b"hello", b"\x1b]0;h"):
            with socket.create_connection(("127.0.0.1", port), 9) as sock:
                sock.sendall(said)
                assert sock.recv(7) == b"welcome"
        out = process.stdout.read()
    assert "2: 00000000  1b 5d 30 3b 68" in out
    assert ".]0;h   <-- here" in out


def test_no_wait_is_without_end(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        out = run(made(*sample()), tmp_path, address_of(silent))
    assert "1: 0 octets came, still open" in out
    refused = run(made(*sample()), tmp_path, nobody())
    assert "1: no connection: " in refused
    assert "HOST:PORT" in run(made(*sample()), tmp_path)
    assert "not HOST:PORT: 'nonsense'" in run(made(*sample()), tmp_path, "nonsense")


def address_of(sock: socket.socket) -> str:
    return f"127.0.0.1:{sock.getsockname()[1]}"


def nobody() -> str:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return address_of(sock)


def hostile(text: str, octets: bytes) -> str:
    """A script of a peer that says this everywhere."""
    trace = Trace()
    called(trace, "open", {"socket": text}, type="DEALER", options={text: text, "identity": octets})
    called(trace, "bind", {"endpoint": text}, socket=text, endpoint=f"{text}:{THEIRS[1]}")
    called(trace, "connect", {text: [text, octets]}, socket=text, endpoint=f"{text}:{THEIRS[1]}")
    called(trace, text, {"error": text, "detail": text}, parts=[octets], nested={text: octets})
    called(trace, "recv", {"parts": [octets]}, socket=0)
    connection = trace.opened((text, 1), (text, THEIRS[1]), text)
    trace.octets(connection, "dialer", octets)
    trace.octets(connection, "listener", Message(octets).serialize())
    trace.note(text)
    fields = ("rule", "expected", "actual", "reason", "link", "again", "param")
    changes: dict[str, Any] = dict.fromkeys(fields, text)
    return made(trace, Place(connection, "dialer", 0), text, notes=[text], peers=[text], **changes)


def shape(text: str) -> list[str]:
    """What the statements of a script are, whatever its literals hold."""
    body = ast.parse(text).body
    for name in ("SIDES", "MARK", "WAIT_S", "STEPS"):
        value_of(text, name)
    return [ast.dump(node) if not isinstance(node, ast.Assign | ast.AnnAssign) else "=" for node in body]


@pytest.mark.parametrize(
    "text", [HOSTILE, "\n", "coding: utf-7", "# -*- coding: utf-7 -*-\n+AGkm-", '"' * 4, "\\"]
)
def test_nothing_that_a_peer_says_becomes_code(text: str) -> None:
    assert shape(hostile(text, text.encode("utf-8", "replace"))) == shape(made(*sample()))


@given(st.text(), st.binary())
@settings(max_examples=40)
def test_nothing_that_anybody_says_becomes_code(text: str, octets: bytes) -> None:
    assert shape(hostile(text, octets)) == shape(made(*sample()))


def test_a_hostile_script_runs_and_shows_no_control_characters(tmp_path: Path) -> None:
    out = run(hostile(HOSTILE, HOSTILE.encode("utf-8", "replace")), tmp_path, "127.0.0.1:0")
    assert re.fullmatch(r"[\n -~]*", out), out


def test_a_conversation_too_large_says_so(tmp_path: Path) -> None:
    trace = Trace()
    trace.octets(bound(trace), "dialer", bytes(MOST_OCTETS + 1))
    text = made(trace)
    assert len(text) < 20_000
    assert "too many for a script" in run(text, tmp_path)
    assert "nothing was asked of the peer" in run(made(Trace()), tmp_path)


def test_the_wait_is_twice_the_longest() -> None:
    trace = Trace()
    assert Conversation(trace).wait_s() == 2.0
    trace.called("p", "recv", {}, None, trace.now_s() - 7.2)
    assert Conversation(trace).wait_s() in (15.0, 16.0)


def test_names_are_files_of_the_folder() -> None:
    assert script_name("pyzmq", "zmtp/greeting/x", "peer-binds-1") == "pyzmq.zmtp.greeting.x.peer-binds-1.py"
    assert script_name("pyzmq", "zmtp/greeting/x", "") == "pyzmq.zmtp.greeting.x.py"
    odd = {script_name("p", "a/b/c", param) for param in ("../x", "/x", "..\n/x", "x" * 900, "x" * 901)}
    assert len(odd) == 5
    assert all(re.fullmatch(r"p\.a\.b\.c[A-Za-z0-9._-]{1,200}\.py", name) for name in odd)
