"""Plain text of the values of this package and back, to the last bit.

A price that is stored as text prices again to the same figures: whole numbers and fractions are
exact, and the shortest text of a float reads back as the same float.
"""

import json
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

_ADAPTERS: dict[type, "TypeAdapter[Any]"] = {}


def dump(value: object) -> str:
    """Return the canonical JSON of a frozen value: sorted keys, no spaces, ASCII.

    Parameters
    ----------
    value : dataclass
        Any value of `scoring.schema`, `scoring.card` or `scoring.policy`.

    Returns
    -------
    str
        The same text for equal values.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from scoring.schema import Recourse
    >>> dump(Recourse(Fraction("0.1")))
    '{"after_days":0,"dependency":"1/10"}'
    """
    plain = _adapter(type(value)).dump_python(value, mode="json")
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)


def load(kind: type[T], text: str) -> T:
    """Return the value of a kind that `dump` wrote.

    Parameters
    ----------
    kind : type
        Class of the value.
    text : str
        JSON.

    Raises
    ------
    ValueError
        The text is no such value.
    """
    value: T = _adapter(kind).validate_json(text)
    return value


def _adapter(kind: type) -> "TypeAdapter[Any]":
    """Return the reader and writer of a class, built once."""
    from pydantic import TypeAdapter

    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
