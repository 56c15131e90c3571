"""Styles, scripts and pictures: one address per content, kept by the browser for a year.

The address of an asset carries a digest of its bytes, so a new version has a new address and an
old one is never asked for again. htmx comes from its installed package, as it was published.
"""

import hashlib
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from flask import Blueprint, Flask, Response, request, url_for

from scf.kernel.errors import NotFound

HTMX: Final = "htmx.js"
_YEAR: Final = 31_536_000
_HOUR: Final = 3600


def attach(app: Flask) -> None:
    """Serve htmx beside our own assets, and give templates ``asset(name)``."""
    assets = Blueprint("assets", __name__)

    @assets.get(f"/static/{HTMX}")
    def htmx() -> Response:
        """Give the one script that is not ours, packed where the browser can unpack it."""
        packed = request.accept_encodings.quality("gzip") > 0
        answer = Response(
            _htmx(".gz" if packed else "").read_bytes(), content_type="text/javascript"
        )
        answer.vary.add("Accept-Encoding")
        if packed:
            answer.content_encoding = "gzip"
        answer.cache_control.public = True
        answer.cache_control.max_age = _HOUR
        return answer

    @app.after_request
    def keep(response: Response) -> Response:
        ours = (
            request.endpoint in {"static", "assets.htmx"} and response.status_code == HTTPStatus.OK
        )
        if ours and request.args.get("v") == _version(request.path.removeprefix("/static/")):
            response.cache_control.public = True
            response.cache_control.max_age = _YEAR
            response.cache_control.immutable = True
        return response

    app.register_blueprint(assets)
    app.jinja_env.globals["asset"] = asset


def asset(name: str) -> str:
    """Return the address of an asset as it is now."""
    return url_for("static", filename=name, v=_version(name))


@cache
def _version(name: str) -> str:
    content = _htmx("") if name == HTMX else files("web").joinpath("static", name)
    try:
        return hashlib.sha256(content.read_bytes()).hexdigest()[:12]
    except OSError as missing:
        raise NotFound("NOT_FOUND", "There is nothing here.") from missing


def _htmx(ending: str) -> Traversable:
    return files("js_lib_htmx").joinpath("static", "htmx", f"htmx.min.js{ending}")
