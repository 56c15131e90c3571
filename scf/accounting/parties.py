"""The firms behind a book's entries: who buys, sells and finances what an entry is about."""

from typing import Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.accounting.writers.saft import Company
from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.ledger.models import Entry
from scf.parties.models import Firm, FirmIdentifier

_advance: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_entry: Final[Table] = Entry.__table__  # type: ignore[attr-defined]
_firm: Final[Table] = Firm.__table__  # type: ignore[attr-defined]
_identifier: Final[Table] = FirmIdentifier.__table__  # type: ignore[attr-defined]
_invoice: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]


def papers_of(conn: Connection, org_id: str) -> dict[str, str]:
    """Give the number of the invoice that each subject of a book is about, where there is one."""
    about = select(_entry.c.subject_id).where(_entry.c.org_id == org_id)
    of_advances = (
        select(_advance.c.id, _invoice.c.number)
        .join(_invoice, _invoice.c.id == _advance.c.invoice_id)
        .where(_advance.c.id.in_(about))
    )
    of_invoices = select(_invoice.c.id, _invoice.c.number).where(_invoice.c.id.in_(about))
    queries = (of_advances, of_invoices)
    return {row.id: row.number for query in queries for row in conn.execute(query)}


def parties_of(conn: Connection, org_id: str) -> dict[str, dict[str, str]]:
    """Give by subject of a book its buyer, seller and, of an advance, its financier."""
    about = select(_entry.c.subject_id).where(_entry.c.org_id == org_id)
    found = {
        row.id: {"buyer": row.buyer_id, "seller": row.seller_id}
        for row in conn.execute(
            select(_invoice.c.id, _invoice.c.buyer_id, _invoice.c.seller_id).where(
                _invoice.c.id.in_(about)
            )
        )
    }
    for row in conn.execute(select(_advance).where(_advance.c.id.in_(about))):
        found[row.id] = {
            "buyer": row.obligor_id,
            "seller": row.seller_id,
            "financier": row.financier_id,
        }
    return found


def companies_of(conn: Connection, ids: list[str]) -> dict[str, Company]:
    """Give name, public numbers and address of firms; a tax number is that of the scheme vat."""
    numbers: dict[str, dict[str, str]] = {}
    rows = conn.execute(
        select(_identifier)
        .where(_identifier.c.firm_id.in_(ids), _identifier.c.scope_org_id == "")
        .order_by(_identifier.c.scheme, _identifier.c.value)
    )
    for row in rows:
        numbers.setdefault(row.firm_id, {}).setdefault(row.scheme, row.value)
    found = {}
    for row in conn.execute(select(_firm).where(_firm.c.id.in_(ids))):
        own = numbers.get(row.id, {})
        tax = own.get("vat", "")
        others = [value for scheme, value in sorted(own.items()) if scheme != "vat"]
        found[row.id] = Company(
            row.id, row.name, (others or [tax])[0], tax, row.address, row.country or ""
        )
    return found
