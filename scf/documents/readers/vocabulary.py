"""What people call the columns of their tables, in twenty languages.

English, German, French, Spanish, Italian, Dutch, Polish, Portuguese, Chinese, Japanese and Korean;
the usual names also in Swedish, Danish, Finnish, Czech, Hungarian, Romanian, Turkish, Russian and
Greek.
Words are compared without case, accents, blanks and signs, so "Invoice No." and "invoice_no" are
one. A name of a currency behind a word ("Amount (EUR)") is taken off before it is looked up.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from scf.documents.canonical import Kind
from scf.documents.readers.mapping import fields_of
from scf.kernel.money import EXPONENTS

_PARTY_WORDS: Final = {
    "seller": "seller supplier vendor creditor lieferant verkäufer kreditor rechnungssteller"
    " fournisseur vendeur émetteur proveedor vendedor emisor acreedor fornitore venditore cedente"
    " leverancier verkoper crediteur dostawca sprzedawca fornecedor emitente"
    " 供应商 供货商 卖方 销售方 销方 仕入先 発行元 売り手 공급자 공급업체 판매자"
    " leverantör säljare leverandør sælger toimittaja myyjä dodavatel prodávající szállító eladó"
    " furnizor vânzător sat\u0131c\u0131 tedarikçi поставщик продавец προμηθευτής πωλητής",
    "buyer": "buyer customer client debtor bodyname body organisation organization kunde käufer"
    " debitor rechnungsempfänger acheteur destinataire comprador cliente destinatario"
    " acquirente committente koper klant afnemer debiteur nabywca odbiorca kupujący adquirente"
    " 采购方 买方 购买方 购方 核心企业 客户 得意先 請求先 顧客"
    " 買い手 구매자 공급받는자 매입자 거래처"
    " kund köpare køber ostaja asiakas odběratel kupující vevő cumpărător al\u0131c\u0131 müşteri"
    " покупатель заказчик αγοραστής πελάτης",
}
_PAYMENT_ROLES: Final = {
    "seller": "payee beneficiary recipient empfänger zahlungsempfänger bénéficiaire beneficiario"
    " begunstigde beneficjent beneficiário 收款方 收款人 收款单位 수취인",
    "buyer": "payer payor zahler auftraggeber payeur pagador ordenante pagatore betaler płatnik"
    " 付款方 付款人 付款单位 지급인",
}
_PART_WORDS: Final = {
    "name": ("", "name", "names", "nom", "nombre", "nome", "naam", "nazwa", "fullname",
             "companyname", "名称", "名", "명", "상호", "denominazione", "ragionesociale",
             "razónsocial",
             "raisonsociale", "firma", "namn", "navn", "název", "denumire", "unvan"),
    "id": ("id", "no", "nos", "number", "code", "nr", "nummer", "numéro", "num", "número",
           "codice", "kod", "código", "ref", "account", "accountno", "编号", "代码", "코드"),
    "vat": ("vat", "vatid", "vatnumber", "vatno", "vatreg", "vatregno", "taxid", "taxnumber",
            "taxno", "ustid", "ustidnr", "ustidnummer", "umsatzsteuerid", "tva", "nif", "cif",
            "piva", "partitaiva", "btw", "btwnummer", "nip", "contribuinte", "사업자등록번호"),
    "uscc": ("uscc", "统一社会信用代码", "社会信用代码", "税号", "纳税人识别号"),
    "lei": ("lei", "leicode"),
    "gln": ("gln", "iln"),
    "duns": ("duns", "dunsnumber", "dunsno"),
    "country": ("country", "countrycode", "land", "pays", "país", "paese", "kraj", "国家", "국가"),
}  # fmt: skip
_NUMBER: Final = (
    "invoicenumber invoiceno invoicenum invoiceid invoice invoicenr invoiceref invoicereference"
    " inv invno invnumber billnumber billno bill taxinvoiceno documentnumber documentno docno"
    " docnumber voucherno"
    " rechnungsnummer rechnungsnr rechnungnr rechnung rechnungnummer renr belegnummer belegnr beleg"
    " facture numérodefacture numérofacture nofacture nfacture numfacture numfact"
    " factura númerodefactura númerofactura nofactura nfactura numfactura nºfactura"
    " fattura numerofattura numerodellafattura nfattura nrfattura numerodocumento"
    " factuur factuurnummer factuurnr faktura numerfaktury nrfaktury fakturanr"
    " fatura númerodafatura númerofatura nofatura nfatura"
    " notafiscal númerodanota númerodanotafiscal nºdanota nfe"
    " 发票号码 发票号 发票编号 号码 請求書番号 請求番号"
    " 伝票番号 송장번호 계산서번호 세금계산서번호 승인번호"
    " 单据编号 fakturanummer laskunumero"
    " laskunnumero číslofaktury číslodokladu számlaszám"
    " számlasorszáma numărfactură nrfactură faturano faturanumaras\u0131 номерсчета номерсчёта"
    " номерсчетафактуры номердокумента αριθμόςτιμολογίου αριθμόςπαραστατικού"
)
# What a list of credit notes calls their numbers; a number of an invoice beside it is the one that
# is credited.
_CREDIT_NUMBER: Final = (
    "creditnotenumber creditnoteno creditnoteid creditnumber creditno creditmemonumber creditmemono"
    " creditmemo cnnumber cnno gutschriftsnummer gutschriftsnr gutschriftnummer gutschriftnr"
    " stornonummer numérodavoir noavoir numavoir númerodenotadecrédito númeronotadecrédito"
    " númeronotacrédito númerodeabono numeronotadicredito numeronotacredito nrnotadicredito"
    " creditnotanummer creditfactuurnummer numerkorekty nrkorekty numerfakturykorygującej"
    " 红字发票号码 红字发票号 贷项通知单号 贷项凭证号 赤伝番号 クレジットノート番号 대변표번호"
    " kreditnotanummer kreditfakturanummer hyvityslaskunnumero číslodobropisu"
)
_ANY_NUMBER: Final = (
    "number no documentnumber documentno docno docnumber belegnummer belegnr numerodocumento"
    " numerodokumentu 单据编号 号码 伝票番号 номердокумента"
)
_CREDITED: Final = (
    "originalinvoice originalinvoicenumber originalinvoiceno creditedinvoice earlierinvoice"
    " precedinginvoice referencedinvoice relatedinvoice invoicereference invoiceref invoicecredited"
    " billingreference ursprungsrechnung originalrechnung bezugsrechnung rechnungsbezug"
    " rechnungsreferenz bezugrechnung zurechnung factureorigine facturedorigine factureréférence"
    " facturaoriginal facturarectificada facturarelacionada fatturaoriginale fatturadiriferimento"
    " fatturacollegata oorspronkelijkefactuur fakturakorygowana fakturapierwotna"
    " 原发票号码 原发票号 蓝字发票号码 元請求書番号 원송장번호"
)
_ISSUED: Final = (
    "invoicedate issuedate issuedon dateissued dateofissue dateofinvoice invdate billdate taxdate"
    " documentdate docdate date postingdate"
    " rechnungsdatum rechnungsdat belegdatum ausstellungsdatum rechnungvom redatum datum"
    " datefacture datedefacture datedefacturation datedémission dateémission"
    " fecha fechafactura fechadefactura fechadeemisión fechaemisión fechaexpedición"
    " data datafattura datadocumento datadiemissione dataemissione"
    " factuurdatum dataf datawystawienia datafaktury datafatura datadafatura datadeemissão"
    " dataemissão 开票日期 发票日期 日期 請求日 発行日 請求書日付"
    " 日付 작성일자 발행일 송장일 작성일"
    " 单据日期 业务日期 fakturadatum fakturadato laskupäivä laskunpäiväys"
    " datumvystavení datumfaktury"
    " számlakelte kiállításdátuma datafacturii dataemiterii faturatarihi датасчета датасчёта"
    " датадокумента ημερομηνίατιμολογίου ημερομηνίαέκδοσης ημερομηνία"
)
_PAYABLE: Final = (
    "amount amountdue payable payableamount totalamount total invoiceamount invoicetotal invoicesum"
    " openamount outstanding outstandingamount balance balancedue amountpayable value totaldue"
    " amountopen amounttopay"
    " betrag zahlbetrag rechnungsbetrag rechnungssumme gesamtbetrag endbetrag offenerbetrag summe"
    " forderung forderungsbetrag"
    " montant montantàpayer netàpayer montanttotal montantdû totalàpayer"
    " importe importetotal totalapagar importeapagar totalfactura"
    " importo importototale totaledapagare totaledocumento totalefattura totale"
    " bedrag tebetalen factuurbedrag totaalbedrag totaal openstaand"
    " kwota dozapłaty kwotadozapłaty razem"
    " valor valortotal valorapagar totalapagar totalfatura"
    " 金额 应付金额 发票金额 合计金额 总金额 价税合计 請求金額 請求額 合計金額"
    " 金額 금액 합계금액 총액 청구금액 합계 totalt attbetala tilbetaling yhteensä maksettava celkem"
    " kúhradě fizetendő összesen totaldeplată toplam ödenecektutar сумма коплате итого σύνολο"
    " πληρωτέο"
)
_WORDS: Final = {
    "number": _NUMBER,
    "issue_on": _ISSUED,
    "due_on": "duedate dueon due datedue maturity maturitydate paymentdue paymentduedate payby"
    " payuntil fälligkeit fälligkeitsdatum fälligam fällig faelligkeit faelligkeitsdatum faelligam"
    " zahlbarbis zahlungsziel zahlbaram zahlungbis"
    " échéance dateéchéance datedéchéance dateecheance"
    " vencimiento fechavencimiento fechadevencimiento"
    " scadenza datascadenza datadiscadenza vervaldatum vervaldag betalenvoor"
    " terminpłatności płatnedo vencimento datavencimento datadevencimento"
    " 到期日 到期日期 付款到期日 应付日期 支払期日 支払期限 支払日"
    " お支払期限 지급기일 만기일 결제기한 납부기한"
    " netduedate duedatereceiveby förfallodatum förfallodag forfaldsdato forfallsdato eräpäivä"
    " datumsplatnosti splatnost fizetésihatáridő datascadenței datascadentei"
    " scadența vadetarihi vade"
    " срокоплаты датаоплаты ημερομηνίαλήξης λήξη",
    "delivered_on": "deliverydate delivered deliveredon lieferdatum leistungsdatum datedelivraison"
    " fechadeentrega dataconsegna leverdatum datadostawy datadeentrega 交货日期 납품일",
    "currency": "currency currencycode ccy curr cur währung waehrung währungscode whg devise"
    " monnaie moneda divisa valuta munt waluta moeda 币种 货币 币别 通貨 통화 화폐 valuutta měna"
    " pénznem deviza parabirimi dövizcinsi валюта νόμισμα",
    "payable": _PAYABLE,
    "gross": "gross grossamount grosstotal totalincvat totalinclvat amountincvat amountinclvat"
    " brutto bruttobetrag gesamtbrutto ttc montantttc totalttc totalconiva importeconiva lordo"
    " importolordo totalelordo totaalinclbtw bedraginclbtw"
    " bedraginclusiefbtw inclbtw bruttokwota wartośćbrutto kwotabrutto"
    " totalcomiva 含税金额 税込金額 税込 공급대가 bruttó veroineen celkemsdph суммасндс",
    "net": "net netamount nettotal amountexcludingtax totalexvat totalexclvat amountexvat subtotal"
    " netto nettobetrag nettosumme ht montantht totalht baseimponible totalsiniva imponibile"
    " exclbtw totaalexclbtw bedragexclbtw bedragexclusiefbtw wartośćnetto"
    " kwotanetto valorlíquido 不含税金额 税抜金額 税抜 小計 공급가액"
    " nettó veroton základdaně základ matrah"
    " суммабезндс καθαρήαξία valoarefărătva",
    "tax": "tax taxamount vat vatamount salestax gst mwst mwstbetrag steuer steuerbetrag"
    " umsatzsteuer ust ustbetrag tva montanttva iva importeiva cuotaiva importoiva imposta btw"
    " btwbedrag kwotavat valoriva 税额 消費税 消費税額 税額 세액 부가세"
    " moms momsbelopp alv dph áfa kdv ндс φπα",
    "order_reference": "ordernumber orderno orderref po pono ponumber purchaseorder"
    " purchaseorderno purchaseordernumber orderreference customerorder bestellnummer bestellnr"
    " bestellung auftragsnummer auftragsnr auftrag commande numérodecommande nocommande pedido"
    " númerodepedido nopedido ordine numeroordine ordinenr bestelnummer numerzamówienia"
    " nrzamówienia encomenda 订单号 订单编号 采购订单号 注文番号 発注番号 주문번호 발주번호",
    "contract_reference": "contract contractnumber contractno vertrag vertragsnummer contrat"
    " contrato contratto umowa 合同号 合同编号 계약번호",
    "tax_scheme": "taxscheme taxsystem taxregister steuersystem systèmefiscal sistemafiscal"
    " sistemafiscale belastingstelsel systempodatkowy 税务系统 発票種別 세금체계",
    "tax_invoice_number": "taxinvoicenumber fiscalnumber fiscaldocumentid fiscalid fiscalfolio"
    " irn invoicereferencenumberirn irnnumber uuid cfdi uuidcfdi foliofiscal"
    " steuerlicherechnungsnummer fiskalnummer steuerbelegnummer"
    " numérofiscal numérodefacturefiscale númerofiscal númerodefacturafiscal"
    " identificativosdi idsdi codicesdi numerofiscale numerosdi"
    " fiscaalnummer fiscaalfactuurnummer numerfiskalny numerksef ksef numeroksef"
    " chavedeacesso chavedeacessonfe"
    " 数电票号码 全电发票号码 全电票号码 税务发票号码 税務請求書番号 インボイス番号 국세청승인번호",
    "tax_invoice_code": "taxinvoicecode fiscalcode fiscalinvoicecode fapiaocode"
    " steuerlicherrechnungscode codefiscalfacture códigofiscalfactura códigofactura"
    " codicefiscalefattura fiscalefactuurcode kodfiskalny códigofiscal"
    " 发票代码 税务发票代码 発票コード 세금계산서코드",
    "tax_invoice_check": "taxinvoicecheckcode fiscalcheckcode invoicecheckcode checkcode"
    " prüfcode prüfziffer codedecontrôle códigodecontrol códigodecontrole codicedicontrollo"
    " controlecode kodkontrolny 校验码 发票校验码 チェックコード 검증코드",
    "type_code": "typecode invoicetypecode type documenttype doctype invoicetype transactiontype"
    " belegart belegtyp rechnungsart typededocument typedocument tipodocumento tipodedocumento"
    " tipofactura tipofattura tipodifattura soortdocument typdokumentu rodzajdokumentu"
    " 单据类型 发票类型 伝票種別 문서유형",
    "billing_reference": _CREDITED,
    "iban": "iban ibannumber kontoiban bankaccount bankkonto",
    "bic": "bic swift swiftcode",
    "quantity": "quantity qty menge anzahl quantité cantidad quantità aantal ilość quantidade 数量"
    " 수량",
    "unit": "unit uom einheit me unité unidad unità eenheid jednostka unidade 单位 単位 단위",
    "price": "price unitprice preis einzelpreis prixunitaire prix precio preciounitario prezzo"
    " prezzounitario prijs stukprijs cena cenajednostkowa preço preçounitário 单价 単価 단가",
    "line_id": "line lineno linenumber position pos posnr ligne línea riga regel linha 行号",
    "item_name": "item itemname description itemdescription article artikel artikelbezeichnung"
    " bezeichnung désignation descripción descrizione"
    " omschrijving opis descrição 品名 货物名称 物料描述"
    " 商品名称 商品名 품목",
    "item_id": "itemno itemnumber sku articleno artikelnummer artikelnr référence 物料编码",
    "line_net": "lineamount linenet linetotal positionsbetrag positionssumme montantligne 行金额",
    "note": "note notes comment comments remark remarks bemerkung bemerkungen anmerkung remarque"
    " nota observaciones opmerking uwagi observações 备注 備考 摘要 비고 적요",
    "payment_terms": "paymentterms terms zahlungsbedingungen zahlungsbedingung 付款条件",
    "payment_reference": "paymentreference paymentref remittancereference",
}  # fmt: skip
_ORDER_WORDS: Final = {
    "number": "ordernumber orderno orderid order po ponumber pono purchaseorder"
    " purchaseordernumber purchaseorderno bestellnummer bestellnr bestellung commande"
    " numérodecommande pedido númerodepedido ordine numeroordine bestelnummer numerzamówienia"
    " encomenda 订单号 订单编号 采购订单号 注文番号 発注番号 주문번호 발주번호",
    "issue_on": "orderdate date bestelldatum datum datecommande datedecommande fechapedido fecha"
    " dataordine besteldatum datazamówienia 订单日期 下单日期 注文日 発注日 주문일",
    "payable": "amount orderamount ordervalue total totalamount betrag bestellwert montant importe"
    " importo bedrag kwota valor 金额 订单金额 금액",
}
_CREDIT_WORDS: Final = {
    "number": f"{_CREDIT_NUMBER} {_ANY_NUMBER}",
    "issue_on": "creditnotedate creditdate creditmemodate gutschriftsdatum gutschriftdatum"
    f" dateavoir fechanotadecrédito datanotadicredito creditnotadatum datakorekty {_ISSUED}",
    "payable": "creditamount creditedamount creditnoteamount gutschriftsbetrag gutschriftbetrag"
    f" montantavoir importeabono importonotadicredito creditbedrag {_PAYABLE}",
    "billing_reference": f"{_CREDITED} {_NUMBER}",
}
_PAYMENT_WORDS: Final = {
    "paid_on": "paiddate paymentdate datepaid paidon date valuedate cleardate clearingdate"
    " dateofpayment zahldatum zahlungsdatum zahlungam datum bezahltam valuta buchungsdatum"
    " datedepaiement datepaiement fechadepago fechapago fecha datapagamento data betaaldatum"
    " datapłatności datadepagamento 付款日期 支付日期 지급일 결제일",
    "amount": "amount paidamount amountpaid paymentamount value betrag zahlbetrag total"
    " bezahlterbetrag montant montantpayé importe importepagado importo importopagato bedrag kwota"
    " valor valorpago 金额 付款金额 支付金额 금액 지급액",
    "reference": "reference ref transno transactionno transactionnumber transactionid transaction"
    " paymentreference paymentref paymentno docno documentno documentnumber voucherno"
    " verwendungszweck referenz belegnummer belegnr référence referencia riferimento referentie"
    " referencja referência 交易号 付款编号 凭证号 거래번호",
    "currency": _WORDS["currency"],
    "note": "note comment description expenditurecategory expensetype purpose category narrative"
    " accountdescription expensearea 备注 用途",
    "iban": _WORDS["iban"],
    "bic": _WORDS["bic"],
}
_WORDS_OF_KIND: Final = {Kind.ORDER: _ORDER_WORDS, Kind.CREDIT_NOTE: _CREDIT_WORDS}

_SUMS: Final = re.compile(
    r"(?:grand|sub|page|report)?\s*-?\s*total(?:s|e|es|en|ne)?\b|sum\b|summe\b|(?:zwischen|gesamt|"
    r"end)-?summe|gesamt(?:betrag)?\b|insgesamt|übertrag|sous-total|suma\b|somma\b|totaal|"
    r"subtotaal|razem|ogółem|soma\b|carried forward|合计|总计|小计|合計|総計|합계|총계|소계",
    re.IGNORECASE,
)
_CODE: Final = re.compile(r"[(\[]\s*([A-Z]{3}|[€£¥$])\s*[)\]]|\b(?:in|en)?\s*([A-Z]{3}|[€£])\s*$")
_SIGNS: Final = {"€": "EUR", "£": "GBP"}


def starts_a_sum(text: str) -> bool:
    """Tell whether a text names a sum: a footer, and no document."""
    return text != "" and _SUMS.match(text.strip()) is not None


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """Give a name as it is compared: without case, accents, blanks and signs."""
    folded = unicodedata.normalize("NFKD", _without_currency(name)).casefold()
    return "".join(character for character in folded if character.isalnum())


def currency_in(name: str) -> str:
    """Give the currency that stands behind the name of a column: "Amount (EUR)", "Betrag in €"."""
    found = _CODE.search(name)
    code = (found[1] or found[2]) if found else ""
    code = _SIGNS.get(code, code)
    return code if code in EXPONENTS else ""


def _without_currency(name: str) -> str:
    return _CODE.sub("", name) if currency_in(name) else name


@lru_cache(maxsize=8)
def vocabulary(kind: Kind) -> Mapping[str, str]:
    """Give the field that each word of a header means for this kind."""
    words: Mapping[str, str]
    if kind is Kind.PAYMENT:
        words, sides = _PAYMENT_WORDS, {"seller": "payee", "buyer": "payer"}
    else:
        words = {**_WORDS, **_WORDS_OF_KIND.get(kind, {})}
        sides = {"seller": "seller", "buyer": "buyer"}
    meanings: dict[str, str] = {}
    for field, spelt in words.items():
        for word in spelt.split():
            meanings.setdefault(plain(word), field)
    for side, role in sides.items():
        own = f"{_PARTY_WORDS[side]} {_PAYMENT_ROLES[side] if kind is Kind.PAYMENT else ''} {role}"
        for word in own.split():
            for part, endings in _PART_WORDS.items():
                for ending in endings:
                    meanings.setdefault(plain(word + ending), f"{role}_{part}")
                    meanings.setdefault(plain(ending + word), f"{role}_{part}")
    known = fields_of(kind)
    return {word: field for word, field in meanings.items() if field in known}


def kind_of(names: set[str]) -> Kind:
    """Guess from the names of a header what its table holds."""
    paid = set(map(plain, _PAYMENT_WORDS["paid_on"].split()))
    if names & (paid - _GENERAL):
        return Kind.PAYMENT
    if names & set(map(plain, _CREDIT_NUMBER.split())) and not names & _FALLS_DUE:
        return Kind.CREDIT_NOTE
    if names & set(map(plain, _NUMBER.split())):
        return Kind.INVOICE
    orders = set(map(plain, _ORDER_WORDS["number"].split()))
    return Kind.ORDER if names & orders else Kind.INVOICE


_GENERAL: Final = frozenset(
    map(plain, ("date", "datum", "fecha", "data", "valuta", "buchungsdatum"))
)
_FALLS_DUE: Final = frozenset(map(plain, _WORDS["due_on"].split()))
# The two sides of a ledger.
LEDGER_SIDES: Final = tuple(
    frozenset(map(plain, words.split()))
    for words in (
        "debit debitamount debits soll débit debe cargo dare débito debet 借方 借方金额 借方金額",
        "credit creditamount haben crédit haber abono avere crédito 贷方 贷方金额 貸方 貸方金額",
    )
)
