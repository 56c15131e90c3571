"""Small UBL messages about the order of the pair, by what differs."""

from tests.documents.trade import BUYER, SELLER
from tests.documents.ubl import SPACES, party


def _message(root: str, number: str, inner: str, order: str) -> bytes:
    named = f"<cac:OrderReference><cbc:ID>{order}</cbc:ID></cac:OrderReference>"
    head, _, lines = inner.partition("<!--parties-->")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><{root} {SPACES.format(root=root)}>'
        f"<cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-02-03</cbc:IssueDate>{head}{named}"
        f"<cac:SellerSupplierParty>{party(SELLER, 'Seller Company')}</cac:SellerSupplierParty>"
        f"<cac:BuyerCustomerParty>{party(BUYER, 'Buyer Company')}</cac:BuyerCustomerParty>"
        f"{lines}</{root}>"
    ).encode()


def _item(line: str, quantity: str, net: str, status: str) -> str:
    money = f'<cbc:LineExtensionAmount currencyID="EUR">{net}</cbc:LineExtensionAmount>'
    amount = money if net else ""
    state = f"<cbc:LineStatusCode>{status}</cbc:LineStatusCode>" if status else ""
    count = f'<cbc:Quantity unitCode="EA">{quantity}</cbc:Quantity>' if quantity else ""
    return (
        f"<cac:OrderLine><cac:LineItem><cbc:ID>{line}</cbc:ID>{state}{count}{amount}"
        "<cac:Item><cbc:Name>Goods</cbc:Name></cac:Item></cac:LineItem></cac:OrderLine>"
    )


def change(
    number: str,
    order: str,
    *lines: tuple[str, str, str, str],
    sequence: int = 1,
) -> bytes:
    """Write a change; a line is its number, quantity, net amount and status code."""
    inner = (
        f"<cbc:SequenceNumberID>{sequence}</cbc:SequenceNumberID>"
        "<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode><!--parties-->"
        + "".join(_item(*line) for line in lines)
    )
    return _message("OrderChange", number, inner, order)


def answer(number: str, order: str, code: str) -> bytes:
    """Write the seller's answer to an order."""
    inner = f"<cbc:OrderResponseCode>{code}</cbc:OrderResponseCode><!--parties-->"
    return _message("OrderResponse", number, inner, order)


def yes_or_no(number: str, order: str, accepted: str) -> bytes:
    """Write the seller's simple answer."""
    inner = f"<cbc:AcceptedIndicator>{accepted}</cbc:AcceptedIndicator><!--parties-->"
    return _message("OrderResponseSimple", number, inner, order)


def cancellation(number: str, order: str) -> bytes:
    """Write a cancellation."""
    inner = "<cbc:CancellationNote>No need any more</cbc:CancellationNote><!--parties-->"
    return _message("OrderCancellation", number, inner, order)


def despatch(number: str, order: str, quantity: str) -> bytes:
    """Write what left the seller on order line 1."""
    inner = (
        "<!--parties--><cac:DespatchLine><cbc:ID>1</cbc:ID>"
        f'<cbc:DeliveredQuantity unitCode="EA">{quantity}</cbc:DeliveredQuantity>'
        "<cac:OrderLineReference><cbc:LineID>1</cbc:LineID></cac:OrderLineReference>"
        "<cac:Item><cbc:Name>Goods</cbc:Name></cac:Item></cac:DespatchLine>"
    )
    return _message("DespatchAdvice", number, inner, order)


def _account(root: str, number: str, head: str, lines: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><{root} {SPACES.format(root=root)}>'
        f"<cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-03-01</cbc:IssueDate>{head}"
        f"<cac:AccountingSupplierParty>{party(SELLER, 'Seller Company')}"
        "</cac:AccountingSupplierParty>"
        f"<cac:AccountingCustomerParty>{party(BUYER, 'Buyer Company')}"
        f"</cac:AccountingCustomerParty>{lines}</{root}>"
    ).encode()


def _entry(line: str, invoice: str, debit: str, credit: str) -> str:
    money = 'currencyID="EUR"'
    return (
        f"<cac:{line}><cbc:ID>1</cbc:ID>"
        f"<cbc:DebitLineAmount {money}>{debit}</cbc:DebitLineAmount>"
        f"<cbc:CreditLineAmount {money}>{credit}</cbc:CreditLineAmount>"
        f"<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>{invoice}</cbc:ID>"
        f"</cac:InvoiceDocumentReference></cac:BillingReference></cac:{line}>"
    )


def remittance(number: str, *invoices: tuple[str, str, str]) -> bytes:
    """Write what a buyer announces to pay; an entry is invoice, debit and credit."""
    total = sum(float(debit) - float(credit) for _, debit, credit in invoices)
    return _account(
        "RemittanceAdvice",
        number,
        f'<cbc:TotalPaymentAmount currencyID="EUR">{total:.2f}</cbc:TotalPaymentAmount>',
        "".join(_entry("RemittanceAdviceLine", *one) for one in invoices),
    )


def statement(number: str, balance: str, *invoices: tuple[str, str, str]) -> bytes:
    """Write a statement of account; its balance may be in the debtor's favour."""
    return _account(
        "Statement",
        number,
        "<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>"
        f'<cbc:TotalBalanceAmount currencyID="EUR">{balance}</cbc:TotalBalanceAmount>',
        "".join(_entry("StatementLine", *one) for one in invoices),
    )


def reminder(number: str, payable: str, invoice: str) -> bytes:
    """Write a reminder of one invoice."""
    return _account(
        "Reminder",
        number,
        "<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>",
        '<cac:LegalMonetaryTotal><cbc:PayableAmount currencyID="EUR">'
        f"{payable}</cbc:PayableAmount></cac:LegalMonetaryTotal>"
        + _entry("ReminderLine", invoice, payable, "0.00"),
    )
