"""A credit note on financed money: reserve, then the seller, in the transaction that stores it."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select

from scf.db.runner import Context
from scf.documents.dilution import Carried, Fall, carried_by
from scf.documents.models import Invoice
from scf.financing import reserve
from scf.financing.lifecycle import OUT
from scf.financing.models import Advance
from scf.kernel.errors import Conflict
from scf.ledger.service import LedgerEvent, post
from scf.parties.service import business_date
from scf.programmes.models import LimitHold, LimitNode
from scf.programmes.techniques import technique_of
from scf.settlement import credit_notes, journals, reserve_journals
from scf.settlement.allocation import settle
from scf.settlement.loans import ADVANCE, loan_of, terms_of_versions
from scf.settlement.position import Position
from scf.settlement.reserve import Reserved

_INVOICE = Invoice.__table__  # type: ignore[attr-defined]
_NODE = LimitNode.__table__  # type: ignore[attr-defined]
_HOLD = LimitHold.__table__  # type: ignore[attr-defined]


class _Advances:
    """The advances that are out, as documents know them: so much of an invoice may fall."""

    def room(self, ctx: Context, invoice_ids: Iterable[str]) -> Mapping[str, int]:
        wanted = sorted(set(invoice_ids))
        rows = ctx.conn.execute(
            select(ADVANCE, _INVOICE.c.ipu)
            .join(_INVOICE, _INVOICE.c.id == ADVANCE.c.invoice_id)
            .where(ADVANCE.c.invoice_id.in_(wanted), ADVANCE.c.state.in_(OUT))
        ).all()
        terms = terms_of_versions(ctx.conn, (row.programme_version_id for row in rows))
        room: dict[str, int] = {}
        for row in rows:
            technique = technique_of(terms[row.programme_version_id])
            if technique.takes_credit_notes(undertaking=row.ipu):
                room[row.invoice_id] = room.get(row.invoice_id, 0) + reserve.open_face(row)
        if room:
            self._lock_limits(ctx, [row.id for row in rows])
        return room

    def _lock_limits(self, ctx: Context, advance_ids: Sequence[str]) -> None:
        """Lock the limit nodes before any invoice; an import has locked its orders already."""
        nodes = select(_HOLD.c.node_id).where(_HOLD.c.advance_id.in_(advance_ids))
        ctx.conn.execute(
            select(_NODE.c.id)
            .where(_NODE.c.id.in_(nodes))
            .order_by(_NODE.c.kind_rank, _NODE.c.id)
            .with_for_update()
        )

    def fell(self, ctx: Context, falls: Sequence[Fall]) -> None:
        ids = ctx.conn.execute(
            select(ADVANCE.c.id).where(
                ADVANCE.c.invoice_id.in_(sorted({fall.invoice_id for fall in falls})),
                ADVANCE.c.state.in_(OUT),
            )
        ).scalars()
        locked = list(ctx.lock(Advance, list(ids)).values())
        for fall in falls:
            _cure(ctx, fall, [row for row in locked if row.invoice_id == fall.invoice_id])

    def carried(self, ctx: Context, notes: Sequence[Carried]) -> None:
        credit_notes.book(ctx, notes)


carried_by(_Advances())


def _cure(ctx: Context, fall: Fall, rows: Sequence[Row[Any]]) -> None:
    """Let a credit note take from the reserves first, then from the oldest advance on."""
    financier_id = rows[0].financier_id
    today = business_date(ctx.conn, financier_id)
    position = Position(ctx.conn, fall.invoice_id, financier_id, today)
    changed: dict[str, Any] = {}
    for row, taken, from_reserve in _shared(fall.amount, list(position.advances.values())):
        after = reserve.dilute(
            ctx, row, reserve.Dilution(taken, from_reserve, fall.cause, fall.cause_id), today
        )
        terms = terms_of_versions(ctx.conn, [row.programme_version_id])
        loan = loan_of(after, terms[row.programme_version_id])
        if not isinstance(loan, Reserved):
            raise _no_reserve(row)
        changed[row.id] = dataclasses.replace(loan, diluted=after.diluted_minor)
        _book(ctx, row, position, fall, (taken, from_reserve))
    settle(ctx, position, today, changed=changed)


def _no_reserve(row: Row[Any]) -> Conflict:
    return Conflict("STALE", "An advance has moved on; read it again.", advance_id=row.id)


def _shared(amount: int, rows: Sequence[Row[Any]]) -> list[tuple[Row[Any], int, int]]:
    """Share a fall: what reserves can bear, the oldest first, then face beyond them."""
    in_order = sorted(
        (row for row in rows if reserve.open_face(row)),
        key=lambda row: (row.due_on, row.value_on, row.id),
    )
    taken = dict.fromkeys((row.id for row in in_order), 0)
    cured = dict(taken)
    left = amount
    for row in in_order:
        cured[row.id] = min(left, row.reserve_left_minor, reserve.open_face(row))
        left -= cured[row.id]
    for row in in_order:
        more = min(left, reserve.open_face(row) - cured[row.id])
        taken[row.id] = cured[row.id] + more
        left -= more
    return [(row, taken[row.id], cured[row.id]) for row in in_order if taken[row.id]]


def _book(
    ctx: Context, row: Row[Any], position: Position, fall: Fall, shares: tuple[int, int]
) -> None:
    amount, from_reserve = shares
    today = business_date(ctx.conn, row.financier_id)
    books = journals.books_of(row, undertaken=position.invoice.ipu, silent=position.silent)
    post(
        ctx,
        [
            LedgerEvent(
                f"{fall.cause_id}:{row.id}:{row.version}",
                "advance.diluted",
                row.id,
                row.currency,
                today,
                today,
                f"Credit note on invoice {position.invoice.number}",
                reserve_journals.diluted(books, amount=amount, reserve=from_reserve),
            )
        ],
    )
