"""Banks with a champion: small models of drawn rows, wide enough for any firm of a test."""

import functools
from typing import Any, Final

import numpy as np

from scf.risk.models import ModelScore
from scf.risk.promoting import Trained
from scoring import canonical
from scoring.estimators import Blend, HazardCurves
from scoring.features import FEATURES, NAMES
from scoring.modelfile import Column, ModelCard, Window, data_hash, write
from scoring.monitoring import Bins
from tests.risk.test_models import ModelWorld
from tests.support.deals import DAY

SPREAD: Final = 400.0  # of every input, so that no firm of a test is outside


@functools.cache  # both engines and all tests take the same files
def wide(
    seed: int = 1,
    kind: Any = "trained",  # noqa: ANN401 - one of two words
    *,
    trees: int = 3,
    spread: float = SPREAD,
    share: float = 0.1,
) -> Trained:
    """Train a model on drawn firms whose risk rises with what their buyers and they have overdue.

    Parameters
    ----------
    share
        Of the drawn firms that fail within the year.
    """
    rng = np.random.default_rng(seed)
    rows = rng.uniform(-spread, spread, size=(400, len(NAMES)))
    push = sum(
        sign * rows[:, NAMES.index(name)]
        for name, sign in (("worst_dpd", 1), ("buyers_overdue", 1), ("days_since_sale", 1))
    )
    fails = push > np.quantile(push, 1 - share)
    days = np.where(fails, rng.integers(1, 366, len(rows)), -365).astype(np.float64)
    signs = (*(one.sign for one in FEATURES), 0)
    model = HazardCurves(Blend(trees=trees, signs=signs)).fit(rows, days)
    card = ModelCard(
        name=f"wide-{seed}", kind=kind, target="a failure within a year", horizon_days=365,
        columns=tuple(Column.of(one, rows[:, at]) for at, one in enumerate(FEATURES)),
        windows=(Window("train", "2024-01-01", "2025-01-01", len(rows), int(fails.sum())),),
        score=Bins.of(model.predict(rows)), data_hash=data_hash(rows, days),
        settings={"trees": str(trees)}, measures={"auc": 0.7},
    )  # fmt: skip
    return Trained(
        name=card.name, kind=kind, file=write(model, card), schema_hash="s", trained_on=DAY,
        data_hash=card.data_hash, card=canonical.dump(card),
        tenths={"model": [[12, 0.4, 1]] * 10, "card": []},
    )  # fmt: skip


class ChampionWorld(ModelWorld):
    """A bank that promotes models, and mornings on which they are heard."""

    def scores(self, model_id: str) -> dict[str, Any]:
        """Give what a model said of each firm on the last morning."""
        snapshot = self.snapshot().id
        rows = self.all(ModelScore, model_id=model_id, snapshot_id=snapshot)
        return {row.firm_id: row for row in rows}

    def heard(self, *models: Trained) -> list[str]:
        """Trade, promote one model after the other, and let the last one be heard."""
        self.history()
        self.sale("100,000.00", issued=DAY)
        found = [self.champion(made) for made in models]
        self.morning()
        return found

    def claim(self) -> str:
        """Give the invoice that is to be financed."""
        return self.all_invoices()[-1]
