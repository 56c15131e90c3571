"""The grade that people give a firm instead of the model's: what stands, and what one would do.

It moves the probability of the firm alone, before the chain: what reaches it from its customers
stays, and who sells to it feels it as the model has it. It ends on its day, by itself.
"""

import dataclasses
import json
from datetime import date
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

from scf.chain.models import GraphSnapshot
from scf.kernel.rates import PPM, round_half_up
from scf.risk import appetite as policies
from scf.risk import opinions
from scf.risk.asof import morning_of
from scf.risk.assessing import assess, risk_of
from scf.risk.firmfacts import FACT
from scf.risk.members import firms_of
from scf.risk.storing import PRICE
from scf.risk.writing import ASSESSMENT
from scoring import canonical
from scoring.policy import Policy
from scoring.pricing import price
from scoring.schema import PriceInputs, PriceResult

_SNAPSHOT: Final[Table] = GraphSnapshot.__table__  # type: ignore[attr-defined]


@dataclasses.dataclass(frozen=True, slots=True)
class Graded:
    """A firm as it is assessed, and as people would have it: grade, one-year PD, who decides."""

    notches: int
    grade_before: str
    grade_after: str
    pd_before_ppm: int
    pd_after_ppm: int
    route_before: str
    route_after: str
    result: dict[str, Any]  # of the assessment that would be


def grade_that_stands(
    conn: Connection, financier_id: str, firm_id: str, today: date
) -> Row[Any] | None:
    """Give the word of people on a firm's grade that counts by now, if it is not over."""
    row = conn.execute(
        select(FACT)
        .where(
            FACT.c.financier_id == financier_id,
            FACT.c.firm_id == firm_id,
            FACT.c.kind == "grade",
            FACT.c.known_at.is_not(None),
        )
        .order_by(FACT.c.known_at.desc(), FACT.c.id.desc())
        .limit(1)
    ).one_or_none()
    return row if row is not None and row.valid_to >= today else None


def newest(conn: Connection, financier_id: str, firm_id: str) -> Row[Any] | None:
    """Give the newest assessment of a firm."""
    return conn.execute(
        select(ASSESSMENT)
        .where(ASSESSMENT.c.financier_id == financier_id, ASSESSMENT.c.firm_id == firm_id)
        .order_by(ASSESSMENT.c.as_of_on.desc())
        .limit(1)
    ).one_or_none()


def is_refused(conn: Connection, financier_id: str, firm_id: str) -> bool:
    """Tell whether the policy finances nothing that the firm owes."""
    row = newest(conn, financier_id, firm_id)
    return row is not None and _route(row.grade, policies.in_force().policy) == "refuse"


def graded(conn: Connection, financier_id: str, firm_id: str, notches: int) -> Graded | None:
    """Work out what a grade of people's would make of a firm on the morning it stands on.

    The whole chain is assessed again with this firm so many columns off; nothing is stored, and
    nothing is said of a firm without an assessment, or in default.
    """
    row = newest(conn, financier_id, firm_id)
    if row is None or row.defaulted:
        return None
    appetite = policies.kept(conn, row.policy_digest)
    stored = json.loads(row.result)
    snapshot = conn.execute(select(_SNAPSHOT).where(_SNAPSHOT.c.id == row.snapshot_id)).one()
    morning = morning_of(conn, snapshot, row.sequence)
    found = assess(
        conn,
        morning,
        appetite,
        firms_of(conn, morning, snapshot.id),
        champion=opinions.stored(conn, snapshot.id),
        notches={firm_id: notches},
    )
    made = next(one for one in found if one.firm_id == firm_id)
    result = json.loads(made.result)
    return Graded(
        notches,
        row.grade,
        made.grade,
        _ppm(stored["pd"]),
        _ppm(result["pd"]),
        _route(row.grade, appetite.policy),
        _route(made.grade, appetite.policy),
        result,
    )


def repriced(conn: Connection, line_id: str, what_if: Graded) -> tuple[PriceResult, PriceResult]:
    """Give a stored price, and what the same claim would cost with who owes graded so."""
    row = conn.execute(select(PRICE).where(PRICE.c.quote_line_id == line_id)).one()
    result = what_if.result
    # By which of the two it was priced: a champion that had been stopped said nothing in it.
    said = result if row.model_id is not None else result.get("by_card", result)
    inputs = dataclasses.replace(canonical.load(PriceInputs, row.inputs), obligor=risk_of(said))
    policy = policies.kept(conn, row.policy_digest).policy
    return canonical.load(PriceResult, row.result), price(inputs, policy)


def _route(grade: str, policy: Policy) -> str:
    return next((one.route for one in policy.scale.grades if one.name == grade), "refuse")


def _ppm(probability: float) -> int:
    return round_half_up(Fraction(probability) * PPM)
