"""What can go wrong, in families that every door (CLI, API, portal) answers alike.

Each error carries a stable ``code`` that programs may match, a human ``message`` and ``facts``:
the measured values behind it, ready for JSON. The message is written as a template over the facts
("The books are on %(business_date)s."), so that a door can tell it in its reader's language. A
broken invariant is none of these; it is a bug and is never caught.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Self, TypeVar

_E = TypeVar("_E", bound="ScfError")


class Words(str):
    """A text of ours, in English, that remembers how it was made, so that it can be translated.

    It stands alone (a next step) or fills a place of a message (a reason).
    """

    __slots__ = ("template", "values")

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, **values: object) -> Self:
        """Return the text, filled."""
        text = super().__new__(cls, filled(template, values))
        text.template, text.values = template, values
        return text

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        """Let a text go from one process to another as it was made."""
        return (self.template,), self.values


def words_as_stored(text: str) -> dict[str, object] | None:
    """Return how a text of ours was made, ready for JSON; nothing where the text says it all."""
    return _as_stored(text) if isinstance(text, Words) and text.values else None


def words_from_stored(text: str, made: Mapping[str, Any] | None) -> str:
    """Return a stored text as it was made, so that it can be told in any language."""
    return text if made is None else _from_stored(made)


def _as_stored(text: Words) -> dict[str, object]:
    used = {name: text.values[name] for name in text.values if f"%({name})s" in text.template}
    if any(map(_is_amount, used)) and "currency" in text.values:
        used["currency"] = text.values["currency"]
    return {"text": text.template, "places": {name: _plain(used[name]) for name in used}}


def _plain(value: object) -> object:
    if isinstance(value, Words):
        return _as_stored(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, int) else str(value)


def _from_stored(made: Mapping[str, Any]) -> Words:
    return Words(made["text"], **{name: _lively(one) for name, one in made["places"].items()})


def _lively(value: object) -> object:
    if isinstance(value, dict):
        return _from_stored(value)
    return [_lively(one) for one in value] if isinstance(value, list) else value


def filled(template: str, values: Mapping[str, object]) -> str:
    """Return a message with its places filled; lists are read out, one after the other.

    A place whose name ends in ``_minor`` is an amount in minor units of ``currency``.
    """
    if not values or "%(" not in template:
        return template
    return template % {name: _written(name, values) for name in values}


def _is_amount(name: str) -> bool:
    return name.endswith("_minor")


def _written(name: str, values: Mapping[str, object]) -> str:
    value, currency = values[name], values.get("currency")
    if _is_amount(name) and isinstance(value, int) and isinstance(currency, str):
        from scf.kernel.money import format_minor  # which raises these errors itself

        return f"{format_minor(value, currency)} {currency}"
    return in_words(value)


def in_words(value: object) -> str:
    """Return a fact as a sentence holds it."""
    return ", ".join(str(one) for one in value) if isinstance(value, list | tuple) else str(value)


class ScfError(Exception):
    """The act did not happen, for a reason that its actor can read and act on."""

    http_status: ClassVar[int] = 500

    def __init__(self, code: str, message: str, **facts: object) -> None:
        super().__init__(code, message)
        self.code = code
        self.template = message
        self.facts: dict[str, object] = facts

    @property
    def message(self) -> str:
        """What happened, in English."""
        return filled(self.template, self.facts)

    @property
    def words(self) -> Words:
        """What happened, to be told in any language."""
        return Words(self.template, **self.facts)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[object, ...]]:
        # Uploads are read in a child process; its errors must cross whole.
        return _rebuild, (type(self), self.code, self.template, self.facts)


def _rebuild(kind: type[_E], code: str, message: str, facts: dict[str, object]) -> _E:
    return kind(code, message, **facts)


class InvalidInput(ScfError):
    """What was handed in cannot be read as what it should be."""

    http_status = 422


class NotSignedIn(ScfError):
    """Nobody is known to act: sign in or send a valid token."""

    http_status = 401


class NotAllowed(ScfError):
    """The actor is known but may not do this."""

    http_status = 403


class NotFound(ScfError):
    """There is no such thing, or the actor may not know that there is."""

    http_status = 404


class Conflict(ScfError):
    """The thing is not, or no longer, in the state that the act needs."""

    http_status = 409


class TooLarge(ScfError):
    """More was sent than is read."""

    http_status = 413


class RuleViolation(ScfError):
    """The input is well formed, but a rule of business forbids the act."""

    http_status = 422


class Unavailable(ScfError):
    """Something that the act needs does not answer now; trying again later may help."""

    http_status = 503


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why finance is refused, and how that can change.

    Every refusal says what was measured against which threshold, when it frees (a date or an
    event, in words), and what the person's own next step is. ``subject`` is the id of the one
    thing it is about; empty where it stands against everything asked together.
    """

    code: str
    measured: str = ""
    threshold: str = ""
    frees_on: date | str | None = None
    next_step: str = ""
    message: str = ""
    subject: str = ""
