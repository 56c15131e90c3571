"""The officers of a financier and what is entrusted to each: for who may entrust it."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Table, select
from sqlmodel import Session, col

from scf.financing.models import UserAuthority
from scf.kernel.actor import Actor
from scf.parties.access import authorise
from scf.parties.models import User, UserRole
from scf.parties.service import people_names
from scf.programmes.approval import CHECKERS, MAKERS

_USER: Final[Table] = User.__table__  # type: ignore[attr-defined]
_ROLE: Final[Table] = UserRole.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Up to which amount an officer's word decides in one currency, and who set it."""

    currency: str
    minor: int
    version: int
    by: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Officer:
    """One officer with the ceilings that are set; without one only the bands say."""

    id: str
    name: str
    roles: tuple[str, ...]
    ceilings: tuple[Ceiling, ...]

    def ceiling(self, currency: str) -> Ceiling | None:
        """Give the ceiling in a currency, if one is set."""
        return next((one for one in self.ceilings if one.currency == currency), None)


def officers(session: Session, who: Actor) -> list[Officer]:
    """Give the active officers of the organisation, by name, for who may read authorities.

    Raises
    ------
    NotAllowed
        For everybody else: whom the bank trusts with how much is its own affair.
    """
    authorise(who, "authority.read")
    conn = session.connection()
    roles = sorted(role.value for role in (*MAKERS, *CHECKERS))
    people: dict[str, tuple[str, list[str]]] = {}
    found = conn.execute(
        select(_USER.c.id, _USER.c.name, _ROLE.c.role)
        .join(_ROLE, _ROLE.c.user_id == _USER.c.id)
        .where(_USER.c.org_id == who.org_id, _USER.c.state == "ACTIVE", _ROLE.c.role.in_(roles))
        .order_by(_USER.c.name, _USER.c.id, _ROLE.c.role)
    )
    for row in found:
        people.setdefault(row.id, (row.name, []))[1].append(row.role)
    rows: list[Any] = list(
        session.execute(
            select(UserAuthority).order_by(col(UserAuthority.currency), col(UserAuthority.id))
        ).scalars()
    )
    setters = people_names(conn, {row.set_by for row in rows})
    return [
        Officer(
            user_id,
            name,
            tuple(held),
            tuple(
                Ceiling(
                    row.currency,
                    row.ceiling_minor,
                    row.version,
                    setters.get(row.set_by, ""),
                    row.set_at,
                )
                for row in rows
                if row.user_id == user_id
            ),
        )
        for user_id, (name, held) in people.items()
    ]
