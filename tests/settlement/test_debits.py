"""Debits that a bank books for pay-outs: unknown, another amount, one for many."""

import pytest

from scf.financing.models import Advance
from scf.kernel.errors import Conflict, NotFound, RuleViolation
from scf.kernel.ids import new_id
from scf.settlement.expected import EntryIn, PartIn
from scf.settlement.models import BankEntry, PaymentFile
from tests.settlement.books import must_agree
from tests.settlement.world import (
    FINANCIER,
    OBLIGOR,
    World,
    eur,
)  # fmt: skip


def debit(world: World, amount: str, reference: str = "", batch: str = "") -> dict[str, object]:
    row = EntryIn(
        identity=new_id(), place="Ntry", amount_minor=-eur(amount), currency="EUR",
        booked_on=world.today, value_on=world.today, batch_ids=[batch] if batch else [],
        parts=[PartIn(end_to_end_id=reference)] if reference else [],
    )  # fmt: skip
    return world.run("statement.read", **world.slice([row]))


def test_an_unknown_debit_is_booked_and_waits(world: World) -> None:
    said = debit(world, "12.34")
    assert [one["code"] for one in said["findings"]] == ["UNKNOWN_DEBIT"]  # type: ignore[attr-defined]
    assert world.book(FINANCIER) == {"cash": -eur("12.34"), "suspense": eur("12.34")}
    must_agree(world)


def test_a_debit_of_another_amount_settles_nothing_until_a_person_says_so(world: World) -> None:
    advance_id = world.advance(world.invoice("INV-1", "1,000.00"), "1,000.00")
    world.ordered()
    (one,) = world.instructions()
    said = debit(world, "988.00", one.end_to_end_id)
    assert [found["code"] for found in said["findings"]] == ["AMOUNT_DIFFERS"]  # type: ignore[attr-defined]
    entry = world.last_entry()
    with pytest.raises(RuleViolation, match="AMOUNT_DIFFERS"):
        world.run("debit.identify", entry_id=entry.id, instruction_id=one.id, note="that one")
    assert world.get(Advance, advance_id).state == "INSTRUCTED"


def test_a_debit_without_reference_is_explained_by_a_person(world: World) -> None:
    advance_id = world.advance(world.invoice("INV-1", "1,000,000.00"), "1,000,000.00")
    world.ordered()
    debit(world, "988,375.00")
    entry, (one,) = world.last_entry(), world.instructions()
    world.run("debit.identify", entry_id=entry.id, instruction_id=one.id, note="by phone")
    assert world.get(Advance, advance_id).state == "FUNDED"
    with pytest.raises(Conflict, match="NOT_WAITING"):
        world.run("debit.identify", entry_id=entry.id, instruction_id=one.id, note="again")
    must_agree(world)


def test_one_debit_for_a_whole_file_settles_all_of_it(world: World) -> None:
    ids = [world.advance(world.invoice(f"INV-{n}", "1,000.00"), "1,000.00") for n in range(3)]
    world.ordered()
    file = world.all(PaymentFile)[0]
    debit(world, "2,965.11", batch=file.msg_id)
    assert {world.get(Advance, one).state for one in ids} == {"FUNDED"}
    must_agree(world)


def test_a_statement_of_somebody_elses_account_is_refused(world: World) -> None:
    slice_ = world.slice([]) | {"account": "DE00"}
    with pytest.raises(NotFound, match="ACCOUNT"):
        world.run("statement.read", **slice_)
    assert OBLIGOR not in {row.financier_id for row in world.all(BankEntry)}
