"""Events are told once to whom they concern, in their own words, and to nobody else."""

import pytest
from sqlalchemy import update

from scf.db.engine import Database
from scf.db.models import Outbox
from scf.documents import intake
from scf.kernel.actor import Role
from scf.notices.models import Notice
from tests.documents.trade import INVOICES, invoice_table
from tests.support.deals import MAKER, table
from tests.support.served import Served, application
from tests.web.portal.trading import Trading, trading_on

ROWS = ({"number": "A-1", "amount": "1.00"}, {"number": "A-3", "amount": "3.00"})
CLEAN = invoice_table(ROWS)
TABLE = invoice_table([*ROWS, {"number": "A-2", "amount": "2.00", "date": "2026-02-31"}])


@pytest.fixture
def trading(db: Database) -> Trading:
    trading = trading_on(db)
    trading.served.world.person("colleague", "seller", Role.TREASURER)
    trading.deals.platform.worker().drain()
    return trading


def work_off(trading: Trading) -> None:
    """Deliver what waits, and then everything once more."""
    outbox = table(Outbox)
    trading.deals.platform.worker().drain()
    with trading.deals.db.writer.begin() as conn:
        conn.execute(update(outbox).values(done_at=None, lease_until=None))
    trading.deals.platform.worker().drain()


def told(trading: Trading, person: str) -> list[str]:
    user_id = trading.served.world.people[person].user_id
    return [row.message for row in trading.deals.all(Notice, user_id=user_id)]


def hand_in(trading: Trading, content: bytes) -> str:
    world = trading.served.world
    received = world.run(
        "upload.receive",
        world.people["treasurer"],
        name="mine.csv",
        content=content,
        mapping=INVOICES,
    )
    intake.run_upload(world.platform, received["upload_id"])
    return str(received["upload_id"])


def test_the_sender_of_a_file_is_told_what_came_of_it_and_nobody_else(trading: Trading) -> None:
    hand_in(trading, TABLE)
    work_off(trading)
    assert told(trading, "treasurer") == ["mine.csv is read. Stored: 2. To fix: 1."]
    assert told(trading, "colleague") == []


def test_a_small_clean_file_was_seen_at_once_and_a_large_one_is_told(trading: Trading) -> None:
    hand_in(trading, CLEAN)
    work_off(trading)
    assert told(trading, "treasurer") == []
    hand_in(trading, CLEAN + b"\n" * 70_000)
    work_off(trading)
    assert told(trading, "treasurer") == [
        "mine.csv is read. Stored: 0; nothing is to be fixed."  # all of it was here before
    ]


def test_every_treasurer_of_the_seller_is_told_what_the_bank_says(trading: Trading) -> None:
    deals = trading.deals
    request = deals.request(deals.invoice("1,000,000.00", number="INV-9"))
    deals.decide(request["id"], MAKER, "RETURN", question="Which order is it?")
    work_off(trading)
    asked = "The bank has a question about your request for EUR 988375.00."
    assert told(trading, "treasurer") == told(trading, "colleague") == [asked]
    assert told(trading, "clerk") == []


def test_a_notice_is_opened_read_and_led_from(trading: Trading) -> None:
    upload_id = hand_in(trading, TABLE)
    hand_in(trading, TABLE.replace(b"A-", b"B-"))
    work_off(trading)
    served = Served(trading.served.world, application(trading.served.world))
    mine, other = served.browser("treasurer"), served.browser("colleague")
    assert "2 new notices" in mine.get("/treasurer/").get_data(as_text=True)
    assert "new notice" not in other.get("/treasurer/").get_data(as_text=True)
    first = min(row.id for row in trading.deals.all(Notice, subject_id=upload_id))
    path = f"/notices/{first}/open"
    assert other.post(path, {"key": "k"}).status_code == 404
    opened = mine.post(path, {"key": "k"})
    assert opened.headers["Location"] == f"/uploads/{upload_id}"
    assert "1 new notice" in mine.get("/notices").get_data(as_text=True)
    mine.post("/notices/read", {"key": "k2"})
    page = mine.get("/notices").get_data(as_text=True)
    assert "new notice" not in page
    assert f'href="/uploads/{upload_id}"' in page
    answer = served.api("treasurer", "GET", "/notices?unread=true").get_json()
    assert answer["items"] == []
    assert len(served.api("treasurer", "GET", "/notices").get_json()["items"]) == 2
    assert (
        served.api("colleague", "POST", "/notices/read", json={"ids": [first]}).status_code == 404
    )
