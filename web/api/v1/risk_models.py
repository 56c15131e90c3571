"""Trained models of a financier: what they were made of, who answers for them, what they may do."""

import datetime as dt
from typing import Literal

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.risk import cards
from scf.risk.models import RiskModel
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer, Reason
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import one

resource = Blueprint("risk_models", __name__)

State = Literal["TRAINED", "VALIDATED", "CHALLENGER", "CHAMPION", "RETIRED", "KILLED"]


class ModelWindow(Answer):
    """Rows of one use, taken between two days, and how many of them failed."""

    use: Literal["train", "calibration", "test"]
    first_on: dt.date
    last_on: dt.date
    rows: int
    failures: int


class ModelInput(Answer):
    """One input as it was in the rows of the training. ``sign``: how risk moves as it rises."""

    name: str
    unit: str
    sign: int
    lowest: float | None
    highest: float | None


class Tenth(Answer):
    """A tenth of the firms of the test window: failures told for a quarter, and that happened."""

    firms: int
    told: float
    failed: int


class ModelOut(Answer):
    """A trained model. ``kind`` is ``trained`` on defaults that happened, or ``simulated``.

    ``calibration_of_card`` is the expert's card on the same firms; empty for simulated ones.
    """

    id: str
    name: str
    kind: Literal["trained", "simulated"]
    state: State
    target: str
    file_digest: str
    schema_hash: str
    data_hash: str
    trained_on: dt.date
    windows: list[ModelWindow]
    inputs: list[ModelInput]
    settings: dict[str, str]
    measures: dict[str, float]
    calibration: list[Tenth]
    calibration_of_card: list[Tenth]
    trained_by: str
    trained_at: dt.datetime
    validated_by: str | None
    validated_at: dt.datetime | None
    validation: str | None
    proposed_by: str | None
    proposed_at: dt.datetime | None
    promoted_by: str | None
    promoted_at: dt.datetime | None
    ended_by: str | None
    ended_at: dt.datetime | None
    end_reason: str | None


class ModelPage(Answer):
    """Some of the models."""

    items: list[ModelOut]
    next_cursor: str


class ModelsQuery(PageQuery):
    """Which models."""

    state: str = Field(default="", max_length=20)


class ModelStep(BaseModel):
    """A model after a step."""

    model_config = ConfigDict(extra="allow")
    id: str
    state: State


@endpoint(resource, "GET", "/risk-models", action="risk.read", answer=ModelPage)
def list_models(query: ModelsQuery) -> ModelPage:
    """List your financier's trained models."""
    statement = select(RiskModel)
    if query.state:
        statement = statement.where(col(RiskModel.state) == query.state)
    with reader() as session:
        rows, following = page(session, statement, query, col(RiskModel.id))
        return ModelPage(items=[ModelOut(**cards.of(row)) for row in rows], next_cursor=following)


@endpoint(resource, "GET", "/risk-models/<model_id>", action="risk.read", answer=ModelOut)
def get_model(model_id: str) -> ModelOut:
    """Show one model."""
    with reader() as session:
        return ModelOut(**cards.of(one(session, RiskModel, model_id)))


@endpoint(
    resource,
    "POST",
    "/risk-models/<model_id>/validate",
    action="model.validate",
    answer=ModelStep,
)
def validate_model(model_id: str, json: Reason) -> ModelStep:
    """Say, as another person than its maker, what you held a model against and what you found."""
    return _step("validate", model_id, json.reason)


@endpoint(
    resource,
    "POST",
    "/risk-models/<model_id>/challenge",
    action="model.challenge",
    answer=ModelStep,
)
def challenge(model_id: str) -> ModelStep:
    """Let a validated model stand beside what prices, to be promoted or put away."""
    return _step("challenge", model_id)


@endpoint(
    resource, "POST", "/risk-models/<model_id>/propose", action="model.propose", answer=ModelStep
)
def propose_model(model_id: str) -> ModelStep:
    """Propose a challenger as champion; another person promotes it."""
    return _step("propose", model_id)


@endpoint(
    resource, "POST", "/risk-models/<model_id>/promote", action="model.promote", answer=ModelStep
)
def promote_model(model_id: str) -> ModelStep:
    """Make a challenger the champion, as another person than who proposed it."""
    return _step("promote", model_id)


@endpoint(
    resource, "POST", "/risk-models/<model_id>/retire", action="model.retire", answer=ModelStep
)
def retire_model(model_id: str, json: Reason) -> ModelStep:
    """Put a model away that is not the champion."""
    return _step("retire", model_id, json.reason)


@endpoint(resource, "POST", "/risk-models/<model_id>/kill", action="model.kill", answer=ModelStep)
def kill_model(model_id: str, json: Reason) -> ModelStep:
    """Stop a champion or challenger at once; one person is enough."""
    return _step("kill", model_id, json.reason)


def _step(name: str, model_id: str, reason: str | None = None) -> ModelStep:
    said = {"model_id": model_id} | ({} if reason is None else {"reason": reason})
    return ModelStep.model_validate(run(f"model.{name}", said).result)
