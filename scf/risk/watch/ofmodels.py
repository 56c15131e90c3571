"""How far the firms of a morning have moved from those that a trained model was fitted to."""

import datetime as dt
from typing import Any

from sqlalchemy import Row
from sqlalchemy.engine import Connection

from scf.risk.drift import rows_of
from scf.risk.watch.drifting import SCORE, Watched, moved
from scf.risk.watch.shadowing import pd_on


def of_model(conn: Connection, model: Any, snapshot: Row[Any]) -> Watched:  # noqa: ANN401 - a row
    """Hold the firms that trade on a morning against the rows of a model's training."""
    import numpy as np

    from scoring import canonical
    from scoring.features import NAMES
    from scoring.modelfile import ModelCard

    card = canonical.load(ModelCard, model.card)
    rows = rows_of(conn, snapshot)
    columns = [column for column in card.columns if column.name in NAMES]
    train = next(window for window in card.windows if window.use == "train")
    return Watched(
        subject=model.id,
        snapshot_id=snapshot.id,
        on=snapshot.as_of_on,
        firms=len(rows),
        reference_firms=train.rows,
        reference_from_on=dt.date.fromisoformat(train.first_on),
        reference_to_on=dt.date.fromisoformat(train.last_on),
        moved=moved(
            {SCORE: card.score} | {column.name: column.bins for column in columns},
            {SCORE: np.array(pd_on(conn, snapshot.id, model.id), np.float64)}
            | {column.name: rows[:, NAMES.index(column.name)] for column in columns},
            train.rows,
        ),
    )
