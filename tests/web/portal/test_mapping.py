"""The page of account numbers: what is missing is named, what was typed is not lost."""

from tests.web.api.story import DAY
from tests.web.portal.officer.conftest import desk, prepare
from tests.web.portal.officer.desk import CHECKER, Desk, text_of

__all__ = ["desk", "prepare"]


def test_a_treasurer_writes_the_numbers_of_the_book(desk: Desk) -> None:
    desk.story.funded()
    browser = desk.browser("mira")
    page = text_of(browser.get("/account-numbers/?system=datev"))
    assert "accounts of your book have no number yet" in page
    assert page.index("account.cash") < page.index("Accounts that your book does not have yet")
    form = {
        "system": "datev", "version": "0", "account.cash": "1200", "detail.consultant": "1001",
        "detail.client": "7", "detail.account_length": "4", "detail.year_start": "01-01",
        "detail.currency": "EUR", "key": "k1",
    }  # fmt: skip
    wrong = browser.post("/account-numbers/", form | {"account.trade_receivables": "=14;00"})
    assert wrong.status_code == 422
    told = text_of(wrong, 422)
    assert "An account of DATEV has digits without a leading zero" in told
    assert "=14;00" in told
    assert browser.post("/account-numbers/", form | {"key": "k2"}).status_code == 303
    page = text_of(browser.get("/account-numbers/?system=datev"))
    assert "Version 1 of this table is in force" in page
    assert 'value="1200"' in page
    stale = browser.post("/account-numbers/", form | {"key": "k3", "account.cash": "1210"})
    assert stale.status_code == 409
    assert "Somebody has changed these numbers meanwhile" in text_of(stale, 409)
    assert browser.get("/account-numbers/?system=sap").status_code == 422
    assert 'value="1200"' not in desk.browser("anna").get("/account-numbers/").get_data(True)
    assert "Account numbers" in desk.page(CHECKER, "/books")


def test_a_connection_names_the_numbers_it_lacks_and_posts_by_the_table_chosen(desk: Desk) -> None:
    desk.story.funded()
    browser = desk.browser("mira")
    world = desk.served.world
    added = world.platform.run(
        "erp.add",
        {
            "name": "Our ERP", "url": "https://erp.example.com/", "database": "company",
            "username": "scf", "sealed": "v1:sealed", "from_on": DAY, "pushes": ["JOURNAL"],
        },
        world.people["mira"],
        key=world.key(),
    )  # fmt: skip
    connection = f"/connections/erp/{added.result['id']}"
    page = text_of(browser.get(connection))
    assert "accounts of your book have no number yet" in page
    assert 'href="/account-numbers/?system=tryton"' in page
    assert "Post by this table" not in page, "there is one table so far"

    works = {
        "system": "tryton.works", "version": "0", "account.cash": "1.1.1", "key": "k1",
        "account.trade_receivables": "1.2.1", "party.trade_receivables": "HALDEN",
    }  # fmt: skip
    opened = text_of(browser.get("/account-numbers/?system=tryton&further=Works"))
    assert 'value="tryton.works"' in opened
    assert "Party there" in opened
    assert browser.post("/account-numbers/", works).status_code == 303
    assert 'value="HALDEN"' in text_of(browser.get("/account-numbers/?system=tryton.works"))
    assert "Party there" not in text_of(browser.get("/account-numbers/?system=saft"))

    assert "Post by this table" in text_of(browser.get(connection))
    chosen = browser.post(f"{connection}/mapping", {"mapping": "tryton.works", "key": "e2"})
    assert chosen.status_code == 303
    assert 'href="/account-numbers/?system=tryton.works"' in text_of(browser.get(connection))
    assert "Our ERP" in text_of(browser.get("/account-numbers/?system=tryton.works"))
    wrong = browser.post(f"{connection}/mapping", {"mapping": "datev", "key": "e3"})
    assert "another system" in text_of(browser.get(wrong.location))
