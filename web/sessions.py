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
from scf.kernel.errors import NotSignedIn
from scf.parties import sessions as store
from web.context import around, now, platform, set_actor
from web.device import seen

# The prefix binds the cookie to this host, to https and to the whole site (RFC 6265bis 4.1.3).
COOKIE: Final = "__Host-session"
VISITOR_COOKIE: Final = "__Host-visitor"
VISITOR_SECONDS: Final = 3600
_NO_SESSION: Final = ("/api/", "/static/", "/healthz", "/readyz", "/metrics")
# What a visitor's cookie may carry: the token of forms, and the page that was wanted.
_CARRIED: Final = frozenset({"csrf_token", "next"})


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
        # Whose session only time has ended; its form may be kept for that person.
        self.lapsed_user = ""


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
                    request.environ["tributary.live"] = live
                    return PortalSession(live.data, session_id)
            return PortalSession(_visitor(request.cookies.get(VISITOR_COOKIE, "")))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the cookie that the request made necessary."""
        session = cast("PortalSession", session)
        if session.fresh_id:
            if session.modified and session:
                store.keep(platform().db, session.fresh_id, dict(session))
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
    """Make the person whom the session found the actor of the request.

    A session that still waits for the second factor makes nobody an actor.
    """
    live: store.Live | None = request.environ.get("tributary.live")
    if live is not None and live.stage == store.FULL:
        set_actor(live.actor)


def half_signed_in(request: Request, stage: str) -> Actor:
    """Return who has shown the password and stands at this step.

    Raises
    ------
    NotSignedIn
        When nobody does.
    """
    live: store.Live | None = request.environ.get("tributary.live")
    if live is None or live.stage != stage:
        raise NotSignedIn("SIGN_IN_FIRST", "Sign in first.")
    return live.actor


def begin(
    session: SessionMixin, actor: Actor, stage: str = store.FULL, data: dict[str, Any] | None = None
) -> None:
    """Open a session for a person: new id, nothing carried over but what is handed in."""
    current = cast("PortalSession", session)
    current.fresh_id = store.start(
        platform().db,
        actor.user_id,
        data or {},
        now(),
        around().options.lifetimes,
        instead_of=current.session_id or None,
        stage=stage,
        seen=seen(),
    )
    current.clear()
    current.modified = False


def rotate(session: SessionMixin) -> None:
    """Give the session another id: the person has just proved identity again."""
    current = cast("PortalSession", session)
    current.fresh_id = store.rotate(platform().db, current.session_id, now())


def seconds_left(request: Request) -> int:
    """Return after how many seconds without use the session of this request is over."""
    live: store.Live | None = request.environ.get("tributary.live")
    if live is None or live.expires_at is None:
        return 0
    # What was seen last may be written down a little late: better to warn too early.
    idle = (around().options.lifetimes.idle - store.TOUCH).total_seconds()
    return max(0, int(min(idle, (live.expires_at - now()).total_seconds())))


def finish(session: SessionMixin) -> None:
    """End the session on the server and in the browser."""
    current = cast("PortalSession", session)
    if current.session_id:
        store.end(platform().db, current.session_id, now())
    current.clear()
    current.ended = True


def may_bring_a_file(request: Request) -> bool:
    """Tell whether a large form is read: for whoever is signed in, or was until time ended it."""
    live: store.Live | None = request.environ.get("tributary.live")
    if live is not None:
        return live.stage == store.FULL
    session_id = request.cookies.get(COOKIE, "")
    lifetimes = around().options.lifetimes
    return bool(session_id) and bool(store.lapsed(platform().db, session_id, now(), lifetimes))


def as_lapsed(session: SessionMixin, request: Request) -> bool:
    """Take up the session that only time has ended, to tell its form from a foreign one.

    Nobody acts through it: it lends the token of its forms to this one request, and the name of
    the person for whom the form is kept.
    """
    current, session_id = cast("PortalSession", session), request.cookies.get(COOKIE, "")
    if not session_id or current.session_id:
        return False
    found = store.lapsed(platform().db, session_id, now(), around().options.lifetimes)
    if found is None:
        return False
    user_id, data = found
    current["csrf_token"] = data.get("csrf_token", "")
    current.lapsed_user, current.modified = user_id, False
    return True


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
