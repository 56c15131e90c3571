"""How likely a firm is to default within so many days, as a stored assessment says it.

For whoever sets money aside: the same curve that priced, read from what was stored, so that a
figure can be made again. Probabilities leave here as decimals of twelve places.
"""

import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from scf.chain.models import GraphSnapshot
from scf.db.keys import one_of, told
from scf.risk import appetite as policies
from scf.risk.assessing import risk_of
from scf.risk.storing import PRICE
from scf.risk.writing import ASSESSMENT
from scoring.paths import Path, paths_of

YEAR: Final = 365
_PLACES: Final = Decimal("1e-12")
_SNAPSHOT: Final = GraphSnapshot.__table__  # type: ignore[attr-defined]
_BY_ID: Final = {
    engine: select(
        ASSESSMENT.c.id, ASSESSMENT.c.result, ASSESSMENT.c.policy_digest, ASSESSMENT.c.defaulted
    ).where(these)
    for engine, these in one_of(ASSESSMENT.c.id).items()
}
_PRICED: Final = {
    engine: select(PRICE.c.quote_line_id, PRICE.c.obligor_assessment_id, PRICE.c.result).where(
        these
    )
    for engine, these in one_of(PRICE.c.quote_line_id).items()
}


@dataclass(frozen=True, slots=True)
class Outlook:
    """What one assessment says of a firm's default; ``path`` is by time, its chain in it."""

    assessment_id: str
    defaulted: bool
    path: Path

    def within(self, days: int) -> Decimal:
        """Give the probability of a default within some days, at twelve places."""
        if self.defaulted:
            return Decimal(1)
        return _within(self.path, days)

    @property
    def one_year(self) -> Decimal:
        """The probability of a default within a year."""
        return self.within(YEAR)


@functools.lru_cache(maxsize=100_000)
def _within(path: Path, days: int) -> Decimal:
    if path.knows(days):
        return Decimal(path.within(days)).quantize(_PLACES)
    # Beyond a model's year its risk goes on as in that year.
    alive = (1 - path.within(YEAR)) ** (days / YEAR)
    return Decimal(1 - alive).quantize(_PLACES)


# Assessments are written once, so what was read of one stays true.
_KNOWN: Final[dict[str, Outlook]] = {}
_MOST_KNOWN: Final = 50_000


def outlooks(conn: Connection, assessment_ids: Iterable[str]) -> dict[str, Outlook]:
    """Give what these assessments say, by id."""
    wanted = set(assessment_ids)
    new = wanted - _KNOWN.keys()
    if new:
        if len(_KNOWN) > _MOST_KNOWN:
            _KNOWN.clear()
            new = wanted
        scales: dict[str, Any] = {}
        for row in conn.execute(_BY_ID[conn.dialect.name], {"ids": told(conn, new)}):
            if row.policy_digest not in scales:
                scales[row.policy_digest] = policies.kept(conn, row.policy_digest).policy.scale
            risk = risk_of(json.loads(row.result))
            path = paths_of(risk, scales[row.policy_digest]).total
            _KNOWN[row.id] = Outlook(row.id, bool(row.defaulted), path)
    return {one: _KNOWN[one] for one in wanted if one in _KNOWN}


def newest_of_firms(conn: Connection, financier_id: str, firm_ids: Iterable[str]) -> dict[str, str]:
    """Give the assessments of firms on the newest morning that was assessed, by firm."""
    newest = (
        select(_SNAPSHOT.c.id)
        .where(
            _SNAPSHOT.c.financier_id == financier_id,
            _SNAPSHOT.c.id.in_(
                select(ASSESSMENT.c.snapshot_id).where(ASSESSMENT.c.financier_id == financier_id)
            ),
        )
        .order_by(_SNAPSHOT.c.as_of_on.desc())
        .limit(1)
    )
    snapshot_id = conn.execute(newest).scalar_one_or_none()
    if snapshot_id is None:
        return {}
    these = one_of(ASSESSMENT.c.firm_id)[conn.dialect.name]
    rows = conn.execute(
        select(ASSESSMENT.c.firm_id, ASSESSMENT.c.id).where(
            ASSESSMENT.c.snapshot_id == snapshot_id, these
        ),
        {"ids": told(conn, firm_ids)},
    )
    return {row.firm_id: row.id for row in rows}


@dataclass(frozen=True, slots=True)
class PricedOn:
    """What a risk price rested on: who owes as assessed then, and the loss given default."""

    assessment_id: str
    lgd: Decimal | None


def priced_on(conn: Connection, quote_line_ids: Iterable[str]) -> dict[str, PricedOn]:
    """Give what the prices of quote lines rested on, by line; a contract price has none."""
    found = {}
    for row in conn.execute(_PRICED[conn.dialect.name], {"ids": told(conn, quote_line_ids)}):
        lgd = (json.loads(row.result).get("memo") or {}).get("lgd")
        found[row.quote_line_id] = PricedOn(
            row.obligor_assessment_id,
            None if lgd is None else Decimal(repr(lgd)).quantize(Decimal("1e-6")),
        )
    return found
