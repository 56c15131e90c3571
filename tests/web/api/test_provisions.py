"""Provisions over HTTP: one officer proposes, another decides, and both are told what to do."""

import datetime as dt
from typing import Any

from tests.settlement.provisions import provide
from tests.web.api.story import CHEN, HANA, MIRA, OMAR, Story, eur


def _told(story: Story, person: str) -> list[str]:
    story.platform.worker().drain()
    found = story.say(person, "GET", "/notices")["items"]
    return [one["message"] for one in found if one["subject"] == "provision"]


def test_an_allowance_is_proposed_by_one_and_decided_by_another(story: Story) -> None:
    provide()
    story.funded()
    story.close_to(dt.date(2026, 3, 12))
    (row,) = story.say(OMAR, "GET", "/provisions")["items"]
    assert (row["stage"], row["proposal_id"]) == (1, None)
    moved = story.say(OMAR, "GET", f"/provisions/{row['id']}")["movements"]
    assert (moved[-1]["kind"], moved[0]["after"]) == ("ORIGINATED", row["allowance"])
    assert row["allowance"]["amount_minor"] > 0
    assert story.say(OMAR, "GET", "/provisions?stage=3")["items"] == []
    path = f"/provisions/{row['id']}"
    assert story.ask(MIRA, "GET", path).status_code == 403
    word: dict[str, Any] = {"kind": "allowance", "ground": "insolvency", "note": "court file 12"}
    dollars = {"amount_minor": 40_000_000, "currency": "USD"}
    wrong = story.say(OMAR, "POST", f"{path}/proposals", 422, json={**word, "amount": dollars})
    assert wrong["code"] == "CURRENCY"
    word |= {"amount": eur(40_000_000)}
    made = story.say(OMAR, "POST", f"{path}/proposals", 201, json=word)
    twice = story.say(OMAR, "POST", f"{path}/proposals", 409, json=word)
    assert twice["code"] == "PROPOSAL_OPEN"
    (row,) = story.say(CHEN, "GET", "/provisions")["items"]
    assert row["proposal_id"] == made["proposal_id"]
    for person in (CHEN, HANA):
        (said,) = _told(story, person)
        assert "Another person decides." in said
        assert "400,000.00" in said
    assert _told(story, OMAR) == []

    decide = f"/provision-proposals/{made['proposal_id']}/decide"
    assert story.ask(OMAR, "POST", decide, json={"agree": True}).status_code == 403
    done = story.say(CHEN, "POST", decide, json={"agree": True, "note": "seen"})
    assert (done["state"], done["stage"], done["allowance"]) == ("AGREED", 3, eur(40_000_000))
    assert story.say(HANA, "POST", decide, 409, json={"agree": False})["code"] == "DECIDED"
    detail = story.say(OMAR, "GET", path)
    assert detail["stands"]["agreed"] == eur(40_000_000)
    assert detail["movements"][0]["kind"] == "AGREED"
    assert detail["proposals"][0]["decided_by"] is not None
    (said,) = _told(story, OMAR)
    assert "is set aside for invoice" in said
