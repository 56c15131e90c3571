"""What the officer's pages share: who may open them, commands sent by forms, and a clear no."""

import functools
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final

from flask import Blueprint, flash, redirect, request
from flask_babel import gettext as _
from pydantic import BaseModel
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response as BaseResponse

from scf.db.runner import Outcome
from scf.financing.models import Advance
from scf.kernel.errors import NotAllowed, NotFound, ScfError
from scf.parties.access import authorise
from web.context import actor, platform
from web.forms import form_key
from web.portal.officer import words
from web.portal.officer.words import refused

officer = Blueprint("officer", __name__, url_prefix="/officer")
View = Callable[..., Any]
MAX_TYPED: Final = 4_000


def page(rule: str, action: str, *, method: str = "GET") -> Callable[[View], View]:
    """Register a page that only those may open whose role covers ``action``.

    Every one of them is for a financier's people: ``decision.read`` is asked besides.
    """

    def register(view: View) -> View:
        @functools.wraps(view)
        def guarded(**parts: str) -> Any:  # noqa: ANN401 - a view answers many kinds
            for needed in ("decision.read", action):
                _authorise(needed)
            return view(**parts)

        officer.add_url_rule(rule, view.__name__, guarded, methods=[method])
        return guarded

    return register


@officer.context_processor
def _words() -> dict[str, Any]:
    """Give templates the names of kinds, states and codes."""
    return {
        "alert_words": words.alert_words,
        "check_name": words.check_name,
        "limit_kind": words.limit_kind,
        "next_step": words.next_step,
        "part_name": words.part_name,
        "reason": words.reason,
        "state_of": words.state_of,
        "subject": words.subject,
    }


def _authorise(action: str) -> None:
    try:
        authorise(actor(), action)
    except NotAllowed as refusal:
        platform().runner.record_denied(actor(), action, refusal)
        raise


def reading() -> AbstractContextManager[Session]:
    """Open a reading session that sees only what the officer may see."""
    return platform().db.read(actor())


def act(
    command: str, payload: Mapping[str, Any] | BaseModel, *, part: str = "", reason: str = ""
) -> Outcome:
    """Run a command under the key that the form was drawn with, so that twice is once.

    ``part`` tells several commands of one form apart.
    """
    key = form_key()
    name = f"{key}:{part}" if part else key
    return platform().run(command, payload, actor(), key=name, reason=reason[:1000])


def typed(name: str, limit: int = MAX_TYPED) -> str:
    """Return what was typed into a field, without the blanks around it."""
    return request.form.get(name, "").strip()[:limit]


def advance_of(advance_id: str) -> Advance:
    """Give an advance that the officer may see; a form needs nothing of its whole life.

    Raises
    ------
    NotFound
        For another financier's, and for none.
    """
    with reading() as session:
        row: Advance | None = session.execute(
            select(Advance).where(col(Advance.id) == advance_id)
        ).scalar_one_or_none()
    if row is None:
        raise missing("advance")
    return row


def missing(kind: str) -> NotFound:
    """Build the answer for what is not there, or is not this officer's to know of."""
    return NotFound("NOT_FOUND", "There is nothing with this id.", kind=kind)


def done(text: str, where: str) -> BaseResponse:
    """Go on to a page that says what has been done."""
    flash(text, "ok")
    return redirect(where, 303)


def errors_of(error: ScfError, fields: tuple[str, ...] = ()) -> dict[str, str]:
    """Return what is wrong by field; under ``form`` what belongs to none of them."""
    problems: Any = error.facts.get("problems", ())
    found = {
        place: str(_("This is missing or cannot be read."))
        for place in (str(one["place"]).split(".")[0] for one in problems)
        if place in fields
    }
    return found or {"form": refused(error)}
