"""What the prices charged for failures, held against the losses that the books say: exact integers.

Of each advance that was paid out at a risk price the discount is split over the eleven components
of its rate, to the cent; the parts for the obligor's own failure and for its chain are what was
charged. Against them stand the impairment in the financier's own book and what was recovered of
amounts written off, and what is more than 90 days overdue and on no account of losses yet. Nothing
of that is a failure told twice: three columns, never one sum. Source: risk.md 2 (realised versus
priced expected loss).
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Table, bindparam, func, select
from sqlalchemy.engine import Connection

from scf.financing.lifecycle import OUT
from scf.financing.models import Advance
from scf.kernel.money import allocate
from scf.ledger.models import Account, Entry, Posting
from scf.offers.models import QuoteLine
from scf.risk.storing import PRICE
from scf.risk.writing import ASSESSMENT

_ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_LINE: Final[Table] = QuoteLine.__table__  # type: ignore[attr-defined]
_ACCOUNT: Final[Table] = Account.__table__  # type: ignore[attr-defined]
_ENTRY: Final[Table] = Entry.__table__  # type: ignore[attr-defined]
_POSTING: Final[Table] = Posting.__table__  # type: ignore[attr-defined]
IMPAIRED: Final = "impairment_loss"
RECOVERED: Final = "recoveries_of_amounts_written_off"
FOR_FAILURE: Final = ("default_own", "default_chain")
LATE_DAYS: Final = 90

_PRICED: Final = (
    select(
        _ADVANCE.c.id,
        _ADVANCE.c.state,
        _ADVANCE.c.currency,
        _ADVANCE.c.face_minor,
        _ADVANCE.c.repaid_minor,
        _ADVANCE.c.diluted_minor,
        _ADVANCE.c.bought_minor,
        _ADVANCE.c.discount_minor,
        _ADVANCE.c.funded_on,
        _ADVANCE.c.due_on,
        _ADVANCE.c.closed_on,
        _LINE.c.components,
        ASSESSMENT.c.grade,
    )
    .join(_LINE, _LINE.c.id == _ADVANCE.c.quote_line_id)
    .join(PRICE, PRICE.c.quote_line_id == _LINE.c.id)
    .join(ASSESSMENT, ASSESSMENT.c.id == PRICE.c.obligor_assessment_id)
    .where(_ADVANCE.c.financier_id == bindparam("financier"), _ADVANCE.c.funded_on.is_not(None))
    .order_by(_ADVANCE.c.funded_on, _ADVANCE.c.id)
)
_BOOKED: Final = (
    select(_ENTRY.c.subject_id, _ACCOUNT.c.code, func.sum(_POSTING.c.amount_minor).label("minor"))
    .join(_ENTRY, _ENTRY.c.id == _POSTING.c.entry_id)
    .join(_ACCOUNT, _ACCOUNT.c.id == _POSTING.c.account_id)
    .where(_ACCOUNT.c.org_id == bindparam("financier"), _ACCOUNT.c.code.in_((IMPAIRED, RECOVERED)))
    .group_by(_ENTRY.c.subject_id, _ACCOUNT.c.code)
)


@dataclass(frozen=True, slots=True)
class Priced:
    """Advances of one vintage or grade in one currency; amounts in its minor units.

    ``charged_over_minor`` is the part of ``charged_minor`` of advances that are over.
    ``lost_minor`` is the impairment booked, ``recovered_minor`` what came back of it.
    """

    name: str
    currency: str
    advances: int
    over: int
    face_minor: int
    charged_minor: int
    charged_over_minor: int
    lost_minor: int
    recovered_minor: int
    overdue_minor: int

    @property
    def net_loss_minor(self) -> int:
        """What the books say was lost and did not come back."""
        return self.lost_minor - self.recovered_minor


@dataclass(frozen=True)
class Losses:
    """By quarter of the pay-out and by grade when priced. ``elsewhere`` is booked on no advance."""

    vintages: tuple[Priced, ...]
    grades: tuple[Priced, ...]
    elsewhere_minor: int


def losses(conn: Connection, financier_id: str, today: dt.date) -> Losses:
    """Hold what a financier's risk prices charged for failures against what it lost."""
    rows = conn.execute(_PRICED, {"financier": financier_id}).all()
    booked: dict[str, dict[str, int]] = defaultdict(dict)
    for row in conn.execute(_BOOKED, {"financier": financier_id}):
        booked[row.subject_id][row.code] = int(row.minor)
    ours = {row.id for row in rows}
    elsewhere = sum(
        sum(amounts.values()) for subject, amounts in booked.items() if subject not in ours
    )
    return Losses(
        _by([(_quarter(row.funded_on), row) for row in rows], booked, today),
        _by([(row.grade, row) for row in rows], booked, today),
        elsewhere,
    )


def charged(components: Mapping[str, int], discount_minor: int) -> int:
    """Give the part of a discount that its rate takes for failures, own and along the chain.

    The discount is split over all components without losing a cent, so that the parts of one
    advance sum to what it paid.
    """
    names = sorted(components)
    weights = [components[name] for name in names]
    if sum(weights) <= 0:
        return 0
    parts = dict(zip(names, allocate(discount_minor, weights), strict=True))
    return sum(parts.get(name, 0) for name in FOR_FAILURE)


def _by(
    rows: Sequence[tuple[str, Any]], booked: Mapping[str, Mapping[str, int]], today: dt.date
) -> tuple[Priced, ...]:
    groups: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for name, row in rows:
        groups[name, row.currency].append(row)
    return tuple(
        Priced(
            name=name,
            currency=currency,
            advances=len(of),
            over=sum(1 for row in of if row.closed_on is not None),
            face_minor=sum(row.face_minor for row in of),
            charged_minor=sum(_charged(row) for row in of),
            charged_over_minor=sum(_charged(row) for row in of if row.closed_on is not None),
            lost_minor=sum(booked.get(row.id, {}).get(IMPAIRED, 0) for row in of),
            recovered_minor=-sum(booked.get(row.id, {}).get(RECOVERED, 0) for row in of),
            overdue_minor=sum(_overdue(row, today) for row in of),
        )
        for (name, currency), of in sorted(groups.items())
    )


def _charged(row: Any) -> int:  # noqa: ANN401 - a row
    return charged(row.components or {}, row.discount_minor)


def _overdue(row: Any, today: dt.date) -> int:  # noqa: ANN401 - a row
    if row.state not in OUT or (today - row.due_on).days <= LATE_DAYS:
        return 0
    return max(int(row.face_minor - row.repaid_minor - row.diluted_minor - row.bought_minor), 0)


def _quarter(day: dt.date) -> str:
    return f"{day.year}-Q{(day.month + 2) // 3}"
