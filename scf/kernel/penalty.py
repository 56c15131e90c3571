"""What a late payer owes on top: penalty on the unpaid face, with grace and part payments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from scf.kernel.daycount import DayCount
from scf.kernel.errors import InvalidInput
from scf.kernel.rounding import PPM, Rate, ppm_to_fraction, round_half_up

_ONE_AND_A_HALF: Final = 1_500_000


@dataclass(frozen=True, slots=True)
class PenaltyTerms:
    """How a programme charges lateness.

    ``multiple_ppm`` of the contract ``rate`` runs on the unpaid face; with ``extra_only`` just
    the part above the contract rate, where the contract interest runs on besides. Grace that is
    ``grace_free`` is free for good; otherwise paying within it costs nothing and paying after it
    costs from the due date. ``principal_first`` turns the waterfall round.
    """

    rate: Rate
    day_count: DayCount
    multiple_ppm: int = _ONE_AND_A_HALF
    extra_only: bool = False
    grace_days: int = 0
    grace_free: bool = False
    principal_first: bool = False

    @property
    def penalty_rate(self) -> Rate:
        """The rate a year that lateness costs; it never pays to be late."""
        multiple = ppm_to_fraction(self.multiple_ppm - (PPM if self.extra_only else 0))
        return max(self.rate * multiple, Rate(0))


@dataclass(frozen=True, slots=True)
class Payment:
    """An amount received, on its value date; one may turn the waterfall round for itself."""

    value_on: date
    amount: int
    principal_first: bool = False


@dataclass(frozen=True, slots=True)
class PenaltyLine:
    """One rounded line: penalty on a base that stayed the same from start to end."""

    start: date
    end: date
    base: int
    amount: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """What one payment went to; ``surplus`` is owed back to the payer."""

    value_on: date
    penalty: int
    principal: int
    surplus: int


@dataclass(frozen=True, slots=True)
class Penalty:
    """What lateness has cost up to a date, and what of it is still open."""

    lines: tuple[PenaltyLine, ...]
    allocations: tuple[Allocation, ...]
    unpaid_face: int
    unpaid_penalty: int

    @property
    def total(self) -> int:
        """All penalty, paid or not: the sum of the rounded lines."""
        return sum(line.amount for line in self.lines)


def penalty(
    face: int,
    due_on: date,
    until: date,
    terms: PenaltyTerms,
    payments: Sequence[Payment] = (),
) -> Penalty:
    """Return the penalty on a face due on a date, for the days up to ``until`` (not counted).

    Always worked out from the due date with every payment at its value date, so a payment found
    late simply gives another total: the correction is the difference of the two. Penalty bears
    no penalty. A line ends only where a payment lowers the base, and is rounded once.

    Raises
    ------
    InvalidInput
        AMOUNT_RANGE, when the face is below zero or a payment not above it;
        PAYMENT_AFTER_CLOSE, when a payment's value date lies after ``until``.
    """
    _check(face, until, payments)
    run = _Run(face, terms)
    in_order = sorted(payments, key=lambda payment: payment.value_on)
    last_free_day = due_on + timedelta(days=terms.grace_days)
    # Until the last free day nothing is charged, so payments go to the face.
    for payment in in_order:
        if payment.value_on <= last_free_day:
            run.take(payment)
    if until > last_free_day:
        run.start = last_free_day if terms.grace_free else due_on
        for payment in in_order:
            if payment.value_on > last_free_day:
                run.take(payment)
        run.close_line(until)
    return Penalty(tuple(run.lines), tuple(run.allocations), run.face, run.owed)


def _check(face: int, until: date, payments: Sequence[Payment]) -> None:
    if face < 0 or any(payment.amount <= 0 for payment in payments):
        raise InvalidInput("AMOUNT_RANGE", "The face is not below zero, a payment above it.")
    for payment in payments:
        if payment.value_on > until:
            raise InvalidInput(
                "PAYMENT_AFTER_CLOSE",
                "The payment of %(value_on)s lies after %(until)s.",
                value_on=payment.value_on.isoformat(),
                until=until.isoformat(),
            )


class _Run:
    """The walk along the payments; ``start`` is where the open line began, none before lateness."""

    def __init__(self, face: int, terms: PenaltyTerms) -> None:
        self.face, self.terms = face, terms
        self.start: date | None = None
        self.paid = 0
        self.lines: list[PenaltyLine] = []
        self.allocations: list[Allocation] = []

    def _accrued(self, on: date) -> int:
        if self.start is None:
            return 0
        part: Fraction = self.terms.day_count.fraction(self.start, on)
        return round_half_up(self.face * self.terms.penalty_rate * part)

    @property
    def owed(self) -> int:
        """Penalty of the closed lines that no payment has covered."""
        return sum(line.amount for line in self.lines) - self.paid

    def take(self, payment: Payment) -> None:
        """Run the waterfall for one payment."""
        owed = self.owed + self._accrued(payment.value_on)
        if self.terms.principal_first or payment.principal_first:
            principal = min(payment.amount, self.face)
            cost = min(payment.amount - principal, owed)
        else:
            cost = min(payment.amount, owed)
            principal = min(payment.amount - cost, self.face)
        if principal:
            self.close_line(payment.value_on)
        self.paid += cost
        self.face -= principal
        surplus = payment.amount - cost - principal
        self.allocations.append(Allocation(payment.value_on, cost, principal, surplus))

    def close_line(self, on: date) -> None:
        """End the open line at a date and begin the next one there."""
        if self.start is None:
            return
        if on > self.start and self.face:
            self.lines.append(PenaltyLine(self.start, on, self.face, self._accrued(on)))
        self.start = on
