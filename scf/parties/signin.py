"""Signing in with address and password: throttled, equally slow for everybody, recorded."""

import datetime as dt
from typing import ClassVar, Final

from sqlalchemy import delete, insert, select, update

from scf.db.engine import Database
from scf.kernel.actor import Actor
from scf.kernel.errors import NotSignedIn, ScfError
from scf.kernel.ids import new_id
from scf.parties import passwords, ratelimit
from scf.parties.factors.models import SignInEvent
from scf.parties.models import User
from scf.parties.service import actor_of_user
from scf.parties.sessions import Seen

_user = User.__table__  # type: ignore[attr-defined]
_event = SignInEvent.__table__  # type: ignore[attr-defined]
# Per address of a person: slow enough that guessing is hopeless, short enough that a person who
# mistypes is back after a coffee. Per machine: an office shares one.
PER_PERSON: Final = ratelimit.Limit(tries=10, seconds=900)
PER_MACHINE: Final = ratelimit.Limit(tries=100, seconds=900)
# What one attempt came to. A right password alone is no outcome: the second factor decides.
SIGNED_IN: Final = "SIGNED_IN"
WRONG_PASSWORD: Final = "PASSWORD"  # noqa: S105 - the name of an outcome
WRONG_CODE: Final = "CODE"
REFUSED: Final = "TOO_MANY"
_HISTORY: Final = dt.timedelta(days=400)
_NOBODY: Final = "unknown"


class TooManyTries(ScfError):
    """The same thing was tried too often; ``retry_after`` seconds from now it is possible again."""

    http_status: ClassVar[int] = 429


def sign_in(
    db: Database,
    email: str,
    password: str,
    machine: str,
    now: dt.datetime,
    seen: Seen = Seen(),  # noqa: B008 - frozen
) -> Actor:
    """Return the person whose address and password these are; the second factor comes next.

    Raises
    ------
    TooManyTries
        ``TOO_MANY_TRIES`` for this address or machine, whether or not such a person exists.
    NotSignedIn
        ``SIGN_IN``: one answer, in the same time, for an unknown address, a wrong password and a
        disabled person.
    """
    email = email.strip().lower()[:254]
    for who, limit in ((f"person:{email}", PER_PERSON), (f"machine:{machine}", PER_MACHINE)):
        verdict = ratelimit.hit(db, "sign-in", who, limit, now)
        if not verdict.allowed:
            record(db, _NOBODY, _NOBODY, REFUSED, "password", seen, now)
            raise TooManyTries(
                "TOO_MANY_TRIES",
                "Too many tries. Wait a little before the next.",
                retry_after=verdict.retry_after,
            )
    with db.reader.connect() as conn:
        row = conn.execute(
            select(_user.c.id, _user.c.org_id, _user.c.password_hash).where(_user.c.email == email)
        ).one_or_none()
        fits = passwords.verify(row.password_hash if row else None, password)
        actor = actor_of_user(conn, row.id) if row is not None and fits else None
    if actor is None:
        user_id, org_id = (row.id, row.org_id) if row else (_NOBODY, _NOBODY)
        record(db, user_id, org_id, WRONG_PASSWORD, "password", seen, now)
        raise NotSignedIn("SIGN_IN", "Address or password is not right.")
    if row is not None and passwords.needs_rehash(row.password_hash):
        fresh = passwords.hash_password(password)
        with db.writer.begin() as conn:
            conn.execute(update(_user).where(_user.c.id == row.id).values(password_hash=fresh))
    return actor


def record(
    db: Database,
    user_id: str,
    org_id: str,
    outcome: str,
    method: str,
    seen: Seen,
    now: dt.datetime,
) -> None:
    """Write one attempt into the history that the person and the administrator read.

    What was typed is never part of it, and a row is forgotten after four hundred days.
    """
    with db.writer.begin() as conn:
        conn.execute(
            insert(_event),
            {
                "id": new_id(),
                "at": now,
                "user_id": user_id,
                "org_id": org_id,
                "outcome": outcome,
                "method": method,
                "device": seen.device,
                "place": seen.place,
            },
        )
        conn.execute(delete(_event).where(_event.c.at < now - _HISTORY))
