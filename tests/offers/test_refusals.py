"""Every reason against finance: its code, gap, when it frees and the next step; all at once."""

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy import insert

from scf.db.engine import Database
from scf.documents.models import CreditNote, Invoice, InvoiceLine, Order, OrderLine
from scf.kernel.errors import RuleViolation
from scf.kernel.ids import new_id
from scf.parties.models import BankAccount, Firm
from scf.programmes.models import Fixing, LimitNode
from scf.programmes.terms import load_terms
from tests.support.deals import (
    ANCHOR,
    BANK,
    DAY,
    EUR,
    HEAD,
    OTHER_BANK,
    SELLER,
    Deals,
    eur,
    programme_file,
    refusals_of,
    table,
)

Bend = Callable[[Deals, str], object]


def _credit_note(deals: Deals, _invoice_id: str) -> None:
    note = CreditNote(
        id=new_id(), number="CN-1", seller_id=SELLER, buyer_id=ANCHOR, issue_on=DAY, currency=EUR,
        canonical_number="CN1", duplicate_key="cn", document_state="VALIDATED",
        credit_state="UNLINKED", amount_minor=eur("0.01"), named_invoices=[], parties={},
        org_id=SELLER, upload_id="u", original_id="o", created_at=deals.clock.now(),
    )  # fmt: skip
    with deals.db.writer.begin() as conn:
        conn.execute(insert(table(CreditNote)), note.model_dump())


def _order_of(deals: Deals, invoice_id: str, received: int, despatched: int) -> None:
    """Store the order of six pieces that an invoice takes whole."""
    million = 1_000_000
    order = Order(
        id=new_id(), number="PO-1", canonical_number="PO1", duplicate_key=new_id(),
        seller_id=SELLER, buyer_id=ANCHOR, issue_on=DAY, currency=EUR, total_minor=1,
        document_state="VALIDATED", parties={}, org_id=ANCHOR, upload_id="u", original_id="o",
        created_at=deals.clock.now(),
    )  # fmt: skip
    ordered = OrderLine(
        id=new_id(), order_id=order.id, line_ref="1", item="Goods", unit=None,
        stated_micro=6 * million, stated_minor=None, quantity_micro=6 * million, net_minor=None,
        invoiced_micro=6 * million, received_micro=received * million,
        despatched_micro=despatched * million,
    )  # fmt: skip
    line = InvoiceLine(
        id=new_id(), invoice_id=invoice_id, place=1, line_ref="1", item="Goods", unit=None,
        quantity_micro=6 * million, net_minor=1, order_line_ref="1", order_line_id=ordered.id,
    )  # fmt: skip
    with deals.db.writer.begin() as conn:
        for row in (order, ordered, line):
            conn.execute(insert(table(type(row))), row.model_dump())


def _overdue(deals: Deals, _invoice_id: str) -> None:
    late = deals.invoice("500.00", due_on=dt.date(2026, 3, 20))
    deals.request(late)
    with deals.db.writer.begin() as conn:
        from scf.documents import axes

        axes.finance(deals.context(conn), late, eur("500.00"))
    deals.set_date(dt.date(2026, 3, 24))  # the last day of grace was the 23rd
    deals.clock.advance(days=14)
    deals.fix("3.45", dt.date(2026, 3, 24))


def _over_advance(deals: Deals, _invoice_id: str) -> None:
    other = deals.invoice("500.00")
    deals.request(other)
    deals.change(Invoice, other, over_advance_minor=eur("10.00"))


def _in_another_programme(deals: Deals, invoice_id: str) -> None:
    other = deals.programme("elsewhere", OTHER_BANK)
    with deals.db.writer.begin() as conn:
        from scf.programmes import claims

        claims.claim(deals.context(conn), invoice_id, other, OTHER_BANK)


def _no_account(deals: Deals, _invoice_id: str) -> None:
    for account in deals.all(BankAccount):
        deals.change(BankAccount, account.id, state="CLOSED")


def _suspended(deals: Deals, _invoice_id: str) -> None:
    deals.run(
        "programme.suspend", HEAD, programme_id=deals.programme_id, reason="review of the anchor"
    )


def _no_fixing(deals: Deals, _invoice_id: str) -> None:
    for row in deals.all(Fixing):
        deals.change(Fixing, row.id, fixed_on=DAY - dt.timedelta(days=8))


def _column(**values: object) -> Bend:
    return lambda deals, invoice_id: deals.change(Invoice, invoice_id, **values)


def _limit(kind: str, subject: str = "") -> Bend:
    def bend(deals: Deals, _invoice_id: str) -> None:
        deals.limit(kind, subject or deals.programme_id, "900,000.00")

    return bend


def _later(days: int) -> Bend:
    def bend(deals: Deals, _invoice_id: str) -> None:
        on = DAY + dt.timedelta(days=days)
        deals.set_date(on)
        deals.clock.advance(days=days)
        deals.fix("3.45", on)

    return bend


CASES: dict[str, tuple[str, Bend]] = {
    "not accepted": ("NOT_ACCEPTED", _column(acceptance_state="NONE", ipu=False)),
    "wholly disputed": ("DISPUTED", _column(ipu=False, disputed_minor=eur("1,000,000.00"))),
    "due too soon": ("TENOR_SHORT", _column(due_on=DAY + dt.timedelta(days=3))),
    "due too late": ("TENOR_LONG", _column(due_on=DAY + dt.timedelta(days=400))),
    "too old": ("INVOICE_AGE", _column(issue_on=DAY - dt.timedelta(days=181))),
    "title gone (payee)": ("TITLE_PRIOR", _column(title_prior=True)),
    "title gone (type 393)": ("TITLE_PRIOR", _column(type_code="393")),
    "a prepayment request": ("DOCUMENT_MISSING", _column(type_code="386")),
    "incomplete": ("DOCUMENT_MISSING", _column(document_state="INCOMPLETE")),
    "paid already": ("CAPACITY", _column(paid_minor=eur("1,000,000.00"))),
    "in another programme": ("ALREADY_FINANCED", _in_another_programme),
    "over-advanced": ("OVER_ADVANCE_OPEN", _column(over_advance_minor=1)),
    "over-advanced elsewhere": ("OVER_ADVANCE_OPEN", _over_advance),
    "seller not active": ("KYB_EXPIRED", lambda d, _: d.change(Firm, SELLER, state="SUSPENDED")),
    "buyer not active": ("KYB_EXPIRED", lambda d, _: d.change(Firm, ANCHOR, state="SUSPENDED")),
    "no account": ("ACCOUNT_UNVERIFIED", _no_account),
    "suspended": ("PROGRAMME_SUSPENDED", _suspended),
    "no fixing": ("FIXING_MISSING", _no_fixing),
    "obligor overdue": ("OVERDUE_OBLIGOR", _overdue),
    "credit note": ("CREDIT_NOTE_OPEN", _credit_note),
    "financier limit": ("LIMIT_FINANCIER", _limit("financier", BANK)),
    "programme limit": ("LIMIT_PROGRAMME", _limit("programme")),
    "obligor limit": ("LIMIT_OBLIGOR", _limit("obligor", ANCHOR)),
    "country limit": ("LIMIT_COUNTRY", _limit("country", "DE")),
    "tenor limit": ("LIMIT_TENOR", _limit("tenor", "to-90")),
}


@pytest.mark.parametrize("case", CASES)
def test_finance_is_refused(db: Database, case: str) -> None:
    code, bend = CASES[case]
    deals = Deals(db)
    invoice_id = deals.invoice()
    bend(deals, invoice_id)
    with pytest.raises(RuleViolation) as refused:
        deals.quote(invoice_id)
    found = refusals_of(refused.value)
    assert refused.value.code == found[0]["code"]
    hit = next(one for one in found if one["code"] == code)
    assert hit["message"]
    assert hit["next_step"]
    assert hit["measured"]
    assert hit["threshold"]
    assert [one["code"] for one in found] == [code], "one cause, one refusal"


@pytest.mark.parametrize(
    ("amount", "terms", "code", "next_step"),
    [
        ("99.99", {}, "AMOUNT_MIN", "Ask for more"),
        ("500.00", {"partial_allowed": "false"}, "AMOUNT_MIN", "Ask for the whole 1000000.00"),
        ("1000000.01", {}, "CAPACITY", "Ask for at most 1000000.00"),
        ("900000.01", {"advance_ppm": "900_000"}, "CAPACITY", "Ask for at most 900000.00"),
    ],
)
def test_an_amount_is_refused(
    db: Database, amount: str, terms: dict[str, str], code: str, next_step: str
) -> None:
    deals = Deals(db, **terms)
    with pytest.raises(RuleViolation) as refused:
        deals.quote(deals.invoice(), amount=amount)
    assert refused.value.code == code
    assert next_step in refusals_of(refused.value)[0]["next_step"]


def test_parts_come_in_steps_but_the_whole_is_always_allowed(db: Database) -> None:
    deals = Deals(db)
    from scf.programmes.models import ProgrammeVersion

    version = deals.all(ProgrammeVersion)[0]
    terms = dict(version.terms)
    terms["currency"]["EUR"]["amount_step_minor"] = eur("1,000.00")
    deals.change(ProgrammeVersion, version.id, terms=terms)
    invoice_id = deals.invoice("10,500.00")
    with pytest.raises(RuleViolation) as refused:
        deals.quote(invoice_id, amount="2,500.00")
    assert refused.value.code == "AMOUNT_STEP"
    assert refusals_of(refused.value)[0]["next_step"] == "Ask for 2000.00 or 3000.00."
    assert deals.quote(invoice_id, amount="2,000.00")["face_minor"] == eur("2,000.00")
    assert deals.quote(invoice_id)["face_minor"] == eur("10,500.00")


def test_a_required_match_is_asked_for(db: Database) -> None:
    deals = Deals(db, match_mode='"order"')
    invoice_id = deals.invoice()
    with pytest.raises(RuleViolation, match="MATCH_EXCEPTION"):
        deals.quote(invoice_id)
    deals.change(Invoice, invoice_id, match_state="MATCHED")
    assert deals.quote(invoice_id)["state"] == "OPEN"


@pytest.mark.parametrize(
    ("mode", "received", "despatched", "refused"),
    [
        ("receipt", 6, 0, None),
        ("receipt", 5, 6, "line 1: 5"),
        ("despatch", 6, 5, "line 1: 5"),
        ("despatch", 6, 6, None),
        ("order", 0, 0, None),
    ],
)
def test_goods_are_proven_as_the_terms_ask(
    db: Database, mode: str, received: int, despatched: int, refused: str | None
) -> None:
    deals = Deals(db, match_mode=f'"{mode}"')
    invoice_id = deals.invoice()
    deals.change(Invoice, invoice_id, match_state="MATCHED")
    _order_of(deals, invoice_id, received, despatched)
    if refused is None:
        assert deals.quote(invoice_id)["state"] == "OPEN"
        return
    with pytest.raises(RuleViolation) as error:
        deals.quote(invoice_id)
    (found,) = refusals_of(error.value)
    assert (found["code"], found["measured"], found["threshold"]) == ("PROOF_MISSING", refused, "6")


def test_a_currency_outside_the_programme_names_those_inside(db: Database) -> None:
    deals = Deals(db)
    krona = deals.invoice(currency="THB")
    with pytest.raises(RuleViolation, match="NO_PROGRAMME"):
        deals.quote(krona)
    with pytest.raises(RuleViolation) as refused:
        deals.quote(krona, programme_id=deals.programme_id)
    codes = {one["code"]: one for one in refusals_of(refused.value)}
    terms = load_terms(programme_file().encode())
    assert codes["CURRENCY"]["threshold"] == ", ".join(sorted(terms.currency))


def test_a_missing_limit_is_a_refusal_and_names_each_node(db: Database) -> None:
    deals = Deals(db, limits=None)
    with pytest.raises(RuleViolation) as refused:
        deals.quote(deals.invoice())
    codes = [one["code"] for one in refusals_of(refused.value)]
    assert codes == ["LIMIT_FINANCIER", "LIMIT_PROGRAMME", "LIMIT_OBLIGOR"]


def test_with_recourse_the_seller_needs_a_limit_too(db: Database) -> None:
    deals = Deals(db, limits=None, recourse='"full"')
    with pytest.raises(RuleViolation) as refused:
        deals.quote(deals.invoice())
    assert "LIMIT_SELLER" in [one["code"] for one in refusals_of(refused.value)]


def test_a_missed_cut_off_names_the_next_day(db: Database) -> None:
    deals = Deals(db)
    deals.clock.advance(hours=8)
    with pytest.raises(RuleViolation) as refused:
        deals.quote(deals.invoice(), value_on=DAY)
    assert refused.value.code == "CUTOFF_PASSED"
    assert refusals_of(refused.value)[0]["frees_on"] == "2026-03-11"


def test_a_tenor_that_is_too_long_says_from_when_it_is_not(db: Database) -> None:
    deals = Deals(db)
    with pytest.raises(RuleViolation) as refused:
        deals.quote(deals.invoice(due_on=dt.date(2026, 12, 1)))
    assert refused.value.code == "TENOR_LONG"
    assert refusals_of(refused.value)[0]["frees_on"] == "2026-06-04"


def test_everything_that_is_wrong_is_said_at_once(db: Database) -> None:
    deals = Deals(db)
    first = deals.invoice(accepted=False, issue_on=DAY - dt.timedelta(days=300))
    second = deals.invoice(title_prior=True)
    deals.limit("obligor", ANCHOR, "1.00")
    _no_account(deals, first)
    with pytest.raises(RuleViolation) as refused:
        deals.quote(first, second)
    assert [one["code"] for one in refusals_of(refused.value)] == [
        "ACCOUNT_UNVERIFIED",
        "NOT_ACCEPTED",
        "INVOICE_AGE",
        "TITLE_PRIOR",
        "LIMIT_OBLIGOR",
    ]


def test_a_credit_note_blocks_the_pair_only_up_to_its_amount(db: Database) -> None:
    deals = Deals(db)
    invoice_id = deals.invoice("1,000.00")
    _credit_note(deals, invoice_id)
    assert deals.quote(invoice_id, amount="999.99")["face_minor"] == eur("999.99")
    with pytest.raises(RuleViolation, match="CREDIT_NOTE_OPEN"):
        deals.quote(invoice_id, amount="1,000.00")


def test_a_small_dispute_does_not_hide_finance(db: Database) -> None:
    deals = Deals(db, ipu='"none"')
    invoice_id = deals.invoice("1,000.00")
    deals.change(Invoice, invoice_id, disputed_minor=eur("30.00"))
    assert deals.quote(invoice_id)["face_minor"] == eur("970.00")


def test_a_request_judges_everything_again_under_lock(db: Database) -> None:
    deals = Deals(db)
    invoice_id = deals.invoice()
    quote = deals.quote(invoice_id)
    _suspended(deals, invoice_id)
    _no_account(deals, invoice_id)
    deals.change(LimitNode, deals.all(LimitNode, kind="obligor")[0].id, limit_minor=1)
    with pytest.raises(RuleViolation) as refused:
        deals.submit(quote["id"])
    assert [one["code"] for one in refusals_of(refused.value)] == [
        "PROGRAMME_SUSPENDED",
        "ACCOUNT_UNVERIFIED",
        "LIMIT_OBLIGOR",
    ]
