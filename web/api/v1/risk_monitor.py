"""How what judges firms is watched: drift, calibration, overrides, losses; and its alarms."""

import datetime as dt
from typing import Literal

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.kernel.rates import PPM
from scf.reporting.watching.export import lines
from scf.reporting.watching.figures import figures
from scf.risk.watch.models import ModelAlarm
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer, Reason
from web.api.v1.shell import endpoint, reader, run
from web.context import actor

resource = Blueprint("risk_monitor", __name__)


class MonitorFigure(Answer):
    """One figure. ``value`` is a number, a word, or ``none`` where too little is known to say."""

    section: str
    group: str
    name: str
    measure: str
    value: int | float | str
    unit: str


class MonitorOut(Answer):
    """All that is watched of the card in force and of the models that are heard beside it.

    ``subject`` is empty, and there are no figures, while no firm has been assessed.
    """

    as_of_on: dt.date | None
    subject: str
    figures: list[MonitorFigure]


class MonitorQuery(BaseModel):
    """Which figures: those whose section begins so."""

    model_config = ConfigDict(extra="forbid")
    section: str = Field(default="", max_length=40)


class ModelAlarmOut(Answer):
    """That the score or an input has moved too far; ``subject`` is a card or a model's id."""

    id: str
    subject: str
    what: str
    psi: float
    raised_on: dt.date
    state: Literal["OPEN", "ANSWERED"]
    answered_by: str | None
    answered_at: dt.datetime | None
    answer: str | None


class ModelAlarmPage(Answer):
    """Some of the alarms."""

    items: list[ModelAlarmOut]
    next_cursor: str


class ModelAlarmAnswered(Answer):
    """An alarm after a person has answered it."""

    id: str
    state: Literal["ANSWERED"]


@endpoint(resource, "GET", "/risk-monitor", action="risk.read", answer=MonitorOut)
def get_monitor(query: MonitorQuery) -> MonitorOut:
    """Show all that is watched of what judges firms, one figure a line."""
    with reader() as session:
        found = figures(session.connection(), actor().org_id)
        if found is None:
            return MonitorOut(as_of_on=None, subject="", figures=[])
        told = [one for one in lines(found) if one["section"].startswith(query.section)]
    return MonitorOut(
        as_of_on=found.today,
        subject=found.subject,
        figures=[MonitorFigure(**one) for one in told],
    )


@endpoint(resource, "GET", "/model-alarms", action="risk.read", answer=ModelAlarmPage)
def list_model_alarms(query: PageQuery) -> ModelAlarmPage:
    """List the alarms that nights have raised."""
    with reader() as session:
        rows, following = page(session, select(ModelAlarm), query, col(ModelAlarm.id))
        return ModelAlarmPage(items=[_shown(row) for row in rows], next_cursor=following)


@endpoint(
    resource,
    "POST",
    "/model-alarms/<model_alarm_id>/answer",
    action="risk.answer_alarm",
    answer=ModelAlarmAnswered,
)
def answer_model_alarm(model_alarm_id: str, json: Reason) -> ModelAlarmAnswered:
    """Say what an alarm was and what follows from it."""
    said = {"alarm_id": model_alarm_id, "answer": json.reason}
    return ModelAlarmAnswered.model_validate(run("risk.answer_alarm", said).result)


def _shown(row: ModelAlarm) -> ModelAlarmOut:
    return ModelAlarmOut(
        id=row.id,
        subject=row.subject,
        what=row.what,
        psi=row.psi_ppm / PPM,
        raised_on=row.raised_on,
        state=row.state,
        answered_by=row.answered_by,
        answered_at=row.answered_at,
        answer=row.answer,
    )
