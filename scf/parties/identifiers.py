"""Numbers by which firms and accounts are known: one spelling each, checked by its own rules.

Scheme names: ``lei``, ``vat``, ``uscc``, ``gln``, ``duns``, ``sepa``, ``reg:<country or ICD>``
(company register), ``endpoint:<EAS>`` (electronic address), ``id:<ICD>`` (issued under a registered
code) name one firm for everybody. ``name``, ``id`` and ``tax:<scheme>`` mean something only to the
organisation that uses them; so does ``said``, all that a document says of a firm taken together.

A public number that fails its own check is not public: it is kept as what one organisation calls
the firm, so that a mistyped number never captures somebody else's documents.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from typing import Final, NamedTuple

from scf.kernel.errors import InvalidInput, Words
from scf.kernel.findings import shown

_PUBLIC: Final = frozenset({"lei", "vat", "uscc", "gln", "duns", "sepa"})
_PUBLIC_FAMILIES: Final = ("reg:", "endpoint:", "id:")
_SCOPED: Final = frozenset({"name", "id"})
_SCHEME: Final = re.compile(r"[a-z]{2,10}(:[A-Za-z0-9._-]{1,40})?")
# Written between the characters of a number for the eye only.
_SEPARATORS: Final = str.maketrans("", "", " .-/\u00a0\u2009\u202f")
_MAX_VALUE: Final = 200
_MAX_NAME: Final = 400
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class PartyId(NamedTuple):
    """One number of one scheme, normalised; ``public`` when it names the firm for everybody."""

    scheme: str
    value: str
    public: bool


def clean_text(text: str, what: Words, limit: int = _MAX_NAME) -> str:
    """Return a name as it is kept: NFC, single blanks, nothing invisible.

    Raises
    ------
    InvalidInput
        ``TEXT_HIDDEN`` for control, bidi and zero-width characters: a name must look like what it
        is. ``TEXT_EMPTY`` and ``TEXT_LONG`` for the rest.
    """
    value = " ".join(unicodedata.normalize("NFC", text).split(" ")).strip()
    if any(unicodedata.category(char) in _HIDDEN for char in value):
        raise InvalidInput(
            "TEXT_HIDDEN", "The %(what)s holds invisible characters.", value=shown(text), what=what
        )
    if not value:
        raise InvalidInput("TEXT_EMPTY", "The %(what)s is empty.", what=what)
    if len(value) > limit:
        raise InvalidInput(
            "TEXT_LONG", "The %(what)s is longer than %(limit)s characters.", what=what, limit=limit
        )
    return value


def alias(name: str) -> str:
    """Return the form in which a firm's name is compared: case, blanks and width do not count."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())[:_MAX_NAME]


def said_digest(name: str, country: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Give the fingerprint of all that a document says of a firm, however it is spelt.

    A person's word on who is meant is kept under it: it holds for exactly these words.
    """
    numbers = sorted((item.scheme, item.value) for item in judge_all(pairs))
    said = "\x1f".join([alias(name), country, *(f"{scheme}:{value}" for scheme, value in numbers)])
    return hashlib.sha256(said.encode()).hexdigest()


def is_public_scheme(scheme: str) -> bool:
    """Tell whether numbers of this scheme name a firm for everybody."""
    return scheme in _PUBLIC or scheme.startswith(_PUBLIC_FAMILIES)


def normalise(scheme: str, value: str) -> tuple[str, str]:
    """Return scheme and value in their one spelling, without judging the number."""
    family, colon, rest = scheme.strip().partition(":")
    scheme = family.lower() + colon + rest
    value = unicodedata.normalize("NFKC", value).strip()
    if scheme == "name":
        return scheme, alias(value)
    written = value.translate(_SEPARATORS).upper()
    value = written if scheme in _PUBLIC else " ".join(value.split())
    return scheme, value[:_MAX_VALUE]


def check(scheme: str, value: str) -> str:
    """Return the number in its one spelling.

    Raises
    ------
    InvalidInput
        ``IDENTIFIER_SCHEME`` for an unknown scheme, ``IDENTIFIER`` for a number that fails the
        rules of its scheme.
    """
    scheme, value = normalise(scheme, value)
    known = is_public_scheme(scheme) or scheme in _SCOPED or scheme.startswith("tax:")
    if not known or not _SCHEME.fullmatch(scheme):
        raise InvalidInput(
            "IDENTIFIER_SCHEME", "This kind of identifier is not known.", scheme=shown(scheme)
        )
    if not value or any(unicodedata.category(char) in _HIDDEN for char in value):
        raise _bad(scheme, value, Words("it is empty or holds invisible characters"))
    reason = _why_not(scheme, value)
    if reason:
        raise _bad(scheme, value, reason)
    return value


def judge(scheme: str, value: str) -> PartyId:
    """Return the number with its reach: public only if its scheme is and its check holds."""
    name, spelled = normalise(scheme, value)
    try:
        spelled = check(name, spelled)
    except InvalidInput:
        return PartyId(name, spelled, public=False)
    return PartyId(name, spelled, is_public_scheme(name))


def judge_all(pairs: Iterable[tuple[str, str]]) -> list[PartyId]:
    """Judge several numbers; empty ones and repetitions fall away, public ones come first."""
    found = dict.fromkeys(judge(scheme, value) for scheme, value in pairs if value.strip())
    return sorted(found, key=lambda item: not item.public)


def iban(text: str) -> str:
    """Return an IBAN without blanks.

    Raises
    ------
    InvalidInput
        ``IBAN`` with the reason; ISO 13616 check digits and the country's own structure.
    """
    from schwifty import IBAN
    from schwifty.exceptions import SchwiftyException

    try:
        return str(IBAN(text.strip().upper()).compact)
    except (SchwiftyException, ValueError) as error:
        raise InvalidInput("IBAN", "This is no IBAN: %(reason)s.", reason=_reason(error)) from None


def bic(text: str) -> str:
    """Return a BIC of 8 or 11 characters.

    Raises
    ------
    InvalidInput
        ``BIC`` with the reason.
    """
    from schwifty import BIC
    from schwifty.exceptions import SchwiftyException

    try:
        return str(BIC(text.strip().upper()).compact)
    except (SchwiftyException, ValueError) as error:
        raise InvalidInput("BIC", "This is no BIC: %(reason)s.", reason=_reason(error)) from None


_REASONS: Final = {
    "InvalidChecksumDigits": Words("its check digits are wrong"),
    "InvalidBBANChecksum": Words("the national check digits are wrong"),
    "InvalidLength": Words("its length is wrong"),
    "InvalidCountryCode": Words("its country is unknown"),
}


def _reason(error: Exception) -> Words:
    """Put the library's error into words that do not repeat what was typed."""
    return _REASONS.get(type(error).__name__, Words("its structure is wrong"))


def _bad(scheme: str, value: str, reason: Words) -> InvalidInput:
    return InvalidInput(
        "IDENTIFIER",
        "%(value)s is no valid %(name)s: %(reason)s.",
        scheme=scheme,
        value=shown(value),
        name=scheme.upper(),
        reason=reason,
    )


def _why_not(scheme: str, value: str) -> Words | None:  # noqa: PLR0911 - one answer a scheme
    """Give the reason why the number is none, or nothing."""
    if scheme == "vat":
        return _why_no_vat(value)
    if scheme == "gln":
        return _why_no_gln(value)
    if scheme == "duns":
        return None if re.fullmatch(r"[0-9]{9}", value) else Words("it has nine digits")
    if scheme == "lei":
        from stdnum import lei

        if not re.fullmatch(r"[A-Z0-9]{18}[0-9]{2}", value):
            return Words("it has 18 letters or digits and two check digits")
        return None if lei.is_valid(value) else Words("its check digits are wrong")
    if scheme == "uscc":
        from stdnum.cn import uscc

        return None if uscc.is_valid(value) else Words("its check digit is wrong")
    return None


def _why_no_gln(value: str) -> Words | None:
    """Check a GLN (GS1: 13 digits, modulo 10 with weights 1 and 3 from the left)."""
    if not re.fullmatch(r"[0-9]{13}", value):
        return Words("it has thirteen digits")
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(value))
    return None if total % 10 == 0 else Words("its check digit is wrong")


def _why_no_vat(value: str) -> Words | None:
    from stdnum import get_cc_module

    if not re.fullmatch(r"[A-Z]{2}[A-Z0-9+*]{2,15}", value):
        return Words("it starts with its country's two letters")
    # Greece's numbers start with EL; Northern Ireland's with XI, checked as British ones.
    country = {"EL": "gr", "XI": "gb"}.get(value[:2], value[:2].lower())
    try:
        module = get_cc_module(country, "vat")
    except ImportError:  # a prefix that is no module name
        module = None
    if module is None:
        return Words("no such country's numbers are known")
    ok = module.is_valid(value) or module.is_valid(value[2:])
    return None if ok else Words("its check fails")
