"""Two-way matching: what is invoiced was ordered, and nothing is invoiced twice.

An invoice names its order by number and each line its order line. Per order line the invoiced
quantity and amount never exceed the ordered ones; an invoice without lines counts against the
order's total. What would exceed is an EXCEPTION and counts nowhere until somebody decides.

Counters stand on the order's rows and move only while the order is locked, so that two invoices
racing for one line cannot both have it. Source: finance.md F10, fraud.md 2.1 (a).
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Table, bindparam, select, tuple_, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.documents.models import Order, OrderLine
from scf.documents.quantities import from_micro
from scf.kernel.errors import Words
from scf.kernel.money import format_minor

_order: Final[Table] = Order.__table__  # type: ignore[attr-defined]
_line: Final[Table] = OrderLine.__table__  # type: ignore[attr-defined]

OrderKey = tuple[str, str, str]  # seller, buyer, canonical number


@dataclasses.dataclass
class LineBook:
    """One order line with what was received and invoiced on it so far."""

    id: str
    line_ref: str
    unit: str | None
    quantity_micro: int | None
    despatched_micro: int
    received_micro: int
    invoiced_micro: int
    net_minor: int | None
    invoiced_minor: int
    touched: bool = False


@dataclasses.dataclass
class OrderBook:
    """One order under lock, with its lines by number and by id."""

    id: str
    currency: str
    standing: str
    total_minor: int
    invoiced_minor: int
    lines: dict[str, LineBook]
    touched: bool = False


@dataclasses.dataclass(frozen=True)
class ClaimLine:
    """One invoice line as matching needs it."""

    id: str
    place: int
    order_line_ref: str | None
    unit: str | None
    quantity_micro: int | None
    net_minor: int


@dataclasses.dataclass(frozen=True)
class Claim:
    """One invoice as matching needs it."""

    id: str
    currency: str
    net_minor: int
    order: OrderKey
    lines: Sequence[ClaimLine] = ()


@dataclasses.dataclass
class Match:
    """What matching says of one invoice, and which of its lines belong to which order line."""

    state: str = "UNMATCHED"
    code: str | None = None
    order_id: str | None = None
    message: str = ""
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)
    line_ids: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def event(self) -> str:
        """Name the step of the match axis that leads here."""
        steps = {"MATCHED": "match", "PARTIAL": "part", "EXCEPTION": "except"}
        return steps.get(self.state, "find_none")


class Orders:
    """The orders that some invoices name, locked and read once for all of them."""

    def __init__(self, books: dict[OrderKey, OrderBook]) -> None:
        self.books = books

    @classmethod
    def load(cls, ctx: Context, keys: Iterable[OrderKey]) -> "Orders":
        """Lock and read the live orders with these keys: three statements, however many."""
        return cls._read(ctx.conn, keys, lock=True)

    @classmethod
    def seen(cls, conn: Connection, keys: Iterable[OrderKey]) -> "Orders":
        """Read the live orders with these keys to look at them only."""
        return cls._read(conn, keys, lock=False)

    @classmethod
    def _read(cls, conn: Connection, keys: Iterable[OrderKey], *, lock: bool) -> "Orders":
        wanted = sorted(set(keys))
        ids = dict(_find_orders(conn, wanted))
        rows = _heads(conn, ids.values(), lock=lock)
        lines: dict[str, dict[str, LineBook]] = defaultdict(dict)
        for line in _lines_of(conn, list(rows)):
            lines[line.order_id][line.line_ref] = LineBook(*line[1:])
        return cls(
            {
                key: OrderBook(
                    row.id,
                    row.currency,
                    row.standing,
                    row.total_minor,
                    row.invoiced_minor,
                    lines[row.id],
                )
                for key, row in ((key, rows[order_id]) for key, order_id in ids.items())
            }
        )

    def match(self, claim: Claim) -> Match:
        """Count one invoice against its order, or say why not."""
        book = self.books.get(claim.order)
        if book is None:
            return Match()
        result = _judge(book, claim)
        if result.state in {"MATCHED", "PARTIAL"}:
            _count(book, claim, result)
        return result

    def write(self, ctx: Context) -> None:
        """Store the counters that moved."""
        orders = [
            {"row_id": book.id, "invoiced": book.invoiced_minor}
            for book in self.books.values()
            if book.touched
        ]
        lines = [
            {"row_id": line.id, "micro": line.invoiced_micro, "minor": line.invoiced_minor}
            for book in self.books.values()
            for line in book.lines.values()
            if line.touched
        ]
        if orders:
            ctx.conn.execute(_SET_ORDER, orders)
        if lines:
            ctx.conn.execute(_SET_LINE, lines)


def _heads(conn: Connection, order_ids: Iterable[str], *, lock: bool) -> dict[str, Any]:
    """Read the counters of orders, locked by ascending id, before any invoice.

    The platform's own lock reads whole rows, which costs an import a fifth of its time.
    """
    wanted = sorted(set(order_ids))
    if not wanted:
        return {}
    query = (
        select(
            _order.c.id,
            _order.c.currency,
            _order.c.standing,
            _order.c.total_minor,
            _order.c.invoiced_minor,
        )
        .where(_order.c.id.in_(wanted))
        .order_by(_order.c.id)
    )
    rows = conn.execute(query.with_for_update() if lock else query)
    return {row.id: row for row in rows}


_SET_ORDER = (
    update(_order)
    .where(_order.c.id == bindparam("row_id"))
    .values(invoiced_minor=bindparam("invoiced"), version=_order.c.version + 1)
)
_SET_LINE = (
    update(_line)
    .where(_line.c.id == bindparam("row_id"))
    .values(invoiced_micro=bindparam("micro"), invoiced_minor=bindparam("minor"))
)


def _find_orders(conn: Connection, keys: Sequence[OrderKey]) -> list[tuple[OrderKey, str]]:
    if not keys:
        return []
    query = select(
        _order.c.seller_id, _order.c.buyer_id, _order.c.canonical_number, _order.c.id
    ).where(
        tuple_(_order.c.buyer_id, _order.c.canonical_number).in_(
            sorted({(buyer, number) for _, buyer, number in keys})
        ),
        _order.c.document_state == "VALIDATED",
    )
    asked = set(keys)
    # Numbers start again each January: the newest order of a number is the one meant.
    rows = conn.execute(query.order_by(_order.c.issue_on, _order.c.id))
    return [(row[:3], row.id) for row in rows if tuple(row[:3]) in asked]


def _lines_of(conn: Connection, order_ids: Sequence[str]) -> Any:  # noqa: ANN401 - rows
    if not order_ids:
        return []
    return conn.execute(
        select(
            _line.c.order_id,
            _line.c.id,
            _line.c.line_ref,
            _line.c.unit,
            _line.c.quantity_micro,
            _line.c.despatched_micro,
            _line.c.received_micro,
            _line.c.invoiced_micro,
            _line.c.net_minor,
            _line.c.invoiced_minor,
        ).where(_line.c.order_id.in_(order_ids))
    )


# --- The rule ---------------------------------------------------------------------------------


_ENDED: Final = {
    "CANCELLED": ("ORDER_CANCELLED", "The buyer has cancelled the order."),
    "REFUSED": ("ORDER_REFUSED", "The seller has refused the order."),
}


def _judge(book: OrderBook, claim: Claim) -> Match:
    if book.standing in _ENDED:
        code, message = _ENDED[book.standing]
        return Match("EXCEPTION", code, book.id, message)
    if claim.currency != book.currency:
        return Match(
            "EXCEPTION",
            "ORDER_CURRENCY",
            book.id,
            Words(
                "The order is in %(ordered)s, the invoice in %(invoiced)s.",
                ordered=book.currency,
                invoiced=claim.currency,
            ),
            {"order_currency": book.currency},
        )
    pairs = _pair_lines(book, claim)
    if not pairs:
        if claim.lines and any(line.order_line_ref for line in claim.lines):
            return Match(
                "EXCEPTION",
                "ORDER_LINE_UNKNOWN",
                book.id,
                "No line of the order has the number that the invoice names.",
                {"lines": [line.order_line_ref for line in claim.lines][:20]},
            )
        return _judge_total(book, claim)
    problem = _exceeds(book, claim, pairs)
    if problem is not None:
        return problem
    state = "MATCHED" if len(pairs) == len(claim.lines) else "PARTIAL"
    return Match(state, None, book.id, line_ids={line.id: ordered.id for line, ordered in pairs})


def _pair_lines(book: OrderBook, claim: Claim) -> list[tuple[ClaimLine, LineBook]]:
    """Pair lines by the order line that each names; a lone line needs no name."""
    pairs = []
    for line in claim.lines:
        ordered = book.lines.get(line.order_line_ref) if line.order_line_ref else None
        if ordered is not None:
            pairs.append((line, ordered))
    if not pairs and len(claim.lines) == 1 == len(book.lines):
        (line,) = claim.lines
        (ordered,) = book.lines.values()
        if line.order_line_ref is None:
            pairs.append((line, ordered))
    return pairs


def _judge_total(book: OrderBook, claim: Claim) -> Match:
    if book.total_minor and book.invoiced_minor + claim.net_minor > book.total_minor:
        return _amount_exceeded(
            book, claim, "", book.total_minor, book.invoiced_minor, claim.net_minor
        )
    return Match("MATCHED", None, book.id)


def _exceeds(
    book: OrderBook, claim: Claim, pairs: Sequence[tuple[ClaimLine, LineBook]]
) -> Match | None:
    """Find the first line on which more would be invoiced than was ordered."""
    asked_micro: dict[str, int] = defaultdict(int)
    asked_minor: dict[str, int] = defaultdict(int)
    for line, ordered in pairs:
        if line.unit and ordered.unit and line.unit != ordered.unit:
            return Match(
                "EXCEPTION",
                "UNIT_DIFFERS",
                book.id,
                Words(
                    "Line %(line)s is ordered in %(ordered)s, invoiced in %(invoiced)s.",
                    line=ordered.line_ref,
                    ordered=ordered.unit,
                    invoiced=line.unit,
                ),
                {"line": ordered.line_ref, "ordered": ordered.unit, "invoiced": line.unit},
            )
        asked_micro[ordered.line_ref] += line.quantity_micro or 0
        asked_minor[ordered.line_ref] += line.net_minor
    for ref, minor in asked_minor.items():
        ordered = book.lines[ref]
        micro = asked_micro[ref]
        if (
            ordered.quantity_micro is not None
            and ordered.invoiced_micro + micro > ordered.quantity_micro
        ):
            return Match(
                "EXCEPTION",
                "QUANTITY_EXCEEDED",
                book.id,
                Words(
                    "Line %(line)s: %(ordered)s ordered, %(before)s invoiced before, %(now)s now.",
                    line=ref,
                    ordered=from_micro(ordered.quantity_micro),
                    before=from_micro(ordered.invoiced_micro),
                    now=from_micro(micro),
                ),
                {
                    "line": ref,
                    "ordered_micro": ordered.quantity_micro,
                    "before_micro": ordered.invoiced_micro,
                    "asked_micro": micro,
                },
            )
        limit = ordered.net_minor
        if ordered.invoiced_minor + minor < 0 or (
            limit is not None and ordered.invoiced_minor + minor > limit
        ):
            return _amount_exceeded(book, claim, ref, limit or 0, ordered.invoiced_minor, minor)
    total = sum(asked_minor.values())
    if book.invoiced_minor + total < 0 or (
        book.total_minor and book.invoiced_minor + total > book.total_minor
    ):
        return _amount_exceeded(book, claim, "", book.total_minor, book.invoiced_minor, total)
    return None


def _amount_exceeded(
    book: OrderBook, claim: Claim, ref: str, ordered: int, before: int, asked: int
) -> Match:
    where = Words("Line %(line)s", line=ref) if ref else Words("The order")
    ordered_text, before_text, asked_text = (
        format_minor(minor, claim.currency) for minor in (ordered, before, asked)
    )
    return Match(
        "EXCEPTION",
        "AMOUNT_EXCEEDED",
        book.id,
        Words(
            "%(where)s: %(ordered)s ordered, %(before)s invoiced before, %(now)s now.",
            where=where,
            ordered=ordered_text,
            before=before_text,
            now=asked_text,
        ),
        {
            "line": ref,
            "ordered_minor": ordered,
            "before_minor": before,
            "asked_minor": asked,
            "currency": claim.currency,
        },
    )


def _count(book: OrderBook, claim: Claim, result: Match) -> None:
    book.touched = True
    if not result.line_ids:
        book.invoiced_minor += claim.net_minor
        return
    by_id = {line.id: line for line in book.lines.values()}
    for line in claim.lines:
        ordered_id = result.line_ids.get(line.id)
        if ordered_id is None:
            continue
        ordered = by_id[ordered_id]
        ordered.touched = True
        ordered.invoiced_micro += line.quantity_micro or 0
        ordered.invoiced_minor += line.net_minor
        book.invoiced_minor += line.net_minor
