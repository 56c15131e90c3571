"""Notices reach a mailbox once, in its person's words, and only where its person wants them."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from scf.db.engine import Database
from scf.db.models import AuditLog, Idempotency, Outbox
from scf.kernel.actor import OPERATOR
from scf.kernel.errors import Conflict, InvalidInput
from scf.notices.mail.delivery import LEASE, Content, Outgoing, message
from scf.notices.mail.models import Mailbox
from scf.notices.mail.relay import Relay
from scf.notices.models import Notice
from scf.notices.tries import WAITS
from scf.parties.models import User
from tests.notices.mailing import ADDRESS, SITE, WRITE, Mailing
from tests.support.deals import table
from tests.support.engines import ENGINES
from tests.support.people import NOON, PASSWORD, small_prepare
from tests.support.postoffice import SENDER, TAKEN, PostOffice, post_office
from tests.support.racing import race

prepare = small_prepare
# What becomes of a letter at the server's end is no matter of the database.
one_engine = pytest.mark.parametrize("engine_name", ENGINES[:1], indirect=True)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
MORNING = dt.datetime(2026, 3, 3, 7, tzinfo=dt.UTC)


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as found:
        yield found


@pytest.fixture
def mailing(db: Database, office: PostOffice) -> Mailing:
    return Mailing(db, office)


@pytest.fixture
def reader(mailing: Mailing) -> Mailing:
    mailing.confirm()
    return mailing


def test_nothing_but_a_code_goes_to_a_mailbox_that_nobody_confirmed(mailing: Mailing) -> None:
    mailing.sign_in_changed()
    assert mailing.send() == 0
    code = mailing.ask()
    mailing.sign_in_changed()
    assert mailing.send() == 0
    (came,) = mailing.office.came
    assert came.to == (ADDRESS,)
    assert "Company" not in came.text
    with pytest.raises(InvalidInput, match="MAILBOX_CODE"):
        mailing.run("mail.confirm", code=code[:-1] + ("x" if code[-1] != "x" else "y"))
    mailing.run("mail.confirm", code=f" {code.upper()} ")
    mailing.sign_in_changed()
    assert mailing.send() == 1


def test_a_code_works_for_an_hour_and_only_the_last_one(mailing: Mailing) -> None:
    first = mailing.ask()
    second = mailing.ask()
    with pytest.raises(InvalidInput, match="MAILBOX_CODE"):
        mailing.run("mail.confirm", code=first)
    mailing.world.clock.advance(HOUR + dt.timedelta(seconds=1))
    with pytest.raises(InvalidInput, match="MAILBOX_CODE"):
        mailing.run("mail.confirm", code=second)
    mailing.run("mail.confirm", code=mailing.ask())
    with pytest.raises(Conflict, match="MAILBOX_CONFIRMED"):
        mailing.ask()


def test_codes_are_not_sent_without_end_and_stand_nowhere_else(mailing: Mailing) -> None:
    code = [mailing.ask() for _number in range(5)][-1]
    with pytest.raises(Conflict, match="MAILBOX_CODES"):
        mailing.ask()
    mailing.run("mail.confirm", code=code)
    with mailing.world.platform.db.snapshot() as conn:
        kept = [
            str(row)
            for model in (AuditLog, Idempotency, Mailbox, Outbox)
            for row in conn.execute(select(table(model)))
        ]
    assert not [row for row in kept if code in row or code.replace("-", "") in row]


def test_a_notice_is_told_once_whatever_is_delivered_twice(reader: Mailing) -> None:
    reader.choose("AT_ONCE")
    reader.file("orders.json")
    with reader.world.platform.db.writer.begin() as conn:
        conn.execute(update(table(Outbox)).values(done_at=None, lease_until=None))
    reader.world.platform.worker().drain()
    assert reader.send() == 1
    assert reader.send() == 0
    (came,) = reader.office.came
    (row,) = reader.letters()
    assert (row.state, row.attempts) == ("SENT", 1)
    letter = came.letter
    assert letter["Message-ID"] == f"<{row.id}@tributary.example>"
    assert letter["From"] == f"Tributary <{SENDER}>"
    assert letter["To"] == ADDRESS
    assert letter["Subject"] == "Tributary: A file is read"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"].datetime == NOON
    for part in (came.text, came.html):
        assert "orders\N{WORD JOINER}.json is read" in part
        assert f"{SITE}/notices/" in part
    assert came.html.count("<a ") == 2, "one way to the page, one to the choices"


@one_engine
def test_what_the_server_does_not_take_now_is_tried_again_byte_for_byte(reader: Mailing) -> None:
    reader.office.to_recipient = ["451 4.7.1 try later", "452 4.2.2 full", TAKEN]
    reader.office.to_letter = ["451 4.3.0 busy", TAKEN]
    reader.sign_in_changed()
    assert reader.send() == 1
    assert reader.send() == 0, "not before its time"
    for wait in WAITS[:3]:
        reader.world.clock.advance(wait)
        assert reader.send() == 1
    (row,) = reader.letters()
    assert (row.state, row.attempts, len(reader.office.came)) == ("SENT", 4, 1)


@one_engine
def test_after_days_without_success_nothing_more_is_tried(reader: Mailing) -> None:
    reader.office.to_recipient = ["451 4.7.1 try later"]
    reader.sign_in_changed()
    reader.tried(len(WAITS) - 1)
    assert reader.send() == 1
    reader.world.clock.advance(WAITS[-1])
    assert reader.send() == 1
    (row,) = reader.letters()
    assert (row.state, row.problem, row.status) == ("FAILED", "LATER", 451)
    reader.world.clock.advance(2 * DAY)
    assert reader.send() == 0


def test_a_mailbox_that_there_is_none_of_gets_nothing_more_and_its_person_is_told(
    reader: Mailing,
) -> None:
    reader.office.to_recipient = ["550 5.1.1 <x> unknown\x07 here", TAKEN]
    reader.sign_in_changed()
    assert reader.send() == 1
    (row,) = reader.letters()
    assert (row.state, row.problem, row.status) == ("FAILED", "REFUSED", 550)
    box = reader.mailbox()
    assert (box.state, box.answer) == ("REFUSED", "550 5.1.1 <x> unknown here")
    reader.world.platform.worker().drain()
    reader.sign_in_changed()
    reader.world.clock.advance(2 * DAY)
    assert reader.send() == 0
    with reader.world.platform.db.read(reader.who) as session:
        told = list(session.execute(select(col(Notice.message))).scalars())
    assert any(words.startswith("Your mailbox refuses our messages") for words in told)
    reader.confirm()
    reader.sign_in_changed()
    assert reader.send() == 1


@one_engine
@pytest.mark.parametrize("answer", ["554 5.7.1 relay access denied", "552 5.2.2 over quota"])
def test_a_refusal_of_one_letter_ends_that_letter_alone(reader: Mailing, answer: str) -> None:
    reader.office.to_recipient = [answer, TAKEN]
    reader.sign_in_changed()
    reader.sign_in_changed()
    assert reader.send() == 2
    assert [row.state for row in reader.letters()] == ["FAILED", "SENT"]
    assert reader.mailbox().state == "CONFIRMED"


@one_engine
def test_a_server_that_is_away_costs_one_letter_one_try_and_is_left_alone(reader: Mailing) -> None:
    for _number in range(3):
        reader.sign_in_changed()
    reader.postman.relay = replace(reader.postman.relay, port=1)
    assert reader.postman.send_due() == 1
    assert reader.postman.send_due() == 0
    assert sorted(row.attempts for row in reader.letters()) == [0, 0, 1]
    assert {row.problem for row in reader.letters()} == {None, "CONNECTION"}
    reader.postman.relay = replace(reader.postman.relay, port=reader.office.port)
    reader.world.clock.advance(WAITS[0])
    assert reader.send() == 3


def test_four_workers_at_once_send_every_letter_once(reader: Mailing) -> None:
    for _number in range(8):
        reader.sign_in_changed()

    def work(_number: int) -> str:
        postman = reader.another_postman()
        return str(sum(postman.send_due() for _round in range(4)))

    race(4, work)
    reader.send()
    ids = [came.letter["Message-ID"] for came in reader.office.came]
    assert len(ids) == len(set(ids)) == 8
    assert {(row.state, row.attempts) for row in reader.letters()} == {("SENT", 1)}


def test_workers_that_tell_at_once_share_the_letter_of_the_hour(reader: Mailing) -> None:
    reader.choose("HOURLY")
    platform = reader.world.platform
    for number in range(6):
        reader.hand_in(f"{number}.json")
    race(4, lambda number: str(platform.worker(f"w{number}").drain() > 0))
    assert reader.send_at(NOON + HOUR) == 1
    (came,) = reader.office.came
    assert came.letter["Subject"] == "Tributary: 6 notices"


def test_a_day_is_one_letter_and_an_empty_day_none(reader: Mailing) -> None:
    reader.choose("DAILY")
    for name in ("one", "two"):
        reader.file(f"{name}.json")
    assert reader.send() == 0
    assert reader.send_at(MORNING) == 1
    assert reader.send_at(MORNING + DAY) == 0
    reader.file("three.json")
    assert reader.send_at(MORNING + 2 * DAY) == 1
    first, second = reader.office.came
    assert first.letter["Subject"] == "Tributary: 2 notices"
    assert first.text.index("one\N{WORD JOINER}.") < first.text.index("two\N{WORD JOINER}.")
    assert second.letter["Subject"] == "Tributary: A file is read", "one alone leads to its case"
    assert f"{SITE}/notices/0" in second.text
    assert "one\N{WORD JOINER}." not in second.text


def test_what_was_read_meanwhile_is_left_out_and_a_letter_of_nothing_is_not_sent(
    reader: Mailing,
) -> None:
    reader.choose("HOURLY")
    reader.file("seen.json")
    reader.run("notice.mark_read")
    assert reader.send_at(NOON + HOUR) == 0
    assert [(row.state, row.problem) for row in reader.letters()] == [("DROPPED", "READ")]
    reader.file("seen.json")
    reader.run("notice.mark_read")
    reader.file("fresh.json")
    assert reader.send_at(NOON + 2 * HOUR) == 1
    (came,) = reader.office.came
    assert "fresh\N{WORD JOINER}." in came.text
    assert "seen\N{WORD JOINER}." not in came.text


@one_engine
def test_a_changed_password_is_told_in_the_mailbox_at_once(reader: Mailing) -> None:
    reader.run("user.set_password", password="gravel-lantern-mimic-52", current=PASSWORD)
    reader.world.platform.worker().drain()
    assert reader.send() == 1
    (came,) = reader.office.came
    assert came.letter["Subject"] == "Tributary: Your sign-in was changed"
    assert "Your password was changed." in came.text


@one_engine
def test_the_operator_tries_the_server_with_a_letter_that_tells_nothing(mailing: Mailing) -> None:
    mailing.postman.try_out("ops@site.example")
    (came,) = mailing.office.came
    assert came.to == ("ops@site.example",)
    assert mailing.letters() == []
    with pytest.raises(InvalidInput, match="MAILBOX_ADDRESS"):
        mailing.postman.try_out("ops@site.example, other@site.example")


def test_what_happens_while_the_letter_of_the_hour_leaves_comes_in_the_next(
    reader: Mailing,
) -> None:
    reader.choose("HOURLY")
    reader.office.to_recipient = ["451 later", TAKEN]
    reader.file("early.json")
    reader.world.clock.advance(NOON + HOUR - dt.timedelta(seconds=1) - reader.world.clock.now())
    late = reader.world.platform.clock.now()
    reader.world.clock.advance(seconds=1)
    assert reader.send() == 1
    reader.world.clock.advance(late - reader.world.clock.now())  # a slow transaction's own instant
    reader.file("late.json")
    reader.world.clock.advance(2 * HOUR)
    assert reader.send() == 2
    texts = [came.text for came in reader.office.came]
    assert sorted("early\N{WORD JOINER}." in text for text in texts) == [False, True]
    assert sorted("late\N{WORD JOINER}." in text for text in texts) == [False, True]


@one_engine
def test_nothing_is_sent_of_what_is_wanted_in_the_portal_only(reader: Mailing) -> None:
    reader.choose("PORTAL")
    reader.file("mine.json")
    assert reader.send_at(MORNING + DAY) == 0
    reader.sign_in_changed()
    assert reader.send() == 1, "the own sign-in is told whatever was chosen"


def test_who_left_or_is_disabled_gets_nothing_more(reader: Mailing) -> None:
    reader.sign_in_changed()
    reader.run("mail.leave")
    assert reader.send() == 0
    assert [(row.state, row.problem) for row in reader.letters()] == [("DROPPED", "MAILBOX")]
    reader.confirm()
    reader.sign_in_changed()
    with reader.world.platform.db.writer.begin() as conn:
        theirs = table(User).c.id == reader.who.user_id
        conn.execute(update(table(User)).where(theirs).values(email="another@supplier.example"))
    assert reader.send() == 0, "another address has confirmed nothing"
    reader.sign_in_changed()
    assert [row.state for row in reader.letters()] == ["DROPPED", "DROPPED"]


@one_engine
def test_what_nobody_could_send_for_days_is_not_sent_late(reader: Mailing) -> None:
    reader.sign_in_changed()
    assert reader.send_at(NOON + 4 * DAY) == 0
    assert [(row.state, row.problem) for row in reader.letters()] == [("DROPPED", "TOO_OLD")]


@one_engine
def test_a_letter_that_ends_every_worker_is_given_up(reader: Mailing) -> None:
    reader.sign_in_changed()
    reader.tried(len(WAITS))
    assert reader.postman._claim() is not None
    reader.world.clock.advance(LEASE + dt.timedelta(seconds=1))
    assert reader.send() == 0
    assert [(row.state, row.problem) for row in reader.letters()] == [("FAILED", "GIVEN_UP")]


@one_engine
def test_a_letter_is_in_its_readers_language(mailing: Mailing) -> None:
    mailing.confirm("zh")
    mailing.run("mail.choose", choices={"files": "AT_ONCE"}, language="zh")
    mailing.file("mine.csv")
    mailing.send()
    (came,) = mailing.office.came
    assert '<html lang="zh-Hans">' in came.html
    assert "待修正" in came.text
    assert "待修正" in came.html
    assert "is read" not in came.text
    assert came.letter["Content-Language"] == "zh"


@one_engine
def test_a_name_that_somebody_gave_makes_no_header_no_line_and_no_link(reader: Mailing) -> None:
    reader.choose("AT_ONCE")
    reader.file("a\u2028Open: https://evil.example/x.html <b>&.csv")
    reader.send()
    (came,) = reader.office.came
    assert came.letter["Subject"] == "Tributary: A file is read"
    shown = [line for line in came.text.splitlines() if "evil" in line]
    assert len(shown) == 1
    for part in (came.text, came.html):
        assert "evil.example" not in part
        assert "https://evil" not in part
    assert "&lt;b&gt;&amp;" in came.html


@pytest.mark.parametrize(
    "evil", ["a\nBcc: x@evil.example", "a\r\n\r\nhello", "a\rTo: x@evil.example"]
)
def test_a_header_of_two_lines_cannot_be_made(evil: str) -> None:
    one = Outgoing("id-1", "u", ADDRESS, "NOTICE", "en", "UTC", NOON, 1)
    relay = Relay("127.0.0.1", 25, SENDER)
    with pytest.raises(ValueError):  # noqa: PT011 - the library's own words
        message(one, Content(evil, "text", "<p>"), relay)
    with pytest.raises(ValueError):  # noqa: PT011
        message(replace(one, address=f"x@y.example{evil}"), Content("s", "t", "h"), relay)


@one_engine
def test_the_same_letter_has_the_same_bytes(reader: Mailing) -> None:
    reader.sign_in_changed()
    first = reader.postman._claim()
    reader.world.clock.advance(LEASE + dt.timedelta(seconds=1))
    second = reader.another_postman()._claim()
    assert first is not None
    assert second is not None
    relay = reader.postman.relay
    made = [message(one, WRITE(one), relay).as_bytes() for one in (first, second)]
    assert made[0] == made[1]


def test_whoever_was_slow_does_not_write_over_who_took_over(reader: Mailing) -> None:
    reader.sign_in_changed()
    slow = reader.postman._claim()
    assert slow is not None
    reader.world.clock.advance(LEASE + dt.timedelta(seconds=1))
    assert reader.another_postman().send_due() == 1
    reader.postman._put_back(slow, "BROKEN", None)
    assert [row.state for row in reader.letters()] == ["SENT"]


@one_engine
def test_only_what_can_be_chosen_is_chosen(reader: Mailing) -> None:
    for wanted in ({"money": "DAILY"}, {"sign_in": "PORTAL"}, {"nothing": "DAILY"}):
        with pytest.raises(InvalidInput, match="MAIL_CHOICE"):
            reader.run("mail.choose", choices=wanted)
    for zone in ("../etc/passwd", "Nowhere/Town"):
        with pytest.raises(InvalidInput, match="ZONE"):
            reader.run("mail.choose", choices={}, zone=zone)


def test_only_the_platform_says_that_a_mailbox_refuses(reader: Mailing) -> None:
    told = {"user_id": reader.who.user_id, "address": "other@supplier.example", "answer": "550"}
    assert reader.world.run("mail.refuse", OPERATOR, **told) == {"refused": False}
    assert reader.mailbox().state == "CONFIRMED"
