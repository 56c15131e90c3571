"""QuantLib, the independent oracle of day counts and calendars, and its dates."""

import datetime as dt
import warnings
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # its binding, on newer Pythons
    import QuantLib as ql  # type: ignore[import-untyped,unused-ignore]  # noqa: N813

__all__ = ["ql", "to_ql"]


def to_ql(day: dt.date) -> Any:  # noqa: ANN401 - QuantLib ships no types
    """Return the day as QuantLib's date."""
    return ql.Date(day.day, day.month, day.year)
