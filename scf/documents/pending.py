"""Documents that wait for a firm, and what happens to them when it becomes ACTIVE."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Table, and_, bindparam, delete, insert, or_, select, update

from scf.db.runner import Context
from scf.documents.arrivals import arrived, finding_row
from scf.documents.canonical import Kind, Party
from scf.documents.duplicates.rules import place_key
from scf.documents.fingerprints import duplicate_key
from scf.documents.lifecycle import DOCUMENT
from scf.documents.models import DocumentFinding, PendingParty
from scf.documents.rows import Origin, judged_pairs, key_number, party_of
from scf.documents.storing import LIVE, TABLES, TURNS
from scf.kernel.findings import Finding, Severity
from scf.parties.identity.resolving import records_of, resolve_party, standing_now
from scf.parties.models import FirmIdentifier

_pending: Final[Table] = PendingParty.__table__  # type: ignore[attr-defined]
_finding: Final[Table] = DocumentFinding.__table__  # type: ignore[attr-defined]
_identifier: Final[Table] = FirmIdentifier.__table__  # type: ignore[attr-defined]

AT_ONCE: Final = 500
# On a payment the payee stands where a claim has its seller, the payer where it has its buyer.
_SIDE_COLUMNS: Final = {
    Kind.PAYMENT: ("payee_id", "payer_id"),
}
_CLAIM_COLUMNS: Final = ("seller_id", "buyer_id")
_DROP_SIDE = delete(_pending).where(
    _pending.c.document_id == bindparam("document"), _pending.c.side == bindparam("waiting_side")
)


class Resolver:
    """Says who the parties of stored documents are, asking once for each."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._known: dict[tuple[Party, str], str | None] = {}

    def __call__(self, party: Party, org_id: str) -> str | None:
        """Give the ACTIVE firm that a document of this organisation names, or nothing."""
        key = (party, org_id)
        if key not in self._known:
            found = resolve_party(
                self._ctx.conn, party.identifiers, party.name, party.country, org_id
            )
            # Nobody joins its records with others' before this command has ended.
            self._known[key] = standing_now(self._ctx.conn, [found]).get(found) if found else None
        return self._known[key]


def revalidate(ctx: Context, firm_id: str, after: str) -> dict[str, Any]:
    """Look again at documents that name a firm which can be found now.

    Those that lack nothing more become VALIDATED, are matched and netted; one that turns out to be
    here already becomes VOID with a finding. Gives the last document looked at; ``more`` says that
    others may follow it.
    """
    waiting = ctx.conn.execute(
        select(_pending.c.document_id, _pending.c.document_type)
        .distinct()
        .join(
            _identifier,
            and_(
                _identifier.c.scheme == _pending.c.scheme,
                _identifier.c.value == _pending.c.value,
                or_(
                    _identifier.c.scope_org_id == "",
                    _identifier.c.scope_org_id == _pending.c.org_id,
                ),
            ),
        )
        .where(_identifier.c.firm_id == firm_id, _pending.c.document_id > after)
        .order_by(_pending.c.document_id)
        .limit(AT_ONCE)
    ).all()
    by_kind: dict[Kind, list[str]] = defaultdict(list)
    for row in waiting:
        by_kind[Kind(row.document_type)].append(row.document_id)
    resolver = Resolver(ctx)
    counts = {"validated": 0, "void": 0, "waiting": 0}
    uploads: set[str] = set()
    for kind in sorted(by_kind, key=TURNS.index):
        uploads |= _Revalidation(ctx, kind, resolver, counts).run(by_kind[kind])
    _resolve_findings(ctx, firm_id, sorted(uploads), resolver)
    return {
        **counts,
        "after": waiting[-1].document_id if waiting else after,
        "more": len(waiting) == AT_ONCE,
    }


class _Revalidation:
    """The work on the waiting documents of one kind."""

    def __init__(
        self, ctx: Context, kind: Kind, resolver: Resolver, counts: dict[str, int]
    ) -> None:
        self.ctx = ctx
        self.kind = kind
        self.table = TABLES[kind]
        self.columns = _SIDE_COLUMNS.get(kind, _CLAIM_COLUMNS)
        self.resolve = resolver
        self.counts = counts
        self.findings: list[dict[str, Any]] = []

    def run(self, ids: Sequence[str]) -> set[str]:
        rows = self.ctx.conn.execute(
            select(self.table)
            .where(self.table.c.id.in_(ids))
            .order_by(self.table.c.id)
            .with_for_update()
        ).all()
        changes = [change for row in rows if (change := self._change(row)) is not None]
        self._void_duplicates(rows, changes)
        valid = [change["row_id"] for change in changes if change["state"] == "VALIDATED"]
        if changes:
            self.ctx.conn.execute(self._update(), changes)
        self._forget(rows, changes)
        if self.findings:
            self.ctx.conn.execute(insert(_finding), self.findings)
        for change in changes:
            state = change["state"]
            name = "validated" if state == "VALIDATED" else "void" if state == "VOID" else "waiting"
            self.counts[name] += 1
        arrived(self.ctx, self.kind, valid)
        return {row.upload_id for row in rows}

    def _change(self, row: Any) -> dict[str, Any] | None:  # noqa: ANN401 - a row of any kind
        """Work out what a document becomes; nothing when it is no longer waiting."""
        if row.document_state not in {"INCOMPLETE", "RECEIVED"}:
            return None
        seller, buyer = (
            getattr(row, column) or self.resolve(party_of(row.parties[side]), row.org_id)
            for column, side in zip(self.columns, ("seller", "buyer"), strict=True)
        )
        state, key = row.document_state, row.duplicate_key
        if seller is not None and buyer is not None:
            if self.kind is not Kind.PAYMENT:
                key = duplicate_key(
                    seller, buyer, key_number(self.kind, row.number), row.issue_on.year
                )
            dated = self.kind is not Kind.INVOICE or row.due_on is not None
            if seller == buyer and self.kind is not Kind.PAYMENT:
                state = self._void(row, "SAME_PARTY", "Seller and buyer are one firm.")
            elif row.org_id not in {seller, buyer}:
                message = "Your organisation is neither seller nor buyer of this document."
                state = self._void(row, "NOT_A_PARTY", message)
                # The firms stay unnamed on it: what a stranger told is not theirs to see.
                seller, buyer = (getattr(row, column) for column in self.columns)
                key = row.duplicate_key
            elif dated and state == "INCOMPLETE":
                state = DOCUMENT.after(state, "validate")
        change = {"row_id": row.id, "seller": seller, "buyer": buyer, "key": key, "state": state}
        if self.kind is Kind.INVOICE:
            change["place"] = place_key(seller, buyer, row.payable_minor)
        return change

    def _void_duplicates(self, rows: Sequence[Any], changes: list[dict[str, Any]]) -> None:
        """Keep one of several documents that turn out to be the same: the one that was here."""
        if self.kind is Kind.PAYMENT or not changes:
            return
        by_id = {row.id: row for row in rows}
        under = self._keys(by_id, changes)
        wanted = sorted({key for keys in under.values() for key in keys})
        known = {
            row.duplicate_key: row.id
            for row in self.ctx.conn.execute(
                select(self.table.c.duplicate_key, self.table.c.id).where(
                    self.table.c.duplicate_key.in_(wanted), LIVE
                )
            )
        }
        for change in changes:
            keys = under[change["row_id"]]
            earlier = next((known[key] for key in keys if key in known), change["row_id"])
            known.setdefault(change["key"], change["row_id"])
            if earlier == change["row_id"] or change["state"] in {"VOID", "RECEIVED"}:
                continue
            change["state"] = self._void(
                by_id[change["row_id"]],
                "DUPLICATE_EXACT",
                "This document was here already, under parties known by then.",
                {"earlier_id": earlier},
            )

    def _keys(
        self, by_id: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]
    ) -> dict[str, list[str]]:
        """Give the fingerprints under which each document may be here, its own one first.

        A firm that stands for other records has documents under those too.
        """
        found = {change["row_id"]: [change["key"]] for change in changes}
        ends = {change[side] for change in changes for side in ("seller", "buyer")} - {None}
        records = records_of(self.ctx.conn, ends)
        for change in changes if records else ():
            seller, buyer = change["seller"], change["buyer"]
            if seller is None or buyer is None:
                continue
            row = by_id[change["row_id"]]
            number = key_number(self.kind, row.number)
            found[row.id] += [
                duplicate_key(one, other, number, row.issue_on.year)
                for one in (seller, *records.get(seller, ()))
                for other in (buyer, *records.get(buyer, ()))
                if (one, other) != (seller, buyer)
            ]
        return found

    def _void(
        self,
        row: Any,  # noqa: ANN401 - a row of any kind
        code: str,
        message: str,
        facts: dict[str, Any] | None = None,
    ) -> str:
        origin = Origin(row.org_id, "", row.upload_id, "", self.ctx.now)
        found = Finding(Severity.WARNING, code, message)
        self.findings.append(finding_row(origin, found, self.kind.value, row.id, facts))
        return "VOID"

    def _update(self) -> Any:  # noqa: ANN401 - a SQL statement
        seller, buyer = self.columns
        values: dict[str, Any] = {
            seller: bindparam("seller"),
            buyer: bindparam("buyer"),
            "duplicate_key": bindparam("key"),
            "document_state": bindparam("state"),
        }
        if self.kind is Kind.INVOICE:
            values["place_key"] = bindparam("place")
        if "version" in self.table.c:
            values["version"] = self.table.c.version + 1
        return update(self.table).where(self.table.c.id == bindparam("row_id")).values(**values)

    def _forget(self, rows: Sequence[Any], changes: Sequence[Mapping[str, Any]]) -> None:
        """Drop the waiting numbers of each side that is known now, and tell the audit row."""
        before = {row.id: row for row in rows}
        gone: list[dict[str, str]] = []
        for change in changes:
            old = before[change["row_id"]]
            gone += [
                {"document": change["row_id"], "waiting_side": side}
                for side in ("seller", "buyer")
                if change[side] is not None or change["state"] == "VOID"
            ]
            self.ctx.change(
                self.table.name,
                old.id,
                {"document_state": old.document_state},
                {
                    "document_state": change["state"],
                    self.columns[0]: change["seller"],
                    self.columns[1]: change["buyer"],
                },
            )
        if gone:
            self.ctx.conn.execute(_DROP_SIDE, gone)


def _resolve_findings(
    ctx: Context, firm_id: str, uploads: Sequence[str], resolver: Resolver
) -> None:
    """Mark the reports of an unknown firm that is known now, in the uploads that named it."""
    if not uploads:
        return
    numbers = {
        (row.scheme, row.value)
        for row in ctx.conn.execute(
            select(_identifier.c.scheme, _identifier.c.value).where(
                _identifier.c.firm_id == firm_id
            )
        )
    }
    rows = ctx.conn.execute(
        select(_finding.c.id, _finding.c.facts, _finding.c.org_id).where(
            _finding.c.upload_id.in_(uploads),
            _finding.c.code == "FIRM_UNKNOWN",
            _finding.c.resolved_at.is_(None),
        )
    ).all()
    known = [
        row.id
        for row, party in ((row, party_of(row.facts["party"])) for row in rows)
        if numbers.intersection(judged_pairs(party)) and resolver(party, row.org_id)
    ]
    if known:
        ctx.conn.execute(
            update(_finding).where(_finding.c.id.in_(known)).values(resolved_at=ctx.now)
        )
