"""A stored price made again with another margin: same facts, same policy, one input moved.

What people may move is the margin alone. The other ten components are cost, risk or capital; the
margin stays at nothing or more, so that capital never earns less than the hurdle, and the rate
stays between its floor and the caps. Source: pricing.md 1.10 and 2.4.
"""

import dataclasses
import json
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.kernel.errors import RuleViolation
from scf.kernel.ids import canonical_json, digest, new_id
from scf.risk import appetite as policies
from scf.risk.pricing import Claimed, components_of
from scf.risk.storing import PRICE
from scoring import canonical
from scoring.explain import rungs
from scoring.policy import Policy
from scoring.pricing import price
from scoring.schema import PriceInputs, PriceResult, Refusal


@dataclasses.dataclass(frozen=True, slots=True)
class Remade:
    """One line's price as it stands, and as it would be."""

    row: Any  # of price_assessment: the making of the price as it stands
    inputs: PriceInputs
    before: PriceResult
    after: PriceResult
    policy: Policy

    @property
    def refusal(self) -> Refusal | None:
        """Why there is no such price."""
        return self.after.refusal

    @property
    def hurdle(self) -> Fraction:
        """What capital has to earn a year."""
        return self.policy.charges.hurdle

    @property
    def results(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The price as it is stored, and as it would be."""
        return json.loads(self.row.result), json.loads(canonical.dump(self.after))

    @property
    def parts(self) -> tuple[tuple[str, int, int], ...]:
        """Each component with its whole basis points now, and as they would be."""
        after = components_of(self.after)
        return tuple(
            (name, bp, after.get(name, 0)) for name, bp in components_of(self.before).items()
        )

    def rungs(self) -> dict[str, int]:
        """Give the four rungs that the seller reads."""
        return {rung.name: rung.bp for rung in rungs(self.after, self.policy)}


def remake(conn: Connection, line_ids: Sequence[str], shift_bp: int) -> dict[str, Remade]:
    """Make stored prices again with so much on the policy's margin; by quote line.

    Lines without a stored making (a price by contract) are left out.
    """
    rows = conn.execute(select(PRICE).where(PRICE.c.quote_line_id.in_(line_ids)))
    return {row.quote_line_id: _one(conn, row, shift_bp) for row in rows}


def _one(conn: Connection, row: Any, shift_bp: int) -> Remade:  # noqa: ANN401 - a row
    policy = policies.kept(conn, row.policy_digest).policy
    inputs = dataclasses.replace(canonical.load(PriceInputs, row.inputs), margin_shift_bp=shift_bp)
    return Remade(
        row, inputs, canonical.load(PriceResult, row.result), price(inputs, policy), policy
    )


def refuse(found: Sequence[Remade]) -> None:
    """Stop a margin that the policy does not let anybody choose.

    Raises
    ------
    RuleViolation
        PRICE_BELOW_HURDLE, PRICE_BELOW_FLOOR, PRICE_ABOVE_CAP, RISK_BELOW_FLOOR, NOTHING_LEFT.
    """
    for one in found:
        if one.refusal is not None:
            raise refusal_of(one.refusal)


def refusal_of(refusal: Refusal) -> RuleViolation:
    """Say to an officer why there is no such price."""
    facts = dict(refusal.facts)
    if refusal.code == "PRICE_BELOW_HURDLE":
        return RuleViolation(
            refusal.code,
            "The margin would be below nothing: at most %(most_off_bp)s bp can be taken off it.",
            **facts,
        )
    if refusal.code == "PRICE_BELOW_FLOOR":
        return RuleViolation(
            refusal.code, "The rate would be below its floor of %(floor_bp)s bp.", **facts
        )
    if refusal.code == "PRICE_ABOVE_CAP":
        return RuleViolation(refusal.code, "The rate would be above the highest allowed.", **facts)
    return RuleViolation(refusal.code, "The policy gives no price for this claim.", **facts)


def store(ctx: Context, made: Sequence[tuple[Remade, str]]) -> list[str]:
    """Keep the making of prices made again, each for a new line; gives their ids in order."""
    rows = [_row(ctx, one, line_id) for one, line_id in made]
    ctx.conn.execute(insert(PRICE), rows)
    return [row["id"] for row in rows]


def _row(ctx: Context, one: Remade, line_id: str) -> dict[str, Any]:
    terms = json.loads(one.row.terms)
    claimed = dataclasses.replace(
        canonical.load(Claimed, terms["claimed"]), margin_shift_bp=one.inputs.margin_shift_bp
    )
    texts = {
        "terms": canonical_json({**terms, "claimed": canonical.dump(claimed)}),
        "inputs": canonical.dump(one.inputs),
        "result": canonical.dump(one.after),
    }
    same = {name: getattr(one.row, name) for name in _SAME}
    return {
        **same, "id": new_id(), "quote_line_id": line_id, **texts,
        "digest": digest(list(texts.values())), "at": ctx.now,
    }  # fmt: skip


_SAME: Final = (
    "financier_id", "invoice_id", "obligor_id", "seller_id", "obligor_assessment_id",
    "seller_assessment_id", "as_of_on", "sequence", "kind", "model_id", "policy_digest",
    "policy_version", "route", "route_reasons",
)  # fmt: skip
