"""Every act that moves money or state has one effect, however often and at once it is asked.

One walk along the main path: each step is asked by twenty threads under one key, once more after
that, and with another body under the same key.
"""

import datetime as dt
import threading
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from werkzeug.test import TestResponse

from scf.db.engine import Database
from scf.demo import bank
from scf.financing.models import Advance, Decision, FinancingRequest, ManualCheck
from scf.kernel.ids import new_id
from scf.ledger.models import Entry
from scf.offers.models import Quote
from scf.settlement.models import BankEntry, BankStatement, PaymentFile, PaymentInstruction
from tests.web.api.story import (
    ANNA,
    BEFORE_DECISION,
    BEFORE_PAYOUT,
    CHEN,
    DAY,
    INVOICE,
    MIRA,
    OMAR,
    SAMPLES,
    Story,
    eur,
)

AT_ONCE = 20
DUE = dt.date(2026, 6, 8)
Ask = Mapping[str, Any]


class Once:
    """Asks for one thing in every way that must have one effect."""

    def __init__(self, story: Story) -> None:
        self.story = story

    def __call__(
        self,
        person: str,
        path: str,
        body: Ask | bytes,
        other: Ask | bytes | None,
        **how: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401 - the answer
        """Give the one answer; ``other`` is a body that the key must not stand for."""
        key = self.story.world.key()
        answers = self._at_once(lambda: self._send(person, path, body, key, how))
        done = [one for one in answers if one.status_code < 300]
        rest = {one.get_json(force=True)["code"] for one in answers if one.status_code >= 300}
        assert rest <= {"IN_PROGRESS"}, rest
        assert len({one.data for one in done}) == 1, (path, [one.data for one in done])
        first = [one for one in done if "Idempotency-Hit" not in one.headers]
        assert len(first) == 1, path
        again = self._send(person, path, body, key, how)
        assert (again.status_code, again.data) == (first[0].status_code, first[0].data)
        assert again.headers["Idempotency-Hit"] == "true"
        if other is not None:
            altered = self._send(person, path, other, key, how)
            problem = altered.get_json(force=True)
            assert (altered.status_code, problem["code"]) == (422, "IDEMPOTENCY_MISMATCH"), path
        return again.get_json()

    def _send(
        self, person: str, path: str, body: Ask | bytes, key: str, how: Mapping[str, Any]
    ) -> TestResponse:
        if isinstance(body, bytes):
            return self.story.send(person, path, body, key=key)
        return self.story.ask(person, "POST", path, json=body, key=key, **how)

    def _at_once(self, ask: Any) -> list[TestResponse]:  # noqa: ANN401 - a call
        gate = threading.Barrier(AT_ONCE)
        answers: list[TestResponse] = []
        bugs: list[BaseException] = []

        def one() -> None:
            gate.wait()
            try:
                answers.append(ask())
            except BaseException as bug:  # noqa: BLE001 - handed to the test below
                bugs.append(bug)

        threads = [threading.Thread(target=one) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not bugs, bugs
        return answers


def test_every_step_to_the_money_has_one_effect(story: Story, db: Database) -> None:
    once = Once(story)
    content = (SAMPLES / INVOICE).read_bytes()
    upload = once(MIRA, f"/uploads?name={INVOICE}", content, content + b"\n")
    (row,) = story.say(MIRA, "GET", f"/invoices?upload_id={upload['id']}")["items"]
    invoice = f"/invoices/{row['id']}"
    once(ANNA, f"{invoice}/accept", {}, {"amount": eur(5)})
    contested = {"amount": eur(100), "reason": "scratched"}
    once(ANNA, f"{invoice}/dispute", contested, contested | {"amount": eur(101)})

    ask = {"invoice_ids": [row["id"]]}
    quote = once(MIRA, "/quotes", ask, ask | {"amount": eur(50_000_000)})
    request = once(MIRA, "/financing-requests", {"quote_id": quote["id"]}, {"quote_id": new_id()})
    _decide(once, request["id"])
    file = once(OMAR, "/payment-files", {}, {"value_on": "2026-03-10"})["files"][0]
    released = f"/payment-files/{file['id']}/release"
    once(CHEN, released, {}, None)
    pain = story.ask(OMAR, "GET", f"/payment-files/{file['id']}/content").data

    for _name, data in bank.answer(pain, on=DAY, state_dir=story.folder):
        once(OMAR, "/bank-statements", data, data + b"\n")
    story.close_to(DUE - dt.timedelta(days=1))
    statement = story.receive(60_000_000, "who knows", DUE, stranger=True)
    once(OMAR, "/bank-statements", statement, None)
    _identify(once, story, row["id"])
    counted = {
        model.__name__: _count(db, model)
        for model in (
            Quote, FinancingRequest, ManualCheck, Decision, Advance,
            PaymentFile, PaymentInstruction, BankStatement, BankEntry,
        )
    }  # fmt: skip
    assert counted == {
        "Quote": 1, "FinancingRequest": 1, "ManualCheck": 7, "Decision": 2, "Advance": 1,
        "PaymentFile": 1, "PaymentInstruction": 1, "BankStatement": 2, "BankEntry": 2,
    }  # fmt: skip
    (advance,) = story.say(MIRA, "GET", "/advances")["items"]
    assert (advance["repaid"], advance["state"]) == (eur(60_000_000), "PART_REPAID")
    entries = _count(db, Entry)
    _books(story)
    assert entries == _count(db, Entry)


def _decide(once: Once, request_id: str) -> None:
    request = f"/financing-requests/{request_id}"
    for kind in BEFORE_DECISION:
        body = {"kind": kind, "result": "CLEAR", "evidence": "seen"}
        once(OMAR, f"{request}/checks", body, body | {"result": "HIT"})
    word = {"request_id": request_id, "outcome": "APPROVE", "version": 1}
    declined = {"outcome": "DECLINE", "code": "OTHER"}
    once(OMAR, "/decisions", word, word | declined)
    word |= {"version": 2}
    once(CHEN, "/decisions", word, word | declined)
    for kind in BEFORE_PAYOUT:
        body = {"kind": kind, "result": "CLEAR", "evidence": "seen"}
        once(OMAR, f"{request}/checks", body, body | {"result": "HIT"})


def _identify(once: Once, story: Story, invoice_id: str) -> None:
    (entry,) = story.say(OMAR, "GET", "/bank-entries?state=RECEIVED")["items"]
    said = {
        "pays": [{"invoice_id": invoice_id, "amount": eur(60_000_000)}],
        "payer_id": story.world.firms["anchor"],
        "note": "the anchor rang",
    }
    less = said | {"pays": [{"invoice_id": invoice_id, "amount": eur(1)}]}
    once(OMAR, f"/bank-entries/{entry['id']}/identify", said, less)


def _books(story: Story) -> None:
    for person in (MIRA, ANNA, OMAR):
        assert story.say(person, "GET", "/ledger/trial-balance")["totals"] == [eur(0)]


def _count(db: Database, model: Any) -> int:  # noqa: ANN401 - a table
    with db.snapshot() as conn:
        return int(conn.execute(select(func.count()).select_from(model.__table__)).scalar_one())


def test_stepping_back_has_one_effect(story: Story) -> None:
    once = Once(story)
    request_id = story.requested()
    request = f"/financing-requests/{request_id}"
    moved = once(MIRA, f"{request}/withdraw", {}, None, headers={"If-Match": '"1"'})
    assert moved["state"] == "WITHDRAWN"
    stale = story.ask(MIRA, "POST", f"{request}/withdraw", headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.get_json(force=True)["code"]) == (409, "STALE")
    (row,) = story.say(MIRA, "GET", "/invoices")["items"]
    assert row["eligible"] == eur(100_000_000)


def test_the_key_of_one_person_is_not_anothers(story: Story) -> None:
    """A key belongs to an organisation and a command; elsewhere it is a key never used."""
    invoice_id = story.accepted()
    story.say(MIRA, "POST", "/quotes", 201, json={"invoice_ids": [invoice_id]}, key="same")
    answer = story.ask(
        ANNA, "POST", f"/invoices/{invoice_id}/reject", json={"reason": "too late"}, key="same"
    )
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (422, "UNDERTAKING")
