"""A form whose session ran out: kept for its owner, and offered again after signing in.

Kept for fifteen minutes, for one person, in the database; never a password, a code or a file.
"""

import datetime as dt
from typing import Any, Final
from urllib.parse import urlsplit

from flask import redirect, render_template, request, url_for
from sqlalchemy import delete, insert, select
from werkzeug.wrappers import Response as BaseResponse

from scf.kernel.ids import new_id
from scf.parties.factors.models import KeptForm
from web.context import actor, now, platform
from web.portal.pages import portal
from web.portal.shell import own_address

_form = KeptForm.__table__  # type: ignore[attr-defined]
KEPT_FOR: Final = dt.timedelta(minutes=15)
# What proves identity is asked for again, and what only a page knows is made anew by it.
NEVER_KEPT: Final = frozenset(
    {"csrf_token", "password", "current", "code", "recovery", "assertion", "ticket"}
)
_MOST_FIELDS: Final = 500
_MOST_TEXT: Final = 100_000
_LONGEST_PATH: Final = 2_000


def keep(user_id: str) -> None:
    """Keep the form that this request brings for the person whose session it was sent from."""
    # No key types a NUL, and no database keeps one in a text.
    fields = [
        [name.replace("\x00", ""), value.replace("\x00", "")]
        for name, value in request.form.items(multi=True)
        if name not in NEVER_KEPT and "password" not in name
    ]
    if len(fields) > _MOST_FIELDS or sum(len(value) for _name, value in fields) > _MOST_TEXT:
        return
    page = own_path(urlsplit(request.headers.get("Referer", "")).path) or "/"
    moment = now()
    with platform().db.writer.begin() as conn:
        mine = _form.c.user_id == user_id
        conn.execute(delete(_form).where(mine | (_form.c.expires_at <= moment)))
        conn.execute(
            insert(_form),
            {
                "id": new_id(),
                "user_id": user_id,
                "action": own_path(request.full_path.rstrip("?")) or "/",
                "page": page,
                "fields": fields,
                "created_at": moment,
                "expires_at": moment + KEPT_FOR,
            },
        )


def waiting(user_id: str) -> Any:  # noqa: ANN401 - a row of kept forms
    """Return the form that waits for this person, if one does."""
    with platform().db.snapshot() as conn:
        return conn.execute(
            select(_form).where(_form.c.user_id == user_id, _form.c.expires_at > now())
        ).one_or_none()


def own_path(path: str) -> str:
    """Return a page of ours as it is, and nothing for whatever could lead elsewhere."""
    foreign = len(path) > _LONGEST_PATH or own_address(path) != path
    return "" if foreign or path.startswith(("/api/", "/static/", "/sign-")) else path


@portal.get("/sign-in/resume")
def resume() -> str | BaseResponse:
    """Show what had been typed when the session ended, ready to be sent."""
    who = actor()
    form = waiting(who.user_id)
    if form is None:
        return redirect(url_for("portal.home"), 303)
    names = {name for name, _value in form.fields}
    return render_template(
        "gate/resume.html",
        form=form,
        signs="signed" in names,
        shown=[(name, value) for name, value in form.fields if _for_people(name, value)],
    )


@portal.post("/sign-in/resume")
def let_go() -> BaseResponse:
    """Forget the form and go back to its page."""
    who = actor()
    form = waiting(who.user_id)
    forget(who.user_id)
    return redirect(own_path(form.page) if form is not None else url_for("portal.home"), 303)


def forget(user_id: str) -> None:
    """Forget the form that was kept for this person."""
    with platform().db.writer.begin() as conn:
        conn.execute(delete(_form).where(_form.c.user_id == user_id))


@portal.before_app_request
def _sent_again() -> None:
    """Forget the form in the moment in which its owner sends it from the page that offers it."""
    live = request.environ.get("tributary.live")
    came_from = urlsplit(request.headers.get("Referer", "")).path
    if request.method == "POST" and live is not None and came_from == url_for("portal.resume"):
        forget(live.actor.user_id)


def _for_people(name: str, value: str) -> bool:
    """Tell whether a field was typed or chosen, rather than put there by the page."""
    return bool(value.strip()) and name not in {"key", "signed", "version"}
