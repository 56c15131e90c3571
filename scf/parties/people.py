"""Commands on people: adding, disabling, passwords, tokens.

A password or a token is in no stored answer and in no digest of a request: those fields are
excluded from every dump, and a password is hashed while its input is read, before any transaction.
"""

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from sqlalchemy import delete, insert, select, update

from scf.db.audit import PERSONAL, SECRET
from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.kernel.actor import Role
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, Words
from scf.kernel.ids import new_id
from scf.parties import passwords, sessions, tokens
from scf.parties.access import ROLES_OF_KIND
from scf.parties.identifiers import clean_text
from scf.parties.identity.lookup import reindex
from scf.parties.identity.resolving import not_merged
from scf.parties.models import ApiToken, Firm, User, UserRole

_firm = Firm.__table__  # type: ignore[attr-defined]
_user = User.__table__  # type: ignore[attr-defined]
_role = UserRole.__table__  # type: ignore[attr-defined]
_token = ApiToken.__table__  # type: ignore[attr-defined]
_EMAIL = r"^[^@\s<>\"',;:()\[\]\\]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"

constraint_means(
    "uq_user_email",
    "app_user.email",
    lambda: Conflict("EMAIL_TAKEN", "Somebody already signs in with this address."),
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class _WithPassword(_Input):
    """An input that carries a password and turns it into its hash at once."""

    password: str = Field(
        exclude=True, max_length=passwords.MAX_LENGTH + 1, json_schema_extra={**SECRET}
    )
    _hash: str = PrivateAttr(default="")

    def model_post_init(self, _context: Any, /) -> None:  # noqa: ANN401 - pydantic's signature
        """Hash outside the transaction: argon2 is slow on purpose."""
        if len(self.password) <= passwords.MAX_LENGTH:
            self._hash = passwords.hash_password(self.password)

    def hash_for(self, *context: str) -> str:
        """Return the hash after checking the password against what is known of its owner."""
        passwords.check(self.password, context)
        return self._hash


class AddUser(_WithPassword):
    """A person of one organisation, with roles and a first password."""

    email: str = Field(max_length=254, pattern=_EMAIL, json_schema_extra={**PERSONAL})
    name: str = Field(min_length=1, max_length=200, json_schema_extra={**PERSONAL})
    org_id: str | None = Field(default=None, max_length=64)
    roles: list[Role] = Field(min_length=1, max_length=8)


class SetPassword(_WithPassword):
    """A new password; for oneself together with the present one."""

    user_id: str | None = Field(default=None, max_length=64)
    current: str = Field(default="", exclude=True, max_length=1000, json_schema_extra={**SECRET})


class DisableUser(_Input):
    """A person who may do nothing from now on."""

    user_id: str = Field(max_length=64)


class SetRoles(_Input):
    """The roles that a person holds from now on, in place of those before."""

    user_id: str = Field(max_length=64)
    roles: list[Role] = Field(min_length=1, max_length=8)


class RevokeSession(_Input):
    """A signed-in browser that is to be signed out, by the id that the list shows."""

    user_id: str | None = Field(default=None, max_length=64)
    session_id: str = Field(pattern=r"^[0-9a-f]{16}$")


class CreateToken(_Input):
    """A token that the caller has made; only its digest is kept."""

    user_id: str | None = Field(default=None, max_length=64)
    label: str = Field(min_length=1, max_length=200)
    days: int = Field(default=tokens.MAX_DAYS, ge=1, le=tokens.MAX_DAYS, strict=True)
    secret: str = Field(exclude=True, min_length=40, max_length=200, json_schema_extra={**SECRET})


class RevokeToken(_Input):
    """A token that is good for nothing from now on."""

    token_id: str = Field(max_length=64)


@command("user.add", AddUser)
def add_user(ctx: Context, data: AddUser) -> dict[str, Any]:
    """The person may sign in for the organisation, in the roles that its kind has.

    Raises
    ------
    Conflict
        ``EMAIL_TAKEN``: one address, one person.
    InvalidInput
        ``ROLE`` for a role that this kind of organisation does not have.
    """
    org_id = data.org_id or ctx.actor.org_id
    if org_id != ctx.actor.org_id and not ctx.actor.is_operator:
        raise NotAllowed("NOT_ALLOWED", "You add people to your own organisation only.")
    org = ctx.visible(Firm, org_id)
    not_merged(ctx.conn, org.id)
    _check_roles(data.roles, org.kind)
    user_id, name = new_id(), clean_text(data.name, Words("name"), 200)
    ctx.conn.execute(
        insert(_user),
        {
            "id": user_id,
            "email": data.email.lower(),
            "name": name,
            "org_id": org_id,
            "password_hash": data.hash_for(data.email, name, org.name),
            "state": "ACTIVE",
            "created_at": ctx.now,
        },
    )
    roles = sorted(set(data.roles))
    ctx.conn.execute(insert(_role), [{"user_id": user_id, "role": role} for role in roles])
    reindex(ctx.conn, org_id)
    ctx.change("user", user_id, None, {"org_id": org_id, "roles": roles, "state": "ACTIVE"})
    return {"id": user_id, "org_id": org_id, "roles": roles, "state": "ACTIVE"}


def add_service_person(ctx: Context, org_id: str, name: str, role: Role) -> str:
    """A program of the organisation acts in its own name and role; nobody signs in as it.

    It has no password and no token, its address receives nothing, and an administrator sees,
    disables and re-roles it like everybody. Gives its id.
    """
    org = ctx.visible(Firm, org_id)
    _check_roles([role], org.kind)
    user_id = new_id()
    ctx.conn.execute(
        insert(_user),
        {
            "id": user_id,
            "email": f"{user_id}@programs.invalid",
            "name": name,
            "org_id": org_id,
            "password_hash": None,
            "state": "ACTIVE",
            "created_at": ctx.now,
        },
    )
    ctx.conn.execute(insert(_role), {"user_id": user_id, "role": role})
    ctx.change("user", user_id, None, {"org_id": org_id, "roles": [role], "state": "ACTIVE"})
    return user_id


def end_service_person(ctx: Context, user_id: str) -> None:
    """The program acts no more."""
    ctx.conn.execute(update(_user).where(_user.c.id == user_id).values(state="DISABLED"))
    ctx.change("user", user_id, {"state": "ACTIVE"}, {"state": "DISABLED"})


@command("user.set_password", SetPassword)
def set_password(ctx: Context, data: SetPassword) -> dict[str, Any]:
    """The new password holds, and every session the person had anywhere is over."""
    user = ctx.visible(User, data.user_id or ctx.actor.user_id)
    own = user.id == ctx.actor.user_id
    if own and not passwords.verify(user.password_hash, data.current):
        raise InvalidInput("PASSWORD_CURRENT", "The present password is not right.")
    org = ctx.conn.execute(select(_firm.c.name).where(_firm.c.id == user.org_id)).scalar_one()
    ctx.conn.execute(
        update(_user)
        .where(_user.c.id == user.id)
        .values(password_hash=data.hash_for(user.email, user.name, org))
    )
    sessions.end_all(ctx.conn, user.id, ctx.now)
    ctx.change("user", user.id, None, {"password": "changed"})
    ctx.emit("user.password_set", {"user_id": user.id}, org_id=user.org_id)
    return {"id": user.id}


@command("user.disable", DisableUser)
def disable_user(ctx: Context, data: DisableUser) -> dict[str, Any]:
    """The person can act no more: sessions end and tokens are withdrawn in the same moment."""
    user = ctx.visible(User, data.user_id)
    if user.id == ctx.actor.user_id:
        raise Conflict("SELF", "You cannot disable yourself.")
    if user.state == "DISABLED":
        raise Conflict("ILLEGAL_TRANSITION", "This person is disabled already.", id=user.id)
    ctx.conn.execute(update(_user).where(_user.c.id == user.id).values(state="DISABLED"))
    ctx.conn.execute(
        update(_token)
        .where(_token.c.user_id == user.id, _token.c.revoked_at.is_(None))
        .values(revoked_at=ctx.now)
    )
    sessions.end_all(ctx.conn, user.id, ctx.now)
    reindex(ctx.conn, user.org_id)
    ctx.change("user", user.id, {"state": "ACTIVE"}, {"state": "DISABLED"})
    return {"id": user.id, "state": "DISABLED"}


@command("user.set_roles", SetRoles)
def set_roles(ctx: Context, data: SetRoles) -> dict[str, Any]:
    """The person may do from now on what these roles may, in every session that is open.

    Raises
    ------
    Conflict
        ``SELF``: nobody changes the own roles, so an organisation keeps its administrator.
    InvalidInput
        ``ROLE`` for a role that this kind of organisation does not have.
    """
    user = ctx.visible(User, data.user_id)
    if user.id == ctx.actor.user_id:
        raise Conflict("SELF", "Another administrator changes your roles.")
    kind = ctx.conn.execute(select(_firm.c.kind).where(_firm.c.id == user.org_id)).scalar_one()
    _check_roles(data.roles, kind)
    held = _role.c.user_id == user.id
    before = sorted(ctx.conn.execute(select(_role.c.role).where(held)).scalars())
    roles = sorted(set(data.roles))
    ctx.conn.execute(delete(_role).where(held))
    ctx.conn.execute(insert(_role), [{"user_id": user.id, "role": role} for role in roles])
    ctx.change("user", user.id, {"roles": before}, {"roles": roles})
    ctx.emit("user.roles_set", {"user_id": user.id, "roles": roles}, org_id=user.org_id)
    return {"id": user.id, "roles": roles}


def _check_roles(roles: list[Role], kind: str) -> None:
    wrong = set(roles) - ROLES_OF_KIND[kind]
    if wrong:
        raise InvalidInput("ROLE", "This organisation has no such role.", roles=sorted(wrong))


@command("session.revoke", RevokeSession)
def revoke_session(ctx: Context, data: RevokeSession) -> dict[str, Any]:
    """The browser is signed out: the own one, or for an administrator one of the own people."""
    user = ctx.visible(User, data.user_id or ctx.actor.user_id)
    if not sessions.end_one(ctx.conn, user.id, data.session_id, ctx.now):
        raise NotFound("NOT_FOUND", "No session with this id.", id=data.session_id)
    ctx.change("session", data.session_id, None, {"user_id": user.id, "revoked": True})
    return {"id": data.session_id, "revoked": True}


@command("token.create", CreateToken)
def create_token(ctx: Context, data: CreateToken) -> dict[str, Any]:
    """The person's programs may act for that person until the token expires.

    Nobody makes a token for somebody else (it would be acting as somebody else), the operator of
    the installation excepted.
    """
    user_id = data.user_id or ctx.actor.user_id
    if user_id != ctx.actor.user_id and not ctx.actor.is_operator:
        raise NotAllowed("NOT_ALLOWED", "You create tokens for yourself only.")
    user = ctx.visible(User, user_id)
    if user.state != "ACTIVE":
        raise Conflict("USER_DISABLED", "This person is disabled.", id=user_id)
    token_id, expires_at = new_id(), ctx.now + dt.timedelta(days=data.days)
    ctx.conn.execute(
        insert(_token),
        {
            "id": token_id,
            "user_id": user_id,
            "token_digest": tokens.digest_of(data.secret),
            "label": clean_text(data.label, Words("label"), 200),
            "created_at": ctx.now,
            "expires_at": expires_at,
        },
    )
    ctx.change("api_token", token_id, None, {"user_id": user_id})
    return {"id": token_id, "user_id": user_id, "expires_at": expires_at.isoformat()}


@command("token.revoke", RevokeToken)
def revoke_token(ctx: Context, data: RevokeToken) -> dict[str, Any]:
    """The token is good for nothing; withdrawing it twice changes nothing."""
    row = ctx.visible(ApiToken, data.token_id)
    ctx.conn.execute(
        update(_token)
        .where(_token.c.id == row.id, _token.c.revoked_at.is_(None))
        .values(revoked_at=ctx.now)
    )
    ctx.change("api_token", row.id, None, {"revoked": True})
    return {"id": row.id, "revoked": True}
