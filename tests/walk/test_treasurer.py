"""The treasurer's walk through the demo world: from the sign-in to the money in two presses."""

import re

import pytest
from playwright.sync_api import Browser
from sqlalchemy import select

from scf.financing.models import FinancingRequest
from tests.support.deals import table
from tests.support.demo_world import DemoCopy
from tests.walk.walker import DESK, LOOKS, Look, Serve, walker


def minor(text: str) -> int:
    """Read the sum in a text, in cents."""
    found = re.search(r"\d{1,3}(?:,\d{3})*\.\d\d", text)
    assert found, text
    return int(re.sub(r"\D", "", found[0]))


def asked(copy: DemoCopy) -> list[int]:
    """List what the supplier has asked for, the latest last."""
    request = table(FinancingRequest)
    mine = copy.served.world.people["mira"].org_id
    with copy.platform.db.snapshot() as conn:
        found = select(request.c.net_minor).where(request.c.seller_id == mine)
        return list(conn.execute(found.order_by(request.c.id)).scalars())


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_two_presses_after_the_sign_in_ask_for_everything_that_is_ready(
    chromium: Browser, serve: Serve, demo_copy: DemoCopy, look: Look
) -> None:
    mira = walker(chromium, serve, demo_copy, "mira", look)
    before, total = asked(demo_copy), minor(mira.title())
    bar = mira.page.locator(".actionbar button.primary")
    get = bar if bar.is_visible() else mira.page.locator("aside button.primary")
    box = get.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 900, "the button stands in the first screen"
    mira.press(get)
    assert minor(mira.title()) == total
    mira.sign()
    mira.press(mira.page.locator("aside button.primary"))
    assert mira.actions == 2
    assert asked(demo_copy) == [*before, total]
    assert "/treasurer/requests/" in mira.page.url
    assert minor(mira.title()) == total
    assert mira.page.locator("aside dd", has_text="Mira Vos").count() == 1, "who signed"
    mira.go("/treasurer/")
    assert not re.search(r"\d", mira.title()), "nothing more is ready"
    mira.done()


def test_a_sum_typed_and_entered_is_raised_in_four_actions(
    chromium: Browser, serve: Serve, demo_copy: DemoCopy
) -> None:
    mira = walker(chromium, serve, demo_copy, "mira", DESK)
    mira.page.get_by_label("How much do you need?").fill("100,000.00")
    mira.actions += 1
    with mira.page.expect_response("**/treasurer/"):
        mira.key("Enter")
    mira.press(mira.page.get_by_role("button", name=re.compile("^Get 100,00")))
    mira.sign()
    mira.press(mira.page.get_by_role("button", name=re.compile("^Confirm 100,00")))
    assert mira.actions == 4
    assert "asked for" in mira.said()
    assert 0 <= asked(demo_copy)[-1] - 100_000_00 < 200
    mira.done()
