"""Who sees what is known and thought of a firm: the financier's own people; a firm its statement.

No firm sees an assessment, its own neither: probabilities, grades and points are the bank's.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlmodel import SQLModel, col

from scf.db.visibility import visible_to
from scf.kernel.actor import Actor, Role
from scf.risk.models import (
    ChainArrays,
    FirmFact,
    ModelFile,
    ModelScore,
    PriceAssessment,
    RiskAssessment,
    RiskModel,
    RiskPolicy,
)
from scf.risk.watch.models import ModelAlarm, WatchedMorning

_BANK = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER, Role.HEAD_OFFICE})


@visible_to(FirmFact)
def _facts(actor: Actor) -> ColumnElement[bool]:
    own = and_(col(FirmFact.firm_id) == actor.org_id, col(FirmFact.kind) == "statement")
    if actor.roles & _BANK:
        return or_(col(FirmFact.financier_id) == actor.org_id, own)
    return own


def _of_the_bank(model: type[SQLModel]) -> None:
    financier_id: Any = model.__table__.c.financier_id  # type: ignore[attr-defined]

    @visible_to(model)
    def _rows(actor: Actor) -> ColumnElement[bool]:
        return financier_id == actor.org_id if actor.roles & _BANK else false()


for _model in (
    ChainArrays,
    RiskAssessment,
    PriceAssessment,
    RiskModel,
    ModelScore,
    WatchedMorning,
    ModelAlarm,
):
    _of_the_bank(_model)


@visible_to(RiskPolicy)
def _policies(actor: Actor) -> ColumnElement[bool]:
    return true() if actor.roles & _BANK else false()


@visible_to(ModelFile)
def _files(actor: Actor) -> ColumnElement[bool]:
    own = select(col(RiskModel.file_digest)).where(col(RiskModel.financier_id) == actor.org_id)
    return col(ModelFile.digest).in_(own) if actor.roles & _BANK else false()
