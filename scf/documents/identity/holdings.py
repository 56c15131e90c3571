"""What is stored under a firm's record, and what of it forbids that another record stands for it.

Every table of the platform is asked by the columns that mean a firm. What may stay under a record
that another stands for is listed; everything else forbids it, so that a table added later is not
forgotten.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Table, func, or_, select
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

from scf.documents.canonical import Kind
from scf.documents.storing import LIVE, TABLES
from scf.parties.models import AccountVerification, BankAccount

_COLUMNS: Final = (
    "firm_id", "org_id", "scope_org_id", "seller_id", "buyer_id", "payer_id", "payee_id",
    "anchor_id", "financier_id", "obligor_id", "subject_id", "decided_by_org",
)  # fmt: skip
# Papers that name the firm, and what is worked out from them: they are handed over, or stay as
# they were found.
_STAYS: Final = frozenset({
    "firm_identifier", "firm_key", "firm_link", "firm_merge", "identity_decision", "bank_account",
    "trade_order", "receipt", "invoice", "credit_note", "trade_message", "trade_payment",
    "duplicate_suspicion", "graph_node", "graph_edge", "risk_assessment",
    "model_score",
})  # fmt: skip
# What people of the firm left behind; where there are people, they already forbid it.
_TRACES: Final = frozenset({
    "audit_log", "idempotency", "outbox", "job", "security_event", "sign_in_event",
    "document_finding", "pending_party", "original",
})  # fmt: skip
_PAPERS: Final = tuple(dict.fromkeys(table for kind, table in TABLES.items() if kind != "payment"))
_account: Final[Table] = BankAccount.__table__  # type: ignore[attr-defined]
_verification: Final[Table] = AccountVerification.__table__  # type: ignore[attr-defined]
_MOST: Final = 20


class Holdings(NamedTuple):
    """How many rows stand under a record: what stays with it, and what forbids a link."""

    stays: Mapping[str, int]
    forbids: Mapping[str, int]


def holdings(conn: Connection, firm_id: str) -> Holdings:
    """Count what is stored under a record, by table."""
    stays: dict[str, int] = {}
    forbids: dict[str, int] = {}
    for table in SQLModel.metadata.sorted_tables:
        if table.name in _TRACES:
            continue
        own = [table.c[name] == firm_id for name in _COLUMNS if name in table.c]
        if not own:
            continue
        count = conn.execute(select(func.count()).select_from(table).where(or_(*own))).scalar_one()
        if count:
            (stays if table.name in _STAYS else forbids)[table.name] = count
    verified = (
        select(func.count())
        .select_from(_verification.join(_account, _account.c.id == _verification.c.account_id))
        .where(_account.c.firm_id == firm_id, _verification.c.state == "VERIFIED")
    )
    count = conn.execute(verified).scalar_one()
    if count:
        forbids["account_verification"] = count
    return Holdings(stays, forbids)


def between(conn: Connection, one: str, other: str) -> list[str]:
    """Give the numbers of papers that each of two records has from the other."""
    found: list[str] = []
    for table in _PAPERS:
        rows = conn.execute(
            select(table.c.number)
            .where(
                ((table.c.seller_id == one) & (table.c.buyer_id == other))
                | ((table.c.seller_id == other) & (table.c.buyer_id == one)),
                LIVE,
            )
            .limit(_MOST)
        )
        found += rows.scalars()
    return found[:_MOST]


def twice(conn: Connection, one: str, other: str) -> list[str]:
    """Give the numbers of papers that stand under both records with the same other side."""
    found: list[str] = []
    for kind, table in TABLES.items():
        if kind is Kind.PAYMENT:
            continue
        first, second = table.alias("first_paper"), table.alias("second_paper")
        for own, side in (("seller_id", "buyer_id"), ("buyer_id", "seller_id")):
            same: Any = (
                (second.c.canonical_number == first.c.canonical_number)
                & (second.c[side] == first.c[side])
                & (second.c[own] == other)
                & second.c.document_state.in_(("VALIDATED", "INCOMPLETE"))
            )
            if "kind" in table.c:
                same &= second.c.kind == first.c.kind
            rows = conn.execute(
                select(first.c.number, first.c.issue_on, second.c.issue_on.label("other_on"))
                .join(second, same)
                .where(
                    first.c[own] == one,
                    first.c.document_state.in_(("VALIDATED", "INCOMPLETE")),
                )
                .limit(_MOST)
            )
            found += [row.number for row in rows if row.issue_on.year == row.other_on.year]
    return sorted(set(found))[:_MOST]
