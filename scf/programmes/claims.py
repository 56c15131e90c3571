"""The claim that ties an invoice to one programme: it is financed in one place at a time.

A partial unique index over live claims says so in the database, whatever the code does. Several
advances of the same programme share the claim; the last of them to end closes it.
"""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Row, Table, bindparam, insert, select, update
from sqlalchemy.engine import Connection

from scf.db.failures import constraint_means
from scf.db.runner import Context
from scf.documents.models import Invoice
from scf.kernel.errors import RuleViolation
from scf.kernel.ids import new_id
from scf.programmes.models import ProgrammeClaim
from scf.programmes.registry.asking import is_member

_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_CLAIM: Final[Table] = ProgrammeClaim.__table__  # type: ignore[attr-defined]
_NEW: Final = insert(_CLAIM)
_LIVE: Final = select(_CLAIM).where(
    _CLAIM.c.invoice_id.in_(bindparam("invoices", expanding=True)), _CLAIM.c.live.is_(True)
)


def _already() -> RuleViolation:
    return RuleViolation("ALREADY_FINANCED", "This invoice is being financed in another programme.")


constraint_means("uq_claim_live", "programme_claim.invoice_id", _already)


def live(conn: Connection, invoice_ids: Iterable[str]) -> dict[str, Row[Any]]:
    """Give the live claims on these invoices, by invoice."""
    rows = conn.execute(_LIVE, {"invoices": list(invoice_ids)})
    return {row.invoice_id: row for row in rows}


def claim(ctx: Context, invoice_id: str, programme_id: str, financier_id: str) -> None:
    """Tie an invoice to a programme; see :func:`claim_many`."""
    claim_many(ctx, [invoice_id], programme_id, financier_id)


def claim_many(
    ctx: Context, invoice_ids: Iterable[str], programme_id: str, financier_id: str
) -> None:
    """Tie invoices, which the caller has locked, to a programme, or join its own live claims.

    Raises
    ------
    RuleViolation
        ALREADY_FINANCED when one lives in another programme.
    """
    wanted = sorted(set(invoice_ids))
    there = live(ctx.conn, wanted)
    if any(row.programme_id != programme_id for row in there.values()):
        raise _already()
    rows = [
        {
            "id": new_id(),
            "invoice_id": invoice_id,
            "programme_id": programme_id,
            "financier_id": financier_id,
            "live": True,
            "opened_at": ctx.now,
            "closed_at": None,
        }
        for invoice_id in wanted
        if invoice_id not in there
    ]
    if rows:
        ctx.conn.execute(_NEW, rows)


def release(ctx: Context, *invoice_ids: str) -> None:
    """Let invoices go whose last held or financed part has ended; others keep their claim."""
    ended = select(_INVOICE.c.id).where(
        _INVOICE.c.id.in_(invoice_ids),
        _INVOICE.c.held_minor == 0,
        _INVOICE.c.outstanding_minor == 0,
    )
    gone = ctx.conn.execute(
        update(_CLAIM)
        .where(_CLAIM.c.live.is_(True), _CLAIM.c.invoice_id.in_(ended))
        .values(live=False, closed_at=ctx.now)
        .returning(_CLAIM.c.id, _CLAIM.c.invoice_id, _CLAIM.c.financier_id)
    ).all()
    for financier_id in sorted({row.financier_id for row in gone}):
        if is_member(ctx.conn, financier_id):  # others may finance it from now on
            for row in (one for one in gone if one.financier_id == financier_id):
                payload = {"financier_id": financier_id, "invoice_id": row.invoice_id}
                ctx.enqueue("registry.release", payload, row.id)
