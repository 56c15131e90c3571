"""Credit notes: linked to what they credit and netted exactly.

A linked credit note lowers the invoices that it names first, then the other open invoices of the
pair by due date, invoice date and number. It takes what is free there: a held or financed part
stays whole, and under an undertaking the buyer still pays it in full. Only where the technique
says so does it then take from a financed part of an invoice that it names, which opens an
over-advance. What does not fit is carried to the pair's next invoices. A credit note that names
nothing known waits, and blocks the pair up to its own amount and no more. Source: finance.md
section 3 and golden 10.
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Table, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from scf.db.keys import among
from scf.db.runner import Context
from scf.documents import rules
from scf.documents.dilution import Carried, Fall, carrier, take
from scf.documents.disputes import settle_by_credit
from scf.documents.fingerprints import canonical_number
from scf.documents.invoice_state import INVOICE, State, states, write
from scf.documents.lifecycle import CREDIT
from scf.documents.models import CreditAllocation, CreditNote
from scf.kernel.errors import Conflict, RuleViolation
from scf.kernel.ids import new_id

_credit: Final[Table] = CreditNote.__table__  # type: ignore[attr-defined]
_allocation: Final[Table] = CreditAllocation.__table__  # type: ignore[attr-defined]

Pair = tuple[str, str, str]  # seller, buyer, currency
_OPEN_STATES: Final = ("LINKED", "UNLINKED", "ALLOCATED")
_FREE: Final = (
    INVOICE.c.base_minor
    - INVOICE.c.credited_minor
    - INVOICE.c.disputed_minor
    - INVOICE.c.paid_minor
    - INVOICE.c.retention_minor
    - INVOICE.c.held_minor
    - INVOICE.c.outstanding_minor
)
_SET_CREDIT = (
    update(_credit)
    .where(_credit.c.id == bindparam("row_id"))
    .values(
        credit_state=bindparam("state"),
        allocated_minor=bindparam("allocated"),
        version=_credit.c.version + 1,
    )
)
_SET_ALLOCATION = (
    update(_allocation)
    .where(
        _allocation.c.credit_note_id == bindparam("note"),
        _allocation.c.invoice_id == bindparam("invoice"),
    )
    .values(amount_minor=_allocation.c.amount_minor + bindparam("more"), at=bindparam("now"))
)


@dataclasses.dataclass
class _Note:
    """A credit note under lock while it is being spent."""

    row: Any
    state: str
    allocated: int

    @property
    def left(self) -> int:
        return int(self.row.amount_minor) - self.allocated


def open_credit(conn: Connection, seller_id: str, buyer_id: str, currency: str) -> int:
    """Give what credit notes of a pair still wait to be set against invoices.

    Finance keeps that much of the pair's eligible amount back (CREDIT_NOTE_OPEN), and no more.
    """
    total = conn.execute(
        _OPEN_OF_PAIR, {"seller": seller_id, "buyer": buyer_id, "currency": currency}
    ).scalar_one()
    return int(total or 0)


def _open() -> Any:  # noqa: ANN401 - a SQL condition
    return and_(
        _credit.c.document_state == "VALIDATED",
        _credit.c.credit_state.in_(_OPEN_STATES),
        _credit.c.allocated_minor < _credit.c.amount_minor,
    )


_OPEN_OF_PAIR: Final = select(func.sum(_credit.c.amount_minor - _credit.c.allocated_minor)).where(
    _credit.c.seller_id == bindparam("seller"),
    _credit.c.buyer_id == bindparam("buyer"),
    _credit.c.currency == bindparam("currency"),
    _open(),
)


def net(ctx: Context, pairs: Iterable[Pair]) -> dict[str, int]:
    """Set the open credit notes of these pairs against their invoices; gives amounts by note.

    Called when a credit note arrives and when an invoice of its pair does.
    """
    wanted = sorted(set(pairs))
    notes = _open_notes(ctx.conn, wanted)
    if not notes:
        return {}
    invoices = _targets(ctx.conn, notes)
    room = _room(ctx, notes, invoices)
    before = states(ctx, [row.id for row in invoices])
    locked = ctx.lock(CreditNote, [note.id for note in notes])
    return _spend(ctx, list(locked.values()), invoices, before, room)


def link(ctx: Context, credit_note_id: str, invoice_ids: Collection[str]) -> dict[str, int]:
    """Name the invoices that a waiting credit note belongs to, and net it.

    Raises
    ------
    Conflict
        ILLEGAL_TRANSITION when it was linked or used up before: it counts only once.
    RuleViolation
        CREDIT_OTHER_PAIR for an invoice of another seller, buyer or currency.
    """
    head = ctx.visible(CreditNote, credit_note_id)
    if head.document_state != "VALIDATED":
        raise Conflict(
            "DOCUMENT_STATE",
            "The credit note is %(state)s, not VALIDATED.",
            id=credit_note_id,
            state=head.document_state,
        )
    named = ctx.conn.execute(
        select(INVOICE.c.id, INVOICE.c.number).where(
            INVOICE.c.id.in_(sorted(invoice_ids)), *_same_pair(head)
        )
    ).all()
    if len(named) < len(set(invoice_ids)) or not named:
        raise RuleViolation(
            "CREDIT_OTHER_PAIR", "Name invoices of the same seller, buyer and currency."
        )
    names = [{"number": row.number} for row in named]
    invoices = _targets(ctx.conn, [head], names)
    room = carrier().room(ctx, [row.id for row in named])
    before = states(ctx, [row.id for row in invoices])
    note = ctx.lock(CreditNote, [credit_note_id])[credit_note_id]
    state = CREDIT.after(note.credit_state, "link")
    numbers = [*note.named_invoices, *names]
    ctx.conn.execute(
        update(_credit)
        .where(_credit.c.id == note.id)
        .values(credit_state=state, named_invoices=numbers, version=_credit.c.version + 1)
    )
    ctx.change("credit_note", note.id, {"state": note.credit_state}, {"state": state})
    linked = ctx.conn.execute(select(_credit).where(_credit.c.id == note.id)).all()
    return _spend(ctx, linked, invoices, before, room)


def _room(ctx: Context, notes: Sequence[Any], invoices: Sequence[Any]) -> Mapping[str, int]:
    """Give how much of the financed parts of named invoices may fall; asked before any lock."""
    numbers = {canonical_number(one["number"]) for note in notes for one in note.named_invoices}
    return carrier().room(ctx, [row.id for row in invoices if row.canonical_number in numbers])


def _same_pair(head: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a row
    return (
        INVOICE.c.seller_id == head.seller_id,
        INVOICE.c.buyer_id == head.buyer_id,
        INVOICE.c.currency == head.currency,
    )


def _open_notes(conn: Connection, pairs: Sequence[Pair]) -> Sequence[Any]:
    if not pairs:
        return []
    return conn.execute(
        select(_credit).where(
            among(
                conn,
                (_credit.c.seller_id, _credit.c.buyer_id),
                ((seller, buyer) for seller, buyer, _ in pairs),
            ),
            or_(_open(), _credit.c.credit_state == "RECEIVED"),
            _credit.c.document_state == "VALIDATED",
        )
    ).all()


def _targets(
    conn: Connection, notes: Sequence[Any], names: Sequence[dict[str, str]] = ()
) -> Sequence[Any]:
    """Read the invoices that could carry these notes, in the order in which they do.

    Those with something free, and the named ones whatever became of them: a note that names a paid
    invoice is linked all the same, and goes on to the next.
    """
    numbers = [*names, *(named for note in notes for named in note.named_invoices)]
    rows = conn.execute(
        select(
            INVOICE.c.id,
            INVOICE.c.seller_id,
            INVOICE.c.buyer_id,
            INVOICE.c.currency,
            INVOICE.c.number,
            INVOICE.c.canonical_number,
            INVOICE.c.issue_on,
            INVOICE.c.due_on,
        ).where(
            among(
                conn,
                (INVOICE.c.seller_id, INVOICE.c.buyer_id),
                ((note.seller_id, note.buyer_id) for note in notes),
            ),
            INVOICE.c.document_state == "VALIDATED",
            or_(
                and_(_FREE > 0, INVOICE.c.payment_state.in_(("OPEN", "PART_PAID"))),
                INVOICE.c.canonical_number.in_(
                    sorted({canonical_number(named["number"]) for named in numbers})
                ),
            ),
        )
    ).all()
    return sorted(
        rows, key=lambda row: (row.due_on or dt.date.max, row.issue_on, row.number, row.id)
    )


def _spend(
    ctx: Context,
    rows: Sequence[Any],
    invoices: Sequence[Any],
    before: dict[str, State],
    room: Mapping[str, int],
) -> dict[str, int]:
    after = {key: dataclasses.replace(state) for key, state in before.items()}
    by_pair: dict[Pair, list[Any]] = defaultdict(list)
    for row in invoices:
        by_pair[row.seller_id, row.buyer_id, row.currency].append(row)
    spent: dict[str, int] = {}
    taken: dict[tuple[str, str], int] = {}
    changed: list[_Note] = []
    left = dict(room)
    falls: list[Fall] = []
    carried: list[Carried] = []
    for row in sorted(rows, key=lambda row: (row.issue_on, row.number, row.id)):
        note = _Note(row, row.credit_state, row.allocated_minor)
        targets = by_pair[row.seller_id, row.buyer_id, row.currency]
        named = _named(row, targets)
        _link_state(note, linked=bool(named))
        if note.state != "UNLINKED":
            for target in [*named, *(t for t in targets if t not in named)]:
                amount = _take(ctx, note, after[target.id], is_named=target in named)
                if target in named:
                    fallen = min(note.left, left.get(target.id, 0))
                    left[target.id] = left.get(target.id, 0) - fallen
                    amount += _dilute(note, after[target.id], fallen, falls)
                if amount:
                    taken[row.id, target.id] = amount
        if note.allocated > row.allocated_minor:
            note.state = CREDIT.after(note.state, "apply" if note.left == 0 else "allocate")
            spent[row.id] = note.allocated - row.allocated_minor
        if note.state != row.credit_state or note.allocated != row.allocated_minor:
            changed.append(note)
            carried.append(_carried(note, named, taken))
    write(ctx, before, after.values())
    _store(ctx, changed, taken)
    if falls:
        carrier().fell(ctx, falls)
    carrier().carried(ctx, carried)
    return spent


def _carried(note: _Note, named: Sequence[Any], taken: Mapping[tuple[str, str], int]) -> Carried:
    row = note.row
    ids = tuple(target.id for target in named)
    on_named = sum(taken.get((row.id, one), 0) for one in ids)
    return Carried(
        row.id,
        row.number,
        row.seller_id,
        row.buyer_id,
        row.currency,
        row.version,
        ids,
        on_named,
        note.allocated - row.allocated_minor - on_named,
        note.left if note.state != "UNLINKED" else 0,
    )


def _dilute(note: _Note, state: State, amount: int, falls: list[Fall]) -> int:
    """Set a part of the note against a financed part, which its carrier then cures."""
    if amount:
        take(state, amount)
        note.allocated += amount
        falls.append(Fall(state.id, amount, "credit_note", note.row.id))
    return amount


def _named(row: Any, targets: Sequence[Any]) -> list[Any]:  # noqa: ANN401 - rows
    numbers = {canonical_number(named["number"]) for named in row.named_invoices}
    return [target for target in targets if target.canonical_number in numbers]


def _link_state(note: _Note, *, linked: bool) -> None:
    """Link on arrival, or when a named invoice comes later; once linked, always linked."""
    if note.state == "RECEIVED":
        note.state = CREDIT.after(note.state, "link" if linked else "find_none")
    elif note.state == "UNLINKED" and linked:
        note.state = CREDIT.after(note.state, "link")


def _take(ctx: Context, note: _Note, state: State, *, is_named: bool) -> int:
    """Set as much of the note as fits against one invoice: conceded first, then what is free."""
    settled = 0
    if is_named and state.disputed_minor:
        settled = settle_by_credit(ctx, state, note.left)
        state.credited_minor += settled
        note.allocated += settled
    amount = min(note.left, rules.eligible(state))
    state.credited_minor += amount
    note.allocated += amount
    return settled + amount


def _store(ctx: Context, notes: Sequence[_Note], taken: dict[tuple[str, str], int]) -> None:
    if not notes:
        return
    ctx.conn.execute(
        _SET_CREDIT,
        [{"row_id": n.row.id, "state": n.state, "allocated": n.allocated} for n in notes],
    )
    for note in notes:
        ctx.change(
            "credit_note",
            note.row.id,
            {"state": note.row.credit_state, "allocated_minor": note.row.allocated_minor},
            {"state": note.state, "allocated_minor": note.allocated},
        )
    if not taken:
        return
    known = {
        (row.credit_note_id, row.invoice_id)
        for row in ctx.conn.execute(
            select(_allocation.c.credit_note_id, _allocation.c.invoice_id).where(
                _allocation.c.credit_note_id.in_(sorted({note for note, _ in taken}))
            )
        )
    }
    fresh = [
        {
            "id": new_id(),
            "credit_note_id": note,
            "invoice_id": invoice,
            "amount_minor": amount,
            "at": ctx.now,
        }
        for (note, invoice), amount in taken.items()
        if (note, invoice) not in known
    ]
    more = [
        {"note": note, "invoice": invoice, "more": amount, "now": ctx.now}
        for (note, invoice), amount in taken.items()
        if (note, invoice) in known
    ]
    if fresh:
        ctx.conn.execute(insert(_allocation), fresh)
    if more:
        ctx.conn.execute(_SET_ALLOCATION, more)
