"""Papers of senders at work: many items of one credit, deductions told, a platform's net swept."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scf.financing.models import Advance, OverAdvance
from scf.kernel.errors import Conflict, InvalidInput, ScfError
from scf.settlement.advised import handing
from scf.settlement.advised.models import PaymentAdvice
from scf.settlement.models import Allocation, BankEntry, ReceiptProposal
from tests.settlement.books import must_agree
from tests.settlement.setting import OBLIGOR, SELLER
from tests.settlement.test_reserve_life import TERMS as RESERVED
from tests.settlement.world import CHECKER, MAKER, World, eur

ADVICE = "payer,number,reference,paid_on,currency,item,gross,deduction,reason,paper,net\n"
SETTLED = "platform,merchant,number,reference,paid_on,currency,kind,order,amount\n"


def advice(*rows: str, number: str = "RA-1", reference: str = "PAY-4711") -> bytes:
    head = f"{OBLIGOR},{number},{reference},2026-03-10,EUR"
    return (ADVICE + "".join(f"{head},{row}\n" for row in rows)).encode()


def settlement(*rows: str, number: str = "S-1", reference: str = "PO-99123") -> bytes:
    head = f"{OBLIGOR},{SELLER},{number},{reference},2026-03-10,EUR"
    return (SETTLED + "".join(f"{head},{row}\n" for row in rows)).encode()


def hand_in(world: World, data: bytes, name: str = "a.csv") -> dict[str, Any]:
    return handing.hand_in(world.platform, MAKER, data, name)


def financed(world: World, *amounts: str, start: int = 1) -> list[str]:
    """Give invoices INV-1 … with an advance that was paid out on each."""
    ids = []
    for place, amount in enumerate(amounts, start):
        invoice = world.invoice(f"INV-{place}", amount)
        world.advance(invoice, amount)
        ids.append(invoice)
    world.pay_out()
    return ids


def test_one_credit_pays_the_items_that_its_advice_names_whichever_comes_first(
    world: World,
) -> None:
    first, second, third = financed(world, "100.00", "250.00", "70.00")
    items = ("INV-1,100.00,,,,100.00", "INV-2,250.00,,,,250.00")
    kept = hand_in(world, advice(*items))
    assert (kept["state"], kept["again"]) == ("WAITING", False)
    assert hand_in(world, advice(*items), "renamed.csv")["again"] is True
    encoded = advice(*items).decode().encode("utf-16")
    assert hand_in(world, encoded, "utf16.csv")["again"] is True, "the same paper re-encoded"
    with pytest.raises(Conflict, match="something else"):
        hand_in(world, advice("INV-1,350.00,,,,350.00"))
    assert world.count(PaymentAdvice) == 1
    world.receive("350.00", "Payment PAY-4711")
    (row,) = world.all(PaymentAdvice)
    assert row.state == "MATCHED"
    (entry,) = world.entries()
    assert (entry.state, entry.unallocated_minor) == ("POSTED", 0)
    paid = {row.invoice_id: row.amount_minor for row in world.all(Allocation)
            if row.kind == "principal"}  # fmt: skip
    assert paid == {first: eur("100"), second: eur("250")}
    assert world.receive("350.00", "Payment PAY-4711 again")["new_entries"] == 1
    assert len(world.all(PaymentAdvice)) == 1
    # The credit first, with words that name nothing: it waits, and its advice places it.
    world.receive("70.00", "see our advice of today 555", account="XX99UNKNOWN", name="Unknown")
    late = advice("INV-3,70.00,,,,70.00", number="RA-2", reference="advice of today 555")
    told = hand_in(world, late)
    assert told["proposed"] is True, "the sender is unknown: a person decides"
    (proposal,) = [row for row in world.all(ReceiptProposal) if row.state == "OPEN"]
    assert set(proposal.reasons) == {"PAPER", "PAYER_UNKNOWN"}
    said = {"entry_id": proposal.bank_entry_id, "proposal_id": proposal.id, "note": "their advice"}
    world.run("receipt.propose")
    assert world.get(ReceiptProposal, proposal.id).state == "OPEN", "it is not made anew"
    assert world.run("receipt.accept", **said)["proposal_state"] == "AGREED"
    world.run("receipt.accept", CHECKER, **said)
    assert world.get(BankEntry, proposal.bank_entry_id).state == "POSTED"
    must_agree(world)
    assert third


def test_a_deduction_is_proposed_with_its_reason_and_stays_owed(world: World) -> None:
    first, second = financed(world, "100.00", "250.00")
    paper = advice("INV-1,100.00,,,,100.00", "INV-2,250.00,20.00,goods returned,CN-7,230.00")
    hand_in(world, paper)
    world.receive("330.00", "PAY-4711")
    (entry,) = world.entries()
    assert (entry.reason, entry.unallocated_minor) == ("TO_REVIEW", eur("330"))
    (proposal,) = world.all(ReceiptProposal)
    assert set(proposal.reasons) == {"PAPER", "ADVICE_DEDUCTED"}
    assert {one["invoice_id"]: one["amount_minor"] for one in proposal.pays} == {
        first: eur("100"),
        second: eur("230"),
    }
    world.run("receipt.accept", entry_id=entry.id, proposal_id=proposal.id, note="CN-7 is disputed")
    left = {row.invoice_id: row.face_minor - row.repaid_minor for row in world.all(Advance)}
    assert left == {first: 0, second: eur("20")}, "no tolerance books what was taken off"
    must_agree(world)


def test_an_advice_without_a_credit_of_its_own_waits_and_can_be_withdrawn(
    world: World,
) -> None:
    financed(world, "100.00", "100.00")
    paper = advice("INV-1,100.00,,,,100.00", reference="")
    world.receive("100.00", "-", name="Unknown", account="XX11UNKNOWN")
    told = hand_in(world, paper)
    assert told["state"] == "WAITING", "neither reference nor sender: the credit is not its own"
    gone = world.run("advice.withdraw", advice_id=told["advice_id"], note="by mistake")
    assert gone["state"] == "WITHDRAWN"
    with pytest.raises(Conflict):
        world.run("advice.withdraw", advice_id=told["advice_id"], note="again")
    again = hand_in(world, paper, "again.csv")
    assert again["state"] == "WAITING"
    with pytest.raises(Conflict, match="moved on"):
        world.run("advice.pair", advice_id=told["advice_id"], entry_id=world.entries()[0].id)


def test_a_settlement_is_paired_once_however_many_try(world: World) -> None:
    financed(world, "100.00", "250.00")
    world.receive("90.00", "marketplace", name="Unknown", account="XX11UNKNOWN")
    told = hand_in(world, settlement("order,O-1,100.00", "fee,,-10.00", "net,,90.00"))
    entry = world.entries()[0]
    assert told["state"] == "WAITING"
    world.receive("90.00", "PO 99123")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _n: handing.pair_waiting(world.platform, MAKER), range(4)))
    (row,) = world.all(PaymentAdvice)
    assert row.state == "MATCHED"
    assert row.bank_entry_id != entry.id
    swept = [one for one in world.all(Allocation) if one.kind == "principal"]
    assert sum(one.amount_minor for one in swept) == eur("90"), "gross less fees, to the cent"
    assert {one.bank_entry_id for one in swept} == {row.bank_entry_id}
    assert world.get(BankEntry, entry.id).unallocated_minor == eur("90"), "without its statement"
    must_agree(world)


def test_a_refund_lowers_the_order_and_opens_its_over_advance(make_world: Any) -> None:  # noqa: ANN401
    world = make_world(**RESERVED)
    invoice = world.invoice("O-1", "1,000.00")
    other = world.invoice("O-2", "500.00")
    for one, face in ((invoice, "1,000.00"), (other, "500.00")):
        world.advance(one, face)
    world.pay_out()
    hand_in(
        world,
        settlement("order,O-1,1000.00", "refund,O-1,-300.00", "fee,,-50.00", "net,,650.00"),
    )
    world.receive("650.00", "settlement PO-99123")
    (gap,) = world.all(OverAdvance)
    assert (gap.invoice_id, gap.amount_minor, gap.cause) == (invoice, eur("300"), "platform_refund")
    assert gap.reserve_minor == eur("150"), "the reserve of 15 % is used first"
    (entry,) = world.entries()
    swept = sum(
        row.amount_minor for row in world.all(Allocation)
        if row.bank_entry_id == entry.id and row.kind not in {"reserve", "rebate"}
    )  # fmt: skip
    assert swept + entry.unallocated_minor == eur("650")
    assert entry.unallocated_minor == 0
    must_agree(world)


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        (("order,O-1,100.00", "fee,,-10.00", "net,,95.00"), "Row 4, column amount"),
        (("order,O-1,-100.00", "net,,-100.00"), "Row 2, column amount"),
        (("order,O-1,100.00", "refund,O-1,5.00", "net,,105.00"), "Row 3, column amount"),
        (("order,O-1,1e2", "net,,100.00"), "Row 2, column amount"),
        (("gift,O-1,100.00", "net,,100.00"), "Row 2, column kind"),
        (("order,O-1,100.00",), "Row 2, column kind"),
        (("order,,100.00", "net,,100.00"), "Row 2, column order"),
    ],
)
def test_a_settlement_that_does_not_add_up_is_refused_with_its_place(
    rows: tuple[str, ...], place: str
) -> None:
    with pytest.raises(InvalidInput, match=re.escape(place)):
        handing.read_paper(settlement(*rows))


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ("INV-1,100.00,20.00,,,80.00", "Row 2, column reason"),
        ("INV-1,100.00,20.00,why,,81.00", "Row 2, column net"),
        ("INV-1,0.00,,,,0.00", "Row 2, column gross"),
        (",100.00,,,,100.00", "Row 2, column item"),
        ("INV-1,100.001,,,,100.00", "Row 2, column gross"),
    ],
)
def test_an_advice_that_does_not_add_up_is_refused_with_its_place(row: str, place: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(place)):
        handing.read_paper(advice(row))


UBL = """<RemittanceAdvice xmlns="urn:oasis:names:specification:ubl:schema:xsd:RemittanceAdvice-2"
 xmlns:a="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:b="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<b:ID>RA-9</b:ID><b:IssueDate>2026-03-10</b:IssueDate><b:DocumentCurrencyCode>EUR</b:DocumentCurrencyCode>
<b:TotalDebitAmount currencyID="EUR">150.00</b:TotalDebitAmount>
<b:TotalCreditAmount currencyID="EUR">20.00</b:TotalCreditAmount>
<b:TotalPaymentAmount currencyID="EUR">130.00</b:TotalPaymentAmount>
<b:PaymentOrderReference>PAY-9</b:PaymentOrderReference>
<a:AccountingCustomerParty><a:Party><a:PartyTaxScheme><b:CompanyID>DE136695976</b:CompanyID>
</a:PartyTaxScheme></a:Party></a:AccountingCustomerParty>
<a:RemittanceAdviceLine><b:ID>1</b:ID><b:DebitLineAmount currencyID="EUR">100.00</b:DebitLineAmount>
<a:BillingReference><a:InvoiceDocumentReference><b:ID>INV-1</b:ID></a:InvoiceDocumentReference>
</a:BillingReference></a:RemittanceAdviceLine>
<a:RemittanceAdviceLine><b:ID>2</b:ID><b:DebitLineAmount currencyID="EUR">50.00</b:DebitLineAmount>
<a:BillingReference><a:InvoiceDocumentReference><b:ID>INV-2</b:ID></a:InvoiceDocumentReference>
</a:BillingReference></a:RemittanceAdviceLine>
<a:RemittanceAdviceLine><b:ID>3</b:ID><b:Note>Returned</b:Note>
<b:CreditLineAmount currencyID="EUR">20.00</b:CreditLineAmount><a:BillingReference>
<a:CreditNoteDocumentReference><b:ID>CN-1</b:ID></a:CreditNoteDocumentReference></a:BillingReference>
</a:RemittanceAdviceLine></RemittanceAdvice>"""


def test_a_ubl_advice_reads_to_its_items_and_its_sums_are_checked() -> None:
    paper = handing.read_paper(UBL.encode())
    assert (paper.sender, paper.number, paper.reference) == ("vat:DE136695976", "RA-9", "PAY-9")
    assert [(one.kind, one.number, one.amount_minor, one.paper) for one in paper.lines] == [
        ("item", "INV-1", 10_000, ""), ("item", "INV-2", 5_000, ""),
        ("deduction", "", -2_000, "CN-1"),
    ]  # fmt: skip
    assert paper.net_minor == 13_000
    for wrong, place in (
        (UBL.replace(">130.00<", ">131.00<"), "/RemittanceAdvice/TotalPaymentAmount"),
        (UBL.replace(">50.00<", ">5O.00<"), "RemittanceAdviceLine\\[2\\]/DebitLineAmount"),
        (UBL.replace("RemittanceAdvice", "Receipt"), "no remittance advice"),
    ):
        with pytest.raises(InvalidInput, match=place):
            handing.read_paper(wrong.encode())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_damaged_paper_is_refused_or_adds_up_and_nothing_else(data: st.DataObject) -> None:
    whole = data.draw(
        st.sampled_from([
            UBL.encode(), advice("INV-1,100.00,20.00,why,CN,80.00"),
            settlement("order,O-1,100.00", "fee,,-10.00", "net,,90.00"),
        ])
    )  # fmt: skip
    place = data.draw(st.integers(0, len(whole)))
    put = data.draw(st.binary(max_size=6))
    cut = data.draw(st.integers(0, 6))
    try:
        paper = handing.read_paper(whole[:place] + put + whole[place + cut :])
    except ScfError:
        return
    assert sum(one.amount_minor for one in paper.lines) == paper.net_minor > 0
