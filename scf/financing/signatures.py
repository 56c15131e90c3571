"""The seller's electronic signature: a second factor that was used once, on exactly this."""

import datetime as dt
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Table, select

from scf.db.runner import Context
from scf.db.types import Id
from scf.kernel.errors import RuleViolation
from scf.parties.factors.models import FactorUse
from scf.parties.factors.proof import STEP_UP

_USE: Final[Table] = FactorUse.__table__  # type: ignore[attr-defined]
# From the proof to the act that it was given for.
_FRESH: Final = dt.timedelta(minutes=15)


class Signature(BaseModel):
    """The proof that a door has accepted right before this act, by its id."""

    model_config = ConfigDict(extra="forbid")
    evidence_id: Id


def evidence_of(ctx: Context, signature: Signature, bound_to: str) -> str:
    """Give the evidence of a signature, once it is found to be the actor's own, fresh, and on this.

    Raises
    ------
    RuleViolation
        SIGNATURE_VOID when the proof was given by somebody else, for something else, or long ago.
    """
    use: Any = ctx.conn.execute(
        select(_USE).where(
            _USE.c.id == signature.evidence_id,
            _USE.c.user_id == ctx.actor.user_id,
            _USE.c.purpose == STEP_UP,
            _USE.c.bound_to == bound_to,
            _USE.c.used_at >= ctx.now - _FRESH,
        )
    ).one_or_none()
    if use is None:
        raise RuleViolation("SIGNATURE_VOID", "The confirmation was for something else.")
    return f"Second factor ({use.method}), proof {use.id}, bound to {bound_to}."
