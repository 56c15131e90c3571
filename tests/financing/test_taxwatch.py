"""Money does not move on an invoice that its tax authority does not have as we have it."""

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import update

from scf.db.engine import Database
from scf.db.models import Outbox
from scf.documents.models import Invoice
from scf.documents.taxcheck.models import TaxCheck
from scf.financing.models import FinancingRequest
from scf.financing.taxwatch import oversight, watching
from scf.financing.taxwatch.models import TaxAlert, TaxVouch
from scf.kernel.actor import OPERATOR
from scf.kernel.errors import Conflict, NotAllowed, RuleViolation
from scf.notices.events import COMPOSERS
from tests.support.deals import (
    BANK,
    CHECKER,
    DAY,
    MAKER,
    SELLER,
    TREASURER,
    refusals_of,
    table,
)
from tests.support.engines import Prepare
from tests.support.racing import race
from tests.support.taxes import TaxDeals, fill

OLD = dt.timedelta(hours=2)


@pytest.fixture
def prepare() -> Prepare:
    return fill


@pytest.fixture
def deals(db: Database, tmp_path: Path) -> TaxDeals:
    return TaxDeals.found(db, tmp_path)


def answers(deals: TaxDeals) -> list[tuple[str, str]]:
    return [(row.answer, row.purpose) for row in deals.all(TaxCheck)]


def refused(deals: TaxDeals, invoice_id: str) -> list[str]:
    with pytest.raises(RuleViolation) as no:
        deals.quote(invoice_id)
    return [one["code"] for one in refusals_of(no.value)]


# --- Offer ----------------------------------------------------------------------------------------


def test_a_price_is_firm_only_on_the_authoritys_fresh_word(deals: TaxDeals) -> None:
    invoice_id = deals.registered()
    assert deals.quote(invoice_id)["state"] == "OPEN"
    assert answers(deals) == [("VALID", "offer")]
    deals.quote(invoice_id)
    assert len(answers(deals)) == 1  # a word of the last minutes is not asked for again
    deals.clock.advance(hours=1)
    deals.office.void(deals.get(Invoice, invoice_id).number)
    assert refused(deals, invoice_id) == ["TAX_VOID"]
    assert answers(deals)[-1] == ("VOIDED", "offer")


def test_who_could_not_be_asked_has_not_said_yes(deals: TaxDeals) -> None:
    invoice_id = deals.registered()
    deals.office.behave("down")
    assert refused(deals, invoice_id) == ["TAX_UNCHECKED"]
    deals.connect(None)
    assert refused(deals, invoice_id) == ["TAX_UNCHECKED"]
    assert [row.reason for row in deals.all(TaxCheck)] == ["NO_CONNECTION", "NOT_CONNECTED"]
    deals.office.behave("well")
    deals.connect(deals.office)
    deals.quote(invoice_id)


@pytest.mark.parametrize("answer", ["NOT_FOUND", "MISMATCH"])
def test_an_invoice_that_the_authority_has_otherwise_is_refused(
    deals: TaxDeals, answer: str
) -> None:
    invoice_id = deals.registered()
    number = "other" if answer == "NOT_FOUND" else deals.get(Invoice, invoice_id).number
    deals.change(Invoice, invoice_id, number=number, gross_minor=99_000)
    assert refused(deals, invoice_id) == [f"TAX_{answer}"]
    if answer == "MISMATCH":
        (row,) = deals.all(TaxCheck)
        assert (row.field, row.theirs, row.ours) == ("gross_minor", "100000", "99000")


def test_a_credit_note_that_only_the_authority_knows_keeps_the_invoice_out(
    deals: TaxDeals,
) -> None:
    invoice_id = deals.registered()
    deals.office.credit(deals.get(Invoice, invoice_id).number, 30_000)
    assert refused(deals, invoice_id) == ["TAX_CREDITED"]
    # Once it is here it has lowered what is eligible, and both say the same.
    deals.change(Invoice, invoice_id, credited_minor=30_000)
    assert deals.quote(invoice_id)["face_minor"] == 70_000


# --- Pay-out --------------------------------------------------------------------------------------


def test_a_void_between_offer_and_payment_file_stops_the_money(deals: TaxDeals) -> None:
    invoice_id = deals.registered()
    request_id = deals.decided(invoice_id)
    deals.office.void(deals.get(Invoice, invoice_id).number)
    assert [one["code"] for one in deals.prepare()["skipped"]] == ["TAX_VOID"]
    assert deals.state() == "RECHECKED"
    deals.platform.worker().drain()  # what was held is freed, the request refused
    row = deals.get(FinancingRequest, request_id)
    assert (row.state, row.decline_code) == ("DECLINED", "TAX_VOID")
    assert deals.get(Invoice, invoice_id).held_minor == 0
    assert deals.all(TaxAlert) == []  # no money was out


def test_a_void_between_payment_file_and_release_stops_the_money(deals: TaxDeals) -> None:
    invoice_id = deals.registered()
    deals.decided(invoice_id)
    prepared = deals.prepare()
    deals.office.void(deals.get(Invoice, invoice_id).number)
    with pytest.raises(RuleViolation) as no:
        deals.release(prepared)
    assert no.value.code == "TAX_VOID"
    assert deals.state() == "RECHECKED"


def test_money_waits_while_nobody_can_be_asked(deals: TaxDeals) -> None:
    invoice_id = deals.registered()
    deals.decided(invoice_id)
    deals.clock.advance(hours=2)
    deals.office.behave("down")
    assert [one["code"] for one in deals.prepare()["skipped"]] == ["TAX_UNCHECKED"]
    deals.office.behave("well")
    deals.release(deals.prepare())
    assert deals.state() == "INSTRUCTED"


# --- Two people in its place ----------------------------------------------------------------------


def test_two_people_may_speak_for_a_day_while_the_authority_is_away(deals: TaxDeals) -> None:
    invoice_id = deals.registered()
    with pytest.raises(RuleViolation, match="while the tax authority is away"):
        deals.run("tax.vouch", MAKER, invoice_id=invoice_id, evidence="seen on its page")
    deals.office.behave("down")
    assert refused(deals, invoice_id) == ["TAX_UNCHECKED"]
    made = deals.run("tax.vouch", MAKER, invoice_id=invoice_id, evidence="seen on its page")
    with pytest.raises(Conflict, match="STALE"):
        deals.run("tax.vouch", CHECKER, invoice_id=invoice_id, evidence="seen there, too")
    both = CHECKER.__class__(MAKER.user_id, BANK, MAKER.roles | CHECKER.roles)
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        deals.run("tax.decide_vouch", both, vouch_id=made["vouch_id"], agree=True)
    assert refused(deals, invoice_id) == ["TAX_UNCHECKED"]
    deals.run("tax.decide_vouch", CHECKER, vouch_id=made["vouch_id"], agree=True)
    deals.decided(invoice_id)
    deals.release(deals.prepare())
    assert (deals.state(), deals.all(TaxVouch)[0].state) == ("INSTRUCTED", "CONFIRMED")
    deals.clock.advance(hours=25)
    other = deals.registered("B-2")
    assert refused(deals, other) == ["TAX_UNCHECKED"]


def test_nobody_speaks_against_a_word_of_the_authority(deals: TaxDeals) -> None:
    invoice_id = deals.registered()
    deals.office.void(deals.get(Invoice, invoice_id).number)
    deals.asked(invoice_id)
    deals.office.behave("down")
    deals.clock.advance(hours=1)
    assert refused(deals, invoice_id) == ["TAX_VOID"]
    with pytest.raises(RuleViolation, match="TAX_ANSWERS"):
        deals.run("tax.vouch", MAKER, invoice_id=invoice_id, evidence="but I saw it")


# --- Each week ------------------------------------------------------------------------------------


def paid(deals: TaxDeals) -> str:
    invoice_id = deals.registered()
    deals.decided(invoice_id)
    deals.release(deals.prepare())
    return invoice_id


def week(deals: TaxDeals, days: int = 7) -> dt.date:
    """Let days pass."""
    deals.clock.advance(days=days)
    deals.set_date(deals.clock.now().date())
    return deals.clock.now().date()


def test_a_financed_invoice_is_asked_about_once_in_each_week(deals: TaxDeals) -> None:
    paid(deals)
    before = len(answers(deals))
    for _ in range(21):
        watching.recheck(deals.platform, BANK, week(deals, 1))
    assert answers(deals)[before:] == [("VALID", "weekly")] * 3


def test_the_days_of_the_week_share_the_work() -> None:
    slots = [watching.slot_of(f"invoice-{number}") for number in range(700)]
    assert all(70 <= slots.count(day) <= 130 for day in range(7))
    last = {watching.last_slot("invoice-1", DAY + dt.timedelta(days=day)) for day in range(7)}
    assert len(last) == 2  # its day is passed once a week


def test_a_financed_invoice_voided_later_raises_one_alert_and_takes_no_more_money(
    deals: TaxDeals,
) -> None:
    invoice_id = paid(deals)
    deals.office.void(deals.get(Invoice, invoice_id).number)
    for _ in range(2):
        watching.recheck(deals.platform, BANK, week(deals))
    (alert,) = deals.all(TaxAlert)
    assert (alert.kind, alert.state, alert.financed_minor) == ("VOIDED", "OPEN", 100_000)
    assert alert.owner_id == CHECKER.user_id  # who said the last word
    with pytest.raises(RuleViolation, match="ALERT_STANDS"):
        deals.run("tax.close_alert", MAKER, alert_id=alert.id, outcome="CLEARED", note="looks fine")
    deals.run("tax.take_alert", MAKER, alert_id=alert.id)
    deals.office.restore(deals.get(Invoice, invoice_id).number)
    watching.recheck(deals.platform, BANK, week(deals))
    closed = deals.run(
        "tax.close_alert", MAKER, alert_id=alert.id, outcome="CLEARED", note="restored"
    )
    assert closed["state"] == "CLOSED"
    with pytest.raises(Conflict, match="ALERT_CLOSED"):
        deals.run("tax.take_alert", MAKER, alert_id=alert.id)


def topics(deals: TaxDeals, name: str) -> list[str]:
    return [row.org_id for row in deals.all(Outbox, topic=name)]


def test_while_an_alert_is_open_its_seller_gets_nothing_more_here(deals: TaxDeals) -> None:
    invoice_id = paid(deals)
    deals.office.void(deals.get(Invoice, invoice_id).number)
    watching.recheck(deals.platform, BANK, week(deals))
    (alert,) = deals.all(TaxAlert)
    waiting = str(deals.request(deals.registered("B-1"))["id"])
    with pytest.raises(RuleViolation) as no:
        deals.decide(waiting, MAKER)
    assert (no.value.code, no.value.facts["alert_id"]) == ("TAX_ALERT_OPEN", alert.id)
    # The buyer has undertaken to pay: it owes on, and the officer says so.
    deals.run("tax.close_alert", MAKER, alert_id=alert.id, outcome="UNDERTAKING", note="it owes")
    deals.decide(waiting, MAKER)
    deals.decide(waiting, CHECKER)
    assert deals.get(FinancingRequest, waiting).state == "APPROVED"


def test_the_bank_and_the_seller_are_told_once_of_each_word_against_an_invoice(
    deals: TaxDeals,
) -> None:
    invoice_id = paid(deals)
    number = deals.get(Invoice, invoice_id).number
    deals.office.credit(number, 30_000)
    for _ in range(2):
        watching.recheck(deals.platform, BANK, week(deals))
    assert (topics(deals, "tax.alert"), topics(deals, "tax.against")) == ([BANK], [SELLER])
    deals.office.void(number)
    watching.recheck(deals.platform, BANK, week(deals))
    assert topics(deals, "tax.alert") == [BANK, BANK]  # it has become worse
    (alert,) = deals.all(TaxAlert)
    with deals.db.snapshot() as conn:
        for topic, words in (
            ("tax.alert", f"The tax authority has invoice {number} as void; EUR 1000.00 is"),
            ("tax.against", f"The tax authority has your invoice {number} as void. Hand in"),
        ):
            payload = deals.all(Outbox, topic=topic)[-1].payload
            made = COMPOSERS[topic](conn, topic, payload)
            assert made is not None
            assert str(made.words).startswith(words)
            assert made.subject_id == (alert.id if topic == "tax.alert" else invoice_id)


def test_an_authority_silent_for_two_weeks_is_somebodys_work(deals: TaxDeals) -> None:
    paid(deals)
    deals.office.behave("down")
    for days, alerts in ((7, 0), (5, 0), (4, 1)):
        watching.recheck(deals.platform, BANK, week(deals, days))
        assert len(deals.all(TaxAlert)) == alerts
    assert deals.all(TaxAlert)[0].kind == "UNANSWERED"


def test_a_recheck_cut_off_in_the_middle_asks_only_the_rest(
    deals: TaxDeals, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        deals.decided(deals.registered(f"A-{number}"))
    deals.release(deals.prepare())
    before = len(answers(deals))
    monkeypatch.setattr(watching, "MOST_AT_ONCE", 1)
    calls = []
    run = deals.platform.runner.run

    def dies(name: str, *args: object, **more: object) -> object:
        calls.append(name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return run(name, *args, **more)  # type: ignore[arg-type]

    on = week(deals)
    monkeypatch.setattr(deals.platform.runner, "run", dies)
    with pytest.raises(KeyboardInterrupt):
        watching.recheck(deals.platform, BANK, on)
    assert len(answers(deals)) == before + 2
    assert watching.recheck(deals.platform, BANK, on)["weekly"]["VALID"] == 1
    assert len(answers(deals)) == before + 3


def test_what_was_just_accepted_is_asked_about_by_the_worker(deals: TaxDeals) -> None:
    invoice_id = deals.invoice("1,000.00", accepted=False)
    deals.known(invoice_id)
    deals.accept(invoice_id)
    deals.platform.worker().drain()
    assert answers(deals) == [("VALID", "offer")]


def test_no_money_leaves_unseen_without_a_word(deals: TaxDeals) -> None:
    paid(deals)
    with deals.db.snapshot() as conn:
        assert list(oversight.unheard(conn)) == []
    with deals.db.writer.begin() as conn:
        conn.execute(update(table(TaxCheck)).values(asked_at=deals.clock.now() - OLD))
    with deals.db.snapshot() as conn:
        assert len(list(oversight.unheard(conn))) == 1


def test_of_a_void_and_a_release_at_one_moment_one_sees_the_other(deals: TaxDeals) -> None:
    invoice_id = deals.registered()
    deals.decided(invoice_id)
    (file,) = deals.prepare()["files"]
    deals.clock.advance(minutes=11)  # so that the word of the payment file is not the last one
    deals.connect(None)  # the release finds what is kept; the void arrives beside it
    deals.asked(invoice_id, "payout")
    void = {"invoice_id": invoice_id, "scheme": "sdi", "state": "VOIDED"}

    def act(place: int) -> str:
        key = f"race-{place}"
        if place:
            said = {"answers": [void], "purpose": "weekly"}
            deals.platform.run("tax.keep_answers", said, OPERATOR, key=key)
            return "void"
        sent = {"file_id": file["file_id"]}
        return str(deals.platform.run("payout.release", sent, CHECKER, key=key).result["state"])

    came = race(2, act)
    alerts = len(deals.all(TaxAlert))
    assert (came["SENT"], alerts) in {(1, 1), (0, 0)}
    assert came["SENT"] + came["TAX_VOID"] == 1


def test_a_seller_asks_for_others_invoices_in_vain(deals: TaxDeals) -> None:
    foreign = deals.invoice("1,000.00", seller_id="somebody", accepted=False)
    with pytest.raises(Exception, match="NOT_FOUND"):
        deals.quote(foreign)
    assert answers(deals) == []
    assert TREASURER.org_id != "somebody"
