"""A peer that does as told: an adapter for tests whose faults are chosen on its command line.

`python puppet.py FAULT OP` behaves well, except at the operation OP: it dies, hangs, answers garbage, half
a line, the wrong id, or floods its stderr first. "nothing -" has no fault.
"""

import json
import os
import socket
import sys
import time

TYPES = ["PAIR", "DEALER"]


def main(fault: str, at: str) -> None:
    """Answer one request a line until the end of input."""
    listeners: list[socket.socket] = []
    for line in sys.stdin:
        request = json.loads(line)
        op = request["op"]
        if op == at:
            misbehave(fault, request)
        answer = {"id": request["id"], **reply(op, request, listeners)}
        print(json.dumps(answer), flush=True)


def misbehave(fault: str, request: dict[str, object]) -> None:
    """Do what was asked for on the command line."""
    if fault == "die":
        os._exit(7)
    if fault == "hang":
        time.sleep(60)
    if fault == "garbage":
        print("<html>", flush=True)
    if fault == "half":
        sys.stdout.write('{"id": 1, "ok"')
        sys.stdout.flush()
        os._exit(0)
    if fault == "wrong-id":
        print(json.dumps({"id": 999999, "ok": {}}), flush=True)
    if fault == "noise":
        sys.stderr.write("noise " * 1_000_000)
        sys.stderr.flush()


def reply(op: str, request: dict[str, object], listeners: list[socket.socket]) -> dict[str, object]:
    """The answer of a well-behaved peer that can open, bind and close."""
    if op == "hello":
        ok = {"peer": "puppet", "library": "puppet", "version": "1", "language": "Python", "control": "1"}
        return {"ok": ok}
    if op == "open" and request["type"] in TYPES:
        return {"ok": {"socket": request["id"]}}
    if op == "bind":
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        return {"ok": {"endpoint": f"tcp://127.0.0.1:{listener.getsockname()[1]}"}}
    if op == "close":
        return {"ok": {}}
    return {"error": {"kind": "unsupported", "detail": ""}}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
