"""What moved the risk of a case's obligor, read from the assessment that its price was made on."""

import datetime as dt
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from scf.kernel.rates import PPM, round_half_up
from scf.parties.service import firm_names
from scf.risk.models import PriceAssessment, RiskAssessment


@dataclass(frozen=True, slots=True)
class CaseScore:
    """What moved the obligor's risk, as it was assessed for this price: points and the chain.

    ``points``: (input, value, points, whether the value was missing), the strongest first; 100
    points multiply the odds of default by e. ``chain``: (firm, hazard a year in ppm) by origin.
    ``kind`` says what they rest on; of a trained champion ``model`` is its name, ``points`` are
    its own inputs and ``of_chain`` those of them that tell of other firms. ``refer`` says why a
    champion that was asked did not price.
    """

    firm: str
    as_of_on: dt.date
    pd_ppm: int
    own_ppm: int
    points: tuple[tuple[str, str, int, bool], ...]
    chain: tuple[tuple[str, int], ...]
    kind: str = "expert_prior"
    model: str = ""
    model_id: str = ""
    of_chain: frozenset[str] = frozenset()
    refer: tuple[str, ...] = ()


def score_of(session: Session, advances: Sequence[Any]) -> CaseScore | None:
    """Read the stored assessment behind the price of the largest of some advances."""
    if not advances:
        return None
    largest = max(advances, key=lambda one: one.face_minor)
    found = session.execute(
        select(RiskAssessment, col(PriceAssessment.model_id))
        .join(PriceAssessment, col(PriceAssessment.obligor_assessment_id) == col(RiskAssessment.id))
        .where(col(PriceAssessment.quote_line_id) == largest.quote_line_id)
    ).one_or_none()
    return None if found is None else _score(session, found)


def _score(session: Session, found: Any) -> CaseScore:  # noqa: ANN401 - a row of two
    row, model_id = found[0], found[1]
    result: dict[str, Any] = json.loads(row.result)
    said: dict[str, Any] = result.get("model") or {"stands": False, "why": [], "refer": []}
    model = said if model_id is not None else None
    by_model = model is not None and bool(said["stands"])
    # A champion that had been stopped when this was priced said nothing in it.
    figures = result if by_model else result.get("by_card", result)
    risk = figures["risk"]
    # The ways through the chain were shared out by the champion's part wherever it stood.
    splits = (row.splits or {}) if by_model or not said["stands"] else {}
    origins = dict(splits.get("by_origin", {}))
    names = firm_names(session.connection(), {row.firm_id, *origins})
    return CaseScore(
        firm=names.get(row.firm_id, ""),
        as_of_on=row.as_of_on,
        pd_ppm=_ppm(figures["pd"]),
        own_ppm=_ppm(-math.expm1(-risk["own_hazard"])),
        points=_by_model(said) if by_model else _by_card(result),
        chain=tuple(
            sorted(
                (
                    (names.get(firm, ""), _ppm(hazard))
                    for firm, hazard in origins.items()
                    if firm != row.firm_id and _ppm(hazard)
                ),
                key=lambda one: -one[1],
            )
        ),
        kind=row.kind if by_model else "expert_prior",
        model=model["name"] if model is not None else "",
        model_id=model_id or "",
        of_chain=frozenset(name for name, _value, _points, chain in said["why"] if chain)
        if by_model
        else frozenset(),
        refer=tuple(model["refer"])
        if model is not None and not by_model and not (risk["rated"] or risk["defaulted"])
        else (),
    )


def _by_card(result: dict[str, Any]) -> tuple[tuple[str, str, int, bool], ...]:
    return tuple(
        sorted(
            (
                (str(name), str(value or ""), int(points), bool(missing))
                for name, value, points, missing in result["points"]
                if points
            ),
            key=lambda one: -abs(one[2]),
        )
    )


def _by_model(model: dict[str, Any]) -> tuple[tuple[str, str, int, bool], ...]:
    """Give the inputs of a champion that moved it most; values with three digits."""
    return tuple(
        (str(name), "" if value is None else f"{value:.3g}", int(points), value is None)
        for name, value, points, _chain in model["why"]
    )


def _ppm(share: float) -> int:
    return round_half_up(Fraction(share) * PPM)
