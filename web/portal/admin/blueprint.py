"""The address under which the administrator's pages stand, and who may open them."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Blueprint
from sqlalchemy import select
from sqlmodel import Session, col

from scf.kernel.actor import Actor, Role
from scf.kernel.errors import NotAllowed
from scf.parties.access import authorise
from scf.parties.models import User
from web.context import actor

P = ParamSpec("P")
T = TypeVar("T")
admin = Blueprint("admin", __name__, url_prefix="/admin")


def administrator() -> Actor:
    """Return the administrator who asks.

    Raises
    ------
    NotAllowed
        ``NOT_ALLOWED`` for everybody else.
    """
    who = actor()
    if Role.ADMINISTRATOR not in who.roles:
        raise NotAllowed(
            "NOT_ALLOWED", "These pages are for administrators.", needs_one_of=[Role.ADMINISTRATOR]
        )
    return who


def administrators(view: Callable[P, T]) -> Callable[P, T]:
    """Turn everybody else away before a view, or what guards it, does anything."""

    @wraps(view)
    def guarded(*args: P.args, **more: P.kwargs) -> T:
        administrator()
        return view(*args, **more)

    return guarded


def reader_of_the_trail() -> Actor:
    """Return who asks, when the trail may be read: an administrator or head office.

    Raises
    ------
    NotAllowed
        ``NOT_ALLOWED`` for everybody else.
    """
    who = actor()
    authorise(who, "audit.read")
    return who


def names_of(reading: Session, who: Actor) -> dict[str, str]:
    """Return the names of the organisation's people by their ids, as far as they may be known."""
    rows: Any = reading.execute(
        select(col(User.id), col(User.name)).where(col(User.org_id) == who.org_id)
    )
    return {row.id: row.name for row in rows}
