"""The systems in which tax authorities know invoices, and what each must be told to find one.

Pure. Codes are ours; the fields are those that each system publishes for its own check:

* ``fapiao`` (China): the fully digital invoice by its 20 digits; an older one by code and number;
  with date and amount without tax, and the last six digits of the check code where there is one.
* ``sdi`` (Italy): seller, number, date and total; the identifier given by the exchange, if known.
* ``irn`` (India): the 64 signs of the invoice reference number.
* ``cfdi`` (Mexico): the folio, both tax numbers and the total.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, get_args

from scf.documents.canonical import TaxIdentity
from scf.kernel.errors import Words

SchemeName = Literal["fapiao", "sdi", "irn", "cfdi"]
SCHEMES: Final[tuple[str, ...]] = get_args(SchemeName)

# What a scheme calls a firm's tax number, the surest first.
_TAX_NUMBERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "fapiao": ("uscc", "vat"),
        "sdi": ("vat", "id:0210"),  # 0210 is the codice fiscale in ISO 6523
        "irn": ("tax:gstin", "vat"),
        "cfdi": ("tax:rfc", "vat"),
    }
)
_NUMBER: Final = MappingProxyType(
    {
        "fapiao": re.compile(r"[0-9]{20}|[0-9]{8}"),
        "sdi": re.compile(r"[0-9]{1,18}"),
        "irn": re.compile(r"[0-9a-f]{64}"),
        "cfdi": re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}"),
    }
)
_CODE: Final = re.compile(r"[0-9]{10}|[0-9]{12}")
_CHECK: Final = MappingProxyType(
    {"fapiao": re.compile(r"[0-9]{6}"), "cfdi": re.compile(r"[0-9A-Za-z+/=]{8}")}
)
_SHORT_FAPIAO: Final = 8
# Whose register an invoice stands in where nobody says so: that of its seller's country.
_BY_COUNTRY: Final = MappingProxyType({"CN": "fapiao", "IT": "sdi", "IN": "irn", "MX": "cfdi"})
_LONG: Final = MappingProxyType(
    {
        "fapiao": re.compile(r"[0-9]{20}"),
        "irn": re.compile(r"[0-9A-Fa-f]{64}"),
        "cfdi": re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
    }
)


class Ask(NamedTuple):
    """One invoice as an authority is asked about it; amounts in minor units of the currency."""

    invoice_id: str
    scheme: str
    code: str
    number: str
    check_code: str
    invoice_number: str
    seller_tax: str
    buyer_tax: str
    issue_on: dt.date
    net_minor: int
    tax_minor: int
    gross_minor: int
    currency: str


def identity_of(scheme: str, text: str) -> TaxIdentity | None:
    """Read an identity that a document writes as one text; None under a scheme we do not know.

    The number alone, or code/number/check code, as an older fapiao needs them.
    """
    known = scheme.strip().lower()
    if known not in SCHEMES or not text.strip():
        return None
    code, number, check_code = [*text.split("/", 2), "", ""][:3] if "/" in text else ("", text, "")
    return tidy(TaxIdentity(known, code, number, check_code))


def scheme_of(number: str, country: str) -> str:
    """Tell the scheme of a number that comes without one: by its form, else by the seller's home.

    Twenty digits, 64 signs and a UUID are long enough to be nothing else.
    """
    text = number.strip()
    long = next((name for name, form in _LONG.items() if form.fullmatch(text)), "")
    return long or _BY_COUNTRY.get(country.upper(), "")


def stated(said: Iterable[str], invoice_number: str, country: str) -> TaxIdentity | None:
    """Give the identity that a list states in columns of its own; nothing where a row says none.

    ``said`` is scheme, number, code and check code. A list of fapiao with a column of codes has
    their numbers as the numbers of its invoices.
    """
    scheme, number, code, check_code = said
    if not (number or code):
        return None
    number = number or invoice_number
    known = scheme or ("fapiao" if code else "") or scheme_of(number, country)
    return tidy(TaxIdentity(known, code, number, check_code)) if known else None


def tidy(identity: TaxIdentity) -> TaxIdentity:
    """Give an identity in the spelling of its scheme: no blanks, one case."""
    scheme = identity.scheme.strip().lower()
    number = "".join(identity.number.split())
    number = {"irn": number.lower(), "cfdi": number.upper()}.get(scheme, number)
    return TaxIdentity(
        scheme,
        "".join(identity.code.split()),
        number,
        "".join(identity.check_code.split()),
    )


def problems(identity: TaxIdentity) -> Iterator[Words]:
    """Name what an identity, already tidied, says that its scheme cannot mean."""
    scheme = identity.scheme
    if scheme not in SCHEMES:
        yield Words(
            "Tax invoices are checked under %(known)s, not under %(scheme)s.",
            known=list(SCHEMES),
            scheme=scheme or "-",
        )
        return
    if identity.number and not _NUMBER[scheme].fullmatch(identity.number):
        yield Words("%(number)s is no number of this kind.", number=identity.number)
    short = scheme == "fapiao" and len(identity.number) == _SHORT_FAPIAO
    if identity.code and (scheme != "fapiao" or not _CODE.fullmatch(identity.code)):
        yield Words("%(code)s is no code of this kind.", code=identity.code)
    if short and not identity.code:
        yield Words("A number of eight digits comes with the code of 10 or 12 digits.")
    if identity.check_code and (
        scheme not in _CHECK or not _CHECK[scheme].fullmatch(identity.check_code)
    ):
        yield Words("%(check)s is no check code of this kind.", check=identity.check_code)


def lacks(ask: Ask) -> list[str]:
    """Name what the scheme needs and the invoice does not say."""
    needed = {
        "fapiao": {"number": ask.number},
        "sdi": {"seller_tax": ask.seller_tax},
        "irn": {"number": ask.number},
        "cfdi": {
            "number": ask.number,
            "seller_tax": ask.seller_tax,
            "buyer_tax": ask.buyer_tax,
        },
    }[ask.scheme]
    return [name for name, value in needed.items() if not value]


def tax_number(scheme: str, identifiers: Mapping[str, str]) -> str:
    """Give a firm's tax number as the scheme writes it, out of all its numbers by kind."""
    return next((identifiers[kind] for kind in _TAX_NUMBERS[scheme] if kind in identifiers), "")


def kinds_of_numbers() -> frozenset[str]:
    """Give the kinds of identifiers that are tax numbers of any scheme."""
    return frozenset(kind for kinds in _TAX_NUMBERS.values() for kind in kinds)


def said_numbers(parties: Any, side: str) -> dict[str, str]:  # noqa: ANN401 - stored JSON
    """Give what a document itself said of a side's numbers, by kind."""
    said = parties.get(side) if isinstance(parties, dict) else None
    listed = said.get("identifiers", ()) if isinstance(said, dict) else ()
    return {one["scheme"]: one["value"] for one in listed}
