"""The price of a contract programme: benchmark + margin, in money and in rates.

Pure: terms, a published fixing and amounts in, a priced line out. Each advance is priced and
rounded by itself; totals are sums of rounded lines.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scf.kernel.calendar import BusinessCalendar, Roll, instant_of, local_date, zone
from scf.kernel.rates import (
    PPM,
    Rate,
    discount,
    effective_ppm,
    interest,
    percent_to_fraction,
    ppm_to_fraction,
    round_half_up,
)
from scf.programmes.techniques import technique_of
from scf.programmes.terms import CurrencyTerms, Fee, Terms


@dataclass(frozen=True, slots=True)
class PricedLine:
    """What one invoice brings: face, what is kept back, and the cash that arrives."""

    face_minor: int
    discount_minor: int
    fee_minor: int
    net_minor: int
    rate: Rate
    margin_ppm: int
    start: dt.date
    settle_on: dt.date
    days: int
    reserve_minor: int = 0  # of the face: paid when the obligor has paid
    tax_minor: int = 0  # on the fee
    interest_minor: int = 0  # in arrears, if the obligor pays on its day

    @property
    def rate_percent(self) -> str:
        """The rate a year in percent, every digit: "4.65"."""
        return percent_text(self.rate)

    @property
    def charges_minor(self) -> int:
        """Everything that the advance costs; in arrears, when it is paid on its day."""
        return self.discount_minor + self.fee_minor + self.tax_minor + self.interest_minor


@dataclass(frozen=True, slots=True)
class Price:
    """The lines of one quote together, with what they cost all in."""

    lines: tuple[PricedLine, ...]
    face_minor: int
    discount_minor: int
    fee_minor: int
    net_minor: int
    all_in_ppm: int
    effective_ppm: int
    reserve_minor: int = 0
    tax_minor: int = 0
    interest_minor: int = 0


# --- One line ---------------------------------------------------------------------------------


def rate_of(terms: Terms, fixing_percent: str, margin_ppm: int) -> Rate:
    """Give the contract rate: published fixing + margin, not below the floor."""
    rate = percent_to_fraction(fixing_percent) + ppm_to_fraction(margin_ppm)
    return max(rate, ppm_to_fraction(terms.rate_floor_ppm))


def fee_of(fees: Sequence[Fee], face: int) -> int:
    """Give the sum of the fees on a face, each between its minimum and maximum."""
    return sum(_one_fee(fee, face) for fee in fees)


def tax_of(fees: Sequence[Fee], face: int) -> int:
    """Give the tax on the fees of a face, rounded by fee."""
    return sum(round_half_up(_one_fee(fee, face) * ppm_to_fraction(fee.tax_ppm)) for fee in fees)


def _one_fee(fee: Fee, face: int) -> int:
    amount = fee.flat_minor + round_half_up(face * ppm_to_fraction(fee.share_ppm))
    amount = max(amount, fee.min_minor)
    return amount if fee.max_minor is None else min(amount, fee.max_minor)


def price_line(
    terms: Terms,
    part: CurrencyTerms,
    *,
    face: int,
    start: dt.date,
    settle_on: dt.date,
    fixing_percent: str,
) -> PricedLine | None:
    """Price one invoice; nothing where the margin grid does not reach its tenor.

    The charge is on what the reserve leaves to advance: a discount up front, or interest in
    arrears, shown here as it will be when the obligor pays on its day.
    """
    days = (settle_on - start).days
    margin_ppm = terms.margin_for(days)
    if margin_ppm is None or days < 0:
        return None
    rate = rate_of(terms, fixing_percent, margin_ppm)
    return line_at(
        terms,
        part,
        face=face,
        start=start,
        settle_on=settle_on,
        rate=rate,
        margin_ppm=margin_ppm,
    )


def line_at(
    terms: Terms,
    part: CurrencyTerms,
    *,
    face: int,
    start: dt.date,
    settle_on: dt.date,
    rate: Rate,
    margin_ppm: int,
) -> PricedLine:
    """Work a yearly rate into the money of one invoice."""
    days = (settle_on - start).days
    reserve = technique_of(terms).reserve(terms, face)
    lent = face - reserve
    kept = later = 0
    if terms.charge == "upfront":
        kept = discount(lent, rate, start, settle_on, terms.day_count, terms.rate_basis)
    else:
        later = interest(lent, rate, start, settle_on, terms.day_count)
    fee, tax = fee_of(part.fees, face), tax_of(part.fees, face)
    return PricedLine(
        face,
        kept,
        fee,
        lent - kept - fee - tax,
        rate,
        margin_ppm,
        start,
        settle_on,
        days,
        reserve_minor=reserve,
        tax_minor=tax,
        interest_minor=later,
    )


def percent_text(rate: Rate) -> str:
    """Give a rate as percent text with every digit it has and no more: 0.0465 is "4.65".

    A rate of this platform is a sum of published percent and parts per million, so its decimals
    end.
    """
    percent = rate * 100
    digits = 0
    while (percent * 10**digits).denominator != 1:
        digits += 1
    scaled = str(abs((percent * 10**digits).numerator)).rjust(digits + 1, "0")
    text = f"{scaled[:-digits]}.{scaled[-digits:]}" if digits else scaled
    return f"-{text}" if percent < 0 else text


# --- All in -----------------------------------------------------------------------------------


def price(terms: Terms, lines: Sequence[PricedLine]) -> Price:
    """Add lines up and say what they cost all in, over the cash received.

    The simple rate weighs each line's cash by its own days; the effective rate of several lines
    takes their average days. Source: finance.md golden 1.
    """
    charges = sum(line.charges_minor for line in lines)
    cash = sum(line.net_minor for line in lines)
    cash_days = sum(line.net_minor * line.days for line in lines)
    simple = effective = 0
    if cash > 0 and cash_days > 0:
        simple = round_half_up(Fraction(charges * terms.day_count.basis * PPM, cash_days))
        days = max(1, round_half_up(Fraction(cash_days, cash)))
        effective = effective_ppm(charges, cash, days)
    return Price(
        tuple(lines),
        sum(line.face_minor for line in lines),
        sum(line.discount_minor for line in lines),
        sum(line.fee_minor for line in lines),
        cash,
        simple,
        effective,
        reserve_minor=sum(line.reserve_minor for line in lines),
        tax_minor=sum(line.tax_minor for line in lines),
        interest_minor=sum(line.interest_minor for line in lines),
    )


# --- Days -------------------------------------------------------------------------------------


def cut_off_passed(terms: Terms, business_on: dt.date, now: dt.datetime) -> bool:
    """Tell whether the business day is over for new pay-outs.

    The cut-off is a time of day on the business date. Where the books stand on another date than
    the clock (a demo of last year's documents), the day is open until its end of day.
    """
    place = zone(terms.cut_off_zone)
    if local_date(now, place) != business_on:
        return False
    return now > instant_of(business_on, terms.cut_off_time, place)


def earliest_value_date(
    terms: Terms,
    calendar: BusinessCalendar,
    business_on: dt.date,
    now: dt.datetime,
    payment_days: BusinessCalendar | None = None,
) -> dt.date:
    """Give the first day on which money can be paid out, and arrives.

    The offset counts the programme's business days; ``payment_days`` are those on which the
    currency and both countries are open too.
    """
    late = 1 if cut_off_passed(terms, business_on, now) else 0
    day = calendar.add_business_days(business_on, terms.value_date_offset + late)
    return (payment_days or calendar).roll(day, Roll.FOLLOWING)


def next_cut_off(terms: Terms, calendar: BusinessCalendar, now: dt.datetime) -> dt.datetime:
    """Give the instant of the next cut-off: the deadline of decisions on requests made now."""
    place = zone(terms.cut_off_zone)
    day = calendar.add_business_days(local_date(now, place), 0)
    at = instant_of(day, terms.cut_off_time, place)
    if at <= now:
        at = instant_of(calendar.add_business_days(day, 1), terms.cut_off_time, place)
    return at


def settlement_day(terms: Terms, calendar: BusinessCalendar, due_on: dt.date) -> dt.date:
    """Give the day on which the face is owed: the due date after the roll rule."""
    return calendar.roll(due_on, terms.roll)
