"""Two records of one firm are joined by two people, and parted again as if nothing had been."""

import hashlib
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel

from scf.db.engine import Database
from scf.documents import axes, intake
from scf.documents.canonical import Kind
from scf.documents.duplicates.standing import SUSPICION
from scf.documents.identity.merging import consequences
from scf.documents.invoice_state import INVOICE
from scf.documents.storing import TABLES
from scf.kernel.actor import OPERATOR, Role
from scf.kernel.errors import Conflict, NotAllowed, RuleViolation, ScfError
from scf.parties.identity.models import FirmLink
from tests.documents.test_pending import jobs
from tests.documents.trade import (
    INVOICES,
    ORDERS,
    SELLER,
    Trade,
    invoice_table,
    line_table,
    trade_on,
)
from tests.support.racing import race

TWIN = "300000003"
# What tells of acts and not of states.
_OF_ACTS = {"audit_log", "idempotency", "job", "outbox", "firm_merge", "audit_seal"}

# A paper that was matched elsewhere and back has another version than whoever holds it open.
_COUNTS_ACTS = {INVOICE.c.version, TABLES[Kind.ORDER].c.version}


@pytest.fixture
def trade(db: Database) -> Trade:
    trade = trade_on(db)
    world = trade.world
    world.firm("bank", "financier")
    for short in ("maker", "checker"):
        role = Role.OFFICER_MAKER if short == "maker" else Role.OFFICER_CHECKER
        world.person(short, "bank", role)
    for short, number in (("twin", TWIN), ("other", "400000004")):
        added = world.run(
            "firm.add", world.people["maker"], name="Seller Co.", country="DE",
            identifiers=[{"scheme": "duns", "value": number}],
        )  # fmt: skip
        world.firms[short] = str(added["id"])
        evidence = "a second extract of the register"
        world.run("firm.activate", world.people["checker"], firm_id=added["id"], evidence=evidence)
    return trade


def proposed(trade: Trade, gone: str = "twin", stays: str = "other") -> str:
    world = trade.world
    made = world.run(
        "firm.merge", world.people["maker"], firm_id=world.firms[gone],
        survivor_id=world.firms[stays], reason="one register entry",
    )  # fmt: skip
    return str(made["id"])


def decided(trade: Trade, merge_id: str, who: str = "checker", *, confirm: bool = True) -> None:
    trade.world.run(
        "firm.merge.decide", trade.world.people[who], merge_id=merge_id, confirm=confirm,
        reason="seen in the register",
    )  # fmt: skip


def digest(trade: Trade) -> str:
    """Give the fingerprint of every row of every table that holds a state."""
    hasher = hashlib.sha256()
    with trade.db.snapshot() as conn:
        for table in SQLModel.metadata.sorted_tables:
            if table.name not in _OF_ACTS:
                states = [one for one in table.c if one not in _COUNTS_ACTS]
                rows = conn.execute(select(*states).order_by(*table.primary_key)).all()
                hasher.update(repr((table.name, [tuple(row) for row in rows])).encode())
    return hasher.hexdigest()


def links(trade: Trade) -> list[tuple[str, str]]:
    link: Any = FirmLink.__table__  # type: ignore[attr-defined]
    with trade.db.snapshot() as conn:
        return [(row.firm_id, row.survivor_id) for row in conn.execute(select(link))]


def refusals(trade: Trade, gone: str, stays: str) -> set[str]:
    firms = trade.world.firms
    with trade.db.snapshot() as conn:
        found = consequences(conn, trade.world.people["maker"], firms[gone], firms[stays])
    return {one.code for one in found.obstacles}


def test_a_joined_record_is_found_as_the_other_and_parting_restores_every_row(
    trade: Trade,
) -> None:
    firms = trade.world.firms
    ordered(trade, "10.00")
    trade.invoices(
        {"number": "N-1", "amount": "10.00", "seller": TWIN, "order": "PO-1"},
        {"number": "N-2", "amount": "10.00", "seller": TWIN},
    )
    before = digest(trade)
    merge_id = proposed(trade)
    assert digest(trade) == before  # a proposal changes nothing
    with pytest.raises(RuleViolation, match="SAME_PERSON"):
        decided(trade, merge_id, "maker")
    decided(trade, merge_id)
    assert links(trade) == [(firms["twin"], firms["other"])]
    assert {row.seller_id for row in trade.rows()} == {firms["other"]}
    assert trade.invoice("N-1").match_state == "MATCHED"
    trade.world.run(
        "firm.unmerge", trade.world.people["maker"], firm_id=firms["twin"], reason="two firms"
    )
    with pytest.raises(Conflict, match="MERGE_WAITS"):
        trade.world.run(
            "firm.unmerge", trade.world.people["maker"], firm_id=firms["twin"], reason="again"
        )
    with pytest.raises(Conflict, match="MERGE_DECIDED"):
        decided(trade, merge_id)
    with trade.db.snapshot() as conn:
        waiting = conn.exec_driver_sql("select id from firm_merge where state = 'PROPOSED'")
        (unmerge_id,) = waiting.scalars()
    decided(trade, unmerge_id)
    jobs(trade)
    assert digest(trade) == before


def test_a_document_under_either_record_is_one_document(trade: Trade) -> None:
    firms = trade.world.firms
    trade.invoices({"number": "N-1", "amount": "10.00", "seller": TWIN})
    decided(trade, proposed(trade))
    # The same claim under the number of the firm that stays, and a new one under the other's.
    again = trade.invoices({"number": "N-1", "amount": "10.00", "seller": "400000004"})
    assert (again["stored"], again["duplicate"]) == (0, 1)
    trade.invoices({"number": "N-2", "amount": "10.00", "seller": TWIN})
    assert trade.invoice("N-1").seller_id == firms["other"]
    assert trade.invoice("N-2").seller_id == firms["other"]


def ordered(trade: Trade, amount: str) -> None:
    row = {"number": "PO-1", "amount": amount, "net": amount, "quantity": "1", "seller": TWIN}
    trade.hand_in(line_table([row]), ORDERS)


def parting(trade: Trade) -> str:
    """Propose to take the joining of the twin's record back."""
    made = trade.world.run(
        "firm.unmerge", trade.world.people["maker"], firm_id=trade.world.firms["twin"],
        reason="two firms",
    )  # fmt: skip
    return str(made["id"])


def test_papers_on_which_money_rests_are_not_moved_back(trade: Trade) -> None:
    trade.invoices({"number": "N-1", "amount": "10.00", "seller": TWIN})
    decided(trade, proposed(trade))
    assert trade.invoice("N-1").seller_id == trade.world.firms["other"]
    trade.on("N-1", lambda ctx, row: axes.hold(ctx, row.id, 100))
    asked = parting(trade)
    with pytest.raises(Conflict, match="UNMERGE_USED") as refusal:
        decided(trade, asked)
    assert refusal.value.facts["numbers"] == ["N-1"]
    assert len(links(trade)) == 1
    trade.on("N-1", lambda ctx, row: axes.free(ctx, row.id, 100))
    decided(trade, asked)
    assert trade.invoice("N-1").seller_id == trade.world.firms["twin"]


def test_what_came_later_stays_and_what_is_matched_across_forbids_to_part(trade: Trade) -> None:
    ordered(trade, "10.00")
    trade.invoices({"number": "N-1", "amount": "4.00", "seller": TWIN, "order": "PO-1"})
    decided(trade, proposed(trade))
    trade.invoices({"number": "N-2", "amount": "6.00", "seller": "400000004", "order": "PO-1"})
    assert trade.invoice("N-2").match_state == "MATCHED"
    with pytest.raises(Conflict, match="UNMERGE_MIXED") as refusal:
        decided(trade, parting(trade))
    assert refusal.value.facts["numbers"] == ["N-2"]


def test_what_looks_alike_under_two_records_is_seen_once_they_are_one(trade: Trade) -> None:
    for number, seller in (("N-1", TWIN), ("X-900", "400000004")):
        trade.invoices({"number": number, "amount": "12500.00", "seller": seller, "order": "PO-7"})
    before = digest(trade)
    decided(trade, proposed(trade))
    with trade.db.snapshot() as conn:
        [found] = conn.execute(select(SUSPICION)).all()
    assert found.seller_id == trade.world.firms["other"]
    decided(trade, parting(trade))
    jobs(trade)
    assert digest(trade) == before


def test_what_waited_is_the_firms_that_stays_and_nothing_is_twice(trade: Trade) -> None:
    world, firms = trade.world, trade.world.firms
    trade.invoices({"number": "N-1", "amount": "10.00", "seller": TWIN})
    for number in ("N-1", "N-2"):
        trade.invoices({"number": number, "amount": "10.00", "seller": "500000005"})
    decided(trade, proposed(trade))
    more = [{"scheme": "duns", "value": "500000005"}]
    world.run("firm.identify", OPERATOR, firm_id=firms["other"], identifiers=more)
    jobs(trade)
    states = sorted((row.number, row.document_state) for row in trade.rows())
    assert states == [("N-1", "VALIDATED"), ("N-1", "VOID"), ("N-2", "VALIDATED")]
    with pytest.raises(Conflict, match="FIRM_MERGED"):
        world.run("firm.identify", OPERATOR, firm_id=firms["twin"], identifiers=more)


def test_what_stands_in_the_way_is_named(trade: Trade) -> None:
    world = trade.world
    # The seller has people; a record that has none may be given up for it, never the reverse.
    assert refusals(trade, "seller", "twin") == {"MERGE_OTHER_WAY"}
    assert refusals(trade, "seller", "buyer") == {"MERGE_BOTH_HOLD"}
    assert refusals(trade, "twin", "twin") == {"MERGE_SAME"}
    assert refusals(trade, "twin", "seller") == set()
    trade.invoices(
        {"number": "N-1", "amount": "1.00", "seller": TWIN},
        {"number": "N-1", "amount": "1.00", "seller": SELLER},
    )
    assert refusals(trade, "twin", "seller") == {"MERGE_TWICE"}
    assert refusals(trade, "twin", "buyer") == {"MERGE_TRADE"}
    for firm, value in (("twin", "DE136695976"), ("other", "DE811569869")):
        world.run(
            "firm.identify", OPERATOR, firm_id=world.firms[firm],
            identifiers=[{"scheme": "vat", "value": value}],
        )  # fmt: skip
    assert refusals(trade, "twin", "other") == {"MERGE_NUMBERS"}
    with pytest.raises(RuleViolation, match="MERGE_NUMBERS"):
        proposed(trade)


def test_a_record_is_one_step_from_the_firm(trade: Trade) -> None:
    decided(trade, proposed(trade, "twin", "other"))
    assert "MERGE_STANDS_FOR" in refusals(trade, "other", "seller")
    assert "MERGED_ALREADY" in refusals(trade, "twin", "seller")
    trade.world.firms["third"] = trade.world.firms["twin"]
    assert "MERGE_SURVIVOR" in refusals(trade, "other", "third")


def test_another_house_joins_no_records_that_it_does_not_answer_for(trade: Trade) -> None:
    trade.world.firm("rival", "financier")
    stranger = trade.world.person("stranger", "rival", Role.OFFICER_MAKER)
    with pytest.raises(NotAllowed):
        trade.world.run(
            "firm.merge", stranger, firm_id=trade.world.firms["twin"],
            survivor_id=trade.world.firms["other"], reason="they look alike",
        )  # fmt: skip


def test_joining_two_records_both_ways_at_once_joins_them_once(trade: Trade) -> None:
    there, back = proposed(trade, "twin", "other"), proposed(trade, "other", "twin")
    asked = [there, back, there, back]

    def act(number: int) -> str:
        data = {"merge_id": asked[number], "confirm": True, "reason": "at the same moment"}
        checker = trade.world.people["checker"]
        trade.world.platform.run("firm.merge.decide", data, checker, key=f"race-{number}")
        return "done"

    came = race(4, act)
    assert came["done"] == 1
    assert len(links(trade)) == 1


def test_a_document_that_comes_while_records_are_joined_stands_under_one(trade: Trade) -> None:
    """Whoever is first: a document is the firm's that stays, or was there before the joining."""
    merge_id = proposed(trade)
    number = {"number": "N-1", "amount": "10.00"}
    uploads = [
        trade.receive(invoice_table([number | {"seller": seller}]), INVOICES)
        for seller in (TWIN, "400000004")
    ]

    def act(place: int) -> str:
        if place == 2:
            data = {"merge_id": merge_id, "confirm": True, "reason": "at the same moment"}
            trade.world.platform.run(
                "firm.merge.decide", data, trade.world.people["checker"], key="race-merge"
            )
            return "merged"
        try:
            return f"stored {intake.run_upload(trade.world.platform, uploads[place])['stored']}"
        except ScfError as refusal:
            return refusal.code

    came = race(3, act)
    kept = [row for row in trade.rows() if row.document_state == "VALIDATED"]
    if came["merged"]:
        assert len(kept) == 1
    else:
        assert came["MERGE_TWICE"] == 1
        assert len(kept) == 2
