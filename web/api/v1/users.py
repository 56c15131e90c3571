"""People of one's own organisation."""

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import Session, col

from scf.db.visibility import not_found
from scf.parties.models import User, UserRole
from scf.parties.people import AddUser
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader, run
from web.context import actor

resource = Blueprint("users", __name__)


class UserOut(Answer):
    """A person and the roles held now."""

    id: str
    email: str
    name: str
    org_id: str
    state: str
    roles: list[str]


class UserPage(Answer):
    """Some of the people."""

    items: list[UserOut]
    next_cursor: str


class UserAdded(Answer):
    """The new person."""

    id: str
    org_id: str
    roles: list[str]
    state: str


class UserDisabled(Answer):
    """The person who can act no more."""

    id: str
    state: str


class UserChanged(Answer):
    """The person whose password is new."""

    id: str


class NewPassword(BaseModel):
    """A new password, and one's own present one when it is for oneself."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    password: str = Field(max_length=257)
    current: str = Field(default="", max_length=1000)


@endpoint(resource, "GET", "/users", action="user.read", answer=UserPage)
def list_users(query: PageQuery) -> UserPage:
    """List the people of your organisation (an administrator), else yourself."""
    with reader() as session:
        rows, following = page(session, select(User), query, col(User.id))
        return UserPage(items=_shown(session, list(rows)), next_cursor=following)


@endpoint(resource, "GET", "/users/me", action="user.read", answer=UserOut)
def who_am_i() -> UserOut:
    """Show who you are."""
    return _one(actor().user_id)


@endpoint(resource, "GET", "/users/<user_id>", action="user.read", answer=UserOut)
def get_user(user_id: str) -> UserOut:
    """Show one person."""
    return _one(user_id)


@endpoint(resource, "POST", "/users", action="user.add", answer=UserAdded, status=201)
def add_user(json: AddUser) -> tuple[UserAdded, int]:
    """Add a person to your organisation."""
    return UserAdded.model_validate(run("user.add", json).result), 201


@endpoint(resource, "POST", "/users/<user_id>/disable", action="user.disable", answer=UserDisabled)
def disable_user(user_id: str) -> UserDisabled:
    """End everything the person can do, sessions and tokens included."""
    return UserDisabled.model_validate(run("user.disable", {"user_id": user_id}).result)


@endpoint(
    resource,
    "PUT",
    "/users/<user_id>/password",
    action="user.set_password",
    answer=UserChanged,
)
def set_password(user_id: str, json: NewPassword) -> UserChanged:
    """Set a new password; every session of the person ends."""
    payload = {"user_id": user_id, "password": json.password, "current": json.current}
    return UserChanged.model_validate(run("user.set_password", payload).result)


def _one(user_id: str) -> UserOut:
    with reader() as session:
        row = session.execute(select(User).where(col(User.id) == user_id)).scalar_one_or_none()
        if row is None:
            raise not_found("app_user", user_id)
        return _shown(session, [row])[0]


def _shown(session: Session, rows: list[User]) -> list[UserOut]:
    wanted = [row.id for row in rows]
    roles: dict[str, list[str]] = {}
    held = session.execute(
        select(UserRole).where(col(UserRole.user_id).in_(wanted)).order_by(col(UserRole.role))
    ).scalars()
    for role in held:
        roles.setdefault(role.user_id, []).append(role.role)
    return [
        UserOut(
            id=row.id,
            email=row.email,
            name=row.name,
            org_id=row.org_id,
            state=row.state,
            roles=roles.get(row.id, []),
        )
        for row in rows
    ]
