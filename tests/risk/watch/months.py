"""A bank that lives through months: one seller, many buyers who pay in time or stop to.

The buyers supply the anchor, as members of its chain.
"""

import datetime as dt
from typing import Any

from scf.kernel.actor import Role
from scf.risk.watch import nightly as watching
from tests.risk.world import RiskWorld
from tests.support.deals import ANCHOR, BANK, SELLER

FIRST = dt.date(2026, 8, 1)  # of the mornings on which anybody is assessed


def month(number: int) -> dt.date:
    """Give the first day of a month, counted from that of the first morning."""
    year, place = divmod(FIRST.month - 1 + number, 12)
    return dt.date(FIRST.year + year, place + 1, 1)


class Months(RiskWorld):
    """Buyers ``b00``, ``b01`` … get one invoice a month, due after 30 days."""

    def __init__(self, db: Any, buyers: int) -> None:  # noqa: ANN401 - a database
        self.buyers = [f"b{number:02d}" for number in range(buyers)]
        super().__init__(db, *self.buyers)
        for user, role in (
            ("u-maker", Role.OFFICER_MAKER),
            ("u-checker", Role.OFFICER_CHECKER),
            ("u-head", Role.HEAD_OFFICE),
        ):
            self.person(user, f"{user}@bank.example", role)
        self.begun = False
        self.open: list[tuple[str, str]] = []

    def trade(self, number: int, *, failing: tuple[str, ...] = ()) -> None:
        """Live a month: those that do not fail pay what is open, and all buy again."""
        self.at(month(number), hour=5)
        still = []
        for buyer, invoice_id in self.open:
            if buyer in failing:
                still.append((buyer, invoice_id))
            else:
                self.pay(invoice_id, "1,000.00")
        self.open = still
        due = month(number) + dt.timedelta(days=30)
        if not self.begun:
            self.open += [
                ("", self.sale("1,000.00", buyer, ANCHOR, due=due)) for buyer in self.buyers
            ]
            self.begun = True
        for buyer in self.buyers:
            self.open.append((buyer, self.sale("1,000.00", SELLER, buyer, due=due)))

    def night(self, on: dt.date) -> dict[str, Any]:
        """Let a day begin as the end of the day before does: chain, assessments, and the look."""
        self.morning(on)
        return watching.watch_day(self.platform, BANK)
