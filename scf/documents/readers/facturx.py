"""Read an invoice in PDF: the XML inside it counts, and the pages must not say otherwise.

People approve what they see and programs pay what they read. So the number, the amount and the
currency of the XML are looked for on the pages and in the metadata. What contradicts refuses the
document with both values; what cannot be found is told, for a person to look.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from scf.documents.canonical import CanonicalDocument, Kind, ParsedFile, amount_text, blocks
from scf.documents.fingerprints import canonical_number
from scf.kernel.errors import InvalidInput, TooLarge, Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import EXPONENTS, format_minor
from scf.kernel.pdf import Opened, open_pdf

NAME: Final = "facturx"
LEAST_TEXT: Final = 20
_PAGES: Final = "pages"
_METADATA: Final = "metadata"

# What stands in front of the number of an invoice, and of the amount to pay, on a page.
_NUMBER_LABEL = re.compile(
    r"(?:rechnungs?|gutschrifts?|invoice|credit note|facture|avoir|fattura|factura|fatura|faktura)"
    r"(?:[ -]?(?:nummer|nr\.?|no\.?|n[o°º]\.?|number|num[eé]ro|n[uú]mero|numero|id|#))?"
    r"[ :.#]{0,6}([a-z0-9][a-z0-9/._-]{0,60})",
    re.IGNORECASE,
)
_TOTAL_LABEL = re.compile(
    r"(?:zahlbetrag|rechnungsbetrag|zu zahlender betrag|zu zahlen|endbetrag|gesamtbetrag"
    r"|gesamtsumme|bruttobetrag|amount due|total due|balance due|amount payable|total amount"
    r"|invoice total|grand total|net [aà] payer|total ttc|montant d[uû]|importe a pagar"
    r"|total factura|totale da pagare|totale fattura|te betalen|do zap[lł]aty|k [uú]hrad[eě]"
    r"|应付金额|合计|总计|\b(?:total|totale|totaal|gesamt|summe|brutto|suma|razem|celkem)\b)"
    r"(?P<between>[^0-9]{0,40})(?P<amount>[0-9][0-9.,'’ \u00a0\u202f]{0,24}[0-9])"
    r"(?P<behind>[^0-9a-z]{0,3}[a-z]{0,3})",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"[0-9][0-9.,'’ \u00a0\u202f]{0,24}[0-9]|[0-9]")
_BLANKS = re.compile(r"\s+")
_SIGNS: Final = {"€": {"EUR"}, "£": {"GBP"}, "¥": {"JPY", "CNY"}, "￥": {"JPY", "CNY"}}
_CODE = re.compile(r"[A-Z]{3}")
# What the metadata calls a profile, and what the XML then says; both are told where they differ.
_LEVELS: Final = {
    "MINIMUM": "minimum",
    "BASIC WL": "basicwl",
    "BASIC": "basic",
    "COMFORT": "comfort",
    "EN 16931": "en16931",
    "EXTENDED": "extended",
    "XRECHNUNG": "xrechnung",
}


def read_attached(data: bytes, read_xml: Callable[[bytes], ParsedFile]) -> ParsedFile:
    """Read the invoice inside a PDF and hold it against the PDF around it."""
    try:
        opened = open_pdf(data)
    except (InvalidInput, TooLarge) as refusal:
        found = Finding(Severity.ERROR, refusal.code, refusal.words, "", "pdf")
        return ParsedFile((), (found,), NAME, refused=1)
    parsed = replace(read_xml(opened.invoice.content), format=NAME)
    if not parsed.documents:
        return parsed
    document = parsed.documents[0]
    findings = (*parsed.findings, *compare(document, opened))
    if blocks(findings):
        return ParsedFile((), findings, NAME, refused=1)
    return ParsedFile((document.with_findings(findings),), findings, NAME)


def compare(document: CanonicalDocument, opened: Opened) -> Iterator[Finding]:
    """List where the PDF says something else than the invoice inside it."""
    yield from _compare_metadata(document, opened)
    text = unicodedata.normalize("NFKC", opened.text)
    if sum(map(str.isalnum, text)) < LEAST_TEXT:
        message = (
            "The pages hold no text that can be read, so nobody has compared them with the data "
            "inside."
        )
        yield Finding(Severity.WARNING, "PDF_TEXT_UNREAD", message, _PAGES)
        return
    yield from _compare_number(document, text)
    yield from _compare_amount(document, text)


def _compare_metadata(document: CanonicalDocument, opened: Opened) -> Iterator[Finding]:
    said, name = opened.metadata, opened.invoice.name
    stated = said.get("DocumentFileName", "")
    if stated and stated != name:
        yield _contradiction(Words("the attached file"), name, stated, _METADATA)
    kind = said.get("DocumentType", "INVOICE")
    if "INVOICE" not in kind.upper() and document.kind is not Kind.CREDIT_NOTE:
        yield _contradiction(Words("the kind of document"), "INVOICE", kind, _METADATA)
    level = said.get("ConformanceLevel", "").upper()
    profile = document.profile.lower().replace(" ", "")
    if level in _LEVELS and not _is_level(_LEVELS[level], profile):
        message = Words(
            "The metadata calls the profile %(stated)s, the data inside %(profile)s.",
            stated=level,
            profile=document.profile,
        )
        yield Finding(Severity.WARNING, "PDF_PROFILE", message, _METADATA, level)


def _is_level(level: str, profile: str) -> bool:
    last = re.split(r"[:#]", profile)[-1]
    if level in {"en16931", "comfort"}:
        return "comfort" in profile or "en16931" in profile
    if level == "xrechnung":
        return "xrechnung" in profile
    return last == level


def _compare_number(document: CanonicalDocument, text: str) -> Iterator[Finding]:
    number = _packed(document.number)
    if number in _packed(text):
        return
    labelled = [found.group(1).rstrip("._-/") for found in _NUMBER_LABEL.finditer(text)]
    labelled = [one for one in labelled if any(map(str.isdigit, one))]
    if canonical_number(document.number) in map(canonical_number, labelled):
        return
    if labelled:
        yield _contradiction(Words("the number"), document.number, labelled[0], _PAGES)
    else:
        message = "The number of the invoice inside does not stand on the pages."
        yield Finding(Severity.WARNING, "PDF_NUMBER_UNSEEN", message, _PAGES, document.number)


def _compare_amount(document: CanonicalDocument, text: str) -> Iterator[Finding]:
    """The amount to pay stands on the pages, and in the currency of the invoice."""
    digits = EXPONENTS[document.currency]
    totals = {abs(one) for one in (document.payable_minor, document.gross_minor) if one is not None}
    labelled = list(_TOTAL_LABEL.finditer(text))
    amounts = {found: _minor(found["amount"], digits) for found in labelled}
    matching = [found for found, minor in amounts.items() if minor in totals]
    payable = amount_text(document, document.payable_minor or 0)
    if matching:
        currencies = [_currencies(found["between"] + found["behind"]) for found in matching]
        named = [one for one in currencies if one]
        if named and not any(document.currency in one for one in named):
            other = "/".join(sorted(named[0]))
            yield _contradiction(Words("the currency"), document.currency, other, _PAGES)
        return
    if _stand_anywhere(totals, text, digits):
        return
    known = [minor for minor in amounts.values() if minor is not None]
    if known:
        seen = f"{format_minor(known[0], document.currency)} {document.currency}"
        yield _contradiction(Words("the amount to pay"), payable, seen, _PAGES)
    else:
        message = "The amount to pay of the invoice inside does not stand on the pages."
        yield Finding(Severity.WARNING, "PDF_TOTAL_UNSEEN", message, _PAGES, payable)


def _stand_anywhere(totals: set[int], text: str, digits: int) -> bool:
    """Tell whether one of the amounts stands in a text, also torn apart by blanks."""
    if {_minor(found.group(), digits) for found in _AMOUNT.finditer(text)} & totals:
        return True
    packed = _packed(text)
    return any(
        re.search(rf"(?<![0-9.,]){_grouped(minor, digits)}(?![0-9])", packed) for minor in totals
    )


def _grouped(minor: int, digits: int) -> str:
    """Give the pattern of an amount with or without signs between its thousands."""
    whole, decimals = divmod(minor, 10**digits)
    spelled = f"{whole:,}".replace(",", "[.,'’]?")
    return f"{spelled}[.,]{decimals:0{digits}d}" if digits else spelled


def _currencies(text: str) -> set[str]:
    """Give the currencies that a code or sign beside an amount may mean."""
    for sign, currencies in _SIGNS.items():
        if sign in text:
            return currencies
    codes = {code for code in _CODE.findall(text) if code in EXPONENTS}
    if "$" in text:
        codes |= {code for code in EXPONENTS if code.endswith("D")}
    return codes


def _minor(text: str, digits: int) -> int | None:
    """Read an amount as people print it: the last point or comma is that of the decimals."""
    body = re.sub(r"['’ \u00a0\u202f]", "", text)
    whole, sign, decimals = re.fullmatch(r"(.*?)(?:([.,])([0-9]+))?", body).groups()  # type: ignore[union-attr]  # matches anything
    if sign is None or len(decimals) != digits:
        whole, decimals = body, "0" * digits
        if sign is not None and len(body.rpartition(sign)[2]) != 3:  # noqa: PLR2004 - thousands
            return None
    plain = re.sub(r"[.,]", "", whole)
    return int(plain + decimals) if plain.isascii() and plain.isdigit() else None


def _packed(text: str) -> str:
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text)).casefold()


def _contradiction(what: Words, inside: str, outside: str, place: str) -> Finding:
    message = Words(
        "The PDF contradicts the data inside it in %(what)s: the data say %(inside)s, the PDF says "
        "%(outside)s.",
        what=what,
        inside=inside,
        outside=outside,
    )
    return Finding(Severity.ERROR, "PDF_DISAGREES", message, place, outside)
