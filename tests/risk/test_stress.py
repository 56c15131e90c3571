"""What a price would be with one thing worse, by the engine that made it."""

import math

import pytest

from scf.db.engine import Database
from scf.offers.models import Quote, QuoteLine
from scf.risk.appetite import in_force
from scf.risk.stress import downgraded, stressed, without
from scoring.hazard import pd_within
from scoring.schema import FirmRisk
from tests.risk.test_prices import last, ready


def test_a_customer_that_fails_counts_with_its_whole_weight() -> None:
    """Source: fraud.md 2.3, the golden chain of pricing.md 1.7 with X failing, seen from T1."""
    own, anchor, weight = 0.01829637, 0.00012444, 0.22744238
    part = weight * 0.07
    failed = without(FirmRisk(own, own + anchor + part), {"part": part, "weight": weight})
    assert f"{failed.total_hazard:.8f}" == "0.24586319"
    assert f"{pd_within(failed.total_hazard, 365):.8f}" in {"0.21797079", "0.21797080"}


def test_a_downgrade_is_the_geometric_middle_of_the_next_grade(db: Database) -> None:
    ready(db)
    scale = in_force().policy.scale
    for grade, worse in zip(scale.grades, scale.grades[1:], strict=False):
        start = float(grade.from_pd) or 1e-4
        inside = FirmRisk(*(2 * (-math.log1p(-start * 1.01),)), rated=True)
        made = downgraded(inside, scale)
        assert made is not None
        assert pd_within(made.total_hazard, 365) >= float(worse.from_pd)
    assert downgraded(FirmRisk(3.0, 3.0), scale) is None


@pytest.mark.parametrize("rated", [True, False])
def test_every_stress_is_the_stored_price_made_again_with_one_thing_worse(
    db: Database, *, rated: bool
) -> None:
    world = ready(db, rated=rated, ipu='"none"')
    quote = world.quote(last(world))
    (line,) = world.all(QuoteLine, quote_id=quote["id"])
    with db.snapshot() as conn:
        found = {one.what: one for one in stressed(conn, line.id)}
    priced = found["none"]
    assert (priced.rate_bp or 0) * 100 == quote["rate_ppm"]
    assert priced.grade == world.get(Quote, quote["id"]).grade
    assert {one.kind for one in found.values()} == {"expert_prior"}
    worse, late = found["downgrade"], found["late"]
    assert worse.pd_ppm > priced.pd_ppm
    assert worse.grade > priced.grade
    assert (worse.rate_bp or math.inf) > (priced.rate_bp or 0)
    assert (late.rate_bp or math.inf) > (priced.rate_bp or 0)
    assert (late.pd_ppm > priced.pd_ppm) is not rated


def test_a_price_by_contract_has_nothing_to_stress(db: Database) -> None:
    from tests.support.deals import Deals

    deals = Deals(db)
    deals.quote(deals.invoice())
    with db.snapshot() as conn:
        assert stressed(conn, deals.all(QuoteLine)[0].id) == ()
