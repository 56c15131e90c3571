"""The word on the screen and the states behind it follow from the amounts."""

import datetime as dt
from dataclasses import dataclass

import pytest

from scf.documents import lifecycle, rules
from scf.kernel.errors import Conflict
from scf.kernel.states import Lifecycle

TODAY = dt.date(2026, 6, 1)
MACHINES = (
    lifecycle.DOCUMENT,
    lifecycle.MATCH,
    lifecycle.ACCEPTANCE,
    lifecycle.PAYMENT,
    lifecycle.DISPUTE,
    lifecycle.CREDIT,
)


@dataclass
class Row:
    """An invoice of 100 that is valid and untouched, but for what a case says."""

    base_minor: int = 100
    credited_minor: int = 0
    disputed_minor: int = 0
    paid_minor: int = 0
    retention_minor: int = 0
    offered_minor: int = 0
    held_minor: int = 0
    outstanding_minor: int = 0
    repaid_minor: int = 0
    document_state: str = "VALIDATED"
    acceptance_state: str = "NONE"
    payment_state: str = "OPEN"
    dispute_state: str = "CLEAR"
    due_on: dt.date | None = dt.date(2026, 6, 30)


LATE = dt.date(2026, 5, 31)


@pytest.mark.parametrize(
    ("row", "label"),
    [
        (Row(document_state="VOID", payment_state="PAID"), "VOID"),
        (Row(payment_state="WRITTEN_OFF", due_on=LATE), "WRITTEN_OFF"),
        (Row(payment_state="PAID", paid_minor=100, due_on=LATE), "PAID"),
        (Row(payment_state="PART_PAID", paid_minor=1, due_on=LATE), "OVERDUE"),
        (Row(payment_state="PART_PAID", paid_minor=1, outstanding_minor=99), "PART_PAID"),
        (Row(outstanding_minor=100, dispute_state="DISPUTED"), "FINANCED"),
        (Row(outstanding_minor=40, held_minor=60), "PART_FINANCED"),
        (Row(held_minor=1, dispute_state="DISPUTED"), "FUNDING_IN_PROGRESS"),
        (Row(dispute_state="DISPUTED", acceptance_state="ACCEPTED"), "DISPUTED"),
        (Row(acceptance_state="ACCEPTED"), "EARLY_PAY_AVAILABLE"),
        (Row(acceptance_state="ACCEPTED", credited_minor=100), "APPROVED"),
        (Row(acceptance_state="PART_ACCEPTED", credited_minor=100), "PART_APPROVED"),
        (Row(acceptance_state="REJECTED"), "REJECTED"),
        (Row(), "IN_PROCESS"),
        (Row(document_state="INCOMPLETE", due_on=None), "INCOMPLETE"),
    ],
)
def test_the_label_is_the_first_that_holds(row: Row, label: str) -> None:
    assert rules.label(row, TODAY, early_pay=True) == label


def test_without_an_offer_an_accepted_invoice_is_approved() -> None:
    assert rules.label(Row(acceptance_state="ACCEPTED"), TODAY) == "APPROVED"


@pytest.mark.parametrize(
    ("row", "state"),
    [
        (Row(), "FREE"),
        (Row(offered_minor=1), "OFFERED"),
        (Row(held_minor=1, offered_minor=1), "HELD"),
        (Row(outstanding_minor=1), "PART_FINANCED"),
        (Row(outstanding_minor=100), "FINANCED"),
        (Row(paid_minor=100, repaid_minor=100), "CLOSED"),
        (Row(paid_minor=50, repaid_minor=50), "FREE"),
    ],
)
def test_the_finance_axis_follows_from_its_amounts(row: Row, state: str) -> None:
    assert rules.finance_state(row) == state


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_what_the_table_does_not_name_is_refused(machine: Lifecycle) -> None:
    for state in machine.states:
        for event in machine.events:
            if event in machine.allowed(state):
                assert machine.after(state, event) in machine.states
            else:
                with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
                    machine.after(state, event)


def test_a_void_document_and_a_written_off_claim_stay_so() -> None:
    assert lifecycle.DOCUMENT.allowed("VOID") == ()
    assert lifecycle.PAYMENT.allowed("WRITTEN_OFF") == ()
    assert lifecycle.CREDIT.allowed("APPLIED") == ()
