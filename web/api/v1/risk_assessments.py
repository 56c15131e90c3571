"""Assessments of firms: what the financier thinks of one, and why; for its own people only."""

import datetime as dt
import json
from typing import Any, Literal

from flask import Blueprint
from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from scf.risk.models import RiskAssessment
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader
from web.api.v1.trade import one

resource = Blueprint("risk_assessments", __name__)


class ModelReason(Answer):
    """What one input of a champion did to the chance of default; 100 points are one logit.

    ``chain`` tells whether it speaks of other firms; held against the middle of its training rows.
    """

    input: str
    value: float | None
    points: int
    chain: bool


class Model(Answer):
    """By what a firm was judged.

    ``expert_prior``: by judgement, not estimated, of the policy ``version``. ``trained`` and
    ``simulated``: by the champion of that name; the second prices in a demo world only. ``id`` is
    the champion's wherever one was asked; ``refer`` says why its word does not stand, and
    ``reasons`` which of its inputs moved it most.
    """

    kind: Literal["expert_prior", "trained", "simulated"]
    version: str
    id: str | None
    refer: list[str]
    reasons: list[ModelReason]


class Points(Answer):
    """What one input of the card did to the score; 100 points are one logit."""

    input: str
    value: str | None
    points: int
    missing: bool


class AssessmentOut(Answer):
    """A firm on one morning. ``sequence`` is the last dated fact that could be seen.

    ``pd`` is the one-year probability of default with the chain in it; the hazards are per year,
    without the chain and with it. ``chain`` takes the latter apart by origin, by first hop and by
    number of hops.
    """

    id: str
    firm_id: str
    as_of_on: dt.date
    sequence: int
    model: Model
    grade: str
    pd: float
    pd_card: float
    own_hazard: float
    total_hazard: float
    floor_bound: bool
    flags: list[str]
    points: list[Points]
    inputs: dict[str, Any]
    chain: dict[str, Any] | None
    at: dt.datetime


class AssessmentPage(Answer):
    """Some of the assessments."""

    items: list[AssessmentOut]
    next_cursor: str


class AssessmentsQuery(PageQuery):
    """Which assessments."""

    firm_id: str = Field(default="", max_length=64)
    as_of_on: dt.date | None = None


@endpoint(resource, "GET", "/risk-assessments", action="risk.read", answer=AssessmentPage)
def list_assessments(query: AssessmentsQuery) -> AssessmentPage:
    """List your financier's assessments of firms."""
    statement = select(RiskAssessment)
    if query.firm_id:
        statement = statement.where(col(RiskAssessment.firm_id) == query.firm_id)
    if query.as_of_on is not None:
        statement = statement.where(col(RiskAssessment.as_of_on) == query.as_of_on)
    with reader() as session:
        rows, following = page(session, statement, query, col(RiskAssessment.id))
        return AssessmentPage(items=[_shown(row) for row in rows], next_cursor=following)


@endpoint(
    resource,
    "GET",
    "/risk-assessments/<assessment_id>",
    action="risk.read",
    answer=AssessmentOut,
)
def get_assessment(assessment_id: str) -> AssessmentOut:
    """Show one assessment."""
    with reader() as session:
        return _shown(one(session, RiskAssessment, assessment_id))


def _model(row: RiskAssessment, result: dict[str, Any]) -> Model:
    said = result.get("model")
    by_model = said is not None and said["stands"]
    return Model(
        kind=result["kind"],
        version=said["name"] if said is not None and by_model else row.policy_version,
        id=row.model_id,
        refer=said["refer"] if said is not None else [],
        reasons=[
            ModelReason(input=name, value=value, points=points, chain=chain)
            for name, value, points, chain in said["why"]
        ]
        if said is not None and by_model
        else [],
    )


def _shown(row: RiskAssessment) -> AssessmentOut:
    result = json.loads(row.result)
    return AssessmentOut(
        id=row.id,
        firm_id=row.firm_id,
        as_of_on=row.as_of_on,
        sequence=row.sequence,
        model=_model(row, result),
        grade=row.grade,
        pd=result["pd"],
        pd_card=result["pd_card"],
        own_hazard=result["risk"]["own_hazard"],
        total_hazard=result["risk"]["total_hazard"],
        floor_bound=result["floor_bound"],
        flags=result["flags"],
        points=[
            Points(input=name, value=value, points=points, missing=missing)
            for name, value, points, missing in result["points"]
        ],
        inputs=json.loads(row.inputs),
        chain=row.splits,
        at=row.at,
    )
