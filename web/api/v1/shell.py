"""What every request of the API passes: who asks, what was sent, and under which key.

Order: token → role → headers → body. A person who may not do a thing does not learn what a right
request would look like, and a body that is not clean JSON is never looked into.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Blueprint, Response, g, request
from pydantic import BaseModel, ValidationError
from spectree import Response as Answers
from spectree import SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData
from sqlmodel import SQLModel

from scf.db.runner import Outcome, invalid_input
from scf.kernel.actor import Actor
from scf.kernel.errors import InvalidInput, NotAllowed, NotSignedIn
from scf.kernel.strict_json import NotStrict, loads
from scf.parties.access import authorise
from scf.parties.ratelimit import Limit
from scf.parties.signin import TooManyTries
from scf.parties.tokens import actor_of_token
from web.api.v1.shapes import ProblemDocument
from web.context import actor, around, now, platform, set_actor
from web.problems import BadRequest, PreconditionRequired, WrongType

_UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_MAX_KEY: Final = 255
# Endpoints that anybody may ask (the description of the API says nothing about anybody).
OPEN: Final = frozenset({"api.openapi"})
# Endpoints at which a signature over the message stands in place of a token.
OPEN_TO_SIGNED: Final[set[str]] = set()
Model = type[BaseModel] | type[SQLModel]


def _refuse_invalid(_request: Any, _response: Any, error: Any, *_more: Any) -> None:  # noqa: ANN401
    """Answer a body or query that does not fit, without repeating what was sent."""
    if isinstance(error, ValidationError):
        raise invalid_input(error)


def _reject_bad_answer(_request: Any, _response: Any, error: Any, *_more: Any) -> None:  # noqa: ANN401
    """Treat an answer that does not fit its own model as the bug it is."""
    if error is not None:
        raise RuntimeError("the answer does not fit its model") from error


spec = SpecTree(
    "flask",
    title="Tributary",
    version="1.0.0",
    path="api-description-is-served-elsewhere",
    mode="strict",
    page_templates={},
    annotations=True,
    before=_refuse_invalid,
    after=_reject_bad_answer,
    validation_error_status=422,
    validation_error_model=ProblemDocument,
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _parent, child: child,
    security_schemes=[
        SecurityScheme(name="token", data=SecuritySchemeData(type=SecureType.HTTP, scheme="bearer"))
    ],
    security={"token": []},
)


def attach(api: Blueprint) -> None:
    """Guard every route of the blueprint and of those inside it."""
    api.before_request(_authenticate)
    api.before_request(_refuse_repeated_parameters)
    api.before_request(_refuse_unclean_body)


def _authenticate() -> None:
    """Make the bearer of the token the actor; a cookie counts for nothing here."""
    if request.endpoint is None or request.endpoint in OPEN | OPEN_TO_SIGNED:
        return
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise NotSignedIn("TOKEN_MISSING", "Send a bearer token.")
    token = token.strip()
    try:
        with platform().db.reader.connect() as conn:
            who = actor_of_token(conn, token, now())
    except NotSignedIn:
        count_unknown()
        raise
    _count("api", token, around().options.api_calls)
    set_actor(who)


def count_unknown() -> None:
    """Count a try by somebody whom nobody knows, and refuse it once there were too many."""
    _count("unknown-token", request.remote_addr or "", around().options.unknown_tokens)


def _count(what: str, who: str, limit: Limit) -> None:
    """Count a call, and refuse it once there were too many.

    Known tokens pass whatever others at the same address try: an office shares one.
    """
    verdict = around().meter.hit(platform().db, what, who, limit, now())
    if not verdict.allowed:
        raise TooManyTries(
            "TOO_MANY_TRIES",
            "Too many calls. Wait a little before the next.",
            retry_after=verdict.retry_after,
        )


def _refuse_repeated_parameters() -> None:
    for name, values in request.args.lists():
        if len(values) > 1:
            raise BadRequest("PARAMETER_TWICE", "A parameter stands twice.", parameter=name[:100])


def _refuse_unclean_body() -> None:
    """Read the body once, strictly; the library behind reads it leniently."""
    if request.method not in _UNSAFE or getattr(_view(), "raw_body", False):
        return
    limit = getattr(_view(), "max_body", None)
    if limit is not None:
        request.max_content_length = limit
    raw = request.get_data(cache=True)
    if not raw:
        return
    if request.mimetype != "application/json":
        raise WrongType("CONTENT_TYPE", "Send application/json.")
    try:
        body = loads(raw)
    except NotStrict as why:
        raise BadRequest(
            "JSON", "The body is not clean JSON: %(reason)s.", reason=str(why)
        ) from None
    except (ValueError, RecursionError):
        raise BadRequest("JSON", "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise BadRequest("JSON", "The body is not a JSON object.")


def _view() -> object:
    from flask import current_app

    return current_app.view_functions.get(request.endpoint or "")


def endpoint(
    resource: Blueprint,
    method: str,
    rule: str,
    *,
    action: str,
    answer: Model | None,
    status: int = 200,
    raw_body: bool = False,
    max_body: int | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a view: who may call it, what it reads (by annotation) and what it answers.

    A view takes ``query`` and ``json`` models as keyword arguments. ``action`` is the command it
    runs, or the read it makes; the role is checked before anything of the request is read.

    A route that gives a file has no ``answer`` model and returns the response itself. A route
    that takes a file sets ``raw_body`` and reads it itself (``files.py`` does both); ``max_body``
    lifts the limit on what it may be sent, in bytes.
    """

    def register(view: Callable[..., Any]) -> Callable[..., Any]:
        described = spec.validate(
            resp=Answers(**{f"HTTP_{status}": answer}), tags=(resource.name,)
        )(view)

        @functools.wraps(described)
        def guarded(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - a view answers many kinds
            _authorise(action)
            if max_body is not None:
                request.max_content_length = max_body
            if method in _UNSAFE:
                g.idempotency_key = _key()
            return described(*args, **kwargs)

        guarded.raw_body = raw_body  # type: ignore[attr-defined]
        guarded.max_body = max_body  # type: ignore[attr-defined]
        guarded.action = action  # type: ignore[attr-defined]
        resource.add_url_rule(rule, view.__name__, guarded, methods=[method])
        return guarded

    return register


def _authorise(action: str) -> None:
    who = actor()
    try:
        authorise(who, action)
    except NotAllowed as refusal:
        platform().runner.record_denied(who, action, refusal)
        raise


def _key() -> str:
    """Return the caller's idempotency key; the server never makes one."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        raise BadRequest("IDEMPOTENCY_KEY", "Send an Idempotency-Key header.")
    if len(key) > _MAX_KEY or not (key.isascii() and key.isprintable()):
        raise BadRequest(
            "IDEMPOTENCY_KEY", "The key has 1 to %(limit)s printable characters.", limit=_MAX_KEY
        )
    return key


def run(command: str, payload: Mapping[str, Any] | BaseModel) -> Outcome:
    """Run the command of this request under the caller's key."""
    outcome = platform().run(
        command,
        payload,
        actor(),
        key=g.idempotency_key,
        reason=request.headers.get("X-Reason", "")[:1000],
    )
    if outcome.replayed:
        g.replayed = True
    return outcome


def mark_replay(response: Response) -> Response:
    """Say that the answer is a stored one."""
    if g.get("replayed"):
        response.headers["Idempotency-Hit"] = "true"
    return response


def etag(version: int) -> dict[str, str]:
    """Return the header that names the version of what is shown."""
    return {"ETag": f'"{version}"'}


def expected_version() -> int:
    """Return the version that the caller looked at, from ``If-Match``.

    Raises
    ------
    PreconditionRequired
        ``IF_MATCH`` when the header is missing; somebody else's change must not be lost.
    """
    text = request.headers.get("If-Match", "")
    if not text:
        raise PreconditionRequired("IF_MATCH", "Send If-Match with the ETag you looked at.")
    digits = text.strip().removeprefix('"').removesuffix('"')
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):  # noqa: PLR2004
        raise BadRequest("IF_MATCH", "If-Match holds one strong ETag of ours.")
    return int(digits)


def require(value: object, name: str) -> None:
    """Refuse a field that this route needs and its shared model leaves open."""
    if value in (None, ""):
        raise InvalidInput("INPUT", "Some fields are missing or wrong.", missing=name)


def reader(who: Actor | None = None) -> Any:  # noqa: ANN401 - a context manager of a session
    """Open a reading session that sees only what the caller may see."""
    return platform().db.read(who or actor())
