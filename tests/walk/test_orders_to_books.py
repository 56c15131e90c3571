"""S7 in the browser with a running Tryton: from an order there to a booked receivable there."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import func, select

from scf.channels.erp.models import ErpWrite
from scf.documents.models import Upload
from scf.ledger.models import Entry
from scf.reporting.verify import verify
from tests.channels.erp.agreeing import added
from tests.support.deals import table
from tests.support.demo_world import TODAY, DemoCopy
from tests.support.tryton import tryton
from tests.walk.books import NAME, OrdersToBooks
from tests.walk.walker import DESK, Look, Serve


@pytest.mark.parametrize("look", [DESK], ids=["at a desk"])
def test_an_order_in_the_erp_becomes_money_and_balanced_entries_there(
    chromium: Browser, serve: Serve, demo_copy: DemoCopy, tmp_path: Path, look: Look
) -> None:
    uploads = _uploads(demo_copy)
    with tryton(tmp_path / "tryton") as server:
        walk = OrdersToBooks(chromium, serve, demo_copy, server, look)
        page = walk.mira.page
        walk.sold()
        walk.connect()
        assert "have no number yet" in _card(page, "accounts")
        walk.number_accounts()
        walk.round()
        assert "Sales orders" in _card(page, "counts")
        assert _uploads(demo_copy) == uploads, "no person hands anything in"
        before = walk.company.trial_balance()
        walk.accept()
        walk.ask()
        walk.approve()
        walk.collect()
        walk.book()
        page = walk.mira.page
        assert page.locator("#troubles").count() == 0
        assert "Journal entries" in _card(page, "runs")
        _posted_and_balanced(demo_copy, walk, before)

        walk.follow()
        trail = _card(page, "trail")
        assert trail.count(f"from {NAME}") == 2, "the order and its invoice"
        assert trail.count(f"posted in {NAME} as") == 1, "the receivable is sold"
        assert "!" not in _card(page, "laws")
        walk.mira.done()
    assert verify(demo_copy.platform).breaches == []


def _card(page: Page, name: str) -> str:
    """Give the words of a card."""
    return page.locator(f"section[aria-labelledby={name}]").inner_text()


def _uploads(copy: DemoCopy) -> int:
    """Count what the treasurer has handed in."""
    upload = table(Upload)
    wanted = upload.c.user_id == copy.served.world.people["mira"].user_id
    with copy.platform.db.snapshot() as conn:
        return int(conn.execute(select(func.count()).where(wanted)).scalar_one())


def _posted_and_balanced(
    copy: DemoCopy, walk: OrdersToBooks, before: dict[str, tuple[int, int]]
) -> None:
    """Hold Tryton's books against what was booked here since the day of the connection."""
    came = added(before, walk.company.trial_balance())
    debits, credits_ = (sum(one[side] for one in came.values()) for side in (0, 1))
    assert debits == credits_ > 0
    moves = walk.company.moves()
    assert {row["state"] for row in moves} == {"posted"}
    entry, write = table(Entry), table(ErpWrite)
    seller = copy.served.world.people["mira"].org_id
    booked = select(entry.c.id).where(entry.c.org_id == seller, entry.c.booked_on >= TODAY)
    with copy.platform.db.snapshot() as conn:
        ours = set(conn.execute(booked).scalars())
        states = set(conn.execute(select(write.c.state)).scalars())
    assert {row["description"].rpartition(" · ")[2] for row in moves} == ours
    assert len(moves) == len(ours) >= 1
    assert states == {"DONE"}
