"""What officers know of a firm beside its trade: registry, statement, rating, from its day on."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

from scf.kernel.rates import PPM
from scf.risk.appetite import Appetite
from scf.risk.asof import AsOf
from scf.risk.models import FirmFact

FACT: Final[Table] = FirmFact.__table__  # type: ignore[attr-defined]
STATEMENT_MONTHS: Final = 18  # an older statement says nothing any more
_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of one firm; empty where nobody said."""

    founded_on: dt.date | None = None
    statement_months: int | None = None  # full months since the period ended
    revenue: Fraction | None = None  # euros
    equity: Fraction | None = None
    liquidity: Fraction | None = None  # euros
    weekly_cost: Fraction | None = None  # euros
    rated_pd: Fraction | None = None
    notches: int = 0  # by which people grade it worse than the model, or better

    def age_years(self, on: dt.date) -> int | None:
        """Give the firm's age in full years."""
        return None if self.founded_on is None else full_months(self.founded_on, on) // _YEAR

    @property
    def liquidity_weeks(self) -> Fraction | None:
        """For how many weeks' cost the cash and the open lines suffice."""
        if self.liquidity is None or not self.weekly_cost:
            return None
        return self.liquidity / self.weekly_cost


def known_of(
    conn: Connection, morning: AsOf, appetite: Appetite, firms: Collection[str] | None = None
) -> dict[str, Known]:
    """Give what a financier knew of firms before a morning."""
    query = select(FACT).where(
        FACT.c.financier_id == morning.financier_id, FACT.c.known_at < morning.before
    )
    if firms is not None:
        query = query.where(FACT.c.firm_id.in_(sorted(firms)))
    rows: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in conn.execute(query.order_by(FACT.c.known_at, FACT.c.id)):
        rows[row.firm_id].append(row)
    return {firm: _known(of_firm, morning.on, appetite) for firm, of_firm in rows.items()}


def _known(rows: Iterable[Any], on: dt.date, appetite: Appetite) -> Known:
    """Take the newest word of each kind; of statements the one of the latest period."""
    registry = statement = rating = grade = None
    for row in rows:
        if row.kind == "registry":
            registry = row
        elif row.kind == "rating" and row.valid_to >= on:
            rating = row
        elif row.kind == "grade":  # the newest word, also to say that an older one is over
            grade = row if row.valid_to >= on else None
        elif row.kind == "statement" and on <= _months_later(row.period_end_on):
            later = statement is None or row.period_end_on >= statement.period_end_on
            statement = row if later else statement
    return Known(
        founded_on=registry.founded_on if registry is not None else None,
        rated_pd=Fraction(rating.pd_ppm, PPM) if rating is not None else None,
        notches=grade.notches if grade is not None else 0,
        **(_said(statement, on, appetite) if statement is not None else {}),
    )


def _said(row: Any, on: dt.date, appetite: Appetite) -> dict[str, Any]:  # noqa: ANN401
    factor = appetite.euros(row.currency)

    def euros(minor: int | None) -> Fraction | None:
        return None if minor is None or factor is None else minor * factor / 100

    return {
        "statement_months": full_months(row.period_end_on, on),
        "revenue": euros(row.revenue_minor),
        "equity": Fraction(row.equity_ppm, PPM),
        "liquidity": euros(row.liquidity_minor),
        "weekly_cost": euros(row.weekly_cost_minor),
    }


def full_months(start: dt.date, end: dt.date) -> int:
    """Give the whole months from one day to a later one, never below 0."""
    months = (end.year - start.year) * _YEAR + end.month - start.month
    return max(0, months - (end.day < start.day))


def _months_later(day: dt.date) -> dt.date:
    """Give the last day on which a statement of this period end still counts."""
    years, month = divmod(day.month - 1 + STATEMENT_MONTHS, _YEAR)
    first = dt.date(day.year + years, month + 1, 1)
    following = (first + dt.timedelta(days=31)).replace(day=1)
    return min(first + dt.timedelta(days=day.day - 1), following - dt.timedelta(days=1))


def known_of_rows(
    conn: Connection,
    financier_id: str,
    firm_id: str,
    on: dt.date,
    appetite: Appetite,
    more: Mapping[str, Any] | None = None,
) -> Known:
    """Give what counts of a firm by now, with one fact more if one is handed in."""
    query = select(FACT).where(
        FACT.c.financier_id == financier_id,
        FACT.c.firm_id == firm_id,
        FACT.c.known_at.is_not(None),
    )
    rows: list[Any] = list(conn.execute(query.order_by(FACT.c.known_at, FACT.c.id)))
    if more is not None:
        rows.append(SimpleNamespace(**more))
    return _known(rows, on, appetite)
