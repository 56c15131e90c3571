"""Bank statements: every entry once, signed, in minor units; every mistake named in its place."""

from __future__ import annotations

from datetime import date

import pytest

from scf.kernel.errors import InvalidInput
from scf.settlement.readers import (
    BankFormat,
    EntryStatus,
    StatementFile,
    bank_format,
    read_statements,
)
from tests.settlement.formats.samples import (
    OUR_IBAN,
    PAYER_IBAN,
    balance,
    camt,
    entry,
    statement,
    whole,
)


def codes(file: StatementFile) -> list[str]:
    return [one.code for one in file.findings]


def test_a_statement_reads_into_signed_minor_units_with_days_and_parties() -> None:
    file = read_statements(
        whole(
            entry("1250.50", reference="BANK-1"),
            entry("250.5", sign="DBIT", reference="BANK-2", text="Fee"),
            opening="10.00",
            closing="1010.00",
        )
    )
    assert file.findings == ()
    assert file.is_sound
    assert file.moves_money
    assert (file.kind, file.version, file.message_id) == ("camt.053", "camt.053.001.08", "MSG-1")
    (one,) = file.statements
    assert (one.statement_id, one.sequence, one.currency) == ("STMT-1", "7", "EUR")
    assert one.account.identifier == OUR_IBAN
    assert one.account.is_iban
    assert (one.from_on, one.to_on) == (date(2026, 3, 10), date(2026, 3, 10))
    assert one.opening is not None
    assert one.closing is not None
    assert (one.opening.amount_minor, one.closing.amount_minor) == (1000, 101_000)
    credit, debit = one.entries
    assert (credit.amount_minor, debit.amount_minor) == (125_050, -25_050)
    assert credit.status is EntryStatus.BOOKED
    assert (credit.booked_on, credit.value_on) == (date(2026, 3, 10), date(2026, 3, 10))
    assert credit.transaction_code == "PMNT/RCDT/ESCT"
    (detail,) = credit.details
    assert detail.end_to_end_id == "E2E-1"
    assert detail.debtor.name == "Buyer SA"
    assert detail.debtor.account.identifier == PAYER_IBAN
    assert detail.debtor.bic == "PSSTFRPPXXX"
    assert detail.references == ("Invoice 4711",)
    assert detail.amount_minor is None
    assert credit.place == "/Document/BkToCstmrStmt/Stmt/Ntry[1]"
    assert detail.place == "/Document/BkToCstmrStmt/Stmt/Ntry[1]/NtryDtls/TxDtls"


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("JPY", "2700", 2700),
        ("EUR", "8.85", 885),
        ("KWD", "1.005", 1005),
        ("EUR", "18.15000", 1815),
    ],
)
def test_amounts_follow_the_decimals_of_their_currency(
    currency: str, text: str, minor: int
) -> None:
    file = read_statements(
        whole(entry(text, currency=currency), opening="0", closing=text, currency=currency)
    )
    assert file.findings == ()
    assert file.statements[0].entries[0].amount_minor == minor


@pytest.mark.parametrize(
    ("currency", "text", "code"),
    [
        ("EUR", "8.855", "AMOUNT_DECIMALS"),
        ("JPY", "1.5", "AMOUNT_DECIMALS"),
        ("EUR", "-5.00", "AMOUNT_RANGE"),
        ("EUR", "1e3", "AMOUNT_FORMAT"),
        ("EUR", "NaN", "AMOUNT_FORMAT"),
        ("EUR", "1,000.00", "AMOUNT_FORMAT"),
        ("EUR", "٥", "AMOUNT_FORMAT"),  # noqa: RUF001 - an Arabic five
        ("EUR", "", "AMOUNT_FORMAT"),
        ("EUR", "9" * 30, "AMOUNT_RANGE"),
        ("XYZ", "1.00", "CURRENCY"),
        ("", "1.00", "CURRENCY"),
        ("EUR", "10<b/>0", "AMOUNT_FORMAT"),
    ],
)
def test_an_evil_amount_leaves_its_entry_out_and_names_the_place(
    currency: str, text: str, code: str
) -> None:
    file = read_statements(camt(statement(entry(text, currency=currency))))
    assert code in codes(file)
    assert not file.is_sound
    assert file.statements[0].entries == ()
    found = next(one for one in file.findings if one.code == code)
    assert found.place == "/Document/BkToCstmrStmt/Stmt/Ntry/Amt"


def test_a_comment_inside_an_amount_does_not_cut_it() -> None:
    file = read_statements(whole(entry("10<!-- -->0.00"), closing="100.00"))
    assert file.statements[0].entries[0].amount_minor == 10_000


def test_a_statement_that_does_not_add_up_is_not_fit_for_posting() -> None:
    file = read_statements(whole(entry("100.00"), closing="99.00"))
    assert codes(file) == ["BALANCE_CHECK"]
    assert file.findings[0].value == "-100"
    assert not file.is_sound


def test_only_booked_entries_are_money() -> None:
    file = read_statements(
        whole(
            entry("100.00"),
            entry("40.00", status="<Sts><Cd>PDNG</Cd></Sts>"),
            entry("7.00", status="<Sts>INFO</Sts>"),
            closing="100.00",
        )
    )
    assert file.findings == ()
    assert [one.status.value for one in file.statements[0].entries] == ["BOOK", "PDNG", "INFO"]
    assert [one.amount_minor for one in file.statements[0].booked] == [10_000]


@pytest.mark.parametrize(
    ("status", "code"), [("", "STATUS"), ("<Sts><Cd>DONE</Cd></Sts>", "STATUS")]
)
def test_an_unknown_status_is_no_money(status: str, code: str) -> None:
    file = read_statements(camt(statement(entry(status=status))))
    assert code in codes(file)
    assert file.statements[0].entries == ()


@pytest.mark.parametrize(
    ("kind", "body", "tag", "moves"),
    [
        ("camt.053.001.02", "BkToCstmrStmt", "Stmt", True),
        ("camt.053.001.13", "BkToCstmrStmt", "Stmt", True),
        ("camt.054.001.04", "BkToCstmrDbtCdtNtfctn", "Ntfctn", True),
        ("camt.052.001.06", "BkToCstmrAcctRpt", "Rpt", False),
        ("camt.052.001.01", "BkToCstmrAcctRptV01", "Rpt", False),
    ],
)
def test_all_kinds_and_versions_read_alike(kind: str, body: str, tag: str, moves: bool) -> None:
    text = camt(statement(entry(status="<Sts>BOOK</Sts>")), kind=kind, body=body)
    data = text.replace(b"<Stmt>", f"<{tag}>".encode()).replace(b"</Stmt>", f"</{tag}>".encode())
    data = data.replace(b"<Pty>", b"").replace(b"</Pty>", b"")
    file = read_statements(data)
    assert (file.kind, file.version) == (kind[:8], kind)
    assert file.is_sound
    assert file.moves_money is moves
    assert file.statements[0].entries[0].details[0].debtor.name == "Buyer SA"


def test_a_returned_payment_carries_its_reason() -> None:
    detail = """<TxDtls><Refs><EndToEndId>PAY-1</EndToEndId></Refs><RtrInf><Rsn><Cd>AC04</Cd></Rsn>
      <AddtlInf>account closed</AddtlInf></RtrInf></TxDtls>"""
    file = read_statements(
        whole(entry(details=detail, extra="<RvslInd>true</RvslInd>"), closing="100.00")
    )
    (one,) = file.statements[0].entries
    assert one.return_reason == "AC04"
    assert one.is_reversal
    assert one.details[0].return_information == ("account closed",)
    assert one.amount_minor == 10_000


def test_a_batch_shows_its_payments_and_a_difference_is_named() -> None:
    details = "".join(
        f"""<TxDtls><Refs><EndToEndId>PAY-{n}</EndToEndId></Refs><Amt Ccy="EUR">{n}0.00</Amt>
        <CdtDbtInd>DBIT</CdtDbtInd><RmtInf><Strd><RfrdDocInf><Nb>INV-{n}</Nb></RfrdDocInf>
        <CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd></RmtInf></TxDtls>"""
        for n in (1, 2)
    )
    head = "<Btch><PmtInfId>BLOCK-1</PmtInfId><NbOfTxs>2</NbOfTxs></Btch>"
    right = read_statements(camt(statement(entry("30.00", sign="DBIT", details=head + details))))
    wrong = read_statements(camt(statement(entry("31.00", sign="DBIT", details=head + details))))
    (one,) = right.statements[0].entries
    assert (one.batch_payment_information_id, one.batch_count) == ("BLOCK-1", 2)
    assert [detail.amount_minor for detail in one.details] == [-1000, -2000]
    assert one.details[1].references == ("RF18539007547034", "INV-2")
    assert one.details[1].document_numbers == ("INV-2",)
    assert "DETAIL_SUM" not in codes(right)
    assert "DETAIL_SUM" in codes(wrong)
    assert wrong.is_sound


def test_what_the_payer_ordered_in_another_currency_stands_beside_what_was_booked() -> None:
    detail = """<TxDtls><AmtDtls><InstdAmt><Amt Ccy="JPY">16000</Amt></InstdAmt>
      <TxAmt><Amt Ccy="EUR">100.00</Amt></TxAmt></AmtDtls></TxDtls>"""
    file = read_statements(whole(entry(details=detail), closing="100.00"))
    one = file.statements[0].entries[0].details[0]
    assert (one.amount_minor, one.currency) == (10_000, "EUR")
    assert (one.instructed_minor, one.instructed_currency) == (16_000, "JPY")


def test_an_entry_in_another_currency_than_the_account_is_an_error() -> None:
    file = read_statements(whole(entry("100.00", currency="USD"), closing="0.00"))
    assert "ENTRY_CURRENCY" in codes(file)
    assert not file.is_sound


def test_an_account_without_iban_keeps_its_own_number() -> None:
    plain = camt(statement(entry()))
    other = plain.replace(
        f"<Acct><Id><IBAN>{OUR_IBAN}</IBAN></Id>".encode(),
        b"<Acct><Id><Othr><Id>6222 0212 3456</Id></Othr></Id>",
    )
    hidden = plain.replace(
        f"<Acct><Id><IBAN>{OUR_IBAN}</IBAN></Id>".encode(),
        f"<Acct><Id><Othr><Id>{OUR_IBAN}</Id></Othr></Id>".encode(),
    )
    one = read_statements(other).statements[0].account
    assert (one.identifier, one.is_iban) == ("6222 0212 3456", False)
    assert (
        read_statements(hidden).statements[0].account
        == read_statements(plain).statements[0].account
    )


def test_an_element_that_may_stand_once_is_refused_twice() -> None:
    file = read_statements(camt(statement(entry(extra='<Amt Ccy="EUR">1.00</Amt>'))))
    assert "ELEMENT_REPEATED" in codes(file)
    assert file.statements[0].entries == ()


def test_an_element_of_a_foreign_namespace_is_not_seen() -> None:
    smuggled = '<x:Amt xmlns:x="urn:evil" Ccy="EUR">999999.00</x:Amt>'
    file = read_statements(whole(entry("100.00", extra=smuggled), closing="100.00"))
    assert file.findings == ()
    assert file.statements[0].entries[0].amount_minor == 10_000


def test_a_missing_statement_account_or_date_is_named() -> None:
    empty = read_statements(camt())
    assert codes(empty) == ["STATEMENT_MISSING"]
    nameless = camt(statement(entry())).replace(b"<Acct>", b"<Acc>").replace(b"</Acct>", b"</Acc>")
    assert "ACCOUNT" in codes(read_statements(nameless))
    wrong_day = read_statements(camt(statement(entry(booked="2026-02-30"))))
    assert codes(wrong_day).count("DATE") == 2
    assert not wrong_day.is_sound


def test_findings_end_at_a_limit_and_say_how_many_are_not_shown() -> None:
    file = read_statements(camt(statement(*[entry("x") for _ in range(1_100)])))
    assert len(file.findings) == 1_001
    assert file.findings[-1].code == "MORE_FINDINGS"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "XML_MALFORMED"),
        (b"<Invoice/>", "BANK_FORMAT"),
        (b"<a><BkToCstmrStmt/><BkToCstmrStmt/></a>", "BANK_FORMAT_AMBIGUOUS"),
        (b"<Document><CstmrPmtStsRpt/></Document>", "NO_STATEMENT"),
        (b"<!DOCTYPE a><Document><BkToCstmrStmt/></Document>", "XML_DOCTYPE"),
    ],
)
def test_what_is_no_statement_is_refused_with_a_code(data: bytes, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_statements(data)
    assert refused.value.code == code


def test_a_file_is_recognised_by_what_is_in_it() -> None:
    assert bank_format(camt(statement())) is BankFormat.CAMT_053
    assert bank_format(b"<x><CstmrPmtStsRpt/></x>") is BankFormat.PAIN_002
    assert bank_format(b"\r\n:20:STARTUMS") is BankFormat.MT940
    assert bank_format(b"a;b;c") is BankFormat.UNKNOWN


def test_an_envelope_around_the_message_is_looked_through() -> None:
    text = whole(entry(), closing="100.00").split(b"?>", 1)[1]
    file = read_statements(b"<Envelope><Header/>" + text + b"</Envelope>")
    assert file.is_sound
    assert file.statements[0].entries[0].amount_minor == 10_000


def test_a_message_without_its_namespace_is_read_with_a_warning() -> None:
    text = whole(entry(), closing="100.00")
    bare = text.replace(b' xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"', b"")
    file = read_statements(bare)
    assert codes(file) == ["NAMESPACE"]
    assert file.is_sound


def test_half_stated_balances_are_a_warning() -> None:
    file = read_statements(camt(statement(balance("OPBD", "1.00"), entry())))
    assert codes(file) == ["BALANCE_MISSING"]
    assert file.is_sound
