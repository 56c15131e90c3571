"""What a case earns and may lose, read from the stored making of its price; for the bank only.

A price by contract has none of this: nothing is made up in its place.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.kernel.rates import PPM, round_half_up
from scf.offers.models import QuoteLine
from scf.risk.appetite import kept
from scf.risk.models import PriceAssessment
from scf.risk.pricing import KINDS

_PRICE: Final[Table] = PriceAssessment.__table__  # type: ignore[attr-defined]
_LINE: Final[Table] = QuoteLine.__table__  # type: ignore[attr-defined]
_MICRO: Final = 10**10  # millionths of a basis point in one
_LOSS: Final = ("default_own", "default_chain", "dilution")
# What is left for capital once funds, losses and costs are covered.
_FOR_CAPITAL: Final = ("capital", "uncertainty", "margin", "floor_addon")


@dataclass(frozen=True, slots=True)
class Economics:
    """Figures of a whole case. ``kind`` says what they rest on: the least of its lines' kinds.

    ``pd_ppm`` is the one-year probability of who owes, after the chain: of several the highest.
    ``return_ppm`` stands beside the ``hurdle_ppm`` that the price was made for; it is missing
    where a price ties up no capital.
    """

    kind: str
    policy_version: str
    pd_ppm: int
    pd_item_ppm: int
    expected_loss_minor: int
    return_ppm: int | None
    hurdle_ppm: int
    chain_effect_bp: int


def economics_of(conn: Connection, advances: Sequence[Any], basis: int) -> Economics | None:
    """Work the stored prices of a case's advances into its figures.

    Parameters
    ----------
    advances
        Rows or records of the advances that the case is about.
    basis
        Days of the programme's year.
    """
    rows = {
        row.quote_line_id: row
        for row in conn.execute(
            select(_PRICE).where(
                _PRICE.c.quote_line_id.in_([one.quote_line_id for one in advances])
            )
        )
    }
    if not rows or len(rows) != len(advances):
        return None
    made = [(one, json.loads(rows[one.quote_line_id].result)) for one in advances]
    any_row = max(rows.values(), key=lambda row: KINDS.index(row.kind))
    hurdle = kept(conn, any_row.policy_digest).policy.charges.hurdle
    return figures_of(made, basis, any_row, hurdle)


def figures_of(
    made: Sequence[tuple[Any, dict[str, Any]]],
    basis: int,
    record: Any,  # noqa: ANN401 - the row of a price's making
    hurdle: Fraction,
) -> Economics:
    """Work advances, each with the result of its price, into the figures of their case."""
    loss = Fraction(0)
    for one, result in made:
        loss += one.face_minor * _rate(result, _LOSS) * Fraction(one.days, basis)
    return Economics(
        kind=record.kind,
        policy_version=record.policy_version,
        pd_ppm=max(_ppm(result["memo"]["pd_one_year"]) for _one, result in made),
        pd_item_ppm=max(_ppm(result["memo"]["pd_item"]) for _one, result in made),
        expected_loss_minor=round_half_up(loss),
        return_ppm=_return(made, hurdle),
        hurdle_ppm=round_half_up(hurdle * PPM),
        chain_effect_bp=max(
            (result["memo"]["chain_effect_bp"] for _one, result in made), default=0
        ),
    )


def _return(made: Sequence[tuple[Any, dict[str, Any]]], hurdle: Fraction) -> int | None:
    """Give the yearly return on the capital that the case ties up.

    Capital itself earns its funding; the component ``capital`` is what it must earn above that, so
    the capital behind it is that amount over (hurdle − funding).
    """
    tied = earned = Fraction(0)
    for one, result in made:
        funding = _rate(result, ("funding",))
        weight = Fraction(one.face_minor * one.days)
        if hurdle <= funding:
            return None
        capital = _rate(result, ("capital",)) / (hurdle - funding)
        tied += weight * capital
        earned += weight * (capital * funding + _rate(result, _FOR_CAPITAL))
    return round_half_up(earned / tied * PPM) if tied else None


def _rate(result: dict[str, Any], names: Sequence[str]) -> Fraction:
    """Give the sum of some components as a yearly share of the financed face."""
    parts = {part["name"]: part["micro_bp"] for part in result["components"]}
    return Fraction(sum(parts.get(name, 0) for name in names), _MICRO)


def _ppm(probability: float) -> int:
    return round_half_up(Fraction(probability) * PPM)


def components_of(conn: Connection, advances: Sequence[Any]) -> dict[str, dict[str, int]]:
    """Give the eleven parts of each line's rate, in whole basis points, by invoice."""
    lines = conn.execute(
        select(_LINE.c.invoice_id, _LINE.c.components).where(
            _LINE.c.id.in_([one.quote_line_id for one in advances])
        )
    ).all()
    return {line.invoice_id: line.components for line in lines if line.components}
