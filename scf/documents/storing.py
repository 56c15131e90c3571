"""Storing one slice of read documents: a handful of statements for up to a thousand of them.

The parties were looked up before, outside the transaction; here it is only checked that they are
still ACTIVE. What is unknown, foreign or here already becomes a finding; what is good is inserted,
matched with its order and netted with open credit notes in the same transaction.
"""

import dataclasses
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Table, select, text
from sqlalchemy.engine import Connection

from scf.db.bulk import insert_mappings
from scf.db.runner import Context
from scf.documents import rows as build
from scf.documents.arrivals import (
    TABLES_OF_TRADE,
    accept_self_billed,
    finding_row,
    messages_arrived,
    orders_arrived,
    receipts_arrived,
)
from scf.documents.canonical import (
    MESSAGES,
    CanonicalDocument,
    Kind,
    Party,
    blocks,
    side_name,
)
from scf.documents.checks import CORRECTION_CODE
from scf.documents.credits import net
from scf.documents.einvoice.waiting import await_judgement
from scf.documents.fingerprints import canonical_number, digest_text
from scf.documents.invoice_state import INVOICE
from scf.documents.matching import match_finding, match_new
from scf.documents.messages.arriving import MESSAGE
from scf.documents.messages.rows import message_row
from scf.documents.models import (
    DocumentFinding,
    InvoiceLine,
    OrderLine,
    PendingParty,
    TradePayment,
)
from scf.documents.orderbook import Match, OrderKey
from scf.documents.rows import Draft, Origin
from scf.documents.told import settle_told
from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity
from scf.parties.models import Firm

_finding: Final[Table] = DocumentFinding.__table__  # type: ignore[attr-defined]
_pending: Final[Table] = PendingParty.__table__  # type: ignore[attr-defined]
_firm: Final[Table] = Firm.__table__  # type: ignore[attr-defined]
TABLES: Final[dict[Kind, Table]] = {
    **TABLES_OF_TRADE,
    Kind.PAYMENT: TradePayment.__table__,  # type: ignore[attr-defined]
}
# Every table once, with one of the kinds that it keeps.
KINDS: Final[dict[Table, Kind]] = {table: kind for kind, table in TABLES.items()}
_line: Final[Table] = InvoiceLine.__table__  # type: ignore[attr-defined]
_order_line: Final[Table] = OrderLine.__table__  # type: ignore[attr-defined]
# Spelt exactly as in the partial index, or the engines do not use it.
LIVE: Final = text("document_state IN ('VALIDATED', 'INCOMPLETE')")


class Item(NamedTuple):
    """One result of reading: a document, or the reasons why there is none.

    ``occurrence`` counts equal payments of one file, so that two genuine ones are both kept.
    """

    document: CanonicalDocument | None
    findings: tuple[Finding, ...] = ()
    occurrence: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Slice:
    """Up to a thousand results with what was found out about them before the transaction.

    ``firms`` says who each party is (None: unknown); ``announce`` names the unknown parties that
    no earlier slice of the upload has reported.
    """

    items: Sequence[Item]
    firms: Mapping[Party, str | None]
    announce: frozenset[Party] = frozenset()

    def digest(self) -> str:
        """Give the fingerprint of what the slice holds, for the audit row."""
        hasher = hashlib.sha256()
        for item in self.items:
            document = item.document
            if document is None:
                hasher.update("|".join(found.code for found in item.findings).encode())
            else:
                hasher.update(
                    f"{document.kind}|{document.number}|{document.issue_on}|{document.due_on}|"
                    f"{document.payable_minor}|{document.currency}|{document.seller.name}|"
                    f"{document.buyer.name}|{len(document.lines)}\n".encode()
                )
        return hasher.hexdigest()


@dataclasses.dataclass
class Stored:
    """What became of a slice."""

    read: int = 0
    stored: int = 0
    incomplete: int = 0
    duplicate: int = 0
    bad: int = 0
    ids: list[str] = dataclasses.field(default_factory=list)
    to_judge: int = 0  # documents that declare rules of their own

    def counts(self) -> dict[str, int]:
        """Give the counters as the upload keeps them."""
        return {
            "read": self.read,
            "stored": self.stored,
            "incomplete": self.incomplete,
            "duplicate": self.duplicate,
            "bad": self.bad,
        }


class _Store:
    """The work on one slice."""

    def __init__(self, ctx: Context, part: Slice, origin: Origin, *, staged: bool) -> None:
        self.ctx = ctx
        self.part = part
        self.origin = origin
        self.staged = staged
        self.result = Stored()
        self.findings: list[dict[str, Any]] = []
        self.announced: set[Party] = set()

    def run(self) -> Stored:
        active = _active(self.ctx.conn, self.part.firms.values())
        drafts: dict[Kind, list[tuple[Draft, Item]]] = defaultdict(list)
        for item in self.part.items:
            self.result.read += item.document is not None or blocks(item.findings)
            made = self._draft(item, active)
            if made is not None:
                drafts[made.document.kind].append((made, item))
        for kind, made_of_kind in drafts.items():
            self._store(kind, self._without_duplicates(kind, made_of_kind))
        insert_mappings(self.ctx.conn, _finding, self.findings)
        return self.result

    # -- judging

    def _draft(self, item: Item, active: frozenset[str]) -> Draft | None:
        document = item.document
        if document is None:
            self.result.bad += blocks(item.findings)
            self._report(item.findings, None, None)
            return None
        seller = _if_active(self.part.firms.get(document.seller), active)
        buyer = _if_active(self.part.firms.get(document.buyer), active)
        refusal = self._foreign(document, seller, buyer)
        if refusal is not None:
            self.result.bad += 1
            self._report((*item.findings, refusal), document, None)
            return None
        made = build.draft(document, seller, buyer, self.origin.org_id)
        if document.kind is Kind.PAYMENT:
            made.key = digest_text(f"{build.payment_fingerprint(document)}|{item.occurrence}")
        return made

    def _foreign(
        self, document: CanonicalDocument, seller: str | None, buyer: str | None
    ) -> Finding | None:
        """Refuse what the organisation is no party of, and what a firm would owe itself."""
        # An unknown party may turn out to be this organisation under a number not linked yet:
        # the document waits, and is judged again when both are known.
        if None not in {seller, buyer} and self.origin.org_id not in {seller, buyer}:
            return Finding(
                Severity.ERROR,
                "NOT_A_PARTY",
                "Your organisation is neither seller nor buyer of this document.",
                document.place("seller"),
                f"{document.seller.name} / {document.buyer.name}",
            )
        if seller is not None and seller == buyer and document.kind is not Kind.PAYMENT:
            return Finding(
                Severity.ERROR,
                "SAME_PARTY",
                "Seller and buyer are one firm; nobody owes anything to himself.",
                document.place("buyer"),
                document.buyer.name,
            )
        return None

    def _without_duplicates(
        self, kind: Kind, drafts: Sequence[tuple[Draft, Item]]
    ) -> list[tuple[Draft, Item]]:
        known = _known_keys(self.ctx.conn, kind, [made.key for made, _ in drafts], self.origin)
        kept = []
        for made, item in drafts:
            earlier = known.get(made.key)
            if earlier is None:
                known[made.key] = made.id
                kept.append((made, item))
                continue
            self.result.duplicate += 1
            found = Finding(
                Severity.ERROR if self.staged else Severity.WARNING,
                "DUPLICATE_EXACT",
                "This document is here already; nothing was added.",
                made.document.place("number"),
                made.document.number,
            )
            # The earlier document has the same two parties, or came from the same hands: the
            # organisation sees it.
            self._report((found,), made.document, None, {"earlier_id": earlier})
        return kept

    # -- storing

    def _store(self, kind: Kind, drafts: list[tuple[Draft, Item]]) -> None:
        if kind is Kind.INVOICE:
            drafts = self._without_live_originals(drafts)
        if not drafts:
            return
        for made, item in drafts:
            if made.state == "INCOMPLETE":
                self.result.incomplete += 1
            if item.findings:
                self._report(item.findings, made.document, made.id)
            if not made.parties_known:
                self._announce(made)
        pending = [
            row for made, _ in drafts for row in build.pending_rows(made, self.origin.org_id)
        ]
        self.result.stored += len(drafts)
        self.result.ids += [made.id for made, _ in drafts]
        if self.staged:
            for made, _ in drafts:
                made.state = "RECEIVED"
        _WRITERS[kind](self, [made for made, _ in drafts])
        insert_mappings(self.ctx.conn, _pending, pending)
        made_of = [made for made, _ in drafts]
        self.result.to_judge += await_judgement(self.ctx, self.origin, made_of)

    def _without_live_originals(self, drafts: list[tuple[Draft, Item]]) -> list[tuple[Draft, Item]]:
        """Keep a corrected invoice out while the one that it corrects still stands.

        Both together would let one claim be financed twice.
        """
        kept = []
        for made, item in drafts:
            live = made.document.type_code == CORRECTION_CODE and _original_stands(
                self.ctx.conn, made
            )
            if not live:
                kept.append((made, item))
                continue
            self.result.bad += 1
            found = Finding(
                Severity.ERROR,
                "ORIGINAL_STANDS",
                "The invoice that this one corrects still stands; send a credit note for it first.",
                made.document.place("billing_references"),
                made.document.billing_references[0].number,
            )
            self._report((*item.findings, found), made.document, None)
        return kept

    def write_invoices(self, drafts: Sequence[Draft]) -> None:
        shared = self.origin.columns()
        prior = {id(made): _title_prior(made.document) for made in drafts}
        rows = [build.invoice_row(made, shared, title_prior=prior[id(made)]) for made in drafts]
        lines = [build.invoice_line_rows(made) for made in drafts]
        if not self.staged:
            for row, problem in match_new(self.ctx, rows, lines):
                self._match_finding(row["id"], problem)
        insert_mappings(self.ctx.conn, INVOICE, rows, build.NEW_INVOICE)
        insert_mappings(self.ctx.conn, _line, [line for of_one in lines for line in of_one])
        if not self.staged:
            accept_self_billed(self.ctx, rows)
            net(self.ctx, _pairs(rows))

    def _match_finding(self, invoice_id: str, problem: Match) -> None:
        origin = self.origin
        self.findings.append(
            match_finding(self.ctx, invoice_id, origin.org_id, origin.upload_id, problem)
        )

    def write_orders(self, drafts: Sequence[Draft]) -> None:
        shared = self.origin.columns()
        rows = [build.order_row(made, shared) for made in drafts]
        insert_mappings(self.ctx.conn, TABLES[Kind.ORDER], rows)
        lines = [line for made in drafts for line in build.order_line_rows(made)]
        insert_mappings(self.ctx.conn, _order_line, lines)
        if not self.staged:
            orders_arrived(self.ctx, _order_keys(drafts))

    def write_receipts(self, drafts: Sequence[Draft]) -> None:
        shared = self.origin.columns()
        rows = [build.receipt_row(made, shared) for made in drafts]
        insert_mappings(self.ctx.conn, TABLES[Kind.RECEIPT], rows)
        if not self.staged:
            receipts_arrived(
                self.ctx,
                {
                    (row["seller_id"], row["buyer_id"], row["order_canonical"])
                    for row in rows
                    if row["document_state"] == "VALIDATED" and row["order_canonical"]
                },
            )

    def write_credit_notes(self, drafts: Sequence[Draft]) -> None:
        shared = self.origin.columns()
        rows = [build.credit_row(made, shared) for made in drafts]
        insert_mappings(self.ctx.conn, TABLES[Kind.CREDIT_NOTE], rows)
        if not self.staged:
            net(self.ctx, _pairs(rows))

    def write_messages(self, drafts: Sequence[Draft]) -> None:
        shared = self.origin.columns()
        rows = [message_row(made, shared) for made in drafts]
        insert_mappings(self.ctx.conn, MESSAGE, rows)
        if not self.staged:
            messages_arrived(self.ctx, rows)

    def write_payments(self, drafts: Sequence[Draft]) -> None:
        shared = self.origin.columns()
        rows = [build.payment_row(made, shared) for made in drafts]
        insert_mappings(self.ctx.conn, TABLES[Kind.PAYMENT], rows)
        if not self.staged:
            settle_told(self.ctx, rows)

    # -- findings

    def _announce(self, made: Draft) -> None:
        """Report each unknown party once per upload, with all that is needed to invite it."""
        for field, firm_id, party in (
            ("seller", made.seller_id, made.document.seller),
            ("buyer", made.buyer_id, made.document.buyer),
        ):
            side = side_name(made.document.kind, field)
            if firm_id is not None or party not in self.part.announce or party in self.announced:
                continue
            self.announced.add(party)
            found = Finding(
                Severity.WARNING,
                "FIRM_UNKNOWN",
                Words(
                    "The %(side)s is not known here yet; the document waits until it is.",
                    side=side,
                ),
                made.document.place(field),
                party.name,
            )
            facts = {"party": build.party_json(party), "side": side}
            self._report((found,), made.document, made.id, facts)

    def _report(
        self,
        findings: Iterable[Finding],
        document: CanonicalDocument | None,
        document_id: str | None,
        facts: dict[str, Any] | None = None,
    ) -> None:
        for found in findings:
            self.findings.append(
                finding_row(
                    self.origin,
                    found,
                    document.kind.value if document else None,
                    document_id,
                    facts,
                )
            )


_WRITERS: Final = {
    Kind.INVOICE: _Store.write_invoices,
    Kind.ORDER: _Store.write_orders,
    Kind.RECEIPT: _Store.write_receipts,
    Kind.CREDIT_NOTE: _Store.write_credit_notes,
    Kind.PAYMENT: _Store.write_payments,
    **dict.fromkeys(MESSAGES, _Store.write_messages),
}


def store_slice(ctx: Context, part: Slice, origin: Origin, *, staged: bool) -> Stored:
    """Store one slice and tell the audit row what it held.

    ``staged`` keeps the documents RECEIVED, unseen and unmatched, until the upload is published.
    """
    result = _Store(ctx, part, origin, staged=staged).run()
    ctx.change(
        "upload",
        origin.upload_id,
        None,
        {"slice_digest": part.digest(), **result.counts(), "document_ids": result.ids},
    )
    return result


# --- Look-ups, one statement for a slice ------------------------------------------------------


def _active(conn: Connection, firm_ids: Iterable[str | None]) -> frozenset[str]:
    wanted = sorted({firm_id for firm_id in firm_ids if firm_id is not None})
    if not wanted:
        return frozenset()
    query = select(_firm.c.id).where(_firm.c.id.in_(wanted), _firm.c.state == "ACTIVE")
    return frozenset(conn.execute(query).scalars())


def _if_active(firm_id: str | None, active: frozenset[str]) -> str | None:
    return firm_id if firm_id in active else None


def _known_keys(
    conn: Connection, kind: Kind, keys: Sequence[str], origin: Origin
) -> dict[str, str]:
    """Give the documents that are here already, by fingerprint."""
    table = TABLES[kind]
    if not keys:
        return {}
    query = select(table.c.duplicate_key, table.c.id).where(table.c.duplicate_key.in_(keys))
    if kind is Kind.PAYMENT:
        query = query.where(table.c.org_id == origin.org_id)
    else:
        query = query.where(LIVE)
    return {row.duplicate_key: row.id for row in conn.execute(query)}


def _original_stands(conn: Connection, made: Draft) -> bool:
    if not made.parties_known or not made.document.billing_references:
        return False
    numbers = [canonical_number(ref.number) for ref in made.document.billing_references]
    row = conn.execute(
        select(INVOICE.c.id)
        .where(
            INVOICE.c.canonical_number.in_(numbers),
            INVOICE.c.seller_id == made.seller_id,
            INVOICE.c.buyer_id == made.buyer_id,
            INVOICE.c.payment_state != "PAID",
            LIVE,
        )
        .limit(1)
    ).first()
    return row is not None


def _title_prior(document: CanonicalDocument) -> bool:
    return any(found.code == "TITLE_PRIOR" for found in document.findings)


def _order_keys(drafts: Sequence[Draft]) -> set[OrderKey]:
    return {
        (str(made.seller_id), str(made.buyer_id), made.canonical)
        for made in drafts
        if made.state == "VALIDATED"
    }


def _pairs(rows: Iterable[Mapping[str, Any]]) -> Counter[tuple[str, str, str]]:
    return Counter(
        (row["seller_id"], row["buyer_id"], row["currency"])
        for row in rows
        if row["document_state"] == "VALIDATED"
    )
