"""Things go wrong, in the browser: two officers, a clerk and a treasurer click their way out.

A pay-out comes back and goes to another account, another is undone; money that reached the seller
is handed over; the buyer contests and the seller gives way; a buyer does not pay: stage 3, the
write-off and what is recovered. Source: product.md S9.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from playwright.sync_api import Browser, FilePayload
from sqlalchemy import Row, select

from scf.demo import bank, world
from scf.documents.models import CreditNote, Invoice
from scf.financing.models import Advance
from scf.kernel.money import format_minor
from scf.parties.accounts import COOLING_OFF_DAYS
from scf.parties.models import BankAccount, Firm
from scf.reporting.verify import verify
from scf.settlement import day
from scf.settlement.models import BankEntry, PaymentInstruction
from tests.support.deals import table
from tests.support.demo_world import TODAY, DemoCopy
from tests.walk.walker import DESK, Serve, Walker, walker

OTHER_ACCOUNT = "NL02ABNA0123456789"


@dataclass
class Case:
    """The demo world with its financed invoices, and its bank."""

    copy: DemoCopy
    on: dt.date = TODAY

    def _all(self, query: Any) -> list[Row[Any]]:  # noqa: ANN401 - a select
        with self.copy.platform.db.snapshot() as conn:
            return list(conn.execute(query))

    @cached_property
    def funded(self) -> list[Row[Any]]:
        """What is out and not due yet, with the number of its invoice and the seller's name."""
        advance, invoice, firm = table(Advance), table(Invoice), table(Firm)
        return self._all(
            select(advance, invoice.c.number, firm.c.name.label("seller"))
            .join(invoice, invoice.c.id == advance.c.invoice_id)
            .join(firm, firm.c.id == advance.c.seller_id)
            .where(advance.c.state == "FUNDED", advance.c.due_on > TODAY)
            .order_by(advance.c.due_on, advance.c.id)
        )

    def of(self, seller: str, place: int = 0) -> Row[Any]:
        """Give an advance that was paid to a seller."""
        return [row for row in self.funded if row.seller == seller][place]

    def now(self, advance_id: str) -> Row[Any]:
        """Give an advance as it is now."""
        advance = table(Advance)
        return self._all(select(advance).where(advance.c.id == advance_id))[0]

    def credit_note(self, number: str) -> Row[Any]:
        """Give a credit note."""
        note = table(CreditNote)
        return self._all(select(note).where(note.c.number == number))[0]

    def invoice(self, invoice_id: str) -> Row[Any]:
        """Give an invoice as it is now."""
        invoice = table(Invoice)
        return self._all(select(invoice).where(invoice.c.id == invoice_id))[0]

    def account(self, firm_id: str) -> Row[Any]:
        """Give the account that a firm has used so far."""
        accounts = table(BankAccount)
        return self._all(select(accounts).where(accounts.c.firm_id == firm_id))[0]

    def given_back(self, advance_id: str) -> bank.BankFile:
        """Let the payee's bank return a pay-out."""
        row = table(PaymentInstruction)
        name = self._all(select(row.c.end_to_end_id).where(row.c.advance_id == advance_id))[0][0]
        return bank.give_back(name, on=self.on, state_dir=self.copy.bank_folder)

    def received(self, payer_id: str, amount: int, words: str) -> bank.BankFile:
        """Let money of a firm come in at the financier's bank."""
        firm = table(Firm)
        name = self._all(select(firm.c.name).where(firm.c.id == payer_id))[0][0]
        financier = self.copy.served.world.people["omar"].org_id
        return bank.receive(
            from_name=name,
            from_account=self.account(payer_id).number,
            to_account=self.account(financier).number,
            amount_minor=amount,
            currency="EUR",
            reference=words,
            on=self.on,
            state_dir=self.copy.bank_folder,
        )

    def last_entry(self) -> str:
        """Give the newest money that came in."""
        entry = table(BankEntry)
        return str(self._all(select(entry.c.id).order_by(entry.c.id.desc()).limit(1))[0][0])

    def to(self, on: dt.date) -> None:
        """Let the days pass until a morning."""
        self.copy.clock.advance(days=(on - self.on).days)
        financier = self.copy.served.world.people["omar"].org_id
        day.close_to(self.copy.platform, financier, on - dt.timedelta(days=1))
        self.on = on


def later(case: Case, on: dt.date, *people: Walker) -> None:
    """Let days pass; whoever was signed in signs in again."""
    case.to(on)
    for one in people:
        one.sign_in()


def hand_in(officer: Walker, *files: bank.BankFile) -> None:
    """Hand in what the bank sent."""
    officer.go("/officer/bank-files")
    officer.give(
        *(FilePayload(name=name, mimeType="text/xml", buffer=data) for name, data in files)
    )
    officer.press(officer.page.locator("form[enctype] button.primary"))


def fold(who: Walker, action: str, **fields: str) -> None:
    """Open a folded form, fill it in, and press its button."""
    form = who.page.locator(f"form[action$='{action}']")
    who.page.locator(f"details:has(form[action$='{action}']) > summary").last.click()
    for name, value in fields.items():
        form.locator(f"[name={name}]").fill(value)
    who.press(form.locator("button").first)


def test_what_goes_wrong_is_put_right_by_clicks(
    chromium: Browser, serve: Serve, demo_copy: DemoCopy
) -> None:
    case = Case(demo_copy)
    omar = walker(chromium, serve, demo_copy, "omar", DESK)
    chen = walker(chromium, serve, demo_copy, "chen", DESK, omar.address)
    _a_pay_out_comes_back(case, omar, chen)
    _a_pay_out_is_undone(case, omar)
    _money_went_astray(case, omar)
    carl = walker(chromium, serve, demo_copy, "carl", DESK, omar.address)
    mira = walker(chromium, serve, demo_copy, "mira", DESK, omar.address)
    _the_buyer_contests(case, carl, mira)
    _it_goes_to_the_other_account(case, omar, chen)
    _the_buyer_does_not_pay(case, omar, chen)
    omar.go("/officer/books")
    assert omar.page.locator(".mark-bad").count() == 0
    assert verify(demo_copy.platform).breaches == []
    for one in (omar, chen, carl, mira):
        one.done()


def _a_pay_out_comes_back(case: Case, omar: Walker, chen: Walker) -> None:
    """The account was closed: another is named and verified, by two, and has to cool off."""
    row = case.of("Brook Valves")
    hand_in(omar, case.given_back(row.id))
    assert case.now(row.id).state == "RETURNED"
    omar.go(f"/officer/firms/{row.seller_id}")
    form = omar.page.locator("form[action$='/accounts']")
    omar.page.locator("details:has(form[action$='/accounts']) > summary").last.click()
    form.locator("[name=iban]").fill(OTHER_ACCOUNT)
    form.locator("[name=holder]").fill(row.seller)
    omar.press(form.locator("button").first)
    chen.go(f"/officer/firms/{row.seller_id}")
    fold(chen, "/verify", evidence="called Mira Vos on the number we knew")


def _it_goes_to_the_other_account(case: Case, omar: Walker, chen: Walker) -> None:
    row = case.of("Brook Valves")
    later(case, case.on + dt.timedelta(days=COOLING_OFF_DAYS + 1), omar, chen)
    omar.go(f"/officer/advances/{row.id}")
    fold(omar, "/repair", why_account="the seller closed the old one; called back")
    omar.press(omar.page.locator("form[action$='/pay-outs/prepare'] button"))
    file = omar.page.url.rpartition("/")[2]
    chen.go(f"/officer/pay-outs/{file}")
    chen.sign()
    chen.press(chen.page.locator("form[action$='/release'] button.primary"))
    with chen.page.expect_download() as download:
        chen.page.locator("a[href$='/content']").click()
    content = download.value.path().read_bytes()
    assert OTHER_ACCOUNT.encode() in content
    hand_in(omar, *bank.answer(content, on=case.on, state_dir=case.copy.bank_folder))
    assert case.now(row.id).state == "FUNDED"


def _a_pay_out_is_undone(case: Case, omar: Walker) -> None:
    row = case.of("Karst Fasteners")
    hand_in(omar, case.given_back(row.id))
    omar.go(f"/officer/advances/{row.id}")
    fold(omar, "/unwind", note="the seller called the sale off")
    assert case.now(row.id).state == "UNWOUND"
    assert "everything it held is free" in omar.said()


def _money_went_astray(case: Case, omar: Walker) -> None:
    """The buyer paid the seller in error; the seller hands it over."""
    row = case.of("Cobalt Fasteners")
    hand_in(omar, case.received(row.seller_id, row.face_minor, row.number))
    assert case.now(row.id).state == "FUNDED", "a seller that owes nothing pays nothing"
    omar.go(f"/officer/receipts/{case.last_entry()}")
    omar.page.locator("details:has(form[action$='/misdirected']) > summary").click()
    form = omar.page.locator("form[action$='/misdirected']")
    form.locator("select").select_option(row.invoice_id)
    form.locator("[name=note]").fill("the buyer sent the proof of its bank")
    omar.press(form.locator("button"))
    assert case.now(row.id).state == "CLOSED"


def _the_buyer_contests(case: Case, carl: Walker, mira: Walker) -> None:
    """The dispute stops no finance; the seller gives way and hands in its credit note."""
    row = case.of("Brook Valves", 1)
    carl.go(f"/anchor/invoices/{row.invoice_id}")
    form = carl.page.locator("form[action$='/dispute']")
    form.locator("[name=part]").fill("1,000.00")
    form.locator("[name=why]").fill("four valves leak")
    carl.press(form.locator("button"))
    mira.go(f"/treasurer/invoices/{row.invoice_id}")
    assert "four valves leak" in mira.page.locator("main").inner_text()
    fold(mira, "/give-way")
    assert "given way" in mira.said()
    note = f"number,date,amount,invoice,buyer,buyer_vat,currency\nCN-9,{case.on},1000.00,"
    note += f"{row.number},{world.ANCHOR},{world.FIRMS[world.ANCHOR][2][1]},EUR\n"
    mira.go("/uploads/")
    mira.give({"name": "credit-notes.csv", "mimeType": "text/csv", "buffer": note.encode()})
    mira.press(mira.page.locator("main form button.primary"))
    for place, meaning in (("kind", "credit_note"), ("column-0", "number"),
                           ("column-3", "billing_reference")):  # fmt: skip
        choice = mira.page.locator(f"#f-{place}")
        if choice.input_value() != meaning:  # the page reads the file anew after each choice
            with mira.page.expect_response("**/check"):
                choice.select_option(meaning)
            mira.page.wait_for_load_state("networkidle")
    mira.press(next(one for one in mira.page.locator("button.primary").all() if one.is_visible()))
    assert case.credit_note("CN-9").credit_state in {"ALLOCATED", "APPLIED"}
    after = case.invoice(row.invoice_id)
    assert (after.outstanding_minor, after.credited_minor) == (row.face_minor, 0), "kept whole"


def _the_buyer_does_not_pay(case: Case, omar: Walker, chen: Walker) -> None:
    """Two officers say what is lost and write it off; what comes later is recovered."""
    row = case.of("Alder Plastics")
    later(case, row.due_on + dt.timedelta(days=2), omar, chen)
    omar.go(f"/officer/provisions/{row.id}")
    _proposed(omar, "allowance", format_minor(row.face_minor // 2, "EUR"))
    _agreed(chen, row.id)
    assert chen.page.locator(".chips .chip-bad").count(), "stage 3 stands at the top"
    omar.go(f"/officer/provisions/{row.id}")
    _proposed(omar, "write_off")
    _agreed(chen, row.id)
    assert case.now(row.id).written_off_minor == row.face_minor
    hand_in(omar, case.received(row.obligor_id, 100_000, row.number))
    assert case.now(row.id).recovered_minor == 100_000
    omar.go(f"/officer/advances/{row.id}")
    owed = omar.page.locator("section:has(#owed)").inner_text()
    assert format_minor(row.face_minor, "EUR") in owed.replace(",", ""), "what was written off"
    left = format_minor(row.face_minor - 100_000, "EUR")
    assert left in owed.replace(",", ""), "the debt lives"


def _proposed(officer: Walker, kind: str, amount: str = "") -> None:
    page = officer.page
    page.locator("select[name=kind]").select_option(kind)
    page.locator("[name=amount]").fill(amount)
    page.locator("select[name=ground]").select_option("insolvency")
    page.locator("[name=note]").fill("insolvency opened, court file 12")
    officer.press(page.locator("form:has(select[name=kind]) button"))
    assert page.locator("button[value=agree]").count() == 0, "nobody says both words"


def _agreed(officer: Walker, advance_id: str) -> None:
    officer.go(f"/officer/provisions/{advance_id}")
    officer.press(officer.page.locator("button[value=agree]"))
