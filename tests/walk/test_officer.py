"""The officers' walk: a case decided by keys, its second word, the pay-out, the bank, the books."""

import pytest
from playwright.sync_api import Browser, FilePayload
from sqlalchemy import select

from scf.demo import bank
from scf.financing.models import Advance, FinancingRequest
from scf.reporting.verify import verify
from tests.support.deals import table
from tests.support.demo_world import TODAY, DemoCopy
from tests.walk.walker import LOOKS, Look, Serve, Walker, walker


def state(copy: DemoCopy, case: str) -> str:
    """Give where a case stands."""
    request = table(FinancingRequest)
    with copy.platform.db.snapshot() as conn:
        return str(conn.execute(select(request.c.state).where(request.c.id == case)).scalar_one())


def funded(copy: DemoCopy, case: str) -> bool:
    """Tell whether everything of a case is paid out and booked."""
    advance = table(Advance)
    with copy.platform.db.snapshot() as conn:
        found = select(advance.c.state).where(advance.c.request_id == case)
        return set(conn.execute(found).scalars()) == {"FUNDED"}


def approve(officer: Walker) -> None:
    """Say yes: by the keys A and Enter where there are scripts, by the form where not."""
    before = officer.actions
    if officer.look.scripts:
        officer.key("a")
        assert officer.page.locator("input[value=APPROVE]").is_checked()
        officer.sign()
        officer.key("Enter")
        officer.page.wait_for_load_state()
        officer.page.locator("form.decide").wait_for(state="detached")
        officer.seen()
    else:
        officer.page.locator("label:has(input[value=APPROVE])").click()
        officer.actions += 1
        officer.sign()
        officer.press(officer.page.locator("button.say"))
    assert officer.actions - before == 2


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_case_is_decided_by_two_paid_by_the_bank_and_stands_in_the_books(
    chromium: Browser, serve: Serve, demo_copy: DemoCopy, look: Look
) -> None:
    omar = walker(chromium, serve, demo_copy, "omar", look)
    omar.go("/officer/queue?view=mine")
    omar.page.locator("main tbody a").first.click()
    omar.page.wait_for_load_state()
    omar.seen()
    case = omar.page.url.partition("/cases/")[2].partition("?")[0]
    approve(omar)
    assert state(demo_copy, case) == "IN_REVIEW", "one word is not enough"
    assert omar.page.locator("form.decide").count() == 0, "nobody says both words"

    chen = walker(chromium, serve, demo_copy, "chen", look, omar.address)
    chen.go("/officer/queue?view=second")
    chen.press(chen.page.locator(f"main tbody a[href*='{case}']").first)
    assert chen.page.locator(".said li").count() == 1
    assert chen.page.locator(".agrees").count() == 1, "what the first saw stands as it was"
    assert chen.page.locator("table.diff").count() == 0
    approve(chen)
    assert state(demo_copy, case) == "APPROVED"

    omar.go(f"/officer/cases/{case}")
    omar.page.locator("#checks").scroll_into_view_if_needed()
    omar.page.locator("details:has(#f-check-all) summary").click()
    omar.page.locator("#f-check-all").fill("registry searched today, no other claim")
    omar.press(omar.page.locator("form:has(#f-check-all) button"))
    omar.go("/officer/pay-outs")
    omar.press(omar.page.locator("form[action$='prepare'] button.primary"))
    file = omar.page.url.rpartition("/")[2]
    assert omar.page.locator("form[action$='/release']").count() == 0, "another person releases"

    chen.go(f"/officer/pay-outs/{file}")
    chen.sign()
    chen.press(chen.page.locator("form[action$='/release'] button.primary"))
    assert not funded(demo_copy, case), "only what the bank has booked counts as paid"
    with chen.page.expect_download() as download:
        chen.page.locator("a[href$='/content']").click()
    content = download.value.path().read_bytes()

    omar.go("/officer/bank-files")
    answers = bank.answer(content, on=TODAY, state_dir=demo_copy.bank_folder)
    omar.give(*(FilePayload(name=name, mimeType="text/xml", buffer=data) for name, data in answers))
    omar.press(omar.page.locator("form[enctype] button.primary"))
    assert funded(demo_copy, case)

    omar.go("/officer/books")
    assert omar.page.locator(".mark-bad").count() == 0
    if look.scripts:  # the whole proof once: how a page was read changes no book
        assert verify(demo_copy.platform).breaches == []
    for one in (omar, chen):
        one.done()
