"""A tax office made of one file: it knows invoices, and people can void or credit them there.

It answers as the national registers do, by what is stated about an invoice: known or not, void,
credited by how much, or stated otherwise. Everything it knows stands in one JSON file; without the
file it knows nothing. It can be told to be down, slow, or to answer rubbish.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from scf.documents.taxcheck.port import Answer
from scf.documents.taxcheck.schemes import Ask
from scf.kernel.clock import Clock
from scf.kernel.errors import NotFound

# How it can be told to behave.
MOODS: Final = ("well", "down", "slow", "garbage")
# What must be as it is registered, in the order in which a difference is told.
_COMPARED: Final = (
    "check_code", "issue_on", "seller_tax", "buyer_tax", "currency", "net_minor", "gross_minor",
)  # fmt: skip
Facts = Mapping[str, Any]


class TaxOffice:
    """The register in a file, read anew for each answer: two programs may share it."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file, self._clock = file, clock

    # --- What people do there

    def register(self, facts: Sequence[Facts]) -> None:
        """Report invoices as their sellers do; one reported again is as it is reported last."""
        known = self._read()
        for one in facts:
            known["invoices"][_key(one)] = {**one, "state": "VALID", "credited_minor": 0}
        self._write(known)

    def void(self, number: str) -> None:
        """Void an invoice, by its tax number or its own."""
        self._change(number, state="VOIDED")

    def credit(self, number: str, amount_minor: int) -> None:
        """Set credit notes of so much against an invoice, in all."""
        self._change(number, state="CREDITED", credited_minor=amount_minor)

    def restore(self, number: str) -> None:
        """Take back what was done to an invoice."""
        self._change(number, state="VALID", credited_minor=0)

    def behave(self, mood: str) -> None:
        """Be down, slow, answer garbage, or be well again."""
        known = self._read()
        known["mood"] = mood if mood in MOODS else "well"
        self._write(known)

    @property
    def mood(self) -> str:
        """How it behaves now."""
        return str(self._read()["mood"])

    # --- What it answers

    def verify(self, asks: Sequence[Ask]) -> list[Answer]:
        """Answer in this process, as the platform's port asks; away unless it is well."""
        if self.mood != "well":
            return [Answer("UNAVAILABLE", reason="NO_CONNECTION") for _ in asks]
        return [
            _with_ours(ask, self.answer(ask._asdict() | {"issue_on": ask.issue_on.isoformat()}))
            for ask in asks
        ]

    def answer(self, stated: Facts) -> dict[str, Any]:
        """Say what is known of an invoice that is stated so, in the words of the wire."""
        known = self._read()
        found = known["invoices"].get(_key(stated))
        said: dict[str, Any] = {
            "state": "NOT_FOUND",
            "version": "office-1",
            "at": self._clock.now().isoformat(timespec="seconds"),
        }
        if found is None:
            return said
        said["reference"] = f"TO-{found['reference']}"
        for name in _COMPARED:
            theirs = found.get(name)
            if theirs not in (None, "") and theirs != stated.get(name):
                return said | {"state": "MISMATCH", "field": name, "theirs": str(theirs)}
        return said | {"state": found["state"], "credited_minor": found["credited_minor"]}

    # --- The file

    def _change(self, number: str, **values: object) -> None:
        known = self._read()
        for one in known["invoices"].values():
            if number in {one.get("number") or None, one["invoice_number"]}:
                one.update(values)
                self._write(known)
                return
        raise NotFound("NOT_FOUND", "There is no invoice with this number.", number=number)

    def _read(self) -> dict[str, Any]:
        if not self._file.exists():
            return {"mood": "well", "invoices": {}}
        known: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
        return known

    def _write(self, known: dict[str, Any]) -> None:
        for place, one in enumerate(known["invoices"].values(), start=1):
            one.setdefault("reference", f"{place:06d}")
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".part")
        draft.write_text(json.dumps(known, sort_keys=True), encoding="utf-8")
        draft.replace(self._file)


def facts_of(ask: Ask) -> dict[str, Any]:
    """Give what a seller would report of an invoice that is asked about so."""
    facts = ask._asdict() | {"issue_on": ask.issue_on.isoformat()}
    del facts["invoice_id"]
    return facts


def _key(facts: Facts) -> str:
    """Give under what an office files an invoice: its tax number, or seller and own number."""
    scheme = facts["scheme"]
    if facts.get("number"):
        return f"{scheme}|{facts.get('code', '')}|{facts['number']}"
    return f"{scheme}|{facts.get('seller_tax', '')}|{facts['invoice_number']}"


def _with_ours(ask: Ask, said: Facts) -> Answer:
    field = str(said.get("field", ""))
    return Answer(
        said["state"],
        said.get("credited_minor", 0),
        field,
        said.get("theirs", ""),
        str(getattr(ask, field)) if field else "",
        said.get("reference", ""),
        said["version"],
        dt.datetime.fromisoformat(said["at"]),
    )
