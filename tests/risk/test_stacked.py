"""Who owes and what stacks, from the agreement to the price. Source: pricing.md section 3."""

import dataclasses
import json
from typing import Any

import pytest

from scf.db.engine import Database
from scf.kernel.errors import InvalidInput, RuleViolation
from scf.offers.models import Quote, QuoteLine
from scf.programmes.models import LimitNode
from scf.risk import appetite, reading
from scf.risk.models import PriceAssessment
from scf.risk.pricing import Claimed, price_claim, price_held
from scf.risk.replay import replay
from scoring import canonical
from scoring.pricing import price
from scoring.schema import MICRO, PriceInputs
from tests.risk.debts import COVER, INSURER, Debts
from tests.risk.world import TODAY
from tests.support.deals import ANCHOR, BANK, CHECKER, MAKER, SELLER, eur, refusals_of


def made(world: Debts, quote: dict[str, Any]) -> Any:  # noqa: ANN401 - a row
    (line,) = world.all(QuoteLine, quote_id=quote["id"])
    (row,) = world.all(PriceAssessment, quote_line_id=line.id)
    return row


def inputs_of(world: Debts, quote: dict[str, Any]) -> PriceInputs:
    return canonical.load(PriceInputs, made(world, quote).inputs)


def parts(world: Debts, quote: dict[str, Any]) -> dict[str, int]:
    """Give the eleven parts in millionths of a basis point."""
    result = json.loads(made(world, quote).result)
    return {part["name"]: part["micro_bp"] for part in result["components"]}


# --- Insurance ------------------------------------------------------------------------------------


def test_an_insured_claim_costs_its_premium_and_loses_less(db: Database) -> None:
    world = Debts(db)
    insured = world.agree("insured", insurance=COVER)
    world.rated(INSURER, 1_000)
    world.insured()
    invoice_id = world.opened()
    plain, covered = world.priced(invoice_id), world.priced(invoice_id, insured)
    before, after = parts(world, plain), parts(world, covered)
    assert after["channel"] == before["channel"] + 35 * MICRO
    for name in ("default_own", "capital"):
        assert after[name] < before[name]
    for name in ("funding", "late_days", "dilution", "operating", "uncertainty", "margin"):
        assert after[name] == before[name]
    cover = inputs_of(world, covered).insurance
    assert cover is not None
    assert cover.cover * 10 == 9
    assert cover.premium_bp == 35
    assert cover.insurer.rated
    # Without its premium the cover never makes anything dearer.
    free = dataclasses.replace(
        inputs_of(world, covered), insurance=dataclasses.replace(cover, premium_bp=cover.cover * 0)
    )
    policy = appetite.in_force().policy
    assert (price(free, policy).rate_bp or 0) <= plain["rate_ppm"] // 100
    with db.snapshot() as conn:
        assert replay(conn, [made(world, covered).quote_line_id]).differences == ()


def test_the_insurers_wait_is_paid_for_in_late_days(db: Database) -> None:
    world = Debts(db)
    at_once = world.agree("at-once", insurance=COVER)
    waiting = world.agree(
        "waiting", insurance=COVER.replace("waiting_days = 0", "waiting_days = 90")
    )
    world.rated(INSURER, 1_000)
    world.insured()
    invoice_id = world.opened()
    soon, late = (parts(world, world.priced(invoice_id, one)) for one in (at_once, waiting))
    assert late["late_days"] > soon["late_days"] + 200 * MICRO


def test_what_is_not_covered_of_a_debtor_is_not_financed(db: Database) -> None:
    world = Debts(db)
    insured = world.agree("insured", insurance=COVER)
    world.rated(INSURER, 1_000)
    first, second = world.opened("60,000.00"), world.sale("60,000.00", accepted=False)
    with pytest.raises(RuleViolation) as none:
        world.priced(first, insured)
    assert [one["code"] for one in refusals_of(none.value)] == ["LIMIT_INSURED"]
    world.insured("100,000.00")
    world.submit(world.priced(first, insured)["id"])
    (node,) = (row for row in world.all(LimitNode) if row.kind == "insured")
    assert (node.subject_id, node.held_minor) == (ANCHOR, eur("60,000.00"))
    with pytest.raises(RuleViolation) as full:
        world.priced(second, insured)
    assert [one["code"] for one in refusals_of(full.value)] == ["LIMIT_INSURED"]
    assert "40,000" not in str(full.value.facts)
    world.priced(second)  # without the insurer the same claim is a plain one


def test_a_cover_without_a_rated_insurer_counts_for_nothing_and_goes_to_a_person(
    db: Database,
) -> None:
    world = Debts(db)
    insured = world.agree("insured", insurance=COVER)
    world.insured()
    invoice_id = world.opened()
    plain, covered = world.priced(invoice_id), world.priced(invoice_id, insured)
    assert covered["rate_ppm"] == plain["rate_ppm"] + 3_500
    assert "COVER_COUNTS_FOR_NOTHING" in made(world, covered).route_reasons
    assert world.get(Quote, covered["id"]).route == "officer"


def test_an_insurer_of_the_debtors_group_insures_nothing(db: Database) -> None:
    world = Debts(db, "holding")
    insured = world.agree("insured", insurance=COVER)
    world.rated(INSURER, 1_000)
    world.insured()
    world.fact(ANCHOR, "owner", owner_id="holding")
    world.fact(INSURER, "owner", owner_id="holding")
    invoice_id = world.opened()
    covered = world.priced(invoice_id, insured)
    cover = inputs_of(world, covered).insurance
    assert cover is not None
    assert not cover.cover
    assert cover.waiting_days == 0


def test_a_seller_of_the_insurers_group_counts_once(db: Database) -> None:
    world = Debts(db)
    both = world.agree("both", insurance=COVER, recourse='"full"')
    only = world.agree("only", recourse='"full"')
    world.rated(INSURER, 1_000)
    world.insured()
    for node in (row for row in world.all(LimitNode) if row.kind == "seller"):
        assert node.limit_minor
    world.fact(SELLER, "owner", owner_id=INSURER)
    invoice_id = world.opened()
    once, recourse = world.priced(invoice_id, both), world.priced(invoice_id, only)
    assert once["rate_ppm"] == recourse["rate_ppm"] + 3_500


def test_an_insurer_that_is_not_here_or_is_a_party_is_refused(db: Database) -> None:
    world = Debts(db)
    for insurer in ("lei:5493001KJTIIGC8Y1R12", "bank", SELLER):
        cover = COVER.replace("lei:529900T8BM49AURSDO55", insurer)
        with pytest.raises((RuleViolation, InvalidInput)) as error:
            world.agree("bad", insurance=cover)
        assert error.value.code in {"INSURER", "PROGRAMME_FILE"}


# --- Assignment, border, group --------------------------------------------------------------------


def test_a_silent_assignment_and_a_border_lose_more(db: Database) -> None:
    world = Debts(db)
    silent = world.agree("silent", disclosed="false")
    invoice_id = world.opened()
    plain = inputs_of(world, world.priced(invoice_id))
    hidden = inputs_of(world, world.priced(invoice_id, silent))
    world.move_abroad(ANCHOR)
    abroad = world.priced(invoice_id, silent)
    assert (plain.lgd.silent, plain.lgd.cross_border) == (False, False)
    assert (hidden.lgd.silent, hidden.lgd.cross_border) == (True, False)
    assert (inputs_of(world, abroad).lgd.silent, inputs_of(world, abroad).lgd.cross_border) == (
        True,
        True,
    )
    lgd = [
        json.loads(made(world, one).result)["memo"]["lgd"]
        for one in (world.priced(invoice_id), abroad)
    ]
    assert [round(one, 2) for one in lgd] == [0.55, 0.65]


def test_recourse_after_some_days_lies_between_none_and_full(db: Database) -> None:
    world = Debts(db)
    full = world.agree("full", recourse='"full"')
    later = world.agree("later", recourse='"after_days"', recourse_after_days="90")
    invoice_id = world.opened()
    with db.snapshot() as conn:
        morning = reading.morning(conn, BANK, TODAY, {ANCHOR, SELLER})
        assert morning is not None
        rates = []
        for programme in (full, later, world.own_id):
            row = made(world, world.priced(invoice_id, programme))
            claimed = canonical.load(Claimed, json.loads(row.terms)["claimed"])
            priced = price_claim(conn, morning, claimed, appetite.in_force())
            # This seller lives by its one debtor; a seller of many is answered for.
            inputs = priced.inputs
            if inputs.recourse is not None:
                half = dataclasses.replace(
                    inputs.recourse, dependency=inputs.recourse.dependency / 9
                )
                inputs = dataclasses.replace(inputs, recourse=half)
            found = price(inputs, appetite.in_force().policy)
            rates.append(sum(part.micro_bp for part in found.components))
    assert rates[0] < rates[1] < rates[2]


def test_firms_of_one_group_do_not_sell_to_each_other(db: Database) -> None:
    world = Debts(db, "holding", "above")
    invoice_id = world.opened()
    assert world.priced(invoice_id)["id"]
    assert not world.fact(ANCHOR, "owner", owner_id="holding")["waits_for_second"]
    assert not world.fact("holding", "owner", owner_id="above")["waits_for_second"]
    assert world.priced(invoice_id)["id"]
    world.fact(SELLER, "owner", owner_id="above")
    with pytest.raises(RuleViolation) as error:
        world.priced(invoice_id)
    (refusal,) = refusals_of(error.value)
    assert refusal["code"] == "RISK_BELOW_FLOOR"
    assert "owner" not in json.dumps(refusal).lower()
    # That they are two again makes them cheaper: another person confirms it.
    alone = world.run(
        "firm.fact", MAKER, firm_id=SELLER, kind="owner", owner_id=SELLER, evidence="sold"
    )
    assert alone["waits_for_second"]
    with pytest.raises(RuleViolation):
        world.priced(invoice_id)
    world.run("firm.fact.confirm", CHECKER, fact_id=alone["id"])
    assert world.priced(invoice_id)["id"]


# --- Deep tier ------------------------------------------------------------------------------------


def test_a_leaf_is_the_anchors_debt_and_sold_at_the_lower_of_two_prices(db: Database) -> None:
    """The way that the technique of vouchers will use; nothing hands leaves on yet."""
    world = Debts(db, "anchor-above")
    world.rated("anchor-above")
    invoice_id = world.opened("40,000.00")
    world.sale("1,000.00", ANCHOR, "anchor-above")
    row = made(world, world.priced(invoice_id))
    plain = canonical.load(Claimed, json.loads(row.terms)["claimed"])
    policy = appetite.in_force()
    with db.snapshot() as conn:
        morning = reading.morning(conn, BANK, TODAY, {ANCHOR, SELLER, "anchor-above"})
        assert morning is not None

        def leaf(transfers: int, state: str = "accepted") -> Any:  # noqa: ANN401 - a price
            claimed = dataclasses.replace(
                plain, claim="leaf", leaf=state, transfers=transfers, obligor_id="anchor-above"
            )
            return price_held(conn, morning, claimed, plain, policy)

        rates = [leaf(hands).result.rate_bp for hands in (0, 1, 2)]
        assert [rate - rates[0] for rate in rates] == [0, 15, 30]
        own = price_claim(conn, morning, plain, policy).result.rate_bp
        assert own is not None
        assert rates[-1] < own
        far = leaf(transfers=200)
        assert far.result.rate_bp == own
        assert far.claimed.claim == "plain"
        assert leaf(0, "issued").result.rate_bp > rates[0]
        gone = leaf(0, "defaulted")
        assert gone.result.refusal.code == "LEAF_NOT_PRICEABLE"
