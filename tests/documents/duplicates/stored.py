"""The papers of the simulator as rows of the database, and what looking at them finds."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import select

from scf.db.bulk import insert_mappings
from scf.db.engine import Database
from scf.db.runner import Context
from scf.documents.duplicates.finding import look
from scf.documents.duplicates.rules import Print, lines_sketch, place_key
from scf.documents.duplicates.standing import SUSPICION
from scf.documents.invoice_state import INVOICE
from scf.documents.models import Invoice, InvoiceLine
from scf.kernel.actor import OPERATOR
from tests.support.deals import table
from tests.support.people import NOON

_STATE: Final = {True: "MATCHED", False: "EXCEPTION", None: "UNMATCHED"}
Found = set[tuple[str, str, str]]  # later, earlier, code


def stored(one: Print, seller: str = "seller", buyer: str = "buyer") -> dict[str, Any]:
    """Give the row of an invoice that is compared by this print."""
    least, following = lines_sketch(one.goods)
    invoice = Invoice(
        id=one.id, number=one.number, canonical_number=one.canonical, duplicate_key=one.id,
        seller_id=seller, buyer_id=buyer, issue_on=one.issue_on, due_on=one.issue_on,
        currency="EUR", type_code="380", net_minor=one.amount, tax_minor=0, gross_minor=one.amount,
        payable_minor=one.amount, base_minor=one.amount,
        place_key=place_key(seller, buyer, one.amount),
        order_number=one.order or None, order_canonical=one.order or None,
        match_state=_STATE[one.fits_order], lines_print=one.lines, lines_least=least,
        lines_next=following, parties={},
        order_id=None, match_code=None, accepted_minor=None,
        document_state="VALIDATED", org_id=seller, upload_id=one.upload, original_id="o",
        created_at=NOON,
    )  # fmt: skip
    return invoice.model_dump()


def store(db: Database, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows as a slice of an import does."""
    with db.writer.begin() as conn:
        insert_mappings(conn, INVOICE, list(rows))


def store_lines(db: Database, papers: Iterable[Print]) -> None:
    """Insert the lines of papers that are stored."""
    told = [
        (one.id, place, line.split("\x1f"))
        for one in papers
        for place, line in enumerate(one.goods)
    ]
    rows = [
        InvoiceLine(
            id=f"{id_}-{place}", invoice_id=id_, place=place, line_ref=str(place), item=item,
            quantity_micro=int(many), net_minor=0, unit=None, order_line_ref=None,
            order_line_id=None,
        ).model_dump()
        for id_, place, (item, many) in told
    ]  # fmt: skip
    with db.writer.begin() as conn:
        insert_mappings(conn, table(InvoiceLine), rows)


def looked_at(db: Database, ids: Iterable[str]) -> Found:
    """Look at these invoices, and give all suspicions that are kept."""
    with db.writer.begin() as conn:
        look(Context(conn, OPERATOR, NOON, "look", "look", "look", "", db.dialect), list(ids))
        rows = conn.execute(select(SUSPICION))
        return {(row.invoice_id, row.twin_id, row.code) for row in rows}
