"""What the advances on one invoice have earned, cost and received, worked out from the start.

Pure: terms and payments in, cumulative totals out. Nothing is carried along: every answer is
computed from the pay-out on, with each payment at its own value date. So a payment found late, or
taken back, simply gives other totals, and what has to be posted is the difference to what stands
in the books.

An advance with a reserve keeps its account differently (``reserve.py``); the rest of this page
treats both alike.

The waterfall: for each payment, advance by advance, oldest due date first: penalty, then
principal; then the part of the invoice that nobody financed, which is the seller's; then the
excess, which is the payer's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, Protocol

from scf.kernel.penalty import Payment, PenaltyTerms, penalty
from scf.kernel.rates import PPM, earned_to, earned_to_effective, round_half_up

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pinned:
    """Face that was paid early and whose rebate has left the house.

    It is the past, whatever is found out later about other payments.
    """

    value_on: date
    amount: int
    rebate: int


@dataclass(frozen=True, slots=True)
class Loan:
    """What of an advance decides what it earns and what is owed on it."""

    id: str
    face: int
    discount: int
    fee: int
    start: date
    due_on: date
    penalty: PenaltyTerms
    effective: bool = False
    fee_at_once: int = 0
    rebate_share_ppm: int = 0
    pinned: tuple[Pinned, ...] = ()
    # From stage 3 on nobody expects the penalty: what comes in later pays the face first.
    impaired_on: date | None = None
    # Off the book: lateness runs no further there, and what still comes in is recovered.
    written_off: int = 0
    written_off_on: date | None = None

    @property
    def rank(self) -> tuple[date, date, str]:
        """Oldest due first, then oldest pay-out."""
        return self.due_on, self.start, self.id

    def run(
        self, payments: Sequence["Money"], left: list[int], parts: list["Part"], until: date
    ) -> "Standing":
        """Take this advance's due from what is left of the payments."""
        return _run(self, payments, left, parts, until)


@dataclass(frozen=True, slots=True)
class Money:
    """A payment on one invoice; ``key`` names the receipt it is part of.

    ``by_seller``: on what the seller itself owes, not what the obligor does.
    """

    key: str
    value_on: date
    amount: int
    by_seller: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a payment that paid one thing: penalty, principal, seller, payer and so on."""

    key: str
    kind: str
    loan_id: str
    amount: int
    value_on: date


@dataclass(frozen=True, slots=True)
class Release:
    """What an early repayment sets free: the discount that was still unearned, and the rebate."""

    key: str
    unearned: int
    rebate: int


@dataclass(frozen=True, slots=True)
class Closing:
    """What the reserve is used for in the end: interest, face bought back, the rest released."""

    key: str
    interest: int
    bought: int
    released: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one advance stands: totals from the pay-out up to a day."""

    repaid: int = 0
    penalty: int = 0
    penalty_paid: int = 0
    income: int = 0
    fee: int = 0
    releases: tuple[Release, ...] = ()
    lent_paid: int = 0
    recovered: int = 0  # of the face repaid: had been written off
    done: bool = False
    # Of an advance with a reserve only.
    bought: int = 0
    gap: int = 0
    gap_paid: int = 0
    reserve_left: int = 0
    interest: int = 0
    interest_paid: int = 0
    closings: tuple[Closing, ...] = ()

    @property
    def rebates(self) -> int:
        """Discount that was given back."""
        return sum(one.rebate for one in self.releases)


@dataclass(frozen=True, slots=True)
class Plan:
    """Who gets what of which payment, and where that leaves each advance."""

    parts: tuple[Part, ...]
    standings: Mapping[str, Standing]

    def of(self, key: str) -> tuple[Part, ...]:
        """The parts of one receipt."""
        return tuple(part for part in self.parts if part.key == key)


class Runs(Protocol):
    """An advance that can say what it takes of payments, and where that leaves it."""

    @property
    def id(self) -> str: ...  # noqa: D102 - the advance
    @property
    def rank(self) -> tuple[date, date, str]: ...  # noqa: D102 - who is served first

    def run(
        self, payments: Sequence[Money], left: list[int], parts: list[Part], until: date
    ) -> Standing:
        """Take this advance's due from what is left of the payments."""


def plan(loans: Sequence[Runs], payments: Sequence[Money], rest: int, until: date) -> Plan:
    """Work out everything on one invoice as of the morning of ``until``.

    Parameters
    ----------
    loans
        The advances on the invoice that were funded.
    payments
        Everything received for it, with value dates up to ``until``.
    rest
        The part of the invoice that is neither financed nor held: the seller's own, without
        what the advances themselves give back to the seller.

    Raises
    ------
    InvalidInput
        PAYMENT_AFTER_CLOSE, for a payment with a later value date.
    """
    in_order = sorted(payments, key=lambda one: one.value_on)
    left = [one.amount for one in in_order]
    parts: list[Part] = []
    standings: dict[str, Standing] = {}
    for loan in sorted(loans, key=lambda one: one.rank):
        standings[loan.id] = loan.run(in_order, left, parts, until)
    rest = max(0, rest + sum(one.bought for one in standings.values()))
    for place, one in enumerate(in_order):
        if one.by_seller:
            if left[place]:
                parts.append(Part(one.key, "excess", "", left[place], one.value_on))
            continue
        own = min(left[place], rest)
        rest -= own
        for kind, amount in (("seller", own), ("payer", left[place] - own)):
            if amount:
                parts.append(Part(one.key, kind, "", amount, one.value_on))
    return Plan(tuple(parts), standings)


def _run(
    loan: Loan, payments: Sequence[Money], left: list[int], parts: list[Part], until: date
) -> Standing:
    """Let one advance take its due from what the ones before it have left."""
    given = [place for place, amount in enumerate(left) if amount and not payments[place].by_seller]
    done = sum(one.amount for one in loan.pinned)
    end = until if loan.written_off_on is None else min(until, loan.written_off_on)
    late = penalty(
        loan.face - done,
        loan.due_on,
        end,
        loan.penalty,
        [
            Payment(
                min(one.value_on, end) if loan.written_off_on else one.value_on,
                left[place],
                principal_first=loan.impaired_on is not None and one.value_on > loan.impaired_on,
            )
            for place, one in ((place, payments[place]) for place in given)
        ],
    )
    principal: list[tuple[Money, int]] = []
    carried = loan.face - done - loan.written_off
    for place, split in zip(given, late.allocations, strict=True):
        one = payments[place]
        in_book = min(split.principal, carried)
        carried -= in_book
        for kind, amount in (
            ("penalty", split.penalty),
            ("principal", in_book),
            ("recovery", split.principal - in_book),
        ):
            if amount:
                parts.append(Part(one.key, kind, loan.id, amount, one.value_on))
        if split.principal:
            principal.append((one, split.principal))
        left[place] = split.surplus
    early = [(one, amount) for one, amount in principal if one.value_on < loan.due_on]
    earned, fee, releases = _earned(loan, early, until)
    return Standing(
        repaid=loan.face - late.unpaid_face,
        penalty=late.total,
        penalty_paid=late.total - late.unpaid_penalty,
        income=earned,
        fee=fee,
        releases=releases,
        lent_paid=loan.face - late.unpaid_face,
        recovered=max(0, loan.written_off - late.unpaid_face),
        done=late.unpaid_face == 0 and late.unpaid_penalty == 0,
    )


def _earned(
    loan: Loan, early: Sequence[tuple[Money, int]], until: date
) -> tuple[int, int, tuple[Release, ...]]:
    """Give income and fee earned up to the morning of ``until``, and what was released early.

    A part repaid early has no more to earn: its unearned discount goes to the rebate, by the
    programme's share of the straight line, and the rest is income at once.
    """
    line, fee_line = _line(loan), _fee_line(loan)
    if not early and not loan.pinned:
        return line(until), fee_line(until), ()
    releases = tuple(_release(loan, one, amount) for one, amount in early)
    rebates = sum(one.rebate for one in releases) + sum(one.rebate for one in loan.pinned)
    done = sum(amount for _, amount in early) + sum(one.amount for one in loan.pinned)
    if done == loan.face:
        return loan.discount - rebates, loan.fee, releases
    share = Fraction(loan.face - done, loan.face)
    income = round_half_up(loan.discount * (1 - share) + share * line(until)) - rebates
    fee = round_half_up(loan.fee * (1 - share) + share * fee_line(until))
    return income, fee, releases


def _release(loan: Loan, one: Money, amount: int) -> Release:
    days = (loan.due_on - loan.start).days
    ahead = min((loan.due_on - one.value_on).days, days)
    left = Fraction((loan.discount - _line(loan)(one.value_on)) * amount, loan.face)
    exact = Fraction(loan.discount * amount * ahead * loan.rebate_share_ppm, loan.face * days * PPM)
    unearned = round_half_up(left)
    return Release(one.key, unearned, min(round_half_up(exact), unearned))


def _line(loan: Loan) -> Callable[[date], int]:
    """Give discount earned up to the morning of a day: the close of the day before."""
    if loan.effective and loan.discount:
        # What the fee takes from the cash is not discount: the line runs from net + fee.
        lent = loan.face - loan.discount
        return lambda day: earned_to_effective(loan.face, lent, loan.start, loan.due_on, day - DAY)
    return lambda day: earned_to(loan.discount, loan.start, loan.due_on, day - DAY)


def _fee_line(loan: Loan) -> Callable[[date], int]:
    return lambda day: fee_earned(loan.fee, loan.fee_at_once, loan.start, loan.due_on, day)


def fee_earned(fee: int, at_once: int, start: date, due_on: date, morning: date) -> int:
    """Give the fee earned up to the morning of a day: what is for the start, with its first."""
    line = earned_to(fee - at_once, start, due_on, morning - DAY)
    return line + (at_once if morning > start else 0)
