"""A trial balance in the book's own currency, at the rates of a chosen day.

Money and claims stand at the rate of the day, everything else at the rates of the days on which it
was booked (IAS 21.23). What was booked for revaluation is part of the first, so the two accounts
that carry it show nothing of their own; what is still to be booked, and what rounding each line
leaves, are lines too: the sum is zero, always and visibly.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from sqlalchemy.engine import Connection

from scf.accounting.journal import BalanceLine, trial_balance
from scf.ledger.currency.books import book_of, rates_of
from scf.ledger.currency.rates import DayRate, Rates, convert
from scf.ledger.currency.revaluation import ADJUSTING, Gap, daily_nets, is_monetary

DAY_RATE: Final = "day"  # money and claims, at the rate of the day
ITS_DAYS: Final = "days"  # at the rates of the days on which it was booked
OWN: Final = "own"  # in the book's currency already
WITHIN: Final = "within"  # part of the values above


@dataclass(frozen=True, slots=True)
class TranslatedLine:
    """A line of the trial balance and its value in the book's currency; none without a rate."""

    line: BalanceLine
    basis: str
    rate: DayRate | None
    value_minor: int | None


@dataclass(frozen=True, slots=True)
class Translated:
    """All lines, what is still to be booked, and what rounding leaves; debit positive.

    ``not_booked_minor`` is the balance that the currency result not booked yet would have: a gain
    is negative, as income is. Neither is known while a rate lacks.
    """

    currency: str
    on: dt.date
    lines: list[TranslatedLine]
    gaps: list[Gap]
    not_booked_minor: int
    rounding_minor: int

    @property
    def foreign(self) -> bool:
        """Tell whether anything is in another currency."""
        return any(one.basis in {DAY_RATE, ITS_DAYS} for one in self.lines)

    @property
    def total_minor(self) -> int | None:
        """The sum of all lines; zero, or unknown while a rate lacks."""
        if self.gaps:
            return None
        told = sum(one.value_minor or 0 for one in self.lines)
        return told + self.not_booked_minor + self.rounding_minor


def translate(
    conn: Connection, org_id: str, on: dt.date, lines: Sequence[BalanceLine] | None = None
) -> Translated:
    """Give the trial balance of one book at the close of a day, in the book's currency.

    ``lines`` are that day's trial balance, where the caller has read it already.
    """
    book = book_of(conn, org_id)
    if lines is None:
        lines = trial_balance(conn, org_id, on)
    foreign = {line.currency for line in lines} - {book.currency}
    rates = rates_of(conn, book, foreign) if foreign else Rates((), book.currency, 0)
    historic, gaps = _historic(conn, org_id, rates, on) if foreign else ({}, {})
    found, result = [], 0
    adjusting = 0
    for line in lines:
        key = line.account_code, line.currency
        if line.currency == book.currency:
            within = line.account_code in ADJUSTING
            adjusting += line.balance_minor if within else 0
            own = 0 if within else line.balance_minor
            found.append(TranslatedLine(line, WITHIN if within else OWN, None, own))
            continue
        if not is_monetary(line.account_code, line.account_kind):
            found.append(TranslatedLine(line, ITS_DAYS, None, historic.get(key)))
            continue
        rate = rates.of(line.currency, on) if line.balance_minor else None
        value: int | None = 0
        if line.balance_minor:
            if rate is None:
                gaps[Gap(line.currency, on)] = None
            value = (
                convert(line.balance_minor, line.currency, book.currency, rate.ratio)
                if rate
                else None
            )
        result += (value or 0) - (historic.get(key) or 0)
        found.append(TranslatedLine(line, DAY_RATE, rate, value))
    off = adjusting - result
    told = sum(one.value_minor or 0 for one in found) + off
    return Translated(book.currency, on, found, list(gaps), off, -told)


def _historic(
    conn: Connection, org_id: str, rates: Rates, on: dt.date
) -> tuple[dict[tuple[str, str], int | None], dict[Gap, None]]:
    """Give each foreign balance at the rates of the days on which it moved."""
    found: dict[tuple[str, str], int | None] = defaultdict(int)
    gaps: dict[Gap, None] = {}
    known: dict[tuple[str, dt.date], Fraction | None] = {}
    for account, currency, day, net in daily_nets(conn, org_id, rates.currency, on):
        if not net:
            continue
        if (currency, day) not in known:
            rate = rates.of(currency, day)
            known[currency, day] = rate.ratio if rate else None
        ratio, key = known[currency, day], (account.code, currency)
        if ratio is None:
            gaps[Gap(currency, day)] = None
            found[key] = None
            continue
        before = found[key]
        if before is not None:
            found[key] = before + convert(net, currency, rates.currency, ratio)
    return found, gaps
