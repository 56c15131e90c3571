"""The buyer says what two papers are; the seller learns that a check stands, and may appeal."""

import pytest
from sqlalchemy import event

from scf.db.engine import Database
from tests.documents.match.papers import line, paper
from tests.support.served import Served
from tests.web.portal.anchor.test_matching import SIDES, bring, invoice
from tests.web.portal.anchor.world import Person, served

RULE = "The same order was billed twice"


@pytest.fixture
def of(db: Database) -> Served:
    """Serve the anchor's world with one order that was billed twice."""
    world = served(db)
    lines = line("1", "10", 100_00, name="Pump", item="P-1")
    bring(world, paper("invoice", "FIRST", lines, order="PO-7", **SIDES))
    bring(world, paper("invoice", "AGAIN-9", lines, order="PO-7", **SIDES))
    return world


def test_the_buyer_sees_both_papers_and_its_word_rejects_the_later_one(of: Served) -> None:
    clerk = Person(of, "clerk")
    first, again = invoice(of, "FIRST"), invoice(of, "AGAIN-9")
    page = clerk.get(f"/anchor/invoices/{first.id}")
    assert RULE in page
    assert f"/anchor/invoices/{again.id}" in page
    path = next(part.partition('"')[0] for part in page.split('action="') if "duplicates/" in part)
    wrong = clerk.post(path, clerk.fields(path) | {"reason": "one delivery"})
    assert clerk.status == 422
    assert "Choose your word." in wrong
    assert "one delivery" in wrong
    done = clerk.post(path, clerk.fields(path) | {"outcome": "SAME", "reason": "one delivery"})
    assert "Recorded: invoice AGAIN-9 is rejected." in done
    assert (invoice(of, "AGAIN-9").acceptance_state, invoice(of, "FIRST").acceptance_state) == (
        "REJECTED", "NONE",
    )  # fmt: skip


def test_the_list_and_the_home_of_the_buyer_show_what_looks_alike_until_it_is_decided(
    of: Served,
) -> None:
    clerk = Person(of, "clerk")
    assert "Invoices that look like another one" in clerk.get("/anchor/")
    listed = clerk.get("/anchor/acceptances")
    assert "It looks like invoice FIRST." in listed
    assert "It looks like invoice AGAIN-9." in listed
    assert 'name="all"' not in listed, "neither is accepted together with others"
    page = clerk.get("/anchor/duplicates")
    assert "1 invoice looks like another one" in page
    path = f"/anchor/invoices/{invoice(of, 'AGAIN-9').id}"
    assert f"{path}#alike-" in page
    word = next(
        part.partition('"')[0] for part in clerk.get(path).split('action="')
        if "duplicates/" in part
    )  # fmt: skip
    clerk.post(word, clerk.fields(word) | {"outcome": "DISTINCT", "reason": "two lorries"})
    assert "It looks like" not in clerk.get("/anchor/acceptances")
    assert "Invoices that look like another one" not in clerk.get("/anchor/")
    assert "No invoice looks like another one" in clerk.get("/anchor/duplicates")


def test_the_list_asks_the_database_as_often_for_many_look_alikes_as_for_one(of: Served) -> None:
    clerk = Person(of, "clerk")
    pages = ("/anchor/", "/anchor/acceptances", "/anchor/duplicates")
    before = [asked(of, clerk, page) for page in pages]
    for number in range(5):
        lines = line("1", "10", 200_00 + number, name="Pump", item=f"P-{number}")
        for spelt in (f"A-{number}00", f"B-9{number}"):
            bring(of, paper("invoice", spelt, lines, order=f"PO-1{number}", **SIDES))
    assert "6 invoices look like another one" in clerk.get("/anchor/duplicates")
    assert [asked(of, clerk, page) for page in pages] == before


def asked(of: Served, who: Person, page: str) -> int:
    """Count the statements that one page costs."""
    said: list[str] = []
    engine = of.world.platform.db.reader

    def heard(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", heard)
    try:
        who.get(page)
    finally:
        event.remove(engine, "before_cursor_execute", heard)
    return len(said)


def test_the_buyer_may_reject_the_earlier_paper_instead(of: Served) -> None:
    clerk = Person(of, "clerk")
    page = clerk.get(f"/anchor/invoices/{invoice(of, 'AGAIN-9').id}")
    path = next(part.partition('"')[0] for part in page.split('action="') if "duplicates/" in part)
    done = clerk.post(path, clerk.fields(path) | {"outcome": "EARLIER", "reason": "a draft"})
    assert "Recorded: invoice FIRST is rejected." in done
    assert "one claim; FIRST is the copy" in done
    assert invoice(of, "AGAIN-9").acceptance_state == "NONE"


def test_the_seller_is_told_of_a_check_not_of_its_rule_and_appeals_once(of: Served) -> None:
    treasurer, clerk = Person(of, "treasurer"), Person(of, "clerk")
    again = invoice(of, "AGAIN-9").id
    own, path = f"/treasurer/invoices/{again}", f"/treasurer/invoices/{again}/appeal"
    assert "A check stands in the way" not in treasurer.get(own)
    page = clerk.get(f"/anchor/invoices/{again}")
    word = next(part.partition('"')[0] for part in page.split('action="') if "duplicates/" in part)
    clerk.post(word, clerk.fields(word) | {"outcome": "SAME", "reason": "one delivery"})
    page = treasurer.get(own)
    assert "A check stands in the way" in page
    assert RULE not in page
    assert "FIRST" not in page
    wrong = treasurer.post(path, treasurer.fields(path) | {"note": "x"})
    assert treasurer.status == 422
    assert "Say in a few words" in wrong
    done = treasurer.post(path, treasurer.fields(path) | {"note": "two pumps, two lorries"})
    assert "Another person looks at it" in done
    assert path not in done
    assert "two pumps, two lorries" in clerk.get(f"/anchor/invoices/{again}")
