"""What must hold of a snapshot of the chain, for ``scf verify``: a relation is its documents.

What of it rests on invoices is added up anew. Orders and payments that were replaced since then no
longer say what they were: those sums are held to the fingerprint that the snapshot was stored with.

Source: fraud.md 2.1 (f).
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Table, func, select
from sqlalchemy.engine import Connection

from scf.chain.fingerprint import fingerprint
from scf.chain.models import GraphEdge, GraphNode, GraphSnapshot
from scf.chain.relations import FROM_INVOICES, bound, invoiced
from scf.documents.models import Invoice, InvoiceFact
from scf.parties.identity.models import FirmMerge

_snapshot: Final[Table] = GraphSnapshot.__table__  # type: ignore[attr-defined]
_node: Final[Table] = GraphNode.__table__  # type: ignore[attr-defined]
_edge: Final[Table] = GraphEdge.__table__  # type: ignore[attr-defined]
_invoice: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_fact: Final[Table] = InvoiceFact.__table__  # type: ignore[attr-defined]
_merge: Final[Table] = FirmMerge.__table__  # type: ignore[attr-defined]
_INVOICED: Final = invoiced()
_LONGEST_WRITE: Final = dt.timedelta(minutes=10)
Key = tuple[str, str, str]  # seller, buyer, currency


@dataclass(frozen=True, slots=True)
class Breach:
    """A relation that is not the sum of its documents."""

    where: str
    message: str


def breaches(conn: Connection) -> Iterator[Breach]:
    """Hold the newest snapshot of each financier against the invoices as they were known then.

    Where every relation agrees, so do the sums of every seller and of every buyer. Left out are
    firms whose records were joined or parted since, since their papers have moved, and pairs of
    which something was being written while the snapshot was built.
    """
    newest = (
        select(_snapshot.c.financier_id, func.max(_snapshot.c.as_of_on).label("as_of_on"))
        .group_by(_snapshot.c.financier_id)
        .subquery()
    )
    found = conn.execute(
        select(_snapshot)
        .join(
            newest,
            (newest.c.financier_id == _snapshot.c.financier_id)
            & (newest.c.as_of_on == _snapshot.c.as_of_on),
        )
        .order_by(_snapshot.c.id)
    ).all()
    for snapshot in found:
        yield from _of_snapshot(conn, snapshot)


def _of_snapshot(conn: Connection, snapshot: Row[Any]) -> Iterator[Breach]:
    found = list(_sums_of_invoices(conn, snapshot))
    yield from found
    if not found and fingerprint(conn, snapshot.id, snapshot.as_of_on) != snapshot.digest:
        told = "Its relations and places are not those that were stored."
        yield Breach(f"graph_snapshot {snapshot.id}", told)


def _sums_of_invoices(conn: Connection, snapshot: Row[Any]) -> Iterator[Breach]:
    nodes = select(_node.c.firm_id).where(_node.c.snapshot_id == snapshot.id)
    firms = set(conn.execute(nodes).scalars()) - _moved(conn, snapshot)
    stored = _sums(
        conn.execute(
            select(
                _edge.c.seller_id,
                _edge.c.buyer_id,
                _edge.c.currency,
                *(_edge.c[name] for name in FROM_INVOICES),
            ).where(_edge.c.snapshot_id == snapshot.id)
        ),
        firms,
    )
    # Where the books were closed in the evening, the snapshot is older than its morning.
    until = min(snapshot.known_before, snapshot.built_at)
    values = bound(snapshot.id, snapshot.as_of_on, until)
    given = {name: value for name, value in values.items() if name != "snapshot_id"}
    anew = _sums(conn.execute(_INVOICED, given), firms)
    in_flight = _in_flight(conn, until)
    nothing = (0,) * len(FROM_INVOICES)
    for key in sorted(stored.keys() | anew.keys()):
        has, should = stored.get(key, nothing), anew.get(key, nothing)
        if has != should and key[:2] not in in_flight:
            name, one, other = next(
                (name, one, other)
                for name, one, other in zip(FROM_INVOICES, has, should, strict=True)
                if one != other
            )
            seller, buyer, currency = key
            yield Breach(
                f"graph_snapshot {snapshot.id}, {seller} to {buyer}",
                f"{name} is {one} {currency}; the invoices make {other}.",
            )


def _moved(conn: Connection, snapshot: Row[Any]) -> set[str]:
    rows = conn.execute(
        select(_merge.c.firm_id, _merge.c.survivor_id).where(
            _merge.c.decided_at >= snapshot.known_before
        )
    )
    return {firm for row in rows for firm in row}


def _in_flight(conn: Connection, until: dt.datetime) -> set[tuple[str, str]]:
    """Give the pairs of which a fact may have been stored before and seen only afterwards."""
    rows = conn.execute(
        select(_invoice.c.seller_id, _invoice.c.buyer_id)
        .join(_fact, _fact.c.invoice_id == _invoice.c.id)
        .where(_fact.c.known_at.between(until - _LONGEST_WRITE, until))
        .distinct()
    )
    return {(row.seller_id, row.buyer_id) for row in rows}


def _sums(rows: Any, firms: set[str]) -> dict[Key, tuple[int, ...]]:  # noqa: ANN401 - a result
    return {
        (seller, buyer, currency): tuple(map(int, sums))
        for seller, buyer, currency, *sums in rows
        if seller in firms and buyer in firms
    }
