"""The own second factors: another authenticator, passkeys, fresh recovery codes."""

from flask import flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from scf.kernel.errors import RuleViolation, ScfError
from scf.kernel.ids import digest
from scf.parties.factors import proof
from scf.parties.signin import TooManyTries
from web.context import actor, now, platform, vault
from web.portal.account.blueprint import account
from web.portal.account.overview import form_key, words_of
from web.portal.fresh import freshly_proved
from web.portal.gate import enrol, steps

Page = str | BaseResponse
Answer = Page | tuple[Page, int] | tuple[Page, int, dict[str, str]]


@account.post("/authenticator/begin")
@freshly_proved
def begin_authenticator() -> BaseResponse:
    """Make a secret for another authenticator; the present one holds until it is confirmed."""
    session.update(enrol.pending(actor()))
    return redirect(url_for("account.authenticator"), 303)


@account.get("/authenticator")
@freshly_proved
def authenticator() -> Answer:
    """Show the secret to scan, and ask for its first code."""
    return _authenticator("")


@account.post("/authenticator")
@freshly_proved
def set_authenticator() -> Answer:
    """Put the new authenticator in the place of the old once it shows the right code."""
    who, sealed = actor(), session.get(enrol.PENDING, "")
    if not sealed:
        return redirect(url_for("account.overview"), 303)
    secret, machine = vault().open(sealed, who.user_id), request.remote_addr or ""
    try:
        proof.prove_pending(
            platform().db, who, secret, request.form.get("code", ""), now(), machine
        )
    except TooManyTries as refusal:
        text, headers = steps.too_many(refusal)
        return _authenticator(text), 429, headers
    except RuleViolation:
        text = _("This is not the code that your authenticator shows now.")
        return _authenticator(text), 422
    platform().run("factor.enrol", {"sealed": sealed}, who, key=f"enrol:{digest(sealed)}")
    session.pop(enrol.PENDING, None)
    flash(_("Your new authenticator is set up; the old one opens nothing any more."), "ok")
    return redirect(url_for("account.overview"), 303)


def _authenticator(problem: str) -> str | BaseResponse:
    who, sealed = actor(), session.get(enrol.PENDING, "")
    if not sealed:
        return redirect(url_for("account.overview"), 303)
    shown = enrol.scannable(who, vault().open(sealed, who.user_id))
    return render_template("account/authenticator.html", problem=problem, **shown)


@account.get("/passkeys/new")
@freshly_proved
def new_passkey() -> str:
    """Let the browser make a passkey."""
    return render_template(
        "account/passkey.html", passkey=enrol.passkey_creation(actor()), problem=""
    )


@account.post("/passkeys")
@freshly_proved
def add_passkey() -> Answer:
    """Keep the passkey that the browser made."""
    who, problem = actor(), ""
    try:
        if enrol.add_passkey(who) is None:
            problem = _("This passkey could not be set up. Try again.")
    except ScfError as refusal:
        problem = words_of(refusal)
    if problem:
        page = render_template(
            "account/passkey.html", passkey=enrol.passkey_creation(who), problem=problem
        )
        return page, 422
    flash(_("Your passkey is set up."), "ok")
    return redirect(url_for("account.overview"), 303)


@account.post("/passkeys/<passkey_id>/remove")
@freshly_proved
def remove_passkey(passkey_id: str) -> BaseResponse:
    """Let a passkey open nothing any more; never the last factor."""
    try:
        platform().run("factor.remove_passkey", {"passkey_id": passkey_id}, actor(), key=form_key())
    except RuleViolation as refusal:
        flash(words_of(refusal), "bad")
    else:
        flash(_("The passkey is removed."), "ok")
    return redirect(url_for("account.overview"), 303)


@account.post("/recovery-codes")
@freshly_proved
def renew_codes() -> Page:
    """Show ten fresh recovery codes; those before are void."""
    shown = enrol.new_recovery_codes(actor(), form_key())
    if not shown:
        flash(_("These codes were made a moment ago, and are shown only once. Make new ones."))
        return redirect(url_for("account.overview"), 303)
    return render_template(
        "gate/recovery_codes.html", codes=shown, onward=url_for("account.overview")
    )
