"""A form whose session ran out: kept for its owner, and offered again after signing in.

Kept for fifteen minutes, for one person, in the database, with its files; never a password or a
code. Once sent it is offered no more, but still answers the second press of the same button.
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response, g, redirect, render_template, request, url_for
from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement
from werkzeug.wrappers import Response as BaseResponse

from scf.kernel.ids import new_id
from scf.parties.factors.models import KeptForm
from web.context import actor, now, platform
from web.portal.gate import kept_files
from web.portal.pages import portal
from web.portal.shell import own_address

_form = KeptForm.__table__  # type: ignore[attr-defined]
KEPT_FOR: Final = dt.timedelta(minutes=15)
# What proves identity is asked for again, and what only a page knows is made anew by it.
NEVER_KEPT: Final = frozenset(
    {"csrf_token", "password", "current", "code", "recovery", "assertion", "ticket", "kept_form"}
)
_OF_THE_PAGE: Final = frozenset({"key", "signed", "version", "step", "view", "next", "back"})
_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32,}")
_MOST_FIELDS: Final = 500
_MOST_TEXT: Final = 100_000
_LONGEST_PATH: Final = 2_000
_REFUSED: Final = 400
# What shows the form again with its fields, or says why it can have no effect any more.
_TOLD: Final = frozenset({404, 409, 422})


def keep(user_id: str) -> None:
    """Keep the form that this request brings for the person whose session it was sent from."""
    if _of(user_id, request.form.get("kept_form", "")) is not None:
        return  # it is this very form, and waits already
    # No key types a NUL, and no database keeps one in a text.
    fields = [
        [name.replace("\x00", ""), value.replace("\x00", "")]
        for name, value in request.form.items(multi=True)
        if _is_kept(name)
    ]
    if len(fields) > _MOST_FIELDS or sum(len(value) for _name, value in fields) > _MOST_TEXT:
        return
    page = own_path(urlsplit(request.headers.get("Referer", "")).path) or "/"
    files, moment, form_id = kept_files.brought(), now(), new_id()
    with platform().db.writer.begin() as conn:
        _clear(conn, (_form.c.user_id == user_id) | (_form.c.expires_at <= moment))
        conn.execute(
            insert(_form),
            {
                "id": form_id,
                "user_id": user_id,
                "action": own_path(request.full_path.rstrip("?")) or "/",
                "page": page,
                "fields": fields,
                "created_at": moment,
                "expires_at": moment + KEPT_FOR,
            },
        )
        kept_files.store(conn, form_id, files)


def _clear(conn: Connection, which: ColumnElement[bool]) -> None:
    kept_files.forget(conn, select(_form.c.id).where(which))
    conn.execute(delete(_form).where(which))


def _of(user_id: str, form_id: str) -> Any:  # noqa: ANN401 - a row of kept forms
    mine = (_form.c.user_id == user_id) & (_form.c.expires_at > now())
    if not form_id.replace("-", "").isalnum():
        return None  # no id of ours; a NUL is no text for a database either
    with platform().db.snapshot() as conn:
        return conn.execute(select(_form).where(_form.c.id == form_id, mine)).one_or_none()


def waiting(user_id: str) -> Any:  # noqa: ANN401 - a row of kept forms
    """Return the form that waits for this person, if one does."""
    with platform().db.snapshot() as conn:
        return conn.execute(
            select(_form).where(
                _form.c.user_id == user_id, _form.c.expires_at > now(), _form.c.sent_at.is_(None)
            )
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
    with platform().db.snapshot() as conn:
        files = kept_files.listed(conn, form.id)
    return render_template(
        "gate/resume.html",
        form=form,
        files=files,
        whole=all(file.size for file in files),
        signs="signed" in names,
        shown=for_people(form.fields),
    )


@portal.post("/sign-in/resume")
def let_go() -> BaseResponse:
    """Forget the form and go back to its page."""
    who = actor()
    form = waiting(who.user_id)
    forget(who.user_id)
    return redirect(own_path(form.page) if form is not None else url_for("portal.home"), 303)


def forget(user_id: str = "") -> None:
    """Forget the form that was kept for this person, and in any case all whose time is over."""
    with platform().db.writer.begin() as conn:
        _clear(conn, (_form.c.user_id == user_id) | (_form.c.expires_at <= now()))


@portal.before_app_request
def _sent_again() -> None:
    """Recognise the form that its owner sends from the page that offers it; bring its files."""
    live = request.environ.get("tributary.live")
    came_from = urlsplit(request.headers.get("Referer", "")).path
    if request.method != "POST" or live is None or came_from != url_for("portal.resume"):
        return
    form = _of(live.actor.user_id, request.form.get("kept_form", ""))
    if form is not None:
        g.kept_form = form.id
        with platform().db.snapshot() as conn:
            kept_files.put_back(conn, form.id)


@portal.after_app_request
def _answered(response: Response) -> Response:
    """Offer the form no more once it had its answer: done, or a refusal in words."""
    form_id = g.get("kept_form")
    if form_id and (response.status_code < _REFUSED or response.status_code in _TOLD):
        with platform().db.writer.begin() as conn:
            conn.execute(update(_form).where(_form.c.id == form_id).values(sent_at=now()))
    return response


def typed() -> list[tuple[str, str]]:
    """Give what this request brings that a person has typed or chosen."""
    return for_people(
        [name, value] for name, value in request.form.items(multi=True) if _is_kept(name)
    )


def for_people(fields: Iterable[Sequence[str]]) -> list[tuple[str, str]]:
    """Leave out the fields that the page itself has put into its form."""
    return [
        (name, value)
        for name, value in fields
        if value.strip() and name not in _OF_THE_PAGE and not _ID.fullmatch(value)
    ]


def _is_kept(name: str) -> bool:
    return name not in NEVER_KEPT and "password" not in name
