"""Matching of stored documents: invoices with orders, receipts with order lines.

An invoice may come before its order or after it, and so may a receipt; either way the result is
the same. The rule itself stands in ``orderbook``.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Table, and_, bindparam, insert, or_, select, tuple_, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.documents.invoice_state import INVOICE, State, states, write
from scf.documents.lifecycle import MATCH
from scf.documents.models import DocumentFinding, InvoiceLine, OrderLine, Receipt
from scf.documents.orderbook import Claim, ClaimLine, Match, OrderKey, Orders
from scf.documents.rules import MatchMode
from scf.kernel.errors import words_as_stored
from scf.kernel.findings import Severity
from scf.kernel.ids import new_id

_line: Final[Table] = InvoiceLine.__table__  # type: ignore[attr-defined]
_order_line: Final[Table] = OrderLine.__table__  # type: ignore[attr-defined]
_receipt: Final[Table] = Receipt.__table__  # type: ignore[attr-defined]
_finding: Final[Table] = DocumentFinding.__table__  # type: ignore[attr-defined]

_OPEN: Final = ("UNMATCHED", "EXCEPTION")
_SET_LINE = (
    update(_line)
    .where(_line.c.id == bindparam("row_id"))
    .values(order_line_id=bindparam("ordered"))
)
_SET_RECEIVED = (
    update(_order_line)
    .where(_order_line.c.id == bindparam("row_id"))
    .values(received_micro=bindparam("micro"))
)


def match_new(
    ctx: Context,
    rows: Sequence[dict[str, Any]],
    lines: Sequence[Sequence[dict[str, Any]]],
) -> list[tuple[dict[str, Any], Match]]:
    """Match invoices before they are inserted, so that each is written once.

    Sets the match columns of the rows and of their lines; gives those that do not fit their order.
    """
    keys = {_row_key(row) for row in rows if _names_order(row)}
    orders = Orders.load(ctx, keys) if keys else None
    problems: list[tuple[dict[str, Any], Match]] = []
    if orders is None or not orders.books:
        return problems
    for row, own in zip(rows, lines, strict=True):
        if not _names_order(row):
            continue
        result = orders.match(_claim_of(row, _row_key(row), own))
        row["match_state"], row["match_code"] = result.state, result.code
        row["order_id"] = result.order_id
        for line in own:
            line["order_line_id"] = result.line_ids.get(line["id"])
        if result.code is not None:
            problems.append((row, result))
    orders.write(ctx)
    return problems


def _row_key(row: Mapping[str, Any]) -> OrderKey:
    return (row["seller_id"], row["buyer_id"], row["order_canonical"])


def _names_order(row: Mapping[str, Any]) -> bool:
    return bool(row["order_canonical"]) and row["document_state"] == "VALIDATED"


def _claim_of(row: Mapping[str, Any], key: OrderKey, lines: Sequence[Mapping[str, Any]]) -> Claim:
    return Claim(
        row["id"],
        row["currency"],
        row["net_minor"],
        key,
        [
            ClaimLine(
                line["id"],
                line["place"],
                line["order_line_ref"],
                line["unit"],
                line["quantity_micro"],
                line["net_minor"],
            )
            for line in lines
        ],
    )


def match_invoices(ctx: Context, invoice_ids: Collection[str]) -> dict[str, int]:
    """Match stored invoices that are not matched yet; gives how many came to which state."""
    heads = _heads(ctx.conn, INVOICE.c.id.in_(sorted(invoice_ids))) if invoice_ids else []
    return _match(ctx, heads)


def match_waiting(ctx: Context, keys: Iterable[OrderKey]) -> dict[str, int]:
    """Match the invoices that were waiting for orders which have just arrived."""
    wanted = set(keys)
    if not wanted:
        return {}
    pairs = sorted({(buyer, number) for _, buyer, number in wanted})
    heads = _heads(
        ctx.conn,
        tuple_(INVOICE.c.buyer_id, INVOICE.c.order_canonical).in_(pairs),
        INVOICE.c.order_canonical.is_not(None),
    )
    return _match(ctx, [head for head in heads if _key(head) in wanted])


def _heads(conn: Connection, *where: Any) -> Sequence[Any]:  # noqa: ANN401 - SQL conditions
    return conn.execute(
        select(
            INVOICE.c.id,
            INVOICE.c.seller_id,
            INVOICE.c.buyer_id,
            INVOICE.c.order_canonical,
            INVOICE.c.currency,
            INVOICE.c.net_minor,
            INVOICE.c.upload_id,
            INVOICE.c.org_id,
        ).where(
            *where,
            INVOICE.c.document_state == "VALIDATED",
            or_(INVOICE.c.match_state == "UNMATCHED", INVOICE.c.match_state == "EXCEPTION"),
            INVOICE.c.order_canonical.is_not(None),
        )
    ).all()


def _key(head: Any) -> OrderKey:  # noqa: ANN401 - a row
    return (head.seller_id, head.buyer_id, head.order_canonical)


def _match(ctx: Context, heads: Sequence[Any]) -> dict[str, int]:
    if not heads:
        return {}
    orders = Orders.load(ctx, {_key(head) for head in heads})
    before = states(ctx, [head.id for head in heads])
    lines = _claim_lines(ctx.conn, list(before))
    counts: dict[str, int] = defaultdict(int)
    after: list[State] = []
    found: list[tuple[Any, Match]] = []
    assigned: list[dict[str, Any]] = []
    for head in heads:
        old = before[head.id]
        if old.match_state not in _OPEN or old.document_state != "VALIDATED":
            continue
        claim = Claim(head.id, head.currency, head.net_minor, _key(head), lines.get(head.id, ()))
        result = orders.match(claim)
        counts[result.state] += 1
        after.append(_matched(old, result))
        assigned += [{"row_id": a, "ordered": b} for a, b in result.line_ids.items()]
        if result.code is not None and result.code != old.match_code:
            found.append((head, result))
    orders.write(ctx)
    write(ctx, before, after)
    if assigned:
        ctx.conn.execute(_SET_LINE, assigned)
    _resolve(ctx, [state.id for state in after if state.match_state in {"MATCHED", "PARTIAL"}])
    if found:
        ctx.conn.execute(
            insert(_finding),
            [match_finding(ctx, head.id, head.org_id, head.upload_id, m) for head, m in found],
        )
    return dict(counts)


def _matched(old: State, result: Match) -> State:
    return dataclasses.replace(
        old,
        match_state=MATCH.after(old.match_state, result.event),
        match_code=result.code,
        order_id=result.order_id,
    )


def _claim_lines(conn: Connection, invoice_ids: Sequence[str]) -> dict[str, list[ClaimLine]]:
    lines: dict[str, list[ClaimLine]] = defaultdict(list)
    query = select(
        _line.c.invoice_id,
        _line.c.id,
        _line.c.place,
        _line.c.order_line_ref,
        _line.c.unit,
        _line.c.quantity_micro,
        _line.c.net_minor,
    ).where(_line.c.invoice_id.in_(invoice_ids))
    for row in conn.execute(query.order_by(_line.c.invoice_id, _line.c.place)):
        lines[row.invoice_id].append(ClaimLine(*row[1:]))
    return lines


def match_finding(
    ctx: Context, invoice_id: str, org_id: str, upload_id: str, result: Match
) -> dict[str, Any]:
    """Give the finding that tells both sides why an invoice does not match its order."""
    return {
        "id": new_id(),
        "org_id": org_id,
        "upload_id": upload_id,
        "document_type": "invoice",
        "document_id": invoice_id,
        "severity": Severity.WARNING.value,
        "code": result.code,
        "place": "",
        "message": str(result.message),
        "words": words_as_stored(result.message),
        "value": "",
        "facts": {"order_id": result.order_id, **result.facts},
        "resolved_at": None,
        "created_at": ctx.now,
    }


_MATCH_CODES: Final = (
    "ORDER_CURRENCY", "ORDER_LINE_UNKNOWN", "QUANTITY_EXCEEDED", "AMOUNT_EXCEEDED", "UNIT_DIFFERS",
    "ORDER_CANCELLED", "ORDER_REFUSED",
)  # fmt: skip


def _resolve(ctx: Context, invoice_ids: Sequence[str]) -> None:
    if invoice_ids:
        ctx.conn.execute(
            update(_finding)
            .where(
                _finding.c.document_id.in_(invoice_ids),
                _finding.c.code.in_(_MATCH_CODES),
                _finding.c.resolved_at.is_(None),
            )
            .values(resolved_at=ctx.now)
        )


# --- Receipts ---------------------------------------------------------------------------------


def count_receipts(ctx: Context, keys: Iterable[OrderKey]) -> list[dict[str, Any]]:
    """Set what was received on the lines of these orders from all their receipts.

    Recounted from the receipts each time, so it does not matter what came first. No more than was
    ordered is counted; the rest comes back as facts of an over-delivery.
    """
    orders = Orders.load(ctx, keys)
    books = orders.books
    if not books:
        return []
    totals = _received(ctx.conn, books)
    changed, excess = [], []
    for key, book in books.items():
        for ref, line in book.lines.items():
            told = totals[key].get(ref, 0)
            counted = told if line.quantity_micro is None else min(told, line.quantity_micro)
            if told > counted:
                excess.append(
                    {
                        "order_id": book.id,
                        "line": ref,
                        "ordered_micro": line.quantity_micro,
                        "received_micro": told,
                    }
                )
            if counted != line.received_micro:
                changed.append({"row_id": line.id, "micro": counted})
    if changed:
        ctx.conn.execute(_SET_RECEIVED, changed)
    return excess


def _received(conn: Connection, books: Mapping[OrderKey, Any]) -> dict[OrderKey, dict[str, int]]:
    totals: dict[OrderKey, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    pairs = sorted({(buyer, number) for _, buyer, number in books})
    rows = conn.execute(
        select(
            _receipt.c.seller_id, _receipt.c.buyer_id, _receipt.c.order_canonical, _receipt.c.lines
        ).where(
            tuple_(_receipt.c.buyer_id, _receipt.c.order_canonical).in_(pairs),
            _receipt.c.document_state == "VALIDATED",
        )
    )
    for row in rows:
        key = (row.seller_id, row.buyer_id, row.order_canonical)
        book = books.get(key)
        if book is None:
            continue
        for line in row.lines:
            ref = line["order_line"]
            if not ref and len(book.lines) == 1:
                (ref,) = book.lines
            totals[key][ref] += line["quantity_micro"] or 0
    return totals


# --- What finance asks ------------------------------------------------------------------------


class ProofGap(NamedTuple):
    """One order line on which more was invoiced than there is proof for."""

    line: str
    invoiced_micro: int
    proven_micro: int
    proof: str  # "receipt" or "despatch"


def proof_gaps(
    conn: Connection, invoice_ids: Collection[str], mode: MatchMode
) -> dict[str, ProofGap]:
    """Give the first gap in the proof of each invoice that matches its order.

    An invoice that matched by its total alone names no line, so nothing proves it: its gap names
    none either. What was waived by a person is not asked again.
    """
    if mode not in {"receipt", "despatch"} or not invoice_ids:
        return {}
    ordered = _order_line.c
    rows = conn.execute(
        select(
            INVOICE.c.id, ordered.line_ref, ordered.invoiced_micro, ordered.received_micro,
            ordered.despatched_micro,
        )
        .select_from(INVOICE)
        .outerjoin(_line, and_(_line.c.invoice_id == INVOICE.c.id,
                               _line.c.order_line_id.is_not(None)))
        .outerjoin(_order_line, ordered.id == _line.c.order_line_id)
        .where(
            INVOICE.c.id.in_(sorted(invoice_ids)),
            INVOICE.c.match_state.in_(("MATCHED", "PARTIAL")),
        )
        .order_by(INVOICE.c.id, ordered.line_ref)
    )  # fmt: skip
    gaps: dict[str, ProofGap] = {}
    for row in rows:
        if row.line_ref is None:
            gaps.setdefault(row.id, ProofGap("", 0, 0, "receipt"))
        elif row.invoiced_micro > row.received_micro:
            gap = ProofGap(row.line_ref, row.invoiced_micro, row.received_micro, "receipt")
            gaps.setdefault(row.id, gap)
        elif mode == "despatch" and row.invoiced_micro > row.despatched_micro:
            gap = ProofGap(row.line_ref, row.invoiced_micro, row.despatched_micro, "despatch")
            gaps.setdefault(row.id, gap)
    return gaps
