"""The invoices of ``papers`` once more, as cross industry invoices that say the same."""

from xml.sax.saxutils import escape

from scf.documents.canonical import CanonicalDocument, Line, Party
from tests.performance.papers import money

_STANDARD = "urn:un:unece:uncefact:data:standard"
_HEAD = f"""<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="{_STANDARD}:CrossIndustryInvoice:100"
    xmlns:ram="{_STANDARD}:ReusableAggregateBusinessInformationEntity:100"
    xmlns:udt="{_STANDARD}:UnqualifiedDataType:100">
  <rsm:ExchangedDocumentContext>
    <ram:GuidelineSpecifiedDocumentContextParameter>
      <ram:ID>{{one.profile}}</ram:ID>
    </ram:GuidelineSpecifiedDocumentContextParameter>
  </rsm:ExchangedDocumentContext>
  <rsm:ExchangedDocument>
    <ram:ID>{{one.number}}</ram:ID>
    <ram:TypeCode>{{one.type_code}}</ram:TypeCode>
    <ram:IssueDateTime>
      <udt:DateTimeString format="102">{{one.issue_on:%Y%m%d}}</udt:DateTimeString>
    </ram:IssueDateTime>
    <ram:IncludedNote>
      <ram:Content>{{one.notes[0]}}</ram:Content>
    </ram:IncludedNote>
  </rsm:ExchangedDocument>
  <rsm:SupplyChainTradeTransaction>
"""
_LINE = """    <ram:IncludedSupplyChainTradeLineItem>
      <ram:AssociatedDocumentLineDocument>
        <ram:LineID>{line.line_id}</ram:LineID>
      </ram:AssociatedDocumentLineDocument>
      <ram:SpecifiedTradeProduct>
        <ram:Name>{line.item_name}</ram:Name>
      </ram:SpecifiedTradeProduct>
      <ram:SpecifiedLineTradeAgreement>
        <ram:BuyerOrderReferencedDocument>
          <ram:LineID>{line.order_line}</ram:LineID>
        </ram:BuyerOrderReferencedDocument>
        <ram:NetPriceProductTradePrice>
          <ram:ChargeAmount>{line.price}</ram:ChargeAmount>
        </ram:NetPriceProductTradePrice>
      </ram:SpecifiedLineTradeAgreement>
      <ram:SpecifiedLineTradeDelivery>
        <ram:BilledQuantity unitCode="{line.unit}">{line.quantity}</ram:BilledQuantity>
      </ram:SpecifiedLineTradeDelivery>
      <ram:SpecifiedLineTradeSettlement>
        <ram:ApplicableTradeTax>
          <ram:TypeCode>VAT</ram:TypeCode>
          <ram:CategoryCode>{line.tax_category}</ram:CategoryCode>
          <ram:RateApplicablePercent>{line.tax_percent}</ram:RateApplicablePercent>
        </ram:ApplicableTradeTax>
        <ram:SpecifiedTradeSettlementLineMonetarySummation>
          <ram:LineTotalAmount>{net}</ram:LineTotalAmount>
        </ram:SpecifiedTradeSettlementLineMonetarySummation>
      </ram:SpecifiedLineTradeSettlement>
    </ram:IncludedSupplyChainTradeLineItem>
"""
_PARTY = """      <ram:{role}>
        <ram:Name>{name}</ram:Name>
        <ram:SpecifiedLegalOrganization>
          <ram:ID schemeID="0199">{lei}</ram:ID>
        </ram:SpecifiedLegalOrganization>
        <ram:PostalTradeAddress>
          <ram:PostcodeCode>28001</ram:PostcodeCode>
          <ram:LineOne>Harbour Road 1</ram:LineOne>
          <ram:CityName>Bremen</ram:CityName>
          <ram:CountryID>{country}</ram:CountryID>
        </ram:PostalTradeAddress>
      </ram:{role}>
"""
_SETTLEMENT = """      <ram:BuyerOrderReferencedDocument>
        <ram:IssuerAssignedID>{one.order_reference}</ram:IssuerAssignedID>
      </ram:BuyerOrderReferencedDocument>
    </ram:ApplicableHeaderTradeAgreement>
    <ram:ApplicableHeaderTradeDelivery/>
    <ram:ApplicableHeaderTradeSettlement>
      <ram:PaymentReference>{one.payment_reference}</ram:PaymentReference>
      <ram:InvoiceCurrencyCode>{one.currency}</ram:InvoiceCurrencyCode>
      <ram:SpecifiedTradeSettlementPaymentMeans>
        <ram:TypeCode>58</ram:TypeCode>
        <ram:PayeePartyCreditorFinancialAccount>
          <ram:IBANID>{one.accounts[0].iban}</ram:IBANID>
        </ram:PayeePartyCreditorFinancialAccount>
      </ram:SpecifiedTradeSettlementPaymentMeans>
      <ram:ApplicableTradeTax>
        <ram:CalculatedAmount>{tax}</ram:CalculatedAmount>
        <ram:TypeCode>VAT</ram:TypeCode>
        <ram:BasisAmount>{net}</ram:BasisAmount>
        <ram:CategoryCode>S</ram:CategoryCode>
        <ram:RateApplicablePercent>20</ram:RateApplicablePercent>
      </ram:ApplicableTradeTax>
      <ram:SpecifiedTradePaymentTerms>
        <ram:DueDateDateTime>
          <udt:DateTimeString format="102">{one.due_on:%Y%m%d}</udt:DateTimeString>
        </ram:DueDateDateTime>
      </ram:SpecifiedTradePaymentTerms>
      <ram:SpecifiedTradeSettlementHeaderMonetarySummation>
        <ram:LineTotalAmount>{net}</ram:LineTotalAmount>
        <ram:TaxBasisTotalAmount>{net}</ram:TaxBasisTotalAmount>
        <ram:TaxTotalAmount currencyID="EUR">{tax}</ram:TaxTotalAmount>
        <ram:GrandTotalAmount>{gross}</ram:GrandTotalAmount>
        <ram:DuePayableAmount>{gross}</ram:DuePayableAmount>
      </ram:SpecifiedTradeSettlementHeaderMonetarySummation>
    </ram:ApplicableHeaderTradeSettlement>
  </rsm:SupplyChainTradeTransaction>
</rsm:CrossIndustryInvoice>
"""


def cii_of(one: CanonicalDocument) -> bytes:
    """Write an invoice of ``papers`` in CII."""
    amounts = {
        "net": money(one.net_minor or 0),
        "tax": money(one.tax_minor or 0),
        "gross": money(one.payable_minor or 0),
    }
    parts = [
        _HEAD.format(one=one),
        *(_line(line) for line in one.lines),
        "    <ram:ApplicableHeaderTradeAgreement>\n",
        _party("SellerTradeParty", one.seller),
        _party("BuyerTradeParty", one.buyer),
        _SETTLEMENT.format(one=one, **amounts),
    ]
    return "".join(parts).encode()


def _line(line: Line) -> str:
    return _LINE.format(line=line, net=money(line.net_minor or 0))


def _party(role: str, party: Party) -> str:
    return _PARTY.format(
        role=role, name=escape(party.name), lei=party.identifier("lei"), country=party.country
    )
