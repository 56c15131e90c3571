"""Proof of identity a short while ago, before what opens doors is changed (ASVS 5.0 V7.5.3).

Factors, passwords, tokens and other people's rights are changed only within a quarter of an hour
of a code or a passkey; else it is asked for first, and the page or the form comes back after it.
Money is another matter: there each act is signed for itself (``web/second_factor.py``).
"""

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from flask import redirect, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from web.context import actor, now
from web.portal.gate import kept
from web.second_factor import PROVED_AT

FRESH_SECONDS: Final = 900
P = ParamSpec("P")
T = TypeVar("T")


def note_proof() -> None:
    """Remember that the signed-in person has just proved identity."""
    session[PROVED_AT] = int(now().timestamp())


def is_fresh() -> bool:
    """Tell whether the signed-in person's last proof is fresh."""
    proved_at = session.get(PROVED_AT, 0)
    return 0 <= int(now().timestamp()) - int(proved_at) <= FRESH_SECONDS


def freshly_proved(view: Callable[P, T]) -> Callable[P, T | BaseResponse]:
    """Let a view answer only after a fresh proof; a form that comes too late is kept meanwhile."""

    @wraps(view)
    def guarded(*args: P.args, **more: P.kwargs) -> T | BaseResponse:
        who = actor()
        if is_fresh():
            return view(*args, **more)
        wanted = kept.own_path(request.full_path.rstrip("?")) if request.method == "GET" else ""
        if not wanted:
            kept.keep(who.user_id)
        return redirect(url_for("account.confirm", next=wanted or None), 303)

    return guarded
