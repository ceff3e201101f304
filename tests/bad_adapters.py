"""Adapters that misbehave, each a few lines of Python run as a process of its own.

`write(folder, name)` makes a peer folder with peer.toml and the adapter.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

_TOML = """
schema = 1
name = "{name}"
library = "none"
language = "Python"
homepage = "https://example.org/"
[process]
command = ["{{python}}", "adapter.py"]
[claims]
sockets = ["PAIR", "ROUTER"]
zmtp = ["3.1"]
mechanisms = ["NULL"]
transports = ["tcp"]
"""

_GOOD = """
import json, os, signal, socket, sys, time
held = {}
def hello(request):
    return {"peer": NAME, "library": "none", "version": "1", "language": "Python", "control": "1"}
def open_(request):
    held[len(held) + 1] = []
    return {"socket": len(held)}
def bind(request):
    listener = socket.create_server(("127.0.0.1", 0))
    held[request["socket"]].append(listener)
    return {"endpoint": "tcp://127.0.0.1:%d" % listener.getsockname()[1]}
def close(request):
    for listener in held[request["socket"]]:
        listener.close()
    return {}
operations = {"hello": hello, "open": open_, "bind": bind, "close": close}
def write(text):
    sys.stdout.write(text)
    sys.stdout.flush()
def unknown(request):
    return {"error": {"kind": "unsupported", "detail": request["op"]}}
def answer(request):
    if request["op"] not in operations:
        return unknown(request)
    return {"ok": operations[request["op"]](request)}
def reply(request):
    write(json.dumps({"id": request["id"], **answer(request)}) + "\\n")
"""

_LOOP = """
for line in sys.stdin:
    reply(json.loads(line))
"""

FAULTS: dict[str, str] = {
    "good": "",
    "garbage": "def reply(request): write('Listening on port 5555\\n')",
    "no-object": "def reply(request): write('[1]\\n')",
    "half-a-line": "def reply(request): write('{\"id\":1,'); sys.exit(3)",
    "wrong-id": 'def reply(request): write(\'{"id":77,"ok":{}}\\n\')',
    "no-id": "def reply(request): write('{\"ok\":{}}\\n')",
    "wrong-shape": "def hello(request): return {'peer': 5}\noperations['hello'] = hello",
    "never-answers": "def reply(request): pass",
    "never-reads": "import threading; threading.Event().wait()",
    "dies": "def reply(request): os.kill(os.getpid(), signal.SIGSEGV)",
    "exits": "sys.exit(3)",
    "closes-output": "def reply(request): os.close(1)",
    "too-long": "def reply(request): write('x' * 300_000)",
    "noisy": "sys.stderr.write('noise 0123456789\\n' * 600_000); sys.stderr.flush()",
    "talks-last": "import atexit; atexit.register(lambda: (sys.stderr.write('bye'), sys.stderr.flush()))",
    "ignores-end": "import threading, atexit; atexit.register(lambda: threading.Event().wait())",
    "exits-badly": "import atexit; atexit.register(lambda: os._exit(4))",
    "leaves-a-child": """
        import subprocess
        child = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
        def unknown(request): return {"error": {"kind": "unsupported", "detail": str(child.pid)}}
    """,
    "other-name": "NAME = 'somebody-else'",
    "other-version": """
        def hello(request):
            return {"peer": NAME, "library": "x", "version": "", "language": "", "control": "2"}
        operations["hello"] = hello
    """,
    "supports-everything": "def unknown(request): return {'ok': {}}",
    "fails-unknown": "def unknown(request): return {'error': {'kind': 'failed', 'detail': 'no idea'}}",
    "same-socket": "def open_(request): held[1] = []; return {'socket': 1}\noperations['open'] = open_",
    "no-router": """
        def open_(request):
            if request["type"] == "ROUTER":
                raise SystemExit(5)
            held[len(held) + 1] = []
            return {"socket": len(held)}
        operations["open"] = open_
    """,
    "lies-about-port": """
        def bind(request):
            with socket.create_server(("127.0.0.1", 0)) as listener:
                return {"endpoint": "tcp://127.0.0.1:%d" % listener.getsockname()[1]}
        operations["bind"] = bind
    """,
    "no-port": "operations['bind'] = lambda request: {'endpoint': 'tcp://127.0.0.1:*'}",
}


def write(folder: Path, fault: str) -> Path:
    """Write the peer called `fault` under `folder`; its own folder comes back."""
    own = folder / fault
    own.mkdir(parents=True)
    (own / "peer.toml").write_text(_TOML.format(name=fault), encoding="utf-8")
    script = f"NAME = {fault!r}\n{_GOOD}\n{textwrap.dedent(FAULTS[fault])}\n{_LOOP}"
    (own / "adapter.py").write_text(script, encoding="utf-8")
    return own
