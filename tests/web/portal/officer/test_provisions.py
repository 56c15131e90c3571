"""What is set aside, on pages: seen by stage, proposed by one person, agreed on by another."""

import datetime as dt
from typing import Any

from tests.settlement.provisions import provide
from tests.web.portal.officer.desk import CHECKER, MAKER, Desk
from tests.web.portal.officer.test_work import link


def test_an_allowance_is_seen_proposed_and_agreed_on_by_two_people(desk: Desk) -> None:
    provide()
    desk.story.funded()
    desk.story.close_to(dt.date(2026, 3, 12))
    text = desk.page(MAKER, "/provisions")
    assert "146.31" in text
    assert "Everything that is out pays as agreed." in text
    path = link(desk.page(MAKER, "/advances"), "/advances").replace("/advances/", "/provisions/")
    text = desk.page(MAKER, path)
    assert "First set aside" in text
    said: dict[str, Any] = {"kind": "allowance", "ground": "insolvency", "note": "court file 12"}
    wrong = desk.send(MAKER, path, path, status=422, **said, amount="much")
    assert "Write an amount such as" in wrong
    assert "court file 12" in wrong
    above = desk.send(MAKER, path, path, status=422, **said, amount="2,000,000.00")
    assert "More is to be set aside than is carried." in above
    done = desk.send(MAKER, path, path, **said, amount="400,000.00")
    assert "Proposed. Another person agrees before anything is booked." in done
    assert "Agree and book" not in done
    assert "Set aside an amount" in desk.page(CHECKER, "/provisions")
    done = desk.send(CHECKER, f"{path}/decide", path, word="agree", answer="seen")
    assert "Agreed and booked." in done
    assert "Stage 3" in done
    text = desk.page(MAKER, "/provisions")
    assert "400,000.00" in text
    assert "two officers&#39; word" in text or "two officers' word" in text
    early = desk.send(MAKER, path, path, status=422, **(said | {"kind": "write_off"}))
    assert "It can be written off from" in early
