"""Accepted invoices by the thousand, as the tables hold them, without the days it takes to live."""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from scf.documents.models import Invoice, InvoiceFact
from scf.kernel.ids import new_id
from tests.support.deals import table

# seller, buyer, minor units, issued, due
Sale = tuple[str, str, int, dt.date, dt.date]


def put_sales(
    conn: Connection, sales: Iterable[Sale], known_at: dt.datetime, currency: str = "EUR"
) -> None:
    """Store invoices and what became known of them when their buyers accepted."""
    invoices, facts = [], []
    for seller, buyer, minor, issue_on, due_on in sales:
        invoice_id = new_id()
        invoices.append(
            {
                "id": invoice_id, "number": invoice_id, "canonical_number": invoice_id,
                "seller_id": seller, "buyer_id": buyer, "issue_on": issue_on, "due_on": due_on,
                "currency": currency, "type_code": "380", "duplicate_key": invoice_id,
                "net_minor": minor, "tax_minor": 0, "gross_minor": minor, "payable_minor": minor,
                "base_minor": minor, "document_state": "VALIDATED", "match_state": "MATCHED",
                "acceptance_state": "ACCEPTED", "payment_state": "OPEN", "dispute_state": "CLEAR",
                "parties": {}, "org_id": seller, "upload_id": "u", "original_id": "o",
                "created_at": known_at,
            }
        )  # fmt: skip
        facts.append(
            {
                "invoice_id": invoice_id, "document_state": "VALIDATED",
                "acceptance_state": "ACCEPTED", "ipu": False, "due_on": due_on,
                "base_minor": minor, "credited_minor": 0, "disputed_minor": 0,
                "conceded_minor": 0, "paid_minor": 0, "outstanding_minor": 0,
                "recourse_minor": 0, "paid_on": None, "known_at": known_at,
            }
        )  # fmt: skip
    conn.execute(insert(table(Invoice)), invoices)
    conn.execute(insert(table(InvoiceFact)), facts)
