"""The machines of requests and advances, and replaying an advance from its events."""

from types import SimpleNamespace
from typing import Any

import pytest

from scf.financing.lifecycle import ADVANCE, BEFORE_INSTRUCTED, ENDED, OUT, REQUEST
from scf.financing.retelling import replay
from scf.kernel.errors import Conflict
from scf.kernel.states import Lifecycle


def reachable(machine: Lifecycle, start: str) -> set[str]:
    found, todo = {start}, [start]
    while todo:
        state = todo.pop()
        for event in machine.allowed(state):
            after = machine.after(state, event)
            if after not in found:
                found.add(after)
                todo.append(after)
    return found


@pytest.mark.parametrize(("machine", "start"), [(ADVANCE, "NEW"), (REQUEST, "DRAFT")])
def test_every_state_is_reachable(machine: Lifecycle, start: str) -> None:
    assert reachable(machine, start) == set(machine.states)


@pytest.mark.parametrize("machine", [ADVANCE, REQUEST])
def test_every_step_that_is_not_in_the_table_is_a_conflict(machine: Lifecycle) -> None:
    for state in machine.states:
        for event in machine.events:
            if (state, event) not in machine.transitions:
                with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
                    machine.after(state, event)


def test_only_instruction_and_bank_evidence_lead_to_funded() -> None:
    """Source: finance.md section 3: a booked entry alone drives FUNDED."""
    sources = {
        state
        for (state, _), to in ADVANCE.transitions.items()
        if to == "FUNDED" and state != "FUNDED"
    }
    assert sources == {"INSTRUCTED", "UNKNOWN", "PART_REPAID", "CLOSED"}
    assert {
        event
        for (state, event), to in ADVANCE.transitions.items()
        if to == "FUNDED" and state in {"PART_REPAID", "CLOSED"}
    } == {"reopen_all"}


def test_before_instruction_everything_can_be_undone_and_afterwards_nothing() -> None:
    for state in BEFORE_INSTRUCTED:
        assert {"decline", "cancel"} <= set(ADVANCE.allowed(state))
    for state in set(ADVANCE.states) - {*BEFORE_INSTRUCTED, "NEW"}:
        assert not {"decline", "cancel", "expire"} & set(ADVANCE.allowed(state))


def test_a_hold_ends_with_its_price_but_never_once_money_is_on_its_way() -> None:
    states = {state for state, event in ADVANCE.transitions if event == "expire"}
    assert states == set(BEFORE_INSTRUCTED)


def test_no_check_can_be_jumped_over() -> None:
    """Each state on the way to INSTRUCTED has one way in."""
    way = ["REQUESTED", "HELD", "PRECHECKED", "DECIDED", "SIGNED", "REGISTERED", "RECHECKED"]
    for before, state in zip(way, [*way[1:], "INSTRUCTED"], strict=True):
        sources = {
            start
            for (start, event), to in ADVANCE.transitions.items()
            if to == state and event != "undo"  # an officer takes the last word back
        }
        allowed = {before, state} | ({"FAILED", "RETURNED"} if state == "INSTRUCTED" else set())
        assert sources <= allowed


def test_what_has_ended_stays_ended() -> None:
    on_money = {"CLOSED", "REPURCHASED", "RECOVERED"}  # the bank may take that money back
    for state in set(ENDED) - on_money:
        assert ADVANCE.allowed(state) == ()
    for state in on_money:
        assert set(ADVANCE.allowed(state)) == {"reopen", "reopen_all"}
    assert set(OUT) <= set(ADVANCE.states)


# --- Replay -----------------------------------------------------------------------------------


def story(*steps: tuple[str, dict[str, Any]]) -> list[SimpleNamespace]:
    state, found = "NEW", []
    for number, (event, facts) in enumerate(steps, 1):
        after = ADVANCE.after(state, event)
        found.append(
            SimpleNamespace(
                number=number, event=event, from_state=state, to_state=after, facts=facts
            )
        )
        state = after
    return found


TO_FUNDED: tuple[tuple[str, dict[str, Any]], ...] = (
    *(
        (event, {})
        for event in (
            "request", "hold", "precheck", "decide", "sign", "register", "recheck", "instruct",
        )
    ),
    ("fund", {"value_on": "2026-03-10"}),
)  # fmt: skip


def test_replaying_adds_up_what_was_repaid_and_undone() -> None:
    events = story(
        *TO_FUNDED,
        ("repay", {"principal": 40, "penalty": 0}),
        ("overdue", {}),
        ("repay", {"principal": 10, "penalty": 5}),
        ("reopen", {"principal": -20, "penalty": -1}),
    )
    now = replay(reversed(events))
    assert (now.state, now.repaid_minor, now.penalty_paid_minor) == ("OVERDUE", 30, 4)
    assert str(now.funded_on) == "2026-03-10"
    assert now.closed_on is None


def test_events_that_tell_an_impossible_story_are_named() -> None:
    events = story(*TO_FUNDED)
    with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
        replay(events[:3] + events[4:])
    events[4].to_state = "FUNDED"
    with pytest.raises(Conflict, match="EVENT_STATE"):
        replay(events)
