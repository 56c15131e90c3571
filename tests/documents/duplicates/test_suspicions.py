"""What becomes of a copy that is handed in: blocked, or shown to the buyer and the financier."""

from typing import Any

import pytest
from sqlalchemy import Row, insert, select

from scf.db.engine import Database
from scf.db.runner import Context
from scf.documents import axes
from scf.documents.duplicates.models import DuplicateSuspicion
from scf.documents.duplicates.standing import SUSPICION, VERDICT, open_for
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import Conflict, NotAllowed, NotFound, RuleViolation
from scf.kernel.ids import new_id
from scf.programmes.models import Programme
from tests.documents.trade import (
    CREDIT_NOTES,
    LINE_INVOICES,
    Trade,
    credit_table,
    line_table,
    trade_on,
)
from tests.support.people import NOON

ITEM_INVOICES = LINE_INVOICES.model_copy(
    update={"columns": {**LINE_INVOICES.columns, "item_name": "item"}}
)
ONE = {"number": "INV-2026-0041", "amount": "12500.00", "order": "PO-7"}


@pytest.fixture
def trade(db: Database) -> Trade:
    return trade_on(db)


def suspicions(trade: Trade) -> list[Row[Any]]:
    with trade.db.snapshot() as conn:
        return list(conn.execute(select(SUSPICION).order_by(SUSPICION.c.id)).all())


def of(trade: Trade, number: str) -> str:
    return str(trade.invoice(number).id)


def decide(
    trade: Trade, outcome: str, actor: Actor | None = None, version: int = 0
) -> dict[str, Any]:
    asked = {
        "suspicion_id": suspicions(trade)[0].id,
        "outcome": outcome,
        "reason": "looked at both papers",
        "version": version,
    }
    return trade.world.run("duplicate.decide", actor or trade.buyer, **asked)


def test_the_number_written_another_way_is_blocked_with_its_twin_named(trade: Trade) -> None:
    trade.invoices(ONE)
    for disguise in ("inv 2026/41", "\u0406NV-2026-0041", "INV20260041", "I N V-2 0 2 6-0041"):
        again = trade.invoices(ONE | {"number": disguise})
        assert (again["stored"], again["duplicate"]) == (0, 1)
        told = trade.findings()[-1]
        assert told.code == "DUPLICATE_EXACT"
        assert told.facts == {"earlier_id": of(trade, ONE["number"])}


def test_numbers_that_only_join_differently_are_two_claims(trade: Trade) -> None:
    trade.invoices({"number": "AB-00003-2", "amount": "10.00"})
    trade.invoices({"number": "AB-00032", "amount": "99.00"})
    assert len(trade.rows()) == 2


def test_a_copy_with_another_number_is_kept_and_looked_at(trade: Trade) -> None:
    trade.invoices(ONE)
    trade.invoices(ONE | {"number": "INV-2026-0977", "date": "2026-02-20"})
    [found] = suspicions(trade)
    assert (found.code, found.invoice_id) == ("SAME_ORDER", of(trade, "INV-2026-0977"))
    assert found.twin_id == of(trade, ONE["number"])
    assert found.facts["same_order"] is True
    assert found.facts["days"] == 19


def test_a_file_with_all_lines_of_an_earlier_one_but_one_is_looked_at(trade: Trade) -> None:
    goods = [
        {"line": "1", "item": "bolt"},
        {"line": "2", "item": "nut"},
        {"line": "3", "item": "oil"},
    ]
    for number, lines in (("INV-1", goods), ("Z-77", goods[:2])):
        rows = [
            one | {"number": number, "amount": f"{len(lines)}00.00", "quantity": 4, "net": "100.00"}
            for one in lines
        ]
        trade.hand_in(item_table(rows), ITEM_INVOICES)
    [found] = suspicions(trade)
    assert (found.code, found.invoice_id) == ("SOME_LINES", of(trade, "Z-77"))


def item_table(rows: list[dict[str, Any]]) -> bytes:
    """Write line_table with what each line is about."""
    head, *body = line_table(rows).decode().splitlines()
    said = [f"{line},{row['item']}" for line, row in zip(body, rows, strict=True)]
    return "\n".join([f"{head},item", *said, ""]).encode()


def test_what_was_credited_in_full_is_billed_again_without_suspicion(trade: Trade) -> None:
    trade.invoices(ONE)
    row = {"number": "C-1", "amount": ONE["amount"], "invoice": ONE["number"]}
    trade.hand_in(credit_table([row]), CREDIT_NOTES)
    trade.invoices(ONE | {"number": "INV-2026-0041R"})
    assert suspicions(trade) == []


def test_the_buyer_sees_a_suspicion_and_the_seller_does_not(trade: Trade) -> None:
    trade.invoices(ONE)
    trade.invoices(ONE | {"number": "X-900"})
    seen = {}
    for actor in (trade.buyer, trade.seller):
        with trade.db.read(actor) as session:
            seen[actor.org_id] = len(session.exec(select(DuplicateSuspicion)).all())  # type: ignore[call-overload]
    assert seen == {trade.buyer.org_id: 1, trade.seller.org_id: 0}
    with pytest.raises((NotFound, NotAllowed)):
        decide(trade, "DISTINCT", trade.seller)


def test_the_buyers_word_rejects_the_later_paper_and_is_remembered(trade: Trade) -> None:
    trade.invoices(ONE)
    trade.invoices(ONE | {"number": "X-900"})
    assert decide(trade, "SAME")["state"] == "DECIDED"
    states = {row.number: row.acceptance_state for row in trade.rows()}
    assert states == {ONE["number"]: "NONE", "X-900": "REJECTED"}
    with trade.db.snapshot() as conn:
        assert open_for(conn, [of(trade, ONE["number"])], trade.buyer.org_id) == []
    with pytest.raises(Conflict) as refusal:
        decide(trade, "DISTINCT", version=1)
    assert refusal.value.code == "DECISION_STATE"


def test_a_copy_that_the_buyer_has_accepted_is_withdrawn_by_its_word(trade: Trade) -> None:
    trade.invoices(ONE)
    trade.invoices(ONE | {"number": "X-900"})
    for number in (ONE["number"], "X-900"):
        trade.on(number, _accept)
    assert decide(trade, "SAME")["state"] == "DECIDED"
    states = {row.number: (row.acceptance_state, row.accepted_minor) for row in trade.rows()}
    assert states == {ONE["number"]: ("ACCEPTED", 12_500_00), "X-900": ("REJECTED", None)}


def test_a_copy_that_the_buyer_has_rejected_already_takes_its_word_all_the_same(
    trade: Trade,
) -> None:
    trade.invoices(ONE)
    trade.invoices(ONE | {"number": "X-900"})
    trade.on("X-900", lambda ctx, row: axes.reject(ctx, row, reason="not ordered"))
    assert decide(trade, "SAME")["state"] == "DECIDED"
    assert trade.invoice("X-900").acceptance_version == 1


def test_a_copy_that_the_buyer_has_undertaken_to_pay_is_disputed_and_the_undertaking_stands(
    trade: Trade,
) -> None:
    trade.invoices(ONE)
    trade.invoices(ONE | {"number": "X-900"})
    trade.on(
        "X-900",
        lambda ctx, row: axes.accept(
            ctx, row, amount_minor=row.payable_minor, due_on=row.due_on, ipu=True
        ),
    )
    assert decide(trade, "SAME")["state"] == "DECIDED"
    copy = trade.invoice("X-900")
    assert (copy.acceptance_state, copy.ipu, copy.dispute_state) == ("ACCEPTED", True, "DISPUTED")


def test_a_copy_on_which_money_hangs_is_not_rejected_and_the_other_paper_is(trade: Trade) -> None:
    trade.invoices(ONE)
    trade.invoices(ONE | {"number": "X-900"})
    trade.on("X-900", _accept)
    trade.on("X-900", lambda ctx, row: axes.hold(ctx, row.id, 100))
    with pytest.raises(RuleViolation) as refusal:
        decide(trade, "SAME")
    assert refusal.value.code == "ALREADY_FINANCED"
    assert "Call the other paper the copy" in str(refusal.value)
    asked = {"suspicion_id": suspicions(trade)[0].id, "reason": "this one is financed"}
    trade.world.run("duplicate.decide", trade.buyer, outcome="SAME", copy_is="EARLIER", **asked)
    states = {row.number: row.acceptance_state for row in trade.rows()}
    assert states == {ONE["number"]: "REJECTED", "X-900": "ACCEPTED"}


def test_a_financier_sees_its_own_word_only_and_two_people_speak_where_money_is_out(
    trade: Trade,
) -> None:
    trade.invoices(ONE)
    trade.invoices(ONE | {"number": "X-900"})
    firm, officers = _bank(trade)
    trade.on(ONE["number"], lambda ctx, row: axes.hold(ctx, row.id, 100))
    first = decide(trade, "SAME", officers[0])
    assert first["state"] == "PROPOSED"
    with trade.db.snapshot() as conn:
        assert [one.outcome for one in open_for(conn, [of(trade, "X-900")], firm)] == [""]
    with pytest.raises(NotAllowed) as refusal:
        decide(trade, "SAME", officers[0], version=1)
    assert refusal.value.code == "FOUR_EYES"
    assert decide(trade, "SAME", officers[1], version=1)["state"] == "DECIDED"
    with trade.db.snapshot() as conn:
        assert [one.outcome for one in open_for(conn, [of(trade, "X-900")], firm)] == ["SAME"]
        assert [one.outcome for one in open_for(conn, [of(trade, "X-900")], "other")] == [""]


def test_the_seller_appeals_and_another_person_looks_again(trade: Trade) -> None:
    trade.invoices(ONE)
    trade.invoices(ONE | {"number": "X-900"})
    firm, officers = _bank(trade)
    asked = {"invoice_id": of(trade, "X-900"), "note": "two machines, two deliveries"}
    with pytest.raises(RuleViolation) as nothing:
        trade.world.run("duplicate.appeal", trade.seller, **asked)
    assert nothing.value.code == "NOTHING_BLOCKED"
    decide(trade, "SAME", officers[0])
    assert trade.world.run("duplicate.appeal", trade.seller, **asked)["appealed"] == 1
    with pytest.raises(NotAllowed):
        decide(trade, "DISTINCT", officers[0], version=2)
    assert decide(trade, "DISTINCT", officers[1], version=2)["state"] == "DECIDED"
    with trade.db.snapshot() as conn:
        assert open_for(conn, [of(trade, "X-900")], firm) == []
        assert conn.execute(select(VERDICT.c.appeal)).scalar_one() == asked["note"]


def _bank(trade: Trade) -> tuple[str, list[Actor]]:
    """Make a financier whose programme has the buyer as its anchor, and two officers of it."""
    firm = trade.world.firm("bank", kind="financier")
    programme = Programme(
        id=new_id(), code="p", name="P", financier_id=firm, anchor_id=trade.buyer.org_id,
        seller_id=None, technique="payables_finance", state="ACTIVE", created_by="x",
        created_at=NOON,
    )  # fmt: skip
    with trade.db.writer.begin() as conn:
        conn.execute(insert(Programme.__table__), programme.model_dump())  # type: ignore[attr-defined]
    for number in (ONE["number"], "X-900"):
        trade.on(number, _accept)
    return firm, [
        trade.world.person("maker", "bank", Role.OFFICER_MAKER),
        trade.world.person("checker", "bank", Role.OFFICER_CHECKER),
    ]


def _accept(ctx: Context, row: Row[Any]) -> None:
    axes.accept(ctx, row, amount_minor=row.payable_minor, due_on=row.due_on, ipu=False)
