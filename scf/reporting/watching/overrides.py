"""How often people set the grade or the price aside, which way, why, and what became of it."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Table, bindparam, select
from sqlalchemy.engine import Connection

from scf.financing.models import Advance, FinancingRequest, RequestOverride
from scf.kernel.calendar import local_date
from scf.offers.models import Quote
from scf.parties.service import zone_of
from scf.risk.firmfacts import FACT
from scf.risk.watch.mornings import Morning

_REQUEST: Final[Table] = FinancingRequest.__table__  # type: ignore[attr-defined]
_OVERRIDE: Final[Table] = RequestOverride.__table__  # type: ignore[attr-defined]
_ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_QUOTE: Final[Table] = Quote.__table__  # type: ignore[attr-defined]
LATE_DAYS: Final = 90


@dataclass(frozen=True)
class OverrideMonth:
    """A month: firms assessed on its first morning and graded otherwise; requests and prices."""

    month: dt.date
    assessed: int = 0
    better: int = 0
    worse: int = 0
    requests: int = 0
    cheaper: int = 0
    dearer: int = 0


@dataclass(frozen=True)
class Overrides:
    """What people set aside.

    ``grade_codes``, ``price_codes`` and ``route_codes`` count the words that officers said, by the
    reason they gave; ``waiting`` are grades that a second person has not confirmed. ``prices`` says
    by direction what became of the requests: their states, and of the advances paid out how many
    are over, still open in time, and more than 90 days late.
    """

    months: tuple[OverrideMonth, ...]
    grade_codes: Mapping[str, int]
    price_codes: Mapping[str, int]
    route_codes: Mapping[str, int]
    waiting: int
    prices: Mapping[str, "Became"] = field(default_factory=dict)

    @property
    def newest(self) -> OverrideMonth | None:
        """The newest month in which firms were assessed."""
        return next((one for one in reversed(self.months) if one.assessed), None)


@dataclass(frozen=True)
class Became:
    """What became of requests whose price people moved one way."""

    states: Mapping[str, int]
    over: int
    open: int
    late: int


def overrides(
    conn: Connection, financier_id: str, mornings: Sequence[Morning], today: dt.date
) -> Overrides:
    """Count what people of a financier set aside.

    Parameters
    ----------
    mornings
        The monthly ones, the oldest first.
    today
        The business date, by which advances are late.
    """
    months: dict[dt.date, dict[str, int]] = defaultdict(Counter)
    for one in mornings:
        at = months[one.on.replace(day=1)]
        at["assessed"] = len(one.firms)
        at["better"] = int((one.notches < 0).sum())
        at["worse"] = int((one.notches > 0).sum())
    zone = zone_of(conn, financier_id)
    moved = _moved(conn, financier_id)
    for row in conn.execute(_PRICED, {"financier": financier_id}):
        at = months[local_date(row.submitted_at, zone).replace(day=1)]
        at["requests"] += 1
        way = moved.get(row.id)
        if way:
            at[way] += 1
    facts = conn.execute(
        select(FACT.c.code, FACT.c.notches, FACT.c.known_at).where(
            FACT.c.financier_id == financier_id, FACT.c.kind == "grade"
        )
    ).all()
    said = conn.execute(
        select(_OVERRIDE.c.what, _OVERRIDE.c.code)
        .join(_REQUEST, _REQUEST.c.id == _OVERRIDE.c.request_id)
        .where(_REQUEST.c.financier_id == financier_id)
    ).all()
    return Overrides(
        tuple(OverrideMonth(month, **found) for month, found in sorted(months.items())),
        _count(row.code for row in facts if row.known_at is not None and row.notches),
        _count(row.code for row in said if row.what == "price"),
        _count(row.code for row in said if row.what != "price"),
        sum(1 for row in facts if row.known_at is None),
        {way: _became(conn, moved, way, today) for way in ("cheaper", "dearer")},
    )


_PRICED: Final = (
    select(_REQUEST.c.id, _REQUEST.c.submitted_at)
    .join(_QUOTE, _QUOTE.c.id == _REQUEST.c.quote_id)
    .where(_REQUEST.c.financier_id == bindparam("financier"), _QUOTE.c.grade.is_not(None))
)


def _count(codes: Any) -> dict[str, int]:  # noqa: ANN401 - codes, some of them empty
    return dict(Counter(code or "" for code in codes).most_common())


def _moved(conn: Connection, financier_id: str) -> dict[str, str]:
    """Say which way people moved the price of each request, from the first to the last word."""
    first: dict[str, Decimal] = {}
    last: dict[str, Decimal] = {}
    rows = conn.execute(
        select(_OVERRIDE.c.request_id, _OVERRIDE.c.before, _OVERRIDE.c.after)
        .join(_REQUEST, _REQUEST.c.id == _OVERRIDE.c.request_id)
        .where(_REQUEST.c.financier_id == financier_id, _OVERRIDE.c.what == "price")
        .order_by(_OVERRIDE.c.at, _OVERRIDE.c.id)
    )
    for row in rows:
        first.setdefault(row.request_id, Decimal(row.before))
        last[row.request_id] = Decimal(row.after)
    return {
        request: "cheaper" if last[request] < before else "dearer"
        for request, before in first.items()
        if last[request] != before
    }


def _became(conn: Connection, moved: Mapping[str, str], way: str, today: dt.date) -> Became:
    wanted = sorted(request for request, found in moved.items() if found == way)
    states = conn.execute(select(_REQUEST.c.state).where(_REQUEST.c.id.in_(wanted))).scalars()
    lines = conn.execute(
        select(_ADVANCE.c.due_on, _ADVANCE.c.closed_on).where(
            _ADVANCE.c.request_id.in_(wanted), _ADVANCE.c.funded_on.is_not(None)
        )
    ).all()
    over = sum(1 for one in lines if one.closed_on is not None)
    late = sum(
        1 for one in lines if one.closed_on is None and (today - one.due_on).days > LATE_DAYS
    )
    return Became(_count(states), over, len(lines) - over - late, late)
