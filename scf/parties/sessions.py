"""Signed-in browsers: a random id in the cookie, its digest and everything else in the table.

A session ends when it is revoked (sign-out, a new password, a disabled person), when nobody used
it for the idle time, or at its absolute end. Since nothing but the id is in the browser, an old
cookie that is replayed finds nothing. Sessions are no state of business: they are written in
short transactions of their own, outside the command runner.
"""

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from scf.db.engine import Database
from scf.kernel.actor import Actor
from scf.parties.models import WebSession
from scf.parties.service import actor_of_user

_table = WebSession.__table__  # type: ignore[attr-defined]
_ID_BYTES = 32
# How stale "last seen" may be; saves a write per request.
TOUCH = dt.timedelta(seconds=60)
_FORGET = dt.timedelta(days=30)
# Between the password and the second factor, and while a factor is set up.
_HALF = dt.timedelta(minutes=10)
_ENROLLING = dt.timedelta(minutes=30)
# A rotated id answers the requests that were under way with it, and no more.
_OVERLAP = dt.timedelta(seconds=10)
FULL: Final = "FULL"
CODE: Final = "CODE"
ENROL: Final = "ENROL"
_SHOWN_OF_DIGEST = 16


@dataclass(frozen=True)
class Lifetimes:
    """How long a session lives without use, and at most."""

    idle: dt.timedelta = dt.timedelta(minutes=30)
    absolute: dt.timedelta = dt.timedelta(hours=12)


@dataclass(frozen=True)
class Live:
    """A session that is good now, and the person it acts for."""

    digest: str
    actor: Actor
    stage: str = FULL
    data: dict[str, Any] = field(default_factory=dict)
    expires_at: dt.datetime | None = None


def digest_of(session_id: str) -> str:
    """Return what the table keeps of a session id."""
    return hashlib.sha256(session_id.encode()).hexdigest()


@dataclass(frozen=True)
class Seen:
    """From where a browser speaks, as its owner may recognise it."""

    device: str = ""
    place: str = ""


def start(
    db: Database,
    user_id: str,
    data: dict[str, Any],
    now: dt.datetime,
    lifetimes: Lifetimes,
    *,
    instead_of: str | None = None,
    stage: str = FULL,
    seen: Seen = Seen(),
) -> str:
    """Open a session and return its id; the one it replaces, if any, ends in the same act.

    One that waits for the second factor lives some minutes and acts for nobody.
    """
    session_id = secrets.token_urlsafe(_ID_BYTES)
    lasts = {FULL: lifetimes.absolute, CODE: _HALF, ENROL: _ENROLLING}
    with db.writer.begin() as conn:
        if instead_of:
            _revoke(conn, _table.c.id_digest == digest_of(instead_of), now)
        conn.execute(
            insert(_table),
            {
                "id_digest": digest_of(session_id),
                "user_id": user_id,
                "stage": stage,
                "device": seen.device,
                "place": seen.place,
                "data": data,
                "created_at": now,
                "last_seen_at": now,
                "expires_at": now + lasts[stage],
            },
        )
        conn.execute(delete(_table).where(_table.c.expires_at < now - _FORGET))
    return session_id


def load(db: Database, session_id: str, now: dt.datetime, lifetimes: Lifetimes) -> Live | None:
    """Return the session if it is good now; roles and state of the person are read afresh."""
    digest = digest_of(session_id)
    with db.reader.connect() as conn:
        row = conn.execute(
            select(_table).where(
                _table.c.id_digest == digest,
                _table.c.revoked_at.is_(None),
                _table.c.expires_at > now,
                _table.c.last_seen_at > now - lifetimes.idle,
            )
        ).one_or_none()
        actor = actor_of_user(conn, row.user_id) if row is not None else None
    if row is None or actor is None:
        return None
    if now - row.last_seen_at >= TOUCH:
        with db.writer.begin() as conn:
            conn.execute(
                update(_table).where(_table.c.id_digest == digest).values(last_seen_at=now)
            )
    return Live(digest, actor, row.stage, dict(row.data), row.expires_at)


def rotate(db: Database, session_id: str, now: dt.datetime) -> str:
    """Give a session a new id, as after each proof of identity; the rest stays as it is.

    The old id ends after a few seconds: the second press of the same button is under way with it.
    """
    fresh = secrets.token_urlsafe(_ID_BYTES)
    old = _table.c.id_digest == digest_of(session_id)
    with db.writer.begin() as conn:
        row = conn.execute(select(_table).where(old)).mappings().one()
        conn.execute(insert(_table), {**row, "id_digest": digest_of(fresh), "last_seen_at": now})
        ends = min(row["expires_at"], now + _OVERLAP)
        conn.execute(update(_table).where(old).values(expires_at=ends))
    return fresh


def lapsed(
    db: Database, session_id: str, now: dt.datetime, lifetimes: Lifetimes
) -> tuple[str, dict[str, Any]] | None:
    """Return whose session this was and what it carried, when only time has ended it today.

    It acts for nobody; but the form that arrives with it was its owner's, and is kept for the
    owner to send again. A session that was ended on purpose is not found.
    """
    with db.reader.connect() as conn:
        row = conn.execute(
            select(_table).where(
                _table.c.id_digest == digest_of(session_id),
                _table.c.stage == FULL,
                _table.c.revoked_at.is_(None),
                _table.c.last_seen_at > now - lifetimes.absolute,
                (_table.c.last_seen_at <= now - lifetimes.idle) | (_table.c.expires_at <= now),
            )
        ).one_or_none()
        known = row is not None and actor_of_user(conn, row.user_id) is not None
    return (row.user_id, dict(row.data)) if row is not None and known else None


def keep(db: Database, session_id: str, data: dict[str, Any]) -> None:
    """Store what the session carries."""
    with db.writer.begin() as conn:
        conn.execute(
            update(_table).where(_table.c.id_digest == digest_of(session_id)).values(data=data)
        )


def end(db: Database, session_id: str, now: dt.datetime) -> None:
    """End one session."""
    with db.writer.begin() as conn:
        _revoke(conn, _table.c.id_digest == digest_of(session_id), now)


def end_all(conn: Connection, user_id: str, now: dt.datetime) -> None:
    """End every session of a person, inside the command that makes it necessary."""
    _revoke(conn, _table.c.user_id == user_id, now)


def end_one(conn: Connection, user_id: str, shown_id: str, now: dt.datetime) -> int:
    """End the session of a person that :func:`of_user` lists under this id; gives how many."""
    found = conn.execute(
        update(_table)
        .where(
            _table.c.user_id == user_id,
            _table.c.id_digest.startswith(shown_id, autoescape=True),
            _table.c.revoked_at.is_(None),
        )
        .values(revoked_at=now)
        .returning(_table.c.id_digest)
    )
    return len(found.all())


def of_user(
    conn: Connection, user_id: str, now: dt.datetime, lifetimes: Lifetimes
) -> list[dict[str, Any]]:
    """List the live sessions of a person by a prefix of their digest, the last used first."""
    rows = conn.execute(
        select(_table)
        .where(
            _table.c.user_id == user_id,
            _table.c.stage == FULL,
            _table.c.revoked_at.is_(None),
            _table.c.expires_at > now + _OVERLAP,
            _table.c.last_seen_at > now - lifetimes.idle,
        )
        .order_by(_table.c.last_seen_at.desc(), _table.c.id_digest)
    )
    return [
        {
            "id": row.id_digest[:_SHOWN_OF_DIGEST],
            "device": row.device,
            "place": row.place,
            "created_at": row.created_at,
            "last_seen_at": row.last_seen_at,
        }
        for row in rows
    ]


def _revoke(conn: Connection, which: Any, now: dt.datetime) -> None:  # noqa: ANN401
    conn.execute(update(_table).where(which, _table.c.revoked_at.is_(None)).values(revoked_at=now))
