"""The table of states, every cell of it."""

import itertools

import pytest

from harness.zmtp import LocalProtocolError, RemoteProtocolError, State, Step
from harness.zmtp.state import advance

G, H, T, F, NO = State.GREETING, State.HANDSHAKE, State.TRAFFIC, State.FAILED, None

# Step: the state after it from GREETING, HANDSHAKE, TRAFFIC, FAILED (NO: not allowed there).
EXPECTED: dict[Step, tuple[State | None, ...]] = {
    Step.RECEIVE_GREETING: (H, NO, NO, NO),
    Step.RECEIVE_LEGACY_GREETING: (T, NO, NO, NO),
    Step.RECEIVE_READY: (NO, T, T, NO),
    Step.RECEIVE_INITIATE: (NO, T, NO, NO),
    Step.RECEIVE_ERROR: (NO, F, F, NO),
    Step.RECEIVE_COMMAND: (NO, NO, T, NO),
    Step.RECEIVE_MESSAGE: (NO, NO, T, NO),
    Step.SEND_MESSAGE: (NO, NO, T, NO),
    Step.SEND_COMMAND: (NO, NO, T, NO),
    Step.SEND_ERROR: (NO, F, F, NO),
}
CELLS = list(itertools.product(enumerate((G, H, T, F)), Step))


def test_the_table_is_complete() -> None:
    assert set(EXPECTED) == set(Step)
    assert len(CELLS) == len(State) * len(Step)


@pytest.mark.parametrize(
    ("column_and_state", "step"), CELLS, ids=lambda value: str(getattr(value, "value", ""))
)
def test_cell(column_and_state: tuple[int, State], step: Step) -> None:
    column, state = column_and_state
    after = EXPECTED[step][column]
    if after is not None:
        assert advance(state, step, 7) is after
        return
    ours = step.name.startswith("SEND")
    with pytest.raises(LocalProtocolError if ours else RemoteProtocolError, match=step.value) as caught:
        advance(state, step, 7)
    assert caught.value.offset == 7
    assert state.value in str(caught.value)


@pytest.mark.parametrize(
    ("step", "clause"),
    [
        (Step.RECEIVE_MESSAGE, "37/null/send-after-both"),
        (Step.SEND_MESSAGE, "37/null/send-after-both"),
        (Step.RECEIVE_COMMAND, "37/null/abnf-null"),
        (Step.SEND_COMMAND, "37/heartbeat/ping-any-time"),
    ],
)
def test_the_rule_for_too_early(step: Step, clause: str) -> None:
    with pytest.raises((LocalProtocolError, RemoteProtocolError)) as caught:
        advance(State.HANDSHAKE, step)
    assert caught.value.clause == clause
