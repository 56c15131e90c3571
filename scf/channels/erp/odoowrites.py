"""What is written in Odoo: journal entries, a note on an invoice, another partner to pay.

Each is looked for by our own reference before it is written. What is owed is moved as Odoo's own
users do it: an entry takes it from the supplier to the financier, and is then assigned to the bill.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scf.channels.erp.odoo import Odoo, linked, text_of
from scf.channels.erp.once import Found, post_once
from scf.channels.erp.port import Mark, Move, MoveLine, Results
from scf.channels.erp.rest import amount_of, number_of
from scf.channels.erp.wire import Refused

_MOVE: Final = "account.move"
_LINE: Final = "account.move.line"
_OF_PARTNERS: Final = frozenset({"asset_receivable", "liability_payable"})


class Books:
    """One journal in the books of one company."""

    def __init__(self, odoo: Odoo, journal: str) -> None:
        self.odoo = odoo
        self._company = ["company_id", "=", odoo.company]
        found = odoo.find("account.journal", [["code", "=", journal], self._company], ["code"])
        if not found:
            raise Refused("ERP_JOURNAL", journal)
        self.journal = found[0]["id"]
        self._accounts: dict[str, dict[str, Any]] = {}
        self._partners: dict[str, int] = {}

    # --- As entries are made once

    def look(self, refs: Sequence[str]) -> list[Found]:
        """Find entries by our references, the oldest first."""
        domain = [["ref", "in", list(refs)], ["move_type", "=", "entry"], self._company]
        rows = self.odoo.find(_MOVE, [*domain, ["state", "!=", "cancel"]], ["ref", "state", "name"])
        return [
            Found(str(row["ref"] or ""), row["id"], row["state"] == "posted", text_of(row["name"]))
            for row in rows
        ]

    def make(self, values: list[dict[str, Any]]) -> None:
        """Make drafts in one transaction."""
        self.odoo.call(_MOVE, "create", vals_list=values)

    def post(self, remotes: list[Any]) -> None:
        """Post drafts in one transaction."""
        self.odoo.call(_MOVE, "action_post", remotes)

    def drop(self, remotes: list[Any]) -> None:
        """Take drafts away."""
        self.odoo.call(_MOVE, "unlink", remotes)

    # --- Entries of ours

    def take(self, moves: Sequence[Move]) -> Results:
        """Make and post entries that are not there yet."""
        self._look_up([line for move in moves for line in move.lines])
        results = Results()
        wanted: dict[str, dict[str, Any]] = {}
        for move in moves:
            try:
                wanted[move.description] = self._values(move)
            except Refused as refusal:
                results.refused[move.entry_id] = (refusal.code, refusal.said)
        told = Results()
        post_once(self, wanted, told)
        ids = {move.description: move.entry_id for move in moves}
        results.done |= {ids[ref]: name for ref, name in told.done.items()}
        results.refused |= {ids[ref]: why for ref, why in told.refused.items()}
        return results

    def partner(self, code: str) -> int | None:
        """Give a partner by its reference."""
        if code not in self._partners:
            company = ["company_id", "in", [self.odoo.company, False]]
            rows = self.odoo.find("res.partner", [["ref", "=", code], company], ["ref"])
            if rows:
                self._partners[code] = rows[0]["id"]
        return self._partners.get(code)

    def _look_up(self, lines: Sequence[MoveLine]) -> None:
        codes = sorted({line.account for line in lines} - self._accounts.keys())
        if codes:
            domain = [["code", "in", codes], ["company_ids", "in", [self.odoo.company]]]
            rows = self.odoo.find("account.account", domain, ["code", "account_type"])
            self._accounts |= {text_of(row["code"]): row for row in rows}

    def _values(self, move: Move) -> dict[str, Any]:
        if move.currency != self.odoo.currency:
            raise Refused("ERP_CURRENCY", f"{move.currency}, {self.odoo.currency}")
        lines = [self._line(line, move) for line in move.lines]
        return self.entry(move.description, lines) | {"date": move.on.isoformat()}

    def entry(self, ref: str, lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Give the values of an entry in this journal, dated today if nobody says otherwise."""
        return {
            "move_type": "entry",
            "company_id": self.odoo.company,
            "journal_id": self.journal,
            "ref": ref,
            "line_ids": [[0, 0, dict(one)] for one in lines],
        }

    def _line(self, line: MoveLine, move: Move) -> dict[str, Any]:
        account = self._accounts.get(line.account)
        if account is None:
            raise Refused("ERP_NO_ACCOUNT", line.account)
        amount = number_of(abs(line.amount_minor), move.currency)
        values: dict[str, Any] = {
            "account_id": account["id"],
            "name": move.text,
            "debit": amount if line.amount_minor > 0 else 0.0,
            "credit": amount if line.amount_minor < 0 else 0.0,
        }
        if account["account_type"] in _OF_PARTNERS:
            if line.party is None:
                raise Refused("ERP_PARTY", line.account)
            partner = self.partner(line.party)
            if partner is None:
                raise Refused("ERP_NO_PARTY", line.party)
            values["partner_id"] = partner
        return values


def references_of(odoo: Odoo, refs: Sequence[str]) -> set[str]:
    """Tell which of these are references of entries there, in whatever journal."""
    company = ["company_id", "=", odoo.company]
    domain = [["ref", "in", list(refs)], ["move_type", "=", "entry"], company]
    return {str(row["ref"] or "") for row in odoo.find(_MOVE, domain, ["ref"])}


def mark(odoo: Odoo, marks: Sequence[Mark]) -> Results:
    """Leave a note in the history of each invoice that does not have it yet."""
    results = Results()
    there = {row["id"] for row in odoo.find(_MOVE, [["id", "in", _ids(marks)]], ["name"])}
    for one in marks:
        invoice = int(one.remote_id)
        if invoice not in there:
            results.refused[one.advance_id] = ("ERP_GONE", one.remote_id)
            continue
        domain = [
            ["model", "=", _MOVE], ["res_id", "=", invoice], ["body", "like", one.advance_id],
        ]  # fmt: skip
        try:
            if not odoo.page("mail.message", domain, ["res_id"], 1):
                text = f"{one.text} [{one.advance_id}]"
                odoo.call(_MOVE, "message_post", [invoice], body=text)
        except Refused as refusal:
            results.refused[one.advance_id] = (refusal.code, refusal.said)
        else:
            results.done[one.advance_id] = f"{_MOVE},{invoice}"
    return results


def change_payee(odoo: Odoo, books: Books, marks: Sequence[Mark], party: str) -> Results:
    """Let the financier be owed what is open on bills."""
    payee = books.partner(party)
    if payee is None:
        raise Refused("ERP_NO_PARTY", party)
    results = Results()
    fields = ["move_id", "account_id", "partner_id", "date_maturity", "amount_residual"]
    open_: dict[int, list[dict[str, Any]]] = {}
    domain = [["move_id", "in", _ids(marks)], ["account_type", "=", "liability_payable"]]
    for row in odoo.find(_LINE, domain, fields):
        open_.setdefault(linked(row["move_id"])[0], []).append(row)
    for one in marks:
        lines = open_.get(int(one.remote_id))
        if lines is None:
            results.refused[one.advance_id] = ("ERP_GONE", one.remote_id)
            continue
        try:
            results.done[one.advance_id] = _owe(odoo, books, one, lines, payee)
        except Refused as refusal:
            results.refused[one.advance_id] = (refusal.code, refusal.said)
    return results


def _ids(marks: Sequence[Mark]) -> list[int]:
    return [int(one.remote_id) for one in marks]


def _owe(
    odoo: Odoo, books: Books, one: Mark, lines: Sequence[Mapping[str, Any]], payee: int
) -> str:
    """Move what is open on one bill; tells that nothing was."""
    ref = f"{one.text} · {one.advance_id}"
    values: dict[str, Any] = {}
    if not books.look([ref]):
        moved = _moved(odoo, one, lines, payee)
        if not moved:
            # What is paid already is owed to nobody: that is told, and not tried again.
            return "nothing open"
        values = books.entry(ref, moved)
    results = Results()
    post_once(books, {ref: values}, results)
    if ref not in results.done:
        raise Refused(*results.refused.get(ref, ("ERP_ANSWER", "no posted entry")))
    (found,) = books.look([ref])[:1]
    domain = [["move_id", "=", found.remote], ["debit", ">", 0], ["reconciled", "=", False]]
    for row in odoo.find(_LINE, domain, ["debit"]):
        invoice = int(one.remote_id)
        odoo.call(_MOVE, "js_assign_outstanding_line", [invoice], line_id=row["id"])
    return found.name


def _moved(
    odoo: Odoo, mark: Mark, lines: Sequence[Mapping[str, Any]], payee: int
) -> list[dict[str, Any]]:
    """Give the lines that take what is open from the supplier to the financier."""
    values = []
    for line in lines:
        # What is owed is below zero there.
        residual = amount_of(line["amount_residual"], odoo.currency)
        supplier = linked(line["partner_id"])[0] if line["partner_id"] else None
        if residual >= 0 or supplier == payee:
            continue
        amount = number_of(-residual, odoo.currency)
        same = {
            "account_id": linked(line["account_id"])[0],
            "name": mark.text,
            "date_maturity": line["date_maturity"],
        }
        values.append({**same, "partner_id": supplier, "debit": amount, "credit": 0.0})
        values.append({**same, "partner_id": payee, "debit": 0.0, "credit": amount})
    return values
