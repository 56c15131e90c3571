"""What every composer of notices needs: whom to tell, and how a sum is said."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.kernel.actor import Role
from scf.kernel.errors import Words
from scf.kernel.money import format_minor
from scf.parties.models import User, UserRole

_user: Final[Table] = User.__table__  # type: ignore[attr-defined]
_role: Final[Table] = UserRole.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Told:
    """What people are told of one event, and what the page is about that they are led to."""

    org_id: str
    user_ids: tuple[str, ...]
    words: Words
    subject: str
    subject_id: str


def people_of(conn: Connection, org_id: str, *roles: Role) -> tuple[str, ...]:
    """Give the active people of an organisation who hold one of the roles."""
    holders = select(_role.c.user_id).where(_role.c.role.in_([role.value for role in roles]))
    found = conn.execute(
        select(_user.c.id)
        .where(_user.c.org_id == org_id, _user.c.state == "ACTIVE", _user.c.id.in_(holders))
        .order_by(_user.c.id)
    )
    return tuple(found.scalars())


def said(minor: int, currency: str) -> str:
    """Say a sum, its currency before it."""
    return f"{currency} {format_minor(minor, currency)}"
