"""One page: who I am here, by what I sign in, where I am signed in, what was tried."""

import datetime as dt
from typing import Any

from flask import Response, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import col
from werkzeug.wrappers import Response as BaseResponse

from scf.kernel.actor import Role
from scf.kernel.errors import InvalidInput, RuleViolation, ScfError
from scf.parties import sessions as store
from scf.parties.factors import proof
from scf.parties.factors.models import SignInEvent
from scf.parties.models import User
from scf.parties.signin import TooManyTries
from web import second_factor, sessions
from web.context import actor, around, now, platform
from web.portal.account.blueprint import account
from web.portal.fresh import freshly_proved, note_proof
from web.portal.gate import kept, steps
from web.portal.gate.enrol import email_of

_RECENT = 10
_HISTORY = 100


@account.get("")
def overview() -> str:
    """Show everything about the own sign-in."""
    who = actor()
    with platform().db.read(who) as reading:
        conn = reading.connection()
        person = reading.execute(select(User).where(col(User.id) == who.user_id)).scalar_one()
        own = store.of_user(conn, who.user_id, now(), around().options.lifetimes)
        return render_template(
            "account/overview.html",
            person=who,
            email=person.email,
            factors=proof.factors_of(conn, who.user_id, now()),
            sessions=_marked(own),
            tries=_tries(reading, who.user_id, _RECENT),
            # Where no e-mail is sent, only an administrator hears of it.
            mail=bool(around().options.mail_from) or Role.ADMINISTRATOR in who.roles,
        )


@account.get("/sign-ins")
def history() -> str:
    """Show the last hundred attempts to sign in as this person."""
    who = actor()
    with platform().db.read(who) as reading:
        tries = _tries(reading, who.user_id, _HISTORY)
    return render_template("account/sign_ins.html", tries=tries)


@account.post("/sessions/<session_id>/end")
def end_session(session_id: str) -> BaseResponse:
    """Sign one browser out."""
    platform().run("session.revoke", {"session_id": session_id}, actor(), key=form_key())
    flash(_("That browser is signed out."), "ok")
    return redirect(url_for("account.overview"), 303)


@account.post("/sessions/end-others")
def end_others() -> BaseResponse:
    """Sign every other browser out."""
    who = actor()
    with platform().db.snapshot() as conn:
        own = store.of_user(conn, who.user_id, now(), around().options.lifetimes)
    for number, line in enumerate(line for line in _marked(own) if not line["here"]):
        platform().run(
            "session.revoke", {"session_id": line["id"]}, who, key=f"{form_key()}:{number}"
        )
    flash(_("Every other browser is signed out."), "ok")
    return redirect(url_for("account.overview"), 303)


@account.get("/password")
@freshly_proved
def password() -> str:
    """Ask for the present and the new password."""
    return _password({})


@account.post("/password")
@freshly_proved
def change_password() -> BaseResponse | tuple[str, int]:
    """Change it: every session ends, and this browser gets a new one."""
    who = actor()
    fresh, again = request.form.get("password", ""), request.form.get("again", "")
    errors: dict[str, str] = {}
    if fresh != again:
        errors["again"] = _("The two are not the same.")
    else:
        try:
            platform().run(
                "user.set_password",
                {"password": fresh, "current": request.form.get("current", "")},
                who,
                key=form_key(),
            )
        except InvalidInput as refusal:
            field = "current" if refusal.code == "PASSWORD_CURRENT" else "password"
            errors[field] = _password_words(refusal)
    if errors:
        return _password(errors), 422
    sessions.begin(session, who)
    note_proof()
    flash(_("Your password is changed. Every other browser is signed out."), "ok")
    return redirect(url_for("account.overview"), 303)


def _password(errors: dict[str, str]) -> str:
    with platform().db.snapshot() as conn:
        email = email_of(conn, actor().user_id)
    return render_template("account/password.html", errors=errors, email=email)


@account.get("/confirm")
def confirm() -> str:
    """Ask for a fresh proof before something that opens doors."""
    return _confirm("")


@account.post("/confirm")
def confirm_now() -> BaseResponse | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Take the proof and go back to what it was asked for."""
    wanted, who = kept.own_path(request.form.get("next", "")), actor()
    try:
        second_factor.check("")
    except TooManyTries as refusal:
        text, headers = steps.too_many(refusal)
        return _confirm(text), 429, headers
    except RuleViolation:
        return _confirm(_("This is not right, or it was used before. Wait for the next code.")), 422
    if kept.waiting(who.user_id) is not None:
        return redirect(url_for("portal.resume"), 303)
    return redirect(wanted or url_for("account.overview"), 303)


def _confirm(problem: str) -> str:
    actor()
    wanted = kept.own_path(request.values.get("next", ""))
    return render_template("gate/confirm.html", problem=problem, wanted=wanted)


@account.post("/stay")
def stay() -> BaseResponse:
    """Keep the session alive for whoever says to be still there."""
    actor()
    return Response(status=204)


def form_key() -> str:
    """Return the key that the form was drawn with: pressing twice has one effect.

    Raises
    ------
    InvalidInput
        ``FORM_KEY`` for a form that was not drawn by us.
    """
    key = request.form.get(second_factor.KEY_FIELD, "")
    if not key or len(key) > 200:  # noqa: PLR2004 - a key of ours is far shorter
        raise InvalidInput("FORM_KEY", "This form is out of date. Load the page again.")
    return key


def words_of(refusal: ScfError) -> str:
    """Say a refusal of the commands on people in the person's language."""
    words = {
        "EMAIL_TAKEN": _("Somebody already signs in with this address."),
        "SELF": _("You cannot do this to yourself. Another administrator can."),
        "USER_DISABLED": _("This person is disabled."),
        "LAST_FACTOR": _("Set up another second factor before removing this one."),
        "PASSKEYS_FULL": _("Remove a passkey that you no longer use first."),
        "PASSKEY_KNOWN": _("This passkey is set up already."),
        "ROLE": _("This organisation has no such role."),
        "NOT_ALLOWED": _("Your role does not cover this."),
    }
    return str(words.get(refusal.code) or _password_words(refusal))


def _password_words(refusal: ScfError) -> str:
    words = {
        "PASSWORD_CURRENT": _("The present password is not right."),
        "PASSWORD_SHORT": _("Use at least eight characters; fifteen are better."),
        "PASSWORD_LONG": _("Use at most 256 characters."),
        "PASSWORD_COMMON": _("This password is on the lists that thieves try."),
        "PASSWORD_CONTEXT": _("The password is built on your name, address or organisation."),
    }
    return str(words.get(refusal.code) or _("Some fields are missing or wrong."))


def _marked(own: list[dict[str, Any]]) -> list[dict[str, Any]]:
    live: store.Live | None = request.environ.get("tributary.live")
    here = live.digest if live is not None else ""
    return [line | {"here": here.startswith(line["id"])} for line in own]


def _tries(reading: Any, user_id: str, limit: int) -> list[dict[str, Any]]:  # noqa: ANN401
    rows = reading.execute(
        select(SignInEvent)
        .where(col(SignInEvent.user_id) == user_id)
        .order_by(col(SignInEvent.at).desc(), col(SignInEvent.id).desc())
        .limit(limit)
    ).scalars()
    return [
        {
            "at": row.at.astimezone(dt.UTC),
            "outcome": row.outcome,
            "method": row.method,
            "device": row.device,
            "place": row.place,
        }
        for row in rows
    ]
