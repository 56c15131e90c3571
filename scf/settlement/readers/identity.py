"""Recognise an entry again, whichever file, page, version or encoding it stands in.

The same statement loaded twice, a renamed or re-encoded copy, ranges that overlap, the
notification and later the statement: one entry must be posted once. Yet two payments that are
equal in everything, on one day, are two. So an identity is the bank's own reference with account,
amount and day, or without such a reference all that the entry says; and a count among equals
within its statement.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections import Counter

from scf.kernel.ids import digest
from scf.settlement.readers.details import reference
from scf.settlement.readers.messages import AccountId, BankEntry, EntryDetail, Participant


def entry_identity(
    entry: BankEntry, account: AccountId, counts: Counter[str], page: int
) -> BankEntry:
    """Return the entry with its identity; ``counts`` are those of its statement so far.

    ``NtryRef`` takes no part: many banks number the lines of each statement anew. ``page`` is 0
    for a whole statement, else its page number: pages list different entries, so equal ones
    without bank reference on two pages are two. The status takes no part either, apart from what
    is booked: a pending entry is not the booked one.
    """
    base: list[object] = [
        account.identifier,
        entry.amount_minor,
        entry.currency,
        entry.booked_on.isoformat(),
        entry.is_booked,
    ]
    bank_reference = reference(entry.servicer_reference)
    if bank_reference:
        base += ["reference", bank_reference]
    else:
        base += ["content", page, *_content(entry)]
    key = digest(base)
    identity = digest([key, counts[key]])
    counts[key] += 1
    return dataclasses.replace(entry, identity=identity)


def _content(entry: BankEntry) -> list[object]:
    return [
        entry.value_on.isoformat(),
        entry.is_reversal,
        entry.transaction_code,
        entry.proprietary_code,
        _plain(entry.additional_information),
        [digest(_detail(one)) for one in entry.details],
    ]


def _detail(one: EntryDetail) -> list[object]:
    return [
        one.amount_minor,
        one.currency,
        one.end_to_end_id,
        one.instruction_id,
        one.transaction_id,
        _participant(one.debtor),
        _participant(one.creditor),
        [_plain(text) for text in one.references],
        one.return_reason,
    ]


def _participant(one: Participant) -> list[str]:
    return [_plain(one.name), one.account.identifier]


def _plain(text: str) -> str:
    """Compose accents one way: a re-encoded file may spell them in two characters."""
    return unicodedata.normalize("NFC", text)
