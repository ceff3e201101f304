"""Runs that were never run: verdicts made up, with captures of conversations that never were."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.report.html import PastRun
from harness.report.html.source import past_run
from harness.report.model import Result
from harness.verdict import Place, Verdict
from harness.wire.pcapng import write_pcapng
from harness.wire.trace import Trace
from harness.zmtp import Greeting

CLAUSES = ("37/sockettype/mismatch-error", "37/version/padding-no-meaning", "37/abnf/signature")
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\ue000&lt;<!--"


def result(verdict: str, case: str = "zmtp/sample/rule", peer: str = "libone", **more: Any) -> Result:
    """A verdict with what usually goes with it."""
    param = more.pop("param", "peer-binds")
    again = (
        f"pytest 'conformance/zmtp/test_sample.py::test_rule[{peer}-{param}]' --seed 5 --runtime container"
    )
    made = Result(case, param, [peer], verdict, list(CLAUSES[:2]), rule="It holds.", again=again, seed=5)
    if Verdict(verdict).is_bad:
        made.blamed, made.level, made.expected, made.actual = CLAUSES[0], "SHOULD", "ERROR", "closed"
    if verdict == Verdict.UNSUPPORTED:
        made.reason = f"{peer} does not claim PUB"
    for name, value in more.items():
        setattr(made, name, value)
    return made


def as_run(folder: Path, results: list[Result], **head: Any) -> PastRun:
    """A run in a folder, with its peers."""
    return past_run(document(results, **head), folder)


def document(results: list[Result], **head: Any) -> dict[str, Any]:
    """What results.json says of them."""
    names = sorted({name for one in results for name in one.peers})
    known = {"language": "C", "runtime": "process", "image": None, "version": "1.2"}
    peers = [{"name": name, "library": name.upper(), **known} for name in names]
    return {
        "schema": 1, "suite": {"name": "zconform", "version": "9"}, "started": "2026-01-01T00:00:00+00:00",
        "duration_s": 3.0, "seed": 5, "strict": False, "complete": True, "peers": peers, "problems": [],
        "results": [one.as_json() for one in results],
    } | head  # fmt: skip


def write(folder: Path, results: list[Result], **head: Any) -> Path:
    """The same as a folder that a run left."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(document(results, **head)), encoding="utf-8")
    return folder


def talked(folder: Path, made: Result, said: bytes = b"hello") -> Result:
    """Give a result a capture: the peer says something and leaves, which is where the verdict shows."""
    trace = Trace()
    trace.called(made.peers[0], "bind", {"socket": 1}, {"endpoint": "tcp://127.0.0.1:5555"}, trace.now_s())
    number = trace.opened(("127.0.0.1", 40001), ("127.0.0.1", 5555))
    trace.octets(number, "dialer", Greeting().serialize())
    trace.octets(number, "listener", Greeting().serialize())
    octets = b"\0" + bytes([len(said)]) + said
    trace.octets(number, "listener", octets)
    trace.closed(number, "listener", "fin")
    name = f"{'.'.join(made.peers)}.{made.id.replace('/', '.')}.{len(list(folder.rglob('*.pcapng')))}.pcapng"
    (folder / "traces").mkdir(parents=True, exist_ok=True)
    write_pcapng(trace, folder / "traces" / name)
    made.trace = f"traces/{name}"
    made.place = asdict(Place(number, "listener", 64 + len(octets)))
    return made


def chance_run(folder: Path, peers: int, cases: int, talks: int = 0, seed: int = 1) -> list[Result]:
    """Many verdicts of many peers, most of them good; the first `talks` that are not have a capture."""
    dice = random.Random(seed)
    results = []
    for n in range(peers):
        peer = f"peer{n:02}"
        for k in range(cases):
            verdict = dice.choices(
                ("PASS", "UNSUPPORTED", "KNOWN", "INFO", "NON_STRICT", "FAIL"), (60, 25, 8, 4, 2, 1)
            )[0]
            case = f"{('zmtp', 'pubsub', 'reqrep', 'curve', 'pair')[k % 5]}/subject{k % 17}/rule-{k // 3}"
            made = result(verdict, case, peer, param=f"p{k}")
            if verdict in ("KNOWN", "FAIL", "NON_STRICT"):
                made.actual = f"message {k}: {'x' * dice.randrange(40)}"
                if talks > 0:
                    talks -= 1
                    talked(folder, made, made.actual.encode())
            results.append(made)
    return results
