"""Let money pay what is owed on an invoice: plan from the start, book the difference.

Inner functions of this slice; whoever calls them has locked limit nodes, invoice and advances
(:func:`lock`). A receipt found late or taken back changes who got what of the others too: parts
that differ are reversed and made anew, all others stay as they are.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, insert, update

from scf.db.runner import Context
from scf.documents import axes
from scf.financing import advances, reserve
from scf.financing.lifecycle import OUT
from scf.impairment.following import follow
from scf.kernel.errors import Conflict
from scf.kernel.ids import new_id
from scf.ledger.service import LedgerEvent, post
from scf.programmes.service import terms_of_version
from scf.settlement import journals, reserve_journals
from scf.settlement.journals import Books, Journals
from scf.settlement.loans import ADVANCE, advances_of, rebate_payee
from scf.settlement.position import ALLOCATION, BY_SELLER, Coming, Position, in_time
from scf.settlement.reserve import Reserved
from scf.settlement.schedule import Closing, Loan, Plan, Release, Standing, plan

_DAY: Final = dt.timedelta(days=1)

Key = tuple[str, str, str]  # receipt, kind, advance or ""


# --- Settling -------------------------------------------------------------------------------------


def settle(
    ctx: Context,
    position: Position,
    today: dt.date,
    coming: Sequence[Coming] = (),
    gone: Sequence[str] = (),
    changed: Mapping[str, Loan | Reserved] | None = None,
) -> None:
    """Let receipts pay an invoice, or take receipts away from it, and book what changes.

    In the order of the posting tables: lateness taken back to the first value date that is
    touched, the parts, what an early repayment releases, lateness run again. ``changed`` are
    advances whose own facts are others now: a credit note took a part, recourse was called.

    Raises
    ------
    Conflict
        STALE, when money that would have to move was ordered to be paid out at this moment.
    """
    before, after = position.planned(), position.planned(coming, gone, changed)
    touched = [one.value_on for one in coming]
    touched += [one.value_on for one in position.payments.values() if one.key in gone]
    first = min(touched, default=position.until)
    work = _Work(ctx, position, today, {one.entry_id: one.remitter_id for one in coming})
    at_first = _standings_at(position, first)
    for row in position.advances.values():
        work.take_lateness_back(row, after.standings[row.id], at_first[row.id])
        work.run_interest(row, after.standings[row.id])
    work.replace_parts(after)
    for row in position.advances.values():
        old, new = before.standings[row.id], after.standings[row.id]
        work.release(row, old, new)
        work.close_reserve(row, old, new)
        work.run_lateness(row, new)
        work.earn(row, new)
    post(ctx, work.events)
    _move_invoice_rest(ctx, position, after, first=True)
    for row in position.advances.values():
        if isinstance(position.loans[row.id], Reserved):
            _move_reserved(ctx, row, after, position.until, today)
        else:
            _move_advance(ctx, row, after, position.until, today)
    _move_invoice_rest(ctx, position, after, first=False)
    follow(ctx, list(position.advances), today, first)


def _standings_at(position: Position, on: dt.date) -> Mapping[str, Standing]:
    """Give where the advances stood on the morning of a day, as it was known until now."""
    known = [one for one in position.payments.values() if one.value_on <= on]
    loans = list(position.loans.values())
    return plan(loans, in_time(known), position.rest, on).standings


class _Work:
    """What one settling books and stores."""

    def __init__(
        self,
        ctx: Context,
        position: Position,
        today: dt.date,
        remitters: Mapping[str, str | None],
    ) -> None:
        self.ctx, self.position, self.today = ctx, position, today
        self.events: list[LedgerEvent] = []
        invoice = position.invoice
        known = {row.bank_entry_id: row.remitter_id for row in position.live}
        self.remitters: dict[str, str | None] = {**known, **remitters}
        self.plain = Books(
            invoice.seller_id,
            invoice.buyer_id,
            position.financier_id,
            undertaken=invoice.ipu,
            silent=position.silent,
        )
        self._lateness: dict[str, int] = {}
        self._kept: dict[str, int] = defaultdict(int)
        self._values = {row.bank_entry_id: row.value_on for row in position.live}

    def books(self, advance_id: str) -> Books:
        row = self.position.advances.get(advance_id)
        if row is None:
            return self.plain
        return journals.books_of(
            row, undertaken=self.position.invoice.ipu, silent=self.position.silent
        )

    def book(
        self,
        kind: str,
        subject_id: str,
        value_on: dt.date,
        words: str,
        made: Journals,
        event_id: str = "",
    ) -> None:
        self.events.append(
            LedgerEvent(
                event_id or new_id(),
                kind,
                subject_id,
                self.position.invoice.currency,
                self.today,
                value_on,
                f"{words}, invoice {self.position.invoice.number}",
                made,
            )
        )

    # Lateness

    def take_lateness_back(self, row: Row[Any], new: Standing, then: Standing) -> None:
        """Reverse the days after the first value date that is touched."""
        back = row.penalty_minor - then.penalty
        self._lateness[row.id] = row.penalty_minor
        if back <= 0 or new.penalty == row.penalty_minor:
            return
        self._lateness[row.id] = then.penalty
        made = journals.penalty_accrued(self.books(row.id), -back)
        self.book("penalty.reversed", row.id, self.today, "Lateness taken back", made)

    def run_lateness(self, row: Row[Any], new: Standing) -> None:
        """Run lateness again, on what is now known to be unpaid."""
        more = new.penalty - self._lateness[row.id]
        if more:
            made = journals.penalty_accrued(self.books(row.id), more)
            self.book("penalty.accrued", row.id, self.today, "Lateness", made)

    def run_interest(self, row: Row[Any], new: Standing) -> None:
        """Let interest in arrears stand at what is now known, before a payment pays it."""
        more = new.interest - row.interest_minor
        if more:
            made = reserve_journals.interest_accrued(self.books(row.id), more)
            self.book("interest.adjusted", row.id, self.today, "Interest", made)

    # Parts

    def replace_parts(self, after: Plan) -> None:
        """Reverse the parts that are no longer so and make those that are new."""
        old, new = _shares(self.position.movable), _parts(after)
        changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
        gone = [row for row in self.position.movable if _key(row) in changed]
        for row in gone:
            made = self._part_journals(_key(row), row.amount_minor, row.payee_id)
            self.book(
                f"{row.kind}.reversed", _subject(row.id, row.advance_id), row.value_on,
                "Allocation taken back", journals.reversed_journals(made, "taken back"), row.id,
            )  # fmt: skip
        self._mark_reversed(gone)
        self._values |= {one.key: one.value_on for one in after.parts}
        made_rows = []
        for key in sorted(changed & new.keys()):
            share = self._allocation(key, new[key])
            made_rows.append(share)
            made = self._part_journals(key, new[key], share["payee_id"])
            self.book(
                f"{key[1]}.paid",
                _subject(share["id"], share["advance_id"]),
                share["value_on"],
                "Receipt",
                made,
                share["id"],
            )
        if made_rows:
            self.ctx.conn.execute(insert(ALLOCATION), made_rows)

    def _payee(self, key: Key) -> str | None:
        if key[1] in {"seller", "surplus", "excess"}:
            return str(self.position.invoice.seller_id)
        if key[1] == "payer":
            return self.remitters.get(key[0]) or str(self.position.invoice.buyer_id)
        return None

    def _part_journals(self, key: Key, amount: int, payee_id: str | None) -> Journals:
        entry_id, kind, advance_id = key
        books = self.books(advance_id)
        if kind not in _OF_ADVANCE:
            if kind == "seller":
                return journals.collected_for_seller(books, amount)
            return journals.overpaid(books.financier_id, payee_id or books.obligor_id, amount)
        made = _OF_ADVANCE[kind](books, amount)
        # What the seller hands over had been paid to it in error; it is the obligor's money. An
        # obligor that was never told pays the seller rightly, and only passes through it.
        from_seller = self.remitters.get(entry_id) == books.seller_id != books.obligor_id
        if from_seller and kind not in BY_SELLER and not self.position.silent:
            return journals.turned_over(books, made, amount)
        return made

    def _allocation(self, key: Key, amount: int) -> dict[str, Any]:
        return {
            "id": new_id(),
            "bank_entry_id": key[0],
            "kind": key[1],
            "advance_id": key[2] or None,
            "invoice_id": self.position.invoice.id,
            "payee_id": self._payee(key),
            "amount_minor": amount,
            "paid_out_minor": None,
            "value_on": self._values[key[0]],
            "reversed_by": None,
            "command_id": self.ctx.command_id,
            "at": self.ctx.now,
        }

    def _mark_reversed(self, rows: Sequence[Row[Any]]) -> None:
        if not rows:
            return
        done = self.ctx.conn.execute(
            update(ALLOCATION)
            .where(
                ALLOCATION.c.id.in_([row.id for row in rows]),
                ALLOCATION.c.reversed_by.is_(None),
                ALLOCATION.c.paid_out_minor.is_(None),
            )
            .values(reversed_by=self.ctx.command_id)
            .returning(ALLOCATION.c.id)
        ).all()
        if len(done) != len(rows):
            raise Conflict("STALE", "A part of this money was just ordered to be paid out.")

    # Income

    def release(self, row: Row[Any], old: Standing, new: Standing) -> None:
        """Book what early repayments set free, and owe the rebates.

        What was booked before is taken back with the rebates that stand, not with a recalculation:
        what has been paid out since is not among them.
        """
        owed: dict[str, list[Row[Any]]] = defaultdict(list)
        for one in self.position.live:
            if one.kind == "rebate" and one.advance_id == row.id and one.paid_out_minor is None:
                owed[one.bank_entry_id].append(one)
        before = {
            one.key: Release(one.key, one.unearned, sum(r.amount_minor for r in owed[one.key]))
            for one in old.releases
        }
        after = {one.key: one for one in new.releases}
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                self._mark_reversed(owed[key])
                self._book_release(row, before.get(key), -1)
                self._book_release(row, after.get(key), 1)

    def _book_release(self, row: Row[Any], release: Release | None, sign: int) -> None:
        if release is None:
            return
        payee = rebate_payee(row, terms_of_version(self.ctx.conn, row.programme_version_id))
        self._kept[row.id] += sign * (release.unearned - release.rebate)
        made = journals.early_release(
            self.books(row.id),
            unearned=sign * release.unearned,
            rebate=sign * release.rebate,
            payee_id=payee,
        )
        self.book("discount.released", row.id, self.today, "Early repayment", made)
        if sign > 0 and release.rebate:
            share = self._allocation((release.key, "rebate", row.id), release.rebate)
            self.ctx.conn.execute(insert(ALLOCATION), {**share, "payee_id": payee})

    def earn(self, row: Row[Any], new: Standing) -> None:
        """Book income up to today beyond what the releases have booked."""
        earned = new.income - row.income_minor - self._kept[row.id]
        fee = new.fee - fee_posted(self.position, row)
        if earned or fee:
            made = journals.income(self.books(row.id), earned=earned, fee=fee)
            self.book("income.adjusted", row.id, self.today, "Income", made)

    def close_reserve(self, row: Row[Any], old: Standing, new: Standing) -> None:
        """Book what the reserve is used for in the end, and owe the seller the rest of it."""
        before = {one.key: one for one in old.closings}
        after = {one.key: one for one in new.closings}
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) == after.get(key):
                continue
            self._mark_reversed(
                [
                    one
                    for one in self.position.live
                    if (one.kind, one.advance_id, one.bank_entry_id) == ("reserve", row.id, key)
                ]
            )
            self._book_closing(row, before.get(key), -1)
            self._book_closing(row, after.get(key), 1)

    def _book_closing(self, row: Row[Any], closing: Closing | None, sign: int) -> None:
        if closing is None:
            return
        if closing.interest or closing.bought:
            made = reserve_journals.reserve_settled(
                self.books(row.id), interest=sign * closing.interest, bought=sign * closing.bought
            )
            self.book("reserve.settled", row.id, self.today, "Reserve settled", made)
        if sign > 0 and closing.released:
            share = self._allocation((closing.key, "reserve", row.id), closing.released)
            self.ctx.conn.execute(insert(ALLOCATION), {**share, "payee_id": row.seller_id})


_OF_ADVANCE: Final[Mapping[str, Callable[[Books, int], Journals]]] = {
    "principal": journals.principal_paid,
    "recovery": journals.recovered,
    "penalty": journals.penalty_paid,
    "interest": reserve_journals.interest_collected,
    "surplus": reserve_journals.surplus_collected,
    "gap": reserve_journals.gap_paid,
    "charge": reserve_journals.charge_paid,
    "bought": reserve_journals.bought_back,
}


def fee_posted(position: Position, row: Row[Any]) -> int:
    """Give the fee income that stands posted: what the schedule said at the last close."""
    if row.fee_minor == 0 or row.income_to is None:
        return 0
    known = in_time(position.payments.values())
    loans = list(position.loans.values())
    return plan(loans, known, position.rest, row.income_to + _DAY).standings[row.id].fee


def _subject(allocation_id: str, advance_id: str | None) -> str:
    """Money for a seller or payer has a life of its own; the rest is the advance's."""
    return advance_id or allocation_id


def _key(row: Row[Any]) -> Key:
    return row.bank_entry_id, row.kind, row.advance_id or ""


def _shares(rows: Iterable[Row[Any]]) -> dict[Key, int]:
    found: dict[Key, int] = defaultdict(int)
    for row in rows:
        found[_key(row)] += row.amount_minor
    return dict(found)


def _parts(made: Plan) -> dict[Key, int]:
    found: dict[Key, int] = defaultdict(int)
    for one in made.parts:
        found[one.key, one.kind, one.loan_id] += one.amount
    return dict(found)


# --- Invoice and advances follow ------------------------------------------------------------------


def _move_invoice_rest(ctx: Context, position: Position, after: Plan, *, first: bool) -> None:
    """Let the part that nobody financed follow: falls come first, rises last."""
    more = sum(one.amount for one in after.parts if one.kind == "seller")
    more -= sum(row.amount_minor for row in position.movable if row.kind == "seller")
    if first and more < 0:
        axes.reopen_payment_many(ctx, {position.invoice.id: -more}, financed=False)
    if not first and more > 0:
        paid_on = max(one.value_on for one in after.parts if one.kind == "seller")
        axes.pay_rest(ctx, position.invoice.id, more, value_on=paid_on)


def _move_advance(ctx: Context, row: Row[Any], after: Plan, until: dt.date, today: dt.date) -> None:
    new = after.standings[row.id]
    principal = new.repaid - row.repaid_minor
    late = new.penalty_paid - row.penalty_paid_minor
    recovered = new.recovered - row.recovered_minor
    paid_on = max(
        (one.value_on for one in after.parts if one.loan_id == row.id), default=row.value_on
    )
    if principal < 0 or late < 0:
        advances.reopen(
            ctx,
            row,
            principal=max(0, -principal),
            penalty=max(0, -late),
            value_on=paid_on,
            on=today,
            recovered=max(0, -recovered),
        )
    elif row.state == "CLOSED" and (principal or late or new.penalty > new.penalty_paid):
        # Nothing is undone, yet more is owed than when it was closed: a receipt before was undone.
        facts = {"value_on": paid_on.isoformat()}
        advances.transition_many(ctx, [row], "reopen", today, facts, {"closed_on": None})
    ctx.conn.execute(
        update(ADVANCE)
        .where(ADVANCE.c.id == row.id)
        .values(
            penalty_minor=new.penalty,
            income_minor=new.income,
            lent_paid_minor=new.lent_paid,
            income_to=max(until - _DAY, row.income_to or until - _DAY),
        )
    )
    now = advances_of(ctx.conn, [row.id])[row.id]
    if principal > 0 or late > 0:
        now = advances.repay(
            ctx,
            now,
            principal=max(0, principal),
            penalty=max(0, late),
            value_on=paid_on,
            on=today,
            recovered=max(0, recovered),
        )
    nothing_left = (
        now.repaid_minor == now.face_minor and now.penalty_paid_minor == now.penalty_minor
    )
    if nothing_left and now.state in OUT:
        closing = {"value_on": paid_on.isoformat()}
        advances.transition_many(ctx, [now], "close", today, closing, {"closed_on": paid_on})


def _move_reserved(
    ctx: Context, row: Row[Any], after: Plan, until: dt.date, today: dt.date
) -> None:
    """Bring an advance with a reserve to its totals; invoice and limits follow."""
    new = after.standings[row.id]
    paid_on = max(
        (one.value_on for one in after.parts if one.loan_id == row.id), default=row.value_on
    )
    ctx.conn.execute(
        update(ADVANCE)
        .where(ADVANCE.c.id == row.id)
        .values(
            interest_minor=new.interest,
            income_minor=new.income,
            income_to=max(until - _DAY, row.income_to or until - _DAY),
        )
    )
    now = advances_of(ctx.conn, [row.id])[row.id]
    totals = reserve.Totals(
        repaid_minor=new.repaid,
        diluted_minor=now.diluted_minor,
        bought_minor=new.bought,
        reserve_left_minor=new.reserve_left,
        gap_minor=new.gap,
        gap_paid_minor=new.gap_paid,
        lent_paid_minor=new.lent_paid,
        interest_paid_minor=new.interest_paid,
    )
    reserve.settle(ctx, now, totals, done=new.done, paid_on=paid_on, on=today)
