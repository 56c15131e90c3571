"""Italian invoices say what is owed to the seller, or are refused with every reason."""

import datetime as dt

import pytest

from scf.documents.canonical import CanonicalDocument, Identifier, Kind, Party, Reference
from scf.documents.readers import read_file
from tests.documents.readers.samples import errors, fatturapa, only, replaced, warnings

TOTAL = "<ImportoTotaleDocumento>14274.00</ImportoTotaleDocumento>"
ASKED = "<ImportoPagamento>14274.00<"
BODY = "<FatturaElettronicaBody>"
SECOND = "<DettaglioPagamento><ModalitaPagamento>MP05</ModalitaPagamento>"


def changed(*changes: tuple[str, str], name: str = "invoice") -> bytes:
    data = fatturapa(name)
    for old, new in changes:
        data = replaced(data, old, new)
    return data


def read(*changes: tuple[str, str], name: str = "invoice") -> CanonicalDocument:
    return only(read_file(changed(*changes, name=name)))


def told(document: CanonicalDocument) -> set[str]:
    return {found.code for found in document.findings}


def test_an_ordinary_invoice_is_read_whole() -> None:
    invoice = read()
    assert invoice.findings == ()
    assert (invoice.kind, invoice.number, invoice.type_code) == (Kind.INVOICE, "117/2026", "380")
    assert (invoice.issue_on, invoice.due_on) == (dt.date(2026, 3, 2), dt.date(2026, 6, 30))
    assert invoice.seller == Party(
        "Fonderia Valdarno S.r.l.",
        "IT",
        (
            Identifier("vat", "IT00743110157"),
            Identifier("id:0210", "00743110157"),
            Identifier("reg:IT", "AR-771200"),
        ),
    )
    assert invoice.buyer.identifier("vat") == "IT12345670017"
    assert (invoice.net_minor, invoice.tax_minor) == (1170000, 257400)
    assert (invoice.gross_minor, invoice.payable_minor) == (1427400, 1427400)
    assert (invoice.order_reference, invoice.contract_reference) == ("PO-7781", "FR-12")
    assert invoice.despatch_references == ("DDT-551", "DDT-552")
    assert invoice.delivered_on == dt.date(2026, 2, 27)
    assert invoice.buyer_reference == "Plant 4"
    assert invoice.notes == ("Second delivery of the frame order.", "CIG Z5A2B00117")
    assert [account.iban for account in invoice.accounts] == ["IT60X0542811101000000123456"]
    assert invoice.payment_reference == "117/2026"
    assert invoice.payment_terms == "TP02 MP05 2026-06-30 14274.00"
    first, second = invoice.lines
    assert (first.quantity, first.unit, first.price) == ("400", "PZ", "25")
    assert (first.net_minor, first.allowance_minor) == (900000, 100000)
    assert (first.order_reference, first.order_line) == ("PO-7781", "10")
    assert first.item_ids == (Identifier("seller:INTERNO", "BH-80"),)
    assert (second.order_line, second.tax_category, second.tax_percent) == ("20", "S", "22")


@pytest.mark.parametrize(
    ("sort", "kind", "code"),
    [
        ("TD01", Kind.INVOICE, "380"),
        ("TD25", Kind.INVOICE, "380"),
        ("TD05", Kind.INVOICE, "383"),
        ("TD04", Kind.CREDIT_NOTE, "381"),
    ],
)
def test_the_type_says_what_the_document_is(sort: str, kind: Kind, code: str) -> None:
    billed = "<DatiFattureCollegate><IdDocumento>90/2026</IdDocumento><Data>2026-02-02</Data>"
    data = (("TD24", sort), ("<DatiDDT>", f"{billed}</DatiFattureCollegate><DatiDDT>"))
    document = read(*data)
    assert (document.kind, document.type_code) == (kind, code)
    assert document.billing_references == (Reference("90/2026", dt.date(2026, 2, 2)),)


@pytest.mark.parametrize("sort", ["TD02", "TD16", "TD17", "TD20", "TD27", "TD29"])
def test_what_nobody_owes_by_is_kept_and_never_financed(sort: str) -> None:
    assert "NOT_A_RECEIVABLE" in warnings(changed(("TD24", sort)))


def test_what_the_buyer_makes_out_is_self_billed() -> None:
    by_buyer = "</CessionarioCommittente><SoggettoEmittente>CC</SoggettoEmittente>"
    assert read(("</CessionarioCommittente>", by_buyer)).type_code == "389"


# --- What the seller may collect ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "gross", "payable", "code"),
    [
        # split payment: the tax goes from the buyer to the state
        ((("<EsigibilitaIVA>I", "<EsigibilitaIVA>S"),), 1427400, 1170000, "WITHHELD"),
        (
            (("<EsigibilitaIVA>I", "<EsigibilitaIVA>S"), (ASKED, "<ImportoPagamento>11700.00<")),
            1427400,
            1170000,
            "WITHHELD",
        ),
        (
            (("<EsigibilitaIVA>I", "<EsigibilitaIVA>S"), (TOTAL, TOTAL.replace("14274", "11700"))),
            1427400,
            1170000,
            "TOTAL_AFTER_WITHHOLDING",
        ),
        # tax that the buyer withholds from the fee
        (
            (
                (
                    "<ImportoTotale",
                    ("<DatiRitenuta><TipoRitenuta>RT02</TipoRitenuta><ImportoRitenuta>2340.00"
                    "</ImportoRitenuta><AliquotaRitenuta>20.00</AliquotaRitenuta>"
                    "<CausalePagamento>A</CausalePagamento></DatiRitenuta><ImportoTotale"),
                ),
                (ASKED, "<ImportoPagamento>11934.00<"),
            ),
            1427400,
            1193400,
            "WITHHELD",
        ),
        # reverse charge: the buyer owes the tax himself
        (
            (
                ("<AliquotaIVA>22.00</AliquotaIVA>\n      </Det", ("<AliquotaIVA>0.00</AliquotaIVA>"
                 "<Natura>N6.3</Natura></Det")),
                ("<AliquotaIVA>22.00</AliquotaIVA>\n      </Det", ("<AliquotaIVA>0.00</AliquotaIVA>"
                 "<Natura>N6.3</Natura></Det")),
                ("<AliquotaIVA>22.00</AliquotaIVA>\n        <Imp", ("<AliquotaIVA>0.00"
                 "</AliquotaIVA><Natura>N6.3</Natura><Imp")),
                ("<Imposta>2574.00", "<Imposta>0.00"),
                (TOTAL, TOTAL.replace("14274", "11700")),
                (ASKED, "<ImportoPagamento>11700.00<"),
            ),
            1170000,
            1170000,
            None,
        ),
        # stamp duty that the total counts
        (
            (
                (
                    TOTAL,
                    "<DatiBollo><BolloVirtuale>SI</BolloVirtuale><ImportoBollo>2.00</ImportoBollo>"
                    "</DatiBollo>" + TOTAL.replace("74", "76"),
                ),
                (ASKED, "<ImportoPagamento>14276.00<"),
            ),
            1427600,
            1427600,
            None,
        ),
        # stamp duty that it does not count
        (
            (
                (
                    TOTAL,
                    "<DatiBollo><BolloVirtuale>SI</BolloVirtuale><ImportoBollo>2.00</ImportoBollo>"
                    "</DatiBollo>" + TOTAL,
                ),
            ),
            1427400,
            1427400,
            None,
        ),
        # rounding of the total, a total that is left out, and less asked for than is owed
        (
            ((TOTAL, TOTAL.replace("4.00", "3.90") + "<Arrotondamento>-0.10</Arrotondamento>"),
             (ASKED, "<ImportoPagamento>14273.90<")),
            1427390,
            1427390,
            None,
        ),
        (((TOTAL, ""),), 1427400, 1427400, None),
        (((ASKED, "<ImportoPagamento>4274.00<"),), 1427400, 427400, "PAYMENT_LESS"),
    ],
)  # fmt: skip
def test_what_can_be_financed_is_what_the_buyer_pays_to_the_seller(
    changes: tuple[tuple[str, str], ...], gross: int, payable: int, code: str | None
) -> None:
    invoice = read(*changes)
    assert (invoice.gross_minor, invoice.payable_minor) == (gross, payable)
    assert code is None or code in told(invoice)


def test_reverse_charge_is_a_category_of_its_own() -> None:
    reason = "<AliquotaIVA>0.00</AliquotaIVA><Natura>N6.3</Natura>"
    text = fatturapa().decode().replace("<AliquotaIVA>22.00</AliquotaIVA>", reason)
    text = text.replace("2574.00", "0.00").replace("14274.00", "11700.00")
    invoice = only(read_file(text.encode()))
    assert {line.tax_category for line in invoice.lines} == {"AE"}


def test_instalments_leave_no_single_due_date_and_are_told() -> None:
    half = "<ImportoPagamento>7137.00<"
    again = f"{SECOND}<DataScadenzaPagamento>2026-07-31</DataScadenzaPagamento>{half}/Imp"
    again = again.replace("/Imp", "/ImportoPagamento></DettaglioPagamento></DatiPagamento>")
    invoice = read(("TP02", "TP01"), (ASKED, half), ("</DatiPagamento>", again))
    assert (invoice.due_on, invoice.payable_minor) == (None, 1427400)
    (found,) = (one for one in invoice.findings if one.code == "INSTALMENTS")
    assert found.value == "2026-06-30 7137.00, 2026-07-31 7137.00"
    assert invoice.payment_terms.startswith("TP01 MP05 2026-06-30 7137.00; TP01 MP05 2026-07-31")


def test_a_day_may_be_stated_as_days_from_another() -> None:
    counted = (
        "<DataRiferimentoTerminiPagamento>2026-03-31</DataRiferimentoTerminiPagamento>"
        "<GiorniTerminiPagamento>60</GiorniTerminiPagamento>"
    )
    stated = "<DataScadenzaPagamento>2026-06-30</DataScadenzaPagamento>"
    assert read((stated, counted)).due_on == dt.date(2026, 5, 30)


def test_somebody_else_who_is_to_be_paid_may_have_the_claim() -> None:
    factor = "<DettaglioPagamento><Beneficiario>Factor Nord S.p.A.</Beneficiario>"
    assert "TITLE_PRIOR" in warnings(changed(("<DettaglioPagamento>", factor)))


def test_a_lot_is_so_many_invoices_and_each_is_judged_alone() -> None:
    body = BODY + fatturapa().decode().partition(BODY)[2].partition("</p:")[0]
    second = body.replace("117/2026", "118/2026").replace(">2026-03-02<", ">2026-02-30<")
    third = body.replace("117/2026", "119/2026")
    parsed = read_file(changed(("</p:", f"{second}{third}</p:")))
    assert [document.number for document in parsed.documents] == ["117/2026", "119/2026"]
    assert parsed.refused == 1
    (found,) = parsed.refusals[0]
    assert (found.code, found.value) == ("DATE", "2026-02-30")
    assert found.place == (
        "/p:FatturaElettronica/FatturaElettronicaBody[2]/DatiGenerali/DatiGeneraliDocumento/Data"
    )


def test_a_simplified_invoice_states_its_sums_with_tax() -> None:
    invoice = read(name="simplified")
    assert (invoice.number, invoice.profile) == ("118/2026", "FSM10")
    assert invoice.seller.identifiers == (Identifier("vat", "IT00743110157"),)
    assert (invoice.buyer.name, invoice.buyer.country) == ("Nordmeccanica Torino S.p.A.", "IT")
    assert (invoice.net_minor, invoice.tax_minor, invoice.gross_minor) == (12000, 2640, 14640)
    assert [line.net_minor for line in invoice.lines] == [10000, 2000]


def test_a_public_body_is_known_by_its_office_too() -> None:
    public = changed(("FPR12", "FPA12"), (">FPR12<", ">FPA12<"), ("ABC1234", "UF9ABC"))
    assert only(read_file(public)).buyer.identifier("endpoint:0201") == "UF9ABC"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<Divisa>EUR</Divisa>", "", "ELEMENT_MISSING"),
        ("<Divisa>EUR</Divisa>", "<Divisa>EUX</Divisa>", "CURRENCY"),
        ("<Divisa>", "<Divisa>EUR</Divisa><Divisa>", "ELEMENT_TWICE"),
        ("<NumeroLinea>1", "<Wrong>1</Wrong><NumeroLinea>1", "ELEMENT_UNKNOWN"),
        ("<Numero>117/2026", "<Numero>117<b/>/2026", "ELEMENT_UNKNOWN"),
        ("<TipoDocumento>TD24</TipoDocumento>\n        <Divisa>EUR</Divisa>",
         "<Divisa>EUR</Divisa><TipoDocumento>TD24</TipoDocumento>", "ELEMENT_ORDER"),
        ("TD24", "TD99", "TYPE_UNKNOWN"),
        (">FPR12<", ">FPA12<", "FORMAT_VERSION"),
        ("<Data>2026-03-02", "<Data>02/03/2026", "DATE"),
        (TOTAL, TOTAL.replace("14274", "14275"), "GROSS_SUM"),
        (ASKED, "<ImportoPagamento>15000.00<", "PAYABLE_SUM"),
        (ASKED, "<ImportoPagamento>1.4274,00<", "AMOUNT_FORMAT"),
        ("<PrezzoTotale>9000.00", "<PrezzoTotale>8000.00", "LINES_SUM"),
        ("<PrezzoTotale>9000.00", "<PrezzoTotale>9 000", "NUMBER"),
        ("<AliquotaIVA>22.00</AliquotaIVA>\n        <Imp", ("<AliquotaIVA>22.00</AliquotaIVA>"
         "<Natura>N6.3</Natura><Imp"), "TAX_NATURE"),
        ("<Imposta>2574.00", "<Imposta>2.574", "AMOUNT_DECIMALS"),
        ("Fonderia Valdarno S.r.l.", "Fonderia&#x202E;Valdarno", "TEXT_UNSAFE"),
        ("fatture/v1.2", "fatture/v9.9", "FORMAT_UNKNOWN"),
    ],
)  # fmt: skip
def test_a_wrong_invoice_is_refused_by_name(old: str, new: str, code: str) -> None:
    assert code in errors(changed((old, new)))


def test_a_document_inside_the_document_is_refused() -> None:
    body = fatturapa().decode().partition("?>")[2].strip()
    assert "DOCUMENT_NESTED" in errors(changed(("Second delivery of the frame order.", body)))


def test_a_broken_structure_names_line_and_path() -> None:
    (found,) = read_file(changed(("<CAP>10143</CAP>", ""))).errors
    assert found.message == "CAP is missing."
    assert found.place == (
        "line 31, /FatturaElettronica/FatturaElettronicaHeader/CessionarioCommittente/Sede"
    )


def test_a_heap_of_unknown_elements_is_a_hundred_findings() -> None:
    parsed = read_file(changed(("<DatiGenerali>", "<x/>" * 40_000 + "<DatiGenerali>")))
    assert parsed.refused == 1
    assert len(parsed.findings) == 100
