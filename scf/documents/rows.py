"""From a document as read to the rows that keep it.

Pure but for the ids: each function takes what a slice has found out (who the parties are, whether
the document is complete) and gives rows ready for one insert of the whole slice.
"""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from scf.documents.articles import item_columns, items_json, priced
from scf.documents.canonical import MESSAGES, Account, CanonicalDocument, Identifier, Kind, Party
from scf.documents.duplicates.rules import place_key
from scf.documents.fingerprints import (
    canonical_number,
    claim_number,
    digest_text,
    duplicate_key,
    known_as,
)
from scf.documents.quantities import to_micro
from scf.kernel.ids import new_id
from scf.parties.identifiers import judge_all, said_digest

_YEARLESS: Final = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """Where a document comes from: the same columns on every row of one file."""

    org_id: str
    user_id: str
    upload_id: str
    original_id: str
    now: dt.datetime

    def columns(self) -> dict[str, Any]:
        """Give the columns that every document row of the file shares."""
        return {
            "org_id": self.org_id,
            "upload_id": self.upload_id,
            "original_id": self.original_id,
            "created_at": self.now,
        }


@dataclasses.dataclass(slots=True)
class Draft:
    """One document of a slice on its way into the database."""

    document: CanonicalDocument
    id: str
    seller_id: str | None
    buyer_id: str | None
    canonical: str
    key: str
    origin: Origin
    state: str = "VALIDATED"

    @property
    def parties_known(self) -> bool:
        """Tell whether both sides are firms that we know."""
        return self.seller_id is not None and self.buyer_id is not None

    def key_between(self, seller: str, buyer: str) -> str:
        """Give the fingerprint that the document has between two firms."""
        year = self.document.issue_on.year if self.document.issue_on else _YEARLESS
        number = key_number(self.document.kind, self.document.number)
        return duplicate_key(seller, buyer, number, year)


def draft(
    document: CanonicalDocument, seller_id: str | None, buyer_id: str | None, origin: Origin
) -> Draft:
    """Work out number, fingerprint and state of a document whose parties were looked up."""
    canonical = canonical_number(document.number) if document.number else ""
    made = Draft(document, new_id(), seller_id, buyer_id, canonical, "", origin)
    # Until both firms are known, the same words from the same hands are the same document.
    made.key = made.key_between(
        seller_id or f"{origin.org_id}?{said_of(document.seller)}",
        buyer_id or f"{origin.org_id}?{said_of(document.buyer)}",
    )
    if not made.parties_known:
        made.state = "INCOMPLETE"
    if document.kind is Kind.INVOICE and document.due_on is None:
        made.state = "INCOMPLETE"
    return made


def key_number(kind: Kind, number: str) -> str:
    """Give the number as it counts among documents of one table; messages share theirs."""
    claim = claim_number(number) if number else ""
    return f"{kind.value}:{claim}" if kind in MESSAGES else claim


@lru_cache(maxsize=20_000)
def said_of(party: Party) -> str:
    """Give the fingerprint of all that a document says of a party."""
    pairs = [(item.scheme, item.value) for item in party.identifiers]
    return said_digest(party.name, party.country, pairs)


def party_pairs(party: Party) -> list[tuple[str, str]]:
    """Give a party's numbers and its name as the parties slice takes them."""
    pairs = [(item.scheme, item.value) for item in party.identifiers]
    return [*pairs, ("name", party.name)] if party.name.strip() else pairs


@lru_cache(maxsize=20_000)
def party_json(party: Party) -> dict[str, Any]:
    """Give what a document said of a party, as it is kept and shown."""
    said: dict[str, Any] = {
        "name": party.name,
        "country": party.country,
        "identifiers": [{"scheme": i.scheme, "value": i.value} for i in party.identifiers],
    }
    more = {"trading_name": party.trading_name, "address": party.address, "mail": party.mail}
    return said | {name: value for name, value in more.items() if value}


def party_of(said: Mapping[str, Any]) -> Party:
    """Read back what :func:`party_json` kept."""
    pairs = tuple(Identifier(item["scheme"], item["value"]) for item in said["identifiers"])
    return Party(said["name"], said["country"], pairs)


def said_of_parties(document: CanonicalDocument) -> dict[str, Any]:
    """Give what the document said of everyone in it, and where it asks to be paid."""
    return _said(document.seller, document.buyer, document.payee, document.accounts)


@lru_cache(maxsize=20_000)
def _said(
    seller: Party, buyer: Party, payee: Party | None, accounts: tuple[Account, ...]
) -> dict[str, Any]:
    # Kept, and never changed by whoever gets it: the documents of one pair say the same.
    said: dict[str, Any] = {"seller": party_json(seller), "buyer": party_json(buyer)}
    if payee is not None:
        said["payee"] = party_json(payee)
    if accounts:
        said["accounts"] = [dataclasses_dict(account) for account in accounts]
    return said


def dataclasses_dict(account: Any) -> dict[str, str]:  # noqa: ANN401 - a named tuple
    """Give the filled fields of an account."""
    return {name: value for name, value in account._asdict().items() if value}


def pending_rows(made: Draft) -> list[dict[str, Any]]:
    """Give the numbers under which a document waits for firms that nobody knows yet."""
    rows = []
    for side, firm_id, party in (
        ("seller", made.seller_id, made.document.seller),
        ("buyer", made.buyer_id, made.document.buyer),
    ):
        if firm_id is None:
            rows += [
                {
                    "document_id": made.id,
                    "side": side,
                    "scheme": scheme,
                    "value": value,
                    "document_type": made.document.kind.value,
                    "org_id": made.origin.org_id,
                }
                for scheme, value in judged_pairs(party)
            ]
    return rows


@lru_cache(maxsize=20_000)
def judged_pairs(party: Party) -> tuple[tuple[str, str], ...]:
    """Give a party's numbers and name in the spelling under which firms are kept, and all of it."""
    pairs = ((item.scheme, item.value) for item in judge_all(party_pairs(party)))
    return (*dict.fromkeys(pairs), ("said", said_of(party)))


# --- One function per kind --------------------------------------------------------------------


# Where every new invoice starts, so that a row carries only its own.
NEW_INVOICE: Final[dict[str, Any]] = {
    "acceptance_state": "NONE",
    "dispute_state": "CLEAR",
    "ipu": False,
    "accepted_minor": None,
    "version": 1,
    **dict.fromkeys(
        (
            "acceptance_version", "credited_minor", "disputed_minor", "conceded_minor",
            "paid_minor", "retention_minor", "offered_minor", "held_minor", "outstanding_minor",
            "recourse_minor", "repaid_minor", "reassigned_minor", "over_advance_minor",
        ),
        0,
    ),
}  # fmt: skip


def invoice_row(made: Draft, origin: Mapping[str, Any], *, title_prior: bool) -> dict[str, Any]:
    """Give the row of an invoice; its base is what it asks to be paid.

    What is the same for every new invoice stands in :data:`NEW_INVOICE`.
    """
    document = made.document
    payable = document.payable_minor or 0
    gross = document.gross_minor if document.gross_minor is not None else payable
    tax = document.tax_minor or 0
    net = document.net_minor if document.net_minor is not None else gross - tax
    order = document.order_reference or shared_order(document)
    return {
        "id": made.id,
        "number": document.number,
        "seller_id": made.seller_id,
        "buyer_id": made.buyer_id,
        "issue_on": document.issue_on,
        "currency": document.currency,
        "type_code": document.type_code or "380",
        "canonical_number": made.canonical,
        "duplicate_key": made.key,
        "due_on": document.due_on,
        "net_minor": max(0, net),
        "tax_minor": max(0, tax),
        "gross_minor": max(0, gross),
        "payable_minor": payable,
        "place_key": place_key(made.seller_id, made.buyer_id, payable),
        "document_uuid": known_as(document.uuid, document.tax_identity),
        "order_number": order or None,
        "order_canonical": canonical_number(order) if order else None,
        "order_id": None,
        "match_state": "UNMATCHED",
        "match_code": None,
        "match_mode": None,
        "match_rules": None,
        "variances": None,
        "counted_minor": 0,
        "title_prior": title_prior,
        "document_state": made.state,
        "payment_state": "OPEN" if payable else "PAID",
        "base_minor": payable,
        "parties": said_of_parties(document),
        **origin,
    }


def shared_order(document: CanonicalDocument) -> str:
    """Give the one order that all lines name, where the header names none."""
    named = {line.order_reference for line in document.lines}
    return named.pop() if len(named) == 1 else ""


def invoice_line_rows(made: Draft) -> list[dict[str, Any]]:
    """Give the rows of the lines as read; quantities that are not exact stay out."""
    rows = []
    for place, line in enumerate(made.document.lines, start=1):
        micro = to_micro(line.quantity)
        rows.append(
            {
                "id": new_id(),
                "invoice_id": made.id,
                "place": place,
                "line_ref": line.line_id,
                "item": line.item_name,
                **item_columns(line),
                "unit": line.unit or None,
                "quantity_micro": micro if micro is None or micro >= 0 else None,
                "net_minor": line.net_minor or 0,
                "order_line_ref": line.order_line or None,
                "order_line_id": None,
                "paired_by": None,
                "counted_micro": 0,
                "counted_minor": 0,
                "credited_micro": 0,
                "credited_minor": 0,
            }
        )
    return rows


def order_row(made: Draft, origin: Mapping[str, Any]) -> dict[str, Any]:
    """Give the row of an order; its total counts without tax, as lines do."""
    document = made.document
    nets = [
        priced(line, document.currency) if line.net_minor is None else line.net_minor
        for line in document.lines
    ]
    if nets and all(net is not None for net in nets):
        total = sum(net or 0 for net in nets)
    else:
        total = document.net_minor or document.payable_minor or 0
    return {
        "id": made.id,
        "number": document.number,
        "seller_id": made.seller_id,
        "buyer_id": made.buyer_id,
        "issue_on": document.issue_on,
        "currency": document.currency,
        "canonical_number": made.canonical,
        "duplicate_key": made.key,
        "document_state": made.state,
        "standing": "OPEN",
        "total_minor": max(0, total),
        "invoiced_minor": 0,
        "parties": said_of_parties(document),
        "version": 1,
        **origin,
    }


def order_line_rows(made: Draft) -> list[dict[str, Any]]:
    """Give the rows of the ordered lines with empty counters."""
    rows = []
    for place, line in enumerate(made.document.lines, start=1):
        micro = to_micro(line.quantity)
        net = line.net_minor if line.net_minor is not None else priced(line, made.document.currency)
        rows.append(
            {
                "id": new_id(),
                "order_id": made.id,
                "line_ref": line.line_id or f"#{place}",
                "item": line.item_name,
                **item_columns(line),
                "unit": line.unit or None,
                "by_change": False,
                **ordered(micro, net),
                "despatched_micro": 0,
                "received_micro": 0,
                "invoiced_micro": 0,
                "matched_micro": 0,
                "invoiced_minor": 0,
            }
        )
    return rows


def ordered(micro: int | None, net: int | None) -> dict[str, int | None]:
    """Give the columns of what an order states and what counts of it, the same at first."""
    micro = micro if micro is None or micro >= 0 else None
    net = net if net is None or net >= 0 else None
    return {
        "stated_micro": micro,
        "stated_minor": net,
        "quantity_micro": micro,
        "net_minor": net,
    }


def about_an_order(made: Draft) -> dict[str, Any]:
    """Give the columns of what names an order and may state no currency: goods have none."""
    document = made.document
    order = document.order_reference or shared_order(document)
    return {
        "id": made.id,
        "number": document.number,
        "seller_id": made.seller_id,
        "buyer_id": made.buyer_id,
        "issue_on": document.issue_on,
        "currency": document.currency or "XXX",
        "canonical_number": made.canonical,
        "duplicate_key": made.key,
        "document_state": made.state,
        "order_number": order or None,
        "order_canonical": canonical_number(order) if order else None,
        "parties": said_of_parties(document),
    }


def receipt_row(made: Draft, origin: Mapping[str, Any]) -> dict[str, Any]:
    """Give the row of a receipt; what was rejected on arrival was not received."""
    document = made.document
    return {
        **about_an_order(made),
        "lines": [
            {
                "order_line": line.order_line,
                "item": line.item_name,
                "items": items_json(line),
                "unit": line.unit,
                "quantity_micro": max(
                    0, (to_micro(line.quantity) or 0) - (to_micro(line.rejected_quantity) or 0)
                ),
            }
            for line in document.lines
        ],
        **origin,
    }


def credit_row(made: Draft, origin: Mapping[str, Any]) -> dict[str, Any]:
    """Give the row of a credit note with the invoices that it names."""
    document = made.document
    payable = document.payable_minor or 0
    net = payable - (document.tax_minor or 0) if document.net_minor is None else document.net_minor
    return {
        "id": made.id,
        "number": document.number,
        "seller_id": made.seller_id,
        "buyer_id": made.buyer_id,
        "issue_on": document.issue_on,
        "currency": document.currency,
        "canonical_number": made.canonical,
        "duplicate_key": made.key,
        "document_state": made.state,
        "credit_state": "RECEIVED",
        "amount_minor": document.payable_minor or 0,
        "allocated_minor": 0,
        "net_minor": max(0, net),
        "named_invoices": named_invoices(document),
        "lines": [
            {
                "line": line.line_id,
                "order_line": line.order_line or None,
                "items": items_json(line),
                "unit": line.unit or None,
                "quantity_micro": to_micro(line.quantity),
                "net_minor": line.net_minor or 0,
                "invoice": line.invoice_reference,
            }
            for line in document.lines
        ],
        "parties": said_of_parties(document),
        "version": 1,
        **origin,
    }


def named_invoices(document: CanonicalDocument) -> list[dict[str, str | None]]:
    """Give the invoices that a document names, with their dates where it says them."""
    return [
        {
            "number": named.number,
            "issue_on": named.issue_on.isoformat() if named.issue_on else None,
        }
        for named in document.billing_references
    ]


def payment_row(made: Draft, origin: Mapping[str, Any]) -> dict[str, Any]:
    """Give the row of a plain payment: an edge between two firms, never financeable."""
    document = made.document
    return {
        "id": made.id,
        "payer_id": made.buyer_id,
        "payee_id": made.seller_id,
        "payer_name": document.buyer.name,
        "payee_name": document.seller.name,
        "amount_minor": document.payable_minor or 0,
        "currency": document.currency,
        "paid_on": document.issue_on,
        "reference": document.number,
        "invoice_id": None,
        "settled_minor": 0,
        "document_state": made.state,
        "duplicate_key": made.key,
        "parties": said_of_parties(document),
        "org_id": origin["org_id"],
        "upload_id": origin["upload_id"],
        "row_number": document.source.row,
        "created_at": origin["created_at"],
    }


def payment_fingerprint(document: CanonicalDocument) -> str:
    """Give what makes two payments look the same; equal ones of one file are told apart by count.

    Made from the words of the file, not from firms: who the firms are may become known later, and
    the same file must be recognised before and after.
    """
    return digest_text(
        "\x1f".join(
            (
                said_of(document.buyer),
                said_of(document.seller),
                str(document.payable_minor),
                document.currency,
                document.issue_on.isoformat() if document.issue_on else "",
                document.number,
            )
        )
    )
