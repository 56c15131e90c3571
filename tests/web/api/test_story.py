"""The whole main path by HTTP alone: from the file of an invoice to three closed books."""

import datetime as dt
import hashlib
from typing import Any

from tests.web.api.story import (
    ANNA,
    BEFORE_DECISION,
    BEFORE_PAYOUT,
    CARL,
    CHEN,
    DAY,
    MIRA,
    OMAR,
    Story,
    eur,
)

DUE = dt.date(2026, 6, 8)


def test_an_invoice_file_becomes_money_and_three_closed_books(story: Story) -> None:
    invoice_id = _arrives(story)
    request_id = _priced(story, invoice_id)
    _decided(story, request_id)
    advance_id = _paid_out(story)
    assert story.say(MIRA, "GET", f"/invoices/{invoice_id}")["label"] == "FINANCED"
    # What its supplier has sold is not the buyer's to know.
    assert story.say(ANNA, "GET", f"/invoices/{invoice_id}")["label"] == "APPROVED"
    _repaid(story, advance_id)
    assert story.say(ANNA, "GET", f"/invoices/{invoice_id}")["label"] == "PAID"
    _books_are_closed(story)


def _arrives(story: Story) -> str:
    """Order and invoice meet, and the anchor undertakes to pay."""
    story.upload(CARL, "order-4711.xml")
    invoice_id = story.invoice()
    (order,) = story.say(MIRA, "GET", "/orders")["items"]
    assert (order["number"], order["seller"]["name"]) == ("4711", "Brook Valves")
    before = story.say(MIRA, "GET", f"/invoices/{invoice_id}")
    assert before["axes"] == {
        "document": "VALIDATED",
        "match": "MATCHED",
        "match_code": None,
        "acceptance": "NONE",
        "payment": "OPEN",
        "dispute": "CLEAR",
    }
    assert before["order_id"] == order["id"]
    word = story.say(ANNA, "POST", f"/invoices/{invoice_id}/accept", json={})
    assert word == {"invoice_id": invoice_id, "amount": eur(100_000_000), "irrevocable": True}
    shown = story.say(MIRA, "GET", f"/invoices/{invoice_id}")
    assert (shown["label"], shown["eligible"]) == ("APPROVED", eur(100_000_000))
    return invoice_id


# Golden case 1.
TERMS = {
    "on": "2026-03-10",
    "value_on": "2026-03-10",
    "day_count": "ACT/360",
    "rate_basis": "face",
    "all_in_ppm": 47_047,
    "effective_ppm": 48_564,
    "face": eur(100_000_000),
    "discount": eur(1_162_500),
    "fee": eur(0),
    "net": eur(98_837_500),
}


def _told(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: answer[name] for name in TERMS}


def _priced(story: Story, invoice_id: str) -> str:
    quote = story.quote(invoice_id)
    assert _told(quote) == TERMS
    assert (quote["rate_percent"], quote["rate_ppm"]) == ("4.65", 46_500)
    assert [line["days"] for line in quote["lines"]] == [90]
    assert story.say(MIRA, "GET", f"/quotes/{quote['id']}") == quote
    request = story.request(quote["id"])
    assert _told(request) == TERMS
    own = story.say(MIRA, "GET", f"/financing-requests/{request['id']}")
    assert _told(own) == TERMS
    assert (own["state"], own["advances"][0]["state"]) == ("IN_REVIEW", "HELD")
    held = story.say(MIRA, "GET", f"/invoices/{invoice_id}")
    assert (held["eligible"], held["finance"]["held"]) == (eur(0), eur(100_000_000))
    return str(request["id"])


def _decided(story: Story, request_id: str) -> None:
    story.check(request_id, *BEFORE_DECISION)
    assert story.decide(OMAR, request_id)["state"] == "IN_REVIEW"
    approved = story.decide(CHEN, request_id)
    assert (approved["state"], approved["missing"]) == ("APPROVED", list(BEFORE_PAYOUT))
    words = story.say(OMAR, "GET", f"/decisions?request_id={request_id}")["items"]
    assert [(word["step"], word["outcome"]) for word in words] == [(2, "APPROVE"), (1, "APPROVE")]
    story.check(request_id, *BEFORE_PAYOUT)


def _paid_out(story: Story) -> str:
    made = story.say(OMAR, "POST", "/payment-files", 201, json={})
    (file,) = made["files"]
    assert (file["total"], file["count"], made["skipped"]) == (eur(98_837_500), 1, [])
    content = f"/payment-files/{file['id']}/content"
    early = story.ask(OMAR, "GET", content)
    assert (early.status_code, early.get_json(force=True)["code"]) == (409, "NOT_RELEASED")
    same = story.ask(OMAR, "POST", f"/payment-files/{file['id']}/release")
    assert same.status_code == 403  # a maker's role does not cover it
    assert story.say(CHEN, "POST", f"/payment-files/{file['id']}/release")["state"] == "SENT"
    pain = story.ask(OMAR, "GET", content)
    assert hashlib.sha256(pain.data).hexdigest() == file["sha256"]
    assert pain.headers["Content-Disposition"].startswith("attachment; filename=")
    said = story.bank_answers(pain.data)
    assert [sum(one[name] for one in said) for name in ("acknowledged", "settled")] == [1, 1]
    (advance,) = story.say(MIRA, "GET", "/advances")["items"]
    assert _told(advance) == TERMS
    assert (advance["state"], advance["funded_on"], advance["due_on"]) == (
        "FUNDED",
        "2026-03-10",
        "2026-06-08",
    )
    return str(advance["id"])


def _repaid(story: Story, advance_id: str) -> None:
    story.close_to(DUE - dt.timedelta(days=1))
    earned = story.say(OMAR, "GET", f"/advances/{advance_id}")
    assert (earned["office"]["income"], earned["on"]) == (eur(1_162_500), DUE.isoformat())
    paid = story.bank_says(story.receive(100_000_000, "BV-2026-118", DUE))
    assert (paid["new_entries"], paid["waiting"], paid["findings"]) == (1, 0, [])
    closed = story.say(MIRA, "GET", f"/advances/{advance_id}")
    assert (closed["state"], closed["outstanding"]) == ("CLOSED", eur(0))
    steps = story.say(MIRA, "GET", f"/advances/{advance_id}/events")["items"]
    assert [step["to_state"] for step in steps] == [
        "REQUESTED",
        "HELD",
        "PRECHECKED",
        "DECIDED",
        "SIGNED",
        "REGISTERED",
        "RECHECKED",
        "INSTRUCTED",
        "FUNDED",
        "CLOSED",
    ]


def _books_are_closed(story: Story) -> None:
    """What is left in each book is what the life earned and moved; the journal says how."""
    left = {}
    for name in (MIRA, ANNA, OMAR):
        sheet = story.say(name, "GET", "/ledger/trial-balance")
        assert sheet["totals"] == [eur(0)]
        left[name] = {
            line["account"]: line["balance"]["amount_minor"]
            for line in sheet["lines"]
            if line["balance"]["amount_minor"]
        }
        lines = story.say(name, "GET", "/journals?limit=200")["items"]
        assert sum(line["amount"]["amount_minor"] for line in lines) == 0
        sums: dict[str, int] = {}
        for line in lines:
            sums[line["account"]] = sums.get(line["account"], 0) + line["amount"]["amount_minor"]
        assert {code: minor for code, minor in sums.items() if minor} == left[name]
        for form, start in (("csv", b"entry_id,"), ("hledger", b"account ")):
            answer = story.ask(name, "GET", f"/journals?format={form}&from=2026-03-10")
            assert answer.status_code == 200
            assert answer.headers["Content-Disposition"].startswith("attachment")
            if form == "csv":
                assert answer.data.startswith(start)
                assert answer.data.count(b"\r\n") == len(lines) + 1
    assert left[OMAR] == {"cash": 1_162_500, "discount_income": -1_162_500}


def test_a_journal_is_read_in_pages_that_cut_no_entry(story: Story) -> None:
    story.funded()
    story.close_to(DAY + dt.timedelta(days=3))
    whole = story.say(OMAR, "GET", "/journals?limit=200")
    assert whole["next_cursor"] == ""
    pieces, cursor = [], ""
    while True:
        part = story.say(OMAR, "GET", f"/journals?limit=2&cursor={cursor}")
        assert len({line["entry_id"] for line in part["items"]}) <= 2
        pieces += part["items"]
        cursor = part["next_cursor"]
        if not cursor:
            break
    assert pieces == whole["items"]
    days = story.say(OMAR, "GET", f"/journals?from={DAY}&to={DAY}")["items"]
    assert days == [line for line in whole["items"] if line["booked_on"] == DAY.isoformat()]
    for cursor in ("x", "WyIxIl0", "IltdIg", "ImEi"):
        answer = story.ask(OMAR, "GET", f"/journals?cursor={cursor}")
        assert (answer.status_code, answer.get_json(force=True)["code"]) == (400, "CURSOR")
