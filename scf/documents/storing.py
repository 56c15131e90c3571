"""Storing one slice of read documents: a handful of statements for up to a thousand of them.

The parties were looked up before, outside the transaction; here it is only checked that they are
still ACTIVE. What is unknown, foreign or here already becomes a finding; what is good is inserted,
matched with its order and netted with open credit notes in the same transaction.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Table, select, text
from sqlalchemy.engine import Connection

from scf.db.bulk import insert_mappings
from scf.db.keys import one_of, told
from scf.db.runner import Context
from scf.documents import rows as build
from scf.documents.arrivals import (
    TABLES_OF_TRADE,
    accept_self_billed,
    credits_arrived,
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
from scf.documents.duplicates.finding import look, written_otherwise
from scf.documents.duplicates.rules import lines_print, lines_sketch, named_lines
from scf.documents.einvoice.waiting import await_judgement
from scf.documents.fingerprints import canonical_number, digest_text
from scf.documents.holding import hold_orders, orders_of
from scf.documents.invoice_state import INVOICE
from scf.documents.match.book import Match
from scf.documents.matching import match_finding, match_new
from scf.documents.messages.arriving import MESSAGE, OF_ORDERS
from scf.documents.messages.rows import message_row
from scf.documents.models import (
    DocumentFinding,
    InvoiceLine,
    OrderLine,
    PendingParty,
    TradePayment,
)
from scf.documents.readers.again import named_by
from scf.documents.repairs.answering import bad_row, keep
from scf.documents.rows import Draft, Origin
from scf.documents.slices import Item, Slice, Stored
from scf.documents.taxcheck.asking import keep_identities
from scf.documents.told import settle_told
from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity
from scf.parties.identity.resolving import records_of, standing_now

_finding: Final[Table] = DocumentFinding.__table__  # type: ignore[attr-defined]
_pending: Final[Table] = PendingParty.__table__  # type: ignore[attr-defined]
TABLES: Final[dict[Kind, Table]] = {
    **TABLES_OF_TRADE,
    Kind.PAYMENT: TradePayment.__table__,  # type: ignore[attr-defined]
}
# Every table once, with one of the kinds that it keeps.
KINDS: Final[dict[Table, Kind]] = {table: kind for kind, table in TABLES.items()}
# The order of trade: what arrives together also matches together, whatever came first.
TURNS: Final = (
    Kind.ORDER, *sorted(MESSAGES & OF_ORDERS), Kind.RECEIPT, Kind.INVOICE, Kind.CREDIT_NOTE,
    *sorted(MESSAGES - OF_ORDERS), Kind.PAYMENT,
)  # fmt: skip
_line: Final[Table] = InvoiceLine.__table__  # type: ignore[attr-defined]
_order_line: Final[Table] = OrderLine.__table__  # type: ignore[attr-defined]
# Spelt exactly as in the partial index, or the engines do not use it.
LIVE: Final = text("document_state IN ('VALIDATED', 'INCOMPLETE')")


class _Store:
    """The work on one slice."""

    def __init__(
        self, ctx: Context, part: Slice, origins: Mapping[str, Origin], *, staged: bool
    ) -> None:
        self.ctx = ctx
        self.part = part
        self.origins = origins
        self.staged = staged
        self.results: defaultdict[str, Stored] = defaultdict(Stored)
        self.findings: list[dict[str, Any]] = []
        self.bad_rows: list[dict[str, Any]] = []
        self.announced: set[tuple[str, Party]] = set()

    def run(self) -> defaultdict[str, Stored]:
        firms = self.part.firms.values()
        standing = standing_now(self.ctx.conn, [one for one in firms if one is not None])
        drafts: dict[Kind, list[tuple[Draft, Item]]] = defaultdict(list)
        for item in self.part.items:
            origin = self.origins[item.file]
            self._of(origin).read += item.document is not None or blocks(item.findings)
            made = self._draft(item, origin, standing)
            if made is not None:
                drafts[made.document.kind].append((made, item))
        if not self.staged:
            hold_orders(self.ctx, {kind: [m for m, _ in pairs] for kind, pairs in drafts.items()})
        for kind in sorted(drafts, key=TURNS.index):
            self._store(kind, self._without_duplicates(kind, drafts[kind]))
        insert_mappings(self.ctx.conn, _finding, self.findings)
        keep(self.ctx, self.bad_rows)
        return self.results

    def _of(self, origin: Origin) -> Stored:
        return self.results[origin.upload_id]

    # -- judging

    def _draft(self, item: Item, origin: Origin, standing: Mapping[str, str]) -> Draft | None:
        document = item.document
        said = document or item.named
        seller = standing.get(self.part.firms.get(said.seller) or "") if said else None
        buyer = standing.get(self.part.firms.get(said.buyer) or "") if said else None
        if document is None:
            if blocks(item.findings):
                self._of(origin).bad += 1
                self._keep_bad(item, origin, {"seller": seller, "buyer": buyer})
            self._report(origin, item.findings, None, None)
            return None
        refusal = _foreign(document, seller, buyer, origin.org_id)
        if refusal is not None:
            self._of(origin).bad += 1
            self._keep_bad(item, origin, {"seller": seller, "buyer": buyer})
            self._report(origin, (*item.findings, refusal), document, None)
            return None
        made = build.draft(document, seller, buyer, origin)
        if document.kind is Kind.PAYMENT:
            made.key = digest_text(f"{build.payment_fingerprint(document)}|{item.occurrence}")
        return made

    def _without_duplicates(
        self, kind: Kind, drafts: Sequence[tuple[Draft, Item]]
    ) -> list[tuple[Draft, Item]]:
        conn, further = self.ctx.conn, _further_keys(self.ctx.conn, kind, drafts)
        keys = [made.key for made, _ in drafts]
        keys += [key for every in further.values() for key in every]
        known = _known_keys(conn, kind, keys, drafts[0][0].origin.org_id)
        alike = written_otherwise(conn, kind, (made for made, _ in drafts))
        kept = []
        for made, item in drafts:
            under = (made.key, *further.get(made.id, ()))
            earlier = next((known[key] for key in under if key in known), alike.get(made.id))
            if earlier is None:
                known[made.key] = made.id
                kept.append((made, item))
                continue
            self._of(made.origin).duplicate += 1
            found = Finding(
                Severity.ERROR if self.staged else Severity.WARNING,
                "DUPLICATE_EXACT",
                "This document is here already; nothing was added.",
                made.document.place("number"),
                made.document.number,
            )
            # The earlier document has the same two parties, or came from the same hands: the
            # organisation sees it.
            facts = {"earlier_id": earlier}
            self._report(made.origin, (found,), made.document, None, facts)
        return kept

    # -- storing

    def _store(self, kind: Kind, drafts: list[tuple[Draft, Item]]) -> None:
        if kind is Kind.INVOICE:
            drafts = self._without_live_originals(drafts)
        if not drafts:
            return
        for made, item in drafts:
            result = self._of(made.origin)
            result.stored += 1
            result.incomplete += made.state == "INCOMPLETE"
            result.ids.append(made.id)
            result.places.append((made.document.source.root, kind.value, made.id))
            if item.findings:
                self._report(made.origin, item.findings, made.document, made.id)
            if not made.parties_known:
                self._announce(made)
        pending = [row for made, _ in drafts for row in build.pending_rows(made)]
        if self.staged:
            for made, _ in drafts:
                made.state = "RECEIVED"
        _WRITERS[kind](self, [made for made, _ in drafts])
        insert_mappings(self.ctx.conn, _pending, pending)
        for made in await_judgement(self.ctx, [made for made, _ in drafts]):
            self._of(made.origin).to_judge += 1

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
            self._of(made.origin).bad += 1
            self._keep_bad(item, made.origin, {"seller": made.seller_id, "buyer": made.buyer_id})
            found = Finding(
                Severity.ERROR,
                "ORIGINAL_STANDS",
                "The invoice that this one corrects still stands; send a credit note for it first.",
                made.document.place("billing_references"),
                made.document.billing_references[0].number,
            )
            self._report(made.origin, (*item.findings, found), made.document, None)
        return kept

    def write_invoices(self, drafts: Sequence[Draft]) -> None:
        rows = [
            build.invoice_row(made, made.origin.columns(), title_prior=_title_prior(made.document))
            for made in drafts
        ]
        lines = [build.invoice_line_rows(made) for made in drafts]
        for row, own in zip(rows, lines, strict=True):
            row.update(_prints(own) if own else _NO_PRINTS)
        if not self.staged:
            for row, problem in match_new(self.ctx, rows, lines):
                self._match_finding(row, problem)
        insert_mappings(self.ctx.conn, INVOICE, rows, build.NEW_INVOICE)
        insert_mappings(self.ctx.conn, _line, [line for of_one in lines for line in of_one])
        keep_identities(self.ctx, drafts)
        if not self.staged:
            accept_self_billed(self.ctx, rows)
            net(self.ctx, _pairs(rows))
            look(self.ctx, [row["id"] for row in rows if row["document_state"] == "VALIDATED"])

    def _match_finding(self, row: Mapping[str, Any], problem: Match) -> None:
        found = match_finding(self.ctx, row["id"], row["org_id"], row["upload_id"], problem)
        self.findings.append(found)

    def write_orders(self, drafts: Sequence[Draft]) -> None:
        rows = [build.order_row(made, made.origin.columns()) for made in drafts]
        insert_mappings(self.ctx.conn, TABLES[Kind.ORDER], rows)
        lines = [line for made in drafts for line in build.order_line_rows(made)]
        insert_mappings(self.ctx.conn, _order_line, lines)
        if not self.staged:
            orders_arrived(self.ctx, orders_of(drafts))

    def write_receipts(self, drafts: Sequence[Draft]) -> None:
        rows = [build.receipt_row(made, made.origin.columns()) for made in drafts]
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
        rows = [build.credit_row(made, made.origin.columns()) for made in drafts]
        insert_mappings(self.ctx.conn, TABLES[Kind.CREDIT_NOTE], rows)
        if not self.staged:
            credits_arrived(self.ctx, [row for row in rows if row["document_state"] == "VALIDATED"])

    def write_messages(self, drafts: Sequence[Draft]) -> None:
        rows = [message_row(made, made.origin.columns()) for made in drafts]
        insert_mappings(self.ctx.conn, MESSAGE, rows)
        if not self.staged:
            messages_arrived(self.ctx, rows)

    def write_payments(self, drafts: Sequence[Draft]) -> None:
        rows = [build.payment_row(made, made.origin.columns()) for made in drafts]
        insert_mappings(self.ctx.conn, TABLES[Kind.PAYMENT], rows)
        if not self.staged:
            settle_told(self.ctx, rows)

    def _keep_bad(self, item: Item, origin: Origin, firms: Mapping[str, str | None]) -> None:
        """Keep what a row of a table seems to be, for the file that brings it again."""
        if item.row:
            named = item.named or (named_by(item.document) if item.document is not None else None)
            self.bad_rows.append(bad_row(origin, item.row, named, firms))

    # -- findings

    def _announce(self, made: Draft) -> None:
        """Report each unknown party once per upload, with all that is needed to invite it."""
        for field, firm_id, party in (
            ("seller", made.seller_id, made.document.seller),
            ("buyer", made.buyer_id, made.document.buyer),
        ):
            side = side_name(made.document.kind, field)
            told = (made.origin.upload_id, party)
            if firm_id is not None or party not in self.part.announce or told in self.announced:
                continue
            self.announced.add(told)
            said = Words(
                "The %(side)s is not known here yet; the document waits until it is.", side=side
            )
            if party in self.part.contradicting:
                said = Words(
                    "The numbers and the name of the %(side)s lead to different firms; the"
                    " document waits until somebody has said which is meant.",
                    side=side,
                )
            place = made.document.place(field)
            found = Finding(Severity.WARNING, "FIRM_UNKNOWN", said, place, party.name)
            facts: dict[str, Any] = {"party": build.party_json(party), "side": side}
            accounts = {one.iban or one.number for one in made.document.accounts} - {""}
            if field == "seller" and accounts:
                facts["accounts"] = sorted(accounts)
            self._report(made.origin, (found,), made.document, made.id, facts)

    def _report(
        self,
        origin: Origin,
        findings: Iterable[Finding],
        document: CanonicalDocument | None,
        document_id: str | None,
        facts: dict[str, Any] | None = None,
    ) -> None:
        for found in findings:
            self.findings.append(
                finding_row(
                    origin,
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


def store_slice(
    ctx: Context, part: Slice, origins: Mapping[str, Origin], *, staged: bool
) -> defaultdict[str, Stored]:
    """Store one slice; gives what came of it by upload.

    ``origins`` says where the items of each file come from. ``staged`` keeps the documents
    RECEIVED, unseen and unmatched, until the upload is published.
    """
    return _Store(ctx, part, origins, staged=staged).run()


# --- Look-ups, one statement for a slice ------------------------------------------------------


def _foreign(
    document: CanonicalDocument, seller: str | None, buyer: str | None, org_id: str
) -> Finding | None:
    """Refuse what the organisation is no party of, and what a firm would owe itself."""
    # An unknown party may turn out to be this organisation under a number not linked yet: the
    # document waits, and is judged again when both are known.
    if None not in {seller, buyer} and org_id not in {seller, buyer}:
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


def _further_keys(
    conn: Connection, kind: Kind, drafts: Sequence[tuple[Draft, Item]]
) -> dict[str, list[str]]:
    """Give the fingerprints under which a document may be here from before its firm's records met.

    A firm that stands for other records has documents under those too.
    """
    if kind is Kind.PAYMENT:
        return {}
    ends = {firm for made, _ in drafts for firm in (made.seller_id, made.buyer_id) if firm}
    records = records_of(conn, ends)
    if not records:
        return {}
    found: dict[str, list[str]] = {}
    for made, _ in drafts:
        if not made.parties_known or not {made.seller_id, made.buyer_id} & records.keys():
            continue
        seller, buyer = str(made.seller_id), str(made.buyer_id)
        pairs = itertools.product(
            (seller, *records.get(seller, ())), (buyer, *records.get(buyer, ()))
        )
        found[made.id] = [made.key_between(*pair) for pair in pairs if pair != (seller, buyer)]
    return found


def _known_keys(conn: Connection, kind: Kind, keys: Sequence[str], org_id: str) -> dict[str, str]:
    """Give the documents that are here already, by fingerprint."""
    table = TABLES[kind]
    live = table.c.org_id == org_id if kind is Kind.PAYMENT else LIVE
    asked = one_of(table.c.duplicate_key)[conn.dialect.name]
    query = select(table.c.duplicate_key, table.c.id).where(asked, live)
    rows = conn.execute(query, {"ids": told(conn, keys)})
    return {row.duplicate_key: row.id for row in rows}


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


_NO_PRINTS: Final = {"lines_print": None, "lines_least": None, "lines_next": None}


def _prints(lines: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Give the columns by which an invoice of the same lines is found."""
    named = named_lines((line["item"], line["quantity_micro"]) for line in lines)
    least, following = lines_sketch(named)
    return {"lines_print": lines_print(named), "lines_least": least, "lines_next": following}


def _pairs(rows: Iterable[Mapping[str, Any]]) -> Counter[tuple[str, str, str]]:
    return Counter(
        (row["seller_id"], row["buyer_id"], row["currency"])
        for row in rows
        if row["document_state"] == "VALIDATED"
    )
