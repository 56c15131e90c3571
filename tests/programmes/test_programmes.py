"""Programmes, fixings and limits as people set them, on both engines."""

import datetime as dt

import pytest

from scf.db.engine import Database
from scf.db.models import Outbox
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, RuleViolation
from scf.parties.models import Firm
from scf.programmes.calendars import calendar_of
from scf.programmes.models import Fixing, LimitNode, Programme, ProgrammeVersion
from scf.programmes.service import fixing, programme_for, terms_on
from tests.support.deals import (
    ANCHOR,
    APPROVER,
    BANK,
    CHECKER,
    DAY,
    EUR,
    HEAD,
    MAKER,
    OTHER_CHECKER,
    OTHER_MAKER,
    SELLER,
    Deals,
    eur,
    programme_file,
)


@pytest.fixture
def deals(db: Database) -> Deals:
    return Deals(db)


def load(deals: Deals, on: dt.date = DAY, **terms: str) -> dict[str, object]:
    return deals.run(
        "programme.load",
        MAKER,
        content=programme_file(**terms),
        anchor_id=ANCHOR,
        effective_on=on,
    )


# --- Programmes -------------------------------------------------------------------------------


def test_who_loaded_the_terms_cannot_bring_them_into_force(deals: Deals) -> None:
    both = type(MAKER)(MAKER.user_id, BANK, MAKER.roles | CHECKER.roles)
    load(deals, DAY, grace_days="7")
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        deals.run("programme.activate", both, programme_id=deals.programme_id)


def test_terms_are_not_in_force_before_the_second_person(deals: Deals) -> None:
    load(deals, DAY, grace_days="7")
    with deals.db.snapshot() as conn:
        assert terms_on(conn, deals.programme_id, DAY)[1].grace_days == 3
    deals.run("programme.activate", CHECKER, programme_id=deals.programme_id)
    with deals.db.snapshot() as conn:
        assert terms_on(conn, deals.programme_id, DAY)[1].grace_days == 7


def test_a_version_applies_from_its_day_and_the_one_before_stays_as_it_was(deals: Deals) -> None:
    june = dt.date(2026, 6, 1)
    load(deals, june, grace_days="7")
    deals.run("programme.activate", CHECKER, programme_id=deals.programme_id)
    with deals.db.snapshot() as conn:
        first, before = terms_on(conn, deals.programme_id, june - dt.timedelta(days=1))
        second, after = terms_on(conn, deals.programme_id, june)
    assert (before.grace_days, after.grace_days) == (3, 7)
    assert first != second
    with deals.db.snapshot() as conn, pytest.raises(NotFound, match="NO_TERMS"):
        terms_on(conn, deals.programme_id, DAY - dt.timedelta(days=1))


def test_terms_never_apply_backwards(deals: Deals) -> None:
    with pytest.raises(Conflict, match="VERSION_LATE"):
        load(deals, DAY - dt.timedelta(days=1))


def test_one_version_at_a_time_waits_for_its_second_person(deals: Deals) -> None:
    load(deals)
    with pytest.raises(Conflict, match="VERSION_OPEN"):
        load(deals)


def test_there_is_nothing_to_activate_twice(deals: Deals) -> None:
    with pytest.raises(Conflict, match="NOTHING_OPEN"):
        deals.run("programme.activate", CHECKER, programme_id=deals.programme_id)


def test_another_bank_neither_sees_nor_touches_it(deals: Deals) -> None:
    with pytest.raises(NotFound):
        deals.run("programme.activate", OTHER_CHECKER, programme_id=deals.programme_id)
    with pytest.raises(NotFound):
        deals.run(
            "limit.set", OTHER_CHECKER, kind="programme", subject_id=deals.programme_id,
            currency=EUR, limit_minor=1,
        )  # fmt: skip


def test_the_anchor_sees_its_programme_but_does_not_run_it(deals: Deals) -> None:
    head = type(MAKER)("u-x", ANCHOR, HEAD.roles)
    with pytest.raises(NotAllowed):
        deals.run("programme.suspend", head, programme_id=deals.programme_id, reason="because")
    with deals.db.read(APPROVER) as session:
        from sqlmodel import select

        assert len(session.exec(select(Programme)).all()) == 1
        assert len(session.exec(select(ProgrammeVersion)).all()) == 1
        assert session.exec(select(LimitNode)).all() == []
        assert session.exec(select(Fixing)).all() == []


def test_a_programme_is_suspended_and_resumed(deals: Deals) -> None:
    suspend = {"programme_id": deals.programme_id, "reason": "late payments"}
    assert deals.run("programme.suspend", HEAD, **suspend)["state"] == "SUSPENDED"
    with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
        deals.run("programme.suspend", HEAD, **suspend)
    assert deals.run("programme.resume", HEAD, **suspend)["state"] == "ACTIVE"


def test_an_anchor_must_be_an_active_trader(deals: Deals) -> None:
    deals.change(Firm, ANCHOR, state="SUSPENDED")
    with pytest.raises(RuleViolation, match="KYB_EXPIRED"):
        load(deals)
    for anchor in (BANK, "nobody"):
        with pytest.raises(NotFound):
            deals.run(
                "programme.load",
                MAKER,
                content=programme_file(),
                anchor_id=anchor,
                effective_on=DAY,
            )


@pytest.mark.parametrize("name", ["calendar", "currency"])
def test_a_programme_names_a_calendar_and_currencies_that_exist(deals: Deals, name: str) -> None:
    content = programme_file("another", calendar='"atlantis"')
    if name == "currency":
        content = programme_file("another").replace("currency.GBP", "currency.GBX")
    with pytest.raises(InvalidInput, match=name.upper()):
        deals.run("programme.load", MAKER, content=content, anchor_id=ANCHOR, effective_on=DAY)


def test_the_oldest_programme_that_knows_the_currency_is_taken(deals: Deals) -> None:
    deals.programme("second")
    with deals.db.snapshot() as conn:
        found = programme_for(conn, ANCHOR, EUR, DAY)
        assert found is not None
        assert found.id == deals.programme_id
        assert programme_for(conn, ANCHOR, "THB", DAY) is None
        assert programme_for(conn, SELLER, EUR, DAY) is None


# --- Fixings ----------------------------------------------------------------------------------


def test_a_published_value_keeps_its_digits_and_never_changes(deals: Deals) -> None:
    deals.fix("3.450", dt.date(2026, 3, 11))
    assert deals.all(Fixing, fixed_on=dt.date(2026, 3, 11))[0].percent == "3.450"
    deals.fix("3.450", dt.date(2026, 3, 11))
    with pytest.raises(Conflict, match="FIXING_EXISTS"):
        deals.fix("3.45", dt.date(2026, 3, 11))


def test_one_banks_fixing_is_not_anothers(deals: Deals) -> None:
    deals.fix("9.99", DAY, OTHER_MAKER)
    assert deals.quote(deals.invoice())["rate_percent"] == "4.65"


@pytest.mark.parametrize("percent", ["", "3,45", "1e1", "\u0661", "3.45%", "-0", "2000"])
def test_a_rate_is_an_exact_text(deals: Deals, percent: str) -> None:
    with pytest.raises(InvalidInput, match="RATE_"):
        deals.fix(percent, dt.date(2026, 3, 11))


def test_the_fixing_is_the_latest_by_the_day_and_its_lag(deals: Deals) -> None:
    target = calendar_of("target")
    deals.fix("3.00", dt.date(2026, 3, 6))
    with deals.db.snapshot() as conn:
        on_the_day = fixing(conn, BANK, "EURIBOR-3M", DAY, 0, target)
        lagged = fixing(conn, BANK, "EURIBOR-3M", DAY, 2, target)
        none = fixing(conn, BANK, "EURIBOR-3M", dt.date(2026, 3, 1), 0, target)
    assert on_the_day is not None
    assert on_the_day.percent == "3.45"
    assert lagged is not None
    assert lagged.percent == "3.00"  # two business days before Tuesday is Friday
    assert none is None


# --- Limits -----------------------------------------------------------------------------------


def test_a_limit_lowered_under_its_use_is_breached_and_takes_no_new_hold(deals: Deals) -> None:
    deals.request(deals.invoice("1,000.00"))
    more = deals.quote(deals.invoice("1,000.00"))["id"]
    node = deals.limit("obligor", ANCHOR, "999.99")
    assert (node["state"], node["headroom_minor"], node["held_minor"]) == (
        "BREACHED",
        -1,
        eur("1,000.00"),
    )
    assert len(deals.all(Outbox, topic="limit.breached")) == 1
    with pytest.raises(RuleViolation, match="LIMIT_OBLIGOR"):
        deals.submit(more)


def test_a_limit_is_edited_in_the_version_that_was_read(deals: Deals) -> None:
    node = deals.limit("obligor", ANCHOR, "5.00")
    edit = {
        "kind": "obligor", "subject_id": ANCHOR, "currency": EUR, "limit_minor": 7,
        "version": node["version"],
    }  # fmt: skip
    assert deals.run("limit.set", HEAD, **edit)["limit_minor"] == 7
    with pytest.raises(Conflict, match="STALE"):
        deals.run("limit.set", HEAD, **edit)


@pytest.mark.parametrize("kind", ["financier", "programme", "obligor", "seller"])
def test_a_limit_on_a_subject_that_nobody_knows_is_refused(deals: Deals, kind: str) -> None:
    with pytest.raises(NotFound):
        deals.limit(kind, "typo", "5.00")
