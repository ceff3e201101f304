"""An adapter for tests: the reference peer behind one that spoils one operation, as told on its command line.

`python spoiler.py FAULT OP` hands every request on and every answer back, except those to OP.
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ESCAPES = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m\x7f"


def main(fault: str, at: str) -> None:
    """Answer one request a line until the end of input."""
    command = [sys.executable, "-P", "-m", "peers.reference"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as inner:
        assert inner.stdin is not None
        assert inner.stdout is not None
        for line in sys.stdin.buffer:
            if json.loads(line)["op"] == at and before(fault, json.loads(line)["id"]):
                continue
            inner.stdin.write(line)
            inner.stdin.flush()
            answer = json.loads(inner.stdout.readline())
            write({**answer, **(after(fault, answer) if json.loads(line)["op"] == at else {})})
        inner.stdin.close()


def before(fault: str, number: int) -> bool:
    """What is done instead of asking; whether there was anything."""
    if fault == "dies":
        os._exit(7)
    elif fault == "hangs":
        threading.Event().wait()
    elif fault == "garbage":
        print(f"<html>{ESCAPES}", flush=True)
    elif fault == "half":
        os.write(1, b'{"id": 1, "ok"')
        os._exit(0)
    elif fault == "times-out":
        write({"id": number, "error": {"kind": "timeout", "detail": ESCAPES}})
    elif fault == "says-yes":
        write({"id": number, "ok": {}})
    else:
        if fault == "noisy":
            sys.stderr.write("noise 0123456789\n" * 600_000)
        return False
    return True


def after(fault: str, answer: dict[str, Any]) -> dict[str, Any]:
    """What is changed in an answer."""
    if fault == "adds-a-field":
        return {"took_ms": 3}
    if fault == "other-parts" and "ok" in answer:
        return {"ok": {"parts": [part for part in answer["ok"]["parts"] if part]}}
    if fault == "other-digest" and "ok" in answer:
        return {"ok": {**answer["ok"], "digest": "00" * 32}}
    return {}


def write(answer: dict[str, Any]) -> None:
    """One answer, one line."""
    print(json.dumps(answer, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
