"""Quotes priced by risk: from the database to rate, route, rungs and refusals."""

import datetime as dt
import json
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from scf.db.engine import Database
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, RuleViolation
from scf.kernel.ids import digest
from scf.offers import riskprice
from scf.offers.models import Quote, QuoteLine
from scf.reporting.verify import verify
from scf.risk import appetite
from scf.risk.models import FirmFact, PriceAssessment
from scf.risk.replay import replay
from tests.risk.world import TODAY, RiskWorld
from tests.support.deals import (
    ANCHOR,
    BANK,
    CHECKER,
    DAY,
    MAKER,
    SELLER,
    eur,
    refusals_of,
)

DUE = dt.date(2026, 6, 9)  # 90 days from TODAY
COMPONENTS = (
    "funding", "late_days", "default_own", "default_chain", "dilution", "capital", "operating",
    "channel", "uncertainty", "margin", "floor_addon",
)  # fmt: skip


def ready(db: Database, *, rated: bool = True, history: bool = True, **terms: str) -> RiskWorld:
    """A world on TODAY with an invoice of the million, due in 90 days."""
    world = RiskWorld(db, **terms)
    if history:
        world.history()
    if rated:
        world.rated(ANCHOR)
    world.sale("1,000,000.00", due=DUE)
    world.morning()
    world.at(TODAY)
    return world


def last(world: RiskWorld) -> str:
    return world.all_invoices()[-1]


@pytest.fixture
def no_appetite() -> Iterator[None]:
    kept = appetite._InForce.appetite
    yield
    appetite._InForce.appetite = kept


def test_the_first_worked_quote_comes_out_of_the_database(db: Database) -> None:
    """Source: pricing.md 2.5, Q1: an undertaking of an anchor rated .15 %."""
    world = ready(db)
    quote = world.quote(last(world))
    assert (quote["rate_percent"], quote["rate_ppm"]) == ("3.18", 31_800)
    assert (quote["discount_minor"], quote["net_minor"]) == (eur("7,950.00"), eur("992,050.00"))
    assert quote["effective_ppm"] == 32_900
    assert quote["rungs"] == {
        "bank_funding": 250, "buyer_credit": 28, "record_and_size": 0, "service": 40,
    }  # fmt: skip
    assert quote["reasons"] == ["ANCHOR_UNDERTAKES"]
    stored, line = world.get(Quote, quote["id"]), world.all(QuoteLine)[0]
    assert (stored.route, stored.grade) == ("auto", "A2")
    assert line.components == dict(
        zip(COMPONENTS, (250, 0, 6, 0, 0, 22, 0, 0, 0, 40, 0), strict=True)
    )
    assert sum(line.components.values()) * 100 == quote["rate_ppm"]
    made = world.all(PriceAssessment)[0]
    assert (made.id, made.kind) == (line.assessment_id, "expert_prior")


def test_a_revocable_word_of_an_unknown_buyer_is_a_persons_to_decide(db: Database) -> None:
    world = ready(db, rated=False, history=False, ipu='"none"')
    quote = world.quote(last(world))
    stored, made = world.get(Quote, quote["id"]), world.all(PriceAssessment)[0]
    assert stored.route == "officer"
    assert {"FEW_SETTLED_ITEMS", "NO_HISTORY"} <= set(made.route_reasons)
    assert "BUYERS_CREDIT" in quote["reasons"]
    assert len(quote["reasons"]) <= 4


def test_recourse_is_never_dearer_than_none(db: Database) -> None:
    world = ready(db, rated=False, ipu='"none"')
    without = world.quote(last(world))["rate_ppm"]
    with_recourse = world.programme("with-recourse", ipu='"none"', recourse='"full"')
    world.limit("programme", with_recourse, "10,000,000.00")
    assert world.quote(last(world), programme_id=with_recourse)["rate_ppm"] <= without


def test_a_replay_gives_every_bit_again(db: Database) -> None:
    world = ready(db, rated=False, ipu='"none"')
    quote = world.quote(last(world))
    world.sale("123,000.00")
    world.rated(ANCHOR, 90_000)
    lines = [row.id for row in world.all(QuoteLine, quote_id=quote["id"])]
    with db.snapshot() as conn:
        found = replay(conn, lines)
    assert found.lines == 1
    assert found.differences == ()


def test_a_changed_input_is_found_by_replay_and_by_verify(db: Database) -> None:
    world = ready(db, history=False)
    quote = world.quote(last(world))
    assert not verify(world.platform).breaches
    row = world.all(PriceAssessment)[0]
    changed = json.dumps(json.loads(row.inputs) | {"tenor_days": 80})
    trigger = "price_assessment_no_" + ("update" if db.dialect == "sqlite" else "change")
    on = "" if db.dialect == "sqlite" else " ON price_assessment"
    with db.writer.begin() as conn:
        conn.execute(text(f"DROP TRIGGER {trigger}{on}"))
    world.change(PriceAssessment, row.id, inputs=changed)
    with db.snapshot() as conn:
        found = replay(conn, [row.quote_line_id])
    fields = {one.field for one in found.differences if one.source == "database"}
    assert "inputs.tenor_days" in fields
    assert any(one.source == "stored inputs" for one in found.differences)
    assert [one.code for one in verify(world.platform).breaches] == ["RISK_DIGEST"]
    assert quote["id"]


def test_a_changed_result_whose_digest_fits_is_found_by_replay(db: Database) -> None:
    world = ready(db, history=False)
    world.quote(last(world))
    row = world.all(PriceAssessment)[0]
    changed = json.dumps(json.loads(row.result) | {"rate_bp": 1})
    trigger = "price_assessment_no_" + ("update" if db.dialect == "sqlite" else "change")
    on = "" if db.dialect == "sqlite" else " ON price_assessment"
    with db.writer.begin() as conn:
        conn.execute(text(f"DROP TRIGGER {trigger}{on}"))
    fits = digest([row.terms, row.inputs, changed])
    world.change(PriceAssessment, row.id, result=changed, digest=fits)
    assert not verify(world.platform).breaches
    with db.snapshot() as conn:
        found = replay(conn, [row.quote_line_id])
    assert "result.rate_bp" in {one.field for one in found.differences if one.source == "database"}


# --- Refusals -------------------------------------------------------------------------------------


def refused(world: RiskWorld, **ask: object) -> str:
    with pytest.raises(RuleViolation) as error:
        world.quote(last(world), **ask)  # type: ignore[arg-type]
    first = refusals_of(error.value)[0]
    assert first["next_step"]
    assert "0." not in json.dumps([first["measured"], first["threshold"], first["message"]])
    return str(first["code"])


def test_without_a_snapshot_nothing_is_priced(db: Database) -> None:
    world = RiskWorld(db)
    world.sale("1,000,000.00", due=DUE)
    assert refused(world) == "MODEL_UNAVAILABLE"


def test_without_a_risk_appetite_nothing_is_priced(db: Database, no_appetite: None) -> None:
    world = ready(db)
    appetite.install_appetite(None)
    assert refused(world) == "MODEL_UNAVAILABLE"


def test_an_older_morning_leaves_it_to_a_person_and_a_much_older_one_to_nobody(
    db: Database,
) -> None:
    world = ready(db)
    world.set_date(TODAY + dt.timedelta(days=2))
    world.at(TODAY + dt.timedelta(days=2))
    quote = world.quote(last(world))
    assert world.get(Quote, quote["id"]).route == "officer"
    assert world.all(PriceAssessment)[0].route_reasons == ["SNAPSHOT_STALE"]
    world.set_date(TODAY + dt.timedelta(days=6))
    world.at(TODAY + dt.timedelta(days=6))
    assert refused(world) == "MODEL_UNAVAILABLE"


def test_a_price_above_the_legal_cap_is_no_offer(db: Database) -> None:
    assert refused(ready(db, legal_cap_ppm="31_700")) == "PRICE_ABOVE_CAP"


def test_a_debtor_in_default_is_refused_in_the_words_of_a_weak_one(db: Database) -> None:
    world = RiskWorld(db)
    world.at(DAY - dt.timedelta(days=200))
    world.sale("90,000.00", due=DAY - dt.timedelta(days=100))
    world.at(DAY)
    world.sale("1,000,000.00", due=DUE)
    world.morning()
    world.at(TODAY)
    assert world.assessment(ANCHOR).grade == "X"
    assert refused(world) == "RISK_BELOW_FLOOR"


def test_many_lines_share_one_route_so_that_nothing_is_split_to_pass(db: Database) -> None:
    """Grade C1 decides itself up to 250,000; two halves of 400,000 are 400,000."""
    world = RiskWorld(db)
    world.history(items=12)
    world.rated(ANCHOR, 20_000)
    halves = [world.sale("200,000.00", due=DUE) for _ in range(2)]
    world.morning()
    world.at(TODAY)
    one, both = world.quote(halves[0]), world.quote(*halves)
    assert world.get(Quote, one["id"]).route == "auto"
    assert world.get(Quote, both["id"]).route == "officer"


def test_the_fifty_first_what_if_of_a_day_is_refused(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(riskprice, "WHAT_IFS_A_DAY", 2)
    world = ready(db)
    for amount in ("10,000.00", "20,000.00"):
        world.quote(last(world), amount=amount)
    with pytest.raises(RuleViolation, match="WHAT_IF_LIMIT"):
        world.quote(last(world), amount="30,000.00")
    world.morning(TODAY + dt.timedelta(days=1))
    world.at(TODAY + dt.timedelta(days=1))
    assert world.quote(last(world), amount="30,000.00")["id"]


# --- Facts of firms -------------------------------------------------------------------------------


def test_what_makes_a_firm_cheaper_waits_for_another_person(db: Database) -> None:
    world = RiskWorld(db)
    said = {"firm_id": ANCHOR, "kind": "registry", "evidence": "register extract"}
    good = world.run("firm.fact", MAKER, **said, founded_on=dt.date(1990, 1, 1))
    assert good["waits_for_second"]
    both = world.run("firm.fact", MAKER, **said | {"firm_id": SELLER},
                     founded_on=dt.date(2025, 9, 1))  # fmt: skip
    assert not both["waits_for_second"]  # a young firm is no better than one nobody knows
    with pytest.raises(NotAllowed):
        world.run("firm.fact.confirm", MAKER, fact_id=good["id"])
    world.person(MAKER.user_id, "omar@bank.example", *MAKER.roles)
    world.person("u-omar-2", "omar+2@bank.example", Role.OFFICER_CHECKER)
    again = Actor("u-omar-2", BANK, frozenset({Role.OFFICER_CHECKER}))
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        world.run("firm.fact.confirm", again, fact_id=good["id"])
    assert world.get(FirmFact, good["id"]).known_at is None
    world.run("firm.fact.confirm", CHECKER, fact_id=good["id"])
    assert world.get(FirmFact, good["id"]).known_at == world.clock.now()
    with pytest.raises(Conflict, match="FACT_STATE"):
        world.run("firm.fact.confirm", CHECKER, fact_id=good["id"])


def test_a_fact_is_whole_and_of_the_past(db: Database) -> None:
    world = RiskWorld(db)
    with pytest.raises(InvalidInput):
        world.run("firm.fact", MAKER, firm_id=ANCHOR, kind="statement", evidence="a letter")
    with pytest.raises(InvalidInput, match="DATE_RANGE"):
        world.fact(ANCHOR, "registry", founded_on=DAY + dt.timedelta(days=1))
