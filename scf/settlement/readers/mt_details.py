"""Read field 86 of a statement line: who paid, what for, under which reference.

Three forms are in use: German subfields (``?20`` …), SWIFT code words (``/EREF/`` …), and free
text. What none of them explains is kept as text, never dropped.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from scf.settlement.readers.details import reference
from scf.settlement.readers.messages import EntryDetail, Participant
from scf.settlement.readers.mt_fields import MtField
from scf.settlement.readers.parties import account_of

MAX_TEXT: Final = 1_000
_FULL_LINE: Final = 60  # a line as long as that was broken by its length, not by its writer

# A transaction code of three digits, then the sign that divides the subfields.
_STRUCTURED: Final = re.compile(r"([0-9]{3})([?>])(?=[0-9]{2})")
# The words by which SEPA texts are divided inside the subfields.
_SEPA: Final = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|PURP|RREF|BREF|RTRN)\+[ ]?")
_SLASHED: Final = re.compile(
    r"/(EREF|PREF|MARF|CSID|BENM|ORDP|NAME|IBAN|BIC|REMI|ULTB|ULTD|RTRN|ISDT|TRCD|ID|CNTP|PURP)/"
)
# German transaction codes of payments that came back: direct debits (108, 109), transfers (159).
_RETURNED: Final = frozenset({"108", "109", "159"})
# The text key addition (?34) of a return, as German banks write the reasons of ISO 20022.
_REASONS: Final = {
    "901": "AC01", "902": "AC04", "903": "AC06", "904": "AG01", "905": "AG02", "906": "AM04",
    "907": "AM05", "908": "BE04", "909": "FF01", "910": "MD01", "911": "MD02", "912": "MD06",
    "913": "MD07", "914": "MS02", "915": "MS03", "916": "RC01", "917": "RR01", "918": "RR02",
    "919": "RR03", "920": "RR04", "921": "SL01", "922": "TM01",
}  # fmt: skip
_TEXTS: Final = (*range(20, 30), *range(60, 64))


class Information(NamedTuple):
    """What field 86 says: one payment, the bank's own code, the name of a batch, the whole text."""

    detail: EntryDetail
    code: str
    batch: str
    text: str


class _Told(NamedTuple):
    code: str = ""
    name: str = ""
    account: str = ""
    bic: str = ""
    ends: str = ""  # EndToEndId
    batch: str = ""
    mandate: str = ""
    purpose: str = ""
    ultimate: str = ""
    reason: str = ""


def read_information(
    field: MtField | None, customer: str, place: str, minor: int, currency: str
) -> Information:
    """Read the text of one entry; ``customer`` is the reference of its own line."""
    lines = [line.strip("\r") for line in field.lines] if field else []
    joined = "".join(lines)
    structured = _STRUCTURED.match(joined)
    if structured is not None:
        told = _subfields(structured.group(1), joined[structured.end(1) :], structured.group(2))
    elif len(_SLASHED.findall(joined)) > 1:
        told = _slashed(joined)
    else:
        told = _Told(purpose=_prose(lines))
    own = "" if customer.upper() in {"EREF", "KREF", "PREF"} else reference(customer)
    other = Participant(name=told.name, account=account_of(told.account), bic=told.bic)
    debtor, creditor = (other, Participant()) if minor > 0 else (Participant(), other)
    detail = EntryDetail(
        place=field.place if field else place,
        amount_minor=minor,
        currency=currency,
        instructed_minor=None,
        instructed_currency="",
        end_to_end_id=reference(told.ends),
        instruction_id=own,
        message_id=reference(told.batch),
        payment_information_id="",
        transaction_id="",
        uetr="",
        mandate_id=told.mandate,
        servicer_reference="",
        debtor=debtor,
        creditor=creditor,
        ultimate_debtor=told.ultimate,
        ultimate_creditor="",
        unstructured=(told.purpose[:MAX_TEXT],) if told.purpose else (),
        creditor_references=(own,) if own else (),
        document_numbers=(),
        return_reason=told.reason,
        return_information=(),
        additional_information="",
    )
    return Information(detail, told.code, reference(told.batch) or own, _prose(lines)[:MAX_TEXT])


def _prose(lines: list[str]) -> str:
    """Join the lines of a text: without a blank only where the line was full."""
    text, last = "", " " * _FULL_LINE
    for line in lines:
        text += line if len(last) >= _FULL_LINE else f" {line}"
        last = line
    return " ".join(text.split())


def _subfields(code: str, text: str, sign: str) -> _Told:
    """Read German subfields: 20 to 29 and 60 to 63 the purpose, 30 to 33 the other side."""
    found: dict[int, str] = {}
    for part in text.split(sign)[1:]:
        if part[:2].isdigit() and part[:2].isascii():
            found[int(part[:2])] = found.get(int(part[:2]), "") + part[2:]
        elif found:
            found[list(found)[-1]] += sign + part  # the sign itself, in somebody's text
    parts = [found[number] for number in _TEXTS if number in found]
    words = _words(_SEPA, "".join(parts))
    plain = words.get("SVWZ", "") or words.get("", "")
    reason = ""
    if code in _RETURNED:
        reason = words.get("RTRN") or _REASONS.get(found.get(34, "").strip(), "NARR")
    return _Told(
        code=code,
        name=" ".join((found.get(32, "") + found.get(33, "")).split()),
        account=found.get(31, "").strip(),
        bic=found.get(30, "").strip(),
        ends=words.get("EREF", ""),
        batch=words.get("KREF", ""),
        mandate=words.get("MREF", ""),
        purpose=" ".join(plain.split()),
        ultimate=words.get("ABWA", ""),
        reason=reason[:64],
    )


def _slashed(text: str) -> _Told:
    """Read SWIFT code words: /EREF/x/BENM//NAME/y/REMI/z."""
    words = _words(_SLASHED, text)
    return _Told(
        name=words.get("NAME", "").strip("/ "),
        account=words.get("IBAN", "").strip("/ "),
        bic=words.get("BIC", "").strip("/ "),
        ends=words.get("EREF", ""),
        batch=words.get("PREF", ""),
        mandate=words.get("MARF", ""),
        purpose=" ".join(filter(None, (words.get("REMI", "").strip("/ "), words.get("", "")))),
        reason=words.get("RTRN", "").strip("/ ")[:64],
    )


def _words(pattern: re.Pattern[str], text: str) -> dict[str, str]:
    """Cut a text at its code words; what stands before the first belongs to none."""
    pieces = pattern.split(text)
    found = {"": pieces[0].strip()}
    for word, said in zip(pieces[1::2], pieces[2::2], strict=True):
        if said.strip():
            found.setdefault(word, said.strip())
    return found
