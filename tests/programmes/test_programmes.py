"""Programmes, fixings and limits as people set them, on both engines."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import insert, select

from scf.db.engine import Database
from scf.db.models import AuditLog, Outbox
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, RuleViolation
from scf.parties.models import Firm, User
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
    OTHER_BANK,
    OTHER_CHECKER,
    SELLER,
    Deals,
    eur,
    programme_file,
    table,
)

BOTH = type(MAKER)(MAKER.user_id, BANK, MAKER.roles | CHECKER.roles)


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
    load(deals, DAY, grace_days="7")
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        deals.run("programme.activate", BOTH, programme_id=deals.programme_id)


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
    deals.fix("9.99", DAY, OTHER_BANK)
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


def test_one_persons_value_prices_nothing_until_another_confirms_it(deals: Deals) -> None:
    later = dt.date(2026, 3, 11)
    deals.set_date(later)
    invoice = deals.invoice()
    made = add(deals, "9.99", later)
    assert made["waits_for_second"]
    assert deals.quote(invoice, amount="1,000.00")["rate_percent"] == "4.65"
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        deals.run("fixing.confirm", BOTH, fixing_id=made["id"], percent="9.99")
    with pytest.raises(Conflict, match="STALE"):
        deals.run("fixing.confirm", CHECKER, fixing_id=made["id"], percent="9.9")
    deals.run("fixing.confirm", CHECKER, fixing_id=made["id"], percent="9.99")
    assert deals.quote(invoice, amount="1,000.00")["rate_percent"] == "11.19"
    for name, more in (("confirm", {"percent": "9.99"}), ("refuse", {"reason": "a typo"})):
        with pytest.raises(Conflict, match="NOTHING_WAITS"):
            deals.run(f"fixing.{name}", HEAD, fixing_id=made["id"], **more)


def test_a_value_that_waits_is_replaced_or_struck_out_and_its_first_person_changes(
    deals: Deals,
) -> None:
    later = dt.date(2026, 3, 11)
    made = add(deals, "9.99", later)
    again = deals.run("fixing.add", CHECKER, benchmark="EURIBOR-3M", fixed_on=later, percent="3.46")
    assert again["id"] == made["id"]
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        deals.run("fixing.confirm", CHECKER, fixing_id=made["id"], percent="3.46")
    deals.run("fixing.refuse", MAKER, fixing_id=made["id"], reason="not published yet")
    assert deals.all(Fixing, fixed_on=later) == []
    with pytest.raises(NotFound):
        deals.run("fixing.confirm", HEAD, fixing_id=made["id"], percent="3.46")


def test_another_bank_neither_confirms_nor_strikes_out_a_value(deals: Deals) -> None:
    made = add(deals, "3.46", dt.date(2026, 3, 11))
    for name, more in (("confirm", {"percent": "3.46"}), ("refuse", {"reason": "a typo"})):
        with pytest.raises(NotFound):
            deals.run(f"fixing.{name}", OTHER_CHECKER, fixing_id=made["id"], **more)


def add(deals: Deals, percent: str, on: dt.date) -> dict[str, Any]:
    return deals.run("fixing.add", MAKER, benchmark="EURIBOR-3M", fixed_on=on, percent=percent)


# --- Limits -----------------------------------------------------------------------------------


def test_a_limit_lowered_under_its_use_is_breached_and_takes_no_new_hold(deals: Deals) -> None:
    deals.request(deals.invoice("1,000.00"))
    more = deals.quote(deals.invoice("1,000.00"))["id"]
    node = deals.propose("obligor", ANCHOR, "999.99")
    assert (node["state"], node["headroom_minor"], node["held_minor"]) == (
        "BREACHED",
        -1,
        eur("1,000.00"),
    )
    assert len(deals.all(Outbox, topic="limit.breached")) == 1
    with pytest.raises(RuleViolation, match="LIMIT_OBLIGOR"):
        deals.submit(more)


def test_a_higher_limit_grants_nothing_before_another_person_confirms_it(deals: Deals) -> None:
    deals.propose("obligor", ANCHOR, "100.00")
    invoice = deals.invoice("1,000.00")
    node = deals.propose("obligor", ANCHOR, "1,000.00")
    assert (node["limit_minor"], node["proposed_minor"]) == (eur("100.00"), eur("1,000.00"))
    with pytest.raises(RuleViolation, match="LIMIT_OBLIGOR"):
        deals.quote(invoice)
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        deals.grant(node, who=BOTH)
    other_amount = dict(node, proposed_minor=eur("2,000.00"))
    with pytest.raises(Conflict, match="STALE"):
        deals.grant(other_amount)
    (granted,) = deals.grant(node)
    assert (granted["limit_minor"], granted["waits_for_second"]) == (eur("1,000.00"), False)
    assert deals.request(invoice)["state"] == "IN_REVIEW"
    with pytest.raises(Conflict, match="NOTHING_WAITS"):
        deals.grant(node, who=HEAD)


def test_a_second_account_of_the_same_mailbox_is_no_second_person(deals: Deals) -> None:
    people = [("u-one", "vera@bank.example"), ("u-two", "vera+second@bank.example")]
    with deals.db.writer.begin() as conn:
        for user_id, email in people:
            user = User(
                id=user_id,
                org_id=BANK,
                email=email,
                name="Vera",
                password_hash="",
                created_at=deals.clock.now(),
            )
            conn.execute(insert(table(User)), user.model_dump())
    first, second = (type(MAKER)(user_id, BANK, BOTH.roles, "Vera") for user_id, _email in people)
    node = deals.propose("seller", SELLER, "20,000,000.00", first)
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        deals.grant(node, who=second)


def test_a_new_limit_waits_too_unless_it_only_narrows(deals: Deals) -> None:
    with deals.db.writer.begin() as conn:
        deals.add_firm(conn, "newcomer")
    assert deals.propose("seller", "newcomer", "5.00")["limit_minor"] == 0
    assert deals.propose("country", "DE", "5.00")["limit_minor"] == eur("5.00")
    assert deals.propose("country", "DE", "6.00")["limit_minor"] == eur("5.00")


def test_less_binds_at_once_and_drops_what_waits(deals: Deals) -> None:
    node = deals.propose("obligor", ANCHOR, "20,000,000.00")
    lowered = deals.propose("obligor", ANCHOR, "1.00", HEAD)
    assert (lowered["limit_minor"], lowered["proposed_minor"]) == (100, None)
    with pytest.raises(Conflict, match="NOTHING_WAITS"):
        deals.grant(node)


def test_a_proposal_that_is_refused_leaves_the_limit_as_it_was(deals: Deals) -> None:
    node = deals.propose("obligor", ANCHOR, "20,000,000.00")
    refuse = {"limit_id": node["id"], "reason": "too much on one name"}
    with pytest.raises(NotFound):
        deals.run("limit.refuse", OTHER_CHECKER, **refuse)
    after = deals.run("limit.refuse", CHECKER, **refuse)
    assert (after["limit_minor"], after["proposed_minor"]) == (eur("10,000,000.00"), None)
    with pytest.raises(Conflict, match="NOTHING_WAITS"):
        deals.grant(node)


def test_another_bank_grants_nothing_here_and_all_are_granted_or_none(deals: Deals) -> None:
    one = deals.propose("obligor", ANCHOR, "20,000,000.00")
    two = deals.propose("seller", SELLER, "20,000,000.00", CHECKER)
    with pytest.raises(NotFound):
        deals.grant(one, who=OTHER_CHECKER)
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        deals.grant(one, two, who=CHECKER)
    assert {row.limit_minor for row in deals.all(LimitNode)} == {eur("10,000,000.00")}


def test_who_proposed_and_who_granted_stand_in_the_audit_trail(deals: Deals) -> None:
    node = deals.limit("obligor", ANCHOR, "20,000,000.00")
    with deals.db.snapshot() as conn:
        changes = [
            (row.user_id, one["after"])
            for row in conn.execute(select(table(AuditLog)))
            for one in row.changes
            if one["id"] == node["id"] and one["after"]["limit_minor"] and one["before"]
        ]
    assert sorted(changes, key=lambda one: (one[0], one[1]["limit_minor"])) == [
        (CHECKER.user_id, {"limit_minor": eur("10,000,000.00")}),
        (CHECKER.user_id, {"limit_minor": eur("20,000,000.00")}),
        (
            MAKER.user_id,
            {
                "limit_minor": eur("10,000,000.00"),
                "proposed_minor": eur("20,000,000.00"),
                "proposed_by": MAKER.user_id,
            },
        ),
    ]


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
