"""Who sees what is set aside: the financier alone. What it thinks of a case is nobody else's."""

from sqlalchemy import ColumnElement, true
from sqlmodel import col

from scf.db.visibility import visible_to
from scf.impairment.models import (
    AllowanceMovement,
    ImpairmentPolicy,
    ImpairmentProposal,
    LossAllowance,
)
from scf.kernel.actor import Actor


@visible_to(LossAllowance)
def _own_allowances(actor: Actor) -> ColumnElement[bool]:
    return col(LossAllowance.financier_id) == actor.org_id


@visible_to(AllowanceMovement)
def _own_movements(actor: Actor) -> ColumnElement[bool]:
    return col(AllowanceMovement.financier_id) == actor.org_id


@visible_to(ImpairmentProposal)
def _own_proposals(actor: Actor) -> ColumnElement[bool]:
    return col(ImpairmentProposal.financier_id) == actor.org_id


@visible_to(ImpairmentPolicy)
def _policies(_actor: Actor) -> ColumnElement[bool]:
    return true()
