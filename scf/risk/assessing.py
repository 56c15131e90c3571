"""Working an assessment out: reads, computes, and gives values; stores nothing."""

import dataclasses
from collections.abc import Collection, Mapping
from fractions import Fraction
from typing import Any

from sqlalchemy.engine import Connection

from scf.kernel.ids import canonical_json
from scf.risk import chainrisk
from scf.risk import items as reading
from scf.risk.appetite import Appetite
from scf.risk.asof import AsOf
from scf.risk.chainrisk import ChainRisk, Standing
from scf.risk.facts import CENTS, Exposures, FirmView, exposures_of, views_of
from scf.risk.firmfacts import known_of
from scf.risk.items import Items
from scoring.card import CardResult, score
from scoring.observed import late_days
from scoring.policy import Policy, Scale
from scoring.scale import IN_DEFAULT, floored, grade_of, is_documented, notched
from scoring.schema import FirmRisk


@dataclasses.dataclass(frozen=True, slots=True)
class Assessed:
    """One firm as it would be stored."""

    firm_id: str
    grade: str
    defaulted: bool
    inputs: str
    result: str
    splits: dict[str, Any] | None


@dataclasses.dataclass(frozen=True)
class WorkedOut:
    """All firms of a snapshot on one morning: what was known, their cards, and the chain."""

    items: Items
    views: Mapping[str, FirmView]
    cards: Mapping[str, CardResult]
    exposures: Exposures
    chain: ChainRisk


def assess(
    conn: Connection,
    morning: AsOf,
    appetite: Appetite,
    firms: Collection[str],
    *,
    own_pd: Mapping[str, float] | None = None,
) -> list[Assessed]:
    """Assess every firm of a snapshot as it was known on a morning.

    Parameters
    ----------
    own_pd
        Probabilities of firms alone that stand instead of the card's: what if they were others.
    """
    made = work_out(conn, morning, appetite, firms, own_pd=own_pd)
    both = {*made.exposures.seller, *made.exposures.buyer}
    trading = {made.items.firms[at] for at in both}
    return [
        _assessed(
            at,
            made.chain,
            made.views[firm],
            made.cards[firm],
            appetite.policy,
            is_alone=firm not in trading,
        )
        for at, firm in enumerate(made.chain.firms)
    ]


def work_out(
    conn: Connection,
    morning: AsOf,
    appetite: Appetite,
    firms: Collection[str],
    *,
    own_pd: Mapping[str, float] | None = None,
) -> WorkedOut:
    """Work out everything that the assessments of a morning rest on; see :func:`assess`."""
    items = reading.load(conn, morning, appetite)
    known = known_of(conn, morning, appetite)
    views = views_of(items, known, morning.on, firms)
    cards = {firm: score(view.card, appetite.policy.card) for firm, view in views.items()}
    scale = appetite.policy.scale
    alone = {firm: _pd_alone(views[firm], cards[firm], scale) for firm in firms}
    alone |= dict(own_pd or {})
    standing = {firm: _standing(views[firm], alone[firm]) for firm in firms}
    exposures = exposures_of(items, morning.on)
    chain = chainrisk.run(firms, standing, exposures, items.firms, appetite.policy)
    return WorkedOut(items, views, cards, exposures, chain)


def _pd_alone(view: FirmView, card: CardResult, scale: Scale) -> float:
    """Take the card's probability or the rating's, as many columns off as people grade it."""
    if card.defaulted:
        return card.pd_one_year
    rated = view.known.rated_pd
    return notched(card.pd_one_year if rated is None else float(rated), view.known.notches, scale)


def _standing(view: FirmView, pd_own: float) -> Standing:
    liquidity = view.known.liquidity
    cents = None if liquidity is None else float(liquidity * CENTS)
    return Standing(pd_own, view.known.rated_pd is not None, weekly_sales(view), cents)


def weekly_sales(view: FirmView) -> float:
    """Give what a firm sells in a mean week of the last quarter, or of the year; euro cents."""
    return view.sales_13_weeks / 13 or view.sales_52_weeks / 52


def _assessed(
    at: int, chain: ChainRisk, view: FirmView, card: CardResult, policy: Policy, *, is_alone: bool
) -> Assessed:
    own, total = float(chain.propagation.own[at]), float(chain.propagation.hazard[at])
    rated = view.known.rated_pd is not None
    documented = knows_well(view, policy.scale)
    # Below what the two iterations leave in the last bit, the chain adds nothing.
    risk = FirmRisk(own, max(own, total), rated, documented, card.defaulted)
    _, lifted, bound = floored(risk, policy.scale)
    from graph.propagation import default_probability

    pd = 1.0 if card.defaulted else float(default_probability([lifted])[0])
    splits = chain.splits(at)
    flags = [
        name
        for name, holds in (
            ("NO_HISTORY", not rated and view.settled_items == 0),
            ("LONE_FIRM", is_alone),
            ("TRADE_CIRCLE", chain.circled[at]),
            ("CHAIN_CAPPED", at in chain.propagation.capped),
        )
        if holds
    ]
    result = {
        "kind": card.kind,
        "points": [[line.input, line.value, line.points, line.missing] for line in card.points],
        "total_points": card.total,
        "pd_card": card.pd_one_year,
        "notches": view.known.notches,
        "pd": pd,
        "risk": dataclasses.asdict(risk),
        "floor_bound": bound,
        "flags": flags,
        "late_days": late_days(
            view.late_days_times_minor, view.late_settled_minor, view.late_items, policy.model
        ),
    }
    return Assessed(
        firm_id=chain.firms[at],
        grade=IN_DEFAULT if card.defaulted else grade_of(pd, policy.scale).name,
        defaulted=card.defaulted,
        inputs=canonical_json(_inputs(view, chain.buffers[at])),
        result=canonical_json(result),
        splits=splits,
    )


def knows_well(view: FirmView, scale: Scale) -> bool:
    """Tell whether a firm is known so well that the low floor on its probability holds."""
    return is_documented(
        scale,
        statement_months=view.known.statement_months,
        revenue=view.known.revenue,
        months_observed=view.months_observed or 0,
    )


def _inputs(view: FirmView, buffer: float) -> dict[str, Any]:
    """Give everything that was known, for the record and for the next price."""
    given = dataclasses.asdict(view)
    return given | {"buffer": buffer}


def risk_of(result: Mapping[str, Any]) -> FirmRisk:
    """Give the risk of a firm as a stored assessment says it."""
    return FirmRisk(**result["risk"])


def fraction(value: Any) -> Fraction | None:  # noqa: ANN401 - as canonical JSON keeps it
    """Read a fraction back from canonical JSON."""
    return None if value is None else Fraction(value)
