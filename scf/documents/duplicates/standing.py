"""What people's words on two look-alike documents stop, and for whom.

One claim is paid once. Of two papers that an organisation has called one claim it stops the copy,
and the other one only where money went on the copy: then that one was the claim.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Table, bindparam, func, or_, select
from sqlalchemy.engine import Connection

from scf.documents.duplicates.models import DuplicateSuspicion, DuplicateVerdict
from scf.documents.invoice_state import INVOICE

SUSPICION: Final[Table] = DuplicateSuspicion.__table__  # type: ignore[attr-defined]
VERDICT: Final[Table] = DuplicateVerdict.__table__  # type: ignore[attr-defined]
_ONE: Final = INVOICE.alias("one")
_TWIN: Final = INVOICE.alias("other")
_STANDS: Final = [
    side.c.document_state.in_(["VALIDATED", "INCOMPLETE"]) & (side.c.acceptance_state != "REJECTED")
    for side in (_ONE, _TWIN)
]
_COPY: Final = INVOICE.alias("copy")
# Held, out, or paid by its buyer: whoever pays on the other paper pays the claim again.
_SPENT: Final = or_(
    _COPY.c.held_minor + _COPY.c.outstanding_minor > 0, _COPY.c.payment_state != "OPEN"
)
_WANTED: Final[Any] = bindparam("wanted", expanding=True)
_OPEN: Final = (
    select(
        SUSPICION,
        _ONE.c.number.label("number"),
        _TWIN.c.number.label("twin_number"),
        ((_ONE.c.seller_id == _TWIN.c.seller_id) & (_ONE.c.buyer_id == _TWIN.c.buyer_id)).label(
            "of_one_pair"
        ),
        func.coalesce(VERDICT.c.outcome, "").label("outcome"),
        VERDICT.c.copy_id,
        _SPENT.label("spent"),
    )
    .join(_ONE, _ONE.c.id == SUSPICION.c.invoice_id)
    .join(_TWIN, _TWIN.c.id == SUSPICION.c.twin_id)
    .outerjoin(
        VERDICT,
        (VERDICT.c.suspicion_id == SUSPICION.c.id)
        & (VERDICT.c.org_id == bindparam("org"))
        & VERDICT.c.state.in_(["DECIDED", "APPEALED"]),
    )
    .outerjoin(_COPY, _COPY.c.id == VERDICT.c.copy_id)
    .where(
        or_(SUSPICION.c.invoice_id.in_(_WANTED), SUSPICION.c.twin_id.in_(_WANTED)),
        or_(VERDICT.c.outcome.is_(None), VERDICT.c.outcome == "SAME"),
        *_STANDS,
    )
    .order_by(SUSPICION.c.id)
)


def open_for(conn: Connection, invoice_ids: Iterable[str], org_id: str) -> Sequence[Any]:
    """Give the suspicions on these invoices that an organisation has not found groundless.

    Either document counts: nobody knows yet which of the two is the claim. One that is void by now,
    or rejected by its buyer, is no second claim.
    """
    wanted = sorted(set(invoice_ids))
    return conn.execute(_OPEN, {"wanted": wanted, "org": org_id}).all() if wanted else []


class InTheWay(NamedTuple):
    """A suspicion for which nothing is paid on one paper; ``other`` is empty for other firms'."""

    id: str
    number: str
    other: str
    spent: bool  # decided already, and money went on the paper that was called the copy


def in_the_way(conn: Connection, invoice_ids: Iterable[str], org_id: str) -> list[InTheWay]:
    """Give the suspicions for which an organisation pays nothing on these invoices.

    Undecided ones count for both papers: nobody knows yet which of the two is the claim.
    """
    found = []
    for row, against in _judged(conn, set(invoice_ids), org_id):
        if not against:
            continue
        own, other = row.number, row.twin_number
        if row.invoice_id not in against:
            own, other = other, own
        both = against >= {row.invoice_id, row.twin_id}
        spent = bool(row.outcome) and row.copy_id not in against
        found.append(InTheWay(row.id, own, other if row.of_one_pair or both else "", spent))
    return found


def stopped_at(conn: Connection, invoice_ids: Iterable[str], org_id: str) -> set[str]:
    """Give those of these documents that an organisation's own word on a pair stops."""
    judged = _judged(conn, set(invoice_ids), org_id)
    return {one for row, against in judged if row.outcome for one in against}


def _judged(conn: Connection, wanted: set[str], org_id: str) -> list[tuple[Any, set[str]]]:
    """Give each open suspicion with those of the wanted papers that it stands against."""
    found = []
    for row in open_for(conn, wanted, org_id):
        both = {row.invoice_id, row.twin_id}
        stopped = both if row.spent or not row.outcome else {row.copy_id}
        found.append((row, wanted & stopped))
    return found


def one_claim(conn: Connection, org_id: str, invoice_ids: Iterable[str]) -> dict[str, set[str]]:
    """Give the other papers of these that an organisation has called one claim with them."""
    wanted = set(invoice_ids)
    rows = conn.execute(
        select(SUSPICION.c.invoice_id, SUSPICION.c.twin_id)
        .join(VERDICT, VERDICT.c.suspicion_id == SUSPICION.c.id)
        .where(
            or_(SUSPICION.c.invoice_id.in_(wanted), SUSPICION.c.twin_id.in_(wanted)),
            VERDICT.c.org_id == org_id,
            VERDICT.c.outcome == "SAME",
            VERDICT.c.state.in_(["DECIDED", "APPEALED"]),
        )
    ).all()
    found: dict[str, set[str]] = {}
    for one, other in (*rows, *((twin, one) for one, twin in rows)):
        if one in wanted:
            found.setdefault(one, set()).add(other)
    return found


def stands_against(invoice_id: str) -> ColumnElement[bool]:
    """Give the condition on verdicts that stop one document, whoever said so."""
    pair = select(SUSPICION.c.id).where(
        or_(SUSPICION.c.invoice_id == invoice_id, SUSPICION.c.twin_id == invoice_id)
    )
    spent = select(_COPY.c.id).where(_COPY.c.id == VERDICT.c.copy_id, _SPENT).exists()
    return (
        VERDICT.c.suspicion_id.in_(pair)
        & (VERDICT.c.outcome == "SAME")
        & or_(VERDICT.c.copy_id == invoice_id, spent)
    )


def against_seller(conn: Connection, invoice_id: str) -> str:
    """Tell a seller whether somebody's check stops its document: BLOCKED, APPEALED or nothing.

    Whose check and by which sign is not told; a word that waits for a second person is none yet.
    """
    states = set(
        conn.execute(
            select(VERDICT.c.state).where(
                stands_against(invoice_id), VERDICT.c.state.in_(["DECIDED", "APPEALED"])
            )
        ).scalars()
    )
    return "BLOCKED" if "DECIDED" in states else "APPEALED" if states else ""
