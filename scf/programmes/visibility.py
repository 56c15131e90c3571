"""Who sees programmes and limits: the two sides of the agreement; limits only the financier."""

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import col

from scf.db.visibility import visible_to
from scf.kernel.actor import Actor
from scf.programmes.models import (
    Fixing,
    LimitHold,
    LimitNode,
    Programme,
    ProgrammeClaim,
    ProgrammeVersion,
)
from scf.programmes.registry.models import RegistryMember, RegistryWord


def _is_side(actor: Actor) -> ColumnElement[bool]:
    return or_(
        col(Programme.financier_id) == actor.org_id,
        col(Programme.anchor_id) == actor.org_id,
        col(Programme.seller_id) == actor.org_id,
    )


@visible_to(Programme)
def _both_sides(actor: Actor) -> ColumnElement[bool]:
    return _is_side(actor)


@visible_to(ProgrammeVersion)
def _terms_of_both_sides(actor: Actor) -> ColumnElement[bool]:
    own = select(col(Programme.id)).where(_is_side(actor))
    return col(ProgrammeVersion.programme_id).in_(own)


@visible_to(Fixing)
def _own_fixings(actor: Actor) -> ColumnElement[bool]:
    return col(Fixing.org_id) == actor.org_id


@visible_to(LimitNode)
def _own_limits(actor: Actor) -> ColumnElement[bool]:
    return col(LimitNode.financier_id) == actor.org_id


@visible_to(LimitHold)
def _own_holds(actor: Actor) -> ColumnElement[bool]:
    own = select(col(LimitNode.id)).where(col(LimitNode.financier_id) == actor.org_id)
    return col(LimitHold.node_id).in_(own)


@visible_to(ProgrammeClaim)
def _own_claims(actor: Actor) -> ColumnElement[bool]:
    return col(ProgrammeClaim.financier_id) == actor.org_id


@visible_to(RegistryMember)
def _own_membership(actor: Actor) -> ColumnElement[bool]:
    return col(RegistryMember.financier_id) == actor.org_id


@visible_to(RegistryWord)
def _own_answers(actor: Actor) -> ColumnElement[bool]:
    return col(RegistryWord.financier_id) == actor.org_id
