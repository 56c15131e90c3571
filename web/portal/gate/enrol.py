"""Setting up the first factor, or one in place of a lost one: before that, nothing else opens."""

from typing import Any

from flask import render_template, request, session
from flask_babel import gettext as _
from sqlalchemy import select

from scf.kernel.actor import Actor
from scf.kernel.errors import RuleViolation
from scf.kernel.ids import digest, new_id
from scf.parties import sessions as store
from scf.parties import signin
from scf.parties.factors import codes, passkeys, proof
from scf.parties.models import User
from scf.parties.signin import TooManyTries
from web import second_factor, sessions
from web.context import now, platform, vault
from web.device import place
from web.portal.gate import steps
from web.portal.pages import portal
from web.qr import qr_path

_user = User.__table__  # type: ignore[attr-defined]
PENDING = "pending_authenticator"


def pending(person: Actor) -> dict[str, str]:
    """Return a fresh secret, sealed, for the session that sets it up."""
    return {PENDING: vault().seal(codes.new_secret(), person.user_id)}


@portal.get("/sign-in/enrol")
def enrol() -> str:
    """Show the secret to scan, and ask for its first code."""
    return _page(sessions.half_signed_in(request, store.ENROL), "")


@portal.post("/sign-in/enrol")
def enrol_now() -> Any:  # noqa: ANN401 - a page, or a page with its status
    """Set the authenticator up once it shows the right code, and sign the person in."""
    person = sessions.half_signed_in(request, store.ENROL)
    sealed = session.get(PENDING, "")
    try:
        proof.prove_pending(
            platform().db,
            person,
            vault().open(sealed, person.user_id),
            request.form.get("code", ""),
            now(),
            request.remote_addr or "",
        )
    except TooManyTries as refusal:
        text, headers = steps.too_many(refusal)
        return _page(person, text), 429, headers
    except RuleViolation:
        return _page(person, _("This is not the code that your authenticator shows now.")), 422
    platform().run("factor.enrol", {"sealed": sealed}, person, key=f"enrol:{digest(sealed)}")
    return _enrolled(person, "totp")


@portal.post("/sign-in/enrol/passkey")
def enrol_passkey_now() -> Any:  # noqa: ANN401 - a page, or a page with its status
    """Set a passkey up as the person's factor, and sign the person in."""
    person = sessions.half_signed_in(request, store.ENROL)
    if add_passkey(person) is None:
        return _page(person, _("This passkey could not be set up. Try again.")), 422
    return _enrolled(person, "passkey")


def add_passkey(person: Actor) -> str | None:
    """Keep the passkey that the form brings; gives its id, or nothing when it is not right."""
    here, ticket = place(), request.form.get("ticket", "")
    if here is None or not second_factor.is_ticket(ticket, person.user_id, "create"):
        return None
    made = passkeys.made(here, ticket, request.form.get("assertion", ""))
    if made is None:
        return None
    label = request.form.get("label", "").strip()[:100] or _("Passkey")
    outcome = platform().run(
        "factor.add_passkey",
        {
            "credential_id": made.credential_id,
            "public_key": made.public_key,
            "sign_count": made.sign_count,
            "label": label,
        },
        person,
        key=f"passkey:{passkeys.challenge_of(ticket).hex()}",
    )
    return str(outcome.result["id"])


def passkey_creation(person: Actor) -> dict[str, str]:
    """Return what a page needs to let a browser make a passkey; empty where browsers cannot."""
    here = place()
    if here is None:
        return {}
    ticket = second_factor.ticket_for(person.user_id, "create")
    with platform().db.snapshot() as conn:
        known = proof.factors_of(conn, person.user_id, now()).passkeys
        email = email_of(conn, person.user_id)
    options = passkeys.creation_options(here, ticket, person.user_id, email, person.name, known)
    return {"options": options, "ticket": ticket}


def new_recovery_codes(person: Actor, key: str) -> list[str]:
    """Make ten recovery codes in place of all before, and give them to be shown this once.

    Nothing is made, and nothing can be shown, where the same key has made some before.
    """
    made = [codes.new_recovery_code() for _number in range(codes.RECOVERY_CODES)]
    digests = [codes.digest_of(code) for code in made]
    outcome = platform().run("factor.new_codes", {"digests": digests}, person, key=key)
    return [] if outcome.replayed else made


def email_of(conn: Any, user_id: str) -> str:  # noqa: ANN401 - a connection
    """Return the address by which a person signs in."""
    return str(conn.execute(select(_user.c.email).where(_user.c.id == user_id)).scalar_one())


def scannable(person: Actor, secret: str) -> dict[str, Any]:
    """Return the secret as a person can take it over: a picture, and text in groups of four."""
    with platform().db.snapshot() as conn:
        address = codes.address_of(secret, email_of(conn, person.user_id))
    shown = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return {"qr": qr_path(address), "secret": shown, "address": address}


def _page(person: Actor, problem: str) -> str:
    secret = vault().open(session.get(PENDING, ""), person.user_id)
    return render_template(
        "gate/enrol.html",
        problem=problem,
        passkey=passkey_creation(person),
        person=person,
        **scannable(person, secret),
    )


def _enrolled(person: Actor, method: str) -> str:
    shown = new_recovery_codes(person, new_id())
    steps.record(person, signin.SIGNED_IN, method)
    onward = steps.enter(person)
    return render_template("gate/recovery_codes.html", codes=shown, onward=onward)
