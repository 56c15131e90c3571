"""A person's bearer token: shown once, kept as its digest, good for thirty days at most."""

import datetime as dt
import hashlib
import secrets
from typing import Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from scf.db.runner import Outcome, Runner
from scf.kernel.actor import Actor
from scf.kernel.errors import NotSignedIn
from scf.parties.models import ApiToken
from scf.parties.service import actor_of_user

_table = ApiToken.__table__  # type: ignore[attr-defined]
MAX_DAYS: Final = 30
_PREFIX: Final = "trib_"
_BYTES: Final = 32
_MAX_LENGTH: Final = 200


def new_token() -> str:
    """Return a fresh token of 256 random bits; the prefix lets leak scanners find it."""
    return _PREFIX + secrets.token_urlsafe(_BYTES)


def digest_of(token: str) -> str:
    """Return what the table keeps of a token; random bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def create(
    runner: Runner,
    actor: Actor,
    *,
    user_id: str,
    label: str,
    key: str,
    days: int = MAX_DAYS,
) -> tuple[str | None, Outcome]:
    """Create a token and return it with the command's outcome.

    The token is in no stored answer: when the key is used again there is nothing to show (None).
    """
    token = new_token()
    outcome = runner.run(
        "token.create",
        {"user_id": user_id, "label": label, "days": days, "secret": token},
        actor=actor,
        key=key,
    )
    return (None if outcome.replayed else token), outcome


def actor_of_token(conn: Connection, token: str, now: dt.datetime) -> Actor:
    """Return the person for whom a token acts, with the roles held now.

    Raises
    ------
    NotSignedIn
        ``TOKEN`` for an unknown, expired or revoked token and for a disabled person alike.
    """
    row = None
    if token.startswith(_PREFIX) and len(token) <= _MAX_LENGTH:
        row = conn.execute(
            select(_table.c.user_id).where(
                _table.c.token_digest == digest_of(token),
                _table.c.revoked_at.is_(None),
                _table.c.expires_at > now,
            )
        ).one_or_none()
    actor = actor_of_user(conn, row.user_id) if row is not None else None
    if actor is None:
        raise NotSignedIn("TOKEN", "This token is unknown, expired or withdrawn.")
    return actor
