"""What is to be paid, as plain values: a batch from one account for one day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from scf.kernel.errors import InvalidInput
from scf.kernel.money import Money

VERSION_03: Final = "pain.001.001.03"
VERSION_09: Final = "pain.001.001.09"

_COMPACT_ID: Final = re.compile(r"[0-9a-f]{32}")
_MAX_ATTEMPT: Final = 99  # two digits: 32 + 1 + 2 are the 35 characters that banks carry


@dataclass(frozen=True, slots=True)
class PaymentAccount:
    """An account to pay from or to: an IBAN, or another number with its scheme.

    ``scheme`` is an ISO external account code (BBAN, CUID …) and may be empty.
    """

    iban: str = ""
    other: str = ""
    scheme: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class PaymentParty:
    """Who pays or is paid, with the account and the bank that keeps it.

    The bank is named by BIC, or by its number in a national clearing system
    (``clearing_system`` CNAPS, USABA … with ``clearing_member``), or by the IBAN alone. An address
    is written where there is a country.
    """

    name: str
    account: PaymentAccount
    bic: str = ""
    clearing_system: str = ""
    clearing_member: str = ""
    country: str = ""
    town: str = ""
    postcode: str = ""
    street: str = ""


@dataclass(frozen=True, slots=True)
class PaymentInstruction:
    """One payment of a batch. ``end_to_end_id`` reaches the payee and comes back on statements."""

    end_to_end_id: str
    creditor: PaymentParty
    amount: Money
    instruction_id: str = ""
    remittance: str = ""
    invoice_numbers: tuple[str, ...] = ()
    creditor_reference: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class PaymentBatch:
    """What is sent to the bank in one file, from one account, to be executed on one day.

    ``domestic`` sends payments in euro like any other: for a bank that takes no SEPA block.
    ``charge_bearer`` counts outside SEPA only (default SHAR); inside SEPA it is SLEV by rule.
    ``created_at`` is an aware instant: when the batch was made, not when the file is written.
    """

    message_id: str
    created_at: datetime
    requested_on: date
    debtor: PaymentParty
    instructions: tuple[PaymentInstruction, ...]
    initiating_party: str = ""
    charge_bearer: str = "SHAR"
    batch_booking: bool = False
    version: str = VERSION_09
    domestic: bool = False


def end_to_end_id(command_id: str, attempt: int) -> str:
    """Name a payment after the command that ordered it: a second attempt gets its own name.

    A UUID has 36 characters and banks carry 35, so its hyphens go.

    Raises
    ------
    InvalidInput
        PAYMENT_ID, when the command id is no UUID or the attempt is not 1 to 99.
    """
    compact = command_id.replace("-", "").lower()
    if not _COMPACT_ID.fullmatch(compact) or not 1 <= attempt <= _MAX_ATTEMPT:
        raise InvalidInput(
            "PAYMENT_ID", "A payment is named by a command id and an attempt from 1 to 99."
        )
    return f"{compact}-{attempt}"
