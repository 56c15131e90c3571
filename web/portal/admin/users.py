"""The people of the organisation: adding, roles, disabling, a lost second factor, sessions."""

import secrets
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlmodel import Session, col
from werkzeug.wrappers import Response as BaseResponse

from scf.kernel.actor import Actor
from scf.kernel.errors import Conflict, InvalidInput, NotFound
from scf.parties import sessions as store
from scf.parties.access import ROLES_OF_KIND
from scf.parties.factors import codes, proof
from scf.parties.factors.models import Passkey, SignInEvent, TotpFactor
from scf.parties.models import Firm, User, UserRole
from web.context import around, now, platform
from web.portal.account.overview import form_key, words_of
from web.portal.admin.blueprint import admin, administrator, administrators
from web.portal.fresh import freshly_proved

Answer = str | BaseResponse | tuple[str, int]


@admin.get("/users")
def users() -> str:
    """List everybody of the organisation: roles, second factor, last sign-in."""
    who = administrator()
    with platform().db.read(who) as reading:
        people = reading.execute(select(User).order_by(col(User.name), col(User.id))).scalars()
        roles = _roles(reading)
        factors = _factors(reading)
        last = _last_sign_ins(reading)
        rows = [
            {
                "id": row.id,
                "name": row.name,
                "email": row.email,
                "roles": roles.get(row.id, []),
                "active": row.state == "ACTIVE",
                "factors": factors.get(row.id, []),
                "last": last.get(row.id),
            }
            for row in people
        ]
        kind = reading.execute(select(col(Firm.kind)).where(col(Firm.id) == who.org_id)).scalar()
    return render_template("admin/users.html", rows=rows, is_bank=kind == "financier")


@admin.get("/users/new")
@administrators
@freshly_proved
def new_user() -> str:
    """Ask for a new person."""
    return _new({}, {})


@admin.post("/users")
@administrators
@freshly_proved
def add_user() -> Answer:
    """Add a person with a first password, shown once to be handed over."""
    who, form = administrator(), request.form
    password = secrets.token_urlsafe(12)
    try:
        outcome = platform().run(
            "user.add",
            {
                "email": form.get("email", "").strip(),
                "name": form.get("name", "").strip(),
                "roles": form.getlist("roles"),
                "password": password,
            },
            who,
            key=form_key(),
        )
    except Conflict as refusal:
        return _new(form, {"email": words_of(refusal)}), 422
    except InvalidInput as refusal:
        return _new(form, _places(refusal)), 422
    if outcome.replayed:  # the form was pressed twice: its password was in the first answer
        return redirect(url_for("admin.user", user_id=outcome.result["id"]), 303)
    return render_template(
        "admin/handed_over.html",
        name=form.get("name", ""),
        user_id=outcome.result["id"],
        password=password,
        code="",
    )


@admin.get("/users/<user_id>")
def user(user_id: str) -> str:
    """Show one person: roles, factors, sessions, what was tried."""
    who = administrator()
    return _person(who, user_id, "")


@admin.post("/users/<user_id>/roles")
@administrators
@freshly_proved
def set_roles(user_id: str) -> Answer:
    """Give a person other roles."""
    payload = {"user_id": user_id, "roles": request.form.getlist("roles")}
    return _do("user.set_roles", payload, user_id, _("The roles are changed."))


@admin.post("/users/<user_id>/disable")
@administrators
@freshly_proved
def disable(user_id: str) -> Answer:
    """Let a person do nothing any more, at once."""
    done = _("This person is disabled; every session and token has ended.")
    return _do("user.disable", {"user_id": user_id}, user_id, done)


@admin.post("/users/<user_id>/reset")
@administrators
@freshly_proved
def reset(user_id: str) -> Answer:
    """Void a lost second factor; the code that opens a new enrolment is shown once."""
    who, code = administrator(), codes.new_recovery_code()
    try:
        outcome = platform().run(
            "factor.reset",
            {"user_id": user_id, "digest": codes.digest_of(code)},
            who,
            key=form_key(),
            reason=request.form.get("reason", "")[:1000],
        )
    except Conflict as refusal:
        return _person(who, user_id, words_of(refusal)), 409
    if outcome.replayed:
        return redirect(url_for("admin.user", user_id=user_id), 303)
    with platform().db.read(who) as reading:
        name = _one(reading, user_id).name
    return render_template(
        "admin/handed_over.html", name=name, user_id=user_id, password="", code=code
    )


@admin.post("/users/<user_id>/sessions/<session_id>/end")
def end_session(user_id: str, session_id: str) -> Answer:
    """Sign one browser of a person out."""
    payload = {"user_id": user_id, "session_id": session_id}
    return _do("session.revoke", payload, user_id, _("That browser is signed out."))


def _do(command: str, payload: dict[str, Any], user_id: str, done: str) -> Answer:
    who = administrator()
    try:
        platform().run(command, payload, who, key=form_key())
    except (Conflict, InvalidInput) as refusal:
        return _person(who, user_id, words_of(refusal)), refusal.http_status
    flash(done, "ok")
    return redirect(url_for("admin.user", user_id=user_id), 303)


def _new(form: Any, errors: dict[str, str]) -> str:  # noqa: ANN401 - a form or nothing yet
    who = administrator()
    with platform().db.read(who) as reading:
        possible = _possible(reading, who)
    chosen = form.getlist("roles") if form else []
    return render_template(
        "admin/new_user.html", form=form, errors=errors, possible=possible, chosen=chosen
    )


def _person(who: Actor, user_id: str, problem: str) -> str:
    with platform().db.read(who) as reading:
        row = _one(reading, user_id)
        conn = reading.connection()
        tries = reading.execute(
            select(SignInEvent)
            .where(col(SignInEvent.user_id) == user_id)
            .order_by(col(SignInEvent.at).desc())
            .limit(10)
        ).scalars()
        return render_template(
            "admin/user.html",
            row=row,
            problem=problem,
            own=user_id == who.user_id,
            roles=_roles(reading).get(user_id, []),
            possible=_possible(reading, who),
            factors=proof.factors_of(conn, user_id, now()),
            sessions=store.of_user(conn, user_id, now(), around().options.lifetimes),
            tries=list(tries),
        )


def _one(reading: Session, user_id: str) -> User:
    row: User | None = reading.execute(
        select(User).where(col(User.id) == user_id)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound("NOT_FOUND", "There is nothing with this id.")
    return row


def _possible(reading: Session, who: Actor) -> list[str]:
    """Return the roles that this kind of organisation has."""
    kind = reading.execute(select(col(Firm.kind)).where(col(Firm.id) == who.org_id)).scalar_one()
    return sorted(role.value for role in ROLES_OF_KIND[kind])


def _roles(reading: Session) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in reading.execute(select(UserRole).order_by(col(UserRole.role))).scalars():
        found.setdefault(row.user_id, []).append(row.role)
    return found


def _factors(reading: Session) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for user_id in reading.execute(select(col(TotpFactor.user_id))).scalars():
        found.setdefault(user_id, []).append("totp")
    for user_id in reading.execute(select(col(Passkey.user_id)).distinct()).scalars():
        found.setdefault(user_id, []).append("passkey")
    return found


def _last_sign_ins(reading: Session) -> dict[str, Any]:
    rows: Any = reading.execute(
        select(col(SignInEvent.user_id), func.max(col(SignInEvent.at)))
        .where(col(SignInEvent.outcome) == "SIGNED_IN")
        .group_by(col(SignInEvent.user_id))
    )
    return {row[0]: row[1] for row in rows}


def _places(refusal: InvalidInput) -> dict[str, str]:
    words = {
        "email": _("This is no e-mail address."),
        "name": _("Give the name."),
        "roles": _("Choose at least one role."),
    }
    problems: Any = refusal.facts.get("problems", [])
    found = {
        place: words[place]
        for place in (item["place"].partition(".")[0] for item in problems)
        if place in words
    }
    return found or {"email": words_of(refusal)}
