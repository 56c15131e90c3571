"""A SAF-T file: read again, its accounts, entries and totals are the trial balance."""

import datetime as dt
from collections import defaultdict
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from scf.accounting import files
from scf.accounting.journal import BalanceLine, trial_balance
from scf.accounting.writers.saft import SPACE, Audit, Company, to_saft
from scf.kernel.errors import RuleViolation
from scf.kernel.money import format_minor
from tests.accounting.test_datev import NOON, ODD
from tests.accounting.test_export import BOOKS, line, told
from tests.accounting.test_mapping import TREASURER
from tests.settlement.world import FINANCIER, OBLIGOR, SELLER, START, World

# The order in which the OECD's schema has the children of each element.
ORDER = {
    "AuditFile": "Header MasterFiles GeneralLedgerEntries",
    "Header": "AuditFileVersion AuditFileCountry AuditFileDateCreated SoftwareCompanyName "
    "SoftwareID SoftwareVersion Company DefaultCurrencyCode SelectionCriteria HeaderComment "
    "TaxAccountingBasis",
    "Company": "RegistrationNumber Name Address TaxRegistration",
    "Customer": "RegistrationNumber Name Address TaxRegistration CustomerID",
    "Supplier": "RegistrationNumber Name Address TaxRegistration SupplierID",
    "MasterFiles": "GeneralLedgerAccounts Customers Suppliers",
    "Account": "AccountID AccountDescription StandardAccountID AccountType OpeningDebitBalance "
    "OpeningCreditBalance ClosingDebitBalance ClosingCreditBalance",
    "GeneralLedgerEntries": "NumberOfEntries TotalDebit TotalCredit Journal",
    "Transaction": "TransactionID Period PeriodYear TransactionDate TransactionType Description "
    "BatchID SystemEntryDate GLPostingDate Line",
    "Line": "RecordID AccountID ValueDate SourceDocumentID CustomerID SupplierID Description "
    "DebitAmount CreditAmount",
}
DAY = dt.timedelta(days=1)
MOST = {
    "AccountID": 70, "AccountDescription": 256, "BatchID": 35, "CustomerID": 35, "SupplierID": 35,
    "Description": 256, "Name": 70, "RegistrationNumber": 35, "SourceDocumentID": 35,
    "TransactionID": 70, "TransactionType": 18, "RecordID": 18, "StandardAccountID": 35,
}  # fmt: skip


def read(content: bytes) -> Any:  # noqa: ANN401 - lxml's elements
    """Read a file and hold every element to the order and lengths of the schema."""
    root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    for node in root.iter():
        name = etree.QName(node).localname
        assert etree.QName(node).namespace == SPACE
        inner = [etree.QName(child).localname for child in node]
        if name in ORDER:
            order = ORDER[name].split()
            assert [order.index(one) for one in inner] == sorted(map(order.index, inner)), name
        if not inner:
            assert name == "Address" or node.text
            assert len(node.text or "") <= MOST.get(name, 256)
    return root


def each(node: Any, path: str) -> list[Any]:  # noqa: ANN401
    return list(node.findall("/".join(f"{{{SPACE}}}{one}" for one in path.split("/"))))


def text(node: Any, path: str) -> str:  # noqa: ANN401
    (found,) = each(node, path)
    return str(found.text)


def signed(node: Any, name: str) -> Fraction:  # noqa: ANN401
    """Give what stands on one of two sides; exactly one of them is there."""
    debit, credit = (each(node, name.format(side)) for side in ("Debit", "Credit"))
    assert len(debit) + len(credit) == 1
    return Fraction(debit[0].text) if debit else -Fraction(credit[0].text)


def amount_of(posting: Any) -> Fraction:  # noqa: ANN401
    """Give the amount of a line, positive for a debit; it has one side."""
    debit, credit = (each(posting, f"{side}Amount/Amount") for side in ("Debit", "Credit"))
    assert len(debit) + len(credit) == 1
    return Fraction(debit[0].text) if debit else -Fraction(credit[0].text)


def test_every_book_read_again_is_its_trial_balance(world: World) -> None:
    told(world)
    cut = START + dt.timedelta(days=2)
    for org in BOOKS:
        with world.db.snapshot() as conn:
            wanted = files.Wanted(org, cut, None, dt.date(2026, 12, 31), NOON)
            root = read(files.journal_file(conn, "saft", wanted).content)
            before = {one.account_code: one for one in trial_balance(conn, org, cut - DAY)}
            after = {one.account_code: one for one in trial_balance(conn, org)}
        opening, closing = (
            {
                text(one, "AccountID"): signed(one, f"{when}{{}}Balance")
                for one in each(root, "MasterFiles/GeneralLedgerAccounts/Account")
            }
            for when in ("Opening", "Closing")
        )
        assert closing == {code: Fraction(one.balance_minor, 100) for code, one in after.items()}
        assert {code: value for code, value in opening.items() if value} == {
            code: Fraction(one.balance_minor, 100)
            for code, one in before.items()
            if one.balance_minor
        }
        moved: dict[str, Fraction] = defaultdict(Fraction, opening)
        totals = {"Debit": Fraction(0), "Credit": Fraction(0)}
        entries = each(root, "GeneralLedgerEntries/Journal/Transaction")
        for entry in entries:
            of_entry = Fraction(0)
            for one in each(entry, "Line"):
                amount = amount_of(one)
                moved[text(one, "AccountID")] += amount
                totals["Debit" if amount > 0 else "Credit"] += abs(amount)
                of_entry += amount
            assert of_entry == 0
        assert dict(moved) == closing
        general = each(root, "GeneralLedgerEntries")[0]
        assert int(text(general, "NumberOfEntries")) == len(entries)
        for side, total in totals.items():
            assert Fraction(text(general, f"Total{side}")) == total


def test_customers_and_suppliers_are_those_of_the_lines(world: World) -> None:
    world.financed()
    said = {}
    for org in BOOKS:
        with world.db.snapshot() as conn:
            wanted = files.Wanted(org, None, None, START, NOON)
            root = read(files.journal_file(conn, "saft", wanted).content)
        for side in ("Customer", "Supplier"):
            masters = {
                text(one, f"{side}ID"): text(one, "Name")
                for one in each(root, f"MasterFiles/{side}s/{side}")
            }
            lines = each(root, "GeneralLedgerEntries/Journal/Transaction/Line")
            used = {one.text for row in lines for one in each(row, f"{side}ID")}
            assert used == set(masters)
            said[org, side] = set(used)
        assert "INV-1" in {one.text for one in root.iter(f"{{{SPACE}}}SourceDocumentID")}
    buyer, seller = OBLIGOR.replace("-", ""), SELLER.replace("-", "")
    assert said[SELLER, "Customer"] == said[FINANCIER, "Customer"] == {buyer}
    assert said[OBLIGOR, "Supplier"] >= {seller}


def test_a_standard_chart_is_named_for_all_accounts_or_for_none(world: World) -> None:
    world.financed()
    wanted = files.Wanted(SELLER, None, None, START, NOON)
    table = {"cash": "1920", "trade_receivables": "1500"}
    world.run("mapping.set", TREASURER, system="saft", version=0, accounts=table)
    with world.db.snapshot() as conn, pytest.raises(RuleViolation, match="ACCOUNTS_UNMAPPED"):
        files.journal_file(conn, "saft", wanted)
    table["finance_cost_loss_on_derecognition"] = "8179"
    world.run("mapping.set", TREASURER, system="saft", version=1, accounts=table)
    with world.db.snapshot() as conn:
        root = read(files.journal_file(conn, "saft", wanted).content)
    accounts = each(root, "MasterFiles/GeneralLedgerAccounts/Account")
    assert {text(one, "AccountID"): text(one, "StandardAccountID") for one in accounts} == table


def audit(name: str, **changes: Any) -> Audit:  # noqa: ANN401
    balances = [
        BalanceLine("cash", "Cash", "asset", currency, minor, 0)
        for currency, minor in changes.pop("closing", {"EUR": 5}).items()
    ]
    company = Company("me", name, name, name, name, "DE")
    return Audit(company, "EUR", START, START, START, "0.1.0", [], balances, **changes)


@given(name=ODD, narrative=ODD, paper=ODD, kind=ODD, minor=st.integers(1, 10**15))
def test_whatever_is_typed_the_file_stays_a_file(
    name: str, narrative: str, paper: str, kind: str, minor: int
) -> None:
    words = {"narrative": narrative, "event_kind": kind, "event_id": paper}
    lines = [line(0, minor, **words), line(1, -minor, account_code="suspense", **words)]
    content = to_saft(lines, audit(name, papers={"s1": paper}, closing={"EUR": minor}))
    root = read(content)
    general = each(root, "GeneralLedgerEntries")[0]
    for side in ("Debit", "Credit"):
        assert text(general, f"Total{side}") == format_minor(minor, "EUR")


def test_a_file_holds_the_currency_that_was_asked_for() -> None:
    lines = [
        line(place, minor, currency=currency, entry_id=currency, account_code=code)
        for currency in ("EUR", "JPY")
        for place, (minor, code) in enumerate(((700, "cash"), (-700, "suspense")))
    ]
    root = read(to_saft(lines, audit("x", closing={"EUR": 700, "JPY": 700})))
    assert len(each(root, "MasterFiles/GeneralLedgerAccounts/Account")) == 1
    assert text(root, "GeneralLedgerEntries/TotalDebit") == "7.00"
    with pytest.raises(RuleViolation, match="ONE_CURRENCY"):
        files.one_currency({"EUR", "JPY"}, "")
    assert files.one_currency({"EUR", "JPY"}, "JPY") == "JPY"
