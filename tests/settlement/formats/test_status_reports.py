"""Payment status reports: the most precise answer counts, an unknown one never does."""

from __future__ import annotations

import pytest

from scf.kernel.errors import InvalidInput
from scf.settlement.readers import BankAnswer, StatusReason, read_status_report
from tests.settlement.formats.samples import block, pain002, transaction


@pytest.mark.parametrize("kind", ["pain.002.001.03", "pain.002.001.10", "pain.002.001.15"])
def test_every_version_answers_payment_by_payment(kind: str) -> None:
    report = read_status_report(
        pain002(
            "<GrpSts>PART</GrpSts>",
            block(transaction("P-1", "ACSC"), transaction("P-2", "RJCT", "AC04")),
            kind=kind,
        )
    )
    assert report.findings == ()
    assert (report.version, report.message_id) == (kind, "STATUS-1")
    assert report.original_message_id == "BATCH-1"
    assert report.original_message_name == "pain.001.001.09"
    first, second = report.transactions
    assert (first.end_to_end_id, first.status.answer) == ("P-1", BankAnswer.SETTLED)
    assert second.status.reasons == (StatusReason("AC04"),)
    assert second.status.answer is BankAnswer.REJECTED
    assert report.status_of("P-3") is None


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("ACTC", BankAnswer.ACKNOWLEDGED),
        ("ACCP", BankAnswer.ACKNOWLEDGED),
        ("ACSP", BankAnswer.ACKNOWLEDGED),
        ("PDNG", BankAnswer.ACKNOWLEDGED),
        ("ACSC", BankAnswer.SETTLED),
        ("RJCT", BankAnswer.REJECTED),
    ],
)
def test_an_answer_for_the_whole_file_covers_each_payment(code: str, answer: BankAnswer) -> None:
    report = read_status_report(pain002(f"<GrpSts>{code}</GrpSts>"))
    status = report.status_of("ANY", "BATCH-1")
    assert status is not None
    assert (status.code, status.answer) == (code, answer)


def test_the_most_precise_answer_counts() -> None:
    report = read_status_report(
        pain002(
            "<GrpSts>ACTC</GrpSts>",
            block(transaction("P-1", "RJCT", "AM04"), status="<PmtInfSts>ACSP</PmtInfSts>"),
        )
    )
    codes = {
        name: found.code if (found := report.status_of(name, of)) else ""
        for name, of in (("P-1", "BATCH-1"), ("P-2", "BATCH-1"), ("P-3", "OTHER"))
    }
    assert codes == {"P-1": "RJCT", "P-2": "ACSP", "P-3": "ACTC"}


def test_partly_accepted_says_nothing_about_one_payment() -> None:
    report = read_status_report(
        pain002("<GrpSts>PART</GrpSts>", block(status="<PmtInfSts>PART</PmtInfSts>"))
    )
    assert report.status_of("P-1", "BATCH-1") is None


def test_a_refused_file_gives_its_reason_in_the_banks_own_words() -> None:
    why = (
        "<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Prtry>X99</Prtry></Rsn>"
        "<AddtlInf>file</AddtlInf><AddtlInf>too old</AddtlInf></StsRsnInf>"
    )
    report = read_status_report(pain002(why))
    status = report.status_of("P-1")
    assert status is not None
    assert status.reasons == (StatusReason("X99", "file too old"),)


def test_the_amount_the_bank_repeats_is_read() -> None:
    text = """<TxInfAndSts><OrgnlInstrId>I-1</OrgnlInstrId>
      <OrgnlEndToEndId>NOTPROVIDED</OrgnlEndToEndId>
      <TxSts>ACSC</TxSts><AcctSvcrRef>B-1</AcctSvcrRef><OrgnlTxRef><Amt>
      <InstdAmt Ccy="KWD">1.005</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>"""
    (one,) = read_status_report(pain002("", block(text))).transactions
    assert (one.amount_minor, one.currency) == (1005, "KWD")
    assert (one.end_to_end_id, one.instruction_id) == ("", "I-1")
    assert one.servicer_reference == "B-1"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (pain002("<GrpSts>OKAY</GrpSts>"), "STATUS"),
        (pain002(""), "STATUS_MISSING"),
        (pain002("", block(transaction("P-1", "yes"))), "STATUS"),
        (pain002("", block("<TxInfAndSts><TxSts>ACSC</TxSts></TxInfAndSts>")), "ORIGINAL_PAYMENT"),
        (
            pain002("", block("<TxInfAndSts><OrgnlEndToEndId>P</OrgnlEndToEndId></TxInfAndSts>")),
            "STATUS_MISSING",
        ),
        (
            pain002("", block(transaction("P-1", "ACSC"), transaction("P-1", "RJCT"))),
            "STATUS_CONTRADICTS",
        ),
        (pain002("<GrpSts>ACSC</GrpSts><GrpSts>RJCT</GrpSts>"), "ELEMENT_REPEATED"),
        (pain002("<GrpSts>ACSC</GrpSts>").replace(b"BATCH-1", b""), "ORIGINAL_MESSAGE"),
    ],
)
def test_a_report_that_says_nothing_clear_is_an_error(data: bytes, code: str) -> None:
    report = read_status_report(data)
    assert code in [one.code for one in report.findings]
    assert not report.is_sound


def test_another_message_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_status_report(b"<Document><BkToCstmrStmt/></Document>")
    assert refused.value.code == "NO_STATUS_REPORT"
