"""What does not fit its order is listed with the reason, and each remedy is one press."""

import pytest
from sqlalchemy import select
from sqlmodel import col

from scf.db.engine import Database
from scf.documents import conservation, intake
from scf.documents.commands import ReceiveUpload
from scf.documents.match.models import MatchAct, PackSize
from scf.documents.match.tolerance import Rules
from scf.documents.models import Invoice, InvoiceLine
from scf.notices.models import Notice
from tests.documents.match.papers import agreeing, file, line, paper
from tests.support.served import Served
from tests.web.portal.anchor.world import ANCHOR_VAT, SUPPLIER_VAT, Person, served

SIDES = {
    side: {"name": side, "identifiers": [{"scheme": "vat", "value": number}]}
    for side, number in (("seller", SUPPLIER_VAT), ("buyer", ANCHOR_VAT))
}


@pytest.fixture
def of(db: Database) -> Served:
    """Serve the anchor's world with orders and invoices that do not fit them."""
    world = served(db)
    bring(
        world,
        paper("order", "PO-1", line("1", "10", 100_00, name="Pump", item="P-1"), **SIDES),
        paper("order", "PO-2", line("1", "24", 240_00, name="Seal", item="S-1"), **SIDES),
        paper("invoice", "DEAR", line("1", "10", 110_00, of="1"), order="PO-1", **SIDES),
        paper("invoice", "PACKED", line("1", "2", 240_00, of="1", unit="CT"), order="PO-2",
              **SIDES),
        paper("invoice", "LOST", line("1", "1", 10_00, of="1"), order="PO-9", **SIDES),
    )  # fmt: skip
    return world


def bring(of: Served, *papers: dict[str, object]) -> None:
    """Let the supplier hand papers in."""
    payload = ReceiveUpload(name="papers.json", content=file(*papers))
    run, person = of.world.platform.run, of.world.people["treasurer"]
    done = run("upload.receive", payload, person, key=of.world.key()).result
    assert intake.run_upload(of.world.platform, done["upload_id"])["bad"] == 0


def invoice(of: Served, number: str) -> Invoice:
    table = Invoice.__table__  # type: ignore[attr-defined]
    with of.world.platform.db.snapshot() as conn:
        assert list(conservation.breaches(conn)) == []
        return conn.execute(select(table).where(table.c.number == number)).one()  # type: ignore[return-value]


def acts(of: Served) -> list[str]:
    with of.world.platform.db.snapshot() as conn:
        return list(conn.execute(select(col(MatchAct.act)).order_by(col(MatchAct.id))).scalars())


def test_the_list_says_why_and_for_how_much_and_an_approver_lets_pass(of: Served) -> None:
    approver = Person(of, "approver")
    page = approver.get("/anchor/matching")
    for text in (
        "3 invoices do not fit",
        "It asks for more money than was ordered",
        "Its order is not here",
        "It counts in another unit",
        "10.00",
        "Say how much one pack holds.",
    ):
        assert text in page
    only = approver.get("/anchor/matching?why=AMOUNT_EXCEEDED")
    assert "DEAR" in only
    assert "PACKED" not in only
    form = {"key": approver.field("key"), "invoice": [invoice(of, "DEAR").id]}
    approver.post("/anchor/matching/settle", form | {"act": "credit", "reason": ""})
    form = {"key": approver.field("key"), "invoice": [invoice(of, "DEAR").id]}
    told = approver.post("/anchor/matching/settle", form | {"act": "waive", "reason": "Agreed"})
    assert "1 invoice may pass" in told
    approver.post("/anchor/matching/settle", form | {"act": "waive", "reason": "Agreed"})
    row = invoice(of, "DEAR")
    assert (row.match_state, row.counted_minor) == ("WAIVED", 100_00)
    assert acts(of) == ["CREDIT_ASKED", "WAIVED"]


def test_a_clerk_lets_nothing_pass_without_an_agreed_limit(of: Served) -> None:
    clerk = Person(of, "clerk")
    clerk.get("/anchor/matching")
    form = {"key": clerk.field("key"), "invoice": [invoice(of, "DEAR").id], "act": "waive"}
    told = clerk.post("/anchor/matching/settle", form | {"reason": "Agreed"}, follow=False)
    assert "Ask an approver of your firm" in str(told)
    assert invoice(of, "DEAR").match_state == "EXCEPTION"


def test_the_page_of_an_invoice_settles_unit_order_and_receipt(of: Served) -> None:
    clerk = Person(of, "clerk")
    packed = invoice(of, "PACKED")
    page = clerk.get(f"/anchor/invoices/{packed.id}")
    assert "Line 1 is ordered in EA, invoiced in CT." in page
    assert "24 EA" in page  # what was ordered, though the invoice takes nothing of it
    pack = {"key": clerk.field("key"), "line_id": clerk.field("line_id"), "pack_unit": "CT"}
    clerk.post(f"/anchor/invoices/{packed.id}/pack", pack | {"per_pack": "12"})
    assert invoice(of, "PACKED").match_state == "MATCHED"
    with of.world.platform.db.snapshot() as conn:
        (size,) = conn.execute(select(PackSize.__table__)).all()  # type: ignore[attr-defined]
    assert (size.pack_unit, size.unit, size.per_pack_micro) == ("CT", "EA", 12_000_000)
    assert "One CT of Seal holds 12 EA" in clerk.get("/anchor/matching")
    gone = clerk.post(f"/anchor/packs/{size.id}/withdraw", {"key": clerk.field("key")})
    assert "The pack size no longer counts." in gone
    assert "One CT of Seal" not in gone
    lost = invoice(of, "LOST")
    clerk.get(f"/anchor/invoices/{lost.id}")
    right = {"key": clerk.field("key"), "order_number": "PO-1"}
    clerk.post(f"/anchor/invoices/{lost.id}/order", right)
    assert invoice(of, "LOST").match_state == "MATCHED"
    with agreeing(Rules("receipt")):
        bring(of, paper("invoice", "EARLY", line("1", "2", 20_00, of="1"), order="PO-1", **SIDES))
        early = invoice(of, "EARLY")
        assert (early.match_state, early.match_code) == ("PARTIAL", "RECEIPT_MISSING")
        page = clerk.get(f"/anchor/invoices/{early.id}")
        assert "Line 1: 3 invoiced, 0 received." in page
        goods = {"key": clerk.field("key"), "arrived-1": "3", "number": "R-1"}
        clerk.post(f"/anchor/invoices/{early.id}/goods", goods)
        assert invoice(of, "EARLY").match_state == "MATCHED"


def notices(of: Served, person: str) -> list[str]:
    of.world.platform.worker().drain()
    user = of.world.people[person].user_id
    with of.world.platform.db.snapshot() as conn:
        found = select(col(Notice.message)).where(col(Notice.user_id) == user)
        return list(conn.execute(found.order_by(col(Notice.id))).scalars())


def test_the_other_side_is_told_what_was_done_and_led_to_the_invoice(of: Served) -> None:
    run, approver = of.world.run, of.world.people["approver"]
    dear, packed, lost = (invoice(of, number) for number in ("DEAR", "PACKED", "LOST"))
    run("match.ask_credit", approver, invoice_ids=[dear.id])
    run("match.waive", approver, invoice_ids=[dear.id], reason="Agreed by telephone")
    with of.world.platform.db.snapshot() as conn:
        line_id = conn.execute(
            select(col(InvoiceLine.id)).where(col(InvoiceLine.invoice_id) == packed.id)
        ).scalar_one()
    agreed = {"invoice_id": packed.id, "line_id": line_id, "pack_unit": "CT", "per_pack": "12"}
    run("pack.agree", approver, **agreed)
    treasurer = of.world.people["treasurer"]
    run("match.correct_order", treasurer, invoice_id=lost.id, order_number="PO-2", reason="Typing")
    assert notices(of, "treasurer") == [
        "Your buyer asks for a credit note over EUR 10.00 on invoice DEAR.",
        "Invoice DEAR may pass: your buyer accepts that it differs from its order.",
        "Your buyer counts one CT of Seal as 12 EA.",
    ]
    assert notices(of, "clerk") == ["Invoice LOST is now matched with order PO-2."]
    for name, path in (
        ("clerk", f"/anchor/invoices/{lost.id}"),
        ("treasurer", f"/treasurer/invoices/{dear.id}"),
    ):
        browser = of.browser(name)
        user = of.world.people[name].user_id
        with of.world.platform.db.snapshot() as conn:
            found = select(col(Notice.id)).where(col(Notice.user_id) == user)
            first = conn.execute(found.order_by(col(Notice.id))).scalars().first()
        opened = browser.post(f"/notices/{first}/open", {"key": "k"})
        assert opened.headers["Location"] == path
        assert browser.get(path).status_code == 200
