"""The seller's electronic signature: a second factor that was used once, on exactly this."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Table, select

from scf.db.runner import Context
from scf.db.types import Code, Id
from scf.kernel.errors import RuleViolation, Words
from scf.kernel.ids import digest
from scf.parties.factors.models import FactorUse
from scf.parties.factors.proof import STEP_UP

_USE: Final[Table] = FactorUse.__table__  # type: ignore[attr-defined]
# From the proof to the act that it was given for.
_FRESH: Final = dt.timedelta(minutes=15)
MOST_TOGETHER: Final = 50


class Signature(BaseModel):
    """The proof that a door has accepted right before this act, by its id.

    ``together`` names the digests of everything that one proof signed at once, this among them.
    """

    model_config = ConfigDict(extra="forbid")
    evidence_id: Id
    together: list[Code] = Field(default_factory=list, max_length=MOST_TOGETHER)


def bound_to(digests: Sequence[str]) -> str:
    """Give what a proof is bound to that signs one thing, or several at once."""
    own = sorted(set(digests))
    return own[0] if len(own) == 1 else digest(own)


def evidence_of(ctx: Context, signature: Signature, signed: str) -> str:
    """Give the evidence of a signature, once it is found to be the actor's own, fresh, and on this.

    Raises
    ------
    RuleViolation
        SIGNATURE_VOID when the proof was given by somebody else, for something else, or long ago.
    """
    together = signature.together or [signed]
    bound = bound_to(together)
    use: Any = ctx.conn.execute(
        select(_USE).where(
            _USE.c.id == signature.evidence_id,
            _USE.c.user_id == ctx.actor.user_id,
            _USE.c.purpose == STEP_UP,
            _USE.c.bound_to == bound,
            _USE.c.used_at >= ctx.now - _FRESH,
        )
    ).one_or_none()
    if use is None or signed not in together:
        raise RuleViolation("SIGNATURE_VOID", "The confirmation was for something else.")
    return Words(
        "Second factor (%(method)s), proof %(proof)s, bound to %(bound)s.",
        method=use.method,
        proof=use.id,
        bound=bound,
    )
