"""A journal as the plain text that hledger and ledger read alike."""

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from scf.accounting.journal import JournalLine
from scf.accounting.writers.harmless import one_line, word
from scf.kernel.money import exponent, format_minor

ROOTS: Final = {
    "asset": "Assets",
    "liability": "Liabilities",
    "income": "Income",
    "expense": "Expenses",
    "equity": "Equity",
}


def to_hledger(lines: Iterable[JournalLine]) -> bytes:
    """Write the journal; the value date is its secondary date.

    Only what both programs know is used: commodities with their shape, accounts, cleared entries
    with a code, tags.
    """
    every = list(lines)
    out = ["; Journal, amounts exact, decimal sign: the dot."]
    for currency in sorted({line.currency for line in every}):
        out += [f"commodity {currency}", *_shape(currency)]
    out += [f"account {name}" for name in sorted({_account(line) for line in every})]
    for _entry_id, group in groupby(every, key=lambda line: line.entry_id):
        entry = list(group)
        out += ["", _head(entry[0]), _tags(entry[0])]
        out += [
            f"    {_account(line)}    {format_minor(line.amount_minor, line.currency)} "
            f"{line.currency}"
            for line in entry
        ]
    return ("\n".join(out) + "\n").encode("utf-8")


def _head(line: JournalLine) -> str:
    words = one_line(line.narrative, ";|") or _word(line.event_kind)
    days = f"{line.booked_on.isoformat()}={line.value_on.isoformat()}"
    return f"{days} ({_word(line.entry_id)}) {words}"


def _tags(line: JournalLine) -> str:
    event = f"event: {_word(line.event_kind)}, id: {_word(line.event_id)}"
    return f"    ; {event}, subject: {_word(line.subject_id)}"


def _word(text: str) -> str:
    return word(text, ";|,()")


def _shape(currency: str) -> list[str]:
    """Say how many digits a currency has; of none the one program wants a dot, the other none."""
    digits = exponent(currency)
    return [f"    format 1000.{'0' * digits} {currency}"] if digits else []


def _account(line: JournalLine) -> str:
    """Name an account; two blanks would end it, a colon would make another level of it."""
    return f"{ROOTS[line.account_kind]}:{one_line(line.account_name, ':;')}"
