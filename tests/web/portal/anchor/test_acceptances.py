"""The buyer's word: many at once in two presses, never by the clerk, never twice."""

import html
import re
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update
from sqlmodel import col

from scf.db.engine import Database
from scf.documents import intake
from scf.documents.commands import ReceiveUpload
from scf.documents.models import Acceptance, Dispute, Invoice
from scf.kernel.ids import new_id
from scf.parties.models import AccountVerification, BankAccount
from scf.settlement.writers.pain001 import schema_error
from tests.support.served import Served
from tests.web.portal.anchor.world import ANCHOR_VAT, SUPPLIER_VAT, Person, served

COLUMNS = "invoice number,invoice date,due date,supplier vat,buyer vat,currency,amount"


def bring(of: Served, rows: int, undated: int = 0) -> None:
    """Let the supplier hand in invoices, some of them without a due date."""
    lines = [COLUMNS]
    for number in range(rows + undated):
        due = "2026-05-11" if number < rows else ""
        lines.append(
            f"S-{number:03},2026-02-10,{due},{SUPPLIER_VAT},{ANCHOR_VAT},EUR,{100 + number}"
        )
    payload = ReceiveUpload(name="s.csv", content="\n".join(lines).encode())
    run = of.world.platform.run
    done = run("upload.receive", payload, of.world.people["treasurer"], key=of.world.key()).result
    intake.run_upload(of.world.platform, done["upload_id"])


@pytest.fixture
def of(db: Database) -> Served:
    """Serve the anchor's world with invoices of the supplier."""
    world = served(db)
    bring(world, 6, undated=1)
    return world


def count(of: Served, model: type, *where: object) -> int:
    """Count rows of a table."""
    with of.world.platform.db.snapshot() as conn:
        found = select(func.count()).select_from(model).where(*where)  # type: ignore[arg-type]
        return int(conn.execute(found).scalar_one())


def test_two_presses_accept_everything_that_is_clean_and_pressing_again_changes_nothing(
    of: Served,
) -> None:
    approver = Person(of, "approver")
    page = approver.get("/anchor/acceptances")
    assert "7 invoices wait for your answer" in page
    assert "It names no due date" in page
    approver.post("/anchor/acceptances/review", {"key": approver.field("key"), "all": "1"})
    assert "615.00" in approver.html
    form = approver.fields("/anchor/acceptances")
    assert len(form["invoice"]) == 6
    told = approver.post("/anchor/acceptances", form)
    assert "6 invoices are accepted" in told
    approver.post("/anchor/acceptances", form)
    assert count(of, Acceptance) == 6
    assert count(of, Invoice, Invoice.acceptance_state == "ACCEPTED") == 6


def test_the_clerk_sees_everything_and_is_told_who_accepts(of: Served) -> None:
    clerk = Person(of, "clerk")
    page = clerk.get("/anchor/acceptances")
    assert "S-001" in page
    assert "Anchor, approver" in page
    assert 'name="all"' not in page
    clerk.post("/anchor/acceptances", {"key": clerk.field("key"), "invoice": ["x"]}, follow=False)
    assert clerk.status == 403
    assert count(of, Acceptance) == 0


def test_what_stands_in_the_way_is_left_out_with_its_cause(of: Served) -> None:
    approver = Person(of, "approver")
    approver.get("/anchor/acceptances")
    with of.world.platform.db.snapshot() as conn:
        ids = list(conn.execute(select(Invoice.id)).scalars())  # type: ignore[call-overload]
    sent = {"key": approver.field("key"), "invoice": ids}
    page = approver.post("/anchor/acceptances/review", sent)
    assert "Left out" in page
    assert "state one on its own page" in page
    assert len(approver.fields("/anchor/acceptances")["invoice"]) == 6


def test_amount_and_due_date_are_stated_on_the_invoice_and_an_error_keeps_what_was_typed(
    of: Served,
) -> None:
    approver = Person(of, "approver")
    with of.world.platform.db.snapshot() as conn:
        undated = select(Invoice.id).where(col(Invoice.due_on).is_(None))  # type: ignore[call-overload]
        at = f"/anchor/invoices/{conn.execute(undated).scalar_one()}"
    approver.get(at)
    form = approver.fields(f"{at}/accept") | {"amount": ["9,999.00"], "due_on": ["2026-06-01"]}
    page = approver.post(f"{at}/accept", form)
    assert approver.status == 422
    assert 'value="9,999.00"' in page
    assert 'value="2026-06-01"' in page
    good = approver.fields(f"{at}/accept") | {"amount": ["100.00"]}
    assert "The invoice is accepted" in approver.post(f"{at}/accept", good)
    assert count(of, Invoice, Invoice.acceptance_state == "PART_ACCEPTED") == 1


def test_a_dispute_is_opened_once_and_split(of: Served) -> None:
    clerk = Person(of, "clerk")
    with of.world.platform.db.snapshot() as conn:
        first = select(Invoice.id).where(Invoice.number == "S-000")  # type: ignore[call-overload]
        at = f"/anchor/invoices/{conn.execute(first).scalar_one()}"
    clerk.get(at)
    form = clerk.fields(f"{at}/dispute") | {"part": ["40.00"], "why": ["two boxes were wet"]}
    clerk.post(f"{at}/dispute", form)
    clerk.post(f"{at}/dispute", form)
    assert count(of, Dispute) == 1
    page = clerk.get("/anchor/disputes")
    assert "two boxes were wet" in page
    with of.world.platform.db.snapshot() as conn:
        dispute_id = conn.execute(select(Dispute.id)).scalar_one()  # type: ignore[call-overload]
    sent = {"key": clerk.field("key"), "outcome": "split", "buyer": "15.00"}
    assert "The dispute is ended" in clerk.post(f"/anchor/disputes/{dispute_id}/resolve", sent)


def test_payments_home_and_suppliers_say_whom_to_pay_and_what_waits(of: Served) -> None:
    approver = Person(of, "approver")
    approver.get("/anchor/acceptances")
    approver.post("/anchor/acceptances/review", {"key": approver.field("key"), "all": "1"})
    approver.post("/anchor/acceptances", approver.fields("/anchor/acceptances"))
    assert "Supplier Company" in approver.get("/anchor/payments")
    lines = approver.browser.get("/anchor/payments.csv").get_data(as_text=True).splitlines()
    assert lines[1].split(",")[1:] == [
        "S-000", "Supplier Company", "Supplier Company", "100.00", "EUR",
        "no", "100.00", "0.00", "0.00", "", "", "ACCOUNT_UNVERIFIED",
    ]  # fmt: skip
    _payment_file_of_a_day(of, approver)
    _run_of_a_day(of, approver)
    home = approver.get("/")
    assert approver.at == "/anchor/"
    assert "1 invoice waits for your answer" in home
    approver.get("/anchor/suppliers")
    form = approver.fields("/anchor/suppliers") | {"name": ["Ford Springs"]}
    approver.post("/anchor/suppliers", form)
    assert approver.post("/anchor/suppliers", form).count("Ford Springs</span>") == 1


def _account(of: Served, firm: str, number: str, *, verified: bool) -> None:
    """Let a firm name an account, which the bank has verified, or has not."""
    now, account_id, firm_id = of.world.clock.now(), new_id(), of.world.firms[firm]
    account = BankAccount(
        id=account_id, firm_id=firm_id, number=number, bic=None, currency="EUR", holder=firm,
        added_by="x", added_by_org=firm_id, created_at=now,
    )  # fmt: skip
    said = AccountVerification(
        account_id=account_id, financier_id=of.world.firms["bank"], verified_by="y",
        verified_at=now, usable_on=None,
    )  # fmt: skip
    with of.world.platform.db.writer.begin() as conn:
        rows: list[Any] = [account, said] if verified else [account]
        for row in rows:
            conn.execute(insert(type(row).__table__), row.model_dump())


def _payment_file_of_a_day(of: Served, approver: Person) -> None:
    """The run is a file for the own bank; a payee whose account changed lately is held back."""
    xml = re.compile(r'href="(/anchor/payments.xml[?][^"]+)"')
    page = approver.get("/anchor/payments")
    assert xml.search(page) is None
    assert "held back: no verified account" in page
    _account(of, "supplier", "NL91ABNA0417164300", verified=True)
    href = xml.search(approver.get("/anchor/payments"))
    assert href is not None
    way = html.unescape(href[1])
    assert approver.browser.get(way).status_code == 303
    assert "has named no account in EUR" in approver.get("/anchor/payments")
    _account(of, "anchor", "DE89370400440532013000", verified=False)
    data = approver.browser.get(way).get_data()
    assert schema_error(data, "pain.001.001.09") is None
    assert data == approver.browser.get(way).get_data(), "the same run, the same bytes"
    for word in (b"NL91ABNA0417164300", b"DE89370400440532013000", b"S-000", b">100.00<"):
        assert word in data
    of.world.clock.advance(minutes=1)
    _account(of, "supplier", "NL02ABNA0123456789", verified=False)
    assert approver.browser.get(way).status_code == 303, "whom to pay has changed"
    page = approver.get("/anchor/payments")
    assert "held back: account changed lately" in page
    assert xml.search(page) is None
    table = BankAccount.__table__  # type: ignore[attr-defined]
    with of.world.platform.db.writer.begin() as conn:
        conn.execute(delete(table).where(table.c.number == "NL02ABNA0123456789"))


def _run_of_a_day(of: Served, approver: Person) -> None:
    """A run is given as it was read; once a sum of it is another, the person looks again first."""
    href = re.search(r'href="(/anchor/payments.csv[?]on=[^"]+)"', approver.get("/anchor/payments"))
    assert href is not None
    way = html.unescape(href[1])
    assert "S-000" in approver.browser.get(way).get_data(as_text=True)
    table = Invoice.__table__  # type: ignore[attr-defined]
    with of.world.platform.db.writer.begin() as conn:
        conn.execute(update(table).where(table.c.number == "S-000").values(paid_minor=1))
    answer = approver.browser.get(way)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/anchor/payments")
    assert "Nothing was downloaded" in approver.get("/anchor/payments")
    assert approver.browser.get(way.replace("seen=", "seen=x")).status_code == 303
