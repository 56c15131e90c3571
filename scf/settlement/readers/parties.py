"""Read accounts and participants, in the shapes that the message versions gave them."""

from __future__ import annotations

import re
from typing import Final

from stdnum import iban

from scf.kernel.money import EXPONENTS
from scf.kernel.xml import Element
from scf.settlement.readers.fields import Fields
from scf.settlement.readers.messages import AccountId, Participant

_GERMAN: Final = re.compile(r"([0-9]{8})/([0-9]{1,10})")
_WITH_CURRENCY: Final = re.compile(r"(.*[0-9])/?([A-Z]{3})")


def account_of(written: str) -> AccountId:
    """Read an account as field 25 of a statement or a table of a bank writes it.

    An IBAN wherever it stands; a German bank code with its account number becomes the IBAN that it
    is; a currency behind the number is taken off. Anything else stays as it is written.
    """
    text = compact_iban(written)
    currency = ""
    shape = _WITH_CURRENCY.fullmatch(text)
    if shape is not None and shape.group(2) in EXPONENTS:
        text, currency = shape.group(1), shape.group(2)
    for part in (text, *text.split("/")):
        if iban_is_sound(part):
            return AccountId(part, is_iban=True, currency=currency)
    german = _GERMAN.fullmatch(text)
    if german is not None:
        from schwifty import IBAN

        made = IBAN.generate("DE", german.group(1), german.group(2).lstrip("0"))
        return AccountId(str(made), is_iban=True, currency=currency)
    return AccountId(text, is_iban=False, currency=currency)


def read_account(fields: Fields, node: Element | None) -> AccountId:
    """Read an account: IBAN first, else the identifier its country uses."""
    ids = fields.one(node, "Id")
    if ids is None:
        return AccountId(currency=fields.text(node, "Ccy"))
    currency = fields.text(node, "Ccy")
    number = compact_iban(fields.text(ids, "IBAN"))
    if number:
        if not iban_is_sound(number):
            fields.warn("IBAN", "Layout or check digits of this IBAN are wrong.", ids, number)
        return AccountId(number, is_iban=True, currency=currency)
    other = (
        fields.text(ids, "Othr", "Id")
        or fields.text(ids, "PrtryAcct", "Id")
        or fields.choice(ids, "BBAN", "UPIC")
    )
    # Some banks put an IBAN under Othr; it is the same account whichever way they write it.
    written = compact_iban(other)
    if iban_is_sound(written):
        return AccountId(written, is_iban=True, currency=currency)
    return AccountId(other, is_iban=False, currency=currency)


def read_participant(
    fields: Fields, related: Element | None, agents: Element | None, role: str
) -> Participant:
    """Read debtor (``Dbtr``) or creditor (``Cdtr``) with account and bank."""
    agent = fields.one(agents, f"{role}Agt", "FinInstnId")
    return Participant(
        name=read_name(fields, related, role),
        account=read_account(fields, fields.one(related, f"{role}Acct")),
        bic=fields.choice(agent, "BICFI", "BIC"),
    )


def read_name(fields: Fields, related: Element | None, role: str) -> str:
    """Read the name of a party, which may itself be a bank."""
    node = fields.one(related, role)
    return (
        fields.text(node, "Nm")
        or fields.text(node, "Pty", "Nm")
        or fields.text(node, "Agt", "FinInstnId", "Nm")
    )


def compact_iban(text: str) -> str:
    """Write an IBAN the one way in which it is compared: capitals, no blanks."""
    return text.replace(" ", "").upper()


def iban_is_sound(text: str) -> bool:
    """Tell whether layout and check digits of an IBAN agree (ISO 13616)."""
    return bool(iban.is_valid(text, check_country=False))
