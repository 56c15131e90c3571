"""Bearer tokens: made for oneself, shown once, withdrawn at any time."""

import datetime as dt

from flask import Blueprint, g
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.parties import tokens
from scf.parties.models import ApiToken
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader, run
from web.context import actor, platform

resource = Blueprint("tokens", __name__)


class TokenOut(Answer):
    """A token without its secret."""

    id: str
    user_id: str
    label: str
    created_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None


class TokenPage(Answer):
    """Some of the tokens."""

    items: list[TokenOut]
    next_cursor: str


class TokenCreated(Answer):
    """The new token; ``token`` is null in a repeated answer, since it is kept nowhere."""

    id: str
    user_id: str
    expires_at: dt.datetime
    token: str | None


class TokenRevoked(Answer):
    """The withdrawn token."""

    id: str
    revoked: bool


class NewToken(BaseModel):
    """What the token is for, and for how long."""

    model_config = ConfigDict(extra="forbid")
    label: str = Field(min_length=1, max_length=200)
    days: int = Field(default=tokens.MAX_DAYS, ge=1, le=tokens.MAX_DAYS, strict=True)


@endpoint(resource, "GET", "/tokens", action="token.read", answer=TokenPage)
def list_tokens(query: PageQuery) -> TokenPage:
    """List your tokens (an administrator: those of the organisation)."""
    with reader() as session:
        rows, following = page(session, select(ApiToken), query, col(ApiToken.id))
        items = [TokenOut.model_validate(row) for row in rows]
    return TokenPage(items=items, next_cursor=following)


@endpoint(resource, "POST", "/tokens", action="token.create", answer=TokenCreated, status=201)
def create_token(json: NewToken) -> tuple[TokenCreated, int]:
    """Make a token for yourself; it is shown in this answer only."""
    who = actor()
    token, outcome = tokens.create(
        platform().runner,
        who,
        user_id=who.user_id,
        label=json.label,
        days=json.days,
        key=g.idempotency_key,
    )
    g.replayed = outcome.replayed
    return TokenCreated.model_validate({**outcome.result, "token": token}), 201


@endpoint(resource, "DELETE", "/tokens/<token_id>", action="token.revoke", answer=TokenRevoked)
def revoke_token(token_id: str) -> TokenRevoked:
    """Withdraw a token."""
    return TokenRevoked.model_validate(run("token.revoke", {"token_id": token_id}).result)
