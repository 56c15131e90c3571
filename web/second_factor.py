"""Signing an act: a code or a passkey right before money moves, bound to exactly what was shown.

A page that asks for a signature gives the macro the digest of what it shows (amount, currency,
payee, ids, version: :func:`digest_of`) and the handler of its form calls :func:`check` with the
digest of what it is about to do. When the two differ, something changed in between and the
signature is void (PSD2, Delegated Regulation (EU) 2018/389, article 5). The API needs none of
this: there a person's own token acts.
"""

from dataclasses import dataclass
from typing import Any, Final

from flask import Flask, current_app, request, session
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import select
from sqlmodel import col

from scf.kernel import ids
from scf.kernel.actor import Actor
from scf.kernel.errors import RuleViolation
from scf.parties.factors import passkeys, proof
from scf.parties.models import User
from web import sessions
from web.context import actor, demo_world, now, platform, vault
from web.device import place

# As long as a quote is held: a person may read before signing.
TICKET_SECONDS: Final = 900
KEY_FIELD: Final = "key"
# In the session: when its person proved identity last.
PROVED_AT: Final = "proved_at"
_LONGEST_KEY: Final = 255


@dataclass(frozen=True)
class Fields:
    """What the macro draws."""

    totp: bool
    passkey_options: str
    ticket: str
    signed: str
    email: str  # in a demo world, whose codes the command line prints; else empty


def attach(app: Flask) -> None:
    """Give templates what the macro of the second factor asks, and when the session ends."""
    app.jinja_env.globals["second_factor_fields"] = fields
    app.jinja_env.globals["session_seconds"] = lambda: sessions.seconds_left(request)


def digest_of(**facts: Any) -> str:  # noqa: ANN401 - whatever is signed
    """Return the digest of what a person is shown and signs."""
    return ids.digest(facts)


def fields(bound_to: str = "") -> Fields:
    """Return by what the person may sign, and a ticket that a passkey signs for this digest."""
    return fields_of(actor(), bound_to)


def fields_of(who: Actor, bound_to: str = "") -> Fields:
    """Return the same for a person who is still at the gate."""
    with platform().db.snapshot() as conn:
        own = proof.factors_of(conn, who.user_id, now())
    here, options, ticket = place(), "", ""
    if own.passkeys and here is not None:
        ticket = ticket_for(who.user_id, bound_to)
        options = passkeys.request_options(here, ticket, own.passkeys)
    return Fields(own.totp, options, ticket, bound_to, _email(who) if demo_world() else "")


def _email(who: Actor) -> str:
    with platform().db.snapshot() as conn:
        own = select(col(User.email)).where(col(User.id) == who.user_id)
        return str(conn.execute(own).scalar_one())


def check(bound_to: str) -> proof.Evidence:
    """Let the submitted form through when the person signed exactly this, and say by what.

    A proof counts once; the second press of the same form, under the same key, is the same act.
    The session has another id afterwards.

    Raises
    ------
    RuleViolation
        ``SECOND_FACTOR`` for a proof that is missing, wrong or used; ``SIGNED_OTHER`` when what
        was shown is no longer what would be done.
    TooManyTries
        ``TOO_MANY_TRIES`` after too many wrong ones.
    """
    who = actor()
    shown = request.form.get("signed", "")
    if shown and shown != bound_to:
        raise RuleViolation(
            "SIGNED_OTHER",
            "This changed after you were shown it. Look at it again, then sign.",
        )
    key = request.form.get(KEY_FIELD, "")[:_LONGEST_KEY]
    purpose = proof.Purpose(proof.STEP_UP, bound_to, key)
    evidence = prove(who, purpose, ticket_bound_to=shown)
    sessions.rotate(session)
    session[PROVED_AT] = int(now().timestamp())
    return evidence


def prove(who: Actor, purpose: proof.Purpose, *, ticket_bound_to: str = "") -> proof.Evidence:
    """Judge the passkey's answer or the code that the form brings.

    Raises
    ------
    RuleViolation
        ``SECOND_FACTOR``.
    """
    machine = request.remote_addr or ""
    answer = request.form.get("assertion", "")
    if not answer:
        typed = request.form.get("code", "")
        return proof.prove_by_code(platform().db, vault(), who, typed, purpose, now(), machine)
    ticket, here = request.form.get("ticket", ""), place()
    named = who.user_id if here is not None else ""

    def verify(
        known: tuple[proof.PasskeyLine, ...],
    ) -> tuple[proof.PasskeyLine, int] | None:
        if here is None or not is_ticket(ticket, named, ticket_bound_to):
            return None
        return passkeys.signed_by(here, ticket, answer, known)

    digest = passkeys.challenge_of(ticket).hex()
    return proof.prove_by_passkey(platform().db, who, digest, verify, purpose, now(), machine)


def ticket_for(user_id: str, bound_to: str = "") -> str:
    """Return a fresh ticket: whose it is, what it signs, and when it was made."""
    return _signer().dumps([user_id, bound_to, ids.new_id()])


def is_ticket(ticket: str, user_id: str, bound_to: str = "") -> bool:
    """Tell whether we made this ticket for this person and digest a short while ago."""
    try:
        named = _signer().loads(ticket, max_age=TICKET_SECONDS)
    except BadSignature:
        return False
    return isinstance(named, list) and named[:2] == [user_id, bound_to]


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="second-factor")
