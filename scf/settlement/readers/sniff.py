"""Say what kind of bank file this is by looking into it; a file's name proves nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from scf.kernel.errors import InvalidInput
from scf.kernel.xml import Element, load_xml, local_name, namespace

# A day's statement of a large account is bigger than any invoice: some 8,000 entries.
MAX_BYTES: Final = 10_000_000
MAX_ELEMENTS: Final = 200_000

_NAMESPACE = re.compile(
    r"urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.[0-9]{3})\.([0-9]{3}\.[0-9]{2})"
)
_VERSION_SUFFIX = re.compile(r"V[0-9]{2}$")
# A field of a SWIFT statement at the start of a line, behind whatever envelope a bank puts around.
_MT: Final = re.compile(
    r"^[\x00-\x1f]*:(?:20|25P?|28C?|60[FM]?|61|62[FM]?|64|86|NS):", re.MULTILINE
)
_HEAD: Final = 4_000


class BankFormat(StrEnum):
    """The bank files that the platform can name."""

    CAMT_052 = "camt.052"
    CAMT_053 = "camt.053"
    CAMT_054 = "camt.054"
    PAIN_001 = "pain.001"
    PAIN_002 = "pain.002"
    MT940 = "mt940"
    CSV = "csv"
    UNKNOWN = "unknown"


_BODIES: Final = {
    "BkToCstmrAcctRpt": BankFormat.CAMT_052,
    "BkToCstmrStmt": BankFormat.CAMT_053,
    "BkToCstmrDbtCdtNtfctn": BankFormat.CAMT_054,
    "CstmrCdtTrfInitn": BankFormat.PAIN_001,
    "CstmrPmtStsRpt": BankFormat.PAIN_002,
}


@dataclass(frozen=True, slots=True)
class BankMessage:
    """An ISO 20022 message that was opened: its kind, its version and its body element.

    ``version`` is the full name from the namespace (``camt.053.001.08``), or empty where the
    file carries none; ``contradicts`` says that the namespace names another message.
    """

    kind: BankFormat
    version: str
    contradicts: bool
    body: Element


def open_message(data: bytes) -> BankMessage:
    """Open a bank message, also inside an envelope, and find its one body.

    Raises
    ------
    InvalidInput
        The XML codes of ``load_xml``; BANK_FORMAT when no known message is inside,
        BANK_FORMAT_AMBIGUOUS when there are several (one might be signed and another read).
    """
    root = load_xml(data, max_bytes=MAX_BYTES, max_elements=MAX_ELEMENTS)
    bodies = [
        (kind, element)
        for element in root.iter()
        if (kind := _BODIES.get(_VERSION_SUFFIX.sub("", local_name(element)))) is not None
    ]
    if not bodies:
        raise InvalidInput(
            "BANK_FORMAT",
            "This is no bank message that the platform knows.",
            root=local_name(root)[:60],
        )
    if len(bodies) > 1:
        raise InvalidInput(
            "BANK_FORMAT_AMBIGUOUS",
            "The file holds more than one bank message; send each in its own file.",
            messages=len(bodies),
        )
    kind, body = bodies[0]
    named = _NAMESPACE.fullmatch(namespace(body))
    return BankMessage(
        kind=kind,
        version=f"{named.group(1)}.{named.group(2)}" if named else "",
        contradicts=named is None or named.group(1) != kind.value,
        body=body,
    )


def is_mt(data: bytes) -> bool:
    """Tell whether a file holds fields of SWIFT statements: MT940, or MT942."""
    head = data[:_HEAD]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head.decode("utf-16", errors="replace")
    else:
        text = head.decode("latin-1")
    text = text.removeprefix("\ufeff").removeprefix("ï»¿")
    return not text.lstrip().startswith("<") and _MT.search(text) is not None


def is_table(data: bytes) -> bool:
    """Tell whether a file is a table: lines of text that one sign divides, and no XML."""
    head = data[:_HEAD]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head.decode("utf-16", errors="replace")
    else:
        text = head.decode("latin-1")
    if "\0" in text or text.lstrip("\ufeffï»¿ \t\r\n").startswith(("<", "{", "PK")):
        return False
    divided = [line for line in text.splitlines() if any(sign in line for sign in ",;\t|")]
    return len(divided) > 1


def bank_format(data: bytes) -> BankFormat:
    """Name the format of a file without refusing anything: what cannot be read is UNKNOWN."""
    if is_mt(data):
        return BankFormat.MT940
    if is_table(data):
        return BankFormat.CSV
    try:
        return open_message(data).kind
    except InvalidInput:
        return BankFormat.UNKNOWN
