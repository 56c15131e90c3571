"""JSON as one text with one meaning: no key twice, no NaN, no depth that breaks a parser."""

import json
from decimal import Decimal
from typing import Any, Final

MAX_DEPTH: Final = 32
MAX_DIGITS: Final = 40


class NotStrict(ValueError):
    """The text is JSON to a lenient reader only."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotStrict("a key stands twice in one object")
    return found


def _constant(word: str) -> float:
    raise NotStrict(f"{word} is no number")


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise NotStrict("a number has too many digits")
    return int(digits)


def _fraction(digits: str) -> float:
    if len(digits) > MAX_DIGITS:
        raise NotStrict("a number has too many digits")
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise NotStrict("a number is too large")
    return value


def _exact(digits: str) -> Decimal:
    if len(digits) > MAX_DIGITS:
        raise NotStrict("a number has too many digits")
    value = Decimal(digits)
    if abs(value.adjusted()) > MAX_DIGITS:
        raise NotStrict("a number is too large or too small")
    return value


def _check_depth(text: str) -> None:
    """Count brackets outside of strings, before the recursive parser sees them."""
    depth, in_string, escaped = 0, False, False
    for char in text:
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise NotStrict(f"it is nested deeper than {MAX_DEPTH} levels")
        elif char in "]}":
            depth -= 1


def loads(raw: str | bytes, *, exact: bool = False) -> Any:  # noqa: ANN401 - any JSON value
    """Read JSON text; ``exact`` gives fractions as the decimals that they are written as.

    Raises
    ------
    ValueError
        For text that is no JSON, no UTF-8, or JSON that two readers could understand differently.
    """
    text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
    _check_depth(text)
    return json.loads(
        text,
        object_pairs_hook=_pairs,
        parse_constant=_constant,
        parse_int=_integer,
        parse_float=_exact if exact else _fraction,
    )
