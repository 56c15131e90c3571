"""Proving to be oneself by a second factor: throttled, and every proof accepted once only.

Like sessions, a use is no state of business: it is written in a short transaction of its own,
before the command that it lets through. The unique key of the use decides between two workers
that are handed the same code at once.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from scf.db.engine import Database
from scf.db.models import SecurityEvent
from scf.kernel.actor import Actor
from scf.kernel.errors import RuleViolation
from scf.kernel.ids import new_id
from scf.parties import ratelimit
from scf.parties.factors import codes
from scf.parties.factors.models import FactorUse, Passkey, RecoveryCode, TotpFactor
from scf.parties.factors.vault import Vault
from scf.parties.signin import TooManyTries

_totp = TotpFactor.__table__  # type: ignore[attr-defined]
_passkey = Passkey.__table__  # type: ignore[attr-defined]
_recovery = RecoveryCode.__table__  # type: ignore[attr-defined]
_use = FactorUse.__table__  # type: ignore[attr-defined]
_event = SecurityEvent.__table__  # type: ignore[attr-defined]
_USE: Final[dict[str, Any]] = {
    "sqlite": sqlite.insert(_use).on_conflict_do_nothing().returning(_use.c.id),
    "postgresql": postgresql.insert(_use).on_conflict_do_nothing().returning(_use.c.id),
}
# Only failures count. Three of a million codes are right at any moment: thirty tries a day leave
# somebody who knows the password a chance of one in ten thousand a day.
PER_PERSON: Final = (
    ratelimit.Limit(tries=10, seconds=900),
    ratelimit.Limit(tries=30, seconds=86_400),
)
PER_MACHINE: Final = ratelimit.Limit(tries=100, seconds=900)
SIGN_IN: Final = "sign-in"
STEP_UP: Final = "step-up"
ENROL: Final = "enrol"


@dataclass(frozen=True)
class Purpose:
    """What a proof is for: which act, of which digest, sent with which form."""

    name: str = SIGN_IN
    bound_to: str = ""
    form_key: str = ""


@dataclass(frozen=True)
class Evidence:
    """That a person proved to be that person, for one purpose; what an e-signature check names."""

    id: str
    user_id: str
    method: str
    bound_to: str
    at: dt.datetime


@dataclass(frozen=True)
class PasskeyLine:
    """A passkey as its owner sees it."""

    id: str
    credential_id: str
    public_key: str = field(repr=False)
    sign_count: int
    label: str
    created_at: dt.datetime
    last_used_at: dt.datetime | None


@dataclass(frozen=True)
class Factors:
    """By what a person may prove to be that person now."""

    totp_since: dt.datetime | None = None
    passkeys: tuple[PasskeyLine, ...] = ()
    own_codes: int = 0
    handed_over: int = 0
    ever: bool = False

    @property
    def totp(self) -> bool:
        """Whether an authenticator is set up."""
        return self.totp_since is not None

    @property
    def strong(self) -> bool:
        """Whether the person can sign: a recovery code alone opens nothing but enrolment."""
        return self.totp or bool(self.passkeys)

    @property
    def first_time(self) -> bool:
        """Whether the password alone may open enrolment: only before there ever was a factor.

        After a reset it takes the code that was handed over, also when that has expired.
        """
        return not (self.strong or self.ever)


def factors_of(conn: Connection, user_id: str, now: dt.datetime) -> Factors:
    """Read what a person can prove identity by."""
    since = conn.execute(
        select(_totp.c.created_at).where(_totp.c.user_id == user_id)
    ).scalar_one_or_none()
    keys = conn.execute(
        select(_passkey).where(_passkey.c.user_id == user_id).order_by(_passkey.c.id)
    )
    usable = _usable(user_id, now)
    ever = bool(
        conn.execute(
            select(func.count()).select_from(_recovery).where(_recovery.c.user_id == user_id)
        ).scalar_one()
    )
    counted = select(_recovery.c.kind, func.count()).where(*usable).group_by(_recovery.c.kind)
    left: dict[str, int] = {row[0]: row[1] for row in conn.execute(counted)}
    return Factors(
        since,
        tuple(
            PasskeyLine(
                row.id,
                row.credential_id,
                row.public_key,
                row.sign_count,
                row.label,
                row.created_at,
                row.last_used_at,
            )
            for row in keys
        ),
        left.get("OWN", 0),
        left.get("HANDED_OVER", 0),
        ever,
    )


def prove_by_code(
    db: Database,
    vault: Vault,
    person: Actor,
    typed: str,
    purpose: Purpose,
    now: dt.datetime,
    machine: str = "",
) -> Evidence:
    """Accept a code of the person's authenticator, once.

    Raises
    ------
    RuleViolation
        ``SECOND_FACTOR`` for a wrong code, one that is too old, and one that was used before.
    TooManyTries
        ``TOO_MANY_TRIES`` after too many wrong ones of this person or from this machine.
    """

    def judged() -> Evidence | None:
        with db.reader.connect() as conn:
            sealed = conn.execute(
                select(_totp.c.sealed).where(_totp.c.user_id == person.user_id)
            ).scalar_one_or_none()
        if sealed is None:
            return None
        step = codes.step_of(vault.open(sealed, person.user_id), typed, now)
        return None if step is None else _use_up(db, person, f"totp:{step}", "totp", purpose, now)

    return _throttled(db, person, purpose, now, machine, judged)


def prove_pending(
    db: Database, person: Actor, secret: str, typed: str, now: dt.datetime, machine: str = ""
) -> Evidence:
    """Accept the first code of an authenticator that is about to be set up.

    Raises
    ------
    RuleViolation
        ``SECOND_FACTOR`` when it is not the code of this secret.
    """

    def judged() -> Evidence | None:
        step, purpose = codes.step_of(secret, typed, now), Purpose(ENROL)
        return None if step is None else _use_up(db, person, f"totp:{step}", "totp", purpose, now)

    return _throttled(db, person, Purpose(ENROL), now, machine, judged)


def prove_by_passkey(
    db: Database,
    person: Actor,
    challenge_digest: str,
    verify: Callable[[tuple[PasskeyLine, ...]], tuple[PasskeyLine, int] | None],
    purpose: Purpose,
    now: dt.datetime,
    machine: str = "",
) -> Evidence:
    """Accept what a passkey signed over one challenge, once; ``verify`` does the cryptography.

    Raises
    ------
    RuleViolation
        ``SECOND_FACTOR`` when it is not right, not this person's, or was used before.
    """

    def judged() -> Evidence | None:
        with db.reader.connect() as conn:
            keys = factors_of(conn, person.user_id, now).passkeys
        found = verify(keys)
        if found is None:
            return None
        key, count = found
        evidence = _use_up(db, person, f"passkey:{challenge_digest}", "passkey", purpose, now)
        if evidence is not None:
            with db.writer.begin() as conn:
                conn.execute(
                    update(_passkey)
                    .where(_passkey.c.id == key.id, _passkey.c.sign_count <= count)
                    .values(sign_count=count, last_used_at=now)
                )
        return evidence

    return _throttled(db, person, purpose, now, machine, judged)


def prove_by_recovery_code(
    db: Database, person: Actor, typed: str, purpose: Purpose, now: dt.datetime, machine: str = ""
) -> Evidence:
    """Accept a recovery code, once; it stands in for a lost factor and opens only enrolment."""

    def judged() -> Evidence | None:
        with db.writer.begin() as conn:
            found = conn.execute(
                update(_recovery)
                .where(*_usable(person.user_id, now), _recovery.c.digest == codes.digest_of(typed))
                .values(used_at=now)
                .returning(_recovery.c.id)
            ).scalar_one_or_none()
        if found is None:
            return None
        return _use_up(db, person, f"recovery:{found}", "recovery", purpose, now)

    return _throttled(db, person, purpose, now, machine, judged)


def used_steps(conn: Connection, user_id: str) -> set[int]:
    """Return the time steps whose codes were used, for whoever must give the next one."""
    rows = conn.execute(
        select(_use.c.proof).where(_use.c.user_id == user_id, _use.c.method == "totp")
    ).scalars()
    return {int(proof.partition(":")[2]) for proof in rows}


def evidence_for(conn: Connection, user_id: str, bound_to: str) -> Evidence | None:
    """Return the last proof by which this person signed exactly this digest, if there is one."""
    row = conn.execute(
        select(_use)
        .where(_use.c.user_id == user_id, _use.c.purpose == STEP_UP, _use.c.bound_to == bound_to)
        .order_by(_use.c.used_at.desc(), _use.c.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _evidence(row)


def _usable(user_id: str, now: dt.datetime) -> tuple[Any, ...]:
    return (
        _recovery.c.user_id == user_id,
        _recovery.c.used_at.is_(None),
        _recovery.c.expires_at.is_(None) | (_recovery.c.expires_at > now),
    )


def _use_up(
    db: Database, person: Actor, proof: str, method: str, purpose: Purpose, now: dt.datetime
) -> Evidence | None:
    """Write the use down; nothing when somebody was first.

    The same form pressed twice is one act: its second press brings the same proof for the same
    digest under the same key, and the command behind it answers as it did the first time.
    """
    with db.writer.begin() as conn:
        made = conn.execute(
            _USE[db.dialect],
            {
                "user_id": person.user_id,
                "proof": proof,
                "id": new_id(),
                "method": method,
                "purpose": purpose.name,
                "bound_to": purpose.bound_to,
                "form_key": purpose.form_key,
                "used_at": now,
            },
        ).scalar_one_or_none()
        row = conn.execute(
            select(_use).where(_use.c.user_id == person.user_id, _use.c.proof == proof)
        ).one()
    again = (
        purpose.name == STEP_UP
        and bool(purpose.form_key)
        and (row.purpose, row.bound_to, row.form_key)
        == (STEP_UP, purpose.bound_to, purpose.form_key)
    )
    return _evidence(row) if made is not None or again else None


def _evidence(row: Any) -> Evidence:  # noqa: ANN401 - a row of uses
    return Evidence(row.id, row.user_id, row.method, row.bound_to, row.used_at)


def _throttled(
    db: Database,
    person: Actor,
    purpose: Purpose,
    now: dt.datetime,
    machine: str,
    judged: Callable[[], Evidence | None],
) -> Evidence:
    """Count the try, let it be judged, and give it back when it was good."""
    counted = [(f"person:{person.user_id}", limit) for limit in PER_PERSON]
    if machine:
        counted.append((f"machine:{machine}", PER_MACHINE))
    for who, limit in counted:
        verdict = ratelimit.hit(db, _what(limit), who, limit, now)
        if not verdict.allowed:
            raise TooManyTries(
                "TOO_MANY_TRIES",
                "Too many tries. Wait a little before the next.",
                retry_after=verdict.retry_after,
            )
    evidence = judged()
    if evidence is None:
        _record_failure(db, person, purpose, now)
        raise RuleViolation(
            "SECOND_FACTOR",
            "This code is not right, or it was used before. Wait for the next one.",
            purpose=purpose.name,
        )
    for who, limit in counted:
        ratelimit.give_back(db, _what(limit), who, limit, now)
    return evidence


def _what(limit: ratelimit.Limit) -> str:
    return f"second-factor-{limit.seconds}"


def _record_failure(db: Database, person: Actor, purpose: Purpose, now: dt.datetime) -> None:
    with db.writer.begin() as conn:
        conn.execute(
            insert(_event),
            {
                "id": new_id(),
                "at": now,
                "user_id": person.user_id,
                "org_id": person.org_id,
                "action": f"second-factor.{purpose.name}",
                "code": "SECOND_FACTOR",
                "facts": {},
            },
        )
