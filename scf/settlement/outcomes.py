"""What became of payments that were ordered, and of the advances behind them.

Inner functions of this slice; whoever calls them has locked what they touch. Settled: only now is
it money. Rejected before settlement: as if never instructed. Returned after settlement: the money
is back in transit until the advance is sent again or unwound; an unwound one leaves nothing in
any book, the income of its days included.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.documents.models import Invoice
from scf.financing import advances
from scf.impairment.following import follow
from scf.kernel.ids import new_id
from scf.ledger.service import LedgerEvent, post
from scf.programmes.terms import Terms
from scf.settlement import instructions, journals, reserve_journals, schedule
from scf.settlement.loans import ADVANCE, advances_of, loans_of, terms_of_versions
from scf.settlement.models import Allocation
from scf.settlement.position import RELEASED

_invoice: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_allocation: Final[Table] = Allocation.__table__  # type: ignore[attr-defined]
_DAY: Final = dt.timedelta(days=1)


def books_of_many(
    conn: Connection, rows: Iterable[Row[Any]], terms: Mapping[str, Terms] | None = None
) -> dict[str, journals.Books]:
    """Give the books of each advance: by what its obligor has undertaken, and what it knows.

    Parameters
    ----------
    terms
        The terms of the programme versions, where they have been read already.
    """
    rows = list(rows)
    if not rows:
        return {}
    wanted = sorted({row.invoice_id for row in rows})
    undertaken = dict(
        conn.execute(select(_invoice.c.id, _invoice.c.ipu).where(_invoice.c.id.in_(wanted))).all()
    )
    if terms is None:
        terms = terms_of_versions(conn, (row.programme_version_id for row in rows))
    return {
        row.id: journals.books_of(
            row,
            undertaken=undertaken[row.invoice_id],
            silent=not terms[row.programme_version_id].disclosed,
        )
        for row in rows
    }


def subjects_of(conn: Connection, rows: Sequence[Row[Any]]) -> dict[str, str]:
    """Give the life that each instruction belongs to in the books, by instruction.

    An advance with its rebate or reserve is one life; money held for a seller or payer is a life
    of its own.
    """
    rebates = [row.subject_id for row in rows if row.kind in {"rebate", *RELEASED}]
    of_advance: dict[str, str] = {}
    if rebates:
        of_advance = dict(
            conn.execute(
                select(_allocation.c.id, _allocation.c.advance_id).where(
                    _allocation.c.id.in_(rebates)
                )
            ).all()
        )
    return {row.id: of_advance.get(row.subject_id, row.subject_id) for row in rows}


def owe_again(ctx: Context, rows: Sequence[Row[Any]]) -> None:
    """The payment of somebody else's money did not happen: it can be ordered anew."""
    if rows:
        ctx.conn.execute(
            update(_allocation)
            .where(_allocation.c.id.in_([row.subject_id for row in rows]))
            .values(paid_out_minor=None)
        )


def reject(
    ctx: Context, rows: Sequence[Row[Any]], code: str, today: dt.date, *, keep: bool
) -> None:
    """The bank refused these payments for good.

    Their advances are unwound, or with ``keep`` stay FAILED with their hold, so that a person can
    have them sent again on the same day under a new attempt. The rows are locked.
    """
    instructions.move(ctx, rows, "reject", {"status_code": code})
    owed = [row for row in rows if row.kind != "advance"]
    owe_again(ctx, owed)
    subjects = subjects_of(ctx.conn, owed)
    post(
        ctx,
        [
            LedgerEvent(
                row.id,
                "payout.rejected",
                subjects[row.id],
                row.currency,
                today,
                today,
                f"Payment {row.end_to_end_id} refused: {code}",
                journals.reversed_journals(
                    journals.owed_instructed(
                        row.financier_id, row.payee_id, row.kind, row.amount_minor
                    ),
                    "nothing was received",
                ),
            )
            for row in owed
        ],
    )
    failed = [
        advances.fail(ctx, row.advance_id, code, today) for row in rows if row.kind == "advance"
    ]
    if not keep:
        # A pay-out that had come back once is not undone by the refusal of its second try alone:
        # both unwind the same way, by what has been booked.
        undo(ctx, failed, code, today)


def undo(ctx: Context, rows: Sequence[Row[Any]], reason: str, today: dt.date) -> list[Row[Any]]:
    """Undo advances whose pay-out failed or came back; in the books nothing remains."""
    in_books = books_of_many(ctx.conn, rows)
    loans = loans_of(ctx.conn, rows)
    events = []
    after = []
    for row in rows:
        books = in_books[row.id]
        amounts = journals.amounts_of(row)
        after.append(advances.unwind(ctx, row.id, reason, today))
        if row.funded_on is None:
            made = journals.payout_rejected(books, **amounts)
            events.append(_event(row, "payout.unwound", today, "Pay-out refused", made))
            continue
        fee = _fee_earned(row, loans[row.id])
        if row.income_minor or fee:
            made = journals.income(books, earned=-row.income_minor, fee=-fee)
            events.append(_event(row, "income.reversed", today, "Income taken back", made))
        if row.penalty_minor:  # found out so late that lateness had begun to run
            made = journals.penalty_accrued(books, -row.penalty_minor)
            events.append(_event(row, "penalty.reversed", today, "Lateness taken back", made))
        if row.interest_minor:
            made = reserve_journals.interest_accrued(books, -row.interest_minor)
            events.append(_event(row, "interest.reversed", today, "Interest taken back", made))
        made = journals.sale_undone(books, **amounts)
        events.append(_event(row, "sale.undone", today, "Pay-out came back", made))
    post(ctx, events)
    if rows:
        ctx.conn.execute(
            update(ADVANCE)
            .where(ADVANCE.c.id.in_([row.id for row in rows]))
            .values(income_minor=0, interest_minor=0)
        )
    follow(ctx, [row.id for row in rows], today)
    return after


def _fee_earned(row: Row[Any], loan: schedule.Runs) -> int:
    if row.income_to is None or row.fee_minor == 0:
        return 0
    return schedule.plan([loan], [], 0, row.income_to + _DAY).standings[row.id].fee


def _event(
    row: Row[Any], kind: str, today: dt.date, words: str, made: journals.Journals
) -> LedgerEvent:
    return LedgerEvent(
        row.id, kind, row.id, row.currency, today, row.funded_on or row.value_on, words, made
    )


def returned(
    ctx: Context, instruction: Row[Any], entry: Row[Any], code: str, today: dt.date
) -> None:
    """A payment that had settled came back with a bank credit, which stands in suspense."""
    instructions.move(ctx, [instruction], "return", {"status_code": code})
    if instruction.kind == "advance":
        row = advances_of(ctx.conn, [instruction.advance_id])[instruction.advance_id]
        advances.returned(ctx, row.id, code, today)
        books = books_of_many(ctx.conn, [row])[row.id]
        made = journals.payout_returned(books, instruction.amount_minor)
    else:
        owe_again(ctx, [instruction])
        made = journals.owed_returned(
            instruction.financier_id,
            instruction.payee_id,
            instruction.kind,
            instruction.amount_minor,
        )
    subject = subjects_of(ctx.conn, [instruction])[instruction.id]
    post(
        ctx,
        [
            LedgerEvent(
                instruction.id,
                "payout.returned",
                subject,
                instruction.currency,
                today,
                entry.value_on,
                f"Payment {instruction.end_to_end_id} came back: {code}",
                made,
            )
        ],
    )
    ctx.conn.execute(
        insert(_allocation),
        {
            "id": new_id(),
            "bank_entry_id": entry.id,
            "kind": "return",
            "advance_id": instruction.advance_id,
            "invoice_id": None,
            "payee_id": instruction.payee_id,
            "amount_minor": instruction.amount_minor,
            "paid_out_minor": None,
            "value_on": entry.value_on,
            "reversed_by": None,
            "command_id": ctx.command_id,
            "at": ctx.now,
        },
    )


def settled(ctx: Context, done: Sequence[tuple[Row[Any], dt.date]], today: dt.date) -> None:
    """The bank has booked these payments, each with its value date: now they are money."""
    by_day: dict[dt.date, list[Row[Any]]] = {}
    for row, value_on in done:
        by_day.setdefault(value_on, []).append(row)
    events = []
    for value_on, rows in by_day.items():
        instructions.move(ctx, rows, "settle", {"settled_on": value_on})
        ids = [row.advance_id for row in rows if row.kind == "advance"]
        before = advances_of(ctx.conn, ids)
        in_books = books_of_many(ctx.conn, before.values())
        subjects = subjects_of(ctx.conn, rows)
        if ids:
            _tell_sellers(ctx, advances.fund(ctx, ids, value_on), value_on)
        for row in rows:
            made = _settlement(row, before.get(row.advance_id), in_books)
            events.append(
                LedgerEvent(
                    row.id,
                    "payout.settled",
                    subjects[row.id],
                    row.currency,
                    today,
                    value_on,
                    f"Payment {row.end_to_end_id} settled",
                    made,
                )
            )
    post(ctx, events)


def _tell_sellers(ctx: Context, paid: Sequence[Row[Any]], value_on: dt.date) -> None:
    """Note which of its advances each seller has been paid, as one payment advice a value date."""
    of_seller: dict[str, list[str]] = {}
    for row in paid:
        of_seller.setdefault(row.seller_id, []).append(row.id)
    for seller_id, ids in sorted(of_seller.items()):
        payload = {"advance_ids": sorted(ids), "value_on": value_on.isoformat()}
        ctx.emit("advance.paid", payload, org_id=seller_id)


def _settlement(
    row: Row[Any], advance: Row[Any] | None, in_books: dict[str, journals.Books]
) -> journals.Journals:
    if advance is None:
        return journals.owed_settled(row.financier_id, row.payee_id, row.kind, row.amount_minor)
    books = in_books[advance.id]
    if advance.funded_on is not None:
        return journals.payout_sent_again(books, row.amount_minor)
    return journals.payout_settled(books, **journals.amounts_of(advance))
