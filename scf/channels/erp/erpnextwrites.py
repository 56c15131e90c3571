"""What is written in ERPNext: journal entries, a comment on an invoice, another supplier to pay.

An entry carries our id as its reference number and is looked for by it before it is made. What is
owed is moved by an entry that takes it from the supplier, against the invoice, to the financier.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scf.channels.erp.erpnext import ErpNext, text_of
from scf.channels.erp.once import Found, post_once
from scf.channels.erp.port import Mark, Move, MoveLine, Results
from scf.channels.erp.rest import amount_of, number_of
from scf.channels.erp.wire import Refused

_ENTRY: Final = "Journal Entry"
_BILL: Final = "Purchase Invoice"
_SALE: Final = "Sales Invoice"
_PARTY_OF: Final = {"Receivable": "Customer", "Payable": "Supplier"}
_CANCELLED: Final = 2


class Books:
    """The journal entries of one company; ``kind`` is their entry type there."""

    def __init__(self, erpnext: ErpNext, kind: str) -> None:
        self.erpnext = erpnext
        self.kind = kind or _ENTRY
        self._accounts: dict[str, dict[str, Any]] = {}
        self._parties: dict[tuple[str, str], bool] = {}

    # --- As entries are made once

    def look(self, refs: Sequence[str]) -> list[Found]:
        """Find entries by our references, the oldest first."""
        mine = [["company", "=", self.erpnext.company], ["docstatus", "<", _CANCELLED]]
        rows = self.erpnext.among(
            _ENTRY, "cheque_no", refs, ["name", "cheque_no", "docstatus", "creation"], mine
        )
        rows.sort(key=lambda row: (str(row["creation"]), row["name"]))
        return [
            Found(str(row["cheque_no"]), row["name"], row["docstatus"] == 1, row["name"])
            for row in rows
        ]

    def make(self, values: list[dict[str, Any]]) -> None:
        """Make drafts: one call makes one."""
        for one in values:
            self.erpnext.insert(_ENTRY, one)

    def post(self, remotes: list[Any]) -> None:
        """Submit drafts: one call submits one."""
        for one in remotes:
            self.erpnext.change(_ENTRY, one, {"docstatus": 1})

    def drop(self, remotes: list[Any]) -> None:
        """Delete drafts."""
        for one in remotes:
            self.erpnext.delete(_ENTRY, one)

    # --- Entries of ours

    def take(self, moves: Sequence[Move]) -> Results:
        """Make and submit entries that are not there yet."""
        self._look_up({line.account for move in moves for line in move.lines})
        results = Results()
        wanted: dict[str, dict[str, Any]] = {}
        for move in moves:
            try:
                wanted[move.entry_id] = self._values(move)
            except Refused as refusal:
                results.refused[move.entry_id] = (refusal.code, refusal.said)
        post_once(self, wanted, results)
        return results

    def has_party(self, kind: str, name: str) -> bool:
        """Tell whether there is a supplier or customer of a name."""
        if (kind, name) not in self._parties:
            found = self.erpnext.page(kind, [["name", "=", name]], ["name"], limit=1)
            self._parties[kind, name] = bool(found)
        return self._parties[kind, name]

    def _look_up(self, codes: set[str]) -> None:
        """Learn accounts by their names, or by their numbers where they have some."""
        fields = ["name", "account_number", "account_type", "account_currency"]
        open_ = [["company", "=", self.erpnext.company], ["is_group", "=", 0], ["disabled", "=", 0]]
        missing = sorted(codes - self._accounts.keys())
        for field in ("account_number", "name"):
            for row in self.erpnext.among("Account", field, missing, fields, open_):
                self._accounts[str(row[field])] = row

    def _values(self, move: Move) -> dict[str, Any]:
        if move.currency != self.erpnext.currency:
            raise Refused("ERP_CURRENCY", f"{move.currency}, {self.erpnext.currency}")
        day = move.on.isoformat()
        rows = [self._row(line, move.currency) for line in move.lines]
        return self.entry(move.entry_id, move.description, rows) | {
            "posting_date": day, "cheque_date": day,
        }  # fmt: skip

    def entry(self, ref: str, text: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Give the values of an entry; ``ref`` is its reference number."""
        return {
            "voucher_type": self.kind,
            "company": self.erpnext.company,
            "cheque_no": ref,
            "user_remark": text,
            "accounts": [self._placed(one) for one in rows],
        }

    def _placed(self, row: Mapping[str, Any]) -> dict[str, Any]:
        center = self.erpnext.cost_center
        return {**row, **({"cost_center": center} if center else {})}

    def _row(self, line: MoveLine, currency: str) -> dict[str, Any]:
        account = self._accounts.get(line.account)
        if account is None:
            raise Refused("ERP_NO_ACCOUNT", line.account)
        if text_of(account["account_currency"]) not in {"", currency}:
            raise Refused("ERP_CURRENCY", f"{currency}, {account['account_currency']}")
        amount = number_of(abs(line.amount_minor), currency)
        row: dict[str, Any] = {
            "account": account["name"],
            "debit_in_account_currency": amount if line.amount_minor > 0 else 0.0,
            "credit_in_account_currency": amount if line.amount_minor < 0 else 0.0,
        }
        kind = _PARTY_OF.get(text_of(account["account_type"]))
        if kind is not None:
            if line.party is None:
                raise Refused("ERP_PARTY", line.account)
            if not self.has_party(kind, line.party):
                raise Refused("ERP_NO_PARTY", line.party)
            row |= {"party_type": kind, "party": line.party}
        return row


def descriptions_of(erpnext: ErpNext, descriptions: Sequence[str]) -> set[str]:
    """Tell which of these are there: an entry has the end of its description as its reference."""
    refs = {one.rpartition(" ")[2]: one for one in descriptions}
    company = [["company", "=", erpnext.company]]
    rows = erpnext.among(_ENTRY, "cheque_no", list(refs), ["cheque_no"], company)
    return {refs[row["cheque_no"]] for row in rows}


def mark(erpnext: ErpNext, marks: Sequence[Mark]) -> Results:
    """Leave a comment on each invoice that does not have it yet."""
    results = Results()
    names = [one.remote_id for one in marks]
    kinds = {
        row["name"]: doctype
        for doctype in (_SALE, _BILL)
        for row in erpnext.among(doctype, "name", names, ["name"])
    }
    for one in marks:
        doctype = kinds.get(one.remote_id)
        if doctype is None:
            results.refused[one.advance_id] = ("ERP_GONE", one.remote_id)
            continue
        mine = [["reference_doctype", "=", doctype], ["reference_name", "=", one.remote_id]]
        said = ["content", "like", f"%{one.advance_id}%"]
        try:
            if not erpnext.page("Comment", [*mine, said], ["name"], limit=1):
                erpnext.insert(
                    "Comment",
                    {
                        "comment_type": "Comment",
                        "reference_doctype": doctype,
                        "reference_name": one.remote_id,
                        "content": f"{one.text} [{one.advance_id}]",
                    },
                )
        except Refused as refusal:
            results.refused[one.advance_id] = (refusal.code, refusal.said)
        else:
            results.done[one.advance_id] = one.remote_id
    return results


def change_payee(books: Books, marks: Sequence[Mark], party: str) -> Results:
    """Let the financier be owed what is open on bills."""
    if not books.has_party("Supplier", party):
        raise Refused("ERP_NO_PARTY", party)
    results = Results()
    found = books.erpnext.among(
        _BILL, "name", [one.remote_id for one in marks],
        ["name", "supplier", "credit_to", "outstanding_amount", "currency"],
        [["docstatus", "=", 1]],
    )  # fmt: skip
    bills = {row["name"]: row for row in found}
    for one in marks:
        bill = bills.get(one.remote_id)
        if bill is None:
            results.refused[one.advance_id] = ("ERP_GONE", one.remote_id)
            continue
        try:
            results.done[one.advance_id] = _owe(books, one, bill, party)
        except Refused as refusal:
            results.refused[one.advance_id] = (refusal.code, refusal.said)
    return results


def _owe(books: Books, one: Mark, bill: Mapping[str, Any], party: str) -> str:
    """Move what is open on one bill; tells that nothing was."""
    currency = books.erpnext.currency
    if text_of(bill["currency"]) != currency:
        raise Refused("ERP_CURRENCY", f"{bill['currency']}, {currency}")
    ref = f"payee {one.advance_id}"
    values: dict[str, Any] = {}
    if not books.look([ref]):
        open_ = amount_of(bill["outstanding_amount"], currency)
        if open_ <= 0 or bill["supplier"] == party:
            # What is paid already is owed to nobody: that is told, and not tried again.
            return "nothing open"
        amount = number_of(open_, currency)
        same = {"account": bill["credit_to"], "party_type": "Supplier"}
        rows = [
            same | {
                "party": bill["supplier"], "debit_in_account_currency": amount,
                "credit_in_account_currency": 0.0,
                "reference_type": _BILL, "reference_name": bill["name"],
            },
            same | {
                "party": party, "debit_in_account_currency": 0.0,
                "credit_in_account_currency": amount,
            },
        ]  # fmt: skip
        values = books.entry(ref, one.text, rows)
    results = Results()
    post_once(books, {ref: values}, results)
    if ref not in results.done:
        raise Refused(*results.refused.get(ref, ("ERP_ANSWER", "no submitted entry")))
    return results.done[ref]
