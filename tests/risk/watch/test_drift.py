"""Drift raises an alarm through the night's own path, once; without drift there is none."""

import datetime as dt

import pytest
from sqlalchemy import select

from scf.db.engine import Database
from scf.kernel.errors import Conflict, NotAllowed, NotFound
from scf.notices.models import Notice
from scf.risk.watch.models import ModelAlarm, WatchedMorning
from tests.risk.watch.months import Months, month
from tests.support.deals import BANK, CHECKER, HEAD, MAKER, OTHER_MAKER, TREASURER

BUYERS = 30


def calm(world: Months, months: int) -> None:
    """Let months pass in which everybody pays in time; half a year later the bank begins to look.

    By then nobody is new any more, and nobody becomes an old customer before the half year after.
    """
    for number in range(-7, months):
        world.trade(number)
        if number >= 0:
            world.night(month(number) + dt.timedelta(days=1))


def told(world: Months) -> list[tuple[str, str]]:
    """Give who is told of an alarm, and in which words."""
    world.platform.worker().drain()
    return sorted(
        (row.user_id, row.message) for row in world.all(Notice) if row.topic == "model.alarm"
    )


def test_firms_that_stop_to_pay_raise_one_alarm_that_a_person_answers(db: Database) -> None:
    world = Months(db, BUYERS)
    calm(world, 5)
    levels = [row.level for row in world.all(WatchedMorning)]
    assert levels == ["none", "none", "none", "calm", "calm"]
    assert world.count(ModelAlarm) == 0
    assert told(world) == []

    # Nobody pays any more: within the month all are weeks overdue.
    world.trade(5, failing=tuple(world.buyers))
    found = world.night(month(5) + dt.timedelta(days=20))
    assert "worst_days_past_due" in found["alarms"]
    assert "score" in found["alarms"]
    alarms = {row.what: row for row in world.all(ModelAlarm)}
    assert set(found["alarms"]) == set(alarms)
    assert all(row.psi_ppm >= 250_000 for row in alarms.values())
    people = told(world)
    assert [user for user, _ in people] == ["u-checker", "u-head", "u-maker"]
    assert "expert-1" in people[0][1]
    assert world.night(month(5) + dt.timedelta(days=20)) == {"mornings": 0, "alarms": []}

    # The next night the same thing raises nothing new, answered or not.
    world.night(month(5) + dt.timedelta(days=21))
    assert world.count(ModelAlarm) == len(alarms)
    score = alarms["score"].id
    for who, code in ((OTHER_MAKER, "NOT_FOUND"), (TREASURER, "NOT_ALLOWED")):
        with pytest.raises((NotAllowed, NotFound)) as refused:
            world.run("risk.answer_alarm", who, alarm_id=score, answer="nothing")
        assert refused.value.code == code
    world.run("risk.answer_alarm", MAKER, alarm_id=score, answer="a strike of the banks")
    with pytest.raises(Conflict, match="already"):
        world.run("risk.answer_alarm", CHECKER, alarm_id=score, answer="me too")
    world.night(month(5) + dt.timedelta(days=22))
    assert world.count(ModelAlarm) == len(alarms)
    row = world.get(ModelAlarm, score)
    assert (row.state, row.answered_by) == ("ANSWERED", "u-maker")
    assert len(told(world)) == 3, "told once"


def test_what_was_calm_again_may_raise_an_alarm_again(db: Database) -> None:
    world = Months(db, BUYERS)
    calm(world, 4)
    world.trade(4, failing=tuple(world.buyers))
    world.night(month(4) + dt.timedelta(days=20))
    for alarm in world.all(ModelAlarm):
        world.run("risk.answer_alarm", HEAD, alarm_id=alarm.id, answer="seen, it is real")
    first = world.count(ModelAlarm)
    assert first
    world.trade(5)  # all is paid
    world.night(month(5) + dt.timedelta(days=1))
    calm_now = {
        one["name"] for one in world.all(WatchedMorning)[-1].moved if one["level"] == "calm"
    }
    assert "worst_days_past_due" in calm_now
    world.trade(6, failing=tuple(world.buyers))
    found = world.night(month(6) + dt.timedelta(days=20))
    assert "worst_days_past_due" in found["alarms"]


def test_few_firms_raise_no_alarm_by_chance(db: Database) -> None:
    world = Months(db, 3)
    calm(world, 4)
    world.trade(4, failing=("b00",))
    found = world.night(month(4) + dt.timedelta(days=20))
    assert found["alarms"] == []
    newest = world.all(WatchedMorning)[-1]
    moved = {one["name"]: one for one in newest.moved}["worst_days_past_due"]
    assert moved["psi_ppm"] > 250_000, "it has moved"
    assert moved["chance_ppm"] > moved["psi_ppm"], "but no further than chance with three firms"
    assert newest.level == "calm"


def test_only_the_bank_sees_what_is_watched(db: Database) -> None:
    world = Months(db, 3)
    calm(world, 1)
    for who, seen in ((MAKER, 1), (OTHER_MAKER, 0), (TREASURER, 0)):
        with db.read(who) as session:
            assert len(session.execute(select(WatchedMorning)).all()) == seen, who
    assert world.all(WatchedMorning)[0].financier_id == BANK
