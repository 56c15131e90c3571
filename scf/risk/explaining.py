"""A stored price explained to people of the bank: eleven lines with the figures behind each.

Everything is read or worked out from what was stored with the price, under the policy of that day;
nothing is read anew and nothing is stored. Source: pricing.md 1.9, 1.10 and section 5.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from scf.risk import appetite as policies
from scf.risk.storing import PRICE
from scf.risk.writing import ASSESSMENT
from scoring import canonical
from scoring.explain import ChainSplits, OfficerLine, officer_lines
from scoring.pricing import expert_band
from scoring.schema import PriceBand, PriceInputs, PriceResult


@dataclasses.dataclass(frozen=True, slots=True)
class Explained:
    """One line's price: its rate, the lines that sum to it, and the band of its probability.

    Firms in the splits of a line stand by their ids.
    """

    rate_bp: int
    lines: tuple[OfficerLine, ...]
    chain_effect_bp: int
    band: PriceBand | None
    kind: str
    policy_version: str

    @property
    def firms(self) -> set[str]:
        """The firms that the splits name."""
        return {name for line in self.lines for name, _bp in (*line.by_origin, *line.by_first_hop)}


def explained(conn: Connection, line_id: str) -> Explained | None:
    """Explain the stored price of one quote line; nothing for a price by contract."""
    row = conn.execute(select(PRICE).where(PRICE.c.quote_line_id == line_id)).one_or_none()
    if row is None:
        return None
    policy = policies.kept(conn, row.policy_digest).policy
    inputs = canonical.load(PriceInputs, row.inputs)
    result = canonical.load(PriceResult, row.result)
    if result.rate_bp is None or result.memo is None:
        return None
    splits = conn.execute(
        select(ASSESSMENT.c.splits).where(ASSESSMENT.c.id == row.obligor_assessment_id)
    ).scalar_one()
    return Explained(
        result.rate_bp,
        officer_lines(inputs, result, policy, chain_of(splits or {}, row.obligor_id)),
        result.memo.chain_effect_bp,
        expert_band(inputs, policy),
        result.kind,
        row.policy_version,
    )


def chain_of(splits: Mapping[str, Any], firm_id: str) -> ChainSplits:
    """Give what reaches a firm along the chain, three times: all that is not the firm alone.

    What comes back to a firm through a circle of trade begins at the firm itself.
    """
    if not splits:
        return ChainSplits()
    loop = [(firm_id, max(float(splits["loop"]), 0.0))] if splits["loop"] else []
    by_hop = [(str(hop), max(float(part), 0.0)) for hop, part in enumerate(splits["by_hop"]) if hop]
    beyond = [("beyond", max(float(splits["beyond"]), 0.0))] if splits["beyond"] else []
    return ChainSplits(
        by_origin=(
            *((firm, float(part)) for firm, part in splits["by_origin"] if firm != firm_id),
            *loop,
        ),
        by_first_hop=tuple((hop["firm"], float(hop["part"])) for hop in splits["by_first_hop"]),
        by_hop=(*by_hop, *beyond),
    )
