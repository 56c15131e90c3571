"""The champion's word replaces the card's; others are heard beside it and price nothing."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from scf.db.engine import Database
from scf.financing.models import FinancingRequest
from scf.financing.policy import Line
from scf.offers.models import QuoteLine
from scf.reporting.verify import verify
from scf.risk.models import ModelScore, PriceAssessment
from scf.risk.replay import replay
from scoring.hazard import hazard_of
from scoring.term import TermStructure, chance
from tests.risk.champions import ChampionWorld, wide
from tests.risk.world import TODAY
from tests.support.deals import ANCHOR, CHECKER, DAY, MAKER, SELLER


def test_each_morning_all_watched_models_are_heard_and_the_champion_alone_judges(
    db: Database,
) -> None:
    world = ChampionWorld(db)
    world.history()
    quiet = world.register(wide(4))  # nobody has validated it
    champion = world.champion(wide(1))
    shadow = world.challenger(wide(2))
    validated = world.register(wide(3))
    world.step("validate", validated, CHECKER, reason="held against last year")
    world.morning()
    told = {model: world.scores(model) for model in (champion, shadow, validated)}
    assert {model: {row.role for row in rows.values()} for model, rows in told.items()} == {
        champion: {"champion"}, shadow: {"shadow"}, validated: {"shadow"},
    }  # fmt: skip
    assert not world.scores(quiet)
    assert all(set(rows) >= {ANCHOR, SELLER} for rows in told.values())
    for firm in (ANCHOR, SELLER):
        assessed, row = world.assessment(firm), told[champion][firm]
        result = json.loads(assessed.result)
        assert (assessed.kind, assessed.model_id) == ("trained", champion)
        assert row.refer == []
        assert result["risk"]["term"] == {
            "kind": "trained", "own": row.own_curve, "total": row.curve,
        }  # fmt: skip
        assert f"{result['pd']:.12f}" == max(row.pd_one_year, "0.003000000000")
        assert row.why
        assert row.why == json.loads(assessed.result)["model"]["why"]
        # By the card it stands beside, untouched by anybody's model.
        assert result["by_card"]["risk"]["term"] is None
        for own, total in zip(row.own_curve, row.curve, strict=True):
            assert len(own) == len(total) == len("0.123456789012")
            assert 0 <= Decimal(own) <= Decimal(total) < 1
    assert not any(row.why for row in told[shadow].values())
    # Once more the same morning says nothing twice.
    before = world.count(ModelScore)
    assert world.morning()["assessed"] == 0
    assert world.count(ModelScore) == before


def lines_of(world: ChampionWorld, quote: dict[str, Any]) -> list[str]:
    return [row.id for row in world.all(QuoteLine, quote_id=quote["id"])]


def test_a_price_by_the_champion_comes_out_again_when_it_is_replaced_and_when_it_is_killed(
    db: Database,
) -> None:
    world = ChampionWorld(db, ipu='"none"')
    (champion,) = world.heard(wide(1))
    quote = world.quote(world.claim())
    made = world.all(PriceAssessment)[0]
    memo = json.loads(made.result)["memo"]
    row = world.scores(champion)[ANCHOR]
    term = TermStructure(
        "trained", tuple(map(Decimal, row.own_curve)), tuple(map(Decimal, row.curve))
    )
    days = json.loads(made.inputs)["tenor_days"]
    assert (made.kind, made.model_id) == ("trained", champion)
    assert memo["pd_item"] == max(term.total_within(days + 90), floor(days + 90))
    assert memo["pd_one_year"] == max(term.total_within(365), floor(365))
    following = world.champion(wide(2))

    def replayed() -> tuple[Any, ...]:
        with db.snapshot() as conn:
            return replay(conn, lines_of(world, quote)).differences

    assert replayed() == ()
    # The one that is replaced goes on until the next morning, on which the new one is heard.
    again = world.quote(world.claim())
    assert again["rate_ppm"] == quote["rate_ppm"]
    world.step("kill", following, MAKER, reason="prices look wrong")
    by_card = world.quote(world.claim())
    assert world.all(PriceAssessment)[-1].kind == "expert_prior"
    assert world.all(PriceAssessment)[-1].model_id is None
    assert by_card["rate_ppm"] != quote["rate_ppm"]
    assert replayed() == ()
    with db.snapshot() as conn:
        assert replay(conn, lines_of(world, by_card)).differences == ()
    # The trade of this world is put in past the payments' books; what is asked about is risk.
    assert not [one for one in verify(world.platform).breaches if one.code == "RISK_DIGEST"]
    with db.writer.begin() as conn:  # nothing of it needs the file
        conn.execute(text(f"DROP TRIGGER {gone(db)}"))
        conn.execute(text("UPDATE model_file SET content = :no"), {"no": b"gone"})
    assert replayed() == ()


def gone(db: Database) -> str:
    if db.dialect == "postgresql":
        return "model_file_no_change ON model_file"
    return "model_file_no_update"


def floor(days: int) -> float:
    return chance(Decimal(hazard_of(0.003) * days / 365))


def test_who_is_killed_prices_nothing_any_more_that_very_day(db: Database) -> None:
    world = ChampionWorld(db, ipu='"none"')
    world.history()
    world.sale("100,000.00", issued=DAY)
    world.morning()
    with_card = world.quote(world.claim())["rate_ppm"]
    champion = world.champion(wide(1))
    assert world.quote(world.claim())["rate_ppm"] == with_card  # until a morning has heard it
    world.morning(TODAY + dt.timedelta(days=1))
    by_model = world.quote(world.claim())
    made = world.all(PriceAssessment)[-1]
    assert (made.kind, made.model_id) == ("trained", champion)
    world.step("kill", champion, MAKER, reason="prices look wrong")
    world.quote(world.claim())
    made = world.all(PriceAssessment)[-1]
    assert (made.kind, made.model_id) == ("expert_prior", None)
    card = json.loads(world.assessment(ANCHOR).result)["by_card"]
    assert json.loads(made.result)["grade"] == card["grade"]
    # What was offered before stays an offer; a person looks at it.
    lines = {one.code: one.passed for one in verdict(world, by_model["id"])}
    assert lines["MODEL_STANDS"] is False


def verdict(world: ChampionWorld, quote_id: str) -> list[Any]:
    request = world.submit(quote_id)
    return [Line(**one) for one in world.get(FinancingRequest, request["id"]).reasons]
