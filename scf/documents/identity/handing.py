"""The papers of a record that is given up become those of the record that stands for it, and back.

What was moved is kept by row and side, so that parting the records moves exactly that back. It
cannot be once something rests on a moved paper that the other firm did: money, the buyer's word,
or a match with a paper of the other firm's own.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Table, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.documents.arrivals import arrived, orders_arrived
from scf.documents.canonical import MESSAGES, Kind
from scf.documents.duplicates.rules import place_key
from scf.documents.duplicates.standing import SUSPICION, VERDICT
from scf.documents.fingerprints import duplicate_key
from scf.documents.identity.models import FirmHandover
from scf.documents.invoice_state import INVOICE
from scf.documents.match.numbers import take_numbers
from scf.documents.messages.arriving import OF_ORDERS
from scf.documents.models import CreditAllocation
from scf.documents.rows import key_number
from scf.documents.storing import KINDS, TABLES, TURNS
from scf.kernel.errors import Conflict
from scf.parties.identity.models import FirmLink, FirmMerge

_HANDED: Final[Table] = FirmHandover.__table__  # type: ignore[attr-defined]
_LINK: Final[Table] = FirmLink.__table__  # type: ignore[attr-defined]
_MERGE: Final[Table] = FirmMerge.__table__  # type: ignore[attr-defined]
_ALLOCATION: Final[Table] = CreditAllocation.__table__  # type: ignore[attr-defined]
_CREDITS: Final = TABLES[Kind.CREDIT_NOTE]
_SIDES: Final = ("seller_id", "buyer_id", "payee_id", "payer_id")
_MOVED: Final[tuple[Table, ...]] = (*KINDS, SUSPICION)
_MOST: Final = 20


def hand_over(ctx: Context, merge_id: str, firm_id: str, survivor_id: str) -> dict[str, int]:
    """Move every paper of one record to another, and match it there; gives how many of each."""
    moved: dict[str, list[str]] = {}
    for table in _MOVED:
        sides = [name for name in _SIDES if name in table.c]
        rows = _rows(ctx.conn, table, or_(*(table.c[side] == firm_id for side in sides)))
        if not rows:
            continue
        kept = [
            {"merge_id": merge_id, "row_id": row.id, "side": side, "of_table": table.name}
            for row in rows
            for side in sides
            if getattr(row, side) == firm_id
        ]
        ctx.conn.execute(insert(_HANDED), kept)
        _move(ctx.conn, table, rows, kept, survivor_id)
        moved[table.name] = [row.id for row in rows]
    _arrive_again(ctx, moved)
    return {name: len(ids) for name, ids in moved.items()}


def hand_back(ctx: Context, merge_id: str, firm_id: str, survivor_id: str) -> dict[str, int]:
    """Move back what was handed over when two records were joined.

    Raises
    ------
    Conflict
        ``UNMERGE_USED`` and ``UNMERGE_MIXED`` with the numbers of the papers that forbid it.
    """
    handed: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in ctx.conn.execute(select(_HANDED).where(_HANDED.c.merge_id == merge_id)):
        handed[row.of_table].append(row._asdict())
    ids = {name: sorted({one["row_id"] for one in kept}) for name, kept in handed.items()}
    _not_used(ctx.conn, handed, survivor_id)
    _not_mixed(ctx.conn, ids)
    _forget_pairs(ctx, ids.get(INVOICE.name, []))
    for table in _MOVED:
        kept = handed.get(table.name, [])
        if kept:
            rows = _rows(ctx.conn, table, table.c.id.in_(ids[table.name]))
            _move(ctx.conn, table, rows, kept, firm_id)
    ctx.conn.execute(delete(_HANDED).where(_HANDED.c.merge_id == merge_id))
    _arrive_again(ctx, ids)
    return {name: len(one) for name, one in ids.items()}


def under_given_up(conn: Connection) -> Iterator[tuple[str, str, int]]:
    """Give the papers that name a record for which another one stands: firm, table, how many."""
    for table in _MOVED:
        for side in (name for name in _SIDES if name in table.c):
            rows = conn.execute(
                select(table.c[side], func.count())
                .join(_LINK, _LINK.c.firm_id == table.c[side])
                .group_by(table.c[side])
                .order_by(table.c[side])
            )
            yield from ((firm_id, table.name, count) for firm_id, count in rows)


def handed_astray(conn: Connection) -> Iterator[tuple[str, str]]:
    """Give what is kept of papers that changed their firm and is not so: merge, and what is wrong.

    A paper is kept as moved while its two records are joined, and names the one that stands then.
    """
    parted = (
        select(_HANDED.c.merge_id)
        .join(_MERGE, _MERGE.c.id == _HANDED.c.merge_id)
        .outerjoin(
            _LINK,
            (_LINK.c.firm_id == _MERGE.c.firm_id) & (_LINK.c.survivor_id == _MERGE.c.survivor_id),
        )
        .where(_LINK.c.firm_id.is_(None))
        .distinct()
        .order_by(_HANDED.c.merge_id)
    )
    for merge_id in conn.execute(parted).scalars():
        yield merge_id, "parted"
    for table in _MOVED:
        for side in (name for name in _SIDES if name in table.c):
            elsewhere = (
                select(_HANDED.c.merge_id)
                .join(_MERGE, _MERGE.c.id == _HANDED.c.merge_id)
                .join(_LINK, _LINK.c.firm_id == _MERGE.c.firm_id)
                .join(table, table.c.id == _HANDED.c.row_id)  # a staged one may be gone
                .where(
                    _HANDED.c.of_table == table.name,
                    _HANDED.c.side == side,
                    _LINK.c.survivor_id == _MERGE.c.survivor_id,
                    table.c[side].is_distinct_from(_MERGE.c.survivor_id),
                )
                .distinct()
                .order_by(_HANDED.c.merge_id)
            )
            for merge_id in conn.execute(elsewhere).scalars():
                yield merge_id, table.name


def _rows(conn: Connection, table: Table, where: Any) -> Sequence[Row[Any]]:  # noqa: ANN401
    return conn.execute(select(table).where(where).order_by(table.c.id).with_for_update()).all()


def _move(
    conn: Connection,
    table: Table,
    rows: Sequence[Row[Any]],
    kept: Iterable[Mapping[str, Any]],
    to_id: str,
) -> None:
    """Put a firm in the sides that were kept; a fingerprint that names both firms follows them."""
    sides = [name for name in _SIDES if name in table.c]
    new = {row.id: {side: getattr(row, side) for side in sides} for row in rows}
    for one in kept:
        new[one["row_id"]][one["side"]] = to_id
    values: dict[str, Any] = {side: bindparam(f"new_{side}") for side in sides}
    changes = [
        {"row": row.id, **{f"new_{side}": new[row.id][side] for side in sides}} for row in rows
    ]
    if table in KINDS and KINDS[table] is not Kind.PAYMENT:
        values["duplicate_key"] = bindparam("new_key")
        for row, change in zip(rows, changes, strict=True):
            change["new_key"] = _key(table, row, new[row.id])
    if table is INVOICE:
        values["place_key"] = bindparam("new_place")
        for row, change in zip(rows, changes, strict=True):
            firms = new[row.id]
            place = place_key(firms["seller_id"], firms["buyer_id"], row.payable_minor)
            change["new_place"] = place
    statement = update(table).where(table.c.id == bindparam("row")).values(**values)
    conn.execute(statement, changes)


def _key(table: Table, row: Row[Any], firms: Mapping[str, str | None]) -> str:
    seller, buyer = firms["seller_id"], firms["buyer_id"]
    number = key_number(Kind(row.kind) if "kind" in table.c else KINDS[table], row.number)
    if not (row.seller_id and row.buyer_id and seller and buyer):
        return str(row.duplicate_key)
    plain = duplicate_key(row.seller_id, row.buyer_id, number, row.issue_on.year)
    if row.duplicate_key != plain:
        return str(row.duplicate_key)  # of a paper that waited, or was struck out while it did
    return duplicate_key(seller, buyer, number, row.issue_on.year)


def _arrive_again(ctx: Context, moved: Mapping[str, Sequence[str]]) -> None:
    """Let papers that changed their firm be matched, netted and compared where they are now."""
    orders, papers = set[tuple[str, ...]](), set[tuple[str, ...]]()
    of_messages = set[tuple[str, str, str]]()
    for table, kind in KINDS.items():
        ids = moved.get(table.name)
        if not ids or kind is Kind.PAYMENT:
            continue
        for row in ctx.conn.execute(select(table).where(table.c.id.in_(ids))):
            if not (row.seller_id and row.buyer_id) or row.document_state != "VALIDATED":
                continue
            if kind is Kind.ORDER:
                orders.add((row.seller_id, row.buyer_id, row.canonical_number))
            elif getattr(row, "order_canonical", None):
                named = (row.seller_id, row.buyer_id, row.order_canonical)
                papers.add(named)
                if kind in MESSAGES and Kind(row.kind) in OF_ORDERS:
                    of_messages.add(named)
    take_numbers(ctx, orders=orders, papers=papers)
    done = set[str]()
    for kind in TURNS:
        name = TABLES[kind].name
        if name in moved and name not in done and kind not in MESSAGES:
            arrived(ctx, kind, moved[name])
        done.add(name)
    orders_arrived(ctx, of_messages)


# --- What cannot be moved back --------------------------------------------------------------------


def _not_used(
    conn: Connection, handed: Mapping[str, Sequence[Mapping[str, Any]]], survivor_id: str
) -> None:
    kept = handed.get(INVOICE.name, [])
    money = (
        INVOICE.c.held_minor + INVOICE.c.outstanding_minor + INVOICE.c.offered_minor
        + INVOICE.c.recourse_minor + INVOICE.c.repaid_minor
    )  # fmt: skip
    answered = (INVOICE.c.buyer_id == survivor_id) & (
        INVOICE.c.acceptance_state.not_in(["NONE", "SENT"]) | (INVOICE.c.dispute_state != "NONE")
    )
    bought = [one["row_id"] for one in kept if one["side"] == "buyer_id"]
    used = select(INVOICE.c.number).where(
        or_(
            INVOICE.c.id.in_([one["row_id"] for one in kept]) & (money > 0),
            INVOICE.c.id.in_(bought) & answered,
        )
    )
    numbers = sorted(conn.execute(used.limit(_MOST)).scalars())
    if numbers:
        raise Conflict(
            "UNMERGE_USED",
            "Money or the buyer's word rests on papers of the record: %(numbers)s. They would be"
            " another firm's.",
            numbers=numbers,
        )


def _not_mixed(conn: Connection, ids: Mapping[str, Sequence[str]]) -> None:
    """Refuse where one paper was handed over and the other, which it is matched with, was not."""
    invoices, orders = ids.get(INVOICE.name, []), ids.get(TABLES[Kind.ORDER].name, [])
    notes = ids.get(_CREDITS.name, [])
    ours, ordered = INVOICE.c.id.in_(invoices), INVOICE.c.order_id.in_(orders)
    matched = select(INVOICE.c.number).where(
        INVOICE.c.order_id.is_not(None), or_(ours & ~ordered, ~ours & ordered)
    )
    here, noted = _ALLOCATION.c.invoice_id.in_(invoices), _ALLOCATION.c.credit_note_id.in_(notes)
    netted = (
        select(_CREDITS.c.number)
        .join(_ALLOCATION, _ALLOCATION.c.credit_note_id == _CREDITS.c.id)
        .where(or_(here & ~noted, ~here & noted))
    )
    numbers = {
        one for found in (matched, netted) for one in conn.execute(found.limit(_MOST)).scalars()
    }
    if numbers:
        raise Conflict(
            "UNMERGE_MIXED",
            "Papers of the two records are matched with each other: %(numbers)s.",
            numbers=sorted(numbers)[:_MOST],
        )


def _forget_pairs(ctx: Context, invoices: Sequence[str]) -> None:
    """Drop what nobody decided on of a moved invoice and one that was the other firm's."""
    moved, twin = SUSPICION.c.invoice_id.in_(invoices), SUSPICION.c.twin_id.in_(invoices)
    said = select(VERDICT.c.id).where(VERDICT.c.suspicion_id == SUSPICION.c.id).exists()
    ctx.conn.execute(delete(SUSPICION).where(or_(moved & ~twin, ~moved & twin), ~said))
