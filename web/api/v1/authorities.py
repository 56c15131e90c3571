"""Up to which amount each officer's word decides, above the bands of the programmes."""

import datetime as dt

from flask import Blueprint
from sqlalchemy import select
from sqlmodel import col

from scf.financing.authority import SetAuthority
from scf.financing.models import UserAuthority
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader, run

resource = Blueprint("authorities", __name__)


class AuthorityOut(Answer):
    """One person's ceiling in one currency."""

    id: str
    user_id: str
    ceiling: Amount
    set_by: str
    set_at: dt.datetime
    version: int


class AuthorityPage(Answer):
    """Some of the ceilings."""

    items: list[AuthorityOut]
    next_cursor: str


class AuthoritySet(Answer):
    """The ceiling after the change."""

    id: str
    user_id: str
    ceiling: Amount
    version: int


@endpoint(resource, "GET", "/authorities", action="authority.read", answer=AuthorityPage)
def list_authorities(query: PageQuery) -> AuthorityPage:
    """List the ceilings of your organisation's officers."""
    with reader() as session:
        rows, following = page(session, select(UserAuthority), query, col(UserAuthority.id))
        items = [
            AuthorityOut(
                id=row.id,
                user_id=row.user_id,
                ceiling=amount(row.ceiling_minor, row.currency),
                set_by=row.set_by,
                set_at=row.set_at,
                version=row.version,
            )
            for row in rows
        ]
    return AuthorityPage(items=items, next_cursor=following)


@endpoint(resource, "PUT", "/authorities", action="authority.set", answer=AuthoritySet)
def set_authority(json: SetAuthority) -> AuthoritySet:
    """Set up to which amount an officer's word decides; never your own."""
    result = run("authority.set", json).result
    return AuthoritySet(
        id=result["id"],
        user_id=result["user_id"],
        ceiling=amount(result["ceiling_minor"], result["currency"]),
        version=result["version"],
    )
