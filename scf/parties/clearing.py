"""National clearing systems: how a bank is named where there is no IBAN, and its account numbers.

Codes and lengths: ISO 20022 external code set, ExternalClearingSystemIdentification1Code. The forms
of account numbers are those that the systems' banks issue; a check digit inside one is the bank's.
"""

import re
from dataclasses import dataclass
from typing import Final

from stdnum.us import rtn

from scf.kernel.errors import InvalidInput

_BLANKS: Final = re.compile(r"[ \-]")


@dataclass(frozen=True, slots=True)
class ClearingSystem:
    """One system: its name, the country of its banks, and how bank and account are numbered."""

    name: str
    country: str
    example: str
    member: str
    account: str = r"[0-9A-Z]{4,34}"


CLEARING: Final = {
    "ATBLZ": ClearingSystem("Austrian Bankleitzahl", "AT", "20111", r"[0-9]{5}", r"[0-9]{4,11}"),
    "AUBSB": ClearingSystem("Australian BSB", "AU", "062000", r"[0-9]{6}", r"[0-9]{4,10}"),
    "CACPA": ClearingSystem(
        "Canadian routing number", "CA", "000300002", r"0[0-9]{8}", r"[0-9]{5,12}"
    ),
    "CHBCC": ClearingSystem("Swiss BC number", "CH", "230", r"[0-9]{3,5}"),
    "CHSIC": ClearingSystem("Swiss SIC number", "CH", "002305", r"[0-9]{6}"),
    "CNAPS": ClearingSystem("China CNAPS code", "CN", "102100099996", r"[0-9]{12}", r"[0-9]{8,32}"),
    "DEBLZ": ClearingSystem("German Bankleitzahl", "DE", "37040044", r"[0-9]{8}", r"[0-9]{4,10}"),
    "GBDSC": ClearingSystem("UK sort code", "GB", "200000", r"[0-9]{6}", r"[0-9]{8}"),
    "HKNCC": ClearingSystem("Hong Kong bank code", "HK", "004", r"[0-9]{3}", r"[0-9]{6,12}"),
    "IENCC": ClearingSystem("Irish sort code", "IE", "900017", r"[0-9]{6}", r"[0-9]{8}"),
    "INFSC": ClearingSystem(
        "Indian IFSC", "IN", "HDFC0000001", r"[A-Z]{4}0[0-9A-Z]{6}", r"[0-9A-Z]{9,18}"
    ),
    "JPZGN": ClearingSystem("Japanese Zengin code", "JP", "0001001", r"[0-9]{7}", r"[0-9]{7}"),
    "KRBOK": ClearingSystem(
        "South Korean bank code", "KR", "0040000", r"[0-9]{7}", r"[0-9]{10,16}"
    ),
    "NZNCC": ClearingSystem(
        "New Zealand bank and branch", "NZ", "010902", r"[0-9]{6}", r"[0-9]{9,10}"
    ),
    "PLKNR": ClearingSystem("Polish bank code", "PL", "10901014", r"[0-9]{8}", r"[0-9]{16}"),
    "SESBA": ClearingSystem("Swedish clearing number", "SE", "5000", r"[0-9]{4}", r"[0-9]{6,11}"),
    "SGIBG": ClearingSystem(
        "Singapore bank and branch", "SG", "7171001", r"[0-9]{7}", r"[0-9]{5,14}"
    ),
    "THCBC": ClearingSystem("Thai bank code", "TH", "002", r"[0-9]{3}", r"[0-9]{10,15}"),
    "TWNCC": ClearingSystem(
        "Taiwan bank and branch", "TW", "0040037", r"[0-9]{7}", r"[0-9]{10,16}"
    ),
    "USABA": ClearingSystem("US routing number", "US", "021000021", r"[0-9]{9}", r"[0-9]{4,17}"),
    "ZANCC": ClearingSystem(
        "South African branch code", "ZA", "051001", r"[0-9]{6}", r"[0-9]{7,11}"
    ),
}


def member(system: str, text: str) -> str:
    """Return a bank's number in a clearing system, without blanks and hyphens.

    Raises
    ------
    InvalidInput
        ``CLEARING_SYSTEM`` for a system that is not known, ``CLEARING_MEMBER`` for a number that
        it does not issue, a wrong check digit of a US routing number among them.
    """
    known = _known(system)
    number = _BLANKS.sub("", text).upper()
    right = re.fullmatch(known.member, number) is not None
    if system == "USABA":
        right = right and rtn.is_valid(number)
    if not right:
        raise InvalidInput(
            "CLEARING_MEMBER",
            "This is no %(name)s, such as %(example)s.",
            name=known.name,
            example=known.example,
            value=text[:40],
        )
    return number


def account(system: str, text: str) -> str:
    """Return an account number as banks of the system write it, without blanks and hyphens.

    Raises
    ------
    InvalidInput
        ``CLEARING_SYSTEM``; ``ACCOUNT_NUMBER`` for a number of another form.
    """
    known = _known(system)
    number = _BLANKS.sub("", text).upper()
    if re.fullmatch(known.account, number) is None:
        raise InvalidInput(
            "ACCOUNT_NUMBER",
            "This is no account number of a bank with a %(name)s.",
            name=known.name,
        )
    return number


def _known(system: str) -> ClearingSystem:
    found = CLEARING.get(system)
    if found is None:
        raise InvalidInput(
            "CLEARING_SYSTEM",
            "The clearing system %(system)s is not known; known: %(known)s.",
            system=system[:20],
            known=sorted(CLEARING),
        )
    return found
