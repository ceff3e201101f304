"""The states of a strict connection and the table of what leads from one to the next.

What goes to and fro within the handshake of PLAIN has a table of its own, in `handshake`.
Sources: RFC 37, "Overall Behavior" and "NULL Mechanism"; RFC 24.
"""

from enum import Enum

from .errors import LocalProtocolError, RemoteProtocolError


class State(Enum):
    """Where a connection stands."""

    GREETING = "greeting"
    HANDSHAKE = "handshake"
    TRAFFIC = "traffic"
    FAILED = "failed"


class Step(Enum):
    """What can happen to a connection, from either side."""

    RECEIVE_GREETING = "receive greeting"
    RECEIVE_LEGACY_GREETING = "receive legacy greeting"
    RECEIVE_READY = "receive READY"
    RECEIVE_INITIATE = "receive INITIATE"
    RECEIVE_ERROR = "receive ERROR"
    RECEIVE_COMMAND = "receive command"
    RECEIVE_MESSAGE = "receive message"
    SEND_MESSAGE = "send message"
    SEND_COMMAND = "send command"
    SEND_ERROR = "send ERROR"


TABLE: dict[tuple[State, Step], State] = {
    (State.GREETING, Step.RECEIVE_GREETING): State.HANDSHAKE,
    (State.GREETING, Step.RECEIVE_LEGACY_GREETING): State.TRAFFIC,
    (State.HANDSHAKE, Step.RECEIVE_READY): State.TRAFFIC,
    (State.HANDSHAKE, Step.RECEIVE_INITIATE): State.TRAFFIC,
    (State.HANDSHAKE, Step.RECEIVE_ERROR): State.FAILED,
    (State.HANDSHAKE, Step.SEND_ERROR): State.FAILED,
    (State.TRAFFIC, Step.RECEIVE_COMMAND): State.TRAFFIC,
    (State.TRAFFIC, Step.RECEIVE_READY): State.TRAFFIC,
    (State.TRAFFIC, Step.RECEIVE_ERROR): State.FAILED,
    (State.TRAFFIC, Step.RECEIVE_MESSAGE): State.TRAFFIC,
    (State.TRAFFIC, Step.SEND_MESSAGE): State.TRAFFIC,
    (State.TRAFFIC, Step.SEND_COMMAND): State.TRAFFIC,
    (State.TRAFFIC, Step.SEND_ERROR): State.FAILED,
}

_RULES: dict[Step, str] = {
    Step.RECEIVE_MESSAGE: "37/null/send-after-both",
    Step.SEND_MESSAGE: "37/null/send-after-both",
    Step.RECEIVE_COMMAND: "37/null/abnf-null",
    Step.SEND_COMMAND: "37/heartbeat/ping-any-time",
}


def advance(state: State, step: Step, offset: int | None = None) -> State:
    """The state after a step. Raises Local- or RemoteProtocolError where the table has none."""
    after = TABLE.get((state, step))
    if after is not None:
        return after
    error = LocalProtocolError if step.name.startswith("SEND") else RemoteProtocolError
    rule = _RULES.get(step, "37/abnf/connection")
    raise error(rule, f"cannot {step.value} in state {state.value}", offset)
