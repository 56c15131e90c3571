"""Let money pay what is owed on an invoice: plan from the start, book the difference.

Inner functions of this slice; whoever calls them has locked limit nodes, invoice and advances
(:func:`lock`). A receipt found late or taken back changes who got what of the others too: parts
that differ are reversed and made anew, all others stay as they are.
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Table, func, insert, select, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.documents import axes
from scf.documents.models import Invoice
from scf.documents.rules import owed
from scf.financing import advances
from scf.financing.lifecycle import OUT
from scf.financing.models import Advance, AdvanceEvent
from scf.kernel.errors import RuleViolation
from scf.kernel.ids import new_id
from scf.ledger.service import LedgerEvent, post
from scf.programmes import limits
from scf.programmes.service import terms_of_version
from scf.settlement import journals
from scf.settlement.journals import Books, Journals
from scf.settlement.loans import ADVANCE, advances_of, loans_of, rebate_payee
from scf.settlement.models import Allocation, BankEntry
from scf.settlement.schedule import Loan, Money, Plan, Release, Standing, plan

ALLOCATION: Final[Table] = Allocation.__table__  # type: ignore[attr-defined]
_ENTRY: Final[Table] = BankEntry.__table__  # type: ignore[attr-defined]
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_EVENT: Final[Table] = AdvanceEvent.__table__  # type: ignore[attr-defined]
_DAY: Final = dt.timedelta(days=1)
# Advances that a payment can pay, or has paid.
PAYABLE: Final = (*OUT, "EARLY_REPAID", "CLOSED")
ENDED_UNPAID: Final = ("UNWOUND", "DECLINED", "CANCELLED", "EXPIRED")
# The kinds that share out a receipt; a rebate is paid out of the discount, not of the receipt.
SHARES: Final = ("principal", "penalty", "seller", "payer", "return")

Key = tuple[str, str, str]  # receipt, kind, advance or ""


@dataclasses.dataclass(frozen=True, slots=True)
class Coming:
    """A receipt, or a part of one, that is to pay an invoice."""

    entry_id: str
    value_on: dt.date
    amount: int
    remitter_id: str | None = None


def lock(
    ctx: Context, invoice_ids: Iterable[str], advance_ids: Iterable[str] = ()
) -> dict[str, Row[Any]]:
    """Lock invoices with all their advances and limit nodes, and further advances with theirs."""
    wanted = set(invoice_ids)
    of_advances = select(ADVANCE.c.id, ADVANCE.c.invoice_id)
    rows = ctx.conn.execute(
        of_advances.where(
            ADVANCE.c.invoice_id.in_(wanted) | ADVANCE.c.id.in_(sorted(set(advance_ids)))
        )
    ).all()
    limits.lock_nodes(ctx, [row.id for row in rows])
    ctx.lock(Invoice, wanted | {row.invoice_id for row in rows})
    return ctx.lock(Advance, [row.id for row in rows])


class Position:
    """Where an invoice stands with one financier: advances, what was paid, what is open."""

    def __init__(
        self, conn: Connection, invoice_id: str, financier_id: str, today: dt.date
    ) -> None:
        self.invoice = conn.execute(select(_INVOICE).where(_INVOICE.c.id == invoice_id)).one()
        rows = list(
            conn.execute(
                select(ADVANCE)
                .where(ADVANCE.c.invoice_id == invoice_id, ADVANCE.c.financier_id == financier_id)
                .order_by(ADVANCE.c.id)
            )
        )
        self.financier_id = financier_id
        self.advances = {row.id: row for row in rows if _payable(row)}
        self.loans: Mapping[str, Loan] = loans_of(conn, self.advances.values())
        self.live = list(
            conn.execute(
                select(ALLOCATION, _ENTRY.c.remitter_id)
                .join(_ENTRY, _ENTRY.c.id == ALLOCATION.c.bank_entry_id)
                .where(
                    ALLOCATION.c.invoice_id == invoice_id,
                    ALLOCATION.c.reversed_by.is_(None),
                    _ENTRY.c.financier_id == financier_id,
                )
                .order_by(ALLOCATION.c.id)
            )
        )
        funded = _last_funding(conn, self.advances)
        self.movable = [
            row
            for row in self.live
            if row.kind in SHARES
            and row.paid_out_minor is None  # else ordered or paid out: it can move no more
            # What was somebody else's before an advance was paid out does not pay that advance.
            and not (row.kind in {"seller", "payer"} and row.id < funded)
        ]
        sellers = sum(row.amount_minor for row in self.movable if row.kind == "seller")
        on_hold = self.invoice.held_minor + self.invoice.outstanding_minor
        self.rest = max(0, owed(self.invoice) - on_hold) + sellers
        # Held, or paid out and in doubt: money for it has to wait.
        limbo = [row for row in rows if row.funded_on and not _payable(row)]
        self.waiting = self.invoice.held_minor + sum(
            row.face_minor for row in limbo if row.state not in ENDED_UNPAID
        )
        closed_to = [row.income_to + _DAY for row in self.advances.values() if row.income_to]
        # Slices of today's close may be through already: never behind what stands posted.
        self.until = max([today, *closed_to])

    @property
    def payments(self) -> dict[str, Money]:
        """What each receipt brings to this invoice and can still be moved."""
        found: dict[str, Money] = {}
        for row in self.movable:
            before = found[row.bank_entry_id].amount if row.bank_entry_id in found else 0
            found[row.bank_entry_id] = Money(
                row.bank_entry_id, row.value_on, before + row.amount_minor
            )
        return found

    def planned(self, coming: Iterable[Coming] = (), gone: Iterable[str] = ()) -> Plan:
        """Plan everything anew, with receipts that come and without those that go."""
        payments = self.payments
        for entry_id in gone:
            payments.pop(entry_id, None)
        for one in coming:
            before = payments[one.entry_id].amount if one.entry_id in payments else 0
            payments[one.entry_id] = Money(one.entry_id, one.value_on, before + one.amount)
        return plan(
            list(self.loans.values()), _in_time(payments.values()), self.rest, self.until
        )

    def excess(self, coming: Coming) -> int:
        """Give how much of a receipt would be more than this invoice is owed."""
        before = sum(one.amount for one in self.planned().parts if one.kind == "payer")
        after = self.planned([coming])
        return sum(one.amount for one in after.parts if one.kind == "payer") - before

    @property
    def open_financed(self) -> int:
        """Face and penalty still owed on the advances."""
        return sum(
            row.face_minor - row.repaid_minor + row.penalty_minor - row.penalty_paid_minor
            for row in self.advances.values()
        )


def _last_funding(conn: Connection, advance_ids: Iterable[str]) -> str:
    """Give the id of the latest funding among advances; ids sort by the time of their making."""
    last = conn.execute(
        select(func.max(_EVENT.c.id)).where(
            _EVENT.c.advance_id.in_(sorted(advance_ids)), _EVENT.c.event == "fund"
        )
    ).scalar_one()
    return str(last or "")


def _payable(row: Row[Any]) -> bool:
    return row.funded_on is not None and row.state in PAYABLE


def _in_time(payments: Iterable[Money]) -> list[Money]:
    return sorted(payments, key=lambda one: (one.value_on, one.key))


# --- Settling -------------------------------------------------------------------------------------


def settle(
    ctx: Context,
    position: Position,
    today: dt.date,
    coming: Sequence[Coming] = (),
    gone: Sequence[str] = (),
) -> None:
    """Let receipts pay an invoice, or take receipts away from it, and book what changes.

    In the order of the posting tables: lateness taken back to the first value date that is
    touched, the parts, what an early repayment releases, lateness run again.

    Raises
    ------
    RuleViolation
        PAID_OUT, when money that would have to move has been paid on already.
    """
    before, after = position.planned(), position.planned(coming, gone)
    touched = [one.value_on for one in coming]
    touched += [one.value_on for key, one in position.payments.items() if key in gone]
    first = min(touched, default=position.until)
    work = _Work(ctx, position, today, {one.entry_id: one.remitter_id for one in coming})
    at_first = _standings_at(position, first)
    for row in position.advances.values():
        work.take_lateness_back(row, after.standings[row.id], at_first[row.id])
    work.replace_parts(after)
    for row in position.advances.values():
        old, new = before.standings[row.id], after.standings[row.id]
        work.release(row, old, new)
        work.run_lateness(row, new)
        work.earn(row, old, new)
    post(ctx, work.events)
    _move_invoice_rest(ctx, position, after, first=True)
    for row in position.advances.values():
        _move_advance(ctx, row, after, position.until, today)
    _move_invoice_rest(ctx, position, after, first=False)


def _standings_at(position: Position, on: dt.date) -> Mapping[str, Standing]:
    """Give where the advances stood on the morning of a day, as it was known until now."""
    known = [one for one in position.payments.values() if one.value_on <= on]
    loans = list(position.loans.values())
    return plan(loans, _in_time(known), position.rest, on).standings


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
        self.remitters = {row.bank_entry_id: row.remitter_id for row in position.live} | remitters
        self.plain = Books(
            invoice.seller_id, invoice.buyer_id, position.financier_id, undertaken=invoice.ipu
        )
        self._lateness: dict[str, int] = {}
        self._values = {row.bank_entry_id: row.value_on for row in position.live}

    def books(self, advance_id: str) -> Books:
        row = self.position.advances.get(advance_id)
        if row is None:
            return self.plain
        return journals.books_of(row, undertaken=self.position.invoice.ipu)

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
        rows = []
        for key in sorted(changed & new.keys()):
            row = self._allocation(key, new[key])
            rows.append(row)
            made = self._part_journals(key, new[key], row["payee_id"])
            self.book(
                f"{key[1]}.paid", _subject(row["id"], row["advance_id"]), row["value_on"],
                "Receipt", made, row["id"],
            )  # fmt: skip
        if rows:
            self.ctx.conn.execute(insert(ALLOCATION), rows)

    def _payee(self, key: Key) -> str | None:
        if key[1] == "seller":
            return str(self.position.invoice.seller_id)
        if key[1] == "payer":
            return self.remitters.get(key[0]) or self.position.invoice.buyer_id
        return None

    def _part_journals(self, key: Key, amount: int, payee_id: str | None) -> Journals:
        entry_id, kind, advance_id = key
        books = self.books(advance_id)
        # What the seller hands over had been paid to it in error; it is the obligor's money.
        handed_over = self.remitters.get(entry_id) == books.seller_id != books.obligor_id
        if kind == "principal":
            make = journals.turned_over if handed_over else journals.principal_paid
            return make(books, amount)
        if kind == "penalty":
            make = journals.penalty_turned_over if handed_over else journals.penalty_paid
            return make(books, amount)
        if kind == "seller":
            return journals.collected_for_seller(books, amount)
        return journals.overpaid(books.financier_id, payee_id or books.obligor_id, amount)

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
        if rows:
            self.ctx.conn.execute(
                update(ALLOCATION)
                .where(ALLOCATION.c.id.in_([row.id for row in rows]))
                .values(reversed_by=self.ctx.command_id)
            )

    # Income

    def release(self, row: Row[Any], old: Standing, new: Standing) -> None:
        """Book what early repayments set free, and owe the rebates."""
        before, after = _releases(old), _releases(new)
        changed = sorted(
            key for key in before.keys() | after.keys() if before.get(key) != after.get(key)
        )
        if not changed:
            return
        payee = rebate_payee(row, terms_of_version(self.ctx.conn, row.programme_version_id))
        rebates = [
            one
            for one in self.position.live
            if one.kind == "rebate" and one.advance_id == row.id and one.bank_entry_id in changed
        ]
        if any(one.paid_out_minor is not None for one in rebates):
            raise RuleViolation(
                "PAID_OUT", "The rebate of this advance has been paid already.", advance_id=row.id
            )
        self._mark_reversed(rebates)
        for key in changed:
            for sign, release in ((-1, before.get(key)), (1, after.get(key))):
                if release is None:
                    continue
                made = journals.early_release(
                    self.books(row.id),
                    unearned=sign * release.unearned,
                    rebate=sign * release.rebate,
                    payee_id=payee,
                )
                self.book("discount.released", row.id, self.today, "Early repayment", made)
            added = after.get(key)
            if added is not None and added.rebate:
                share = self._allocation((key, "rebate", row.id), added.rebate)
                self.ctx.conn.execute(insert(ALLOCATION), {**share, "payee_id": payee})

    def earn(self, row: Row[Any], old: Standing, new: Standing) -> None:
        """Book income up to today beyond what the releases have booked."""
        kept = sum(one.unearned - one.rebate for one in new.releases)
        kept -= sum(one.unearned - one.rebate for one in old.releases)
        earned = new.income - row.income_minor - kept
        fee = new.fee - fee_posted(self.position, row)
        if earned or fee:
            made = journals.income(self.books(row.id), earned=earned, fee=fee)
            self.book("income.adjusted", row.id, self.today, "Income", made)


def fee_posted(position: Position, row: Row[Any]) -> int:
    """Give the fee income that stands posted: what the schedule said at the last close."""
    if row.fee_minor == 0 or row.income_to is None:
        return 0
    known = _in_time(position.payments.values())
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


def _releases(standing: Standing) -> dict[str, Release]:
    return {one.key: one for one in standing.releases}


# --- Invoice and advances follow ------------------------------------------------------------------


def _move_invoice_rest(ctx: Context, position: Position, after: Plan, *, first: bool) -> None:
    """Let the part that nobody financed follow: falls come first, rises last."""
    more = sum(one.amount for one in after.parts if one.kind == "seller")
    more -= sum(row.amount_minor for row in position.movable if row.kind == "seller")
    if first and more < 0:
        axes.reopen_payment_many(ctx, {position.invoice.id: -more}, financed=False)
    if not first and more > 0:
        axes.pay_rest(ctx, position.invoice.id, more)


def _move_advance(
    ctx: Context, row: Row[Any], after: Plan, until: dt.date, today: dt.date
) -> None:
    new = after.standings[row.id]
    principal = new.repaid - row.repaid_minor
    late = new.penalty_paid - row.penalty_paid_minor
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
        )
    ctx.conn.execute(
        update(ADVANCE)
        .where(ADVANCE.c.id == row.id)
        .values(
            penalty_minor=new.penalty,
            income_minor=new.income,
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
        )
    nothing_left = (
        now.repaid_minor == now.face_minor and now.penalty_paid_minor == now.penalty_minor
    )
    if nothing_left and now.state in OUT:
        closing = {"value_on": paid_on.isoformat()}
        advances.transition_many(ctx, [now], "close", today, closing, {"closed_on": paid_on})
