"""What forms send, read the way people write it."""

from typing import Final

from babel.numbers import NumberFormatError, parse_decimal
from flask import request
from flask_babel import get_locale

from scf.kernel.errors import InvalidInput
from scf.kernel.money import exponent, parse_minor

_MAX_KEY: Final = 100


def minor_of(text: str, currency: str) -> int:
    """Return the amount that a person typed in the own language's way of writing numbers.

    "1.917.656,25" is an amount in Spanish and none in English. What was read is shown again with
    every answer, so that nobody is misunderstood in silence.

    Raises
    ------
    InvalidInput
        AMOUNT_FORMAT, AMOUNT_DECIMALS, AMOUNT_RANGE.
    """
    plain = text.upper().replace(currency, "").replace("\u00a0", "").replace(" ", "").strip()
    if not plain.isascii() or any(char.isalpha() for char in plain):
        raise InvalidInput("AMOUNT_FORMAT", "This is not an amount.", value=text[:40])
    try:
        value = parse_decimal(plain, locale=get_locale(), strict=True)
    except NumberFormatError as unread:
        raise InvalidInput("AMOUNT_FORMAT", "This is not an amount.", value=text[:40]) from unread
    digits = max(exponent(currency), -int(value.as_tuple().exponent))
    return parse_minor(f"{value:.{digits}f}", currency)


def form_key() -> str:
    """Return the idempotency key that the form was drawn with.

    Raises
    ------
    InvalidInput
        KEY when the form carries none.
    """
    key = request.form.get("key", "")
    if not 0 < len(key) <= _MAX_KEY:
        raise InvalidInput("KEY", "This form is out of date. Load the page and send it again.")
    return key
