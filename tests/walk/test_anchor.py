"""The anchor's walk: a list in a layout nobody has seen becomes accepted invoices."""

import re

import pytest
from playwright.sync_api import Browser
from sqlalchemy import select

from scf.documents.models import Invoice
from tests.support.deals import table
from tests.support.demo_world import DemoCopy
from tests.walk.walker import LOOKS, Look, Serve, walker

# As a German ledger writes its open items: semicolons, decimal commas, days first, a title above;
# three rows are wrong, one stands twice, and one names a firm that nobody knows.
UNSEEN = """Offene Posten Halden Appliances;;;;;;
Belegnr.;Belegdatum;Fällig am;Lieferant;Währung;Bruttobetrag;Kostenstelle
BV-7001;09.03.2026;14.05.2026;Brook Valves;EUR;12.480,50;4711
BV-7002;10.03.2026;15.05.2026;Brook Valves;EUR;8.915,00;4711
AP-3301;10.03.2026;31.05.2026;Alder Plastics;EUR;1.204.310,75;4712
AP-3302;11.03.2026;31.06.2026;Alder Plastics;EUR;5.500,00;4712
TP-9;11.03.2026;01.06.2026;Tamber Plastics;EUR;7,250.00;4712
;12.03.2026;02.06.2026;Tamber Plastics;EUR;640,00;4713
XX-1;12.03.2026;02.06.2026;Nobody Knows GmbH;EUR;100,00;4713
BV-7001;09.03.2026;14.05.2026;Brook Valves;EUR;12.480,50;4711
"""
SUMS = {
    "BV-7001": 12_480_50,
    "BV-7002": 8_915_00,
    "AP-3301": 1_204_310_75,
    "AP-3302": 5_500_00,
    "TP-9": 7_250_00,
    "TP-10": 640_00,
}


def accepted(copy: DemoCopy) -> dict[str, int]:
    """Give what the anchor has accepted of the list, by number."""
    invoice = table(Invoice)
    with copy.platform.db.snapshot() as conn:
        rows = conn.execute(
            select(invoice.c.number, invoice.c.accepted_minor).where(
                invoice.c.number.in_([*SUMS, "XX-1"]), invoice.c.acceptance_state == "ACCEPTED"
            )
        ).all()
    return {row.number: row.accepted_minor for row in rows}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_an_unseen_list_is_handed_in_repaired_recognised_and_accepted(
    chromium: Browser, serve: Serve, demo_copy: DemoCopy, look: Look
) -> None:
    carl = walker(chromium, serve, demo_copy, "carl", look)
    page = carl.page
    carl.go("/uploads/")
    carl.give({"name": "offen.csv", "mimeType": "text/csv", "buffer": UNSEEN.encode()})
    carl.press(page.locator("main form button.primary"))
    assert page.locator("#f-column-6").input_value() == "", "nobody guesses a cost centre"
    assert page.locator("#f-decimal").input_value() == "comma"
    if look.scripts:
        # Another meaning of the commas shows at once what would be read.
        with page.expect_response("**/check"):
            page.select_option("#f-decimal", "point")
        page.get_by_role("button", name="Import 1 document").first.wait_for()
        with page.expect_response("**/check"):
            page.select_option("#f-decimal", "comma")
        page.get_by_role("button", name="Import 5 documents").first.wait_for()
    buttons = page.locator("button.primary[form=how], #how button.primary")
    carl.press(next(one for one in buttons.all() if one.is_visible()))
    assert carl.actions == 3

    # What is wrong stands in its cell and is put right there.
    bad = page.locator("td.bad-cell input")
    assert [one.input_value() for one in bad.all()] == ["31.06.2026", "7,250.00", ""]
    for one, right in zip(bad.all(), ("30.06.2026", "7.250,00", "TP-10"), strict=True):
        one.fill(right)
    carl.press(page.locator("form[action$='/correct'] button.primary"))
    carl.press(page.locator(".crumbs a").last)

    # Names of partners are known by their spelling; only the stranger is left.
    assert page.locator("select[form=known]").count() == 4
    carl.press(page.locator("button.primary[form=known]"))
    assert page.locator("select[form=known]").count() == 1
    assert accepted(demo_copy) == {}
    carl.done()

    anna = walker(chromium, serve, demo_copy, "anna", look, carl.address)
    anna.go("/anchor/acceptances")
    many = anna.page.locator("button.primary")
    anna.press(next(one for one in many.all() if one.is_visible()))
    assert "acceptances/review" in anna.page.url
    sure = anna.page.locator("button.primary")
    anna.press(next(one for one in sure.all() if one.is_visible()))
    assert anna.actions == 2, "a hundred rows are accepted in two presses"
    assert accepted(demo_copy) == SUMS
    assert re.search(r"\d", anna.said())
    anna.done()
