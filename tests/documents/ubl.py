"""Small UBL documents of the pair, by what differs."""

from tests.documents.trade import BUYER, SELLER

SPACES = (
    'xmlns="urn:oasis:names:specification:ubl:schema:xsd:{root}-2" '
    'xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" '
    'xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"'
)


def party(number: str, name: str) -> str:
    return (
        f'<cac:Party><cac:PartyIdentification><cbc:ID schemeID="0060">{number}</cbc:ID>'
        "</cac:PartyIdentification><cac:PartyLegalEntity>"
        f"<cbc:RegistrationName>{name}</cbc:RegistrationName></cac:PartyLegalEntity></cac:Party>"
    )


def invoice(
    number: str,
    amount: str,
    *,
    seller: str = SELLER,
    buyer: str = BUYER,
    due: str = "2026-06-30",
    kind: str = "380",
    order: str = "",
) -> bytes:
    """Write an invoice of one line without tax."""
    named = f"<cac:OrderReference><cbc:ID>{order}</cbc:ID></cac:OrderReference>" if order else ""
    due_element = f"<cbc:DueDate>{due}</cbc:DueDate>" if due else ""
    money = f'currencyID="EUR">{amount}<'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Invoice {SPACES.format(root="Invoice")}>'
        f"<cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-02-01</cbc:IssueDate>{due_element}"
        f"<cbc:InvoiceTypeCode>{kind}</cbc:InvoiceTypeCode>"
        f"<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>{named}"
        f"<cac:AccountingSupplierParty>{party(seller, 'Seller Company')}"
        "</cac:AccountingSupplierParty>"
        f"<cac:AccountingCustomerParty>{party(buyer, 'Buyer Company')}"
        "</cac:AccountingCustomerParty>"
        f"<cac:LegalMonetaryTotal><cbc:LineExtensionAmount {money}/cbc:LineExtensionAmount>"
        f"<cbc:PayableAmount {money}/cbc:PayableAmount></cac:LegalMonetaryTotal>"
        '<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity unitCode="EA">1'
        f"</cbc:InvoicedQuantity><cbc:LineExtensionAmount {money}/cbc:LineExtensionAmount>"
        "<cac:Item><cbc:Name>Goods</cbc:Name></cac:Item></cac:InvoiceLine></Invoice>"
    ).encode()


def order(number: str, amount: str, quantity: str = "1") -> bytes:
    """Write an order of one line without tax."""
    net = f'<cbc:LineExtensionAmount currencyID="EUR">{amount}</cbc:LineExtensionAmount>'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Order {SPACES.format(root="Order")}>'
        f"<cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-01-15</cbc:IssueDate>"
        "<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>"
        f"<cac:BuyerCustomerParty>{party(BUYER, 'Buyer Company')}</cac:BuyerCustomerParty>"
        f"<cac:SellerSupplierParty>{party(SELLER, 'Seller Company')}</cac:SellerSupplierParty>"
        "<cac:OrderLine><cac:LineItem><cbc:ID>1</cbc:ID>"
        f'<cbc:Quantity unitCode="EA">{quantity}</cbc:Quantity>{net}'
        "<cac:Item><cbc:Name>Goods</cbc:Name></cac:Item></cac:LineItem></cac:OrderLine></Order>"
    ).encode()


def credit_note(number: str, amount: str, invoice: str) -> bytes:
    """Write a credit note of one line that names an invoice."""
    money = f'currencyID="EUR">{amount}<'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><CreditNote {SPACES.format(root="CreditNote")}>'
        f"<cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-02-20</cbc:IssueDate>"
        "<cbc:CreditNoteTypeCode>381</cbc:CreditNoteTypeCode>"
        "<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>"
        f"<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>{invoice}</cbc:ID>"
        "</cac:InvoiceDocumentReference></cac:BillingReference>"
        f"<cac:AccountingSupplierParty>{party(SELLER, 'Seller Company')}"
        "</cac:AccountingSupplierParty>"
        f"<cac:AccountingCustomerParty>{party(BUYER, 'Buyer Company')}"
        "</cac:AccountingCustomerParty>"
        f"<cac:LegalMonetaryTotal><cbc:LineExtensionAmount {money}/cbc:LineExtensionAmount>"
        f"<cbc:PayableAmount {money}/cbc:PayableAmount></cac:LegalMonetaryTotal>"
        '<cac:CreditNoteLine><cbc:ID>1</cbc:ID><cbc:CreditedQuantity unitCode="EA">1'
        f"</cbc:CreditedQuantity><cbc:LineExtensionAmount {money}/cbc:LineExtensionAmount>"
        "<cac:Item><cbc:Name>Goods</cbc:Name></cac:Item></cac:CreditNoteLine></CreditNote>"
    ).encode()


def receipt(number: str, order: str, *, received: str, rejected: str = "0") -> bytes:
    """Write a receipt of order line 1."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f"<ReceiptAdvice {SPACES.format(root='ReceiptAdvice')}>"
        f"<cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-02-10</cbc:IssueDate>"
        f"<cac:OrderReference><cbc:ID>{order}</cbc:ID></cac:OrderReference>"
        f"<cac:DeliveryCustomerParty>{party(BUYER, 'Buyer Company')}</cac:DeliveryCustomerParty>"
        f"<cac:DespatchSupplierParty>{party(SELLER, 'Seller Company')}"
        "</cac:DespatchSupplierParty>"
        "<cac:ReceiptLine><cbc:ID>1</cbc:ID>"
        f'<cbc:ReceivedQuantity unitCode="EA">{received}</cbc:ReceivedQuantity>'
        f'<cbc:RejectedQuantity unitCode="EA">{rejected}</cbc:RejectedQuantity>'
        "<cac:OrderLineReference><cbc:LineID>1</cbc:LineID></cac:OrderLineReference>"
        "<cac:Item><cbc:Name>Goods</cbc:Name></cac:Item></cac:ReceiptLine></ReceiptAdvice>"
    ).encode()
