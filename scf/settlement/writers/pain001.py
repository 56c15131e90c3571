"""Write payment orders to the bank (pain.001): the same batch gives the same bytes, always.

Every identifier and instant comes from the caller, so a file that must go again is identical and
the bank recognises it. sepaxml writes its own ids and asks the clock, and knows no account without
IBAN; so the elements are written here, and sepaxml's schemas judge every file before it is
returned.

Source: ISO 20022 CustomerCreditTransferInitiation; EPC125-05 rulebook for the SEPA block.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from importlib.resources import files
from typing import Final

from lxml import etree
from stdnum import iban

from scf.kernel.errors import InvalidInput
from scf.kernel.money import Money, exponent
from scf.kernel.xml import Element
from scf.settlement.writers.charset import is_identifier, plain_text, sepa_text
from scf.settlement.writers.payments import (
    VERSION_03,
    VERSION_09,
    PaymentAccount,
    PaymentBatch,
    PaymentInstruction,
    PaymentParty,
)

CHARGE_BEARERS: Final = frozenset({"SLEV", "SHAR", "DEBT", "CRED"})

_MAX_ID: Final = 35
_VERSION: Final = re.compile(r"pain\.001\.001\.[0-9]{2}")
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
_NAME_SEPA: Final = 70
_NAME: Final = 140
_REMITTANCE: Final = 140
_POSTCODE: Final = 16


@dataclass(frozen=True, slots=True)
class _Block:
    """Payments that share scheme and currency: one ``PmtInf``."""

    payment_information_id: str
    sepa: bool
    currency: str
    instructions: tuple[PaymentInstruction, ...]


def write_pain001(batch: PaymentBatch) -> bytes:
    """Return the payment file of a batch, valid against its schema; same batch, same bytes.

    Payments in euro between SEPA accounts form a SEPA block (basic Latin characters, one
    remittance text); every other currency or account forms its own block with UTF-8 names and
    structured invoice numbers. Order inside a block is the caller's.

    Raises
    ------
    InvalidInput
        PAYMENT_VERSION, PAYMENT_BATCH (empty, no aware instant, two payments of one name),
        PAYMENT_ID, PAYMENT_AMOUNT, PAYMENT_PARTY, IBAN, CHARGE_BEARER, or PAYMENT_FILE_INVALID
        when the schema refuses the file, with the schema's reason.
    """
    _check(batch)
    blocks = _blocks(batch)
    space = f"urn:iso:std:iso:20022:tech:xsd:{batch.version}"
    document = etree.Element(f"{{{space}}}Document", nsmap={None: space})
    writer = _Writer(space, batch)
    writer.message(document, blocks)
    data: bytes = etree.tostring(
        document, xml_declaration=True, encoding="UTF-8", pretty_print=True
    )
    _validate(data, batch.version)
    return data


def payment_information_ids(batch: PaymentBatch) -> dict[str, str]:
    """Tell in which block (``PmtInfId``) each payment of a batch goes, by EndToEndId."""
    return {
        one.end_to_end_id: block.payment_information_id
        for block in _blocks(batch)
        for one in block.instructions
    }


def _check(batch: PaymentBatch) -> None:
    if batch.version not in {VERSION_03, VERSION_09}:
        raise InvalidInput(
            "PAYMENT_VERSION", "This version of pain.001 is not written.", version=batch.version
        )
    if not batch.instructions:
        raise InvalidInput("PAYMENT_BATCH", "A payment file needs at least one payment.")
    if batch.created_at.tzinfo is None:
        raise InvalidInput("PAYMENT_BATCH", "The instant of a payment file needs its zone.")
    if batch.charge_bearer not in CHARGE_BEARERS:
        raise InvalidInput(
            "CHARGE_BEARER",
            "Charges are borne SLEV, SHAR, DEBT or CRED.",
            charge_bearer=batch.charge_bearer,
        )
    names = [one.end_to_end_id for one in batch.instructions]
    if len(set(names)) != len(names):
        raise InvalidInput("PAYMENT_BATCH", "Two payments of a file bear the same EndToEndId.")
    optional = [one.instruction_id for one in batch.instructions if one.instruction_id]
    for name in [batch.message_id, *names, *optional]:
        if not is_identifier(name):
            raise InvalidInput(
                "PAYMENT_ID", "Banks carry ids of 1 to 35 basic Latin characters.", value=name[:60]
            )
    _check_account(batch.debtor)
    for one in batch.instructions:
        _check_account(one.creditor)
        if one.amount.minor <= 0:
            raise InvalidInput(
                "PAYMENT_AMOUNT",
                "A payment is more than zero.",
                amount_minor=one.amount.minor,
                end_to_end_id=one.end_to_end_id,
            )


def _check_account(party: PaymentParty) -> None:
    account = party.account
    if bool(account.iban) == bool(account.other):
        raise InvalidInput(
            "PAYMENT_PARTY",
            "A party of a payment has an IBAN or another account number.",
            name=party.name[:70],
        )
    # Layout and check digits only: national rules inside the number are the bank's to judge.
    if account.iban and not iban.is_valid(account.iban, check_country=False):
        raise InvalidInput("IBAN", "This IBAN is wrong.", value=account.iban[:40])


def _blocks(batch: PaymentBatch) -> list[_Block]:
    """Group the payments by scheme and currency, in the order of their first appearance."""
    groups: dict[tuple[bool, str], list[PaymentInstruction]] = {}
    for one in batch.instructions:
        sepa = not batch.domestic and is_sepa(batch.debtor, one.creditor, one.amount.currency)
        groups.setdefault((sepa, one.amount.currency), []).append(one)
    single = len(groups) == 1
    blocks = [
        _Block(
            batch.message_id if single else f"{batch.message_id}-{number}",
            sepa,
            currency,
            tuple(members),
        )
        for number, ((sepa, currency), members) in enumerate(groups.items(), start=1)
    ]
    if any(len(one.payment_information_id) > _MAX_ID for one in blocks):
        raise InvalidInput(
            "PAYMENT_ID",
            "The message id is too long for a file of several currencies.",
            value=batch.message_id,
        )
    return blocks


def is_sepa(debtor: PaymentParty, creditor: PaymentParty, currency: str) -> bool:
    """Tell whether a payment is a SEPA credit transfer: euro, between accounts of the zone."""
    return currency == "EUR" and all(
        _in_sepa_zone(party.account.iban) for party in (debtor, creditor)
    )


def _in_sepa_zone(number: str) -> bool:
    if not number:
        return False
    from schwifty import IBAN

    return bool(IBAN(number, allow_invalid=True).in_sepa_zone)


def _control_sum(amounts: Sequence[Money]) -> str:
    """Add amounts as the message wants it: plain numbers, whatever their currency."""
    places = max(exponent(one.currency) for one in amounts)
    total = sum(one.minor * 10 ** (places - exponent(one.currency)) for one in amounts)
    digits = str(total).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


class _Writer:
    """Writes the elements of one file in the order that the schema wants."""

    def __init__(self, space: str, batch: PaymentBatch) -> None:
        self._space = space
        self._batch = batch
        self._modern = batch.version != VERSION_03

    def message(self, document: Element, blocks: list[_Block]) -> None:
        batch = self._batch
        body = self._add(document, "CstmrCdtTrfInitn")
        header = self._add(body, "GrpHdr")
        self._add(header, "MsgId", batch.message_id)
        moment = batch.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._add(header, "CreDtTm", moment)
        self._add(header, "NbOfTxs", str(len(batch.instructions)))
        self._add(header, "CtrlSum", _control_sum([one.amount for one in batch.instructions]))
        sepa = any(block.sepa for block in blocks)
        starter = self._add(header, "InitgPty")
        self._add(starter, "Nm", self._name(batch.initiating_party or batch.debtor.name, sepa=sepa))
        for block in blocks:
            self._block(body, block)

    def _block(self, body: Element, block: _Block) -> None:
        batch = self._batch
        node = self._add(body, "PmtInf")
        self._add(node, "PmtInfId", block.payment_information_id)
        self._add(node, "PmtMtd", "TRF")
        self._add(node, "BtchBookg", "true" if batch.batch_booking else "false")
        self._add(node, "NbOfTxs", str(len(block.instructions)))
        self._add(node, "CtrlSum", _control_sum([one.amount for one in block.instructions]))
        if block.sepa:
            level = self._add(self._add(node, "PmtTpInf"), "SvcLvl")
            self._add(level, "Cd", "SEPA")
        day = self._add(node, "ReqdExctnDt")
        if self._modern:
            day = self._add(day, "Dt")
        day.text = batch.requested_on.isoformat()
        self._party(node, "Dbtr", batch.debtor, sepa=block.sepa)
        self._account(node, "DbtrAcct", batch.debtor.account)
        self._agent(node, "DbtrAgt", batch.debtor, required=True)
        self._add(node, "ChrgBr", "SLEV" if block.sepa else batch.charge_bearer)
        for one in block.instructions:
            self._payment(node, one, sepa=block.sepa)

    def _payment(self, block: Element, one: PaymentInstruction, *, sepa: bool) -> None:
        node = self._add(block, "CdtTrfTxInf")
        ids = self._add(node, "PmtId")
        if one.instruction_id:
            self._add(ids, "InstrId", one.instruction_id)
        self._add(ids, "EndToEndId", one.end_to_end_id)
        amount = self._add(self._add(node, "Amt"), "InstdAmt", one.amount.text)
        amount.set("Ccy", one.amount.currency)
        self._agent(node, "CdtrAgt", one.creditor, required=False)
        self._party(node, "Cdtr", one.creditor, sepa=sepa)
        self._account(node, "CdtrAcct", one.creditor.account)
        if one.purpose:
            self._add(self._add(node, "Purp"), "Cd", one.purpose)
        self._remittance(node, one, sepa=sepa)

    def _party(self, parent: Element, role: str, party: PaymentParty, *, sepa: bool) -> None:
        node = self._add(parent, role)
        self._add(node, "Nm", self._name(party.name, sepa=sepa))
        if party.country:
            address = self._add(node, "PstlAdr")
            write = sepa_text if sepa else plain_text
            for tag, text, limit in (
                ("StrtNm", party.street, _NAME_SEPA),
                ("PstCd", party.postcode, _POSTCODE),
                ("TwnNm", party.town, _MAX_ID),
            ):
                if written := write(text, limit):
                    self._add(address, tag, written)
            self._add(address, "Ctry", party.country)

    def _name(self, name: str, *, sepa: bool) -> str:
        written = sepa_text(name, _NAME_SEPA) if sepa else plain_text(name, _NAME)
        if not written:
            raise InvalidInput("PAYMENT_PARTY", "A party of a payment has a name.", name=name[:70])
        return written

    def _account(self, parent: Element, tag: str, account: PaymentAccount) -> None:
        node = self._add(parent, tag)
        ids = self._add(node, "Id")
        if account.iban:
            self._add(ids, "IBAN", iban.compact(account.iban))
        else:
            other = self._add(ids, "Othr")
            self._add(other, "Id", account.other)
            if account.scheme:
                self._add(self._add(other, "SchmeNm"), "Cd", account.scheme)
        if account.currency:
            self._add(node, "Ccy", account.currency)

    def _agent(self, parent: Element, tag: str, party: PaymentParty, *, required: bool) -> None:
        if not (party.bic or party.clearing_member or required):
            return
        bank = self._add(self._add(parent, tag), "FinInstnId")
        if party.bic:
            self._add(bank, "BICFI" if self._modern else "BIC", party.bic)
        if party.clearing_member:
            member = self._add(bank, "ClrSysMmbId")
            if party.clearing_system:
                self._add(self._add(member, "ClrSysId"), "Cd", party.clearing_system)
            self._add(member, "MmbId", party.clearing_member)
        if not (party.bic or party.clearing_member):
            self._add(self._add(bank, "Othr"), "Id", "NOTPROVIDED")

    def _remittance(self, parent: Element, one: PaymentInstruction, *, sepa: bool) -> None:
        """Tell the payee what is paid; SEPA carries one text or one reference, not both."""
        write = sepa_text if sepa else plain_text
        numbers = [write(number, _REMITTANCE) for number in one.invoice_numbers]
        structured = [] if sepa else [number for number in numbers if len(number) <= _MAX_ID]
        spoken = [number for number in numbers if number and number not in structured]
        text = _joined(write(one.remittance, _REMITTANCE), spoken)
        reference = write(one.creditor_reference, _MAX_ID)
        if not (text or reference or any(structured)):
            return
        node = self._add(parent, "RmtInf")
        if text and not (sepa and reference):
            self._add(node, "Ustrd", text)
        for number in filter(None, structured):
            document = self._add(self._add(node, "Strd"), "RfrdDocInf")
            kind = self._add(self._add(document, "Tp"), "CdOrPrtry")
            self._add(kind, "Cd", "CINV")
            self._add(document, "Nb", number)
        if reference:
            information = self._add(self._add(node, "Strd"), "CdtrRefInf")
            kind = self._add(self._add(information, "Tp"), "CdOrPrtry")
            self._add(kind, "Cd", "SCOR")
            self._add(information, "Ref", reference)

    def _add(self, parent: Element, tag: str, text: str | None = None) -> Element:
        node = etree.SubElement(parent, f"{{{self._space}}}{tag}")
        try:
            node.text = text
        except ValueError:
            raise InvalidInput(
                "PAYMENT_PARTY", "%(tag)s holds a character that no file can carry.", tag=tag
            ) from None
        return node


def _joined(text: str, numbers: list[str]) -> str:
    """Name as many invoices as fit after the text, and say how many more there are."""
    if not numbers:
        return text
    for shown in range(len(numbers), 0, -1):
        more = f" +{len(numbers) - shown}" if shown < len(numbers) else ""
        line = f"{text} {', '.join(numbers[:shown])}{more}".strip()
        if len(line) <= _REMITTANCE:
            return line
    return text or numbers[0]


def schema_error(data: bytes, version: str) -> tuple[str, int] | None:
    """Judge a payment file by the schema of its version: the first mistake and its line, or None.

    Raises
    ------
    InvalidInput
        PAYMENT_VERSION, when there is no schema of this version.
    """
    schema = _schema(version)
    if schema.validate(etree.fromstring(data, _PARSER)):
        return None
    first = schema.error_log[0]
    return first.message[:300], first.line


@lru_cache(maxsize=4)
def _schema(version: str) -> etree.XMLSchema:
    source = files("sepaxml").joinpath("schemas", f"{version}.xsd")
    if not _VERSION.fullmatch(version) or not source.is_file():
        raise InvalidInput(
            "PAYMENT_VERSION", "There is no schema for this version of pain.001.", version=version
        )
    with source.open("rb") as opened:
        return etree.XMLSchema(etree.parse(opened))


def _validate(data: bytes, version: str) -> None:
    """Judge the bytes themselves, as the bank will; nothing invalid leaves the house."""
    wrong = schema_error(data, version)
    if wrong is not None:
        raise InvalidInput(
            "PAYMENT_FILE_INVALID",
            "The payment file breaks its schema: %(reason)s",
            line=wrong[1],
            version=version,
            reason=wrong[0],
        )
