"""The cookie of a signed-in browser, and of one that has not signed in yet.

Signed in, the cookie holds a random id and nothing else; the rest stands in the database, where
it can be ended. Before, a signed cookie carries only what a form needs to be safe; it has no
authority and nothing is written for it.
"""

from typing import Any, Final, cast

from flask import Flask, Request, Response, current_app
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.datastructures import CallbackDict

from scf.kernel.actor import Actor
from scf.parties import sessions as store
from web.context import around, now, platform, set_actor

# The prefix binds the cookie to this host, to https and to the whole site (RFC 6265bis 4.1.3).
COOKIE: Final = "__Host-session"
VISITOR_COOKIE: Final = "__Host-visitor"
VISITOR_SECONDS: Final = 3600
_NO_SESSION: Final = ("/api/", "/static/", "/healthz", "/readyz", "/metrics")
_CARRIED: Final = frozenset({"csrf_token"})


class PortalSession(CallbackDict[str, Any], SessionMixin):
    """What a browser carries through the portal."""

    def __init__(self, initial: dict[str, Any] | None = None, session_id: str = "") -> None:
        def on_update(_self: "CallbackDict[str, Any]") -> None:
            self.modified = True

        super().__init__(initial, on_update)
        self.session_id = session_id
        self.modified = False
        self.fresh_id = ""
        self.ended = False


class ServerSessions(SessionInterface):
    """Flask's sessions over the table of sessions."""

    def open_session(self, app: Flask, request: Request) -> PortalSession:
        """Recognise the browser; programs and static files have no session at all."""
        if request.path.startswith(_NO_SESSION):
            return PortalSession()
        with app.app_context():
            session_id = request.cookies.get(COOKIE, "")
            if session_id:
                live = store.load(platform().db, session_id, now(), around().options.lifetimes)
                if live is not None:
                    found = PortalSession(live.data, session_id)
                    request.environ["tributary.actor"] = live.actor
                    return found
            return PortalSession(_visitor(request.cookies.get(VISITOR_COOKIE, "")))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the cookie that the request made necessary."""
        session = cast("PortalSession", session)
        if session.fresh_id:
            _set(response, COOKIE, session.fresh_id, None)
            _drop(response, VISITOR_COOKIE)
        elif session.ended:
            _drop(response, COOKIE)
            _drop(response, VISITOR_COOKIE)
        elif session.session_id:
            if session.modified:
                store.keep(platform().db, session.session_id, dict(session))
        elif session.modified and session:
            value = _signer(app).dumps({key: session[key] for key in _CARRIED if key in session})
            _set(response, VISITOR_COOKIE, value, VISITOR_SECONDS)


def recognise(request: Request) -> None:
    """Make the person whom the session found the actor of the request."""
    actor: Actor | None = request.environ.get("tributary.actor")
    if actor is not None:
        set_actor(actor)


def begin(session: SessionMixin, actor: Actor) -> None:
    """Open a session for a person who just signed in: new id, nothing carried over."""
    current = cast("PortalSession", session)
    current.fresh_id = store.start(
        platform().db,
        actor.user_id,
        {},
        now(),
        around().options.lifetimes,
        instead_of=current.session_id or None,
    )
    current.clear()


def finish(session: SessionMixin) -> None:
    """End the session on the server and in the browser."""
    current = cast("PortalSession", session)
    if current.session_id:
        store.end(platform().db, current.session_id, now())
    current.clear()
    current.ended = True


def _visitor(cookie: str) -> dict[str, Any]:
    if not cookie:
        return {}
    try:
        carried = _signer(current_app).loads(cookie, max_age=VISITOR_SECONDS)
    except BadSignature:
        return {}
    return {key: carried[key] for key in _CARRIED if key in carried}


def _signer(app: Flask) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(app.secret_key), salt="visitor")


def _set(response: Response, name: str, value: str, max_age: int | None) -> None:
    response.set_cookie(
        name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="Lax"
    )


def _drop(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="Lax")
