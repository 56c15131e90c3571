"""A grade that people give instead of the model's: by columns, with an end, above the floor."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scf.db.engine import Database
from scf.kernel.errors import InvalidInput, NotAllowed, RuleViolation
from scf.offers.models import QuoteLine
from scf.risk import appetite
from scf.risk.grading import graded
from scf.risk.replay import replay
from scoring.scale import grade_of, notched
from tests.risk.world import TODAY, RiskWorld
from tests.support.deals import ANCHOR, BANK, CHECKER, MAKER, OTHER_MAKER

TOMORROW = TODAY + dt.timedelta(days=1)
UNTIL = TODAY + dt.timedelta(days=90)


@pytest.fixture
def world(db: Database) -> RiskWorld:
    made = RiskWorld(db)
    made.history()
    made.rated(ANCHOR, 9_000)
    made.sale("40,000.00", due=dt.date(2026, 6, 9))
    made.morning()
    made.at(TODAY)
    return made


def say(world: RiskWorld, notches: int, **said: object) -> dict[str, object]:
    values = {"firm_id": ANCHOR, "kind": "grade", "notches": notches, "code": "BAD_NEWS",
              "valid_to": UNTIL, "evidence": "letter of the auditor", **said}  # fmt: skip
    return world.run("firm.fact", MAKER, **values)


def rate(world: RiskWorld) -> str:
    return str(world.quote(world.all_invoices()[-1])["rate_percent"])


def test_worse_counts_from_tomorrow_and_ends_on_its_day(world: RiskWorld) -> None:
    before = rate(world)
    assert world.assessment(ANCHOR).grade == "B2"
    assert say(world, 2)["waits_for_second"] is False
    assert rate(world) == before, "the prices of a day rest on its morning"
    world.morning(TOMORROW)
    world.at(TOMORROW)
    assert world.assessment(ANCHOR).grade == "C2"
    quote = world.quote(world.all_invoices()[-1])
    assert float(quote["rate_percent"]) > float(before)
    lines = [row.id for row in world.all(QuoteLine, quote_id=quote["id"])]
    with world.db.snapshot() as conn:
        found = replay(conn, lines)
    assert (found.lines, found.differences) == (1, ())
    after = UNTIL + dt.timedelta(days=1)
    world.morning(after)
    assert world.assessment(ANCHOR).grade == "B2"


def test_better_waits_for_another_person_and_so_does_less_of_worse(world: RiskWorld) -> None:
    made = say(world, -1)
    assert made["waits_for_second"] is True
    with pytest.raises(NotAllowed):
        world.run("firm.fact.confirm", OTHER_MAKER, fact_id=made["id"])
    world.morning(TOMORROW)
    assert world.assessment(ANCHOR).grade == "B2", "nobody has confirmed it"
    world.run("firm.fact.confirm", CHECKER, fact_id=made["id"])
    world.morning(TOMORROW + dt.timedelta(days=1))
    assert world.assessment(ANCHOR).grade == "B1"
    assert say(world, 3)["waits_for_second"] is False
    assert say(world, 2)["waits_for_second"] is True
    assert say(world, 0)["waits_for_second"] is True


def test_a_grade_has_an_end_a_code_and_a_difference(world: RiskWorld) -> None:
    for day in (TODAY, TODAY + dt.timedelta(days=366)):
        with pytest.raises(InvalidInput, match="DATE_RANGE"):
            say(world, 1, valid_to=day)
    with pytest.raises(InvalidInput, match="OVERRIDE_VALUE"):
        say(world, 0)
    for notches, missing in ((1, "code"), (1, "valid_to"), (-3, ""), (5, "")):
        wrong: dict[str, object] = {missing: None} if missing else {}
        with pytest.raises(InvalidInput):
            say(world, notches, **wrong)
    with pytest.raises(InvalidInput):
        say(world, 1, kind="rating", pd_ppm=500)


def test_nobody_lifts_a_firm_that_the_policy_refuses(world: RiskWorld) -> None:
    world.rated(ANCHOR, 150_000)
    world.morning(TOMORROW)
    assert world.assessment(ANCHOR).grade == "E"
    with pytest.raises(RuleViolation, match="RISK_BELOW_FLOOR"):
        say(world, -1)
    assert say(world, 1)["waits_for_second"] is False


def test_what_is_shown_before_is_what_comes_of_it(world: RiskWorld) -> None:
    with world.db.snapshot() as conn:
        shown = graded(conn, BANK, ANCHOR, 2)
    assert shown is not None
    assert (shown.grade_before, shown.grade_after) == ("B2", "C2")
    assert (shown.route_before, shown.route_after) == ("auto", "officer")
    say(world, 2)
    world.morning(TOMORROW)
    stored = json.loads(world.assessment(ANCHOR).result)
    assert stored["risk"]["own_hazard"] == shown.result["risk"]["own_hazard"]
    assert stored["notches"] == 2


def test_the_floor_holds_whoever_grades(world: RiskWorld) -> None:
    """A firm that nobody rates is never below .30 % a year: two columns better is not free."""
    with world.db.snapshot() as conn:
        shown = graded(conn, BANK, ANCHOR, -2)
    assert shown is not None
    assert shown.pd_after_ppm >= 500  # rated: .05 %


@given(st.floats(0, 1), st.floats(0, 1), st.integers(-2, 4), st.integers(-2, 4))
def test_a_column_more_or_a_higher_risk_is_never_better(
    one: float, other: float, fewer: int, more: int
) -> None:
    from scf.bootstrap import load_appetite

    load_appetite()
    scale = appetite.in_force().policy.scale
    low, high = sorted((one, other))
    fewer, more = sorted((fewer, more))
    assert notched(low, fewer, scale) <= notched(high, fewer, scale)
    assert notched(low, fewer, scale) <= notched(low, more, scale)
    assert notched(low, 0, scale) == low
    if fewer < 0 and grade_of(low, scale).route == "refuse":
        assert notched(low, fewer, scale) == low
