"""Which credit notes speak of which invoices, line by line."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.db.keys import among
from scf.documents.fingerprints import canonical_number
from scf.documents.invoice_state import INVOICE
from scf.documents.match.book import Credit, Items, OrderKey
from scf.documents.models import CreditNote

_credit: Final[Table] = CreditNote.__table__  # type: ignore[attr-defined]


def credits_of(
    conn: Connection, invoices: Sequence[Mapping[str, Any]], *, open_only: bool = False
) -> dict[str, list[Credit]]:
    """Give the lines of all credit notes that name these invoices, in a fixed order.

    ``open_only`` leaves out notes that are used up: they came after the invoice that they credit.
    """
    if not invoices:
        return {}
    pairs = {(one["seller_id"], one["buyer_id"]) for one in invoices}
    query = select(
        _credit.c.seller_id, _credit.c.buyer_id, _credit.c.currency, _credit.c.named_invoices,
        _credit.c.net_minor, _credit.c.lines,
    ).where(
        among(conn, (_credit.c.seller_id, _credit.c.buyer_id), pairs),
        _credit.c.document_state == "VALIDATED",
        _credit.c.credit_state != "REFUSED",
        _credit.c.issue_on >= min(one["issue_on"] for one in invoices),
    )  # fmt: skip
    if open_only:
        query = query.where(_credit.c.credit_state != "APPLIED")
    by_number = {
        (one["seller_id"], one["buyer_id"], one["currency"], one["canonical_number"]): one["id"]
        for one in invoices
    }
    found: dict[str, list[Credit]] = defaultdict(list)
    for row in conn.execute(query.order_by(_credit.c.issue_on, _credit.c.number, _credit.c.id)):
        head = (row.seller_id, row.buyer_id, row.currency)
        for number, credit in _spread(row):
            invoice_id = by_number.get((*head, canonical_number(number)))
            if invoice_id is not None:
                found[invoice_id].append(credit)
    return found


def _spread(row: Any) -> Iterable[tuple[str, Credit]]:  # noqa: ANN401 - a row
    """Give each line with the invoice that it credits; of several named, a line says which."""
    named = [one["number"] for one in row.named_invoices]
    only = named[0] if len(named) == 1 else ""
    if not row.lines:
        if only:
            yield only, Credit("", None, None, None, row.net_minor, whole=True)
        return
    for line in row.lines:
        number = line["invoice"] or only
        if number:
            yield (
                number,
                Credit(
                    line["line"],
                    line["order_line"],
                    line["unit"],
                    line["quantity_micro"],
                    line["net_minor"],
                    Items(**line["items"]),
                ),
            )


def orders_credited(conn: Connection, notes: Iterable[Mapping[str, Any]]) -> set[OrderKey]:
    """Give the orders of the invoices that credit notes name."""
    named = {
        (note["seller_id"], note["buyer_id"], canonical_number(number))
        for note in notes
        for number in (
            *(one["number"] for one in note["named_invoices"]),
            *(line["invoice"] for line in note["lines"] if line["invoice"]),
        )
    }
    if not named:
        return set()
    columns = INVOICE.c
    rows = conn.execute(
        select(
            columns.seller_id, columns.buyer_id, columns.canonical_number, columns.order_canonical
        ).where(
            columns.canonical_number.in_(sorted({number for *_, number in named})),
            columns.seller_id.in_(sorted({seller for seller, *_ in named})),
            columns.order_canonical.is_not(None),
            columns.document_state == "VALIDATED",
        )
    )
    return {
        (row.seller_id, row.buyer_id, row.order_canonical)
        for row in rows
        if (row.seller_id, row.buyer_id, row.canonical_number) in named
    }
