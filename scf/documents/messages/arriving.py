"""What a message sets off: orders are worked out anew, named invoices are looked for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Table, bindparam, insert, or_, select, update
from sqlalchemy.engine import Connection

from scf.db.keys import among
from scf.db.runner import Context
from scf.documents.canonical import Kind
from scf.documents.fingerprints import canonical_number
from scf.documents.invoice_state import INVOICE
from scf.documents.match.book import OrderBook, OrderKey
from scf.documents.match.units import converted, factor
from scf.documents.messages.models import TradeMessage
from scf.documents.messages.rules import Convert, Left, Ordered, left_of
from scf.documents.models import Order, OrderLine
from scf.documents.orderbook import Orders
from scf.kernel.ids import new_id

MESSAGE: Final[Table] = TradeMessage.__table__  # type: ignore[attr-defined]
_order: Final[Table] = Order.__table__  # type: ignore[attr-defined]
_line: Final[Table] = OrderLine.__table__  # type: ignore[attr-defined]
OF_ORDERS: Final = frozenset(
    {Kind.ORDER_RESPONSE, Kind.ORDER_CHANGE, Kind.ORDER_CANCELLATION, Kind.DESPATCH}
)
_SET_LINE = (
    update(_line)
    .where(_line.c.id == bindparam("row_id"))
    .values(
        quantity_micro=bindparam("micro"),
        net_minor=bindparam("minor"),
        despatched_micro=bindparam("despatched"),
    )
)
_SET_ORDER = (
    update(_order)
    .where(_order.c.id == bindparam("row_id"))
    .values(
        standing=bindparam("new_standing"),
        total_minor=bindparam("total"),
        version=_order.c.version + 1,
    )
)


def amend(ctx: Context, keys: Iterable[OrderKey]) -> list[dict[str, Any]]:
    """Set what counts of these orders from the orders themselves and all messages about them.

    A change that asks for less than was invoiced before comes back as facts; the invoices beyond it
    no longer match. An order that is not here yet is worked out when it comes.
    """
    named = _messages(ctx.conn, set(keys))
    books = Orders.load(ctx, named).books if named else {}
    if not books:
        return []
    # Read again under the lock: a message that raced this one must not be forgotten.
    told = _messages(ctx.conn, set(books))
    lines, new_lines, orders, short = [], [], [], []
    stated = _stated(ctx.conn, [book.id for book in books.values()])
    for key, book in books.items():
        left = left_of(stated[book.id], told[key], _in_units_of(book, told[key]))
        changed, below = _lines(book, left)
        added = [_added(book, left, ref) for ref in left.added if ref not in book.lines]
        total = _total(book, left)
        if changed or added or (left.standing, total) != (book.standing, book.total_minor):
            orders.append({"row_id": book.id, "new_standing": left.standing, "total": total})
            ctx.change(
                "trade_order",
                book.id,
                {"standing": book.standing, "total_minor": book.total_minor},
                {"standing": left.standing, "total_minor": total, "lines": len(changed)},
            )
        lines += changed
        new_lines += added
        short += [{"order_id": book.id, **facts} for facts in below]
    if lines:
        ctx.conn.execute(_SET_LINE, lines)
    if new_lines:
        ctx.conn.execute(insert(_line), new_lines)
    if orders:
        ctx.conn.execute(_SET_ORDER, orders)
    return short


def strays(conn: Connection) -> Iterator[tuple[str, str]]:
    """Give each order that is not what it and the messages about it come to, and the first sign."""
    columns = MESSAGE.c
    keys = {
        tuple(row)
        for row in conn.execute(
            select(columns.seller_id, columns.buyer_id, columns.order_canonical)
            .distinct()
            .where(columns.order_canonical.is_not(None), columns.document_state == "VALIDATED")
        )
    }
    keys |= _not_as_stated(conn)
    told = _messages(conn, keys)
    books = Orders.seen(conn, keys).books
    stated = _stated(conn, [book.id for book in books.values()])
    for key, book in sorted(books.items()):
        left = left_of(stated[book.id], told[key], _in_units_of(book, told[key]))
        changed, _below = _lines(book, left)
        missing = left.added.keys() - book.lines.keys()
        if changed or missing:
            refs = {line.id: ref for ref, line in book.lines.items()}
            first = refs[changed[0]["row_id"]] if changed else min(missing)
            yield book.id, f"line {first}"
        elif book.standing != left.standing:
            yield book.id, f"standing {book.standing}, its messages say {left.standing}"


def _not_as_stated(conn: Connection) -> set[OrderKey]:
    """Give the orders of which something counts that they did not say themselves."""
    rows = conn.execute(
        select(_order.c.seller_id, _order.c.buyer_id, _order.c.canonical_number)
        .join(_line, _line.c.order_id == _order.c.id)
        .where(
            or_(
                _line.c.by_change,
                _line.c.quantity_micro.is_distinct_from(_line.c.stated_micro),
                _line.c.net_minor.is_distinct_from(_line.c.stated_minor),
                _line.c.despatched_micro != 0,
            ),
            _order.c.document_state == "VALIDATED",
        )
        .distinct()
    )
    return {(row.seller_id, row.buyer_id, row.canonical_number) for row in rows}


def _in_units_of(book: OrderBook, told: Sequence[Mapping[str, Any]]) -> Convert:
    """Count what was sent in the units of the order; what nobody can convert counts nothing."""
    units = {
        line["order_line"]: line["unit"] or None
        for message in told
        if message["kind"] == Kind.ORDER_CHANGE
        for line in message["lines"]
    } | {ref: line.unit for ref, line in book.lines.items()}

    def convert(ref: str, unit: str, micro: int) -> int:
        by = factor(unit, units.get(ref), book.packs.get(ref, ()))
        return converted(micro, by) if by is not None else 0

    return convert


def _messages(conn: Connection, keys: set[OrderKey]) -> dict[OrderKey, list[Mapping[str, Any]]]:
    told: dict[OrderKey, list[Mapping[str, Any]]] = defaultdict(list)
    if not keys:
        return told
    columns = MESSAGE.c
    rows = conn.execute(
        select(
            columns.kind, columns.seller_id, columns.buyer_id, columns.order_canonical,
            columns.org_id, columns.word, columns.sequence, columns.issue_on,
            columns.canonical_number, columns.lines,
        ).where(
            among(
                conn,
                (columns.buyer_id, columns.order_canonical),
                ((buyer, number) for _, buyer, number in keys),
            ),
            columns.document_state == "VALIDATED",
        )
    )  # fmt: skip
    for row in rows:
        key = (row.seller_id, row.buyer_id, row.order_canonical)
        if key in keys:
            told[key].append(row._asdict())
    return told


def _stated(conn: Connection, order_ids: Sequence[str]) -> dict[str, dict[str, Ordered]]:
    stated: dict[str, dict[str, Ordered]] = {order_id: {} for order_id in order_ids}
    rows = conn.execute(
        select(_line.c.order_id, _line.c.line_ref, _line.c.stated_micro, _line.c.stated_minor)
        .where(_line.c.order_id.in_(order_ids), _line.c.by_change.is_(False))
        .order_by(_line.c.id)
    )
    for row in rows:
        stated[row.order_id][row.line_ref] = Ordered(row.stated_micro, row.stated_minor)
    return stated


def _lines(book: OrderBook, left: Left) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Give the lines that differ now, and where a change asks for less than was invoiced."""
    changed, below = [], []
    for ref, line in book.lines.items():
        asked = left.lines.get(ref)
        if asked is None:
            continue
        micro, minor = asked.micro, asked.minor
        if micro is not None and micro < line.invoiced_micro:
            below.append(
                {"line": ref, "ordered_micro": micro, "invoiced_micro": line.invoiced_micro}
            )
        despatched = left.despatched.get(ref, 0)
        if (micro, minor, despatched) != (
            line.quantity_micro,
            line.net_minor,
            line.despatched_micro,
        ):
            changed.append(
                {"row_id": line.id, "micro": micro, "minor": minor, "despatched": despatched}
            )
            line.quantity_micro, line.net_minor = micro, minor
            line.despatched_micro = despatched
    return changed, below


def _added(book: OrderBook, left: Left, ref: str) -> dict[str, Any]:
    line, asked = left.added[ref], left.lines[ref]
    return {
        "id": new_id(),
        "order_id": book.id,
        "line_ref": ref,
        "item": line["item"],
        "item_seller": line["items"]["seller"],
        "item_buyer": line["items"]["buyer"],
        "item_standard": line["items"]["standard"],
        "unit": line["unit"] or None,
        "tax_ppm": None,
        "by_change": True,
        "stated_micro": None,
        "stated_minor": None,
        "quantity_micro": asked.micro,
        "net_minor": asked.minor,
        "despatched_micro": left.despatched.get(ref, 0),
        "received_micro": 0,
        "invoiced_micro": 0,
        "matched_micro": 0,
        "invoiced_minor": 0,
    }


def _total(book: OrderBook, left: Left) -> int:
    """Sum the lines where all of them say an amount; else the order's own total stays."""
    nets = [line.net_minor for line in book.lines.values()]
    nets += [left.lines[ref].minor for ref in left.added if ref not in book.lines]
    if not nets or any(net is None for net in nets):
        return book.total_minor
    return sum(net or 0 for net in nets)


def unknown_invoices(
    conn: Connection, messages: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Give each invoice that a remittance, statement or reminder names and that is not here."""
    naming = [row for row in messages if row["kind"] not in OF_ORDERS and row["named_invoices"]]
    if not naming:
        return
    numbers = {canonical_number(one["number"]) for row in naming for one in row["named_invoices"]}
    here = {
        tuple(row)
        for row in conn.execute(
            select(INVOICE.c.seller_id, INVOICE.c.buyer_id, INVOICE.c.canonical_number).where(
                INVOICE.c.canonical_number.in_(sorted(numbers)),
                INVOICE.c.seller_id.in_(sorted({row["seller_id"] for row in naming})),
                INVOICE.c.document_state != "RECEIVED",
            )
        )
    }
    for row in naming:
        for one in row["named_invoices"]:
            key = (row["seller_id"], row["buyer_id"], canonical_number(one["number"]))
            if key not in here:
                yield row, one["number"]
