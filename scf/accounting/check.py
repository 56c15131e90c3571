"""Hold the books to what must be true of them, by counting again from the rows.

Three questions: does each entry balance (asked without the triggers that saw to it); is a finished
life zero in every book; and do the books say the same as the state of advances, receipts and
payments. Each gives the breaches it finds, the first offender first; nothing is repaired here.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, Table, and_, case, func, or_, select
from sqlalchemy.engine import Connection

from scf.db.keys import not_among
from scf.documents.models import Invoice
from scf.financing.lifecycle import ENDED
from scf.financing.models import Advance
from scf.financing.reserve import carried_face
from scf.impairment.booking import STANDING
from scf.ledger import turnover
from scf.ledger.models import Account, Entry, Posting
from scf.ledger.service import Chart
from scf.settlement import journals, reserve_journals
from scf.settlement.lifecycle import UNDER_WAY
from scf.settlement.models import Allocation, BankEntry, PaymentInstruction
from scf.settlement.position import PAYABLE, RELEASED

_account: Final[Table] = Account.__table__  # type: ignore[attr-defined]
_entry: Final[Table] = Entry.__table__  # type: ignore[attr-defined]
_posting: Final[Table] = Posting.__table__  # type: ignore[attr-defined]
_advance: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_invoice: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_allocation: Final[Table] = Allocation.__table__  # type: ignore[attr-defined]
_bank: Final[Table] = BankEntry.__table__  # type: ignore[attr-defined]
_payment: Final[Table] = PaymentInstruction.__table__  # type: ignore[attr-defined]

# The money of a pay-out is on its way, or came back and nobody has decided yet.
PENDING: Final = ("INSTRUCTED", "UNKNOWN", "FAILED", "RETURNED")
# Money of a seller or payer that hangs on no advance.
_OWN_LIFE: Final = ("payer", "seller", "excess")
# Cleared against the bank or against an invoice, not within one life.
_ELSEWHERE: Final = frozenset({journals.SUSPENSE, journals.ARRANGEMENT})


@dataclass(frozen=True, slots=True)
class Breach:
    """Something that must not be: which rule, whose book, about what, and by how much."""

    rule: str
    org_id: str
    subject: str
    account: str
    currency: str
    amount_minor: int

    def __str__(self) -> str:
        return (
            f"{self.rule}: {self.account} of {self.org_id} is off by {self.amount_minor} "
            f"minor units of {self.currency} ({self.subject})"
        )


# --- Entries --------------------------------------------------------------------------------------


def ledger(conn: Connection) -> list[Breach]:
    """Check that every entry, and every book, balances per currency, and that turnovers are sums.

    Source: finance.md F4.
    """
    return [
        *_orphans(conn),
        *_unbalanced(conn, "ENTRY_BALANCE", _entry.c.org_id, _entry.c.id),
        *_unbalanced(conn, "BOOK_BALANCE", _entry.c.org_id, _entry.c.org_id),
        *_turnovers(conn),
    ]


def _turnovers(conn: Connection) -> Iterator[Breach]:
    """The turnovers that trial balances read are the sums of the postings, day by day."""
    for org_id, code, currency, on, debit, credit in turnover.differences(conn):
        yield Breach("TURNOVER", org_id, on.isoformat(), code, currency, debit - credit or debit)


def _unbalanced(conn: Connection, rule: str, org: Any, subject: Any) -> Iterator[Breach]:  # noqa: ANN401 - columns
    total = func.sum(_posting.c.amount_minor)
    rows = conn.execute(
        select(org.label("org"), subject.label("subject"), _posting.c.currency, total)
        .join(_posting, _posting.c.entry_id == _entry.c.id)
        .group_by(org, subject, _posting.c.currency)
        .having(total != 0)
        .order_by(subject)
    )
    for org_id, about, currency, amount in rows:
        yield Breach(rule, org_id, about, "every account", currency, int(amount))


def _orphans(conn: Connection) -> Iterator[Breach]:
    """Postings of no entry, entries of no postings, postings on another book's account."""
    loose = select(_posting.c.entry_id).where(not_among(_posting.c.entry_id, select(_entry.c.id)))
    empty = select(_entry.c.id).where(not_among(_entry.c.id, select(_posting.c.entry_id)))
    foreign = (
        select(_entry.c.id)
        .join(_posting, _posting.c.entry_id == _entry.c.id)
        .join(_account, _account.c.id == _posting.c.account_id)
        .where(_account.c.org_id != _entry.c.org_id)
    )
    for rule, query in (
        ("POSTING_LOOSE", loose),
        ("ENTRY_EMPTY", empty),
        ("ACCOUNT_FOREIGN", foreign),
    ):
        for entry_id in conn.execute(query.distinct()).scalars():
            yield Breach(rule, "", entry_id, "", "", 0)


# --- Finished lives -------------------------------------------------------------------------------


def finished_lives(conn: Connection) -> list[Breach]:
    """Check that a life that is over has left nothing on any account that clears.

    A life is an advance with its rebate or reserve, or money that was owed to a seller or payer;
    it is over when nothing of it is owed or on its way. What is written off is over for the
    financier's book alone. Source: finance.md F11.
    """
    ended = select(_advance.c.id).where(
        _advance.c.state.in_(ENDED), not_among(_advance.c.id, _with_something_owed())
    )
    settled = select(_payment.c.subject_id).where(
        _payment.c.state == "SETTLED", _payment.c.kind.in_(_OWN_LIFE)
    )
    written_off = select(_advance.c.id).where(
        _advance.c.state == "WRITTEN_OFF",
        _advance.c.face_minor - _advance.c.repaid_minor
        == _advance.c.written_off_minor - _advance.c.recovered_minor,
    )
    own = and_(
        _entry.c.subject_id.in_(written_off), _entry.c.org_id.in_(select(_advance.c.financier_id))
    )
    taken_back = select(_allocation.c.id).where(
        _allocation.c.reversed_by.is_not(None), _allocation.c.kind.in_(_OWN_LIFE)
    )
    total = func.sum(_posting.c.amount_minor)
    clearing = sorted(code for code, line in Chart.lines.items() if line.clears)
    rows = conn.execute(
        select(_entry.c.org_id, _entry.c.subject_id, _account.c.code, _posting.c.currency, total)
        .join(_posting, _posting.c.entry_id == _entry.c.id)
        .join(_account, _account.c.id == _posting.c.account_id)
        .where(
            or_(own, *(_entry.c.subject_id.in_(lives) for lives in (ended, settled, taken_back))),
            _account.c.code.in_(sorted(set(clearing) - _ELSEWHERE)),
        )
        .group_by(_entry.c.org_id, _entry.c.subject_id, _account.c.code, _posting.c.currency)
        .having(total != 0)
        .order_by(_entry.c.subject_id, _entry.c.org_id, _account.c.code)
    )
    return [
        Breach("FINISHED_LIFE", org_id, subject, account, currency, int(amount))
        for org_id, subject, account, currency, amount in rows
    ]


def _with_something_owed() -> Select[Any]:
    """Select advances whose rebate, reserve or surplus the seller or payer has not got yet."""
    paid = select(_payment.c.subject_id).where(_payment.c.state == "SETTLED")
    return select(_allocation.c.advance_id).where(
        _allocation.c.kind.in_(["rebate", *RELEASED]),
        _allocation.c.reversed_by.is_(None),
        not_among(_allocation.c.id, paid),
    )


# --- Books and state ------------------------------------------------------------------------------

Totals = dict[tuple[str, str, str], int]  # organisation, account, currency


def agrees(conn: Connection) -> list[Breach]:
    """Check that the financiers' books say what the rows of the slices say.

    Cash is what the bank has booked; suspense what nobody has placed; in transit what is on its
    way; the claims, the unearned discount and the penalty are those of the advances; what is due
    to others is what was allocated to them. And every receipt is shared out completely.
    """
    wanted: Totals = defaultdict(int)
    _of_advances(conn, wanted)
    _of_bank(conn, wanted)
    _of_others(conn, wanted)
    return [
        *_differences(conn, wanted),
        *_receipts(conn),
        *_arrangements(conn),
    ]


def _differences(conn: Connection, wanted: Totals) -> Iterator[Breach]:
    financiers = {org for org, _account_code, _currency in wanted}
    if not financiers:
        return
    booked: Totals = defaultdict(int)
    codes = {code for _org, code, _currency in wanted} | {
        journals.LOANS_TO_SELLERS,
        journals.RESERVE,
        reserve_journals.REPURCHASE_CLAIM,
        reserve_journals.INTEREST_RECEIVABLE,
    }
    rows = conn.execute(
        select(
            _account.c.org_id,
            _account.c.code,
            _posting.c.currency,
            func.sum(_posting.c.amount_minor),
        )
        .join(_posting, _posting.c.account_id == _account.c.id)
        .where(_account.c.org_id.in_(sorted(financiers)), _account.c.code.in_(sorted(codes)))
        .group_by(_account.c.org_id, _account.c.code, _posting.c.currency)
    )
    for org_id, code, currency, amount in rows:
        booked[org_id, code, currency] = int(amount)
    for key in sorted(wanted.keys() | booked.keys()):
        if booked[key] != wanted[key]:
            org_id, code, currency = key
            yield Breach("BOOKS_AND_STATE", org_id, code, code, currency, booked[key] - wanted[key])


def _of_advances(conn: Connection, wanted: Totals) -> None:
    rebates = dict(
        conn.execute(
            select(_allocation.c.advance_id, func.sum(_allocation.c.amount_minor))
            .where(_allocation.c.kind == "rebate", _allocation.c.reversed_by.is_(None))
            .group_by(_allocation.c.advance_id)
        ).all()
    )
    off = dict(conn.execute(select(STANDING.c.id, STANDING.c.penalty_off_minor)).all())
    rows = conn.execute(select(_advance).where(_advance.c.state.in_([*PAYABLE, *PENDING])))
    for row in rows:
        org, currency = row.financier_id, row.currency
        if row.recourse:
            lent = row.face_minor - row.reserve_minor - row.lent_paid_minor
            lent -= row.written_off_minor - row.recovered_minor
            wanted[org, journals.LOANS_TO_SELLERS, currency] += lent
        else:
            wanted[org, journals.RECEIVABLES_PURCHASED, currency] += carried_face(row)
            wanted[org, journals.RESERVE, currency] -= row.reserve_left_minor
            wanted[org, reserve_journals.REPURCHASE_CLAIM, currency] += (
                row.gap_minor - row.gap_paid_minor
            )
        wanted[org, reserve_journals.INTEREST_RECEIVABLE, currency] += (
            row.interest_minor - row.interest_paid_minor
        )
        wanted[org, journals.UNEARNED_DISCOUNT, currency] -= (
            row.discount_minor - row.income_minor - int(rebates.get(row.id, 0))
        )
        wanted[org, journals.PENALTY_RECEIVABLE, currency] += (
            row.penalty_minor - row.penalty_paid_minor - off.get(row.id, 0)
        )
        if row.state in PENDING:
            wanted[org, journals.IN_TRANSIT, currency] -= row.net_minor


def _of_bank(conn: Connection, wanted: Totals) -> None:
    waiting = case(
        (_bank.c.amount_minor > 0, -_bank.c.unallocated_minor), else_=_bank.c.unallocated_minor
    )
    rows = conn.execute(
        select(
            _bank.c.financier_id,
            _bank.c.currency,
            func.sum(_bank.c.amount_minor),
            func.sum(waiting),
        ).group_by(_bank.c.financier_id, _bank.c.currency)
    )
    for org, currency, moved, open_ in rows:
        wanted[org, journals.CASH, currency] += int(moved)
        wanted[org, journals.SUSPENSE, currency] += int(open_)


def _of_others(conn: Connection, wanted: Totals) -> None:
    """Money of sellers and payers: due until it is ordered, then in transit until it is booked."""
    sent = and_(_payment.c.subject_id == _allocation.c.id, _payment.c.state.in_(sorted(UNDER_WAY)))
    gone = and_(_payment.c.subject_id == _allocation.c.id, _payment.c.state == "SETTLED")
    for kind, (liability, _claim) in journals.OWED.items():
        rows = conn.execute(
            select(
                _bank.c.financier_id,
                _bank.c.currency,
                _allocation.c.amount_minor,
                select(func.count()).where(sent).scalar_subquery(),
                select(func.count()).where(gone).scalar_subquery(),
            )
            .join(_bank, _bank.c.id == _allocation.c.bank_entry_id)
            .where(_allocation.c.kind == kind, _allocation.c.reversed_by.is_(None))
        )
        for org, currency, amount, under_way, settled in rows:
            if not settled:
                account = journals.IN_TRANSIT if under_way else liability
                wanted[org, account, currency] -= amount


def _receipts(conn: Connection) -> Iterator[Breach]:
    """A receipt is the sum of its parts and of what waits."""
    shared = (
        select(_allocation.c.bank_entry_id, func.sum(_allocation.c.amount_minor).label("amount"))
        .where(
            _allocation.c.reversed_by.is_(None), _allocation.c.kind.not_in(["rebate", "reserve"])
        )
        .group_by(_allocation.c.bank_entry_id)
        .subquery()
    )
    rows = conn.execute(
        select(_bank, func.coalesce(shared.c.amount, 0).label("shared"))
        .outerjoin(shared, shared.c.bank_entry_id == _bank.c.id)
        .where(_bank.c.amount_minor > 0)
    )
    for row in rows:
        expected = 0 if row.state == "REVERSED" else row.amount_minor
        off = int(row.shared) + row.unallocated_minor - expected
        if off:
            yield Breach("RECEIPT_PARTS", row.financier_id, row.id, "receipt", row.currency, off)


def _arrangements(conn: Connection) -> Iterator[Breach]:
    """What an obligor has undertaken to pay on an invoice, less what it has paid."""
    lives: dict[str, str] = {}
    rows = conn.execute(select(_invoice).where(_invoice.c.ipu)).all()
    invoices = {row.id: row for row in rows}
    lives |= {invoice_id: invoice_id for invoice_id in invoices}
    for table in (_advance, _allocation):
        pairs = conn.execute(
            select(table.c.id, table.c.invoice_id).where(table.c.invoice_id.is_not(None))
        )
        lives |= {row.id: row.invoice_id for row in pairs if row.invoice_id in invoices}
    booked = _by_subject(conn, journals.ARRANGEMENT)
    found: dict[str, int] = defaultdict(int)
    for subject, amount in booked:
        if subject in lives:
            found[lives[subject]] += amount
    for invoice_id, row in sorted(invoices.items()):
        off = found[invoice_id] + row.base_minor - row.paid_minor
        if off:
            yield Breach(
                "UNDERTAKING", row.buyer_id, invoice_id, journals.ARRANGEMENT, row.currency, off
            )


def _by_subject(conn: Connection, code: str) -> Iterable[tuple[str, int]]:
    rows = conn.execute(
        select(_entry.c.subject_id, func.sum(_posting.c.amount_minor))
        .join(_posting, _posting.c.entry_id == _entry.c.id)
        .join(_account, _account.c.id == _posting.c.account_id)
        .where(_account.c.code == code)
        .group_by(_entry.c.subject_id)
    )
    return [(subject, int(amount)) for subject, amount in rows]
