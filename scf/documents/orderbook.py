"""Orders under lock with their counters, for matching.

Counters stand on the order's rows and move only while the order is locked, so that two invoices
racing for one line cannot both have it. The rule itself stands in ``match.judging``.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.db.bulk import Setting
from scf.db.keys import among
from scf.db.runner import Context
from scf.documents.match.book import Claim, Items, LineBook, Match, OrderBook, OrderKey
from scf.documents.match.judging import count, judge
from scf.documents.match.models import PackSize
from scf.documents.match.pairing import item_keys
from scf.documents.match.units import Pack
from scf.documents.models import Order, OrderLine
from scf.documents.quantities import MICRO

_order: Final[Table] = Order.__table__  # type: ignore[attr-defined]
_line: Final[Table] = OrderLine.__table__  # type: ignore[attr-defined]
_pack: Final[Table] = PackSize.__table__  # type: ignore[attr-defined]


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
            items = Items(*line[-4:])
            lines[line.order_id][line.line_ref] = LineBook(*(*line[1:-4], items))
        packs = _packs(conn, ids)
        return cls(
            {
                key: OrderBook(
                    row.id,
                    row.currency,
                    row.standing,
                    row.total_minor,
                    row.invoiced_minor,
                    lines[row.id],
                    _packs_of(lines[row.id], packs.get(key[:2], {})),
                )
                for key, row in ((key, rows[order_id]) for key, order_id in ids.items())
            }
        )

    def match(self, claim: Claim) -> Match:
        """Count one invoice against its order, or say why not."""
        book = self.books.get(claim.order)
        if book is None:
            return Match()
        result = judge(book, claim)
        if result.counts:
            count(book, result)
        return result

    def clear(self) -> None:
        """Take back what every invoice has counted, to count them all again."""
        for book in self.books.values():
            book.touched, book.invoiced_minor = True, 0
            for line in book.lines.values():
                line.touched = True
                line.invoiced_micro = line.matched_micro = line.invoiced_minor = 0

    def write(self, ctx: Context) -> None:
        """Store the counters that moved."""
        books = [book for book in self.books.values() if book.touched]
        _SET_ORDER.run(ctx.conn, [(book.id, book.invoiced_minor) for book in books])
        _SET_LINE.run(
            ctx.conn,
            [
                (
                    line.id,
                    line.invoiced_micro,
                    line.invoiced_minor,
                    line.matched_micro,
                    line.received_micro,
                )
                for book in self.books.values()
                for line in book.lines.values()
                if line.touched
            ],
        )


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


_SET_ORDER: Final = Setting(_order, "invoiced_minor", version=_order.c.version + 1)
_SET_LINE: Final = Setting(
    _line, "invoiced_micro", "invoiced_minor", "matched_micro", "received_micro"
)


def _find_orders(conn: Connection, keys: Sequence[OrderKey]) -> list[tuple[OrderKey, str]]:
    if not keys:
        return []
    query = select(
        _order.c.seller_id, _order.c.buyer_id, _order.c.canonical_number, _order.c.id
    ).where(
        among(
            conn,
            (_order.c.buyer_id, _order.c.canonical_number),
            ((buyer, number) for _, buyer, number in keys),
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
            _line.c.matched_micro,
            _line.c.net_minor,
            _line.c.invoiced_minor,
            _line.c.tax_ppm,
            _line.c.item_seller,
            _line.c.item_buyer,
            _line.c.item_standard,
            _line.c.item,
        ).where(_line.c.order_id.in_(order_ids))
    )


def _packs(
    conn: Connection, keys: Iterable[OrderKey]
) -> dict[tuple[str, ...], dict[str, list[Pack]]]:
    """Read what the pairs of these orders have agreed about pack sizes, by article."""
    pairs = {key[:2] for key in keys}
    agreed: dict[tuple[str, ...], dict[str, list[Pack]]] = defaultdict(lambda: defaultdict(list))
    if pairs:
        columns = _pack.c
        rows = conn.execute(
            select(columns.seller_id, columns.buyer_id, columns.item_key, columns.pack_unit,
                   columns.unit, columns.per_pack_micro)
            .where(among(conn, (columns.seller_id, columns.buyer_id), pairs),
                   columns.withdrawn_at.is_(None))
            .order_by(columns.id)
        )  # fmt: skip
        for row in rows:
            pack = Pack(row.pack_unit, row.unit, Fraction(row.per_pack_micro, MICRO))
            agreed[row.seller_id, row.buyer_id][row.item_key].append(pack)
    return agreed


def _packs_of(
    lines: Mapping[str, LineBook], agreed: Mapping[str, Sequence[Pack]]
) -> dict[str, list[Pack]]:
    if not agreed:
        return {}
    return {
        ref: [pack for key in item_keys(line.items) for pack in agreed.get(key, ())]
        for ref, line in lines.items()
    }
