"""What a trained model said on past mornings beside the card, on the same firms; it prices nobody.

Read from what each night stored of both: nothing is worked out after the fact, so neither has seen
what came later. Source: risk.md 2 (monitoring: challenger in shadow with a paired log-loss test).
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.risk.appetite import Appetite
from scf.risk.models import ModelScore
from scf.risk.watch.calibrating import plain
from scf.risk.watch.outcomes import YEAR, Rows

_SCORE: Final[Table] = ModelScore.__table__  # type: ignore[attr-defined]


@dataclasses.dataclass(frozen=True, slots=True)
class Compared:
    """A model against the card, over one horizon; figures are empty where they say nothing.

    ``gain`` is by how much the model's log loss is lower, ``same_grade`` and ``within_one`` the
    shares of rows on which both give the same grade, or one at most one column away.
    """

    model_id: str
    horizon: int
    rows: int
    firms: int
    failed_firms: int
    loss_of_card: float | None
    loss_of_model: float | None
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    auc_of_card: float | None
    auc_of_model: float | None
    verdict: str
    same_grade: float | None
    within_one: float | None


def of_model(conn: Connection, rows: Rows, model_id: str) -> tuple[Rows, Rows]:
    """Give the rows on which a model was heard, as it told and as the card did."""
    import numpy as np

    snapshots = sorted({snapshot for snapshot, _firm in rows.keys})
    found = {
        (row.snapshot_id, row.firm_id): _within(row.curve, rows.horizon)
        for row in conn.execute(
            select(_SCORE.c.snapshot_id, _SCORE.c.firm_id, _SCORE.c.curve).where(
                _SCORE.c.model_id == model_id,
                _SCORE.c.snapshot_id.in_(snapshots),
                _SCORE.c.curve.is_not(None),
            )
        )
    }
    at = [place for place, key in enumerate(rows.keys) if key in found]
    told = np.array([found[rows.keys[place]] for place in at], np.float64)
    card = _some(rows, at)
    return dataclasses.replace(card, told=told), card


def compare(model_id: str, model: Rows, card: Rows, appetite: Appetite) -> Compared:
    """Compare a model with the card on the same rows: log loss in pairs, ranking, grades."""
    import numpy as np

    from scoring.backtest import paired

    found = paired(card.told, model.told, card.fails, card.firm)
    same = near = None
    if len(card.told):
        bounds = [float(one.from_pd) for one in appetite.policy.scale.grades][1:]
        places = [np.searchsorted(bounds, _yearly(one), side="right") for one in (card, model)]
        apart = np.abs(places[0] - places[1])
        same, near = float((apart == 0).mean()), float((apart <= 1).mean())
    figures = plain(found)
    return Compared(
        model_id=model_id,
        horizon=model.horizon,
        rows=found.rows,
        firms=found.firms,
        failed_firms=found.failed_firms,
        loss_of_card=figures["loss"],
        loss_of_model=figures["other_loss"],
        gain=figures["gain"],
        gain_low=figures["gain_low"],
        gain_high=figures["gain_high"],
        auc_of_card=figures["auc"],
        auc_of_model=figures["other_auc"],
        verdict=found.verdict,
        same_grade=same,
        within_one=near,
    )


def pd_on(conn: Connection, snapshot_id: str, model_id: str) -> list[float]:
    """Give the one-year probabilities that a model gave on a morning."""
    said = conn.execute(
        select(_SCORE.c.pd_one_year).where(
            _SCORE.c.snapshot_id == snapshot_id,
            _SCORE.c.model_id == model_id,
            _SCORE.c.pd_one_year.is_not(None),
        )
    ).scalars()
    return [float(one) for one in said]


def _some(rows: Rows, at: Sequence[int]) -> Rows:
    import numpy as np

    places = np.array(at, np.int64)
    return dataclasses.replace(
        rows,
        told=rows.told[places],
        fails=rows.fails[places],
        firm=rows.firm[places],
        notches=rows.notches[places],
        labels={name: tuple(values[one] for one in at) for name, values in rows.labels.items()},
        keys=tuple(rows.keys[one] for one in at),
    )


def _within(curve: Any, horizon: int) -> float:  # noqa: ANN401 - twelve texts
    from scoring.hazard import Curve

    return Curve(tuple(float(one) for one in curve)).pd_within(horizon)


def _yearly(rows: Rows) -> Any:  # noqa: ANN401 - a column
    import numpy as np

    return -np.expm1(np.log1p(-np.minimum(rows.told, 1 - 1e-15)) * (YEAR / rows.horizon))
