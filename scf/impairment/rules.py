"""Which stage an advance is in and what is set aside for it; pure, and checkable by hand.

Stage 1: the loss expected of a default until the due date, within twelve months at most; stage 2:
within its whole life; stage 3: of a default that has happened. Source: IFRS 9 5.5.3, 5.5.5, 5.5.9
to 5.5.11, B5.5.35, B5.5.37. *Worked example*: 988,375.00 paid out on 10 March, due in 90 days,
one-year PD .15 %, so .00037007 within 90 days, LGD 40 %: 146.31.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Protocol

from scf.financing.lifecycle import COLLECTIBLE
from scf.financing.reserve import carried_face
from scf.impairment.policy import Policy
from scf.kernel.rounding import round_half_up

YEAR: Final = 365
ONE: Final = Decimal(1)
PERFORMING, WORSENED, LATE = "PERFORMING", "PD_WORSENED", "PAST_DUE_30"
LATE_90, DEFAULTED, BY_OFFICERS = "PAST_DUE_90", "OBLIGOR_DEFAULT", "OFFICERS"


class Curve(Protocol):
    """What is known of a firm's default by time."""

    @property
    def defaulted(self) -> bool: ...  # noqa: D102 - a default is recorded

    def within(self, days: int) -> Decimal:
        """Give the probability within some days."""


@dataclass(frozen=True, slots=True)
class Level:
    """A one-year probability at a level hazard, for a firm that nobody has assessed."""

    one_year: Decimal
    defaulted: bool = False

    def within(self, days: int) -> Decimal:
        """Give the probability within some days."""
        alive = (1 - float(self.one_year)) ** (days / YEAR)
        return Decimal(1 - alive).quantize(Decimal("1e-12"))


@dataclass(frozen=True, slots=True)
class Case:
    """What of an advance decides its stage and allowance on one day."""

    exposure: int
    days_past_due: int
    days_ahead: int
    start_pd: Decimal
    lgd: Decimal
    curve: Curve
    assessed: bool
    specific: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """The stage and allowance of a case, and what they were made of."""

    stage: int
    reason: str
    allowance: int
    days: int
    pd: Decimal
    one_year: Decimal
    source: str


def measure(case: Case, policy: Policy) -> Measured:
    """Put a case in its stage and work out what is set aside for it."""
    one_year = case.curve.within(YEAR)
    stage, reason = stage_of(case, one_year, policy)
    if stage == 3:  # noqa: PLR2004 - the stage
        if case.specific is not None:
            amount = min(case.specific, case.exposure)
            return Measured(stage, reason, amount, 0, ONE, one_year, "officers")
        amount = expected_loss(case.exposure, ONE, case.lgd)
        return Measured(stage, reason, amount, 0, ONE, one_year, "default")
    days = max(case.days_ahead, policy.least_days)
    if stage == 1:
        days = min(days, YEAR)
    pd, source = case.curve.within(days), "assessment" if case.assessed else "policy"
    least = policy.least_pd(case.days_past_due)
    if least > pd:
        pd, source = least, "matrix"
    return Measured(
        stage, reason, expected_loss(case.exposure, pd, case.lgd), days, pd, one_year, source
    )


def stage_of(case: Case, one_year: Decimal, policy: Policy) -> tuple[int, str]:
    """Give the stage and why: officers' word first, then default, then lateness, then the PD."""
    if case.specific is not None:
        return 3, BY_OFFICERS
    if case.exposure and case.curve.defaulted:
        return 3, DEFAULTED
    if case.days_past_due >= policy.stage_3_from:
        return 3, LATE_90
    if case.days_past_due > policy.stage_2_over:
        return 2, LATE
    worse = one_year >= case.start_pd * policy.pd_factor
    if worse and one_year - case.start_pd >= policy.pd_rise and one_year >= policy.low_risk_below:
        return 2, WORSENED
    return 1, PERFORMING


def expected_loss(exposure: int, pd: Decimal, lgd: Decimal) -> int:
    """Give exposure × PD × LGD, rounded half up once."""
    return round_half_up(Fraction(exposure) * Fraction(pd) * Fraction(lgd))


def exposure_of(row: Any, on: date, unearned: int | None = None) -> int:  # noqa: ANN401 - a row
    """Give the gross carrying amount of an advance at the close of a day.

    The claim with its interest, less what of the discount is not earned; on its first day what was
    paid out. A reserve that is owed to the seller only once the obligor has paid is not at risk;
    penalty is left out, since nobody lends against it.

    Parameters
    ----------
    unearned
        What the book holds as unearned, where a part was paid early and gave some of it back.
    """
    if row.state not in COLLECTIBLE:
        return 0
    if row.recourse:
        claim = row.face_minor - row.reserve_minor - row.lent_paid_minor
        claim -= row.written_off_minor - row.recovered_minor
    else:
        claim = carried_face(row) - row.reserve_left_minor + row.gap_minor - row.gap_paid_minor
    interest = row.interest_minor - row.interest_paid_minor
    if unearned is None:
        unearned = row.discount_minor - (row.income_minor if on > row.value_on else 0)
    return max(0, int(claim + interest - unearned))


def days_past_due(row: Any, on: date) -> int:  # noqa: ANN401 - a row of advance
    """Count from the due date, also through grace; nothing where nothing is open."""
    return max(0, (on - row.due_on).days) if carried_face(row) else 0
