"""A challenger is held against the card on the firms and mornings on which both were heard."""

import datetime as dt

from scf.db.engine import Database
from scf.reporting.watching.figures import figures
from scf.risk.models import ModelScore, RiskAssessment
from scf.risk.watch.models import WatchedMorning
from scf.risk.watch.outcomes import QUARTER
from tests.risk.champions import wide
from tests.risk.test_models import ModelWorld
from tests.risk.watch.months import Months, month
from tests.support.deals import BANK

BUYERS = 12
FAILING = tuple(f"b{number:02d}" for number in range(6))


class Shadowed(Months, ModelWorld):
    """Months in which a model is heard beside the card."""


def test_a_challenger_is_compared_in_pairs_and_prices_nobody(db: Database) -> None:
    world = Shadowed(db, BUYERS)
    model_id = world.challenger(wide())
    for number in range(-2, 7):
        world.trade(number, failing=FAILING if number >= 1 else ())
        if number >= 0:
            world.night(month(number) + dt.timedelta(days=1))
    with db.snapshot() as conn:
        found = figures(conn, BANK)
    assert found is not None
    (shadow,) = found.shadows
    assert (shadow.model_id, shadow.state) == (model_id, "CHALLENGER")
    compared = next(one for one in shadow.compared if one.horizon == QUARTER)
    heard = {(row.snapshot_id, row.firm_id) for row in world.all(ModelScore) if row.pd_one_year}
    quarter = next(one for one in found.judged if one.rows.horizon == QUARTER)
    assert compared.rows == len([key for key in quarter.rows.keys if key in heard]) > 0
    assert compared.failed_firms == len(FAILING)
    assert compared.gain is not None
    assert compared.gain_low is not None
    assert compared.gain_high is not None
    assert compared.gain_low <= compared.gain <= compared.gain_high
    assert compared.loss_of_card is not None
    assert compared.loss_of_model is not None
    assert abs(compared.loss_of_card - compared.loss_of_model - compared.gain) < 1e-12
    assert compared.verdict in {"better", "worse", "alike"}
    assert {row.model_id for row in world.all(RiskAssessment)} == {None}, "the card alone prices"
    # What it looks at is watched each night as the card is.
    watched = [row for row in world.all(WatchedMorning) if row.subject == model_id]
    assert len(watched) == 7
    assert {one["name"] for one in watched[-1].moved} >= {"score", "worst_dpd"}
