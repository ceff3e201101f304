"""The self-test of a peer: can this adapter be believed at all? Asked before any case.

Nothing here judges the library. Each step is an agreement of
specs/control-protocol.md that every case relies on; after a step that leaves the
peer gone, the steps that need it are not asked any more.
"""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from harness.control.client import ControlError, OperationError, OperationUnsupported, PeerGone
from harness.control.messages import CONTROL_VERSION
from harness.deadlines import Deadlines
from harness.hosts import LOOPBACK, Hosts
from harness.manifest import Manifest

_TCP = re.compile(r"tcp://(?P<host>[0-9.]+):(?P<port>[0-9]{1,5})")


class Client(Protocol):
    """What the self-test needs of a ControlClient."""

    def hello(self) -> dict[str, Any]:
        """The answer to hello."""

    def call(self, op: str, *, timeout_s: float | None = None, **fields: Any) -> dict[str, Any]:
        """The answer to any operation."""

    def close(self) -> None:
        """End of input; PeerGone unless the peer exits in time."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, whether it held, and one line that says what was wrong ("" if nothing)."""

    name: str
    ok: bool
    detail: str = ""


class _Broken(Exception):
    """An agreement that the peer does not keep."""


def self_test(
    manifest: Manifest, client: Client, deadlines: Deadlines, hosts: Hosts = LOOPBACK
) -> list[Step]:
    """Run every step against a freshly started peer; the peer is ended by the last one."""
    return list(each_step(manifest, client, deadlines, hosts))


def each_step(
    manifest: Manifest, client: Client, deadlines: Deadlines, hosts: Hosts = LOOPBACK
) -> Iterator[Step]:
    """The steps of the self-test one by one, each asked when it is taken."""
    steps: list[tuple[str, Callable[[], None]]] = [
        ("hello", lambda: _hello(manifest, client)),
        ("unknown operation", lambda: _unknown_operation(client)),
        *((f"open {type_}", _opens(client, type_)) for type_ in sorted(manifest.sockets)),
        *((("bind", lambda: _bind(manifest, client, deadlines, hosts)),) if manifest.sockets else ()),
        ("end of input", client.close),
    ]
    for name, check in steps:
        try:
            check()
        except PeerGone as error:
            yield Step(name, False, error.reason)
            with suppress(ControlError):
                client.close()
            return
        except (ControlError, _Broken) as error:
            yield Step(name, False, str(error))
        else:
            yield Step(name, True)


def _hello(manifest: Manifest, client: Client) -> None:
    answer = client.hello()
    for field, expected in (("control", CONTROL_VERSION), ("peer", manifest.name)):
        if answer[field] != expected:
            raise _Broken(f"hello: field {field}: expected {expected!r}, got {answer[field]!r}")
    for field in ("library", "version", "language"):
        if not answer[field]:
            raise _Broken(f"hello: field {field}: empty")


def _unknown_operation(client: Client) -> None:
    """Only who says no to what cannot exist is believed when it says yes."""
    op = f"no-such-operation-{secrets.token_hex(4)}"
    try:
        client.call(op)
    except OperationUnsupported:
        return
    except OperationError as error:
        raise _Broken(f"{op}: expected error unsupported, got {error.word}: {error.detail}") from None
    raise _Broken(f"{op}: expected error unsupported, got ok")


def _opens(client: Client, type_: str) -> Callable[[], None]:
    """The step that opens and closes two sockets of a type; their names must differ."""

    def check() -> None:
        first = client.call("open", type=type_, options={})["socket"]
        second = client.call("open", type=type_, options={})["socket"]
        if first == second:
            raise _Broken(f"open: two sockets have the name {first!r}")
        for name in (first, second):
            client.call("close", socket=name)

    return check


def _bind(manifest: Manifest, client: Client, deadlines: Deadlines, hosts: Hosts) -> None:
    """A wildcard bind answers an endpoint that a TCP connection can be made to."""
    if not manifest.claims("transport:tcp"):
        return
    name = client.call("open", type=min(manifest.sockets), options={})["socket"]
    endpoint = client.call("bind", socket=name, endpoint=hosts.wildcard)["endpoint"]
    match = _TCP.fullmatch(endpoint)
    if match is None or not 0 < int(match["port"]) < 65536:
        raise _Broken(f"bind: field endpoint: {endpoint!r} is no endpoint to dial")
    try:
        socket.create_connection((match["host"], int(match["port"])), deadlines.connect_s).close()
    except OSError as error:
        raise _Broken(f"bind: cannot dial {endpoint}: {error.strerror or error}") from None
    client.call("close", socket=name)
