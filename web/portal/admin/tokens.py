"""Every API token of the organisation's people, and the way to withdraw one."""

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import col
from werkzeug.wrappers import Response as BaseResponse

from scf.parties.models import ApiToken
from web.context import now, platform
from web.portal.account.overview import form_key
from web.portal.admin.blueprint import admin, administrator, names_of


@admin.get("/tokens")
def tokens() -> str:
    """List the tokens that work, the newest first."""
    who = administrator()
    with platform().db.read(who) as reading:
        names = names_of(reading, who)
        rows = reading.execute(
            select(ApiToken)
            .where(col(ApiToken.revoked_at).is_(None), col(ApiToken.expires_at) > now())
            .order_by(col(ApiToken.id).desc())
        ).scalars()
        lines = [
            {
                "id": row.id,
                "label": row.label,
                "person": names.get(row.user_id, row.user_id),
                "made_at": row.created_at,
                "ends_at": row.expires_at,
            }
            for row in rows
        ]
    return render_template("admin/tokens.html", tokens=lines)


@admin.post("/tokens/<token_id>/withdraw")
def withdraw_token(token_id: str) -> BaseResponse:
    """Let a token be good for nothing."""
    platform().run("token.revoke", {"token_id": token_id}, administrator(), key=form_key())
    flash(_("The token is withdrawn."), "ok")
    return redirect(url_for("admin.tokens"), 303)
