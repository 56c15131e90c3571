"""Judge the reader of MT940 by statements of other people with what is expected of them.

Each file is read to every expected fact, or refused with a place. The expectations were written
by a library that reads a file as one list: where a file holds several messages it keeps the
balances of the last, so only those are compared.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from scf.kernel.errors import InvalidInput
from scf.kernel.money import parse_minor
from scf.settlement.readers import BankEntry, EntryDetail, StatementFile, read_statements
from scf.settlement.readers.details import reference
from scf.settlement.readers.parties import account_of
from tests.corpus.judge import Judge

FOLDER: Final = "mt940"
BALANCES: Final = {
    "final_opening_balance": "OPBD",
    "intermediate_opening_balance": "OPBD",
    "final_closing_balance": "CLBD",
    "intermediate_closing_balance": "CLBD",
    "available_balance": "CLAV",
}
# What German subfields are called there, and where we keep it.
DETAILS: Final[dict[str, Callable[[EntryDetail], str]]] = {
    "applicant_name": lambda one: one.debtor.name or one.creditor.name,
    "applicant_iban": lambda one: one.debtor.account.identifier or one.creditor.account.identifier,
    "end_to_end_reference": lambda one: one.end_to_end_id,
}


class _Plain(yaml.SafeLoader):  # type: ignore[misc]
    """Reads the expectations as plain values: no object of theirs is ever made."""


def _plain(loader: Any, _suffix: str, node: Any) -> object:  # noqa: ANN401 - no types in yaml
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_Plain.add_multi_constructor("tag:yaml.org,2002:python/", _plain)


def judge_mt940(judge: Judge, path: Path) -> None:
    """Read one file and hold it against its expectation."""
    try:
        file = read_statements(path.read_bytes())
    except InvalidInput as refused:
        judge.count(f"mt940 refused whole: {refused.code}")
        if path.with_suffix(".yml").exists() and _wanted(path).get("transactions"):
            judge.blame(path.name, "refused, but entries are expected")
        return
    judge.count(f"{file.kind} {'read' if file.is_sound else 'refused with a place'}")
    for one in file.findings:
        if not one.place.startswith("line "):
            judge.blame(path.name, f"{one.code} without a place")
    if path.with_suffix(".yml").exists():
        _compare(judge, path, file, _wanted(path))
    elif not file.is_sound:
        judge.blame(path.name, "no expectation, and refused")


def _wanted(path: Path) -> dict[str, Any]:
    text = path.with_suffix(".yml").read_text(encoding="utf-8")
    text = re.sub(r"transactions: \*\w+", "transactions: null", text)  # each points to them all
    return dict(_Plain(text).get_single_data())


def _compare(judge: Judge, path: Path, file: StatementFile, wanted: dict[str, Any]) -> None:
    for fact, found in _head_facts(file, wanted["data"]):
        _one(judge, path, file, fact, found=found)
    expected = [one["data"] for one in wanted["transactions"]]
    read = [entry for statement in file.statements for entry in statement.entries]
    if file.is_sound and len(expected) != len(read):
        judge.blame(path.name, f"{len(read)} entries for {len(expected)}")
    # An entry that was refused has its finding; those that were read come in their order.
    missing = iter(read)
    for number, one in enumerate(expected, start=1):
        entry = next((entry for entry in missing if _same_money(entry, one)), None)
        if entry is None:
            if file.is_sound:
                judge.blame(path.name, f"entry {number} is not read")
            else:
                judge.count("mt940 entries refused with their file")
            missing = iter(read)
            continue
        for fact, found in _entry_facts(entry, one):
            _one(judge, path, file, f"entry {number}: {fact}", found=found)


def _one(judge: Judge, path: Path, file: StatementFile, fact: str, *, found: bool) -> None:
    if found:
        judge.count("mt940 facts expected and read")
    elif file.is_sound:
        judge.blame(path.name, f"expected {fact}")
    else:
        judge.count("mt940 facts of refused files")


def _head_facts(file: StatementFile, data: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    statements = file.statements
    for name, code in BALANCES.items():
        if name not in data:
            continue
        balance = data[name]
        on = _day(balance["date"])
        try:
            amount = _amount(balance["amount"])
        except InvalidInput:  # of a currency that is no more
            yield name, False
            continue
        found = any(
            (one.code, one.amount_minor, one.on) == (code, amount, on)
            for statement in statements
            for one in statement.balances
        )
        yield f"{name} {amount} {on}", found
    if account := data.get("account_identification"):
        found = any(one.account.identifier == account_of(account).identifier for one in statements)
        yield f"account {account}", found
    if own := data.get("transaction_reference"):
        yield f"reference {own}", any(one.statement_id.startswith(own) for one in statements)
    if number := data.get("statement_number"):
        yield f"number {number}", any(one.sequence == number for one in statements)


def _entry_facts(entry: BankEntry, data: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    (detail,) = entry.details
    yield "value date", entry.value_on == _day(data["date"])
    if "entry_date" in data:
        yield "booking date", entry.booked_on == _day(data["entry_date"])
    kind = (data.get("id") or "").strip()
    yield f"type {kind}", entry.proprietary_code.partition("+")[0] == kind
    bank = reference((data.get("bank_reference") or "").strip())
    yield f"bank reference {bank}", entry.servicer_reference == bank
    texts = "".join((entry.additional_information, *detail.unstructured, *_read_marks(entry)))
    for name in ("extra_details", "purpose", "transaction_details", "customer_reference"):
        said = data.get(name) or ""
        if name != "customer_reference" or reference(said.strip()):
            yield f"{name} {said[:60]!r}", _squeezed(said) in _squeezed(texts)
    for name, of in DETAILS.items():
        if said := reference(data.get(name) or ""):
            yield f"{name} {said}", _squeezed(said) == _squeezed(of(detail))


def _read_marks(entry: BankEntry) -> Iterator[str]:
    for one in entry.details:
        yield from (one.end_to_end_id, one.instruction_id, one.message_id)


def _same_money(entry: BankEntry, data: dict[str, Any]) -> bool:
    try:
        return entry.amount_minor == _amount(data["amount"], entry.currency)
    except InvalidInput:
        return False


def _amount(node: dict[str, Any], currency: str = "") -> int:
    text, sign = node["amount"][0], 1
    if text.startswith("-"):
        text, sign = text[1:], -1
    return sign * parse_minor(text, node["currency"] or currency)


def _day(node: list[bytes]) -> date:
    """Read a date as it was packed: year in two bytes, month, day."""
    return date(*struct.unpack(">HBB", node[0][:4]))


def _squeezed(text: str) -> str:
    return "".join(text.split())
