"""Whatever takes something back is sent twice at once: one succeeds, and the books know of one.

Source: promises.md P9; postings.md 4.3, 4.13.
"""

import dataclasses
import datetime as dt
from collections import Counter
from pathlib import Path

import pytest

from scf.db.engine import Database
from scf.demo import bank
from scf.financing.models import Advance
from scf.kernel.actor import Role
from scf.ledger.models import Entry
from scf.reporting.verify import verify
from scf.settlement import statements
from scf.settlement.models import Allocation
from tests.flows.test_races import person
from tests.settlement.world import MAKER, START, World
from tests.support.racing import race

A_DAY = dt.timedelta(days=1)


@pytest.fixture
def world(db: Database, tmp_path: Path) -> World:
    return World(db, tmp_path / "bank")


def booked(world: World) -> Counter[str]:
    """Count the entries of each kind in all books."""
    return Counter(row.event_kind for row in world.all(Entry))


def given_back(world: World) -> tuple[str, bank.BankFile]:
    """Finance an invoice, close two days, and let the bank return the pay-out."""
    advance_id = world.financed("1,000,000.00")
    world.close_to(START + A_DAY)
    (order,) = world.instructions()
    return advance_id, bank.give_back(order.end_to_end_id, on=world.today, state_dir=world.folder)


def test_a_returned_payout_told_twice_at_once_and_unwound_twice_at_once(world: World) -> None:
    advance_id, (name, data) = given_back(world)

    def read(number: int) -> str:
        who = dataclasses.replace(MAKER, user_id=f"u-{number}")
        statements.read_file(world.platform, who, data, f"{number}-{name}")
        return "read"

    assert race(2, read)["read"] >= 1
    assert world.get(Advance, advance_id).state == "RETURNED"
    once = booked(world)
    assert once["payout.returned"] == 2  # in the books of seller and financier
    assert verify(world.platform).breaches == []

    def unwind(number: int) -> str:
        payload = {"advance_id": advance_id, "note": "the account is closed"}
        who = person(number, Role.OFFICER_MAKER)
        world.platform.run("payout.unwind", payload, who, key=f"u{number}")
        return "unwound"

    assert race(2, unwind) == {"unwound": 1, "ILLEGAL_TRANSITION": 1}
    assert world.get(Advance, advance_id).state == "UNWOUND"
    kinds = booked(world)
    kinds.subtract(once)
    assert all(count <= 2 for count in kinds.values()), kinds
    assert world.open_accounts("financier") == {}
    assert verify(world.platform).breaches == []


def test_a_credit_that_two_statements_reverse_at_once_is_gone_once(world: World) -> None:
    advance_id = world.financed("1,000.00")
    world.receive("400.00", "INV-1")
    entry = world.last_entry()
    reversal = world.reversal(entry)

    def read(number: int) -> str:
        payload = world.slice([reversal])
        who = person(number, Role.OFFICER_MAKER)
        read = world.platform.run("statement.read", payload, who, key=f"s{number}").result
        return str(read["new_entries"])

    assert race(2, read) == {"1": 1, "0": 1}
    assert world.get(Advance, advance_id).repaid_minor == 0
    assert [row.state for row in world.entries()] == ["REVERSED"]
    assert all(row.reversed_by for row in world.all(Allocation))
    assert verify(world.platform).breaches == []


def test_a_receipt_taken_back_by_a_person_and_by_the_bank_at_once(world: World) -> None:
    advance_id = world.financed("1,000.00")
    world.receive("400.00", "INV-1")
    entry = world.last_entry()
    reversal = world.reversal(entry)

    def act(number: int) -> str:
        who = person(number, Role.OFFICER_MAKER)
        if number:
            world.platform.run("statement.read", world.slice([reversal]), who, key="bank")
            return "bank"
        payload = {"entry_id": entry.id, "note": "meant another"}
        world.platform.run("receipt.reverse", payload, who, key="person")
        return "person"

    seen = race(2, act)
    assert seen["bank"] == 1, seen
    assert world.get(Advance, advance_id).repaid_minor == 0
    assert [row.state for row in world.entries()] == ["REVERSED"]
    assert sum(row.event_kind == "principal.reversed" for row in world.all(Entry)) <= 3
    assert verify(world.platform).breaches == []


def test_the_same_reversal_sent_twice_under_one_key_is_answered_once(world: World) -> None:
    advance_id, file = given_back(world)
    world.read([file])

    def unwind(_number: int) -> str:
        payload = {"advance_id": advance_id, "note": "the account is closed"}
        done = world.platform.run("payout.unwind", payload, MAKER, key="unwind")
        return "replayed" if done.replayed else "done"

    assert race(2, unwind) == {"done": 1, "replayed": 1}
    assert verify(world.platform).breaches == []


def test_two_reversals_of_one_credit_in_one_statement_leave_one_for_a_person(world: World) -> None:
    world.financed("1,000.00")
    world.receive("400.00", "INV-1")
    entry = world.last_entry()
    read = world.run("statement.read", **world.slice([world.reversal(entry) for _ in range(2)]))
    assert (read["new_entries"], read["waiting"]) == (2, 1)
    assert [row.state for row in world.entries()] == ["REVERSED"]
    assert verify(world.platform).breaches == []
