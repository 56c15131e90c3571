"""Light, dark, or as the person's system has it: chosen in the portal, kept in the browser."""

from typing import Final

from flask import Flask, request

COOKIE: Final = "__Host-theme"
THEMES: Final = ("system", "light", "dark")


def attach(app: Flask) -> None:
    """Give templates ``theme()``."""
    app.jinja_env.globals["theme"] = theme


def theme() -> str:
    """Return the theme of this request."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in THEMES else "system"
