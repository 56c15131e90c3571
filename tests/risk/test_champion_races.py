"""A kill or a promotion while prices are being made: nothing by a stopped model comes after it."""

import json
from collections import Counter
from typing import Any

from sqlalchemy import Row, text

from scf.db.engine import Database
from scf.offers.models import Quote
from scf.risk.models import PriceAssessment, RiskAssessment
from scf.risk.replay import breaches
from tests.risk.champions import ChampionWorld, wide
from tests.support.deals import CHECKER, MAKER
from tests.support.racing import race

QUOTES = 12


def made(world: ChampionWorld) -> list[Row[Any]]:
    return world.all(PriceAssessment)


def test_what_is_priced_while_a_champion_is_killed_is_by_it_or_by_the_card_and_never_both(
    db: Database,
) -> None:
    world = ChampionWorld(db, ipu='"none"')
    (champion,) = world.heard(wide(1))
    invoice = world.claim()

    def act(number: int) -> str:
        if number == QUOTES // 2:
            return str(world.step("kill", champion, MAKER, reason="prices look wrong")["state"])
        return str(world.quote(invoice)["id"] and "priced")

    found = race(QUOTES, act)
    assert found["KILLED"] == 1
    assert found["KILLED"] + found["priced"] + found["QUOTE_MOVED"] == QUOTES
    rates: dict[str | None, set[int]] = {}
    for row in made(world):
        rates.setdefault(row.model_id, set()).add(json.loads(row.result)["rate_bp"])
        assert (row.kind == "trained") == (row.model_id == champion)
    assert all(len(one) == 1 for one in rates.values())
    # From now on the card prices, whatever the others did.
    world.quote(invoice)
    last = made(world)[-1]
    assert (last.kind, last.model_id) == ("expert_prior", None)
    with db.snapshot() as conn:
        assert list(breaches(conn)) == []


def test_a_promotion_while_prices_are_made_changes_none_of_that_day(db: Database) -> None:
    world = ChampionWorld(db, ipu='"none"')
    (champion,) = world.heard(wide(1))
    invoice = world.claim()
    following = world.challenger(wide(2))
    world.step("propose", following, MAKER)

    def act(number: int) -> str:
        if number == QUOTES // 2:
            return str(world.step("promote", following, CHECKER)["state"])
        return str(world.quote(invoice)["id"] and "priced")

    found = race(QUOTES, act)
    assert found == Counter({"priced": QUOTES - 1, "CHAMPION": 1})
    assert {row.model_id for row in made(world)} == {champion}
    assert len({row.rate_ppm for row in world.all(Quote)}) == 1


def test_a_shadow_that_gets_into_a_price_is_found(db: Database) -> None:
    world = ChampionWorld(db, ipu='"none"')
    world.heard(wide(1))
    shadow = world.challenger(wide(2))
    with db.snapshot() as conn:
        assert list(breaches(conn)) == []
    row = world.all(RiskAssessment)[0]
    server = db.dialect == "postgresql"
    trigger = "risk_assessment_no_" + ("change ON risk_assessment" if server else "update")
    with db.writer.begin() as conn:
        conn.execute(text(f"DROP TRIGGER {trigger}"))
    world.change(RiskAssessment, row.id, model_id=shadow)
    with db.snapshot() as conn:
        assert [place for place, _ in breaches(conn)] == [f"risk_assessment {row.id}"]
