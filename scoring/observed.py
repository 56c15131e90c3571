"""Figures from what was observed, drawn to a prior while little has been seen.

All three weigh by amount and add a few items of mean size that behave as the prior says.
"""

from fractions import Fraction
from typing import Final

from scoring.policy import Model

_LATE_PRIOR: Final = (1, 5)  # one late item of five


def late_share(late_minor: int, due_minor: int, items: int) -> Fraction | None:
    """Return the share of the amount due that was late, shrunk: (k + 1) / (n + 5) in mean items.

    Parameters
    ----------
    late_minor : int
        Amount paid, or still open, more than 5 days late; minor units, within [0, due_minor].
    due_minor : int
        Amount of the items that fell due.
    items : int
        Their number; with none the answer is None, which the card reads as its reference.

    Examples
    --------
    >>> late_share(0, 100_00, 15)
    Fraction(1, 20)
    """
    _check(late_minor, due_minor, items)
    if not items:
        return None
    late, all_items = _LATE_PRIOR
    return (Fraction(late_minor * items, due_minor) + late) / (items + all_items)


def late_days(days_times_minor: int, settled_minor: int, items: int, model: Model) -> int:
    """Return expected late days given payment, q, rounded half up to a whole day.

    Parameters
    ----------
    days_times_minor : int
        Sum over the debtor's items settled in 365 days of amount times days past due (0 if early).
    settled_minor : int
        Sum of their amounts, minor units.
    items : int
        Their number.
    model : Model
        Holds the prior's days and number of items.

    Returns
    -------
    int
        Days, >= 0; the prior's days without history. 0 is for the caller where an undertaking
        promises the day.
    """
    _check(0, settled_minor, items)
    if days_times_minor < 0:
        raise ValueError("days_times_minor is 0 or more.")
    prior = model.late_prior_items
    if not items:
        return model.late_prior_days
    mean = Fraction(settled_minor, items)
    days = (days_times_minor + prior * mean * model.late_prior_days) / (
        settled_minor + prior * mean
    )
    return int(days + Fraction(1, 2))


def dilution_share(credited_minor: int, gross_minor: int, items: int, model: Model) -> Fraction:
    """Return the share of face expected to be credited after finance, δ.

    Parameters
    ----------
    credited_minor : int
        Credit notes and upheld disputes over the pair's items closed in 365 days, minor units.
    gross_minor : int
        Their gross amount.
    items : int
        Their number.
    model : Model
        Holds the sector's prior share and its number of items.

    Returns
    -------
    Fraction
        (C + p·δ₀·ā) / (G + p·ā), at most 1; the prior without history.
    """
    _check(credited_minor, gross_minor, items)
    if not items:
        return model.dilution_prior
    prior = model.dilution_prior_items * Fraction(gross_minor, items)
    return (credited_minor + model.dilution_prior * prior) / (gross_minor + prior)


def _check(part: int, whole: int, items: int) -> None:
    """Refuse sums that contradict each other."""
    if items < 0 or not 0 <= part <= whole or bool(items) != bool(whole):
        raise ValueError("a part lies within its whole, and a whole has items.")
