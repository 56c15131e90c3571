"""Commands that forms of the portal send: under the form's own key, and a refusal told in words."""

from collections.abc import Mapping
from typing import Any

from flask import flash
from pydantic import BaseModel

from scf.kernel.errors import NotAllowed, NotFound, NotSignedIn, ScfError
from scf.parties.access import authorise
from web.context import actor, platform
from web.forms import form_key
from web.refusals import refusal_text


def must(action: str) -> None:
    """Let pass only whose role covers an action; a refusal stands in the audit trail."""
    try:
        authorise(actor(), action)
    except NotAllowed as refusal:
        platform().runner.record_denied(actor(), action, refusal)
        raise


def act(
    command: str, payload: Mapping[str, Any] | BaseModel, *, part: str = "", reason: str = ""
) -> dict[str, Any]:
    """Run a command under the key that the form was drawn with, so that twice is once.

    ``part`` tells several commands of one form apart.
    """
    key = form_key()
    name = f"{key}:{part}" if part else key
    outcome = platform().run(command, payload, actor(), key=name, reason=reason)
    return outcome.result


def tried(
    command: str, payload: Mapping[str, Any] | BaseModel, *, part: str = "", reason: str = ""
) -> dict[str, Any] | None:
    """Run a command; a refusal that the person can do something about is told, not raised."""
    try:
        return act(command, payload, part=part, reason=reason)
    except (NotFound, NotAllowed, NotSignedIn):
        raise
    except ScfError as refused:
        flash(refusal_text(refused), "bad")
        return None
