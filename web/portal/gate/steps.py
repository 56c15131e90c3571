"""What every step of the gate shares: the history, the throttle's words, the way in."""

from flask import redirect, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from scf.kernel.actor import Actor
from scf.parties import signin
from scf.parties.factors import proof
from web import second_factor, sessions
from web.context import now, platform
from web.device import seen
from web.portal.gate import kept


def record(person: Actor, outcome: str, method: str) -> None:
    """Write the attempt into the person's history."""
    signin.record(platform().db, person.user_id, person.org_id, outcome, method, seen(), now())


def too_many(refusal: signin.TooManyTries) -> tuple[str, dict[str, str]]:
    """Say to people and to programs when it can be tried again."""
    seconds = int(str(refusal.facts["retry_after"]))
    text = _("Too many tries. Try again in %(minutes)d minutes.", minutes=-(-seconds // 60))
    return text, {"Retry-After": str(seconds)}


def factors_of(person: Actor) -> proof.Factors:
    """Read by what the person may prove identity."""
    with platform().db.snapshot() as conn:
        return proof.factors_of(conn, person.user_id, now())


def wanted() -> dict[str, str]:
    """Return the page that was asked for before the gate, to be carried through it."""
    return {"next": session["next"]} if "next" in session else {}


def enter(person: Actor) -> str:
    """Begin the full session and return where the person wanted to be."""
    page = kept.own_path(session.get("next", ""))
    sessions.begin(session, person)
    session[second_factor.PROVED_AT] = int(now().timestamp())
    kept.forget()
    if kept.waiting(person.user_id) is not None:
        return url_for("portal.resume")
    return page or url_for("portal.home")


def go(address: str) -> BaseResponse:
    """Send the browser on after a form."""
    return redirect(address, 303)
