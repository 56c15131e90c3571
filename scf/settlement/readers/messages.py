"""What a bank told us, as plain values: statements, entries, and answers to payment orders.

Amounts are integer minor units and carry their sign: money that came in is positive.
Texts are as the bank sent them, with runs of blanks made one. Nothing here is judged:
what is wrong in a file stands in its ``findings``, each with its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from scf.kernel.findings import Finding, Severity


class EntryStatus(StrEnum):
    """How far the bank has taken an entry; only BOOK is money."""

    BOOKED = "BOOK"
    PENDING = "PDNG"
    INFORMATION = "INFO"
    FUTURE = "FUTR"


@dataclass(frozen=True, slots=True)
class AccountId:
    """An account as the bank names it: an IBAN, or whatever its country uses instead."""

    identifier: str = ""
    is_iban: bool = False
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Participant:
    """Debtor or creditor of one payment, as far as the bank passes it on."""

    name: str = ""
    account: AccountId = AccountId()
    bic: str = ""


@dataclass(frozen=True, slots=True)
class EntryDetail:
    """One payment inside a booked entry; an entry may hold many, or none at all.

    ``amount_minor`` is None where the bank gives no amount per payment; then a lone detail
    carries the amount of its entry. ``instructed_minor`` is what the payer ordered, possibly in
    another currency.
    """

    place: str
    amount_minor: int | None
    currency: str
    instructed_minor: int | None
    instructed_currency: str
    end_to_end_id: str
    instruction_id: str
    message_id: str
    payment_information_id: str
    transaction_id: str
    uetr: str
    mandate_id: str
    servicer_reference: str
    debtor: Participant
    creditor: Participant
    ultimate_debtor: str
    ultimate_creditor: str
    unstructured: tuple[str, ...]
    creditor_references: tuple[str, ...]
    document_numbers: tuple[str, ...]
    return_reason: str
    return_information: tuple[str, ...]
    additional_information: str

    @property
    def references(self) -> tuple[str, ...]:
        """Every text in which the payer may have named what is being paid, best first."""
        return self.creditor_references + self.document_numbers + self.unstructured


@dataclass(frozen=True, slots=True)
class BankEntry:
    """One line of the account, signed: positive came in, negative went out.

    ``identity`` is the same for the same entry in whatever file it stands again, and differs for
    two equal payments of one day. ``value_on`` is the booking date where the bank gives none.
    """

    identity: str
    place: str
    entry_reference: str
    servicer_reference: str
    amount_minor: int
    currency: str
    status: EntryStatus
    is_reversal: bool
    booked_on: date
    value_on: date
    transaction_code: str
    proprietary_code: str
    batch_message_id: str
    batch_payment_information_id: str
    batch_count: int | None
    additional_information: str
    details: tuple[EntryDetail, ...]

    @property
    def is_booked(self) -> bool:
        """Tell whether this entry is money; pending and announced ones are not."""
        return self.status is EntryStatus.BOOKED

    @property
    def return_reason(self) -> str:
        """The reason code of a payment that came back, or an empty text."""
        return next((one.return_reason for one in self.details if one.return_reason), "")


@dataclass(frozen=True, slots=True)
class Balance:
    """A balance that the bank states, signed; ``code`` is OPBD, CLBD, PRCD, ITBD or another."""

    code: str
    amount_minor: int
    currency: str
    on: date | None


@dataclass(frozen=True, slots=True)
class BankStatement:
    """One account over one range of days, on one page or all of it."""

    place: str
    statement_id: str
    sequence: str
    page: int
    is_last_page: bool
    account: AccountId
    currency: str
    from_on: date | None
    to_on: date | None
    balances: tuple[Balance, ...]
    entries: tuple[BankEntry, ...]

    @property
    def booked(self) -> tuple[BankEntry, ...]:
        """The entries that are money."""
        return tuple(entry for entry in self.entries if entry.is_booked)

    @property
    def opening(self) -> Balance | None:
        """The booked balance at the start: OPBD, else the previous closing PRCD."""
        return self._balance("OPBD") or self._balance("PRCD")

    @property
    def closing(self) -> Balance | None:
        """The booked balance at the end (CLBD)."""
        return self._balance("CLBD")

    def balances_of(self, form: str) -> tuple[Balance | None, Balance | None]:
        """Give the balances between which the entries stand, as far as they are this page's own.

        Each page of an MT940 has its own; some banks print those of the whole statement on every
        page of a camt.053.
        """
        if form == "mt940" or (self.page == 1 and self.is_last_page):
            return self.opening, self.closing
        return None, None

    def _balance(self, code: str) -> Balance | None:
        return next((one for one in self.balances if one.code == code), None)


@dataclass(frozen=True, slots=True)
class StatementFile:
    """Statements (camt.053, MT940, CSV), notifications (camt.054), or a report of the day."""

    kind: str
    version: str
    message_id: str
    created: str
    statements: tuple[BankStatement, ...]
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Tell whether everything could be read: a file with an error is not to be posted."""
        return not any(one.severity is Severity.ERROR for one in self.findings)

    @property
    def moves_money(self) -> bool:
        """Tell whether booked entries may be posted: camt.052 and MT942 only report the day."""
        return self.kind in {"camt.053", "camt.054", "mt940", "csv"}


class BankAnswer(StrEnum):
    """What a status code means for a payment that was sent.

    ACKNOWLEDGED promises nothing yet; SETTLED still needs the booked entry; MIXED (a group of
    which parts were refused) says nothing about any single payment.
    """

    ACKNOWLEDGED = "ACKNOWLEDGED"
    SETTLED = "SETTLED"
    REJECTED = "REJECTED"
    MIXED = "MIXED"


# ISO 20022 external payment status codes (group and transaction).
ANSWERS: Final[dict[str, BankAnswer]] = {
    "ACCC": BankAnswer.SETTLED,
    "ACCP": BankAnswer.ACKNOWLEDGED,
    "ACFC": BankAnswer.ACKNOWLEDGED,
    "ACIS": BankAnswer.ACKNOWLEDGED,
    "ACPD": BankAnswer.ACKNOWLEDGED,
    "ACSC": BankAnswer.SETTLED,
    "ACSP": BankAnswer.ACKNOWLEDGED,
    "ACTC": BankAnswer.ACKNOWLEDGED,
    "ACWC": BankAnswer.ACKNOWLEDGED,
    "ACWP": BankAnswer.ACKNOWLEDGED,
    "BLCK": BankAnswer.ACKNOWLEDGED,
    "CANC": BankAnswer.REJECTED,
    "PART": BankAnswer.MIXED,
    "PATC": BankAnswer.ACKNOWLEDGED,
    "PDNG": BankAnswer.ACKNOWLEDGED,
    "PRES": BankAnswer.ACKNOWLEDGED,
    "RCVD": BankAnswer.ACKNOWLEDGED,
    "RJCT": BankAnswer.REJECTED,
}


@dataclass(frozen=True, slots=True)
class StatusReason:
    """Why the bank answered so: a code (AC01, AM04 …) and its own words."""

    code: str
    information: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """A status with its reasons, at whatever level the bank gave it."""

    code: str
    reasons: tuple[StatusReason, ...] = ()

    @property
    def answer(self) -> BankAnswer:
        """What the code means for the payment."""
        return ANSWERS[self.code]


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """The bank's answer to one payment order."""

    place: str
    payment_information_id: str
    end_to_end_id: str
    instruction_id: str
    servicer_reference: str
    amount_minor: int | None
    currency: str
    status: Status


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A payment status report (pain.002): answers to one file that was sent.

    Banks answer at the level they like: for the file, for a block, for single payments.
    ``status_of`` gives the most precise answer that covers a payment.
    """

    version: str
    message_id: str
    created: str
    original_message_id: str
    original_message_name: str
    group: Status | None
    blocks: tuple[tuple[str, Status], ...]
    transactions: tuple[TransactionStatus, ...]
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Tell whether everything could be read."""
        return not any(one.severity is Severity.ERROR for one in self.findings)

    def status_of(self, end_to_end_id: str, payment_information_id: str = "") -> Status | None:
        """Return the answer for one payment: its own, else its block's, else the file's.

        A "partly accepted" of a block or file says nothing about one payment and is passed over.
        """
        for one in self.transactions:
            if one.end_to_end_id == end_to_end_id and (
                not payment_information_id
                or not one.payment_information_id
                or one.payment_information_id == payment_information_id
            ):
                return one.status
        for block_id, status in self.blocks:
            if payment_information_id and block_id == payment_information_id:
                return None if status.answer is BankAnswer.MIXED else status
        if self.group is not None and self.group.answer is not BankAnswer.MIXED:
            return self.group
        return None
