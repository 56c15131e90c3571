"""Statements in every form at work: settled, matched, joined, and never counted twice."""

import json

import pytest

from scf.kernel.errors import InvalidInput, RuleViolation
from scf.settlement import statements
from scf.settlement.models import BankEntry, BankStatement
from scf.settlement.readers import StatementMapping
from tests.settlement.books import must_agree
from tests.settlement.formats.samples import camt
from tests.settlement.setting import FINANCIER, IBANS
from tests.settlement.world import MAKER, World, eur

OURS = IBANS[FINANCIER]


def mt940(world: World, *lines: str, opening: int, closing: int, number: int = 1) -> bytes:
    """A page of the financier's account today; balances in whole euro."""

    def balance(euro: int) -> str:
        return f"{'C' if euro >= 0 else 'D'}{world.today:%y%m%d}EUR{abs(euro)},"

    inside = "".join(lines)
    return (
        f":20:S{number}\r\n:25:{OURS}\r\n:28C:{number}/1\r\n:60F:{balance(opening)}\r\n{inside}"
        f":62F:{balance(closing)}\r\n-\r\n"
    ).encode()


def line(world: World, mark: str, amount: str, text: str, bank: str = "") -> str:
    reference = f"//{bank}" if bank else ""
    return f":61:{world.today:%y%m%d}{mark}{amount}NTRFNONREF{reference}\r\n:86:{text}\r\n"


def entry(
    world: World,
    amount: str,
    *,
    reference: str,
    sign: str = "CRDT",
    batch: str = "",
    count: int = 1,
    payments: str = "",
) -> str:
    """An Ntry of today, with a batch and its payments where there are any."""
    on = world.today.isoformat()
    whole = f"<Btch><PmtInfId>{batch}</PmtInfId><NbOfTxs>{count}</NbOfTxs></Btch>" if batch else ""
    details = f"<NtryDtls>{whole}{payments}</NtryDtls>" if whole or payments else ""
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        f"<BookgDt><Dt>{on}</Dt></BookgDt><ValDt><Dt>{on}</Dt></ValDt>"
        f"<AcctSvcrRef>{reference}</AcctSvcrRef>{details}</Ntry>"
    )


def payment(amount: str, text: str, *, batch: str = "", end_to_end: str = "NOTPROVIDED") -> str:
    inside = f"<PmtInfId>{batch}</PmtInfId>" if batch else ""
    return (
        f"<TxDtls><Refs>{inside}<EndToEndId>{end_to_end}</EndToEndId></Refs>"
        f'<Amt Ccy="EUR">{amount}</Amt>'
        f"<RltdPties><Dbtr><Pty><Nm>Obligor AG</Nm></Pty></Dbtr></RltdPties>"
        f"<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls>"
    )


def booked(*entries: str, name: str = "S1") -> bytes:
    inside = "".join(entries)
    return camt(
        f"<Stmt><Id>{name}</Id><CreDtTm>2026-03-10T18:00:00Z</CreDtTm>"
        f"<Acct><Id><IBAN>{OURS}</IBAN></Id><Ccy>EUR</Ccy></Acct>{inside}</Stmt>"
    )


def notified(*entries: str, name: str = "N1") -> bytes:
    data = booked(*entries, name=name).replace(b"Stmt>", b"Ntfctn>")
    return data.replace(b"BkToCstmrNtfctn", b"BkToCstmrDbtCdtNtfctn").replace(
        b"camt.053.001.08", b"camt.054.001.08"
    )


def read(world: World, data: bytes, name: str = "file") -> dict[str, object]:
    (said,) = world.read([(name, data)])
    assert said["read"], said["findings"]
    return said


def codes(said: dict[str, object]) -> list[str]:
    findings = said["findings"]
    assert isinstance(findings, list)
    return [one["code"] for one in findings]


def test_an_mt940_settles_what_we_paid_and_brings_what_we_are_owed(world: World) -> None:
    advance_id = world.advance(world.invoice("INV-1", "300.00"), "300.00")
    world.ordered()
    (instruction,) = world.instructions()
    paid = eur("0.00") + instruction.amount_minor
    text = f"116?00UEBERWEISUNG?20EREF+{instruction.end_to_end_id}?21SVWZ+Early payment"
    amount = f"{paid // 100},{paid % 100:02d}"
    whole = mt940(
        world,
        line(world, "D", amount, text, "B-1"),
        line(world, "C", amount, "051?20INV-9?32Somebody", "B-2"),
        opening=1000,
        closing=1000,
    )
    said = read(world, whole)
    assert (said["new_entries"], said["settled"], said["waiting"]) == (2, 1, 1)
    assert [row.state for row in world.instructions()] == ["SETTLED"]
    assert world.instructions()[0].advance_id == advance_id
    again = read(world, whole, "renamed")
    assert (again["new_entries"], again["settled"]) == (0, 0)
    assert world.count(BankEntry) == 2
    must_agree(world)


def test_the_same_days_in_another_form_are_refused_with_the_file_that_came(world: World) -> None:
    credit = line(world, "C", "5,", "051?20Something", "B-1")
    read(world, mt940(world, credit, opening=0, closing=5), "monday.sta")
    before = world.cash()
    with pytest.raises(RuleViolation, match=r"monday\.sta") as refused:
        read(world, booked(entry(world, "5.00", reference="OTHER")))
    assert refused.value.code == "FORM_MIXED"
    assert world.cash() == before
    assert world.count(BankStatement) == 1


def test_a_statement_that_is_missing_is_told_until_it_comes(world: World) -> None:
    pages = [
        mt940(
            world,
            line(world, "C", "5,", "051?20Something", f"B-{number}"),
            opening=5 * number,
            closing=5 * number + 5,
            number=number,
        )
        for number in range(3)
    ]
    assert "STATEMENT_GAP" not in codes(read(world, pages[0]))
    said = read(world, pages[2])
    assert "STATEMENT_GAP" in codes(said)
    assert "5.00 EUR" in json.dumps(said["findings"])
    assert "STATEMENT_GAP" not in codes(read(world, pages[1]))
    assert "STATEMENT_GAP" not in codes(read(world, pages[2], "again"))


def test_a_notification_tells_what_a_booked_sum_has_paid(world: World) -> None:
    world.financed("300.00")
    said = read(world, booked(entry(world, "300.00", reference="SUM-1")))
    assert said["waiting"] == 1
    cash = world.cash()
    both = payment("100.00", "INV-1") + payment("200.00", "INV-1")
    said = read(world, notified(entry(world, "300.00", reference="SUM-1", payments=both)))
    assert (said["new_entries"], said["waiting"]) == (0, 0)
    assert world.cash() == cash
    assert [row.state for row in world.entries()] == ["POSTED"]
    must_agree(world)


def test_payments_notified_one_by_one_are_the_sum_that_was_booked(world: World) -> None:
    world.financed("300.00")
    read(world, booked(entry(world, "300.00", reference="SUM-1", batch="LOT-1", count=2)))
    cash = world.cash()
    said = read(
        world,
        notified(
            entry(
                world, "100.00", reference="A", payments=payment("100.00", "INV-1", batch="LOT-1")
            ),
            entry(
                world, "200.00", reference="B", payments=payment("200.00", "INV-1", batch="LOT-1")
            ),
        ),
    )
    assert codes(said) == ["PART_OF_BATCH"] * 2
    assert (said["new_entries"], said["waiting"]) == (0, 0)
    assert world.cash() == cash
    assert [row.state for row in world.entries()] == ["POSTED"]
    must_agree(world)


def test_a_sum_that_is_booked_after_its_payments_were_notified_adds_nothing(world: World) -> None:
    world.financed("300.00")
    read(
        world,
        notified(
            entry(
                world, "100.00", reference="A", payments=payment("100.00", "INV-1", batch="LOT-1")
            ),
            entry(
                world, "200.00", reference="B", payments=payment("200.00", "INV-1", batch="LOT-1")
            ),
        ),
    )
    cash, count = world.cash(), world.count(BankEntry)
    summed = entry(world, "300.00", reference="SUM-1", batch="LOT-1", count=2)
    other = entry(world, "7.00", reference="C")
    for name in ("once", "twice"):
        said = read(world, booked(summed, other), name)
        assert codes(said).count("PART_OF_BATCH") == 1
    assert (world.cash(), world.count(BankEntry)) == (cash + eur("7.00"), count + 1)
    must_agree(world)


def test_a_debit_that_nobody_knew_settles_when_a_notification_names_it(world: World) -> None:
    world.advance(world.invoice("INV-1", "300.00"), "300.00")
    world.ordered()
    (instruction,) = world.instructions()
    amount = f"{instruction.amount_minor / 100:.2f}"
    said = read(world, booked(entry(world, amount, reference="SUM-1", sign="DBIT")))
    assert "UNKNOWN_DEBIT" in codes(said)
    told = payment(amount, "Early payment", end_to_end=instruction.end_to_end_id)
    again = entry(world, amount, reference="SUM-1", sign="DBIT", payments=told)
    assert read(world, notified(again))["settled"] == 1
    assert [row.state for row in world.instructions()] == ["SETTLED"]
    assert read(world, notified(again), "again")["settled"] == 0
    must_agree(world)


def test_a_table_of_the_bank_counts_once(world: World) -> None:
    world.financed("300.00")
    world.close_to(world.today)  # that day came as camt.053
    columns = {"booked_on": "Day", "amount": "Amount", "name": "Name", "text": "Text"}
    how = {"account": OURS, "currency": "EUR", "columns": columns}
    mapping = StatementMapping.from_json(json.dumps(how))
    row = f"{world.today},300.00,Obligor AG,INV-1\n"
    data = f"Day,Amount,Name,Text\n{row}".encode()
    said = statements.read_file(world.platform, MAKER, data, "bank.csv", mapping=mapping)
    assert (said["new_entries"], said["waiting"]) == (1, 0)
    more = data + f"{world.today},1.00,Obligor AG,other\n".encode()
    said = statements.read_file(world.platform, MAKER, more, "bank.csv", mapping=mapping)
    assert said["new_entries"] == 1
    with pytest.raises(InvalidInput) as refused:
        statements.read_file(world.platform, MAKER, data, "bank.csv")
    assert refused.value.code == "MAPPING_MISSING"
    must_agree(world)
