"""Who sees a table of account numbers: the organisation whose it is."""

from sqlalchemy import ColumnElement
from sqlmodel import col

from scf.accounting.mapping.models import AccountMapping
from scf.db.visibility import visible_to
from scf.kernel.actor import Actor


@visible_to(AccountMapping)
def _own_mappings(actor: Actor) -> ColumnElement[bool]:
    return col(AccountMapping.org_id) == actor.org_id
