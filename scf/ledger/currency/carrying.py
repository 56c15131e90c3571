"""What a foreign balance has cost, what it is worth, and what of the difference is realised."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from scf.kernel.rounding import round_half_up

Worth = Callable[[int], int]
"""Minor units of the book's currency for minor units of the balance's, at the rate of a day."""


@dataclass(slots=True)
class Position:
    """One account in one foreign currency, day after day; debit positive, as everywhere.

    ``historic_minor`` is each day's net movement at the rate of its day (IAS 21.21). ``cost_minor``
    is what of it the balance still carries: what leaves takes its share of the cost with it, at the
    average. The closing value less the cost is not realised yet, the cost less the historic value
    is; both together are the closing value less the historic one (IAS 21.23a, 28). A balance of
    zero costs nothing, so that nothing unrealised is left of it.

    Example: 100.00 USD in at 0.90 (90.00 EUR), 40.00 out at 0.95 (38.00 for a cost of 36.00):
    historic 52.00, cost 54.00, realised 2.00; at 0.92 the 60.00 left are worth 55.20, unrealised
    1.20.
    """

    balance_minor: int = 0
    historic_minor: int = 0
    cost_minor: int = 0

    def move(self, net_minor: int, worth: Worth) -> None:
        """Take the net movement of a day at the rate of that day."""
        if net_minor == 0:
            return
        value = worth(net_minor)
        self.historic_minor += value
        before, self.balance_minor = self.balance_minor, self.balance_minor + net_minor
        if before * net_minor >= 0:
            self.cost_minor += value
        elif abs(net_minor) < abs(before):
            share = Fraction(self.cost_minor * abs(net_minor), abs(before))
            self.cost_minor -= round_half_up(share)
        else:  # all of it went; what is beyond zero came in today
            self.cost_minor = worth(self.balance_minor) if self.balance_minor else 0

    def gains(self, closing_minor: int) -> tuple[int, int]:
        """Give what is unrealised and what is realised, gains positive, at a closing value."""
        return closing_minor - self.cost_minor, self.cost_minor - self.historic_minor
