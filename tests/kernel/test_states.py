"""Lifecycles: what the table does not name does not happen."""

import itertools
from enum import StrEnum

import pytest

from scf.kernel.errors import Conflict
from scf.kernel.states import Lifecycle


class Hold(StrEnum):
    NEW = "NEW"
    HELD = "HELD"
    UTILISED = "UTILISED"
    FREED = "FREED"


HOLD = Lifecycle(
    "hold",
    {
        (Hold.NEW, "hold"): Hold.HELD,
        (Hold.HELD, "fund"): Hold.UTILISED,
        (Hold.HELD, "free"): Hold.FREED,
        (Hold.UTILISED, "repay"): Hold.UTILISED,
    },
)


def test_an_event_leads_on() -> None:
    assert HOLD.after(Hold.NEW, "hold") == Hold.HELD
    assert HOLD.after("HELD", "free") == "FREED"
    assert HOLD.after(Hold.UTILISED, "repay") == Hold.UTILISED


def test_states_and_events_come_in_the_order_of_the_table() -> None:
    assert HOLD.states == ("NEW", "HELD", "UTILISED", "FREED")
    assert HOLD.events == ("hold", "fund", "free", "repay")
    assert HOLD.allowed(Hold.HELD) == ("fund", "free")
    assert HOLD.allowed(Hold.FREED) == ()


def test_every_other_step_is_a_conflict_with_its_facts() -> None:
    pairs = itertools.product((*HOLD.states, "MARS"), (*HOLD.events, "explode"))
    illegal = [pair for pair in pairs if pair not in HOLD.transitions]
    assert len(illegal) == 5 * 5 - 4
    for state, event in illegal:
        with pytest.raises(Conflict) as refused:
            HOLD.after(state, event)
        assert refused.value.code == "ILLEGAL_TRANSITION"
        assert refused.value.facts == {
            "machine": "hold",
            "state": state,
            "event": event,
            "allowed": list(HOLD.allowed(state)),
        }


def test_the_table_cannot_be_changed_afterwards() -> None:
    source = {("A", "go"): "B"}
    machine = Lifecycle("small", source)
    source["B", "back"] = "A"
    assert machine.states == ("A", "B")
    with pytest.raises(TypeError):
        machine.transitions["B", "back"] = "A"  # type: ignore[index]
