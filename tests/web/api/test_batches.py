"""Documents as data under their sender's own ids: each is answered by itself, now and later."""

import json
from typing import Any

from scf.documents.commands import READ_AT_ONCE
from tests.web.api.story import ANNA, MIRA, Story

SELLER = {"name": "Brook Valves", "identifiers": [{"scheme": "vat", "value": "NL004495445B01"}]}
BUYER = {"name": "Halden", "identifiers": [{"scheme": "vat", "value": "DE136695976"}]}
STRANGER = {"name": "Nobody's", "identifiers": [{"scheme": "vat", "value": "DE811569869"}]}


def invoice(number: str, **other: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "kind": "invoice", "number": number, "issue_on": "2026-03-02", "due_on": "2026-06-01",
        "currency": "EUR", "seller": SELLER, "buyer": BUYER, "net_minor": 10_000,
        "payable_minor": 10_000,
    } | other  # fmt: skip


def post(story: Story, status: int = 202, mode: str = "keep-good", /, **items: Any) -> Any:  # noqa: ANN401
    body = {
        "mode": mode,
        "items": [{"client_id": name, "document": one} for name, one in items.items()],
    }
    return story.say(MIRA, "POST", "/batches", status, json=body, key=story.world.key())


def became(story: Story, who: str = MIRA, **query: str) -> dict[str, tuple[str, list[str]]]:
    """Give the result of each item and the codes of what keeps it out."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    items = story.say(who, "GET", f"/batch-items?limit=200&{asked}")["items"]
    return {
        one["client_id"]: (
            one["result"],
            sorted({found["code"] for found in one["findings"] if found["severity"] == "ERROR"}),
        )
        for one in items
    }


def numbers(story: Story) -> list[str]:
    return sorted(one["number"] for one in story.say(MIRA, "GET", "/invoices?limit=200")["items"])


def test_each_item_is_stored_waits_is_a_duplicate_or_refused(story: Story) -> None:
    sent = post(
        story,
        good=invoice("B-1"),
        bad=invoice("B-2", payable_minor=1.5),
        waits=invoice("B-3", seller=STRANGER),
        twice=invoice("B-1"),
        foreign=invoice("B-4", kind="poem"),
        last=invoice("B-5"),
    )
    assert became(story, upload_id=sent["id"]) == {
        "good": ("stored", []),
        "bad": ("refused", ["JSON_FIELD"]),
        "waits": ("waits", []),
        "twice": ("duplicate", []),
        "foreign": ("refused", ["JSON_FIELD"]),
        "last": ("stored", []),
    }
    upload = story.say(MIRA, "GET", f"/uploads/{sent['id']}")
    assert (upload["state"], upload["stored"], upload["duplicate"], upload["bad"]) == (
        "DONE", 3, 1, 2,
    )  # fmt: skip
    (item,) = story.say(MIRA, "GET", "/batch-items?client_id=last")["items"]
    assert story.say(MIRA, "GET", f"/invoices/{item['document_id']}")["number"] == "B-5"
    assert became(story, ANNA) == {}, "a batch is its sender's own"


def test_an_id_answers_for_its_content_and_for_no_other(story: Story) -> None:
    first = post(story, a=invoice("C-1"), b=invoice("C-2", payable_minor="x"))
    again = post(story, a=invoice("C-1"), b=invoice("C-2", payable_minor="x"), c=invoice("C-3"))
    assert [one["sent_before"] for one in again["items"]] == [True, True, False]
    assert [one["upload_id"] for one in again["items"]] == [first["id"], first["id"], again["id"]]
    other = post(story, a=invoice("C-9"))
    assert (other["id"], other["items"][0]["code"]) == (None, "CLIENT_ID_USED")
    assert numbers(story) == ["C-1", "C-3"]
    assert {name: result for name, (result, _) in became(story).items()} == {
        "a": "stored", "b": "refused", "c": "stored",
    }  # fmt: skip
    twice = {"items": [{"client_id": "z", "document": {}}] * 2}
    assert story.say(MIRA, "POST", "/batches", 422, json=twice)["code"] == "CLIENT_ID_TWICE"


def test_all_or_nothing_keeps_nothing_and_its_ids_are_free_again(story: Story) -> None:
    bad = post(story, 202, "atomic", a=invoice("D-1"), b=invoice("D-2", payable_minor="x"))
    assert became(story, upload_id=bad["id"]) == {
        "a": ("refused", []),
        "b": ("refused", ["JSON_FIELD"]),
    }
    assert numbers(story) == []
    good = post(story, 202, "atomic", a=invoice("D-1"), b=invoice("D-2"))
    assert became(story, upload_id=good["id"]) == {"a": ("stored", []), "b": ("stored", [])}
    same = post(story, 202, "atomic", a=invoice("D-1"), b=invoice("D-2"))
    assert {one["upload_id"] for one in same["items"]} == {good["id"]}
    mixed = post(story, 409, "atomic", a=invoice("D-1"), c=invoice("D-3"))
    assert mixed["code"] == "CLIENT_ID_USED"
    assert numbers(story) == ["D-1", "D-2"]


def test_a_large_batch_is_read_by_the_worker(story: Story) -> None:
    notes = ["n" * 300]
    items = {f"n{number}": invoice(f"E-{number}", notes=notes) for number in range(200)}
    assert len(json.dumps(items)) > READ_AT_ONCE
    sent = post(story, **items)
    assert story.say(MIRA, "GET", f"/jobs/{sent['job_id']}")["state"] == "QUEUED"
    assert all(one == ("pending", []) for one in became(story, upload_id=sent["id"]).values())
    story.platform.worker("test").drain()
    assert became(story, upload_id=sent["id"]) == dict.fromkeys(items, ("stored", []))
    assert len(numbers(story)) == 200
