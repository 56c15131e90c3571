"""What every answer carries and every request must satisfy, before any page is thought of."""

from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, g, request, session
from flask_wtf.csrf import CSRFError, CSRFProtect

from web.problems import BadRequest, is_api
from web.sessions import as_lapsed

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": browsers would then send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_PUBLIC: Final = frozenset({"static", "assets.htmx", "health.live", "health.ready"})


def attach(app: Flask) -> None:
    """Guard the application.

    The API needs no form token: no cookie counts there, so no foreign page can borrow one.
    """
    app.config.update(
        WTF_CSRF_CHECK_DEFAULT=False,  # we say when, below
        WTF_CSRF_TIME_LIMIT=None,  # a token lives as long as its session
        WTF_CSRF_SSL_STRICT=True,
        WTF_CSRF_METHODS={"POST", "PUT", "PATCH", "DELETE"},
    )
    protect = CSRFProtect(app)

    @app.before_request
    def guard() -> None:
        if not is_api():
            # First the origin: the form of a foreign page is not even read.
            refuse_foreign_origin()
            try:
                protect.protect()
            except CSRFError:
                if not as_lapsed(session, request):
                    raise
                protect.protect()

    app.after_request(_headers)


def refuse_foreign_origin() -> None:
    """Refuse a change that another site's page sent with this person's cookie.

    Raises
    ------
    BadRequest
        ``ORIGIN`` when the browser names another origin, or a cross-site fetch.
    """
    if request.method in _SAFE:
        return
    origin = request.headers.get("Origin")
    if origin is not None:
        sent, own = urlsplit(origin), urlsplit(request.host_url)
        same = sent.netloc == own.netloc and sent.scheme in {own.scheme, "https"}
    else:
        same = request.headers.get("Sec-Fetch-Site", "none") in {"same-origin", "none"}
    if not same:
        raise BadRequest("ORIGIN", "This form was sent from another site.")


def _headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers[name] = value
    response.headers.pop("Server", None)
    if request.endpoint not in _PUBLIC or not response.status.startswith(("2", "304")):
        response.headers["Cache-Control"] = "no-store"
        response.vary.add("Authorization" if is_api() else "Cookie")
        response.vary.add("Accept-Language")
    if g.get("language"):
        response.headers["Content-Language"] = g.language
    return response
