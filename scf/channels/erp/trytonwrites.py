"""What is written in Tryton: moves, a word on an invoice, another party to pay.

Each is looked for before it is written, by something that is the same every time. A move is made
as a draft first, looked for again, and posted only then: should an earlier call that seemed to
fail have made it too, the later draft goes.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from scf.channels.erp.port import Mark, Move, Results
from scf.channels.erp.tryton import Tryton
from scf.channels.erp.wire import Refused
from scf.kernel.money import format_minor

AT_ONCE: Final = 100
_MOVE: Final = "account.move"
_LINE: Final = "account.move.line"
_INVOICE: Final = "account.invoice"


class Books:
    """Makes moves in the books of one company."""

    def __init__(self, tryton: Tryton, journal: str) -> None:
        self.tryton = tryton
        found = tryton.find("account.journal", [["code", "=", journal]], ["code"])
        if not found:
            raise Refused("ERP_JOURNAL", journal)
        self.journal = found[0]["id"]
        company = tryton.by_id("company.company", [tryton.company], ["currency"])
        currency = company[tryton.company]["currency"]
        self.currency = tryton.by_id("currency.currency", [currency], ["code"])[currency]["code"]
        self._accounts: dict[str, dict[str, Any]] = {}
        self._parties: dict[str, int] = {}
        self._periods: list[dict[str, Any]] = []

    def post(self, moves: Sequence[Move]) -> Results:
        """Make moves that are not there yet, and post them."""
        self._look_up(moves)
        results = Results()
        good: dict[str, tuple[Move, dict[str, Any]]] = {}
        for move in moves:
            try:
                good[move.description] = (move, self._values(move))
            except Refused as refusal:
                results.refused[move.entry_id] = (refusal.code, refusal.said)
        there = self._there(good)
        missing = [good[one] for one in good if one not in there]
        self._in_parts(missing, self._make, results)
        there = self._there(good)
        drafts = [
            (good[one][0], {"id": rows[0]["id"]})
            for one, rows in there.items()
            if rows[0]["state"] == "draft"
        ]
        self._in_parts(drafts, self._post, results)
        for description, rows in self._there(good).items():
            if rows[0]["state"] == "posted":
                move = good[description][0]
                results.done[move.entry_id] = str(rows[0]["number"] or rows[0]["id"])
                results.refused.pop(move.entry_id, None)
        return results

    def _there(self, wanted: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
        """Find moves by their description; of several the posted, then the first one stays."""
        if not wanted:
            return {}
        company = ["company", "=", self.tryton.company]
        domain = [company, ["description", "in", sorted(wanted)]]
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self.tryton.find(_MOVE, domain, ["description", "state", "number"]):
            found.setdefault(row["description"], []).append(row)
        for rows in found.values():
            rows.sort(key=lambda row: (row["state"] != "posted", row["id"]))
            extra = [row["id"] for row in rows[1:] if row["state"] == "draft"]
            if extra:
                self.tryton.call(_MOVE, "delete", extra)
        return found

    def _in_parts(
        self,
        wanted: Sequence[tuple[Move, dict[str, Any]]],
        act: Callable[[list[dict[str, Any]]], None],
        results: Results,
    ) -> None:
        """Do many at once; where one is refused, each alone, so that it holds no other up."""
        for start in range(0, len(wanted), AT_ONCE):
            part = wanted[start : start + AT_ONCE]
            try:
                act([values for _move, values in part])
            except Refused:
                for move, values in part:
                    try:
                        act([values])
                    except Refused as refusal:
                        results.refused[move.entry_id] = (refusal.code, refusal.said)

    def _make(self, values: list[dict[str, Any]]) -> None:
        self.tryton.call(_MOVE, "create", values)

    def _post(self, values: list[dict[str, Any]]) -> None:
        self.tryton.call(_MOVE, "post", [one["id"] for one in values])

    def _look_up(self, moves: Sequence[Move]) -> None:
        codes = {line.account for move in moves for line in move.lines} - self._accounts.keys()
        company = ["company", "=", self.tryton.company]
        if codes:
            rows = self.tryton.find(
                "account.account",
                [["code", "in", sorted(codes)], ["type", "!=", None], company],
                ["code", "party_required", "closed"],
            )
            self._accounts |= {row["code"]: row for row in rows if not row["closed"]}
        parties = {line.party for move in moves for line in move.lines if line.party}
        for code in sorted(parties - self._parties.keys()):
            rows = self.tryton.find("party.party", [["code", "=", code]], ["code"])
            if rows:
                self._parties[code] = rows[0]["id"]
        if not self._periods:
            self._periods = self.tryton.find(
                "account.period",
                [["type", "=", "standard"], ["state", "=", "open"], company],
                ["start_date", "end_date"],
            )

    def _values(self, move: Move) -> dict[str, Any]:
        if move.currency != self.currency:
            raise Refused("ERP_CURRENCY", f"{move.currency}, {self.currency}")
        period = next(
            (one["id"] for one in self._periods if one["start_date"] <= move.on <= one["end_date"]),
            None,
        )
        if period is None:
            raise Refused("ERP_PERIOD", move.on.isoformat())
        return {
            "company": self.tryton.company,
            "journal": self.journal,
            "period": period,
            "date": move.on,
            "description": move.description,
            "lines": [["create", [self._line(line, move.currency) for line in move.lines]]],
        }

    def _line(self, line: Any, currency: str) -> dict[str, Any]:  # noqa: ANN401 - a MoveLine
        account = self._accounts.get(line.account)
        if account is None:
            raise Refused("ERP_NO_ACCOUNT", line.account)
        amount = Decimal(format_minor(abs(line.amount_minor), currency))
        nothing = Decimal(0)
        values: dict[str, Any] = {
            "account": account["id"],
            "debit": amount if line.amount_minor > 0 else nothing,
            "credit": amount if line.amount_minor < 0 else nothing,
        }
        if account["party_required"]:
            if line.party is None:
                raise Refused("ERP_PARTY", line.account)
            if line.party not in self._parties:
                raise Refused("ERP_NO_PARTY", line.party)
            values["party"] = self._parties[line.party]
        return values


def descriptions_of(tryton: Tryton, descriptions: Sequence[str]) -> set[str]:
    """Tell which moves of the company there are."""
    company = ["company", "=", tryton.company]
    found = tryton.find(
        _MOVE, [company, ["description", "in", list(descriptions)]], ["description"]
    )
    return {row["description"] for row in found}


def mark(tryton: Tryton, marks: Sequence[Mark]) -> Results:
    """Add a line to the comment of each invoice that does not have it yet."""
    results = Results()
    rows = tryton.by_id(_INVOICE, [int(one.remote_id) for one in marks], ["comment", "_timestamp"])
    for one in marks:
        invoice = int(one.remote_id)
        row = rows.get(invoice)
        if row is None:
            results.refused[one.advance_id] = ("ERP_GONE", one.remote_id)
            continue
        comment = str(row["comment"] or "")
        try:
            if one.advance_id not in comment:
                text = f"{comment.rstrip()}\n{one.text} [{one.advance_id}]".strip()
                # Who has changed the invoice since it was read goes first.
                seen = {f"{_INVOICE},{one.remote_id}": row["_timestamp"]}
                tryton.call(_INVOICE, "write", [invoice], {"comment": text}, _timestamp=seen)
                row["comment"] = text
                row["_timestamp"] = tryton.by_id(_INVOICE, [invoice], ["_timestamp"])[invoice][
                    "_timestamp"
                ]
        except Refused as refusal:
            results.refused[one.advance_id] = (refusal.code, refusal.said)
        else:
            results.done[one.advance_id] = f"{_INVOICE},{one.remote_id}"
    return results


def change_payee(tryton: Tryton, books: Books, marks: Sequence[Mark], party: str) -> Results:
    """Delegate the lines of an invoice that are still to be paid, as its own wizard does."""
    results = Results()
    found = tryton.find("party.party", [["code", "=", party]], ["code"])
    if not found:
        raise Refused("ERP_NO_PARTY", party)
    payee = found[0]["id"]
    rows = tryton.by_id(_INVOICE, [int(one.remote_id) for one in marks], ["lines_to_pay", "state"])
    for one in marks:
        row = rows.get(int(one.remote_id))
        if row is None:
            results.refused[one.advance_id] = ("ERP_GONE", one.remote_id)
            continue
        try:
            lines = tryton.by_id(_LINE, row["lines_to_pay"] or [], ["party", "reconciliation"])
            theirs = [
                line["id"]
                for line in lines.values()
                if line["reconciliation"] is None and line["party"] != payee
            ]
            if theirs:
                _delegate(tryton, books.journal, theirs, payee, one.text)
        except Refused as refusal:
            results.refused[one.advance_id] = (refusal.code, refusal.said)
        else:
            # What is paid already is owed to nobody: that is told, and not tried again.
            results.done[one.advance_id] = party if lines else "nothing open"
    return results


def _delegate(tryton: Tryton, journal: int, lines: list[int], payee: int, text: str) -> None:
    name = "account.move.line.delegate"
    session, _start, _end = tryton.wizard(name, "create")
    acting = {"active_model": _LINE, "active_ids": lines, "active_id": lines[0]}
    given = {"start": {"journal": journal, "party": payee, "description": text[:120]}}
    try:
        tryton.wizard(name, "execute", session, given, "delegate", **acting)
    finally:
        tryton.wizard(name, "delete", session)


def instant(text: str | None) -> dt.datetime | None:
    """Read back an instant that was kept as text."""
    return dt.datetime.fromisoformat(text) if text else None
