"""What gunicorn serves: ``web.wsgi:app``.

Importing brings in the code; the platform is built at a process's first request, so no database
connection is ever shared across a fork. What the first price needs is loaded once that request is
under way, by a thread beside it: neither the first page nor the first price waits for it.
"""

import importlib
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from flask import Flask

from scf.kernel import garbage
from web.app import from_settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_lock = threading.Lock()
_built: list[Flask] = []
_FOR_THE_FIRST_PRICE: Final = "scipy.special"  # brings numpy
_SECONDS_FOR_THE_FIRST_PAGE: Final = 1.0


def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer one request."""
    return _application()(environ, start_response)


def _application() -> Flask:
    if not _built:
        with _lock:
            if not _built:
                _built.append(from_settings())
                _load_later()
    return _built[0]


def _load_later() -> None:
    loading = threading.Timer(_SECONDS_FOR_THE_FIRST_PAGE, _load)
    loading.daemon = True  # a worker that is told to end does not wait for it
    loading.start()


def _load() -> None:
    importlib.import_module(_FOR_THE_FIRST_PRICE)
    garbage.settle()


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module attribute
    """Give tools that want the Flask object itself (``flask --app web.wsgi:flask_app``)."""
    if name == "flask_app":
        return _application()
    raise AttributeError(name)
