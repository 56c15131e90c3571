"""What every connector knows: a refusal in the ERP's own words, and values of JSON with a class."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from scf.kernel.errors import InvalidInput
from scf.kernel.findings import shown
from scf.kernel.money import parse_minor

MAX_SAID: Final = 400


class Refused(Exception):
    """The ERP answered, and said no.

    ``code`` is one of ours, in whose words people are told; ``said`` are the ERP's own words.
    """

    def __init__(self, code: str, said: str = "") -> None:
        super().__init__(code, said)
        self.code = code
        self.said = shown(said, MAX_SAID)


@contextlib.contextmanager
def readable() -> Iterator[None]:
    """Take an answer of another shape than promised for what it is: theirs, and no bug of ours.

    Raises
    ------
    Refused
        ERP_ANSWER.
    """
    try:
        yield
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as unread:
        raise Refused("ERP_ANSWER", f"{type(unread).__name__}: {unread}") from unread


def minor_of(value: object, currency: str) -> int:
    """Give an exact decimal as minor units.

    Raises
    ------
    InvalidInput
        AMOUNT_FORMAT for what is no decimal, AMOUNT_DECIMALS, AMOUNT_RANGE, CURRENCY.
    """
    if not isinstance(value, Decimal):
        raise InvalidInput("AMOUNT_FORMAT", "This is no amount.", value=shown(str(value), 40))
    text = format(value, "f")
    if value == 0:
        text = text.lstrip("-")
    return parse_minor(text, currency, signed=True)


def decimal_text(value: object) -> str:
    """Give a quantity or price as plain decimal text; empty for none."""
    if value is None or isinstance(value, bool):
        return ""
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        return ""
    if not exact.is_finite():
        return ""
    text = format(exact, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def from_json(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Turn Tryton's objects with a ``__class__`` into values, all the way down."""
    if isinstance(value, list):
        return [from_json(one) for one in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("__class__")
    try:
        if kind == "Decimal":
            return Decimal(str(value["decimal"]))
        if kind == "date":
            return dt.date(value["year"], value["month"], value["day"])
        if kind == "datetime":
            # Without a zone, as it is there: such instants are only compared with one another.
            return dt.datetime(  # noqa: DTZ001
                value["year"], value["month"], value["day"], value["hour"],
                value["minute"], value["second"], value["microsecond"],
            )  # fmt: skip
    except (KeyError, TypeError, ValueError, InvalidOperation):
        raise Refused("ERP_ANSWER", f"a {kind} that cannot be read") from None
    return {str(name): from_json(one) for name, one in value.items()}


def to_json(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Turn values into Tryton's objects with a ``__class__``, all the way down."""
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": format(value, "f")}
    if isinstance(value, dt.datetime):
        names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return {"__class__": "datetime"} | {name: getattr(value, name) for name in names}
    if isinstance(value, dt.date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    if isinstance(value, dict):
        return {name: to_json(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(one) for one in value]
    return value
