"""A notice is its reader's and nobody else's, not even a colleague's."""

from sqlalchemy import ColumnElement, and_
from sqlmodel import col

from scf.db.visibility import visible_to
from scf.kernel.actor import Actor
from scf.notices.models import Notice


@visible_to(Notice)
def _notices(actor: Actor) -> ColumnElement[bool]:
    return and_(col(Notice.user_id) == actor.user_id, col(Notice.org_id) == actor.org_id)
