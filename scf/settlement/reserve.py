"""The account of an advance with a reserve, worked out from the start.

Pure, as ``schedule.py`` is. Bought: collections pay the face; when all of it is in, interest is
taken from the reserve and the rest released. Lent: each collection pays interest, then principal,
then it is the seller's; when the loan is paid the title to the rest goes back. What credit notes
take beyond the reserve (the gap) the seller pays; called, it pays everything that is still open,
and the title goes back with the last cent. Interest by day is on the cash in use, at each value
date, rounded once on the total. Source: finance.md golden 3; postings.md 4.6 to 4.8.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from scf.kernel.daycount import DayCount
from scf.kernel.rates import Rate, earned_to, earned_to_effective, round_half_up
from scf.settlement.schedule import DAY, Closing, Money, Part, Standing, fee_earned


@dataclass(frozen=True, slots=True)
class Reserved:
    """What of an advance decides its account; ``rate`` is nothing where a discount was taken."""

    id: str
    face: int
    reserve: int
    discount: int
    fee: int
    fee_at_once: int
    start: date
    due_on: date
    rate: Rate
    day_count: DayCount
    lent_out: bool  # a loan to the seller, not a sale
    diluted: int = 0
    called: bool = False
    effective: bool = False

    @property
    def rank(self) -> tuple[date, date, str]:
        """Oldest due first, then oldest pay-out."""
        return self.due_on, self.start, self.id

    @property
    def advanced(self) -> int:
        """The cash in use at the start, charges included."""
        return self.face - self.reserve

    def run(
        self, payments: Sequence[Money], left: list[int], parts: list[Part], until: date
    ) -> Standing:
        """Take this advance's due from what is left of the payments."""
        account = _Lent(self) if self.lent_out else _Bought(self)
        for place, one in enumerate(payments):
            if left[place]:
                account.accrue(one.value_on)
                left[place] = account.take(one, left[place], parts)
        account.accrue(until)
        return account.standing(until)

    def earned(self, until: date, *, done: bool) -> tuple[int, int]:
        """Give discount and fee earned up to a morning; a finished account has earned all."""
        if done:
            return self.discount, self.fee
        if self.effective and self.discount:
            net = self.advanced - self.discount
            line = earned_to_effective(self.advanced, net, self.start, self.due_on, until - DAY)
        else:
            line = earned_to(self.discount, self.start, self.due_on, until - DAY)
        return line, fee_earned(self.fee, self.fee_at_once, self.start, self.due_on, until)


def seller_owes(terms: Reserved, now: Standing) -> int:
    """Give what the seller would have to pay now for the account to be closed, once it is called.

    Of a sale the reserve pays the last part of the face.
    """
    interest = now.interest - now.interest_paid
    if terms.lent_out:
        return interest + terms.advanced - now.lent_paid
    open_face = terms.face - terms.diluted - now.repaid - now.bought
    return interest + now.gap - now.gap_paid + max(0, open_face - now.reserve_left)


@dataclass
class _Account(ABC):
    """The running account; what a collection pays differs between a sale and a loan."""

    terms: Reserved
    repaid: int = 0
    bought: int = 0
    gap_paid: int = 0
    lent_paid: int = 0
    interest_paid: int = 0
    accrued: Fraction = Fraction(0)
    since: date = field(init=False)
    gap: int = field(init=False)
    reserve_left: int = field(init=False)
    closings: list[Closing] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.since = self.terms.start
        from_reserve = min(self.terms.diluted, self.terms.reserve)
        self.gap = self.terms.diluted - from_reserve
        self.reserve_left = self.terms.reserve - from_reserve

    @property
    def open_face(self) -> int:
        """What the obligor has still to pay here."""
        return self.terms.face - self.terms.diluted - self.repaid - self.bought

    @property
    @abstractmethod
    def in_use(self) -> int:
        """The cash of the financier that is out."""

    @property
    def interest_due(self) -> int:
        """Interest up to the day reached, not yet paid."""
        return round_half_up(self.accrued) - self.interest_paid

    @property
    @abstractmethod
    def done(self) -> bool:
        """Whether nobody owes anything any more."""

    def accrue(self, to: date) -> None:
        """Let interest run to a day."""
        if to > self.since:
            days = self.terms.day_count.fraction(self.since, to)
            self.accrued += self.in_use * self.terms.rate * days
            self.since = to

    def take(self, one: Money, amount: int, parts: list[Part]) -> int:
        """Let a payment pay what is due here; gives what is left of it."""
        found: list[tuple[str, int]] = []
        left = self.by_seller(amount, found) if one.by_seller else self.by_obligor(amount, found)
        parts += [
            Part(one.key, kind, self.terms.id, value, one.value_on)
            for kind, value in found
            if value
        ]
        self.close(one.key)
        return left

    @abstractmethod
    def by_obligor(self, amount: int, found: list[tuple[str, int]]) -> int:
        """Share out a collection."""

    def by_seller(self, amount: int, found: list[tuple[str, int]]) -> int:
        """Share out what the seller pays: the gap, then interest, then the item itself."""
        gap = min(amount, self.gap - self.gap_paid)
        self.pay_gap(gap)
        charge = bought = 0
        if self.terms.called or self.open_face == 0:
            charge = min(amount - gap, self.interest_due)
            self.interest_paid += charge
        if self.terms.called or self.open_face == 0:
            bought = self.buy(amount - gap - charge)
        found += [("gap", gap), ("charge", charge), ("bought", bought)]
        return amount - gap - charge - bought

    def pay_gap(self, amount: int) -> None:
        """Take so much of what the seller owes for dilution."""
        self.gap_paid += amount

    @abstractmethod
    def buy(self, amount: int) -> int:
        """Let the seller pay in the obligor's place; gives what of the amount that took."""

    @abstractmethod
    def close(self, key: str) -> None:
        """Close the account where nothing is open any more."""

    def standing(self, until: date) -> Standing:
        """Give where the account stands on a morning."""
        income, fee = self.terms.earned(until, done=self.done)
        return Standing(
            repaid=self.repaid,
            income=income,
            fee=fee,
            lent_paid=self.lent_paid,
            done=self.done,
            bought=self.bought,
            gap=self.gap,
            gap_paid=self.gap_paid,
            reserve_left=self.reserve_left,
            interest=round_half_up(self.accrued),
            interest_paid=self.interest_paid,
            closings=tuple(self.closings),
        )


class _Bought(_Account):
    """A sale: the face is the financier's, the reserve is owed to the seller."""

    @property
    def in_use(self) -> int:
        return max(0, self.terms.advanced - self.repaid - self.gap_paid - self.bought)

    @property
    def done(self) -> bool:
        return self.open_face == 0 and self.gap_paid == self.gap and self.interest_due == 0

    def by_obligor(self, amount: int, found: list[tuple[str, int]]) -> int:
        paid = min(amount, self.open_face)
        self.repaid += paid
        found.append(("principal", paid))
        return amount - paid

    def buy(self, amount: int) -> int:
        paid = min(amount, max(0, self.open_face - self.reserve_left))
        self.bought += paid
        return paid

    def close(self, key: str) -> None:
        """All of the face is in, or the reserve pays the last of it: the reserve is settled."""
        called = self.terms.called and self.interest_due == 0
        bought = self.open_face if called and self.open_face <= self.reserve_left else 0
        if self.open_face != bought or not self.reserve_left:
            return
        self.bought += bought
        interest = min(self.interest_due, self.reserve_left - bought)
        self.interest_paid += interest
        released = self.reserve_left - bought - interest
        self.reserve_left = 0
        self.closings.append(Closing(key, interest, bought, released))


class _Lent(_Account):
    """A loan: the face is its security, the reserve a memo."""

    @property
    def in_use(self) -> int:
        return self.terms.advanced - self.lent_paid

    @property
    def done(self) -> bool:
        return self.in_use == 0 and self.interest_due == 0

    def by_obligor(self, amount: int, found: list[tuple[str, int]]) -> int:
        paid = min(amount, self.open_face)
        interest = min(paid, self.interest_due)
        principal = min(paid - interest, self.in_use)
        self.repaid += paid
        self.interest_paid += interest
        self.lent_paid += principal
        found += [
            ("interest", interest),
            ("principal", principal),
            ("surplus", paid - interest - principal),
        ]
        return amount - paid

    def pay_gap(self, amount: int) -> None:
        self.gap_paid += amount
        self.lent_paid += amount

    def buy(self, amount: int) -> int:
        paid = min(amount, self.in_use)
        self.lent_paid += paid
        return paid

    def close(self, key: str) -> None:  # noqa: ARG002 - the shape of both accounts
        """The loan is paid: the title to what is open goes back, and nothing is left to cure."""
        self.gap = min(self.gap, self.gap_paid + self.in_use)
        if self.done:
            self.bought += self.open_face
            self.reserve_left = 0
