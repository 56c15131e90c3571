"""The own API tokens: by them a person's programs act, without a second factor, until a day."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import col
from werkzeug.wrappers import Response as BaseResponse

from scf.parties import tokens as bearer
from scf.parties.models import ApiToken
from web.context import actor, now, platform
from web.portal.account.blueprint import account
from web.portal.account.overview import form_key
from web.portal.fresh import freshly_proved

_DAYS = (1, 7, 30)


@account.get("/tokens")
def tokens() -> str:
    """List the own tokens that work."""
    return _page({}, "")


@account.post("/tokens")
@freshly_proved
def create_token() -> str | tuple[str, int]:
    """Make a token and show it, this once."""
    label = request.form.get("label", "").strip()[:200]
    days = next((days for days in _DAYS if request.form.get("days") == str(days)), 0)
    if not label or not days:
        return _page({"label": _("Say what it is for.")}, ""), 422
    who = actor()
    made, _outcome = bearer.create(
        platform().runner, who, user_id=who.user_id, label=label, key=form_key(), days=days
    )
    if made is None:
        flash(_("This token was made before, and is shown only once. Withdraw it if it is lost."))
    return _page({}, made or "")


@account.post("/tokens/<token_id>/withdraw")
def withdraw_token(token_id: str) -> BaseResponse:
    """Let a token be good for nothing."""
    platform().run("token.revoke", {"token_id": token_id}, actor(), key=form_key())
    flash(_("The token is withdrawn."), "ok")
    return redirect(url_for("account.tokens"), 303)


def _page(errors: dict[str, str], made: str) -> str:
    who = actor()
    with platform().db.read(who) as reading:
        rows = reading.execute(
            select(ApiToken)
            .where(
                col(ApiToken.user_id) == who.user_id,
                col(ApiToken.revoked_at).is_(None),
                col(ApiToken.expires_at) > now(),
            )
            .order_by(col(ApiToken.id).desc())
        ).scalars()
        lines = [
            {"id": row.id, "label": row.label, "made_at": row.created_at, "ends_at": row.expires_at}
            for row in rows
        ]
    return render_template(
        "account/tokens.html", tokens=lines, made=made, errors=errors, days=_DAYS
    )
