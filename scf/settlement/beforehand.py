"""What is asked outside before money leaves: looked up here, judged inside the command."""

from typing import Any

from sqlalchemy import select

from scf.db.platform import Platform
from scf.financing.taxwatch.watching import before_money_leaves
from scf.kernel.actor import Actor
from scf.parties.access import may
from scf.settlement.instructions import INSTRUCTION_TABLE


def before_a_release(platform: Platform, payload: Any, actor: Actor) -> None:  # noqa: ANN401
    """Ask tax authorities once more about everything that a payment file is about to pay."""
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
