"""Nothing that became known on the day or later moves what is thought of a firm on its morning."""

import datetime as dt
import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from scf.db.engine import Database
from scf.documents import axes
from scf.documents.models import Dispute, TradePayment
from scf.kernel.ids import new_id
from scf.risk import appetite
from scf.risk.asof import AsOf, morning_of
from scf.risk.assessing import assess
from scf.risk.facts import PairView, pair_view
from tests.risk.world import TODAY, RiskWorld
from tests.support.deals import (
    ANCHOR,
    APPROVER,
    DAY,
    HEAD,
    SELLER,
    TREASURER,
    eur,
)

TOMORROW = TODAY + dt.timedelta(days=1)
Texts = dict[str, tuple[str, str]]


@pytest.fixture
def world(db: Database) -> RiskWorld:
    """A seller and a buyer with a past, and an open invoice of yesterday."""
    world = RiskWorld(db, "other", ipu='"none"')
    world.history()
    world.sale("50,000.00", due=DAY - dt.timedelta(days=8), issued=DAY - dt.timedelta(days=70))
    world.sale("20,000.00")
    world.morning()
    world.at(TODAY)
    return world


def known(world: RiskWorld, morning: AsOf) -> tuple[Texts, PairView]:
    """Work everything out again from what the database holds now."""
    with world.db.snapshot() as conn:
        policy = appetite.in_force()
        firms = [ANCHOR, SELLER, "other"]
        made = assess(conn, morning, policy, firms)
        pair = pair_view(conn, morning, policy, SELLER, ANCHOR)
    return {one.firm_id: (one.inputs, one.result) for one in made}, pair


def morning(world: RiskWorld, sequence: int | None = None) -> AsOf:
    with world.db.snapshot() as conn:
        return morning_of(conn, world.snapshot(), sequence)


def _axis(act: Callable[..., None], *more: object, **named: object) -> Callable[..., None]:
    def done(world: RiskWorld, invoice_id: str) -> None:
        with world.db.writer.begin() as conn:
            act(world.context(conn), invoice_id, *more, **named)

    return done


def _dispute(world: RiskWorld, invoice_id: str) -> str:
    world.run("invoice.dispute", APPROVER, invoice_id=invoice_id, amount_minor=eur("900.00"),
              reason="broken on arrival")  # fmt: skip
    return str(world.all(Dispute)[-1].id)


def _upheld(world: RiskWorld, invoice_id: str) -> None:
    dispute_id = _dispute(world, invoice_id)
    world.run("dispute.resolve", TREASURER, dispute_id=dispute_id, outcome="buyer")


def _rejected(world: RiskWorld, invoice_id: str) -> None:
    dispute_id = _dispute(world, invoice_id)
    world.run("dispute.resolve", APPROVER, dispute_id=dispute_id, outcome="seller")


def _spend(world: RiskWorld, _invoice_id: str) -> None:
    with world.db.writer.begin() as conn:
        world._insert(
            conn,
            TradePayment(
                id=new_id(), payer_id=ANCHOR, payee_id=SELLER, payer_name="", payee_name="",
                amount_minor=eur("70,000.00"), currency="EUR", paid_on=DAY, reference="r",
                invoice_id=None, document_state="VALIDATED", duplicate_key=new_id(), parties={},
                org_id=ANCHOR, upload_id="u", row_number=1, created_at=world.clock.now(),
            ),
        )  # fmt: skip


def _statement(world: RiskWorld, _invoice_id: str) -> None:
    world.fact(
        SELLER, "statement", period_end_on=dt.date(2025, 12, 31), received_on=DAY, currency="EUR",
        revenue_minor=eur("20,000,000.00"), equity_ppm=450_000,
        liquidity_minor=eur("9,000,000.00"), weekly_cost_minor=eur("300,000.00"),
    )  # fmt: skip


def _decline(world: RiskWorld, _invoice_id: str) -> None:
    request = world.request(world.sale("7,000.00"))
    world.decide(request["id"], HEAD, "DECLINE", code="OVERDUE_SELLER", note="too thin")


# Every row of pricing.md section 4 that the platform can store, as it happens on the day itself.
EVENTS: dict[str, Callable[[RiskWorld, str], Any]] = {
    "invoice uploaded by its seller": lambda w, _: w.sale("9,000.00", accepted=False),
    "invoice accepted": lambda w, _: w.sale("8,000.00", issued=DAY - dt.timedelta(days=3)),
    "later due date": lambda w, i: w.accept(i, due_on=dt.date(2026, 9, 1)),
    "plain payment told by the payer": _spend,
    "dispute raised": _dispute,
    "dispute upheld": _upheld,
    "dispute rejected": _rejected,
    "debtor's payment": lambda w, i: w.pay(i, "4,000.00", DAY),
    "payment returned": _axis(axes.reopen_payment, eur("1,000.00"), financed=False),
    "part held": _axis(axes.hold, eur("3,000.00")),
    "part sold": _axis(axes.finance, eur("3,000.00")),
    "sold part paid": _axis(axes.repay, eur("500.00"), value_on=DAY),
    "sold part bought back": _axis(axes.repurchase, eur("700.00")),
    "statement": _statement,
    "registry": lambda w, _: w.fact(SELLER, "registry", founded_on=dt.date(1999, 1, 4)),
    "rating": lambda w, _: w.rated(ANCHOR),
    "limit": lambda w, _: w.limit("obligor", ANCHOR, "9,000,000.00"),
    "decline": _decline,
}


def test_no_event_of_the_day_or_later_moves_its_morning(world: RiskWorld) -> None:
    """Source: pricing.md section 4, "Test"."""
    as_it_was = morning(world)
    before = known(world, as_it_was)
    invoice_id = world.all_invoices()[-1]
    for name, happens in EVENTS.items():
        happens(world, invoice_id)
        assert known(world, as_it_was) == before, name
    world.morning(TOMORROW)
    after, pair = known(world, morning(world))
    assert all(after[firm] != before[0][firm] for firm in (ANCHOR, SELLER))
    assert pair != before[1]


def test_what_is_stored_after_an_evening_close_is_not_known_on_the_next_morning(
    db: Database,
) -> None:
    """The books open the next day at six; until midnight the clock still shows the day before."""
    world = RiskWorld(db, "other")
    world.history()
    world.at(DAY, hour=18)
    world.set_date(TODAY)
    snapshot = world.run_as_bank("graph.build")
    as_it_was = morning(world)
    before = known(world, as_it_was)
    world.sale("30,000.00")  # at six in the evening, after the snapshot
    assert snapshot["as_of_on"] == TODAY.isoformat()
    assert known(world, as_it_was) == before
    assert known(world, morning(world)) != before  # its number alone keeps it out


def test_the_stored_assessment_is_what_is_worked_out_again(world: RiskWorld) -> None:
    texts, _ = known(world, morning(world, world.assessment(ANCHOR).sequence))
    for firm in (ANCHOR, SELLER):
        row = world.assessment(firm)
        assert (row.inputs, row.result) == texts[firm]
        assert row.kind == json.loads(row.result)["kind"] == "expert_prior"


def test_one_firm_asked_alone_looks_the_same_as_among_all(world: RiskWorld) -> None:
    from scf.risk.facts import firm_views

    with world.db.snapshot() as conn:
        policy, day = appetite.in_force(), morning(world)
        together = firm_views(conn, day, policy, [ANCHOR, SELLER, "other"])
        alone = firm_views(conn, day, policy, [ANCHOR])
    assert alone[ANCHOR] == together[ANCHOR]


def test_the_inputs_of_a_debtor_by_hand(db: Database) -> None:
    """Four items of 10,000: in time, 20 days late, open for 17 days, and half of one contested."""
    world = RiskWorld(db, "other")
    world.at(dt.date(2026, 1, 5))
    issued = dt.date(2025, 12, 1)
    in_time, late, still_open, contested = (
        world.sale("10,000.00", "other", SELLER, issued=issued, due=due)
        for due in (
            dt.date(2026, 1, 20), dt.date(2026, 1, 20), dt.date(2026, 2, 20), dt.date(2026, 1, 28),
        )
    )  # fmt: skip
    world.at(dt.date(2026, 1, 22))
    world.pay(in_time, "9,950.00", dt.date(2026, 1, 20))  # what is left is a crumb
    world.at(dt.date(2026, 2, 9))
    world.pay(late, "10,000.00")
    clerk = world.as_buyer(SELLER)
    world.run("invoice.dispute", clerk, invoice_id=contested, amount_minor=eur("5,000.00"),
              reason="half is missing")  # fmt: skip
    world.pay(contested, "5,000.00", dt.date(2026, 1, 28))
    with db.writer.begin() as conn:
        axes.hold(world.context(conn), still_open, eur("4,000.00"))
        axes.finance(world.context(conn), still_open, eur("4,000.00"))
    world.morning(dt.date(2026, 3, 9))
    day = morning(world)
    with db.snapshot() as conn:
        from scf.risk.facts import exposures_of, firm_views
        from scf.risk.items import load

        view = firm_views(conn, day, appetite.in_force(), [SELLER])[SELLER]
        items = load(conn, day, appetite.in_force())
    # Late are 20,000 of 35,000 in four items: (4 · 20/35 + 1) / (4 + 5).
    assert view.card.late_share == (Fraction(16, 7) + 1) / 9
    assert view.card.worst_days_past_due == 17
    assert view.card.months_observed == 1
    assert view.settled_items == 3
    assert view.late_days_times_minor == eur("10,000.00") * 20
    assert (view.late_settled_minor, view.late_items) == (eur("25,000.00"), 3)
    # Of the open 10,000 the seller has sold 4,000 without recourse; the crumb is still owed.
    exposures = exposures_of(items, day.on)
    assert exposures.receivable.tolist() == [eur("6,050.00")]
