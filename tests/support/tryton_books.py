"""Fill the database of a Tryton company; run as a program of its own, once per lock of packages.

``python tryton_books.py CONFIG DATABASE``: a company in euro with the universal chart of accounts,
the fiscal years 2025 to 2027, firms to trade with, a product, and a payment term. Tryton keeps its
state in the process, which is why no test imports it.
"""

import datetime as dt
import sys
from decimal import Decimal
from typing import Any

YEARS = (2025, 2026, 2027)
# Code in Tryton, name, country, VAT number: those of the demo world's firms.
FIRMS = (
    ("HALDEN", "Halden Appliances", "DE", "DE136695976"),
    ("BROOK", "Brook Valves", "NL", "NL004495445B01"),
    ("MERIDIAN", "Meridian Trade Bank", "DE", ""),
)


def fill(config_file: str, database: str) -> None:
    """Make the company and what it needs before the first document."""
    from proteus import Model, config

    config.set_trytond(f"sqlite:///{database}", user="admin", config_file=config_file)
    from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, get_accounts
    from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences
    from trytond.modules.company.tests.tools import create_company, get_company
    from trytond.modules.currency.tests.tools import get_currency

    party = _party(Model, "SELF", "The company", "DE", "")
    create_company(party=party, currency=get_currency("EUR"))
    company = get_company()
    create_chart(company)
    for year in YEARS:
        days = (dt.date(year, 1, 1), dt.date(year, 12, 31))
        fiscal = create_fiscalyear(company, today=days)
        fiscal.start_date, fiscal.end_date = days
        fiscal.name = str(year)
        set_fiscalyear_invoice_sequences(fiscal)
        fiscal.save()
        fiscal.click("create_period")
    for firm in FIRMS:
        _party(Model, *firm)
    accounts = get_accounts(company)
    _product(Model, accounts)
    term = Model.get("account.invoice.payment_term")(name="90 days")
    line = term.lines.new(type="remainder")
    line.relativedeltas.new(days=90)
    term.save()


def _party(model: Any, code: str, name: str, country: str, vat: str) -> Any:  # noqa: ANN401 - theirs
    nation = model.get("country.country")
    found = nation.find([("code", "=", country)])
    home = found[0] if found else nation(name=country, code=country)
    home.save()
    party = model.get("party.party")(code=code, name=name)
    (address,) = party.addresses
    address.country = home
    address.city = "Town"
    if vat:
        party.identifiers.new(type="eu_vat", code=vat)
    party.save()
    return party


def _product(model: Any, accounts: dict[str, Any]) -> None:  # noqa: ANN401 - theirs
    category = model.get("product.category")(name="Goods", accounting=True)
    category.account_expense = accounts["expense"]
    category.account_revenue = accounts["revenue"]
    category.save()
    (unit,) = model.get("product.uom").find([("name", "=", "Unit")])
    template = model.get("product.template")(name="Pump housing", code="PH-7", type="goods")
    template.default_uom = unit
    template.purchasable = template.salable = True
    template.list_price = Decimal(20)
    template.account_category = category
    template.save()


if __name__ == "__main__":
    fill(*sys.argv[1:])
