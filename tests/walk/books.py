"""Story S7: an order in the treasurer's Tryton becomes money, and the money entries there."""

import datetime as dt
from collections.abc import Callable

from playwright.sync_api import Browser, FilePayload, Page
from sqlalchemy import select

from scf.channels.erp.models import ErpConnection
from scf.channels.erp.rounds import EVERY, ErpRounds
from scf.demo import bank, world
from scf.documents.models import Invoice, Order
from scf.notices.webhooks.targets import Targets
from scf.parties.factors.vault import Vault
from scf.parties.models import BusinessDate
from scf.settlement import day
from tests.channels.erp.company import Company
from tests.channels.erp.office import mapping
from tests.support.deals import table
from tests.support.demo_world import TODAY, DemoCopy
from tests.support.served import KEY, application
from tests.support.tryton import DATABASE, PASSWORD, USER, TrytonServer
from tests.walk.walker import Look, Serve, Walker, walker

Snap = Callable[[str, Page], None]
ORDER = "PO-7741"
SOLD = dt.date(2026, 3, 13)
DAYS = 14
NAME = "Our Tryton"


class OrdersToBooks:
    """The walk, step by step; ``snap`` is shown the page where something is to be seen."""

    def __init__(
        self, chromium: Browser, serve: Serve, copy: DemoCopy, server: TrytonServer, look: Look,
        snap: Snap = lambda _name, _page: None,
    ) -> None:  # fmt: skip
        self.chromium, self.serve, self.copy, self.server = chromium, serve, copy, server
        self.look, self.snap = look, snap
        self.company = Company(server.client())
        app = application(copy.served.world, may_be_demo=True, webhook_loopback=True)
        self.address = serve(app)
        self.mira = self.come("mira")

    def come(self, who: str) -> Walker:
        """Sign somebody in."""
        return walker(self.chromium, self.serve, self.copy, who, self.look, self.address)

    def sold(self) -> None:
        """Halden orders pump housings; the order and its invoice are entered in Tryton only."""
        self.number = self.company.sell("HALDEN", ORDER, 12_000, "14.80", SOLD, days=DAYS)

    # --- The treasurer connects

    def connect(self) -> None:
        """Connect the Tryton by the form."""
        mira = self.mira
        mira.go("/connections/")
        mira.press(mira.page.get_by_role("link", name="Connect an ERP"))
        mira.page.locator("input[name=from_on]").fill(TODAY.isoformat())
        for label, typed in (
            ("Name", NAME), ("Address of your Tryton", self.server.url), ("Database", DATABASE),
            ("User there", USER), ("Its password", PASSWORD),
        ):  # fmt: skip
            mira.page.get_by_label(label).fill(typed)
        mira.page.evaluate("scrollTo(0, 0)")
        self.snap("tryton-connect", mira.page)
        mira.press(mira.page.get_by_role("button", name="Connect", exact=True))
        self.connection = mira.page.url.removeprefix(self.address)

    def number_accounts(self) -> None:
        """Enter the account numbers on the page to which the connection leads."""
        mira = self.mira
        mira.go(self.connection)
        mira.press(mira.page.get_by_role("link", name="Enter the numbers"))
        for code, number in mapping().items():
            mira.page.locator(f"input[name='account.{code}']").evaluate(
                "(box, text) => { box.value = text }", number
            )
            mira.page.locator(f"input[name='party.{code}']").evaluate(
                "(box, text) => { box.value = text }", "MERIDIAN"
            )
        self.snap("tryton-numbers", mira.page)
        mira.press(mira.page.get_by_role("button", name="Keep these numbers"))
        assert "The numbers are kept" in mira.said()

    def round(self) -> None:
        """Ask for a round on the page, and let the worker make it."""
        self.mira.go(self.connection)
        self.mira.press(self.mira.page.get_by_role("button", name="Sync now"))
        self.copy.clock.advance(EVERY * 3)
        ErpRounds(self.copy.platform, Vault(KEY.encode()), Targets(loopback=True)).look()
        self.copy.platform.worker().drain()
        row = table(ErpConnection)
        with self.copy.platform.db.snapshot() as conn:
            found = conn.execute(select(row)).one()
        assert (found.problem, found.said) == (None, None)
        self.mira.go(self.connection)

    # --- From the invoice to the money

    def ids(self) -> tuple[str, str]:
        """Give the ids of the order and the invoice that came."""
        order, invoice = table(Order), table(Invoice)
        with self.copy.platform.db.snapshot() as conn:
            return (
                conn.execute(select(order.c.id).where(order.c.number == ORDER)).scalar_one(),
                conn.execute(select(invoice.c.id).where(invoice.c.number == self.number))
                .scalar_one(),
            )  # fmt: skip

    def accept(self) -> None:
        """The buyer accepts."""
        _order, invoice = self.ids()
        anna = self.come("anna")
        anna.go("/anchor/acceptances")
        anna.page.locator(f"input[name=invoice][value='{invoice}']").check()
        anna.press(anna.page.get_by_role("button", name="Accept the chosen"))
        anna.press(anna.page.locator("main button.primary:visible").last)
        anna.done()

    def ask(self) -> None:
        """The treasurer asks to be paid now."""
        _order, invoice = self.ids()
        mira = self.mira
        mira.go(f"/treasurer/invoices/{invoice}")
        mira.press(mira.page.get_by_role("button", name="Get paid for it now"))
        mira.sign()
        mira.press(mira.page.get_by_role("button", name="Confirm"))
        self.request = mira.page.url.rpartition("/")[2]

    def approve(self) -> None:
        """Two officers approve, one prepares the payment, the other releases it."""
        omar, chen = self.come("omar"), self.come("chen")
        for officer in (omar, chen):
            officer.go(f"/officer/cases/{self.request}")
            officer.page.locator("label:has(input[value=APPROVE])").click()
            officer.sign()
            officer.press(officer.page.locator("button.say"))
        omar.go(f"/officer/cases/{self.request}")
        omar.page.locator("details:has(#f-check-all) summary").click()
        omar.page.locator("#f-check-all").fill("registry searched today, no other claim")
        omar.press(omar.page.locator("form:has(#f-check-all) button"))
        omar.go("/officer/pay-outs")
        omar.press(omar.page.locator("form[action$='prepare'] button.primary"))
        file = omar.page.url.rpartition("/")[2]
        chen.go(f"/officer/pay-outs/{file}")
        chen.sign()
        chen.press(chen.page.locator("form[action$='/release'] button.primary"))
        with chen.page.expect_download() as download:
            chen.page.locator("a[href$='/content']").click()
        content = download.value.path().read_bytes()
        chen.done()
        self.omar = omar
        self._bank_says(bank.answer(content, on=TODAY, state_dir=self.copy.bank_folder))

    def collect(self) -> None:
        """Each day is closed until the invoice falls due, and the buyer pays."""
        self.mira.done()  # who comes back after days signs in anew
        due_on = SOLD + dt.timedelta(days=DAYS)
        people = self.copy.served.world.people
        self.copy.clock.advance(due_on - TODAY)
        for officer in ("omar", "nils"):  # the days of both banks
            last = due_on - dt.timedelta(days=1)
            day.close_to(self.copy.platform, people[officer].org_id, last)
        invoice = table(Invoice)
        with self.copy.platform.db.snapshot() as conn:
            today = conn.execute(
                select(table(BusinessDate).c.current_on).where(
                    table(BusinessDate).c.financier_id == people["omar"].org_id
                )
            ).scalar_one()
            owed = conn.execute(
                select(invoice.c.payable_minor).where(invoice.c.number == self.number)
            ).scalar_one()
        paid = bank.receive(
            from_name=world.ANCHOR, from_account=world.FIRMS[world.ANCHOR][3],
            to_account=world.FIRMS[world.FINANCIER][3], amount_minor=owed, currency="EUR",
            reference=f"invoice {self.number}", on=today, state_dir=self.copy.bank_folder,
        )  # fmt: skip
        self.omar = self.come("omar")
        self._bank_says([paid])
        self.mira = self.come("mira")

    def _bank_says(self, files: list[bank.BankFile]) -> None:
        omar = self.omar
        omar.go("/officer/bank-files")
        omar.give(
            *(FilePayload(name=name, mimeType="text/xml", buffer=data) for name, data in files)
        )
        omar.press(omar.page.locator("form[enctype] button.primary"))
        omar.done()

    def book(self) -> None:
        """Let what was booked since be posted in Tryton."""
        self.round()
        self.snap("tryton-sync", self.mira.page)

    def follow(self) -> None:
        """Follow the money of the order."""
        order, _invoice = self.ids()
        self.mira.go(f"/follow/orders/{order}")
        self.snap("tryton-follow", self.mira.page)

    def whole(self) -> None:
        """Walk from the order to the last entry."""
        for step in (
            self.sold, self.connect, self.number_accounts, self.round, self.accept, self.ask,
            self.approve, self.collect, self.book, self.follow,
        ):  # fmt: skip
            step()
        self.mira.done()
