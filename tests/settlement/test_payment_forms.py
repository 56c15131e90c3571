"""The file as the bank wants it: either version, payments one by one or as one sum."""

import pytest
from sqlalchemy import update

from scf.demo import bank
from scf.financing.models import Advance
from scf.settlement.readers import read_statements
from scf.settlement.writers import VERSION_03, VERSION_09
from scf.settlement.writers.pain001 import schema_error
from tests.settlement.books import must_agree
from tests.settlement.world import SELLER, World


@pytest.mark.parametrize("version", [VERSION_03, VERSION_09])
@pytest.mark.parametrize("together", [True, False])
def test_each_version_and_manner_settles_all_of_it(
    world: World, version: str, *, together: bool
) -> None:
    for number in range(3):
        world.advance(world.invoice(f"INV-{number}", "100.00"), "100.00")
    (file,) = world.ordered(version=version, batch_booking=together)
    assert version.encode() in file
    assert schema_error(file, version) is None
    answers = bank.answer(file, on=world.today, state_dir=world.folder)
    booked = [
        len(each.entries)
        for name, data in answers
        if name.startswith("camt")
        for each in read_statements(data).statements
    ]
    assert booked == [1 if together else 3]
    assert world.read(answers)[-1]["settled"] == 3
    assert {row.state for row in world.instructions()} == {"SETTLED"}
    must_agree(world)


def test_refused_in_the_older_version_it_goes_again_in_the_newer_under_a_new_name(
    world: World,
) -> None:
    advance_id = world.advance(world.invoice("INV-1", "100.00"), "100.00")
    (file,) = world.ordered(version=VERSION_03)
    refused = bank.answer(file, on=world.today, state_dir=world.folder, reject=True)
    world.read(refused, keep_rejected=True)
    (again,) = world.ordered(advance_ids=[advance_id], version=VERSION_09)
    world.answer(again)
    names = [row.end_to_end_id for row in world.instructions()]
    assert [name.rpartition("-")[2] for name in names] == ["1", "2"]
    assert [row.state for row in world.instructions()] == ["REJECTED", "SETTLED"]
    must_agree(world)


@pytest.mark.parametrize("version", [VERSION_03, VERSION_09])
def test_an_account_without_iban_and_bic_is_paid_by_its_clearing_number(
    world: World, version: str
) -> None:
    world.another_account(
        SELLER, "55779911", is_iban=0, clearing_system="GBDSC", clearing_member="200000",
        street="1 Gold Street", postcode="EC2V 8AE", town="London", country="GB",
    )  # fmt: skip
    advance_id = world.advance(world.invoice("INV-1", "100.00"), "100.00")
    with world.db.writer.begin() as conn:
        table = Advance.__table__  # type: ignore[attr-defined]
        conn.execute(update(table).values(payee_account_id=f"account-{SELLER}-2"))
    world.sign_again(advance_id)
    (file,) = world.ordered(version=version)
    assert schema_error(file, version) is None
    for written in (
        "<Cd>GBDSC</Cd>", "<MmbId>200000</MmbId>", "<Id>55779911</Id>", "<Cd>BBAN</Cd>",
        "<StrtNm>1 Gold Street</StrtNm>", "<PstCd>EC2V 8AE</PstCd>", "<TwnNm>London</TwnNm>",
        "<ChrgBr>SHAR</ChrgBr>",
    ):  # fmt: skip
        assert written.encode() in file
    assert b"<Cd>SEPA</Cd>" not in file
    world.answer(file)
    assert world.get(Advance, advance_id).state == "FUNDED"
    must_agree(world)
