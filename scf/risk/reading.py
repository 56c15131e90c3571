"""Reading the assessments that a price of today rests on.

Staleness: a price wants the snapshot of the business date itself. One that is at most
:data:`MOST_DAYS` older still prices, and a person decides; without one, or with an older one,
there is no price.
"""

import dataclasses
import datetime as dt
import json
from collections.abc import Collection, Mapping
from fractions import Fraction
from functools import cached_property
from typing import Any, Final

from sqlalchemy import Table, bindparam, select
from sqlalchemy.engine import Connection

from scf.chain.models import GraphSnapshot
from scf.parties.service import zone_of
from scf.risk import champions
from scf.risk.asof import AsOf
from scf.risk.assessing import risk_of
from scf.risk.writing import ASSESSMENT
from scoring.schema import FirmRisk

MOST_DAYS: Final = 5
_SNAPSHOT: Final[Table] = GraphSnapshot.__table__  # type: ignore[attr-defined]
_NEWEST: Final = (
    select(_SNAPSHOT.c.id, _SNAPSHOT.c.as_of_on, _SNAPSHOT.c.known_before)
    .where(
        _SNAPSHOT.c.financier_id == bindparam("financier"),
        _SNAPSHOT.c.as_of_on <= bindparam("on"),
    )
    .order_by(_SNAPSHOT.c.as_of_on.desc())
    .limit(1)
)
_FIRMS: Final = select(ASSESSMENT).where(
    ASSESSMENT.c.snapshot_id == bindparam("snapshot"),
    ASSESSMENT.c.firm_id.in_(bindparam("firms", expanding=True)),
)


@dataclasses.dataclass(frozen=True)
class Stored:
    """An assessment as it stands in the table.

    ``by_model`` tells whether the champion that was asked for it may be read; the card's own
    figures stand beside.
    """

    row: Any  # of risk_assessment, or what a replay made again
    by_model: bool = False

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """What was known."""
        return dict(json.loads(self.row.inputs))

    @cached_property
    def result(self) -> dict[str, Any]:
        """What was concluded."""
        return dict(json.loads(self.row.result))

    @property
    def risk(self) -> FirmRisk:
        """Its risk: the champion's word where that may be read, else the card's."""
        by_card = self.result.get("by_card")
        return risk_of(self.result if self.by_model or by_card is None else by_card)

    @property
    def flags(self) -> list[str]:
        """What leaves a price that rests on it to a person."""
        model = self.result.get("model")
        found = list(self.result["flags"])
        if self.by_model and model is not None and not (self.risk.rated or self.risk.defaulted):
            found += dict.fromkeys(code.partition(":")[0] for code in model["refer"])
        return found

    @property
    def settled_items(self) -> int:
        """Items of the firm that were settled."""
        return int(self.inputs["settled_items"])

    @property
    def late_days(self) -> int:
        """Days by which it pays late, as expected."""
        return int(self.result["late_days"])

    @property
    def sales_52_weeks(self) -> int:
        """Its visible sales, euro cents."""
        return int(self.inputs["sales_52_weeks"])

    @property
    def revenue(self) -> Fraction | None:
        """Its revenue in euros."""
        said = self.inputs["card"]["revenue_eur"]
        return None if said is None else Fraction(said)


@dataclasses.dataclass(frozen=True)
class Morning:
    """The assessments of one snapshot, for some firms, as seen on a business date."""

    snapshot_id: str
    as_of: AsOf
    days_old: int
    firms: Mapping[str, Stored]
    models: frozenset[str] = frozenset()  # champions whose word it reads

    def firm(self, firm_id: str) -> Stored | None:
        """Give the assessment of a firm, or nothing."""
        return self.firms.get(firm_id)


def morning(
    conn: Connection, financier_id: str, on: dt.date, firms: Collection[str]
) -> Morning | None:
    """Give what a price on a business date may rest on; nothing where it may not be priced."""
    found = conn.execute(_NEWEST, {"financier": financier_id, "on": on}).one_or_none()
    if found is None or (on - found.as_of_on).days > MOST_DAYS:
        return None
    rows = conn.execute(_FIRMS, {"snapshot": found.id, "firms": sorted(firms)}).all()
    if not rows:
        return None
    as_of = AsOf(
        financier_id,
        found.as_of_on,
        found.known_before,
        rows[0].sequence,
        zone_of(conn, financier_id),
    )
    asked = frozenset(row.model_id for row in rows if row.model_id is not None)
    by_model = champions.may_price(conn, financier_id, asked)
    stored = {row.firm_id: Stored(row, by_model and row.model_id is not None) for row in rows}
    age = (on - found.as_of_on).days
    return Morning(found.id, as_of, age, stored, asked if by_model else frozenset())
