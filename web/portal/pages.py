"""The way home, and the choices of language and theme."""

from collections.abc import Container

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from web import sessions, theme
from web.context import actor
from web.i18n import COOKIE, LANGUAGES
from web.portal.navigation import home_of
from web.portal.shell import own_address

portal = Blueprint("portal", __name__)


@portal.before_app_request
def _who() -> None:
    sessions.recognise(request)


@portal.post("/language")
def choose_language() -> BaseResponse:
    """Keep the chosen language in the browser; it says nothing about the person."""
    return _kept(COOKIE, request.form.get("language", ""), LANGUAGES)


@portal.post("/theme")
def choose_theme() -> BaseResponse:
    """Keep the chosen theme in the browser; it says nothing about the person."""
    return _kept(theme.COOKIE, request.form.get("theme", ""), theme.THEMES)


def _kept(cookie: str, chosen: str, of: Container[str]) -> BaseResponse:
    """Go back to the page with a choice kept for a year, unless it is none of the choices."""
    answer = redirect(own_address(request.form.get("back", "/")), 303)
    if chosen in of:
        answer.set_cookie(
            cookie, chosen, max_age=31_536_000, path="/", secure=True, httponly=True, samesite="Lax"
        )
    return answer


@portal.get("/")
def home() -> BaseResponse:
    """Lead to the home of the role; whoever has none finds the own account."""
    return redirect(url_for(home_of(actor())), 303)
