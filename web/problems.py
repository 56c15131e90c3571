"""What went wrong, told to programs as RFC 9457 problem details and to people as a page.

One mapping for every door. An unexpected error says nothing but its reference; what happened
stands in the log under the same reference.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, SecurityError
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response as BaseResponse

from scf.db.failures import is_away
from scf.kernel.errors import NotSignedIn, ScfError, Unavailable
from scf.kernel.ids import new_id
from web.portal.shell import own_address, shell
from web.refusals import facts_told, refusal_text

_log = structlog.get_logger(__name__)
_TYPES = "urn:tributary:problem:"
_CODES = {
    400: "BAD_REQUEST",
    401: "SIGN_IN_FIRST",
    403: "NOT_ALLOWED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    413: "TOO_LARGE",
    415: "CONTENT_TYPE",
    422: "INPUT",
    428: "PRECONDITION_REQUIRED",
    429: "TOO_MANY_TRIES",
    503: "UNAVAILABLE",
}
_SERVER_ERROR = 500
_PLAIN = "text/plain; charset=utf-8"


class BadRequest(ScfError):
    """The request itself cannot be read, whatever it is about."""

    http_status = 400


class WrongType(ScfError):
    """The body is of a kind that this address does not read."""

    http_status = 415


class PreconditionRequired(ScfError):
    """Say which version you looked at before you change it."""

    http_status = 428


@dataclass(frozen=True)
class Problem:
    """One problem, before it takes the form of JSON or a page."""

    status: int
    code: str
    detail: str
    facts: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def attach(app: Flask) -> None:
    """Answer every error of the application through this module."""
    app.before_request(_name_request)
    app.after_request(_show_reference)
    app.register_error_handler(Exception, answer)


def _name_request() -> None:
    g.request_id = new_id()


def _show_reference(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id") or new_id()
    return response


def is_api() -> bool:
    """Tell whether a program asks."""
    return request.path.startswith("/api/")


def problem_of(error: Exception) -> Problem:
    """Turn any exception into the problem that may be told."""
    if is_away(error):
        error = Unavailable("DATABASE", "The database does not answer. Repeat with the same key.")
    if isinstance(error, ScfError):
        headers = {}
        if error.http_status == 401:  # noqa: PLR2004 - the status itself is meant
            headers["WWW-Authenticate"] = 'Bearer realm="tributary"'
        if "retry_after" in error.facts:
            headers["Retry-After"] = str(error.facts["retry_after"])
        told = facts_told(error.facts)
        return Problem(error.http_status, error.code, refusal_text(error), told, headers)
    if isinstance(error, CSRFError):
        return Problem(400, "CSRF", _("This form is out of date. Load the page and send it again."))
    if isinstance(error, HTTPException) and error.code and error.code < _SERVER_ERROR:
        headers = {}
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            headers["Allow"] = ", ".join(sorted(error.valid_methods))
        # The library's words may repeat what was sent; ours are the same for everybody.
        code = _CODES.get(error.code, f"HTTP_{error.code}")
        return Problem(error.code, code, _words(error.code), {}, headers)
    return Problem(
        _SERVER_ERROR,
        "INTERNAL",
        _("Something went wrong on our side. Nothing was half done."),
    )


def _words(status: int) -> str:
    words = {
        404: _("Nothing is kept at this address, or it is not yours to see."),
        405: _("This address does not do that."),
        413: _("More was sent than is read here."),
        415: _("What was sent is of a kind that is not read here."),
    }
    return str(words.get(status) or _("The request could not be read."))


def answer(error: Exception) -> BaseResponse:
    """Answer an exception; unexpected ones are logged whole and told by reference only."""
    if isinstance(error, RequestRedirect):
        return redirect(error.new_url, 308)
    if isinstance(error, SecurityError):
        # A foreign host name: no address of ours may be built from it, not even in a page.
        return Response("This host name is not served here.\n", 400, content_type=_PLAIN)
    problem = problem_of(error)
    if problem.status == _SERVER_ERROR:
        _log.error("unexpected error", request_id=g.get("request_id"), exc_info=error)
    if is_api():
        return _as_json(problem)
    if isinstance(error, NotSignedIn):
        return _to_the_gate()
    return _as_page(problem)


def _to_the_gate() -> BaseResponse:
    """Send a person to sign in, and remember what that person was about to do."""
    from web.portal.gate import kept

    lapsed_user = getattr(session, "lapsed_user", "")
    if request.method == "GET":
        wanted = kept.own_path(request.full_path.rstrip("?"))
        if wanted not in {"", "/"}:
            session["next"] = wanted
    elif lapsed_user:
        kept.keep(lapsed_user)
    return redirect(url_for("portal.sign_in"), 303)


def body_of(problem: Problem) -> dict[str, Any]:
    """Return the members of the problem document."""
    return {
        "type": _TYPES + problem.code.lower().replace("_", "-"),
        "title": problem.code,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "facts": problem.facts,
    }


def _as_json(problem: Problem) -> Response:
    text = json.dumps(body_of(problem), sort_keys=True, ensure_ascii=False, default=str)
    return Response(text, problem.status, problem.headers, content_type="application/problem+json")


def _as_page(problem: Problem) -> Response:
    page = render_template(
        "error.html",
        problem=problem,
        reference=g.get("request_id", ""),
        in_shell=_shell_stands(),
        back=_back(),
        typed=_typed(problem),
    )
    headers = {key: value for key, value in problem.headers.items() if key != "WWW-Authenticate"}
    return Response(page, problem.status, headers, content_type="text/html; charset=utf-8")


def _shell_stands() -> bool:
    """Tell whether the page can stand in the shell: somebody is known, and the database answers."""
    if g.get("actor") is None:
        return False
    try:
        shell()
    except (ScfError, SQLAlchemyError):
        return False
    return True


def _typed(problem: Problem) -> list[tuple[str, str]]:
    """Give what the person had typed, to be copied from the page that says no.

    Only to whom we know, or whose browser says that the form came from a page of ours.
    """
    from web.portal.gate import kept

    out_of_date = problem.code == "CSRF" and "Origin" in request.headers
    if request.method != "POST" or not (g.get("actor") or out_of_date):
        return []
    return kept.typed()


def _back() -> str:
    """Return the page of ours that the person came from, if the browser says so."""
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc != urlsplit(request.host_url).netloc or came_from.path == request.path:
        return ""
    return own_address(came_from.path + (f"?{came_from.query}" if came_from.query else ""))
