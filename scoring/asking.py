"""What a model says of the firms of a morning, as it is stored: curves, part of the chain, why.

The part of the chain is what the same model says less with all that the chain told it at the middle
of its training rows; it is never added to anything.
"""

import hashlib
import json
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.features.registry import NAMES, named
from scoring.modelfile import Floats, Model, ModelCard, ModelUnavailableError
from scoring.opinion import NO_ANSWER, UNSEEN, UNUSUAL, Opinion, Why
from scoring.term import BINS, TermStructure

CHAIN_GROUPS: Final = frozenset({"buyers", "chain"})
POINTS: Final = 100  # of a logit
MOST_REASONS: Final = 8


def opinions(model: Model, found: Floats, *, explain: bool) -> tuple[Opinion, ...]:
    """Return what a model says of firms.

    Parameters
    ----------
    model : Model
        As it was read and checked.
    found : ndarray of float64, shape (n, f)
        Columns in the order of `scoring.features.NAMES`; NaN where nothing was known.
    explain : bool
        Say why, too: one more judgement of all firms for each input.

    Raises
    ------
    ModelUnavailableError
        The model says nothing by month.
    """
    columns = model.card.columns
    rows = seen_by(model.card, found)
    judged = model.judge(rows)
    if judged.hazards is None:
        raise ModelUnavailableError("the model says nothing by month.")
    middles = np.array(
        [np.nan if column.middle is None else column.middle for column in columns], np.float64
    )
    features = named(tuple(column.name for column in columns))
    of_chain = np.array([feature.group in CHAIN_GROUPS for feature in features], np.bool_)
    plain = np.where(of_chain & ~np.isnan(rows), middles, rows)
    alone = model.judge(plain).hazards
    if alone is None:
        raise ModelUnavailableError("the model says nothing by month.")
    why = _why(model, rows, judged.pd, middles, of_chain) if explain else [()] * len(rows)
    made = []
    for number in range(len(rows)):
        total, own = judged.hazards[number], alone[number]
        refer = [_code(word) for word in judged.refer[number]]
        term = None
        if _is_curve(total) and _is_curve(own):
            term = TermStructure.of(model.card.kind, own.tolist(), total.tolist())
        else:
            refer.append(NO_ANSWER)
        made.append(
            Opinion(term, tuple(refer), digest_of_row(model.card, rows[number]), why[number])
        )
    return tuple(made)


def seen_by(card: ModelCard, found: Floats) -> Floats:
    """Return the columns that a model looks at, in its order."""
    return found[:, [NAMES.index(column.name) for column in card.columns]]


def digest_of_row(card: ModelCard, row: Floats) -> str:
    """Return the fingerprint of what a model looked at, to nine digits of each input."""
    seen = [
        [column.name, None if np.isnan(value) else format(float(value), ".9g")]
        for column, value in zip(card.columns, row, strict=True)
    ]
    return hashlib.sha256(json.dumps(seen, separators=(",", ":")).encode()).hexdigest()


def _is_curve(hazards: Floats) -> bool:
    return len(hazards) == BINS and bool(((hazards >= 0) & (hazards <= 1)).all())


def _code(word: str) -> str:
    """Return the code of a reason, with the input that it is about behind a colon."""
    name, _, column = word.partition(" ")
    if name == "NOTHING_KNOWN":
        return UNSEEN
    return f"{UNUSUAL}:{column}" if column else NO_ANSWER


def _why(
    model: Model, rows: Floats, pd: Floats, middles: Floats, of_chain: NDArray[np.bool_]
) -> list[tuple[Why, ...]]:
    """Say of each firm what each input did to it, one at a time, the strongest first."""
    told: list[list[Why]] = [[] for _ in rows]
    here = _logit(pd)
    for place, column in enumerate(model.card.columns):
        changed = rows.copy()
        changed[:, place] = middles[place]
        moved = here - _logit(model.judge(changed).pd)
        for number in np.flatnonzero(np.isfinite(moved)):
            points = int(np.rint(moved[number] * POINTS))
            if points:
                value = rows[number, place]
                told[number].append(
                    Why(
                        column.name,
                        None if np.isnan(value) else float(value),
                        points,
                        bool(of_chain[place]),
                    )
                )
    return [
        tuple(sorted(one, key=lambda why: (-abs(why.points), why.name))[:MOST_REASONS])
        for one in told
    ]


def _logit(pd: Floats) -> Floats:
    inside = np.clip(pd, 1e-12, 1.0 - 1e-12)
    return np.asarray(np.log(inside) - np.log1p(-inside))
