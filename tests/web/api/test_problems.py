"""Whatever goes wrong, a program is told in one shape, and never more than it may know."""

import json
import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from scf.db.runner import Runner
from scf.kernel.errors import Unavailable
from scf.kernel.ids import new_id
from tests.web.api.story import ANNA, CARL, CHEN, MIRA, OMAR, Story

MEMBERS = {"type", "title", "status", "code", "detail", "facts"}


def problem(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """Check the shape of a problem and give it."""
    assert answer.content_type == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.get_data())
    assert set(body) == MEMBERS
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["type"] == "urn:tributary:problem:" + code.lower().replace("_", "-")
    assert re.search(r"[a-z]{2}", body["detail"]), "words for a person"
    assert isinstance(body["facts"], dict)
    assert not re.search(r"Traceback|sqlalchemy|psycopg|File \"", answer.get_data(as_text=True))
    return body


def test_every_family_of_errors_has_one_shape(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, invoice_id = story.ask, story.accepted()
    accept = f"/invoices/{invoice_id}/accept"
    amount = {"amount_minor": 1, "currency": "USD"}
    problem(ask(None, "GET", "/invoices"), 401, "TOKEN_MISSING")
    problem(ask(MIRA, "POST", accept, json={}), 403, "NOT_ALLOWED")
    problem(ask(ANNA, "GET", f"/invoices/{new_id()}"), 404, "NOT_FOUND")
    problem(ask(ANNA, "PUT", f"/invoices/{invoice_id}", json={}), 405, "METHOD_NOT_ALLOWED")
    problem(ask(ANNA, "POST", accept, json={"amount": 5}), 422, "INPUT")
    problem(ask(ANNA, "POST", accept, json={"amount": amount}), 422, "CURRENCY")
    problem(ask(ANNA, "POST", accept, json={"due_on": "tomorrow"}), 422, "INPUT")
    reject = f"/invoices/{invoice_id}/reject"
    problem(ask(ANNA, "POST", reject, json={"reason": "too late"}), 422, "UNDERTAKING")
    problem(story.send(ANNA, accept, b"<x/>"), 415, "CONTENT_TYPE")
    problem(story.send(ANNA, accept, b"{", content_type="application/json"), 400, "JSON")
    problem(ask(ANNA, "GET", "/invoices?cursor=x"), 400, "CURSOR")
    request = story.request(story.quote(invoice_id)["id"])
    back = f"/financing-requests/{request['id']}/withdraw"
    problem(ask(MIRA, "POST", back), 428, "IF_MATCH")
    problem(ask(MIRA, "POST", back, headers={"If-Match": '"9"'}), 409, "STALE")
    word = {"request_id": request["id"], "outcome": "APPROVE"}
    problem(ask(OMAR, "POST", "/decisions", json=word), 428, "IF_MATCH")
    missing = problem(
        ask(OMAR, "POST", "/decisions", json=word | {"version": 1}), 422, "CHECK_MISSING"
    )
    assert missing["facts"]["missing"] == ["duplicate", "screening", "tax_status", "title_search"]
    problem(story.send(OMAR, "/bank-statements", b"x" * 9_000_000), 413, "TOO_LARGE")
    problem(ask(MIRA, "GET", "/nothing"), 404, "NOT_FOUND")

    def away(*_args: object, **_more: object) -> object:
        raise Unavailable("DATABASE", "The database did not answer. Repeat with the same key.")

    monkeypatch.setattr(Runner, "run", away)
    problem(ask(CARL, "POST", "/firms", json={"name": "A"}), 503, "DATABASE")


def test_a_refusal_says_what_was_measured_and_what_to_do(story: Story) -> None:
    invoice_id = story.accepted()
    body = {
        "invoice_ids": [invoice_id],
        "amount": {"amount_minor": 100_000_001, "currency": "EUR"},
    }
    told = problem(story.ask(MIRA, "POST", "/quotes", json=body), 422, "CAPACITY")
    for refusal in told["facts"]["refusals"]:
        assert set(refusal) == {
            "code", "measured", "threshold", "frees_on", "next_step", "message",
        }  # fmt: skip
        assert refusal["message"]
        assert refusal["next_step"]


def test_the_second_person_is_another_one(story: Story) -> None:
    """Four eyes hold over HTTP: for the decision and for the release."""
    request_id = story.requested()
    story.check(request_id, "duplicate", "screening", "tax_status", "title_search")
    story.decide(OMAR, request_id)
    word = {"request_id": request_id, "outcome": "APPROVE", "version": 2}
    problem(story.ask(OMAR, "POST", "/decisions", json=word), 403, "FOUR_EYES")
    story.decide(CHEN, request_id)
    story.check(request_id, "e_signature", "registration", "recheck")
    (file,) = story.say(CHEN, "POST", "/payment-files", 201, json={})["files"]
    release = f"/payment-files/{file['id']}/release"
    problem(story.ask(CHEN, "POST", release), 403, "FOUR_EYES")
    cancelled = story.say(
        OMAR, "POST", f"/payment-files/{file['id']}/cancel", json={"note": "same person"}
    )
    assert cancelled["state"] == "CANCELLED"
    problem(story.ask("hana", "POST", release), 409, "ILLEGAL_TRANSITION")
