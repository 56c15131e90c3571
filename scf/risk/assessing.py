"""Working an assessment out: reads, computes, and gives values; stores nothing."""

import dataclasses
import json
from collections.abc import Collection, Mapping, Sequence
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
from scf.risk.firmfacts import Known, known_of
from scf.risk.items import Items
from scf.risk.opinions import Said, told
from scoring import canonical
from scoring.card import CardResult, score
from scoring.hazard import YEAR_DAYS, hazard_of
from scoring.observed import late_days
from scoring.paths import paths_of
from scoring.policy import Policy, Scale
from scoring.scale import IN_DEFAULT, grade_of, is_documented, notched
from scoring.schema import KIND, FirmRisk
from scoring.term import chance


@dataclasses.dataclass(frozen=True, slots=True)
class Assessed:
    """One firm as it would be stored."""

    firm_id: str
    grade: str
    defaulted: bool
    inputs: str
    result: str
    splits: dict[str, Any] | None
    kind: str = KIND
    model_id: str | None = None  # the champion that was asked, whether or not its word stands


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
    champion: Mapping[str, Said] | None = None,
    notches: Mapping[str, int] | None = None,
    own_pd: Mapping[str, float] | None = None,
) -> list[Assessed]:
    """Assess every firm of a snapshot as it was known on a morning.

    Parameters
    ----------
    champion
        What the champion of the morning said of firms; it replaces the card where it stands.
    notches
        Columns by which people grade firms, instead of what they said: what if they did.
    own_pd
        Probabilities of firms alone that stand instead of the card's: what if they were others.
    """
    made = work_out(conn, morning, appetite, firms, notches=notches, own_pd=own_pd)
    return assessed_from(made, appetite, champion=champion)


def assessed_from(
    made: WorkedOut, appetite: Appetite, *, champion: Mapping[str, Said] | None = None
) -> list[Assessed]:
    """Give the assessments that rest on what was worked out; see :func:`assess`."""
    said = champion or {}
    both = {*made.exposures.seller, *made.exposures.buyer}
    trading = {made.items.firms[at] for at in both}
    return [
        _assessed(
            at,
            made.chain,
            made.views[firm],
            made.cards[firm],
            appetite.policy,
            said.get(firm),
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
    notches: Mapping[str, int] | None = None,
    own_pd: Mapping[str, float] | None = None,
) -> WorkedOut:
    """Work out everything that the assessments of a morning rest on; see :func:`assess`."""
    items = reading.load(conn, morning, appetite)
    known = known_of(conn, morning, appetite)
    for firm, columns in (notches or {}).items():
        known[firm] = dataclasses.replace(known.get(firm, Known()), notches=columns)
    views = views_of(items, known, morning.on, firms)
    exposures = exposures_of(items, morning.on)
    cards, chain = chained(views, exposures, items.firms, appetite.policy, own_pd=own_pd)
    return WorkedOut(items, views, cards, exposures, chain)


def chained(
    views: Mapping[str, FirmView],
    exposures: Exposures,
    names: Sequence[str],
    policy: Policy,
    *,
    own_pd: Mapping[str, float] | None = None,
) -> tuple[dict[str, CardResult], ChainRisk]:
    """Score each firm alone, and let its risk run up the chain of all of them; pure.

    Parameters
    ----------
    views
        What was known of each firm of the chain.
    names
        The firm of each number in ``exposures``.
    own_pd
        See :func:`assess`.
    """
    cards = {firm: score(view.card, policy.card) for firm, view in views.items()}
    alone = {firm: _pd_alone(view, cards[firm], policy.scale) for firm, view in views.items()}
    alone |= dict(own_pd or {})
    standing = {firm: _standing(view, alone[firm]) for firm, view in views.items()}
    return cards, chainrisk.run(tuple(views), standing, exposures, names, policy)


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
    at: int,
    chain: ChainRisk,
    view: FirmView,
    card: CardResult,
    policy: Policy,
    said: Said | None,
    *,
    is_alone: bool,
) -> Assessed:
    by_card = by_card_of(at, chain, view, card, policy)
    risk = by_card
    if said is not None and said.opinion.stands and not by_card.rated and not by_card.defaulted:
        risk = _by_champion(said, view.known.notches, by_card, policy.scale)
    stands = risk.term is not None
    splits = chain.splits(at)
    flags = [
        name
        for name, holds in (
            ("NO_HISTORY", not by_card.rated and view.settled_items == 0),
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
        **_figures(risk, policy.scale),
        "flags": flags,
        "late_days": late_days(
            view.late_days_times_minor, view.late_settled_minor, view.late_items, policy.model
        ),
    }
    if said is not None:
        # What the card says stays beside it: it prices at once where the champion is stopped.
        result |= {
            "kind": said.kind if stands else card.kind,
            "by_card": _figures(by_card, policy.scale),
            "model": {**told(said), "stands": stands},
        }
    if stands and splits is not None:
        splits = shared_out(splits, by_card, risk)
    return Assessed(
        firm_id=chain.firms[at],
        grade=str(result["grade"]),
        defaulted=card.defaulted,
        inputs=canonical_json(_inputs(view, chain.buffers[at])),
        result=canonical_json(result),
        splits=splits,
        kind=str(result["kind"]),
        model_id=None if said is None else said.model_id,
    )


def by_card_of(
    at: int, chain: ChainRisk, view: FirmView, card: CardResult, policy: Policy
) -> FirmRisk:
    """Give the risk of a firm as its card and the chain have it."""
    own, total = float(chain.propagation.own[at]), float(chain.propagation.hazard[at])
    rated = view.known.rated_pd is not None
    documented = knows_well(view, policy.scale)
    # Below what the two iterations leave in the last bit, the chain adds nothing.
    return FirmRisk(own, max(own, total), rated, documented, card.defaulted)


def _by_champion(said: Said, notches: int, by_card: FirmRisk, scale: Scale) -> FirmRisk:
    """Take the champion's word instead of the card's; people move what the firm is alone."""
    term = said.opinion.term
    if term is None:
        raise ValueError("a champion without an answer replaces nothing.")
    risk = FirmRisk.of(term, documented=by_card.documented)
    if not notches:
        return risk
    alone = chance(term.own_rate(YEAR_DAYS))
    own = hazard_of(notched(alone, notches, scale))
    return risk.moved(own, own + risk.total_hazard - risk.own_hazard)


def _figures(risk: FirmRisk, scale: Scale) -> dict[str, Any]:
    """Give grade, probability and risk of a firm, its floor in it."""
    paths = paths_of(risk, scale)
    pd = 1.0 if risk.defaulted else paths.total.within(YEAR_DAYS)
    return {
        "grade": IN_DEFAULT if risk.defaulted else grade_of(pd, scale).name,
        "pd": pd,
        "risk": json.loads(canonical.dump(risk)),
        "floor_bound": paths.raised,
    }


def shared_out(splits: dict[str, Any], by_card: FirmRisk, risk: FirmRisk) -> dict[str, Any]:
    """Share what the champion says of a firm's chain out as layer B has it; added to nothing.

    Parameters
    ----------
    splits
        As :meth:`scf.risk.chainrisk.ChainRisk.splits` gives them, of the card's hazards.
    """
    there = by_card.total_hazard - by_card.own_hazard
    factor = (risk.total_hazard - risk.own_hazard) / there if there > 0 else 0.0
    return {
        "own": risk.own_hazard,
        "loop": splits["loop"] * factor,
        "by_origin": [[firm, part * factor] for firm, part in splits["by_origin"]],
        "by_first_hop": [{**hop, "part": hop["part"] * factor} for hop in splits["by_first_hop"]],
        "by_hop": [risk.own_hazard, *(part * factor for part in splits["by_hop"][1:])],
        "beyond": splits["beyond"] * factor,
    }


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
    said = result["risk"]
    if not said.get("term"):
        return FirmRisk(**said)
    return canonical.load(FirmRisk, json.dumps(said))


def fraction(value: Any) -> Fraction | None:  # noqa: ANN401 - as canonical JSON keeps it
    """Read a fraction back from canonical JSON."""
    return None if value is None else Fraction(value)
