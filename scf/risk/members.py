"""Which firms a financier's risk is about."""

from typing import Final

from sqlalchemy import Table, select, union
from sqlalchemy.engine import Connection

from scf.chain.models import GraphNode
from scf.documents.models import Invoice
from scf.parties.agreements import PROGRAMME
from scf.risk.asof import AsOf
from scf.risk.models import FirmFact

_NODE: Final[Table] = GraphNode.__table__  # type: ignore[attr-defined]
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_FACT: Final[Table] = FirmFact.__table__  # type: ignore[attr-defined]


def firms_of(conn: Connection, morning: AsOf, snapshot_id: str) -> list[str]:
    """Name the firms to assess: the chain's, a programme's two sides, and those known of."""
    own = PROGRAMME.c.financier_id == morning.financier_id
    parties = {
        side: select(PROGRAMME.c[f"{name}_id"]).where(own, PROGRAMME.c[f"{name}_id"].is_not(None))
        for side, name in (("buyer_id", "anchor"), ("seller_id", "seller"))
    }
    others = [
        select(_INVOICE.c[other]).where(
            _INVOICE.c[side].in_(parties[side]),
            _INVOICE.c[other].is_not(None),
            _INVOICE.c.created_at < morning.before,
        )
        for side, other in (("buyer_id", "seller_id"), ("seller_id", "buyer_id"))
    ]
    known = select(_FACT.c.firm_id).where(
        _FACT.c.financier_id == morning.financier_id, _FACT.c.known_at < morning.before
    )
    chain = select(_NODE.c.firm_id).where(_NODE.c.snapshot_id == snapshot_id)
    return sorted(conn.execute(union(chain, known, *parties.values(), *others)).scalars())
