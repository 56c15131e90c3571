"""If something breaks: the price of a claim worked out again with one thing worse.

Each line changes one input of the stored making of a price and sends it through the same engine,
under the policy of that day: nothing is read anew, nothing is stored, and like the price itself
every line rests on an expert's prior. Source: fraud.md 2.3 (late, fails, downgraded).
"""

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from scf.kernel.rates import PPM, round_half_up
from scf.risk import appetite as policies
from scf.risk.storing import PRICE
from scf.risk.writing import ASSESSMENT
from scoring import canonical
from scoring.card import CardInputs, score
from scoring.hazard import hazard_of
from scoring.policy import Policy, Scale
from scoring.pricing import price
from scoring.scale import floored, grade_of
from scoring.schema import FirmRisk, PriceInputs, PriceResult

LATE_DAYS: Final = 30
# The weight of a customer in the hazard of its supplier is a conditional probability.
_FAILS: Final = 1.0


@dataclasses.dataclass(frozen=True, slots=True)
class Stressed:
    """What one thing going wrong would make of the obligor and of the price.

    ``what`` is ``none`` (as it was priced), ``late``, ``customer`` (the customer whose failure
    would hit the obligor hardest, ``firm_id``) or ``downgrade``. ``rate_bp`` is missing where no
    price could be worked out; ``route`` says who would decide.
    """

    what: str
    firm_id: str
    pd_ppm: int
    grade: str
    rate_bp: int | None
    route: str
    kind: str


def stressed(conn: Connection, line_id: str) -> tuple[Stressed, ...]:
    """Work one stored price out again under each stress; nothing for a price by contract."""
    row = conn.execute(select(PRICE).where(PRICE.c.quote_line_id == line_id)).one_or_none()
    if row is None:
        return ()
    inputs = canonical.load(PriceInputs, row.inputs)
    risk = inputs.obligor
    if risk is None or risk.defaulted:
        return ()
    policy = policies.kept(conn, row.policy_digest).policy
    assessed = conn.execute(
        select(ASSESSMENT.c.inputs, ASSESSMENT.c.splits).where(
            ASSESSMENT.c.id == row.obligor_assessment_id
        )
    ).one()
    card = canonical.load(CardInputs, json.dumps(json.loads(assessed.inputs)["card"]))
    return tuple(
        _told(what, firm_id, price(changed, policy))
        for what, firm_id, changed in _changes(inputs, risk, card, assessed.splits or {}, policy)
    )


def _changes(
    inputs: PriceInputs,
    risk: FirmRisk,
    card: CardInputs,
    splits: Mapping[str, Any],
    policy: Policy,
) -> Iterator[tuple[str, str, PriceInputs]]:
    yield "none", "", inputs
    yield (
        "late",
        "",
        dataclasses.replace(
            inputs,
            late_days=inputs.late_days + LATE_DAYS,
            obligor=later(risk, card, policy),
        ),
    )
    hop = max(splits.get("by_first_hop", ()), key=lambda one: one["weight"], default=None)
    if hop is not None:
        yield "customer", hop["firm"], dataclasses.replace(inputs, obligor=without(risk, hop))
    worse = downgraded(risk, policy.scale)
    if worse is not None:
        yield "downgrade", "", dataclasses.replace(inputs, obligor=worse)


def later(risk: FirmRisk, card: CardInputs, policy: Policy) -> FirmRisk:
    """Give the risk of a firm whose oldest open item is so many days older.

    The expert's card is read again; what comes along the chain stays. A rating stands whatever
    the card says, until the firm is in default by its arrears.
    """
    worse = dataclasses.replace(card, worst_days_past_due=card.worst_days_past_due + LATE_DAYS)
    found = score(worse, policy.card)
    if found.defaulted:
        return dataclasses.replace(risk, defaulted=True, term=None)
    if risk.rated:
        return risk
    own = max(risk.own_hazard, float(policy.model.kappa) * hazard_of(found.pd_one_year))
    total = risk.total_hazard - risk.own_hazard + own
    return risk.moved(own, total)


def without(risk: FirmRisk, hop: Mapping[str, Any]) -> FirmRisk:
    """Give the risk of a firm whose customer has failed: what came from it is now certain.

    The customer's part of the hazard, its weight times its own hazard, becomes the weight itself;
    everything else stays. Exact for the first step along the chain, which is the largest.
    """
    total = risk.total_hazard - float(hop["part"]) + float(hop["weight"]) * _FAILS
    return risk.moved(risk.own_hazard, max(total, risk.total_hazard))


def downgraded(risk: FirmRisk, scale: Scale) -> FirmRisk | None:
    """Give the risk of a firm one grade worse, at the geometric middle of that grade.

    Nothing for the last grade of the scale: below it there is only default.
    """
    _own, lifted, _bound = floored(risk, scale)
    grade = grade_of(-math.expm1(-lifted), scale)
    place = scale.grades.index(grade) + 1
    if place >= len(scale.grades):
        return None
    low = float(scale.grades[place].from_pd)
    high = float(scale.grades[place + 1].from_pd) if place + 1 < len(scale.grades) else 1.0
    total = hazard_of(math.sqrt(low * high))
    chain = risk.total_hazard - risk.own_hazard
    return risk.moved(max(0.0, total - chain), total)


def _told(what: str, firm_id: str, result: PriceResult) -> Stressed:
    pd = result.memo.pd_one_year if result.memo is not None else 1.0
    return Stressed(
        what,
        firm_id,
        round_half_up(Fraction(pd) * PPM),
        result.grade or "",
        result.rate_bp,
        result.route,
        result.kind,
    )
