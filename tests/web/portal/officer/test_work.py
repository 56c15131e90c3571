"""The officers' other pages, by their forms: money out and in, books, limits, terms, firms."""

import datetime as dt
import io
import re
from importlib.resources import files
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from scf.demo import bank
from scf.programmes.models import LimitNode
from tests.support.served import HOST
from tests.web import signing
from tests.web.api.story import DAY, INVOICE, SAMPLES
from tests.web.portal.officer.desk import CHECKER, HEAD, MAKER, Desk, text_of

UUID = "([0-9a-f]{8}-[0-9a-f-]{27})"
_NODE: Any = LimitNode.__table__  # type: ignore[attr-defined]


def link(page: str, beginning: str) -> str:
    found = re.search(rf'href="/officer({beginning}/{UUID})"', page)
    assert found is not None, f"no link to {beginning}"
    return found[1]


def hand_in(desk: Desk, *contents: bytes, status: int = 200) -> str:
    hidden = desk.form(desk.page(MAKER, "/bank-files"), "/bank-files")
    parts = [
        FileStorage(io.BytesIO(data), f"file-{number}.xml") for number, data in enumerate(contents)
    ]
    boundary, body = encode_multipart({**hidden, "files": parts})
    answer = desk.browser(MAKER).client.post(
        "/officer/bank-files",
        base_url=HOST,
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
        headers={"Referer": f"{HOST}/", "Origin": HOST},
    )
    return text_of(answer, status)


def test_money_goes_out_and_comes_home_by_the_pages_alone(desk: Desk) -> None:
    request_id = desk.requested()
    desk.checked(request_id)
    desk.decided(MAKER, request_id)
    desk.decided(CHECKER, request_id)
    assert "A check is missing" in desk.page(MAKER, "/pay-outs")
    desk.checked(request_id)
    assert "Ready to pay" in desk.page(MAKER, "/pay-outs")

    ready = desk.page(MAKER, "/pay-outs")
    advance = re.search(r'name="advance" value="([^"]+)"', ready)
    assert advance is not None
    file = desk.send(MAKER, "/pay-outs/prepare", "/pay-outs", advance=advance[1])
    assert "You prepared this file. Another person releases it." in file
    path = link(desk.page(CHECKER, "/pay-outs"), "/pay-outs")
    released = desk.send(CHECKER, f"{path}/release", path, sign=True)
    assert "The file is released" in released
    content = desk.browser(CHECKER).get(f"/officer{path}/content")
    assert content.headers["Content-Disposition"].startswith("attachment")

    # Larger than any page without files, and read to its end, to be refused in words.
    assert "file-0.xml" in hand_in(desk, b" " * 1_100_000, status=422)
    answers = [
        data for _name, data in bank.answer(content.data, on=DAY, state_dir=desk.story.folder)
    ]
    read = hand_in(desk, *answers)
    assert "1 acknowledged" in read
    assert "1 booked" in read
    assert "0 new" in hand_in(desk, answers[1])
    assert "Booked" in desk.page(MAKER, path)

    desk.story.close_to(dt.date(2026, 6, 12))
    late = desk.page(MAKER, "/advances?show=late")
    assert "Overdue" in late
    life = desk.page(MAKER, link(late, "/advances"))
    for shown in ("5 days late", "Show all", "Payment", "11,625.00"):
        assert shown in life
    books = desk.page(CHECKER, "/books")
    assert "Debits equal credits" in books
    day = desk.page(CHECKER, "/books/entries?on=2026-03-10")
    assert "988,375.00" in day
    exported = desk.browser(CHECKER).get("/officer/books/export?format=csv").get_data(as_text=True)
    assert "988375.00" in exported


def test_a_receipt_that_nobody_can_place_is_placed_by_a_person(desk: Desk) -> None:
    desk.story.funded()
    hand_in(desk, desk.story.receive(25_000_00, "for our valves", DAY, stranger=True))
    waiting = desk.page(MAKER, "/receipts")
    assert "The payer named nothing that is known." in waiting
    path = link(waiting, "/receipts")
    page = desk.page(MAKER, path)
    field = re.search(r'name="(pay:[^"]+)"', page)
    assert field is not None
    pays: dict[str, Any] = {field[1]: "25,000.00"}
    again = desk.send(MAKER, path, path, status=422, **pays)
    assert 'value="25,000.00"' in again
    placed = desk.send(MAKER, path, path, note="told by telephone", **pays)
    assert "The receipt is placed." in placed
    assert "BV-2026-118" in placed.partition("What it has paid")[2]
    assert "Every receipt has found its invoice." in desk.page(MAKER, "/receipts")


def test_a_proposal_is_accepted_and_the_statement_tells_by_whom(desk: Desk) -> None:
    desk.story.funded()
    hand_in(desk, desk.story.receive(25_000_00, "BV-2026-118", DAY, stranger=True))
    waiting = desk.page(MAKER, "/receipts")
    assert "BV-2026-118" in waiting
    path = link(waiting, "/receipts")
    page = desk.page(MAKER, path)
    assert "The invoice number stands in the text." in page
    assert "two people" in page
    hidden = desk.form(page, f"{path}/accept")
    one: dict[str, Any] = {"proposal_id": hidden["proposal_id"]}
    assert "Say what shows it." in desk.send(MAKER, f"{path}/accept", path, status=422, **one)
    said: dict[str, Any] = {**one, "note": "told by telephone"}
    assert "another person" in desk.send(MAKER, f"{path}/accept", path, **said)
    assert "The receipt is placed." in desk.send(CHECKER, f"{path}/accept", path, **said)
    review = desk.page(MAKER, "/receipts/review")
    assert "By a person" in review
    assert "off by" not in review


def node(desk: Desk, kind: str) -> dict[str, Any]:
    with desk.story.platform.db.snapshot() as conn:
        query = select(_NODE).where(_NODE.c.kind == kind, _NODE.c.currency == "EUR")
        return dict(conn.execute(query).mappings().one())


def test_a_limit_is_lowered_on_the_second_press_and_shows_before_what_it_means(desk: Desk) -> None:
    desk.requested()
    path = f"/limits/{node(desk, 'obligor')['id']}"
    seen = desk.send(CHECKER, path, path, status=200, limit="900,000.00", why="less of it")
    assert "More is taken than this allows." in seen
    assert "Less binds at once." in seen
    assert node(desk, "obligor")["limit_minor"] == 500_000_000
    fields = desk.form(seen, path) | {"step": "confirm"}
    assert "Over the limit" in desk.again(CHECKER, path, fields)
    assert node(desk, "obligor")["limit_minor"] == 90_000_000
    assert "Somebody changed this" in desk.again(
        CHECKER, path, fields | {"key": "another"}, status=409
    )
    wrong = desk.send(CHECKER, path, path, status=422, limit="a lot")
    assert 'value="a lot"' in wrong


def test_a_limit_is_raised_by_one_person_and_granted_by_another_who_signs(desk: Desk) -> None:
    path = f"/limits/{node(desk, 'obligor')['id']}"
    fields = desk.form(
        desk.send(MAKER, path, path, status=200, limit="9,000,000.00", why="more trade"), path
    )
    proposed = desk.again(MAKER, path, fields | {"step": "confirm"})
    assert "The limit is proposed. A second person grants it." in proposed
    own = desk.page(MAKER, path)
    assert "You proposed it. Another person grants it." in own
    assert f'action="/officer{path}/confirm"' not in own
    page = desk.page(CHECKER, path)
    assert "Proposed by Omar Haddad" in page
    hidden = desk.form(page, f"{path}/confirm")
    refuse = desk.form(desk.page(HEAD, path), f"{path}/refuse")
    unsigned = desk.again(CHECKER, f"{path}/confirm", hidden, status=422)
    assert "The code is not right." in unsigned
    assert node(desk, "obligor")["limit_minor"] == 500_000_000
    assert "The limit is granted." in desk.again(CHECKER, f"{path}/confirm", hidden, sign=True)
    assert node(desk, "obligor")["limit_minor"] == 900_000_000
    late = desk.again(HEAD, f"{path}/refuse", refuse | {"reason": "too late"}, status=409)
    assert "Nothing waits for a second person here any more." in late


def test_a_new_limit_waits_on_the_page_and_can_be_taken_back(desk: Desk) -> None:
    firm = desk.story.world.firms["anchor"]
    new: dict[str, Any] = {"subject_id": f"seller:{firm}", "currency": "EUR", "limit": "1,000.00"}
    listed = desk.send(MAKER, "/limits/new", "/limits/new", **new)
    assert "Waiting for a second person" in listed
    with desk.story.platform.db.snapshot() as conn:
        made = conn.execute(select(_NODE).where(_NODE.c.proposed_minor == 100_000)).one()
    path = f"/limits/{made.id}"
    assert (made.kind, made.limit_minor) == ("seller", 0)
    assert "Say why, in a few words." in desk.send(MAKER, f"{path}/refuse", path, status=422)
    after = desk.send(MAKER, f"{path}/refuse", path, reason="wrong firm")
    assert "The proposal is dropped." in after
    assert "Waiting for a second person" not in desk.page(MAKER, "/limits")


def test_terms_are_read_in_words_and_put_in_force_by_a_second_person(desk: Desk) -> None:
    text = files("config").joinpath("programmes/payables-finance.toml").read_text("utf-8")
    text = text.replace("margin_ppm = 12_000", "margin_ppm = 15_000")
    text = text.replace('cut_off = "16:00"', 'cut_off = "23:59"')  # as the demo world has it
    anchor = f"anchor:{desk.story.world.firms['anchor']}"
    loaded = desk.send(
        MAKER,
        "/programmes",
        "/programmes",
        content=text,
        firm_id=anchor,
        effective_on="2026-03-10",
    )
    assert "You loaded these terms." in loaded
    path = link(desk.page(CHECKER, "/programmes"), "/programmes")
    page = desk.page(CHECKER, path)
    assert "1.50% up to 180 days" in page
    assert page.count(">changed<") == 1
    assert "The terms are in force." in desk.send(CHECKER, f"{path}/activate", path)
    kept = desk.send(
        MAKER, "/programmes", "/programmes", status=422, content="x", effective_on="soon"
    )
    assert "Say from which day" in kept


def test_a_published_value_is_recorded_by_one_and_confirmed_by_another_who_signs(
    desk: Desk,
) -> None:
    value: dict[str, Any] = {"benchmark": "EURIBOR-3M", "fixed_on": "2026-03-11", "percent": "3.47"}
    recorded = desk.send(MAKER, "/fixings", "/fixings", **value)
    assert "The value is recorded. A second person confirms it." in recorded
    assert "You recorded it. Another person confirms it." in recorded
    page = desk.page(CHECKER, "/fixings")
    found = re.search(r'action="/officer(/fixings/[^"]+/confirm)"', page)
    assert found is not None
    hidden = desk.form(page, found[1])
    assert "The code is not right." in desk.again(CHECKER, found[1], hidden, status=422)
    done = desk.again(CHECKER, found[1], hidden, sign=True)
    assert "The value counts from now on." in done
    assert "Waiting for a second person" not in done
    other = desk.send(MAKER, "/fixings", "/fixings", status=409, **(value | {"percent": "3.5"}))
    assert "a published value never changes" in other
    assert 'value="3.5"' in other
    text = desk.send(MAKER, "/fixings", "/fixings", status=422, **(value | {"percent": "much"}))
    assert "Write the value as it was published" in text


def test_a_wrong_value_is_struck_out_before_it_counts(desk: Desk) -> None:
    value: dict[str, Any] = {"benchmark": "EURIBOR-3M", "fixed_on": "2026-03-11", "percent": "347"}
    page = desk.send(MAKER, "/fixings", "/fixings", **value)
    found = re.search(r'action="/officer(/fixings/[^"]+/refuse)"', page)
    assert found is not None
    assert "Say why, in a few words." in desk.send(CHECKER, found[1], "/fixings", status=422)
    gone = desk.send(CHECKER, found[1], "/fixings", reason="a point is missing")
    assert "The value is struck out." in gone
    assert "347 %" not in gone


def test_an_unknown_party_becomes_a_firm_by_two_people_and_so_does_its_account(desk: Desk) -> None:
    content = (SAMPLES / INVOICE).read_bytes().replace(b"NL004495445B01", b"DE129273398")
    desk.story.send("carl", "/uploads?name=other.xml", content)
    page = desk.page(MAKER, "/firms")
    assert "Named in documents, known to nobody" in page
    finding = re.search(r'name="finding_id" value="([^"]+)"', page)
    assert finding is not None
    firm = desk.send(MAKER, "/firms/from-finding", "/firms", finding_id=finding[1])
    assert "You added this firm. Another person activates it." in firm
    path = link(desk.page(CHECKER, "/firms?state=INVITED"), "/firms")
    active = desk.send(CHECKER, f"{path}/activate", path, evidence="register of companies")
    assert "The firm may trade." in active
    account: dict[str, Any] = {"iban": "GB29NWBK60161331926819", "currency": "GBP"}
    wrong = desk.send(
        MAKER, f"{path}/accounts", path, status=422, **(account | {"iban": "GB00BAD"})
    )
    assert 'value="GB00BAD"' in wrong
    assert "Another person verifies it." in desk.send(MAKER, f"{path}/accounts", path, **account)
    verify = re.search(r'action="/officer(/accounts/[^"]+)"', desk.page(CHECKER, path))
    assert verify is not None
    done = desk.send(CHECKER, verify[1], path, evidence="called back")
    assert "verified by Chen Wei" in done


def test_small_cases_are_approved_together_and_what_stands_out_is_left(desk: Desk) -> None:
    desk.one_officer_decides()
    ids = [desk.part(minor) for minor in (1_000_00, 1_200_00, 1_100_00, 90_000_00)]
    for request_id in ids:
        desk.checked(request_id)
    page = desk.page(MAKER, "/queue?view=mine")
    offered = re.findall(r'name="case" value="([^"]+)"', page)
    assert len(offered) == 4
    fields = desk.form(page, "/queue/approve")
    every = re.findall(r'name="offered" value="([^"]+)"', page)
    answer = desk.browser(MAKER).client.post(
        "/officer/queue/approve",
        base_url=HOST,
        data={
            **fields,
            "offered": every,
            "case": offered,
            "note": "small and alike",
            **signing.signature(desk.served, MAKER),
        },
        headers={"Referer": f"{HOST}/", "Origin": HOST},
    )
    said = text_of(answer).partition("Approved together")[2]
    assert said.count(">Approved<") == 3
    assert "Its amount stands out among the chosen cases." in said


def test_every_page_opens_for_the_head_office(desk: Desk) -> None:
    desk.story.ready()
    for path in (
        "/queue", "/queue?view=second&only=large", "/limits", "/limits?currency=USD", "/limits/new",
        "/programmes", "/fixings", "/pay-outs", "/bank-files", "/receipts", "/advances", "/books",
        "/books/entries", "/firms", "/firms?q=brook",
    ):  # fmt: skip
        assert "Business date" in desk.page(HEAD, path), path
