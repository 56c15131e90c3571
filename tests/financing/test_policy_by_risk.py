"""The policy over real risk prices: what the model says, and what happens when it says nothing."""

import datetime as dt

import pytest

from scf.db.engine import Database
from scf.financing.models import Advance, FinancingRequest
from scf.offers.models import Quote
from scf.reporting.economics import economics_of
from tests.risk.world import TODAY, RiskWorld
from tests.support.deals import ANCHOR, Deals

DUE = dt.date(2026, 6, 9)


@pytest.fixture
def world(db: Database) -> RiskWorld:
    """An anchor with a rating and a history, and an invoice within the policy's band."""
    made = RiskWorld(db)
    made.history()
    made.rated(ANCHOR)
    made.sale("40,000.00", due=DUE)
    made.morning()
    made.at(TODAY)
    return made


def lines(world: RiskWorld, request_id: str) -> dict[str, bool]:
    row = world.get(FinancingRequest, request_id)
    return {line["code"]: line["passed"] for line in row.reasons}


def test_a_good_grade_within_the_band_is_decided_at_once(world: RiskWorld) -> None:
    quote = world.quote(world.all_invoices()[-1])
    assert world.get(Quote, quote["id"]).grade == "A2"
    answer = world.submit(quote["id"])
    assert answer["state"] == "APPROVED"
    assert lines(world, answer["id"]) == dict.fromkeys(
        ("MODEL", "MODEL_DATE", "ROUTE", "BAND", "CHECK_DUPLICATE", "RING", "LIMITS"), True
    )


def test_without_an_assessment_nothing_is_decided_by_the_policy(world: RiskWorld) -> None:
    quote = world.quote(world.all_invoices()[-1])
    world.change(Quote, quote["id"], grade=None)
    answer = world.submit(quote["id"])
    assert answer["state"] == "IN_REVIEW"
    assert lines(world, answer["id"])["MODEL"] is False


def test_a_price_that_rests_on_simulated_firms_is_for_a_person_to_decide(world: RiskWorld) -> None:
    quote = world.quote(world.all_invoices()[-1])
    world.change(Quote, quote["id"], model_kind="simulated")
    answer = world.submit(quote["id"])
    assert answer["state"] == "IN_REVIEW"
    found = lines(world, answer["id"])
    assert [code for code, passed in found.items() if not passed] == ["MODEL_SIMULATED"]


def test_on_yesterdays_graph_a_person_decides(world: RiskWorld) -> None:
    tomorrow = TODAY + dt.timedelta(days=1)
    world.set_date(tomorrow)
    world.at(tomorrow)
    quote = world.quote(world.all_invoices()[-1])
    answer = world.submit(quote["id"])
    assert answer["state"] == "IN_REVIEW"
    found = lines(world, answer["id"])
    assert [code for code, passed in found.items() if not passed] == [
        "MODEL_DATE", "SNAPSHOT_STALE", "ROUTE",
    ]  # fmt: skip


def test_the_figures_of_a_case_are_those_of_its_price(world: RiskWorld) -> None:
    """An undertaking at .15 % a year: 250 for funds, 6 for losses, 22 for capital, 40 margin."""
    answer = world.submit(world.quote(world.all_invoices()[-1])["id"])
    rows = world.all(Advance, request_id=answer["id"])
    with world.db.snapshot() as conn:
        found = economics_of(conn, rows, 360)
    assert found is not None
    assert (found.kind, found.pd_ppm, found.hurdle_ppm) == ("expert_prior", 1_500, 120_000)
    assert found.pd_item_ppm == 370
    assert found.expected_loss_minor == 592  # 40,000.00 at 5.921155 bp for 90 of 360 days
    assert found.return_ppm is not None
    assert found.return_ppm > found.hurdle_ppm


def test_a_price_by_contract_has_no_such_figures(db: Database) -> None:
    deals = Deals(db)
    deals.request(deals.invoice("1,000.00"))
    with deals.db.snapshot() as conn:
        assert economics_of(conn, deals.all(Advance), 360) is None
