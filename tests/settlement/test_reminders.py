"""Reminders: each step once, what is part paid stays, what is disputed or held is not asked for."""

import datetime as dt
import tomllib
from importlib.resources import files
from typing import Any

import pytest
from sqlalchemy import Table, insert, select, update

from scf.bootstrap import load_reminders
from scf.db.models import Outbox
from scf.documents.models import Invoice
from scf.kernel.actor import OPERATOR, Actor, Role
from scf.kernel.errors import Conflict, NotFound, RuleViolation
from scf.notices.events import composed
from scf.parties.models import User, UserRole
from scf.reporting.arrears import arrears, reminder
from scf.settlement.reminders import rules
from scf.settlement.reminders.models import PaymentReminder, PaymentReminderItem
from tests.settlement.conftest import MakeWorld
from tests.settlement.setting import CHECKER, FINANCIER, OBLIGOR, SELLER, STRANGER
from tests.settlement.world import MAKER, World, eur

SOON = dt.date(2026, 3, 20)  # a Friday, ten days after the pay-out
DAY = dt.timedelta(days=1)
INVOICE: Table = Invoice.__table__  # type: ignore[attr-defined]
OUTBOX: Table = Outbox.__table__  # type: ignore[attr-defined]
ROLE: Table = UserRole.__table__  # type: ignore[attr-defined]
USER: Table = User.__table__  # type: ignore[attr-defined]
BUYER = Actor("u-buyer", OBLIGOR, frozenset({Role.ANCHOR_CLERK}), "buyer")
OTHER = Actor("u-other", STRANGER, frozenset({Role.TREASURER}), "other")


def plan() -> rules.Plan:
    return rules.plan_of(tomllib.loads(files("config").joinpath("reminders.toml").read_text()))


def told(world: World) -> list[tuple[dt.date, str, str, int]]:
    """Give what was told: day, payer, step, what is owed."""
    rows = sorted(world.all(PaymentReminder), key=lambda row: (row.on, row.payer_id, row.currency))
    return [(row.on, row.payer_id, row.step, row.owed_minor) for row in rows]


@pytest.fixture
def reminding(make_world: MakeWorld) -> MakeWorld:
    def made(**terms: Any) -> World:  # noqa: ANN401 - handed on
        world = make_world(**terms)
        load_reminders()
        return world

    return made


# --- The rule -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grace", "day", "step"),
    [
        (0, -6, ""),
        (0, -5, "upcoming"),
        (0, 0, "upcoming"),  # what comes today stands on the statement of tomorrow morning
        (0, 1, "overdue"),  # without grace what is missed is overdue at once
        (0, 14, "overdue"),
        (0, 15, "overdue_15"),
        (1, 1, "missed"),  # tomorrow it is overdue anyway: no last call
        (1, 2, "overdue"),
        (2, 1, "last_call"),
        (5, 1, "missed"),
        (5, 3, "missed"),
        (5, 4, "last_call"),
        (5, 5, "last_call"),
        (5, 6, "overdue"),
        (5, 19, "overdue"),
        (5, 20, "overdue_15"),
        (5, 35, "overdue_30"),
        (5, 65, "overdue_60"),
        (5, 95, "overdue_90"),
        (5, 900, "overdue_90"),
    ],
)
def test_the_latest_step_that_has_come(grace: int, day: int, step: str) -> None:
    assert rules.step_of(plan(), SOON, grace, SOON + day * DAY) == step


def test_steps_never_go_back() -> None:
    one = plan()
    for grace in range(40):
        steps = [rules.step_of(one, SOON, grace, SOON + day * DAY) for day in range(-10, 200)]
        ranks = [one.rank(step) if step else -1 for step in steps]
        assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    "steps",
    [
        [
            {"name": "overdue", "from": "due", "days": 0},
            {"name": "missed", "from": "due", "days": 0},
        ],
        [{"name": "thanks", "from": "due", "days": 0}],
        [{"name": "missed", "from": "easter", "days": 0}],
        [{"name": "missed", "from": "due", "days": 0}] * 2,
    ],
)
def test_a_plan_that_nobody_could_follow_is_refused(steps: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="step"):
        rules.plan_of({"version": "x", "step": steps})


# --- Day after day --------------------------------------------------------------------------------


def test_each_step_is_told_once_and_what_is_part_paid_stays(
    reminding: MakeWorld,
) -> None:
    world = reminding(grace_days=3)
    one = world.financed(due_on=SOON)
    other = world.financed("300,000.00", "INV-2", SOON)
    world.close_to(SOON - 6 * DAY)
    assert told(world) == []
    world.close_to(SOON - DAY)
    before = (SOON - 5 * DAY, OBLIGOR, "upcoming", eur("1,300,000.00"))
    assert told(world) == [before]
    world.morning_of(SOON)
    world.receive("1,000,000.00", "INV-1")
    world.receive("100,000.00", "INV-2")
    world.close_to(SOON + 40 * DAY)
    left = eur("200,000.00")
    assert told(world) == [
        before,
        (SOON + DAY, OBLIGOR, "missed", left),
        (SOON + 2 * DAY, OBLIGOR, "last_call", left),
        (SOON + 4 * DAY, OBLIGOR, "overdue", left),
        (SOON + 18 * DAY, OBLIGOR, "overdue_15", left),
        (SOON + 33 * DAY, OBLIGOR, "overdue_30", left),
    ]
    items = world.all(PaymentReminderItem)
    assert {row.advance_id for row in items if row.step != "upcoming"} == {other}
    assert {row.advance_id for row in items if row.step == "upcoming"} == {one, other}
    last = max(items, key=lambda row: row.id)
    assert (last.face_minor, last.owed_minor, last.due_on) == (eur("300,000.00"), left, SOON)
    assert last.penalty_minor > 0
    with world.platform.db.read(MAKER) as reading:
        found = arrears(reading, SOON + 41 * DAY)
    assert [(one.name, one.items, one.owed_minor) for one in found.buckets] == [("31_60", 1, left)]
    (payer,) = found.payers
    (item,) = payer.items
    assert (payer.id, item.paid_minor, item.step) == (OBLIGOR, eur("100,000.00"), "overdue_30")
    world.receive("250,000.00", "INV-2")  # with what lateness cost: nothing is left to say
    count = len(told(world))
    world.close_to(SOON + 80 * DAY)
    assert len(told(world)) == count


def test_a_day_is_reminded_once_however_often_it_is_closed(reminding: MakeWorld) -> None:
    world = reminding()
    world.financed(due_on=SOON)
    world.morning_of(SOON + DAY)
    payload = {"on": SOON + DAY}
    actor = Actor("op", FINANCIER, OPERATOR.roles, "op")
    first = world.platform.run("reminder.send", payload, actor, key="a")
    again = world.platform.run("reminder.send", payload, actor, key="b")
    assert (first.result["items"], again.result["items"]) == (1, 0)
    with pytest.raises(Conflict, match="2026-03-21"):
        world.platform.run("reminder.send", {"on": SOON}, actor, key="c")


def test_under_a_silent_assignment_the_seller_is_told(reminding: MakeWorld) -> None:
    world = reminding(
        technique="receivables_discounting",
        ipu="none",
        penalty_multiple_ppm=0,
        disclosed=False,
        recourse="full",
    )
    world.financed(due_on=SOON)
    world.close_to(SOON + DAY)
    assert {(payer, step) for _on, payer, step, _owed in told(world)} == {
        (SELLER, "upcoming"),
        (SELLER, "overdue"),
    }
    with world.platform.db.read(BUYER) as reading:
        row = world.all(PaymentReminder)[0]
        assert reminder(reading, row.id) is None


def test_what_is_disputed_is_not_asked_for(reminding: MakeWorld) -> None:
    world = reminding(
        technique="receivables_discounting", ipu="none", penalty_multiple_ppm=0, recourse="full"
    )
    one = world.financed(due_on=SOON)
    with world.db.writer.begin() as conn:
        conn.execute(
            update(INVOICE).values(
                disputed_minor=eur("250,000.00"), ipu=False,
                over_advance_minor=eur("250,000.00"),
            )
        )  # fmt: skip
    world.close_to(SOON + DAY)
    assert [owed for _on, _payer, _step, owed in told(world)] == [eur("750,000.00")] * 2
    assert {row.advance_id for row in world.all(PaymentReminderItem)} == {one}


def test_what_a_person_holds_back_is_not_told_until_that_day(
    reminding: MakeWorld,
) -> None:
    world = reminding(grace_days=3)
    one = world.financed(due_on=SOON)
    until = SOON + 6 * DAY
    world.morning_of(SOON - 7 * DAY)
    with pytest.raises(RuleViolation, match="Reminders are held back until a day from"):
        world.run("reminder.hold", advance_id=one, until_on=world.today - DAY, reason="agreed")
    with pytest.raises(NotFound):
        world.run("reminder.hold", advance_id="nobody", until_on=until, reason="agreed")
    world.run("reminder.hold", advance_id=one, until_on=until, reason="pays on Friday")
    world.close_to(until)
    assert told(world) == []
    world.close_to(until + DAY)
    assert told(world) == [(until + DAY, OBLIGOR, "overdue", eur("1,000,000.00"))]
    world.run("reminder.hold", CHECKER, advance_id=one, until_on=until + 9 * DAY, reason="again")
    world.run("reminder.hold", CHECKER, advance_id=one, until_on=None, reason="it did not come")
    world.close_to(SOON + 18 * DAY)
    assert [step for _on, _payer, step, _owed in told(world)] == ["overdue", "overdue_15"]


def test_the_payer_is_told_what_is_due_where_and_by_when(reminding: MakeWorld) -> None:
    world = reminding(grace_days=3)
    world.financed(due_on=SOON)
    with world.db.writer.begin() as conn:
        for actor in (BUYER, OTHER):
            person = User(
                id=actor.user_id,
                org_id=actor.org_id,
                email=f"{actor.name}@example.com",
                name=actor.name,
                password_hash=None,
                state="ACTIVE",
                created_at=world.clock.now(),
            )
            conn.execute(insert(USER), person.model_dump())
            (role,) = actor.roles
            conn.execute(insert(ROLE), {"user_id": actor.user_id, "role": role.value})
    world.close_to(SOON + 2 * DAY)
    with world.db.snapshot() as conn:
        events = conn.execute(
            select(OUTBOX).where(OUTBOX.c.topic == "reminder.sent").order_by(OUTBOX.c.id)
        ).all()
        said = [composed(conn, one.topic, one.payload) for one in events]
    assert [str(one.words) for one in said if one] == [
        "1000000.00 EUR is due to Financier NV on 2026-03-20. Invoices: 1.",
        "1000000.00 EUR was due to Financier NV on 2026-03-20 and is not there yet. Invoices: 1.",
        (
            "1000000.00 EUR was due to Financier NV on 2026-03-20. From 2026-03-23 it counts as"
            " overdue. Invoices: 1."
        ),
    ]
    assert {one.user_ids for one in said if one} == {(BUYER.user_id,)}
    with world.platform.db.read(BUYER) as reading:
        found = reminder(reading, said[-1].subject_id if said[-1] else "")
        assert found is not None
        assert (found.payer, found.financier) == ("Obligor AG", "Financier NV")
        assert [(number, seller) for _item, number, seller in found.items] == [
            ("INV-1", "Seller SARL")
        ]
    with world.platform.db.read(OTHER) as reading:
        assert reminder(reading, said[-1].subject_id if said[-1] else "") is None
