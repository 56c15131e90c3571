"""What time costs: discount, interest, income by day, rebate, all-in and effective rates.

Every figure is worked out exactly, in fractions or whole numbers, and rounded once, at the end,
half up. Rates are fractions a year: 4.65 % is ``Fraction(465, 10000)``.
"""

import re
from datetime import date, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from scf.kernel.daycount import DayCount
from scf.kernel.errors import InvalidInput
from scf.kernel.findings import shown
from scf.kernel.penalty import Payment, Penalty, PenaltyTerms, penalty
from scf.kernel.rounding import PPM, Rate, ppm_to_fraction, round_half_up

__all__ = [
    "PPM",
    "TOP_COST_PPM",
    "Payment",
    "Penalty",
    "PenaltyTerms",
    "Rate",
    "Rebate",
    "all_in_ppm",
    "discount",
    "early_rebate",
    "earned_to",
    "earned_to_effective",
    "effective_ppm",
    "interest",
    "parse_rate_percent",
    "penalty",
    "percent_to_fraction",
    "ppm_to_fraction",
    "round_half_up",
]

_MAX_RATE_TEXT: Final = 24
_PERCENT: Final = re.compile(r"(-?)([0-9]{1,4})(?:\.([0-9]{1,12}))?")
_PERCENT_COMMA: Final = re.compile(r"(-?)([0-9]{1,4})(?:,([0-9]{1,12}))?")
_MAX_PERCENT: Final = 1000
_EFFECTIVE_YEAR: Final = 365
# 10,000 %. A fee of a few percent for one day compounds beyond any number that a person reads or
# a column holds, so yearly costs stop here.
TOP_COST_PPM: Final = 100_000_000

# Fifty digits decide every rounding but a near tie, and near ties are decided in whole numbers.
_DIGITS: Final = Context(prec=50)
_NEAR_TIE: Final = Decimal("1e-20")


# --- Reading ----------------------------------------------------------------------------------


def parse_rate_percent(text: str, *, decimal_comma: bool = False) -> str:
    """Return a published rate in percent as it was published, every digit kept: "3.450".

    Benchmark fixings may be below zero and keep their trailing zeros, because contracts speak
    of the published figure. A comma is returned as a dot.

    Raises
    ------
    InvalidInput
        RATE_FORMAT, RATE_RANGE (beyond 1000 % either way).
    """
    pattern = _PERCENT_COMMA if decimal_comma else _PERCENT
    match = pattern.fullmatch(text) if len(text) <= _MAX_RATE_TEXT else None
    value = shown(text, _MAX_RATE_TEXT)
    if match is None:
        raise InvalidInput("RATE_FORMAT", '"%(value)s" is not a rate such as 3.45.', value=value)
    sign, whole, decimals = match[1], match[2], match[3] or ""
    if sign and not (whole + decimals).strip("0"):
        raise InvalidInput("RATE_FORMAT", '"%(value)s" is zero with a sign.', value=value)
    published = f"{sign}{whole}.{decimals}" if decimals else sign + whole
    if abs(Fraction(published)) > _MAX_PERCENT:
        raise InvalidInput(
            "RATE_RANGE", '"%(value)s" is more than %(limit)s %%.', value=value, limit=_MAX_PERCENT
        )
    return published


def percent_to_fraction(text: str) -> Rate:
    """Return the rate that a percentage names: "3.45" is 0.0345, exactly.

    Raises
    ------
    InvalidInput
        RATE_FORMAT, RATE_RANGE.
    """
    return Fraction(parse_rate_percent(text)) / 100


# --- Discount and interest --------------------------------------------------------------------


def discount(
    face: int,
    rate: Rate,
    start: date,
    end: date,
    day_count: DayCount,
    basis: Literal["face", "proceeds"] = "face",
) -> int:
    """Return what the financier keeps from the face when it pays out before the due date.

    On face: F·r·t. On proceeds: F - F/(1 + r·t), so that r is the yield on the cash paid.
    """
    growth = rate * day_count.fraction(start, end)
    if basis == "face":
        return round_half_up(face * growth)
    if growth <= -1:
        raise InvalidInput("RATE_RANGE", "The rate is at or below -100 % over the term.")
    return round_half_up(face - face / (1 + growth))


def interest(amount: int, rate: Rate, start: date, end: date, day_count: DayCount) -> int:
    """Return simple interest on the amount from start to end."""
    return round_half_up(amount * rate * day_count.fraction(start, end))


# --- Income by day ----------------------------------------------------------------------------


def _days_earned(start: date, end: date, close_on: date) -> tuple[int, int]:
    """Return how many of how many days the close of a date has earned."""
    if end < start:
        raise InvalidInput(
            "TENOR_NEGATIVE",
            "%(end)s lies before %(start)s.",
            start=start.isoformat(),
            end=end.isoformat(),
        )
    days = (end - start).days
    return max(0, min((close_on - start).days + 1, days)), days


def earned_to(total: int, start: date, end: date, close_on: date) -> int:
    """Return the straight-line income earned up to the close of a business date, cumulative.

    The close of date d has earned [start, d + 1): one day at the close of the start date, all
    of it at the close of the eve of the end. Post the difference to what stands posted, so that
    the days sum to the total exactly.
    """
    done, days = _days_earned(start, end, close_on)
    if done == days:  # also a term of no days, whose income is earned as it is made
        return total if close_on >= start else 0
    return round_half_up(Fraction(total * done, days))


def earned_to_effective(face: int, net: int, start: date, end: date, close_on: date) -> int:
    """Return the effective-interest income earned up to the close of a date, cumulative.

    The carrying amount grows from net to face by the same unrounded daily rate
    i = (face/net)^(1/n) - 1. Source: IFRS 9 appendix A, effective interest method.

    Raises
    ------
    InvalidInput
        AMOUNT_RANGE, when face or net is not above zero; TENOR_NEGATIVE.
    """
    if face <= 0 or net <= 0:
        raise InvalidInput("AMOUNT_RANGE", "Face and net must be above zero.", face=face, net=net)
    done, days = _days_earned(start, end, close_on)
    if done == days:
        return face - net if close_on >= start else 0
    return _round_growth(net, Fraction(face, net), done, days)


def _round_growth(amount: int, ratio: Fraction, power: int, root: int) -> int:
    """Return amount·(ratio^(power/root) - 1), rounded half up, right to the last unit.

    Fifty digits settle it unless the result lies within 1e-20 of a half; there both sides are
    raised to the root and compared as whole numbers, so no result hangs on a library's digits.
    """
    log = _DIGITS.ln(_DIGITS.divide(Decimal(ratio.numerator), Decimal(ratio.denominator)))
    factor = _DIGITS.exp(_DIGITS.divide(_DIGITS.multiply(log, Decimal(power)), Decimal(root)))
    exact = _DIGITS.multiply(Decimal(amount), _DIGITS.subtract(factor, Decimal(1)))
    below = int(exact.to_integral_value("ROUND_FLOOR", context=_DIGITS))
    above_half = _DIGITS.subtract(_DIGITS.subtract(exact, Decimal(below)), Decimal("0.5"))
    if abs(above_half) > _NEAR_TIE:
        return below + 1 if above_half > 0 else below
    tie = Fraction(2 * below + 1, 2)
    left, right = ratio**power, (tie / amount + 1) ** root
    if left == right:
        return round_half_up(tie)
    return below + 1 if left > right else below


# --- Early repayment --------------------------------------------------------------------------


class Rebate(NamedTuple):
    """What becomes of the discount that an early repayment leaves unearned."""

    unearned: int
    rebate: int
    kept: int


def early_rebate(
    total_discount: int, start: date, end: date, paid_on: date, share_ppm: int
) -> Rebate:
    """Return the unearned discount, the share given back, and the rest, which is income at once.

    The share is taken of the unrounded unearned part; unearned is what the straight line has
    left on the books at the close of the eve of the payment.

    Raises
    ------
    InvalidInput
        SHARE_RANGE, when the share is not between nothing and all; PAID_BEFORE_START.
    """
    if not 0 <= share_ppm <= PPM:
        raise InvalidInput("SHARE_RANGE", "The share lies between 0 and 1,000,000 ppm.")
    if paid_on < start:
        raise InvalidInput(
            "PAID_BEFORE_START",
            "%(paid_on)s lies before the pay-out on %(start)s.",
            paid_on=paid_on.isoformat(),
            start=start.isoformat(),
        )
    done, days = _days_earned(start, end, paid_on - timedelta(days=1))
    if done == days:
        return Rebate(0, 0, 0)
    unearned = total_discount - round_half_up(Fraction(total_discount * done, days))
    exact = Fraction(total_discount * (days - done) * share_ppm, days * PPM)
    # At an exact half the books' unearned part may lie a unit below the rounded share.
    rebate = min(round_half_up(abs(exact)), abs(unearned))
    rebate = -rebate if total_discount < 0 else rebate
    return Rebate(unearned, rebate, unearned - rebate)


# --- What it costs, all in --------------------------------------------------------------------


def _check_cost(cash: int, days: int) -> None:
    if cash <= 0 or days <= 0:
        raise InvalidInput(
            "ALL_IN_UNDEFINED", "An all-in rate needs cash and days.", cash=cash, days=days
        )


def all_in_ppm(charges: int, cash: int, days: int, basis_days: int) -> int:
    """Return the simple yearly cost of all charges on the cash received, in ppm.

    Stops at 10,000 %: beyond it the figure says only that the term is too short for one.

    Raises
    ------
    InvalidInput
        ALL_IN_UNDEFINED, when no cash is received or no day passes.
    """
    _check_cost(cash, days)
    return min(round_half_up(Fraction(charges * basis_days * PPM, cash * days)), TOP_COST_PPM)


def effective_ppm(charges: int, cash: int, days: int) -> int:
    """Return the effective yearly cost, (1 + charges/cash)^(365/days) - 1, in ppm.

    Stops at 10,000 %, as ``all_in_ppm`` does.

    Raises
    ------
    InvalidInput
        ALL_IN_UNDEFINED, when no cash is received, no day passes, or all of it is given back.
    """
    _check_cost(cash, days)
    if cash + charges <= 0:
        raise InvalidInput("ALL_IN_UNDEFINED", "The charges give back more than the cash.")
    ratio = Fraction(cash + charges, cash)
    if ratio**_EFFECTIVE_YEAR > Fraction(TOP_COST_PPM + PPM, PPM) ** days:
        return TOP_COST_PPM
    return _round_growth(PPM, ratio, _EFFECTIVE_YEAR, days)
