"""A document that lacks a firm or a date is kept, and completes itself when they are known."""

import datetime as dt

import pytest
from sqlalchemy import select

from scf.db.engine import Database
from scf.documents import axes, intake
from scf.documents.canonical import Kind
from scf.documents.models import PendingParty
from scf.kernel.actor import OPERATOR, Role
from scf.kernel.errors import InvalidInput
from tests.documents import ubl
from tests.documents.trade import (
    CREDIT_NOTES,
    ORDERS,
    PAYMENTS,
    Trade,
    credit_table,
    line_table,
    table,
    trade_on,
)

NEW = "300000003"


@pytest.fixture
def trade(db: Database) -> Trade:
    return trade_on(db)


def jobs(trade: Trade) -> None:
    """Let the worker do what is queued."""
    worker = trade.world.platform.worker()
    worker._handlers = {
        "documents.revalidate": lambda job: intake.revalidate_job(trade.world.platform, job),
        "documents.match": lambda job: intake.match_job(trade.world.platform, job),
        "documents.import": lambda job: intake.import_job(trade.world.platform, job),
    }
    worker.drain()


def activate_from_finding(trade: Trade) -> str:
    """Invite the unknown firm as the finding has it, and let an officer activate it."""
    found = next(row for row in trade.findings() if row.code == "FIRM_UNKNOWN")
    added = trade.world.run("firm.add", trade.buyer, name="New Ltd", finding_id=found.id)
    assert added["state"] == "INVITED"
    jobs(trade)
    assert {row.document_state for row in trade.rows()} <= {"INCOMPLETE", "VALIDATED"}
    trade.world.run("firm.activate", OPERATOR, firm_id=added["id"], evidence="register seen")
    jobs(trade)
    return str(added["id"])


def waiting(trade: Trade) -> int:
    with trade.db.snapshot() as conn:
        return len(conn.execute(select(PendingParty.__table__)).all())  # type: ignore[attr-defined]


def test_an_invoice_of_an_unknown_seller_waits_and_validates_itself(trade: Trade) -> None:
    result = trade.hand_in(ubl.invoice("N-1", "500.00", seller=NEW))
    assert (result["stored"], result["incomplete"]) == (1, 1)
    row = trade.invoice("N-1")
    assert (row.document_state, row.seller_id) == ("INCOMPLETE", None)
    (found,) = [row for row in trade.findings() if row.code == "FIRM_UNKNOWN"]
    assert found.facts == {
        "side": "seller",
        "party": {
            "name": "Seller Company",
            "country": "",
            "identifiers": [{"scheme": "duns", "value": NEW}],
        },
    }
    assert waiting(trade)
    firm_id = activate_from_finding(trade)
    row = trade.invoice("N-1")
    assert (row.document_state, row.seller_id) == ("VALIDATED", firm_id)
    assert waiting(trade) == 0
    assert all(row.resolved_at for row in trade.findings() if row.code == "FIRM_UNKNOWN")


def test_what_completes_is_matched_and_netted_too(trade: Trade) -> None:
    trade.hand_in(
        line_table(
            [
                {
                    "number": "PO-1",
                    "amount": "500.00",
                    "quantity": "1",
                    "net": "500.00",
                    "seller": NEW,
                }
            ]
        ),
        ORDERS,
    )
    trade.invoices({"number": "N-1", "amount": "500.00", "order": "PO-1", "seller": NEW})
    trade.hand_in(
        credit_table([{"number": "G-1", "amount": "20.00", "invoice": "N-1", "seller": NEW}]),
        CREDIT_NOTES,
    )
    activate_from_finding(trade)
    row = trade.invoice("N-1")
    assert (row.document_state, row.match_state, row.credited_minor) == (
        "VALIDATED",
        "MATCHED",
        2_000,
    )


def test_the_same_invoice_waiting_twice_is_one_and_a_later_twin_becomes_void(trade: Trade) -> None:
    trade.invoices({"number": "N-1", "amount": "500.00", "seller": NEW})
    again = trade.invoices({"number": "n 1", "amount": "500.00", "seller": NEW})
    assert (again["stored"], again["duplicate"]) == (0, 1)
    # The firm becomes known, but the waiting document is not looked at before its twin arrives.
    added = trade.world.run("firm.add", OPERATOR, name="New", identifiers=_duns(NEW))
    trade.world.run("firm.activate", OPERATOR, firm_id=added["id"], evidence="register seen")
    assert trade.hand_in(ubl.invoice("N-0001", "500.00", seller=NEW))["stored"] == 1
    jobs(trade)
    states = sorted(row.document_state for row in trade.rows())
    assert states == ["VALIDATED", "VOID"]
    assert "DUPLICATE_EXACT" in trade.codes()


def _duns(value: str) -> list[dict[str, str]]:
    return [{"scheme": "duns", "value": value}]


def test_a_firm_activated_while_its_file_is_read_is_found_at_the_end(trade: Trade) -> None:
    upload = trade.receive(ubl.invoice("N-1", "500.00", seller=NEW))
    platform = trade.world.platform
    run = platform.runner.run

    def activate_between(name: str, payload: object, **more: object) -> object:
        outcome = run(name, payload, **more)  # type: ignore[arg-type]
        if name == "documents.store":
            added = trade.world.run("firm.add", OPERATOR, name="New", identifiers=_duns(NEW))
            trade.world.run("firm.activate", OPERATOR, firm_id=added["id"], evidence="seen it")
        return outcome

    platform.runner.run = activate_between  # type: ignore[method-assign, assignment]
    intake.run_upload(platform, upload)
    assert trade.invoice("N-1").document_state == "VALIDATED"


def test_an_invoice_without_due_date_takes_that_of_the_acceptance(trade: Trade) -> None:
    trade.hand_in(
        line_table([{"number": "PO-1", "amount": "5.00", "quantity": "1", "net": "5.00"}]), ORDERS
    )
    trade.invoices({"number": "N-1", "amount": "5.00", "due": "", "order": "PO-1"})
    assert trade.invoice("N-1").document_state == "INCOMPLETE"
    assert "DUE_DATE_MISSING" in trade.codes()
    with pytest.raises(InvalidInput, match="DUE_DATE_MISSING"):
        trade.on(
            "N-1",
            lambda ctx, row: axes.accept(ctx, row, amount_minor=500, due_on=None, ipu=True),
        )
    due = dt.date(2026, 5, 5)
    trade.on("N-1", lambda ctx, row: axes.accept(ctx, row, amount_minor=500, due_on=due, ipu=True))
    jobs(trade)
    row = trade.invoice("N-1")
    assert (row.document_state, row.due_on, row.match_state) == ("VALIDATED", due, "MATCHED")
    assert all(row.resolved_at for row in trade.findings() if row.code == "DUE_DATE_MISSING")


def test_spend_lines_report_each_unknown_firm_once_and_complete_together(trade: Trade) -> None:
    columns = "payer,payee,name,amount,date,reference"
    rows = [["200000002", NEW, "New Ltd", f"{n}.00", "2026-01-21", f"T-{n}"] for n in range(1, 6)]
    # Two lines are genuinely equal; one is a refund.
    rows += [rows[0], ["200000002", NEW, "New Ltd", "-3.00", "2026-01-22", "T-9"]]
    content = table(columns, rows)
    result = trade.hand_in(content, PAYMENTS, document_type="payment")
    assert (result["stored"], result["incomplete"]) == (7, 7)
    assert trade.codes().count("FIRM_UNKNOWN") == 1
    assert trade.hand_in(content, PAYMENTS)["duplicate"] == 7
    found = next(row for row in trade.findings() if row.code == "FIRM_UNKNOWN")
    assert found.facts["side"] == "payee"
    activate_from_finding(trade)
    paid = trade.rows(Kind.PAYMENT)
    assert {row.document_state for row in paid} == {"VALIDATED"}
    assert sum(row.amount_minor for row in paid) == 1_300
    assert trade.hand_in(content, PAYMENTS)["stored"] == 0


def test_the_worker_imports_what_was_queued_and_tells_how_far_it_is(trade: Trade) -> None:
    received = trade.world.run(
        "upload.receive", trade.buyer, name="x", content=ubl.invoice("Q-1", "1.00"), queue=True
    )
    jobs(trade)
    assert trade.invoice("Q-1").document_state == "VALIDATED"
    clerk = trade.world.people["clerk"]
    assert Role.OPERATOR not in clerk.roles
    with trade.db.read(clerk) as session:
        from scf.db.models import Job

        job = session.get(Job, received["job_id"])
        assert job is not None
        assert (job.state, job.progress["rows_done"], job.result["stored"]) == ("DONE", 1, 1)
        assert job.progress["unit"] == "documents"
