"""How an own account is served: its mapping tried and kept, its payment form, its hour."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from lxml import etree

from scf.kernel.actor import Actor, Role
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, RuleViolation
from scf.settlement import statements
from scf.settlement.models import BankEntry
from scf.settlement.own_accounts import trying
from scf.settlement.own_accounts.models import AccountSetup
from scf.settlement.own_accounts.reading import mapping_of_table, setup_of
from tests.settlement.setting import FINANCIER, IBANS, SELLER
from tests.settlement.world import CHECKER, MAKER, World, eur

ACCOUNT = f"account-{FINANCIER}"
COLUMNS = {"booked_on": "Datum", "amount": "Betrag", "name": "Name", "text": "Zweck"}
MAPPING = {"columns": COLUMNS, "date_formats": ["DD.MM.YYYY"], "decimal": "comma"}
TABLE = (
    b"Datum;Betrag;Name;Zweck\n10.03.2026;1.000,50;Obligor AG;hello\n10.03.2026;-2,00;Bank;fee\n"
)


def asked(version: int = 0, table: bytes = TABLE, **said: Any) -> trying.Asked:  # noqa: ANN401
    given: dict[str, Any] = {
        "version": version,
        "mapping_name": "House bank",
        "mapping": json.dumps(MAPPING),
        "sample": base64.b64encode(table).decode(),
        "sample_name": "march.csv",
    }
    return trying.Asked(**given | said)


def set_up(world: World, actor: Actor = MAKER, **said: Any) -> dict[str, Any]:  # noqa: ANN401
    return trying.set_up(world.platform, actor, ACCOUNT, asked(**said), key=world.key()).result


def test_a_table_is_read_by_the_mapping_that_its_account_keeps(world: World) -> None:
    with pytest.raises(InvalidInput, match="mapping"):
        statements.read_file(world.platform, MAKER, TABLE, "t.csv")
    for wrong, place in (
        (TABLE.replace(b"1.000,50", b"1,000.50"), "row 2, column Betrag"),
        (TABLE.replace(b"10.03.2026;-2", b"03/10/2026;-2"), "row 3, column Datum"),
        (TABLE.replace(b"Zweck\n", b"Text\n"), "header"),
    ):
        with pytest.raises(InvalidInput) as unfit:
            set_up(world, table=wrong)
        assert unfit.value.code == "SAMPLE_UNFIT"
        told: Any = unfit.value.facts["findings"]
        assert place in {one["place"] for one in told}
    with pytest.raises(InvalidInput, match="tried"):
        set_up(world, sample="")
    with pytest.raises(InvalidInput, match="name"):
        set_up(world, mapping_name=" ")
    assert world.count(AccountSetup) == 0
    assert set_up(world)["version"] == 1
    assert set_up(world, version=1)["version"] == 1, "the same again is no version"
    other = TABLE.replace(b"hello", b"another file")
    read = statements.read_file(world.platform, MAKER, other, "t.csv")
    assert (read["read"], read["new_entries"]) == (True, 2)
    assert sorted(row.amount_minor for row in world.all(BankEntry)) == [-200, eur("1000.50")]
    unread = statements.read_file(
        world.platform, MAKER, other.replace(b"1.000,50", b"1,000.50"), "t.csv"
    )
    assert unread["read"] is False
    assert unread["findings"][0]["place"] == "row 2, column Betrag"
    with world.db.snapshot() as conn:
        kept = setup_of(conn, ACCOUNT)
        assert kept.sample["rows"] == 2
        assert mapping_of_table(conn, FINANCIER, TABLE, IBANS[FINANCIER]) == kept.mapping
        with pytest.raises(NotFound):
            mapping_of_table(conn, FINANCIER, TABLE, IBANS[SELLER])


def test_only_the_own_people_set_up_an_own_account_and_only_one_of_two_at_once(
    world: World,
) -> None:
    head = Actor("u-head", FINANCIER, frozenset({Role.HEAD_OFFICE}), "head")
    with pytest.raises(NotAllowed):
        set_up(world, head)
    stranger = Actor("u-t", SELLER, frozenset({Role.TREASURER}), "t")
    with pytest.raises(NotFound):
        set_up(world, stranger)
    with pytest.raises(InvalidInput, match="time of day"):
        set_up(world, cut_off="24:00")
    with pytest.raises(InvalidInput, match="time zone"):
        set_up(world, cut_off="16:00", cut_off_zone="Mars/North")

    def write(number: int) -> str:
        try:
            trying.set_up(
                world.platform, MAKER, ACCOUNT, asked(cut_off=f"1{number}:00"), key=f"race-{number}"
            )
        except Conflict as refused:
            return refused.code
        return "kept"

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(write, range(4)))
    assert answers == ["SETUP_CHANGED"] * 3 + ["kept"]
    assert world.count(AccountSetup) == 1


def test_payment_files_are_written_as_the_bank_of_the_account_takes_them(world: World) -> None:
    plain: dict[str, Any] = {"mapping": "", "sample": "", "mapping_name": ""}
    set_up(world, payment_version="pain.001.001.03", shape="domestic", batch_booking=True, **plain)
    world.advance(world.invoice("INV-1", "100.00"), "100.00")
    (file,) = world.ordered()
    root = etree.fromstring(file)
    assert etree.QName(root).namespace.endswith("pain.001.001.03")
    assert b"<Cd>SEPA</Cd>" not in file
    assert b"<BtchBookg>true</BtchBookg>" in file
    set_up(world, version=1, shape="sepa", **plain)
    world.advance(world.invoice("INV-2", "100.00"), "100.00")
    assert b"<Cd>SEPA</Cd>" in world.ordered()[0]
    world.clock.advance(hours=6, minutes=59)
    set_up(world, version=2, cut_off="16:00", **plain)
    world.advance(world.invoice("INV-3", "100.00"), "100.00")
    (before,) = world.run("payout.prepare")["files"]
    world.clock.advance(minutes=2)
    with pytest.raises(RuleViolation) as late:
        world.run("payout.release", CHECKER, file_id=before["file_id"])
    assert late.value.code == "CUTOFF_PASSED"
    world.run("payout.cancel", file_id=before["file_id"], note="too late")
    again = world.run("payout.prepare")
    assert again["files"] == []
    assert {one["code"] for one in again["skipped"]} == {"CUTOFF_PASSED"}
