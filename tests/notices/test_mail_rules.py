"""Kinds of notices, and when a letter of several leaves: a calendar is enough to check it."""

import datetime as dt

import pytest

from scf.kernel.actor import Role
from scf.kernel.errors import InvalidInput
from scf.notices.events import COMPOSERS
from scf.notices.mail.delivery import Line, Outgoing
from scf.notices.mail.rules import (
    AT_ONCE,
    DAILY,
    HOURLY,
    KINDS,
    PORTAL,
    kind_of,
    kinds_for,
    must_be_an_address,
    next_slot,
)
from web.letters import _SUBJECTS, harmless, writer
from web.names import MAIL_KINDS


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"{text}+00:00")


def test_every_event_that_people_are_told_of_is_of_one_kind_with_a_name() -> None:
    for topic in COMPOSERS:
        assert len([one for one in KINDS.values() if topic.startswith(one.topics)]) == 1, topic
        assert kind_of(topic).choices[0] == kind_of(topic).usual
    assert set(_SUBJECTS) == set(MAIL_KINDS) == set(KINDS)


def test_money_is_never_batched_and_the_own_sign_in_always_told() -> None:
    money = {topic for topic in COMPOSERS if topic.startswith(("request.", "recourse."))}
    assert {kind_of(topic).name for topic in money} == {"money"}
    assert KINDS["money"].choices == (AT_ONCE, PORTAL)
    assert KINDS["sign_in"].choices == (AT_ONCE,)


def test_everything_else_is_told_together_once_an_hour_unless_chosen() -> None:
    others = [one for name, one in KINDS.items() if name not in {"money", "payments", "sign_in"}]
    assert all(one.choices == (HOURLY, AT_ONCE, DAILY, PORTAL) for one in others)


def test_a_person_is_offered_what_the_own_roles_can_be_told() -> None:
    offered = {role: [one.name for one in kinds_for(frozenset({role}))] for role in Role}
    told = ["money", "trade", "payments", "files", "connections", "sign_in"]
    assert offered[Role.TREASURER] == told
    assert offered[Role.OFFICER_MAKER] == ["provisions", "alerts", "models", "sign_in"]
    assert offered[Role.HEAD_OFFICE] == ["provisions", "models", "sign_in"]


@pytest.mark.parametrize(
    ("after", "zone", "hour", "due"),
    [
        ("2026-03-02T12:00", "UTC", 7, "2026-03-03T07:00"),
        ("2026-03-02T06:59:59", "UTC", 7, "2026-03-02T07:00"),
        ("2026-03-02T07:00", "UTC", 7, "2026-03-03T07:00"),
        ("2026-03-02T12:00", "Asia/Shanghai", 7, "2026-03-02T23:00"),
        ("2026-07-02T12:00", "Europe/Berlin", 0, "2026-07-02T22:00"),
        # Clocks go forward at 02:00 and back at 03:00: once a day, whatever they do.
        ("2026-03-28T12:00", "Europe/Berlin", 2, "2026-03-29T01:00"),
        ("2026-03-29T01:00", "Europe/Berlin", 2, "2026-03-30T00:00"),
        ("2026-10-24T12:00", "Europe/Berlin", 2, "2026-10-25T00:00"),
        ("2026-10-25T00:00", "Europe/Berlin", 2, "2026-10-26T01:00"),
    ],
)
def test_the_letter_of_the_day_leaves_at_the_persons_own_hour(
    after: str, zone: str, hour: int, due: str
) -> None:
    slot, when = next_slot(DAILY, at(after), zone, hour)
    assert when == at(due)
    assert when > at(after)
    assert slot.startswith("day:")


def test_the_letter_of_the_hour_leaves_at_the_full_hour() -> None:
    assert next_slot(HOURLY, at("2026-03-02T12:00"), "UTC", 7)[1] == at("2026-03-02T13:00")
    slot, due = next_slot(HOURLY, at("2026-03-02T23:59:59"), "Asia/Kolkata", 7)
    assert (slot, due) == ("hour:2026-03-03T00", at("2026-03-03T00:00"))


def test_days_in_a_row_are_letters_of_their_own() -> None:
    when, slots = at("2026-03-25T12:00"), []
    for _day in range(7):
        slot, when = next_slot(DAILY, when, "Europe/Berlin", 2)
        slots.append(slot)
    assert slots == [f"day:2026-03-{day}" for day in range(26, 32)] + ["day:2026-04-01"]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Stored: 2. To fix: 1.", "Stored: 2. To fix: 1."),
        ("EUR 988375.00", "EUR 988375.00"),
        ("INV 7\r\n\r\nBcc: a", "INV 7 Bcc: a"),
        ("x\u202egnp.exe", "x gnp\u2060.exe"),
        ("http://evil.example/a", "http\u2060://evil\u2060.example/a"),
        ("www.evil.example", "www\u2060.evil\u2060.example"),
        ("发票.网站", "发票\u2060.网站"),
    ],
)
def test_what_others_typed_is_one_line_without_a_link(typed: str, shown: str) -> None:
    assert harmless(typed) == shown


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("a@b.example", True),
        ("first.last+x@sub.example.com", True),
        ("a\x00@b.example", False),
        ("a@b.example\r\nBcc: c@d.example", False),
        ("a..b@c.example", False),
        ("a b@c.example", False),
        ('"a b"@c.example', False),
        ("p\u00e9rez@b.example", False),
        ("a@b.example,c@d.example", False),
        ("", False),
    ],
)
def test_only_the_address_of_one_mailbox_is_written_to(text: str, *, good: bool) -> None:
    if good:
        must_be_an_address(text)
    else:
        with pytest.raises(InvalidInput, match="MAILBOX_ADDRESS"):
            must_be_an_address(text)


def test_a_letter_of_very_many_notices_says_how_many_more_there_are() -> None:
    lines = [Line(str(n), "files", f"File {n}", at("2026-03-02T12:00")) for n in range(60)]
    due = at("2026-03-02T13:00")
    letter = Outgoing("i", "u", "a@b.example", "DIGEST", "en", "Asia/Tokyo", due, 1, lines)
    made = writer("https://scf.example.com/")(letter)
    assert made.subject == "Tributary: 60 notices"
    for part in (made.text, made.html):
        assert "File 49" in part
        assert "File 50" not in part
        assert "10 more stand there." in part
        assert "21:00 (Tokyo)" in part
        assert "https://scf.example.com/notices" in part


def test_a_letter_in_a_language_that_there_is_none_of_is_in_english() -> None:
    lines = [Line("1", "money", "Hello", at("2026-03-02T12:00"))]
    letter = Outgoing("i", "u", "a@b.example", "NOTICE", "xx", "UTC", lines[0].at, 1, lines)
    made = writer("https://scf.example.com")(letter)
    assert made.subject == "Tributary: News of your financing request"
    assert '<html lang="en">' in made.html
