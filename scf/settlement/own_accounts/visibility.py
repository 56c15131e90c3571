"""Who sees how an account is served: the organisation whose account it is."""

from sqlalchemy import ColumnElement
from sqlmodel import col

from scf.db.visibility import visible_to
from scf.kernel.actor import Actor
from scf.settlement.own_accounts.models import AccountSetup


@visible_to(AccountSetup)
def _own_setups(actor: Actor) -> ColumnElement[bool]:
    return col(AccountSetup.org_id) == actor.org_id
