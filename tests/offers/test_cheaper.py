"""What would make a quote cheaper: the seller's own levers, worked out by the engine, rounded."""

import dataclasses
import datetime as dt
import json
from typing import Any

from scf.db.engine import Database
from scf.documents.models import Invoice
from scf.offers.models import Quote, QuoteLine
from scf.offers.service import Ask, compute
from scf.risk import appetite
from scf.risk.levers import lower
from scf.risk.models import PriceAssessment
from scoring import canonical
from scoring.pricing import price
from scoring.schema import PriceInputs
from tests.risk.debts import DUE, Debts
from tests.risk.test_prices import last, ready
from tests.support.deals import ANCHOR, DAY, SELLER, eur


def levers(quote: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["lever"]: one for one in quote["what_ifs"]}


def inputs_of(world: Debts, quote: dict[str, Any]) -> PriceInputs:
    (line,) = world.all(QuoteLine, quote_id=quote["id"])
    (row,) = world.all(PriceAssessment, quote_line_id=line.id)
    return canonical.load(PriceInputs, row.inputs)


def test_each_lever_that_the_agreements_allow_is_told_once(db: Database) -> None:
    world = Debts(db)
    invoice_id = world.opened()
    quote = world.priced(invoice_id)
    assert list(levers(quote)) == ["UNDERTAKING", "CONFIRMATION", "STATEMENT", "SHORTER_TENOR"]
    assert all(one["about_bp"] % 5 == 0 for one in quote["what_ifs"])
    # The rate of what is saved follows from the two that are shown, and tells no more.
    rate = quote["rate_ppm"] // 100
    for one in quote["what_ifs"]:
        assert abs(max(rate - one["about_bp"], 0) - one["saves_bp"]) <= 2
    world.agree("answered", recourse='"full"')
    assert "RECOURSE" in levers(world.priced(invoice_id))
    # Kept with the quote, and read from there.
    assert world.get(Quote, quote["id"]).what_ifs == quote["what_ifs"]


def test_an_undertaking_is_worth_what_the_buyers_programme_would_ask(db: Database) -> None:
    """The figure is that of a quote which the seller gets once its buyer has undertaken to pay."""
    world = Debts(db)
    invoice_id = world.opened()
    about = levers(world.priced(invoice_id))["UNDERTAKING"]["about_bp"]
    world.accept(invoice_id)
    undertaken = world.quote(invoice_id)
    assert undertaken["programme_id"] == world.programme_id
    whole = inputs_of(world, undertaken)
    assert whole.claim == "undertaking"
    assert abs(undertaken["rate_ppm"] // 100 - about) <= 2


def test_a_statement_would_be_worth_what_it_is_worth_once_it_is_there(db: Database) -> None:
    world = Debts(db)
    invoice_id = world.opened()
    told = levers(world.priced(invoice_id))["STATEMENT"]
    assert told["about_bp"] <= world.priced(invoice_id)["rate_ppm"] // 100
    world.fact(
        SELLER, "statement", period_end_on=dt.date(2025, 12, 31), received_on=DAY,
        currency="EUR", revenue_minor=2_000_000_00, equity_ppm=100_000,
        liquidity_minor=100_000_00, weekly_cost_minor=40_000_00,
    )  # fmt: skip
    world.morning(dt.date(2026, 3, 12))
    world.at(dt.date(2026, 3, 12))
    later = world.priced(invoice_id)
    assert "STATEMENT" not in levers(later)


def test_a_later_day_and_a_whole_invoice_are_priced_as_such(db: Database) -> None:
    world = Debts(db)
    invoice_id = world.opened("9,000.00")
    part = world.priced(invoice_id, amount="4,500.00")
    whole = levers(part)["BIGGER_BATCH"]
    assert whole["to"] == eur("9,000.00")
    assert abs(whole["about_bp"] - world.priced(invoice_id)["rate_ppm"] // 100) <= 2
    assert levers(world.priced(invoice_id))["BIGGER_BATCH"]["to"] == eur("18,000.00")
    later = levers(part)["SHORTER_TENOR"]
    assert later["to"] == 60
    asked = world.priced(invoice_id, amount="4,500.00", value_on=DUE - dt.timedelta(days=60))
    assert abs(later["about_bp"] - asked["rate_ppm"] // 100) <= 2


def test_early_words_leave_only_what_was_credited_after_them(db: Database) -> None:
    """What was credited before the buyer's word would never have been financed."""
    world = Debts(db)
    for month in range(1, 7):
        day = DAY - dt.timedelta(days=30 * month + 60)
        world.at(day)
        invoice_id = world.sale("10,000.00", accepted=False, issued=day)
        world.change(Invoice, invoice_id, credited_minor=eur("2,000.00"))
        world.at(day + dt.timedelta(days=2))
        world.accept(invoice_id)
        world.at(day + dt.timedelta(days=60))
        world.pay(invoice_id, "8,000.00")
    world.at(DAY)
    quote = world.priced(world.opened())
    inputs = inputs_of(world, quote)
    assert inputs.dilution is not None
    assert inputs.dilution.share > 0.03
    assert levers(quote)["CONFIRMATION"]["saves_bp"] > 0


def test_an_undertaking_leaves_only_time_and_size(db: Database) -> None:
    quote = (world := ready(db)).quote(last(world))
    assert [one["lever"] for one in quote["what_ifs"]] == ["SHORTER_TENOR"]


def test_looking_is_neither_stored_nor_counted(db: Database) -> None:
    world = Debts(db)
    invoice_id = world.opened()
    with db.snapshot() as conn:
        from scf.offers.cheaper import what_ifs

        ask = Ask([invoice_id], programme_id=world.own_id)
        for _ in range(60):
            computed = compute(conn, SELLER, ask, world.clock.now())
        seen = what_ifs(conn, computed)
    assert world.all(PriceAssessment) == []
    assert world.priced(invoice_id)["what_ifs"] == seen


def test_a_price_by_contract_has_no_levers(db: Database) -> None:
    from tests.support.deals import Deals

    deals = Deals(db)
    assert deals.quote(deals.invoice())["what_ifs"] is None


def test_officers_read_exact_rates_of_what_would_lower_one(db: Database) -> None:
    world = Debts(db)
    quote = world.priced(world.opened())
    (line,) = world.all(QuoteLine, quote_id=quote["id"])
    with db.snapshot() as conn:
        found = {one.lever: one for one in lower(conn, line.id, None, 5)}
    assert {"UNDERTAKING", "MORE_RESERVE", "BETTER_GRADE"} <= set(found)
    assert all(one.saves_bp > 0 for one in found.values())
    inputs, policy = inputs_of(world, quote), appetite.in_force().policy
    assert inputs.dilution is not None
    more = dataclasses.replace(inputs.dilution, reserve=inputs.dilution.reserve * 2)
    again = price(dataclasses.replace(inputs, dilution=more, face_minor=eur("80,000.00")), policy)
    assert found["MORE_RESERVE"].rate_bp == again.rate_bp  # type: ignore[index]
    assert json.loads(world.all(PriceAssessment)[0].inputs)["face_minor"] == eur("90,000.00")
    assert world.assessment(ANCHOR).grade
