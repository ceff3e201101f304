"""Answers what a container lets it do; other operations are faults. One JSON object a line."""

import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path


def status(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(field + ":"))


def cgroup(*names):
    """The first of the files that there is: version 2 has other names than version 1."""
    for name in names:
        file = Path("/sys/fs/cgroup") / name
        if file.exists():
            return file.read_text().strip()
    return None


def outcome(act):
    try:
        act()
    except OSError as error:
        return os.strerror(error.errno) if error.errno else str(error)
    return "done"


def become_root():
    os.setuid(0)


def dial(host, port):
    socket.create_connection((host, port), 2).close()


def allowed():
    fields = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    return {
        "capabilities": [int(status(field), 16) for field in fields],
        "no_new_privileges": status("NoNewPrivs"),
        "uid": os.getuid(),
        "gid": os.getgid(),
        "groups": [group for group in os.getgroups() if group != os.getgid()],
        "become_root": outcome(become_root),
        "write_root": outcome(lambda: Path("/x").write_text("x")),
        "write_peer": outcome(lambda: Path("/peer/x").write_text("x")),
        "write_tmp": outcome(lambda: Path("/tmp/x").write_text("x")),
        "memory": cgroup("memory.max", "memory/memory.limit_in_bytes"),
        "pids": cgroup("pids.max", "pids/pids.max"),
        "interfaces": sorted(name for _, name in socket.if_nameindex()),
        "default_routes": [
            line
            for line in Path("/proc/net/route").read_text().splitlines()[1:]
            if line.split()[1] == "0" * 8
        ],
        "nothing_outside": outcome(lambda: dial("192.0.2.1", 9)) != "done",
    }


def fault(op, request):
    if op == "fill-memory":
        held = [bytes(range(256)) * 4096 for _ in range(2048)]
        return {"held": len(held)}
    if op == "start-threads":
        return {"started": start_threads(request["count"])}
    if op == "signal":
        os.kill(os.getpid(), getattr(signal, request["name"]))
    if op == "exit":
        os._exit(request["status"])
    if op == "noise":
        sys.stderr.write("noise 0123456789\n" * request["count"])
    if op == "last-words":
        import atexit

        atexit.register(lambda: (sys.stderr.write("bye"), sys.stderr.flush()))
    if op == "hang-at-end":
        import atexit

        atexit.register(lambda: threading.Event().wait())
    if op == "hang":
        threading.Event().wait()
    return {}


def start_threads(count):
    enough = threading.Event()
    started = 0
    try:
        for started in range(count):  # noqa: B007
            threading.Thread(target=enough.wait, daemon=True).start()
    except RuntimeError:
        pass
    enough.set()
    return started


def reply(request):
    op = request["op"]
    if op == "hello":
        known = {"peer": "probe", "library": "none", "version": "1", "language": "Python", "control": "1"}
        return {"ok": known}
    if op == "echo":
        return {"ok": {"text": request["text"]}}
    if op == "allowed":
        return {"ok": allowed()}
    if op == "listen":
        listener = socket.create_server((request["host"], 0))
        listeners.append(listener)
        return {"ok": {"port": listener.getsockname()[1]}}
    if op == "dial":
        return {"ok": {"outcome": outcome(lambda: dial(request["host"], request["port"]))}}
    return {"ok": fault(op, request)}


listeners: list[socket.socket] = []
for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"id": asked["id"], **reply(asked)}), flush=True)
