"""What is little known goes to a person, with the reason: from the quote to the decision."""

import datetime as dt
from collections.abc import Callable

import pytest

from scf.db.engine import Database
from scf.financing.models import FinancingRequest, RequestReview
from scf.offers.models import Quote
from tests.risk.world import TODAY, RiskWorld
from tests.support.deals import ANCHOR, DAY, MAKER, SELLER, eur
from web.portal.officer.words import criterion

DUE = dt.date(2026, 6, 9)
THIRD = "third-firm"


def no_history(world: RiskWorld) -> None:
    """Nobody has ever paid anybody here."""
    world.sale("40,000.00", due=DUE)
    world.morning()


def lone(world: RiskWorld) -> None:
    """The firms have traded, but not for more than a quarter of a year."""
    for month in range(10, 6, -1):
        world.at(DAY - dt.timedelta(days=30 * month))
        paid = world.sale("10,000.00", due=DAY - dt.timedelta(days=30 * month - 20))
        world.at(DAY - dt.timedelta(days=30 * month - 20))
        world.pay(paid, "10,000.00")
    world.morning()
    world.sale("40,000.00", due=DUE)


def circle(world: RiskWorld) -> None:
    """Each of three firms sells to the next, the last one to the first."""
    world.history(items=14)
    for firm in (SELLER, ANCHOR, THIRD):
        world.fact(
            firm, "statement", period_end_on=dt.date(2025, 12, 31), received_on=DAY,
            currency="EUR", revenue_minor=eur("900,000,000.00"), equity_ppm=500_000,
            liquidity_minor=eur("90,000,000.00"), weekly_cost_minor=eur("9,000,000.00"),
        )  # fmt: skip
    world.sale("40,000.00", buyer=THIRD, seller=ANCHOR, due=DUE)
    world.sale("40,000.00", buyer=SELLER, seller=THIRD, due=DUE)
    world.sale("40,000.00", due=DUE)
    world.morning()


@pytest.mark.parametrize(
    ("lives", "code"),
    [(no_history, "NO_HISTORY"), (lone, "LONE_FIRM"), (circle, "TRADE_CIRCLE")],
    ids=["without history", "alone", "in a circle"],
)
def test_a_person_decides_on_what_is_little_known(
    db: Database, lives: Callable[[RiskWorld], None], code: str
) -> None:
    world = RiskWorld(db, THIRD)
    lives(world)
    world.at(TODAY)
    quote = world.quote(world.all_invoices()[-1])
    assert world.get(Quote, quote["id"]).route != "auto"
    request_id = world.submit(quote["id"])["id"]
    row = world.get(FinancingRequest, request_id)
    assert (row.state, row.decided_by) == ("IN_REVIEW", None)
    failed = [line["code"] for line in row.reasons if not line["passed"]]
    assert code in failed
    assert all(criterion(one) != one for one in failed), "a reason in words"
    assert world.all(RequestReview) == []
    for line in row.reasons:
        assert line["code"] != "CHECK_DUPLICATE" or line["passed"], "the platform has looked"
    assert world.decide(request_id, MAKER)["state"] == "APPROVED"


def test_the_day_that_ends_between_price_and_request_leaves_it_to_a_person(db: Database) -> None:
    world = RiskWorld(db)
    world.history()
    world.rated(ANCHOR)
    world.sale("40,000.00", due=DUE)
    world.morning()
    world.at(TODAY)
    quote = world.quote(world.all_invoices()[-1], value_on=TODAY + dt.timedelta(days=2))
    assert world.get(Quote, quote["id"]).route == "auto"
    world.set_date(TODAY + dt.timedelta(days=1))
    row = world.get(FinancingRequest, world.submit(quote["id"])["id"])
    assert row.state == "IN_REVIEW"
    assert [line["code"] for line in row.reasons if not line["passed"]] == ["MODEL_DATE"]
