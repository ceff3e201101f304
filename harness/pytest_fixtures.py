"""The fixtures that cases use: the peer, raw ends, the judge.

`peer` is the peer under test; `dial(endpoint)` and `listen()` make raw ends; `attach(socket)` connects a
socket with a raw end in the role of this run (the peer binds, or the peer connects); `pair` is two peers
and the taps between them; `stage` the roles of a scenario and the taps on its legs; `dial_ws`, `listen_ws`
and `attach_ws` are raw ends that speak WebSocket; `judge` collects soft findings and notes; `seed` is this
case's own seed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from harness.bench import Bench
from harness.case import Case, Judge
from harness.deadlines import Deadlines
from harness.exchange import connected
from harness.hosts import WEB_PATH
from harness.known import Entry
from harness.pairing import Pairing
from harness.peer import Peer, RemoteSocket
from harness.stage.stage import Stage
from harness.verdict import Mismatch, Place
from harness.wire.endpoints import RawListener
from harness.wire.endpoints import dial as dial_endpoint
from harness.wire.rawpeer import RawPeer
from harness.wire.trace import Trace
from harness.wire.websocket import WebSocketListener, WebSocketPeer
from harness.wire.websocket import dial_ws as dial_web_endpoint

SPARE_PEERS = 6
"""How many peers are kept warm beside those that stand on the stage: the next cast may want them."""
Dial = Callable[[str], RawPeer]
Attach = Callable[[RemoteSocket], RawPeer]
DialWs = Callable[[str], WebSocketPeer]
AttachWs = Callable[[RemoteSocket], WebSocketPeer]


class Listen(Protocol):
    """Opens a raw listener where the peer can dial it, or on `host`, at a given port or (0) any free one."""

    def __call__(self, host: str | None = None, port: int = 0) -> RawListener:
        """The listener; it is closed with the case, and so are the ends that it accepts."""


class ListenWs(Protocol):
    """Opens a raw listener of WebSocket where the peer can dial it; `target` is the path of its endpoint."""

    def __call__(self, target: str = WEB_PATH) -> WebSocketListener:
        """The listener; it is closed with the case, and so are the ends that it accepts."""


@dataclass(slots=True)
class Asking:
    """One case being asked of one peer, of two, or of several in roles: its trace, its judge, all its ends.

    `cast` says who plays which role. `params` are its parameters by name, `param` as the results have them,
    `listed` the known deviations that speak of it.
    """

    case: Case
    bench: Bench
    names: tuple[str, ...]
    deadlines: Deadlines
    params: Mapping[str, Any]
    trace: Trace = field(default_factory=Trace)
    judge: Judge = field(default_factory=Judge)
    peer: Peer | None = None
    pair: Pairing | None = None
    cast: Mapping[str, str] = field(default_factory=dict)
    stage: Stage | None = None
    ends: list[RawPeer | RawListener] = field(default_factory=list)
    param: str = ""
    listed: list[Entry] = field(default_factory=list)

    @property
    def peer_name(self) -> str:
        """The peer, or the first of two."""
        return self.names[0]

    @property
    def seed(self) -> int:
        """The case's own seed, drawn from the run's."""
        return zlib.crc32(f"{self.bench.seed}:{self.case.id}".encode())

    @property
    def peers(self) -> list[Peer]:
        """The peers as far as they are there."""
        pair = [self.pair.first, self.pair.second] if self.pair is not None else []
        actors = list(self.stage.actors.values()) if self.stage is not None else []
        return [*([self.peer] if self.peer is not None else []), *pair, *actors]

    @property
    def died(self) -> str:
        """How a peer ended by itself in this case; "" where none did, or nobody had connected to it."""
        died = next((one.died for one in self.peers if one.died), "")
        return died if died and self.trace.connections() else ""

    def live_peer(self) -> Peer:
        """The one peer, warm and without open sockets."""
        if self.peer is None:
            self.peer = Peer(self.bench.live(self.peer_name), self.trace, self.deadlines)
        return self.peer

    def live_pair(self) -> Pairing:
        """The two peers, warm and without open sockets, joined in the role of this item."""
        if self.pair is None:
            live = self.bench.hold(*self.names)
            self.pair = Pairing(live, self.params["pair_role"], self.trace, self.bench.hub, self.deadlines)
        return self.pair

    def live_stage(self) -> Stage:
        """The roles of a scenario, each a warm peer without open sockets."""
        if self.stage is None:
            live = self.bench.hold(*self.cast.values(), spare=SPARE_PEERS)
            cast = dict(zip(self.cast, live, strict=True))
            self.stage = Stage(cast, self.trace, self.bench.hub, self.deadlines, self.seed)
        return self.stage

    def dial(self, endpoint: str) -> RawPeer:
        """A raw end connected to where the peer listens."""
        raw = dial_endpoint(endpoint, self.trace, self.deadlines)
        self.ends.append(raw)
        return raw

    def listen(self, host: str | None = None, port: int = 0) -> RawListener:
        """A raw listener that the peer can connect to; the ends that it accepts are closed with the case."""
        listener = _KeepingListener(self, self._listen_host() if host is None else host, port)
        self.ends.append(listener)
        return listener

    def _listen_host(self) -> str:
        client = self.peer if self.peer is not None else self.bench.live(self.peer_name).client()
        return client.hosts.listen

    def attach(self, sock: RemoteSocket) -> RawPeer:
        """A raw end connected with a socket: "peer-binds" dials it, "peer-connects" listens for it."""
        return connected(sock, self.params["role"], self.dial, self.listen)

    def dial_ws(self, endpoint: str) -> WebSocketPeer:
        """A raw end connected to where the peer listens for WebSocket."""
        raw = dial_web_endpoint(endpoint, self.trace, self.deadlines)
        self.ends.append(raw)
        return raw

    def listen_ws(self, target: str = WEB_PATH) -> WebSocketListener:
        """A raw listener of WebSocket; the ends that it accepts are closed with the case."""
        listener = _KeepingWebListener(self, self._listen_host(), target)
        self.ends.append(listener)
        return listener

    def attach_ws(self, sock: RemoteSocket) -> WebSocketPeer:
        """A raw end connected with a socket by WebSocket, in the role of this run."""
        if self.params["role"] == "peer-binds":
            return self.dial_ws(sock.bind(sock.peer.hosts.web_wildcard))
        listener = self.listen_ws()
        sock.connect(listener.endpoint)
        return listener.accept()

    def close_peer(self, place: Place | None = None) -> None:
        """Close the sockets of the peers. Raises a fatal Mismatch where one ended in the case."""
        for one in self.peers:
            ended = one.finish()
            if ended:
                raise Mismatch(f"{one.title} outlives the case", ended, None, place, fatal=True)

    def finish(self) -> None:
        """Close everything, the peer's sockets first, so that nobody dials what is closing."""
        if self.pair is not None:
            self.pair.finish()
        if self.stage is not None:
            self.stage.finish()
        if self.peer is not None:
            self.peer.finish()
        for end in self.ends:
            end.close()


class _KeepingListener(RawListener):
    """A listener whose accepted ends are closed when the case ends."""

    def __init__(self, asking: Asking, host: str, port: int) -> None:
        super().__init__(asking.trace, asking.deadlines, host, port)
        self._asking = asking

    def accept(self, within: str = "reconnect", clause: str | None = None) -> RawPeer:
        raw = super().accept(within, clause)
        self._asking.ends.append(raw)
        return raw


class _KeepingWebListener(WebSocketListener):
    """The same for WebSocket."""

    def __init__(self, asking: Asking, host: str, target: str) -> None:
        super().__init__(asking.trace, asking.deadlines, host, target)
        self._asking = asking

    def accept(self, within: str = "reconnect", clause: str | None = None) -> WebSocketPeer:
        raw = super().accept(within, clause)
        self._asking.ends.append(raw)
        return raw


ASKING = pytest.StashKey[Asking]()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """A peer that ended in a case is that case's FAIL, whatever was seen of it on the wire."""
    asked = pyfuncitem.stash.get(ASKING, None)
    if asked is None:
        return (yield)
    try:
        result = yield
    except Mismatch as seen:
        asked.close_peer(seen.place)
        raise
    asked.close_peer()
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Close what the case left open."""
    asked = item.stash.get(ASKING, None)
    if asked is not None:
        asked.finish()
    return (yield)


def give(item: pytest.Item, asked: Asking) -> None:
    """Hand a case its parameters and the fixtures below before pytest sets up each of them by itself.

    The same values, at a tenth of what a run costs. Where a parameter is meant for another fixture, and for
    fixtures that are not ours, pytest goes its own way.
    """
    if not isinstance(item, pytest.Function) or any(
        mark.kwargs.get("indirect") for mark in item.iter_markers("parametrize")
    ):
        return
    for name in item.fixturenames:
        if name in asked.params:
            item.funcargs[name] = asked.params[name]
        elif name in _GIVEN:
            item.funcargs[name] = _GIVEN[name](asked)


@pytest.fixture
def repetition() -> int:
    """Which of the `--repeat` times this is, from 0."""
    return 0


@pytest.fixture
def asking(request: pytest.FixtureRequest, repetition: int) -> Asking:
    """Everything about this case and its peers (the plugin put it into the item's stash)."""
    asked: Asking = request.node.stash[ASKING]
    return asked


@pytest.fixture
def peer(asking: Asking, peer_name: str) -> Peer:
    """The peer under test, warm and without open sockets."""
    return asking.live_peer()


@pytest.fixture
def pair(asking: Asking, pair_name: str, pair_role: str) -> Pairing:
    """Two peers, warm and without open sockets, that are joined in the role of this item."""
    return asking.live_pair()


@pytest.fixture
def stage(asking: Asking, cast_name: str) -> Stage:
    """The roles of a scenario, each a warm peer without open sockets."""
    return asking.live_stage()


@pytest.fixture
def judge(asking: Asking) -> Judge:
    """Soft findings and notes of this case."""
    return asking.judge


@pytest.fixture
def dial(asking: Asking, peer_name: str) -> Dial:
    """Connect a raw end to an endpoint."""
    return asking.dial


@pytest.fixture
def listen(asking: Asking, peer_name: str) -> Listen:
    """Open a raw listener where the peer can dial it."""
    return asking.listen


@pytest.fixture
def attach(asking: Asking, peer_name: str, role: str) -> Attach:
    """Connect a socket with a raw end in the role of this item; the plugin runs each case in both roles."""
    return asking.attach


@pytest.fixture
def dial_ws(asking: Asking, peer_name: str) -> DialWs:
    """Connect a raw end that speaks WebSocket to an endpoint."""
    return asking.dial_ws


@pytest.fixture
def listen_ws(asking: Asking, peer_name: str) -> ListenWs:
    """Open a raw listener of WebSocket where the peer can dial it."""
    return asking.listen_ws


@pytest.fixture
def attach_ws(asking: Asking, peer_name: str, role: str) -> AttachWs:
    """Connect a socket with a raw end by WebSocket, in the role of this item."""
    return asking.attach_ws


@pytest.fixture
def seed(asking: Asking) -> int:
    """A seed of this case's own, drawn from the run's."""
    return asking.seed


_GIVEN: dict[str, Callable[[Asking], object]] = {
    "repetition": lambda asked: 0,
    "asking": lambda asked: asked,
    "peer": Asking.live_peer,
    "pair": Asking.live_pair,
    "stage": Asking.live_stage,
    "judge": lambda asked: asked.judge,
    "dial": lambda asked: asked.dial,
    "listen": lambda asked: asked.listen,
    "attach": lambda asked: asked.attach,
    "dial_ws": lambda asked: asked.dial_ws,
    "listen_ws": lambda asked: asked.listen_ws,
    "attach_ws": lambda asked: asked.attach_ws,
    "seed": lambda asked: asked.seed,
}
