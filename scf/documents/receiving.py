"""What was received on the lines of orders, counted from all receipts in the order's own units."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.db.keys import among
from scf.documents.match.book import Items, LineBook, OrderBook, OrderKey
from scf.documents.match.pairing import by_item, by_number
from scf.documents.match.tolerance import Tolerance
from scf.documents.match.units import converted, factor
from scf.documents.models import Order, OrderLine, Receipt
from scf.documents.orderbook import Orders

_order: Final[Table] = Order.__table__  # type: ignore[attr-defined]
_order_line: Final[Table] = OrderLine.__table__  # type: ignore[attr-defined]
_receipt: Final[Table] = Receipt.__table__  # type: ignore[attr-defined]


def count_received(
    conn: Connection,
    books: Mapping[OrderKey, OrderBook],
    tolerances: Mapping[OrderKey, Tolerance],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Set what was received on the lines of these orders.

    Recounted from the receipts each time, so it does not matter what came first. No more counts
    than was ordered and is tolerated; the rest comes back as facts of an over-delivery, and what
    came in a unit that nobody can convert as a second list.
    """
    totals, unread = _received(conn, books)
    excess = []
    for key, book in books.items():
        for ref, line in book.lines.items():
            told = totals[key].get(ref, 0)
            counted = told
            if line.quantity_micro is not None:
                counted = min(told, tolerances[key].most(line.quantity_micro))
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
                line.received_micro, line.touched = counted, True
    return excess, unread


def miscounted(conn: Connection) -> Iterator[tuple[str, int, int]]:
    """Give each order line of which more or less was received than its receipts tell, with both.

    Less counts only where more came than was ordered: how much of that counts is for the agreement
    that was in force when it came.
    """
    lines, orders = _order_line.c, _order.c
    counted = (
        select(orders.seller_id, orders.buyer_id, orders.canonical_number)
        .join(_order_line, lines.order_id == orders.id)
        .where(lines.received_micro != 0, orders.document_state == "VALIDATED")
    )
    said = select(_receipt.c.seller_id, _receipt.c.buyer_id, _receipt.c.order_canonical).where(
        _receipt.c.order_canonical.is_not(None), _receipt.c.document_state == "VALIDATED"
    )
    keys = {tuple(row) for query in (counted, said) for row in conn.execute(query.distinct())}
    books = Orders.seen(conn, keys).books
    totals, _unread = _received(conn, books)
    for key, book in sorted(books.items()):
        for ref, line in sorted(book.lines.items()):
            told = totals[key].get(ref, 0)
            least = told if line.quantity_micro is None else min(told, line.quantity_micro)
            if not least <= line.received_micro <= told:
                yield line.id, line.received_micro, told


def _received(
    conn: Connection, books: Mapping[OrderKey, OrderBook]
) -> tuple[dict[OrderKey, dict[str, int]], list[dict[str, Any]]]:
    totals: dict[OrderKey, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    unread: list[dict[str, Any]] = []
    pairs = {(buyer, number) for _, buyer, number in books}
    rows = conn.execute(
        select(
            _receipt.c.seller_id, _receipt.c.buyer_id, _receipt.c.order_canonical, _receipt.c.lines
        ).where(
            among(conn, (_receipt.c.buyer_id, _receipt.c.order_canonical), pairs),
            _receipt.c.document_state == "VALIDATED",
        )
    )
    for row in rows:
        key = (row.seller_id, row.buyer_id, row.order_canonical)
        book = books.get(key)
        for said in row.lines if book else ():
            line = line_of(said, book.lines) if book else None
            if book is None or line is None:
                continue
            by = factor(said["unit"], line.unit, book.packs.get(line.line_ref, ()))
            if by is None:
                facts = {"line": line.line_ref, "ordered": line.unit, "received": said["unit"]}
                unread.append({"order_id": book.id, **facts})
                continue
            totals[key][line.line_ref] += converted(said["quantity_micro"] or 0, by)
    return totals, unread


def line_of(said: Mapping[str, Any], lines: Mapping[str, LineBook]) -> LineBook | None:
    """Find the order line that a line of a receipt means."""
    if said["order_line"]:
        return by_number(said["order_line"], lines)
    same, _by = by_item(Items(**said["items"]), lines.values(), lambda one: one.items)
    if len(same) == 1:
        return same[0]
    return next(iter(lines.values())) if len(lines) == 1 else None
