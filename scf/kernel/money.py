"""Money: an integer of minor units and an ISO 4217 currency, never a float.

Amount text becomes a number only here, after a strict pattern has passed it; totals are split
only by ``allocate``, which loses nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from scf.kernel.errors import InvalidInput, Words
from scf.kernel.findings import shown

# Safe as a JSON number, and sums of thousands of such amounts fit 64 bits.
MAX_MINOR: Final = 10**15

# ISO 4217, list one, as of January 2026 (BGN and ANG withdrawn, XCG and ZWG in). Codes without
# a minor unit (gold, SDR, test codes) are no money that anybody is paid in and are left out.
# CLDR, which the languages use for display, differs (CLF, UYW, HUF cash, …) and is not asked.
_TWO: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
    "GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK "
    "LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO "
    "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS "
    "SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST "
    "XAD XCD XCG YER ZAR ZMW ZWG"
)
_NONE: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE: Final = "BHD IQD JOD KWD LYD OMR TND"
_FOUR: Final = "CLF UYW"

EXPONENTS: Final[dict[str, int]] = {
    code: digits
    for digits, codes in ((0, _NONE), (2, _TWO), (3, _THREE), (4, _FOUR))
    for code in codes.split()
}

# Longer than any amount with its zeros; checked before the pattern, so that a megabyte of
# digits costs nothing.
_MAX_TEXT: Final = 40
_DOT: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_COMMA: Final = re.compile(r"(-?)([0-9]+)(?:,([0-9]+))?")


def exponent(currency: str) -> int:
    """Return how many decimals the currency's minor unit has (ISO 4217).

    Raises
    ------
    InvalidInput
        CURRENCY, when the code is not a current ISO 4217 code of money.
    """
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise InvalidInput(
            "CURRENCY",
            "%(currency)s is no current ISO 4217 currency code.",
            currency=shown(currency, 12),
        ) from None


def parse_minor(
    text: str, currency: str, *, decimal_comma: bool = False, signed: bool = False
) -> int:
    """Return an amount of money from its text, in minor units.

    Accepted: ASCII digits, then at most one decimal sign (a dot, or a comma where the sender
    writes commas) with digits after it. Decimals beyond the minor unit must be zeros. Grouping,
    blanks, plus signs, exponents, other scripts' digits and a negative zero are refused: each
    has been read as a different amount by some program.

    Raises
    ------
    InvalidInput
        AMOUNT_FORMAT, AMOUNT_DECIMALS (more decimals than the currency has), AMOUNT_RANGE
        (beyond 10^15 minor units, or below zero where no sign is allowed), CURRENCY.
    """
    digits = exponent(currency)
    pattern = _COMMA if decimal_comma else _DOT
    match = pattern.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if match is None:
        raise _refused("AMOUNT_FORMAT", Words("is not an amount such as 1234.50"), text, currency)
    sign, whole, decimals = match.groups("")
    if len(decimals) > digits and decimals[digits:].strip("0"):
        raise _refused(
            "AMOUNT_DECIMALS",
            Words("has more than %(digits)s decimals", digits=digits),
            text,
            currency,
        )
    minor = int(whole + decimals[:digits].ljust(digits, "0"))
    if sign and minor == 0:
        raise _refused("AMOUNT_FORMAT", Words("is zero with a sign"), text, currency)
    if minor > MAX_MINOR:
        raise _refused(
            "AMOUNT_RANGE",
            Words("is more than %(limit)s minor units", limit=MAX_MINOR),
            text,
            currency,
        )
    if sign and not signed:
        raise _refused("AMOUNT_RANGE", Words("is below zero"), text, currency)
    return -minor if sign else minor


def _refused(code: str, reason: Words, text: str, currency: str) -> InvalidInput:
    value = shown(text, _MAX_TEXT)
    return InvalidInput(
        code, '"%(value)s" %(reason)s.', value=value, currency=currency, reason=reason
    )


def format_minor(minor: int, currency: str) -> str:
    """Return the amount as files and the API write it: "988375.00", a dot, no grouping."""
    digits = exponent(currency)
    sign, text = "-" if minor < 0 else "", str(abs(minor))
    if digits == 0:
        return sign + text
    text = text.rjust(digits + 1, "0")
    return f"{sign}{text[:-digits]}.{text[-digits:]}"


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Return the total split in proportion to the weights, without losing a minor unit.

    Each part is rounded down, and what is left goes one unit each to the largest remainders;
    among equal remainders the later part gets it. A negative total is split as its absolute
    value. A weight of zero gets nothing.

    Raises
    ------
    InvalidInput
        WEIGHTS, when a weight is below zero or none is above.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise InvalidInput("WEIGHTS", "Weights must not be below zero, and one must be above.")
    size = abs(total)
    parts = [size * weight // whole for weight in weights]
    left = size - sum(parts)
    by_remainder = sorted(
        range(len(parts)), key=lambda i: (size * weights[i] % whole, i), reverse=True
    )
    for i in by_remainder[:left]:
        parts[i] += 1
    return [-part for part in parts] if total < 0 else parts


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency; two currencies never meet in one sum or comparison."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"money is a whole number of minor units, not {self.minor!r}")
        exponent(self.currency)
        if abs(self.minor) > MAX_MINOR:
            raise InvalidInput(
                "AMOUNT_RANGE",
                "%(value)s is more than %(limit)s minor units.",
                value=str(self.minor),
                currency=self.currency,
                limit=MAX_MINOR,
            )

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Return the money that a text names; see ``parse_minor``."""
        return cls(parse_minor(text, currency, signed=True), currency)

    def _same(self, other: "Money") -> int:
        if self.currency != other.currency:
            raise InvalidInput(
                "CURRENCY_MIXED",
                "Amounts in %(currencies)s do not add up or compare.",
                currencies=[self.currency, other.currency],
            )
        return other.minor

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._same(other)

    def allocate(self, weights: Sequence[int]) -> list["Money"]:
        """Return the money split in proportion to the weights; see ``allocate``."""
        return [Money(part, self.currency) for part in allocate(self.minor, weights)]

    @property
    def text(self) -> str:
        """The amount without its currency, as in "988375.00"."""
        return format_minor(self.minor, self.currency)

    def __str__(self) -> str:
        return f"{self.text} {self.currency}"
