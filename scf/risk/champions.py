"""Whether the word of a morning's champion may still be read, at the moment of a price.

Assessments are made once a night and never changed. A model that was stopped since prices nothing
from that moment on: what the card said of the same morning, stored beside it, does. One that was
replaced by another champion goes on until the next morning, on which the new one is heard.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Table, bindparam, select
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.kernel.errors import Conflict
from scf.risk.models import RiskModel

_MODEL: Final[Table] = RiskModel.__table__  # type: ignore[attr-defined]
_PROMOTED: Final = select(_MODEL.c.id, _MODEL.c.state).where(
    _MODEL.c.financier_id == bindparam("financier"),
    _MODEL.c.promoted_by.is_not(None),
    _MODEL.c.state.in_(("CHAMPION", "RETIRED")),
)


def may_price(conn: Connection, financier_id: str, models: Collection[str]) -> bool:
    """Tell whether all these models of a morning may be read: none stopped, and a champion there.

    Parameters
    ----------
    models
        Those that were champion when firms were assessed; of none the answer is no.
    """
    if not models:
        return False
    rows = conn.execute(_PROMOTED, {"financier": financier_id}).all()
    if not any(row.state == "CHAMPION" for row in rows):
        return False
    return set(models) <= {row.id for row in rows}


def hold(ctx: Context, models: Collection[str]) -> None:
    """Keep models from being stopped until this command has ended.

    Raises
    ------
    Conflict
        QUOTE_MOVED where one was stopped since the price was worked out.
    """
    if not models:
        return
    rows = ctx.conn.execute(
        select(_MODEL.c.id, _MODEL.c.state, _MODEL.c.financier_id)
        .where(_MODEL.c.id.in_(sorted(models)))
        .order_by(_MODEL.c.id)
        .with_for_update(read=True)
    ).all()
    if not rows or not may_price(ctx.conn, rows[0].financier_id, models):
        raise Conflict("QUOTE_MOVED", "What the price rests on has changed; look at it again.")


def stopped(ctx: Context, models: Collection[str]) -> bool:
    """Tell whether a model by which something was priced has been stopped since; holds them."""
    if not models:
        return False
    rows = ctx.conn.execute(
        select(_MODEL.c.state)
        .where(_MODEL.c.id.in_(sorted(models)))
        .order_by(_MODEL.c.id)
        .with_for_update(read=True)
    ).all()
    return any(row.state == "KILLED" for row in rows)
