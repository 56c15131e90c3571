"""What a document sets off once it is complete: matching, counting of receipts, netting.

It does not matter which of two documents comes first; the later one finds the earlier.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Table, insert, select
from sqlmodel import SQLModel

from scf.db.runner import Context
from scf.documents.axes import Word, accept_many
from scf.documents.canonical import MESSAGES, Kind
from scf.documents.checks import SELF_BILLED_CODES
from scf.documents.credits import net
from scf.documents.duplicates.finding import look
from scf.documents.match.book import OrderKey
from scf.documents.match.credits_read import orders_credited
from scf.documents.match.numbers import take_numbers
from scf.documents.matching import keys_of, settle, settle_all
from scf.documents.messages.arriving import OF_ORDERS, amend, unknown_invoices
from scf.documents.messages.models import TradeMessage
from scf.documents.messages.rules import speaks
from scf.documents.models import CreditNote, DocumentFinding, Invoice, Order, Receipt
from scf.documents.orderbook import Orders
from scf.documents.rows import Origin
from scf.kernel.errors import words_as_stored
from scf.kernel.findings import Finding, Severity
from scf.kernel.ids import new_id

MODELS: Final[dict[Kind, type[SQLModel]]] = {
    Kind.INVOICE: Invoice,
    Kind.ORDER: Order,
    Kind.RECEIPT: Receipt,
    Kind.CREDIT_NOTE: CreditNote,
    **dict.fromkeys(MESSAGES, TradeMessage),
}
TABLES_OF_TRADE: Final[dict[Kind, Table]] = {
    kind: model.__table__  # type: ignore[attr-defined]
    for kind, model in MODELS.items()
}
_finding: Final[Table] = DocumentFinding.__table__  # type: ignore[attr-defined]


def arrived(ctx: Context, kind: Kind, ids: Collection[str]) -> dict[str, int]:
    """Match, count or net stored documents that are VALIDATED; gives what came of it."""
    if not ids or kind is Kind.PAYMENT:
        return {}
    rows = _valid(ctx, kind, ids)
    if kind is Kind.INVOICE:
        keys = keys_of(ctx.conn, [row.id for row in rows])
        take_numbers(ctx, orders=(), papers=keys)
        counts = settle(ctx, keys)
        accept_self_billed(ctx, [row._asdict() for row in rows])
        net(ctx, _pairs(rows))
        look(ctx, [row.id for row in rows])
        return counts
    if kind is Kind.CREDIT_NOTE:
        return credits_arrived(ctx, [row._asdict() for row in rows])
    if kind is Kind.ORDER:
        keys = {(row.seller_id, row.buyer_id, row.canonical_number) for row in rows}
        take_numbers(ctx, orders=keys, papers=())
        return orders_arrived(ctx, keys)
    keys = {
        (row.seller_id, row.buyer_id, row.order_canonical) for row in rows if row.order_canonical
    }
    take_numbers(ctx, orders=(), papers=keys)
    if kind in MESSAGES:
        return messages_arrived(ctx, [row._asdict() for row in rows])
    return receipts_arrived(ctx, keys)


def credits_arrived(ctx: Context, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Net credit notes, and let what they took back of orders be invoiced again."""
    keys = orders_credited(ctx.conn, rows)
    if keys:
        Orders.load(ctx, keys)  # before any invoice is locked
    net(ctx, {(row["seller_id"], row["buyer_id"], row["currency"]) for row in rows})
    return settle(ctx, keys)


def accept_self_billed(ctx: Context, rows: Iterable[Mapping[str, Any]]) -> None:
    """Take an invoice that the buyer itself wrote and sent as accepted by the buyer, in full.

    Whoever else sends a self-billed invoice proves nothing by it.
    """
    words = [
        Word(row["id"], row["payable_minor"])
        for row in rows
        if row["type_code"] in SELF_BILLED_CODES
        and row["buyer_id"] == row["org_id"]
        and row["document_state"] == "VALIDATED"
        and row["payable_minor"]
        and row.get("acceptance_state", "NONE") == "NONE"
    ]
    if words:
        accept_many(ctx, words, reason="self-billed")


def _valid(ctx: Context, kind: Kind, ids: Collection[str]) -> Sequence[Any]:
    table = TABLES_OF_TRADE[kind]
    return ctx.conn.execute(
        select(table).where(table.c.id.in_(sorted(ids)), table.c.document_state == "VALIDATED")
    ).all()


def _pairs(rows: Iterable[Any]) -> set[tuple[str, str, str]]:
    return {(row.seller_id, row.buyer_id, row.currency) for row in rows}


def orders_arrived(ctx: Context, keys: set[OrderKey]) -> dict[str, int]:
    """Work out what orders come to, and match the invoices that came before."""
    if not keys:
        return {}
    _report_lines(
        ctx,
        "CHANGE_BELOW_INVOICED",
        "A change asks for less than was invoiced before; the invoices beyond it do not match now.",
        amend(ctx, keys),
    )
    return receipts_arrived(ctx, keys)


def receipts_arrived(ctx: Context, keys: set[OrderKey]) -> dict[str, int]:
    """Count receipts and invoices of these orders anew; report what was over-delivered."""
    if not keys:
        return {}
    done = settle_all(ctx, keys)
    _report_lines(
        ctx,
        "QUANTITY_EXCEEDED",
        "More was received than ordered; only the ordered quantity counts.",
        done.over_received,
    )
    _report_lines(
        ctx,
        "UNIT_DIFFERS",
        "A receipt counts in a unit that cannot be converted; it counts nothing until a pack size "
        "is agreed.",
        done.unread_units,
    )
    return done.counts


def messages_arrived(ctx: Context, messages: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Let messages change their orders, and report what they name that nobody handed in."""
    valid = [row for row in messages if row["document_state"] == "VALIDATED"]
    rows = []
    for row in valid:
        if not speaks(row):
            found = Finding(
                Severity.WARNING,
                "NOT_THE_SENDER",
                "Only a buyer changes or cancels an order and only a seller answers it; this copy "
                "changes nothing.",
                "",
                row["number"],
            )
            rows.append(_message_finding(ctx, row, found))
    for row, number in unknown_invoices(ctx.conn, valid):
        found = Finding(
            Severity.WARNING,
            "INVOICE_UNKNOWN",
            "It names an invoice between the two firms that is not here.",
            "",
            number,
        )
        rows.append(_message_finding(ctx, row, found))
    if rows:
        ctx.conn.execute(insert(_finding), rows)
    return orders_arrived(
        ctx,
        {
            (row["seller_id"], row["buyer_id"], row["order_canonical"])
            for row in valid
            if row["order_canonical"] and row["kind"] in OF_ORDERS
        },
    )


def _message_finding(ctx: Context, row: Mapping[str, Any], found: Finding) -> dict[str, Any]:
    origin = Origin(row["org_id"], "", row["upload_id"], row["original_id"], ctx.now)
    return finding_row(origin, found, row["kind"], row["id"])


def _report_lines(
    ctx: Context, code: str, message: str, problems: Sequence[dict[str, Any]]
) -> None:
    """Tell whoever handed the order in what is wrong with a line of it, once."""
    if not problems:
        return
    orders = {row.id: row for row in _valid(ctx, Kind.ORDER, [e["order_id"] for e in problems])}
    told = {
        (row.document_id, row.place)
        for row in ctx.conn.execute(
            select(_finding.c.document_id, _finding.c.place).where(
                _finding.c.document_id.in_(sorted(orders)),
                _finding.c.code == code,
                _finding.c.resolved_at.is_(None),
            )
        )
    }
    rows = []
    for facts in problems:
        order = orders[facts["order_id"]]
        found = Finding(Severity.WARNING, code, message, f"order line {facts['line']}")
        if (order.id, found.place) not in told:
            origin = Origin(order.org_id, "", order.upload_id, order.original_id, ctx.now)
            rows.append(finding_row(origin, found, Kind.ORDER.value, order.id, facts))
    if rows:
        ctx.conn.execute(insert(_finding), rows)


def finding_row(
    origin: Origin,
    found: Finding,
    document_type: str | None,
    document_id: str | None,
    facts: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Give the row of a finding."""
    return {
        "id": new_id(),
        "org_id": origin.org_id,
        "upload_id": origin.upload_id,
        "document_type": document_type,
        "document_id": document_id,
        "severity": found.severity.value,
        "code": found.code,
        "place": found.place,
        "message": str(found.message),
        "words": words_as_stored(found.message),
        "value": found.value,
        "facts": facts,
        "resolved_at": None,
        "created_at": origin.now,
    }
