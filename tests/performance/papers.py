"""Trade documents of our own making: invoices in UBL and tables of orders and invoices.

Every document differs from every other in numbers, dates, parties, lines and amounts, so that no
reader is flattered by its caches.
"""

import csv
import datetime as dt
import io
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stdnum.iso7064 import mod_97_10

from scf.documents.canonical import CanonicalDocument, Kind
from scf.documents.readers.mapping import ColumnMapping

SEED = 20260310
FIRST = dt.date(2026, 1, 5)
ANCHOR_NAME = "Halden Appliances SE"
INVOICES_PER_ORDER = 5
BAD_OF_A_HUNDRED = 3


def lei(number: int) -> str:
    """Give a legal entity identifier with right check digits."""
    body = f"8755TRIBUTARY{number:05d}"
    return body + str(mod_97_10.calc_check_digits(body))


@dataclass(frozen=True)
class Firm:
    """A firm of the made-up trade."""

    name: str
    lei: str


ANCHOR = Firm(ANCHOR_NAME, lei(0))


def suppliers(count: int) -> list[Firm]:
    """Give so many suppliers, always the same."""
    return [
        Firm(f"Works {number} Castings & Tools GmbH", lei(number)) for number in range(1, count + 1)
    ]


def money(minor: int) -> str:
    """Spell an amount of euro cents."""
    return f"{minor // 100}.{minor % 100:02d}"


# --- UBL --------------------------------------------------------------------------------------

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
    xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
    xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>
  <cbc:ID>{number}</cbc:ID>
  <cbc:IssueDate>{issued}</cbc:IssueDate>
  <cbc:DueDate>{due}</cbc:DueDate>
  <cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>
  <cbc:Note>{note}</cbc:Note>
  <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
  <cac:OrderReference>
    <cbc:ID>{order}</cbc:ID>
  </cac:OrderReference>
"""
_PARTY = """  <cac:{role}>
    <cac:Party>
      <cac:PartyName>
        <cbc:Name>{name}</cbc:Name>
      </cac:PartyName>
      <cac:PostalAddress>
        <cbc:StreetName>Harbour Road {house}</cbc:StreetName>
        <cbc:CityName>Bremen</cbc:CityName>
        <cbc:PostalZone>28{house:03d}</cbc:PostalZone>
        <cac:Country>
          <cbc:IdentificationCode>DE</cbc:IdentificationCode>
        </cac:Country>
      </cac:PostalAddress>
      <cac:PartyLegalEntity>
        <cbc:RegistrationName>{name}</cbc:RegistrationName>
        <cbc:CompanyID schemeID="0199">{lei}</cbc:CompanyID>
      </cac:PartyLegalEntity>
    </cac:Party>
  </cac:{role}>
"""
_TOTALS = """  <cac:PaymentMeans>
    <cbc:PaymentMeansCode>58</cbc:PaymentMeansCode>
    <cbc:PaymentID>{number}</cbc:PaymentID>
    <cac:PayeeFinancialAccount>
      <cbc:ID>DE89370400440532013000</cbc:ID>
    </cac:PayeeFinancialAccount>
  </cac:PaymentMeans>
  <cac:TaxTotal>
    <cbc:TaxAmount currencyID="EUR">{tax}</cbc:TaxAmount>
    <cac:TaxSubtotal>
      <cbc:TaxableAmount currencyID="EUR">{net}</cbc:TaxableAmount>
      <cbc:TaxAmount currencyID="EUR">{tax}</cbc:TaxAmount>
      <cac:TaxCategory>
        <cbc:ID>S</cbc:ID>
        <cbc:Percent>20</cbc:Percent>
        <cac:TaxScheme>
          <cbc:ID>VAT</cbc:ID>
        </cac:TaxScheme>
      </cac:TaxCategory>
    </cac:TaxSubtotal>
  </cac:TaxTotal>
  <cac:LegalMonetaryTotal>
    <cbc:LineExtensionAmount currencyID="EUR">{net}</cbc:LineExtensionAmount>
    <cbc:TaxExclusiveAmount currencyID="EUR">{net}</cbc:TaxExclusiveAmount>
    <cbc:TaxInclusiveAmount currencyID="EUR">{gross}</cbc:TaxInclusiveAmount>
    <cbc:PayableAmount currencyID="EUR">{gross}</cbc:PayableAmount>
  </cac:LegalMonetaryTotal>
"""
_LINE = """  <cac:InvoiceLine>
    <cbc:ID>{place}</cbc:ID>
    <cbc:InvoicedQuantity unitCode="C62">{quantity}</cbc:InvoicedQuantity>
    <cbc:LineExtensionAmount currencyID="EUR">{net}</cbc:LineExtensionAmount>
    <cac:OrderLineReference>
      <cbc:LineID>{place}0</cbc:LineID>
    </cac:OrderLineReference>
    <cac:Item>
      <cbc:Name>{item}</cbc:Name>
      <cac:ClassifiedTaxCategory>
        <cbc:ID>S</cbc:ID>
        <cbc:Percent>20</cbc:Percent>
        <cac:TaxScheme>
          <cbc:ID>VAT</cbc:ID>
        </cac:TaxScheme>
      </cac:ClassifiedTaxCategory>
    </cac:Item>
    <cac:Price>
      <cbc:PriceAmount currencyID="EUR">{price}</cbc:PriceAmount>
    </cac:Price>
  </cac:InvoiceLine>
"""


def ubl_invoices(count: int, most_lines: int = 5) -> list[bytes]:
    """Give so many different invoices of about five kilobytes, each of an order of its own."""
    choice = random.Random(SEED)
    firms = suppliers(200)
    return [_ubl_invoice(choice, firms, number, most_lines) for number in range(count)]


def _ubl_invoice(choice: random.Random, firms: list[Firm], number: int, most_lines: int) -> bytes:
    issued = FIRST + dt.timedelta(days=choice.randrange(60))
    lines, net = [], 0
    for place in range(1, choice.randint(1, most_lines) + 1):
        quantity, price = choice.randint(1, 900), 5 * choice.randint(20, 90_000)
        net += quantity * price
        lines.append(
            _LINE.format(
                place=place,
                quantity=quantity,
                net=money(quantity * price),
                item=f"Bearing housing {choice.randrange(10_000)}, machined",
                price=money(price),
            )
        )
    seller = choice.choice(firms)
    values = {
        "number": f"R-2026-{number:06d}",
        "issued": issued,
        "due": issued + dt.timedelta(days=choice.randint(14, 120)),
        "note": f"Delivery {choice.randrange(10**6)} of the frame order, as agreed.",
        "order": f"PO-{number:06d}",
        "net": money(net),
        "tax": money(net // 5),
        "gross": money(net + net // 5),
    }
    parts = [
        _HEAD.format(**values),
        _party("AccountingSupplierParty", seller, choice.randrange(400)),
        _party("AccountingCustomerParty", ANCHOR, 7),
        _TOTALS.format(**values),
        *lines,
        "</Invoice>\n",
    ]
    return "".join(parts).encode()


def _party(role: str, firm: Firm, house: int) -> str:
    name = firm.name.replace("&", "&amp;")
    return _PARTY.format(role=role, name=name, lei=firm.lei, house=house)


# --- Tables -----------------------------------------------------------------------------------

ORDER_HEADER = (
    "order", "date", "supplier", "supplier_lei", "buyer", "buyer_lei", "ccy", "amount",
    "line", "item", "quantity", "line_amount",
)  # fmt: skip
INVOICE_HEADER = (
    "invoice", "date", "due", "supplier", "supplier_lei", "buyer", "buyer_lei", "ccy",
    "amount", "net", "tax", "order",
)  # fmt: skip
_PARTIES = {
    "seller_name": "supplier",
    "seller_lei": "supplier_lei",
    "buyer_name": "buyer",
    "buyer_lei": "buyer_lei",
    "currency": "ccy",
    "issue_on": "date",
}
ORDER_MAPPING = ColumnMapping(
    kind=Kind.ORDER,
    columns={
        "number": "order",
        "payable": "amount",
        "line_id": "line",
        "item_name": "item",
        "quantity": "quantity",
        "line_net": "line_amount",
        **_PARTIES,
    },
)
INVOICE_MAPPING = ColumnMapping(
    kind=Kind.INVOICE,
    columns={
        "number": "invoice",
        "due_on": "due",
        "payable": "amount",
        "net": "net",
        "tax": "tax",
        "order_reference": "order",
        **_PARTIES,
    },
)


def order_table(invoices: int, firms: list[Firm]) -> bytes:
    """Give the orders that so many invoices draw on; each order bears all of its invoices."""
    return _table(ORDER_HEADER, _order_rows(invoices // INVOICES_PER_ORDER, firms))


def _order_rows(count: int, firms: list[Firm]) -> Iterator[tuple[str, ...]]:
    for number in range(count):
        firm = firms[number % len(firms)]
        yield (
            f"PO-{number:06d}", FIRST.isoformat(), firm.name, firm.lei, ANCHOR.name, ANCHOR.lei,
            "EUR", "500000.00", "1", "Bearing housings", "1000", "500000.00",
        )  # fmt: skip


def invoice_table(count: int, firms: list[Firm], *, start: int = 0, bad: bool = True) -> bytes:
    """Give a table of invoices; with ``bad`` three rows of a hundred cannot be read."""
    return _table(INVOICE_HEADER, _invoice_rows(range(start, start + count), firms, bad=bad))


def _invoice_rows(numbers: range, firms: list[Firm], *, bad: bool) -> Iterator[list[str]]:
    choice = random.Random(SEED + numbers.start)
    for number in numbers:
        order = number // INVOICES_PER_ORDER
        firm = firms[order % len(firms)]
        issued = FIRST + dt.timedelta(days=choice.randrange(60))
        due = issued + dt.timedelta(days=choice.randint(14, 120))
        net = 5 * choice.randint(2_000, 1_900_000)
        row = [
            f"R-{number:07d}", issued.isoformat(), due.isoformat(), firm.name, firm.lei,
            ANCHOR.name, ANCHOR.lei, "EUR", money(net + net // 5), money(net), money(net // 5),
            f"PO-{order:06d}",
        ]  # fmt: skip
        yield _spoilt(row, number) if bad and number % 100 < BAD_OF_A_HUNDRED else row


def orders_of(documents: Iterable[CanonicalDocument]) -> bytes:
    """Give a table of the orders that these invoices fulfil line by line."""
    return _table(ORDER_HEADER, _ordered(documents))


def _ordered(documents: Iterable[CanonicalDocument]) -> Iterator[tuple[str, ...]]:
    for one in documents:
        for line in one.lines:
            yield (
                one.order_reference, FIRST.isoformat(), one.seller.name,
                one.seller.identifier("lei"), ANCHOR.name, ANCHOR.lei, one.currency,
                money(one.net_minor or 0), line.order_line, line.item_name, line.quantity,
                money(line.net_minor or 0),
            )  # fmt: skip


def _spoilt(row: list[str], number: int) -> list[str]:
    """Break a row in one of six ways that each keep it out."""
    way = (number // 100 * BAD_OF_A_HUNDRED + number % 100) % 6
    column, value = (
        (1, "05.13.2026"), (8, "1,2,3.4"), (0, ""), (7, "XQZ"), (2, "2025-12-31"), (2, "soon"),
    )[way]  # fmt: skip
    return [*row[:column], value, *row[column + 1 :]]


def _table(header: tuple[str, ...], rows: Iterator[tuple[str, ...]] | Iterator[list[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
