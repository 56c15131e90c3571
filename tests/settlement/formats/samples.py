"""Small bank files of our own, written by hand so that the reader is not judged by the writer."""

from __future__ import annotations

from datetime import UTC, date, datetime

from scf.kernel.money import Money
from scf.settlement.writers import (
    VERSION_09,
    PaymentAccount,
    PaymentBatch,
    PaymentInstruction,
    PaymentParty,
)

OUR_IBAN = "DE89370400440532013000"
PAYER_IBAN = "FR1420041010050500013M02606"
MOMENT = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
DAY = date(2026, 3, 10)


def entry(
    amount: str = "100.00",
    *,
    sign: str = "CRDT",
    currency: str = "EUR",
    status: str = "<Sts><Cd>BOOK</Cd></Sts>",
    booked: str = "2026-03-10",
    reference: str = "",
    number: str = "",
    text: str = "Invoice 4711",
    extra: str = "",
    details: str | None = None,
) -> str:
    """One Ntry; ``details`` replaces the single payment inside."""
    inside = (
        f"""<TxDtls><Refs><EndToEndId>E2E-1</EndToEndId></Refs>
        <RltdPties><Dbtr><Pty><Nm>Buyer SA</Nm></Pty></Dbtr>
        <DbtrAcct><Id><IBAN>{PAYER_IBAN}</IBAN></Id></DbtrAcct></RltdPties>
        <RltdAgts><DbtrAgt><FinInstnId><BICFI>PSSTFRPPXXX</BICFI></FinInstnId></DbtrAgt></RltdAgts>
        <RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls>"""
        if details is None
        else details
    )
    return f"""<Ntry>{f"<NtryRef>{number}</NtryRef>" if number else ""}
      <Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{extra}{status}
      <BookgDt><Dt>{booked}</Dt></BookgDt><ValDt><Dt>{booked}</Dt></ValDt>
      {f"<AcctSvcrRef>{reference}</AcctSvcrRef>" if reference else ""}
      <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
      <NtryDtls>{inside}</NtryDtls></Ntry>"""


def balance(code: str, amount: str, *, sign: str = "CRDT", currency: str = "EUR") -> str:
    return f"""<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>
      <Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>
      <Dt><Dt>2026-03-10</Dt></Dt></Bal>"""


def statement(*inside: str, name: str = "STMT-1", page: str = "", currency: str = "EUR") -> str:
    return f"""<Stmt><Id>{name}</Id>{page}<ElctrncSeqNb>7</ElctrncSeqNb>
      <CreDtTm>2026-03-10T18:00:00+01:00</CreDtTm>
      <FrToDt><FrDtTm>2026-03-10T00:00:00+01:00</FrDtTm><ToDtTm>2026-03-10T23:59:59+01:00</ToDtTm></FrToDt>
      <Acct><Id><IBAN>{OUR_IBAN}</IBAN></Id><Ccy>{currency}</Ccy></Acct>{"".join(inside)}</Stmt>"""


def camt(
    *statements: str,
    kind: str = "camt.053.001.08",
    body: str = "BkToCstmrStmt",
    encoding: str = "UTF-8",
) -> bytes:
    text = f"""<?xml version="1.0" encoding="{encoding}"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{kind}"><{body}>
  <GrpHdr><MsgId>MSG-1</MsgId><CreDtTm>2026-03-10T18:00:00+01:00</CreDtTm></GrpHdr>
  {"".join(statements)}
</{body}></Document>"""
    return text.encode(encoding)


def whole(*entries: str, opening: str = "0.00", closing: str, currency: str = "EUR") -> bytes:
    """A camt.053 with one statement, its balances stated."""
    return camt(
        statement(
            balance("OPBD", opening, currency=currency),
            balance("CLBD", closing, currency=currency),
            *entries,
            currency=currency,
        )
    )


def pain002(group: str = "", *blocks: str, kind: str = "pain.002.001.10") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{kind}"><CstmrPmtStsRpt>
  <GrpHdr><MsgId>STATUS-1</MsgId><CreDtTm>2026-03-10T12:00:00</CreDtTm></GrpHdr>
  <OrgnlGrpInfAndSts><OrgnlMsgId>BATCH-1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
  {group}</OrgnlGrpInfAndSts>{"".join(blocks)}</CstmrPmtStsRpt></Document>""".encode()


def block(*transactions: str, name: str = "BATCH-1", status: str = "") -> str:
    return f"""<OrgnlPmtInfAndSts><OrgnlPmtInfId>{name}</OrgnlPmtInfId>{status}
      {"".join(transactions)}</OrgnlPmtInfAndSts>"""


def transaction(name: str, status: str, reason: str = "") -> str:
    why = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{name}</OrgnlEndToEndId>"
        f"<TxSts>{status}</TxSts>{why}</TxInfAndSts>"
    )


def financier() -> PaymentParty:
    return PaymentParty(
        name="Handelsbank Köln AG",
        account=PaymentAccount(iban=OUR_IBAN, currency="EUR"),
        bic="COBADEFFXXX",
        country="DE",
        town="Köln",
    )


def supplier(name: str = "Société Générale d'Étuves", iban: str = PAYER_IBAN) -> PaymentParty:
    return PaymentParty(name=name, account=PaymentAccount(iban=iban), country="FR")


def payment(
    name: str = "0190a000000070008000000000000001-1",
    minor: int = 98_837_500,
    currency: str = "EUR",
    creditor: PaymentParty | None = None,
    **more: object,
) -> PaymentInstruction:
    return PaymentInstruction(
        end_to_end_id=name,
        creditor=creditor or supplier(),
        amount=Money(minor, currency),
        invoice_numbers=("RE-2026/4711",),
        **more,  # type: ignore[arg-type]
    )


def batch(*payments: PaymentInstruction, version: str = VERSION_09, **more: object) -> PaymentBatch:
    facts: dict[str, object] = {
        "message_id": "BATCH-1",
        "created_at": MOMENT,
        "requested_on": DAY,
        "debtor": financier(),
        "instructions": payments or (payment(),),
        "version": version,
    } | more
    return PaymentBatch(**facts)  # type: ignore[arg-type]
