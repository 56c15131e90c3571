"""Rings of invoices that a claim would close: goods that come back to where they began.

A ring is three to five invoices between as many firms, in the order of their dates within 60 days,
each amount 0.8 to 1.25 times the one before. Looked for when money is asked for, on the documents
as they stand then: a chain of last night would miss the ring that today's upload closes. Firms of
one ownership group are one party: goods that reach one of them may go on from another.
Source: fraud.md 2.2.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

from scf.documents.models import Invoice

WINDOW_DAYS: Final = 60
_invoice: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
# Two invoices of one ring are at most four steps apart: 0.8^4 and 1.25^4, as whole fractions.
_LEAST: Final = (256, 625)
_LARGEST: Final = (625, 256)
_EPOCH: Final = 719_163  # 1970-01-01 as an ordinal
# Firms with more sales or purchases than that within the window are too much for one look.
MOST_READ: Final = 5_000
_COLUMNS: Final = (
    _invoice.c.id,
    _invoice.c.seller_id,
    _invoice.c.buyer_id,
    _invoice.c.payable_minor,
    _invoice.c.issue_on,
)


@dataclass(frozen=True, slots=True)
class Ring:
    """Invoices that close, in the order of the ring, with the seller and the buyer of each.

    Where a buyer is not the next one's seller, both belong to one group.
    """

    invoice_ids: tuple[str, ...]
    firm_ids: tuple[str, ...]
    buyer_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The rings through some invoices; unfinished is no word of there being none."""

    rings: tuple[Ring, ...]
    finished: bool


class _Parties:
    """Which firms stand together."""

    def __init__(self, groups: Mapping[str, str]) -> None:
        self._group = groups
        self._members: dict[str, set[str]] = defaultdict(set)
        for firm, group in groups.items():
            self._members[group].add(firm)

    def name(self, firm: str) -> str:
        """Name the party of a firm: its group, or itself."""
        return self._group.get(firm, firm)

    def all_of(self, firms: Iterable[str]) -> set[str]:
        """Give some firms with all that stand together with one of them."""
        found = set()
        for firm in firms:
            found |= self._members[self._group[firm]] if firm in self._group else {firm}
        return found


def rings_through(
    conn: Connection, invoices: Iterable[Row[Any]], groups: Mapping[str, str] | None = None
) -> Found:
    """Find the rings that some stored invoices are part of, wherever in them they stand.

    Two queries say for almost every claim that there is none: its buyer sells nothing, or its
    seller buys nothing, in those days and of about that size.

    Parameters
    ----------
    groups
        The name of the ownership group of each firm that belongs to one.
    """
    parties = _Parties(groups or {})
    pairs: dict[tuple[str, str, str], list[Row[Any]]] = defaultdict(list)
    for one in invoices:
        if not (one.seller_id and one.buyer_id and one.issue_on):
            continue
        if parties.name(one.seller_id) != parties.name(one.buyer_id):
            pairs[one.seller_id, one.buyer_id, one.currency].append(one)
    rings: set[Ring] = set()
    finished = True
    for (seller, buyer, currency), own in sorted(pairs.items()):
        around, complete = _around(_Reader(conn, currency, own), parties, seller, buyer, own)
        finished = finished and complete
        if around:
            found, searched = _searched([one.id for one in own], around, parties)
            rings |= found
            finished = finished and searched
    ordered = sorted(rings, key=lambda ring: (len(ring.firm_ids), ring.firm_ids, ring.invoice_ids))
    return Found(tuple(ordered), finished)


def _around(
    read: "_Reader", parties: _Parties, seller: str, buyer: str, own: Sequence[Row[Any]]
) -> tuple[dict[str, Row[Any]], bool]:
    """Read the invoices that could stand in a ring with some of one pair; nothing where none can.

    Of a ring of five, two invoices come after the pair's on the way from the buyer, two before it
    on the way to the seller.
    """
    start, end = parties.all_of([seller]), parties.all_of([buyer])
    sold = read.where(sold_by=end)
    onward = parties.all_of(one.buyer_id for one in sold) - end
    if not onward:
        return {}, read.complete
    bought = read.where(bought_by=start)
    inward = parties.all_of(one.seller_id for one in bought) - start
    if not inward:
        return {}, read.complete
    next_sold = read.where(sold_by=onward - start)
    reached = onward | parties.all_of(one.buyer_id for one in next_sold)
    before = read.where(sold_by=reached, bought_by=inward - end)
    rows = {one.id: one for one in (*sold, *bought, *next_sold, *before)}
    rows |= {one.id: one for one in own}
    return rows, read.complete


class _Reader:
    """Reads invoices of the days and amounts that a ring through some others can have."""

    def __init__(self, conn: Connection, currency: str, own: Sequence[Row[Any]]) -> None:
        amounts, days = [one.payable_minor for one in own], [one.issue_on for one in own]
        window = dt.timedelta(days=WINDOW_DAYS)
        self._conn = conn
        self._where = (
            _invoice.c.currency == currency,
            _invoice.c.document_state == "VALIDATED",
            _invoice.c.issue_on.between(min(days) - window, max(days) + window),
            # No invoice is due before its date, and the day it is due stands in the indexes.
            _invoice.c.due_on >= min(days) - window,
            _invoice.c.payable_minor.between(
                min(amounts) * _LEAST[0] // _LEAST[1],
                max(amounts) * _LARGEST[0] // _LARGEST[1] + 1,
            ),
            _invoice.c.payable_minor > 0,
        )
        self.complete = True

    def where(
        self, *, sold_by: Collection[str] | None = None, bought_by: Collection[str] | None = None
    ) -> list[Row[Any]]:
        """Read what has one of some firms on a side; with too many it is not complete."""
        query = select(*_COLUMNS).where(*self._where)
        for column, firms in ((_invoice.c.seller_id, sold_by), (_invoice.c.buyer_id, bought_by)):
            if firms is None:
                continue
            if not firms:
                return []
            if len(firms) > MOST_READ:
                self.complete = False
                return []
            query = query.where(column.in_(sorted(firms)))
        rows: list[Row[Any]] = [*self._conn.execute(query.limit(MOST_READ + 1))]
        if len(rows) > MOST_READ:
            self.complete = False
        return rows[:MOST_READ]


def _searched(
    own: Sequence[str], around: dict[str, Row[Any]], parties: _Parties
) -> tuple[set[Ring], bool]:
    from graph.live import LiveGraph
    from graph.rings import rings_among
    from graph.trades import numbered, trades_of

    rows = [around[one] for one in sorted(around)]
    firms, (sellers, buyers) = numbered(
        [one.seller_id for one in rows], [one.buyer_id for one in rows]
    )
    first: dict[str, int] = {}
    party = [first.setdefault(parties.name(firm), at) for at, firm in enumerate(firms)]
    graph = LiveGraph(
        trades_of(
            firms,
            sellers,
            buyers,
            [one.payable_minor for one in rows],
            [one.issue_on.toordinal() - _EPOCH for one in rows],
        ),
        party,
    )
    place = {one.id: at for at, one in enumerate(rows)}
    found, unfinished = rings_among(graph, (place[one] for one in own))
    rings = {
        Ring(
            tuple(rows[at].id for at in ring.documents),
            tuple(rows[at].seller_id for at in ring.documents),
            tuple(rows[at].buyer_id for at in ring.documents),
        )
        for ring in found
    }
    return rings, not unfinished
