"""What is asked outside before money leaves: looked up here, judged inside the command."""

from typing import Any, Final

from sqlalchemy import Table, select

from scf.db.platform import Platform
from scf.financing.models import Advance
from scf.financing.taxwatch.watching import before_money_leaves
from scf.kernel.actor import Actor
from scf.parties.access import may
from scf.programmes.registry import asking as registry
from scf.settlement.instructions import INSTRUCTION_TABLE

_ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]


def before_a_release(platform: Platform, payload: Any, actor: Actor) -> None:  # noqa: ANN401
    """Ask once more about everything that a payment file is about to pay.

    The tax authority is asked first, the registry last: a claim is registered when nothing else
    stands in the way any more.
    """
    file_id = payload.get("file_id") if isinstance(payload, dict) else None
    if not isinstance(file_id, str) or not may(actor, "payout.release"):
        return
    with platform.db.snapshot() as conn:
        ids = conn.execute(
            select(INSTRUCTION_TABLE.c.advance_id).where(
                INSTRUCTION_TABLE.c.file_id == file_id,
                INSTRUCTION_TABLE.c.advance_id.is_not(None),
            )
        )
        advance_ids = list(ids.scalars())
    before_money_leaves(platform, advance_ids, actor)
    with platform.db.snapshot() as conn:
        rows = conn.execute(
            select(_ADVANCE.c.invoice_id).where(
                _ADVANCE.c.id.in_(advance_ids), _ADVANCE.c.financier_id == actor.org_id
            )
        )
        invoice_ids = list(rows.scalars())
    registry.before_money_leaves(platform, actor.org_id, invoice_ids)
