"""What gunicorn serves: ``web.wsgi:app``.

Importing brings in the code; the platform is built at a process's first request, so no database
connection is ever shared across a fork.
"""

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask

from web.app import from_settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_lock = threading.Lock()
_built: list[Flask] = []


def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer one request."""
    return _application()(environ, start_response)


def _application() -> Flask:
    if not _built:
        with _lock:
            if not _built:
                _built.append(from_settings())
    return _built[0]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module attribute
    """Give tools that want the Flask object itself (``flask --app web.wsgi:flask_app``)."""
    if name == "flask_app":
        return _application()
    raise AttributeError(name)
