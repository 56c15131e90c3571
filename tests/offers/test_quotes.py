"""Firm quotes end to end, on both engines."""

import datetime as dt

import pytest

from scf.db.engine import Database
from scf.documents.models import Invoice
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, RuleViolation
from scf.offers.models import Quote, QuoteLine
from scf.offers.service import Ask, compute, make_quote
from tests.support.deals import (
    APPROVER,
    BANK,
    EUR,
    HEAD,
    MAKER,
    SELLER,
    TREASURER,
    Deals,
    eur,
    refusals_of,
)


@pytest.fixture
def deals(db: Database) -> Deals:
    return Deals(db)


def test_golden_1_as_a_quote_end_to_end(deals: Deals) -> None:
    """Source: finance.md golden 1."""
    quote = deals.quote(deals.invoice("1,000,000.00"))
    assert quote["face_minor"] == eur("1,000,000.00")
    assert quote["discount_minor"] == eur("11,625.00")
    assert quote["net_minor"] == eur("988,375.00")
    assert (quote["rate_percent"], quote["rate_ppm"]) == ("4.65", 46_500)
    assert (quote["all_in_ppm"], quote["effective_ppm"]) == (47_047, 48_564)
    assert quote["lines"][0]["settle_on"] == "2026-06-08"
    assert quote["lines"][0]["days"] == 90
    assert quote["expires_at"] == "2026-03-10T09:15:00+00:00"
    stored = deals.get(Quote, quote["id"])
    assert (stored.state, stored.fixing_percent, stored.margin_ppm) == ("OPEN", "3.45", 12_000)


def test_looking_at_a_price_stores_nothing(deals: Deals) -> None:
    invoice_id = deals.invoice()
    with deals.db.snapshot() as conn:
        seen = make_quote(conn, TREASURER, [invoice_id], None, None, deals.clock)
    assert not seen.is_refused
    assert seen.price is not None
    assert seen.price.net_minor == eur("988,375.00")
    assert deals.count(Quote) == 0
    made = deals.run(
        "quote.make", TREASURER, invoice_ids=[invoice_id], inputs_digest=seen.inputs_digest
    )
    assert made["inputs_digest"] == seen.inputs_digest


def test_a_price_whose_inputs_have_moved_is_not_replaced_by_another(deals: Deals) -> None:
    invoice_id = deals.invoice()
    with deals.db.snapshot() as conn:
        seen = compute(conn, SELLER, Ask([invoice_id]), deals.clock.now())
    deals.accept(invoice_id)  # the buyer's word again: another version
    with pytest.raises(Conflict, match="QUOTE_MOVED"):
        deals.run(
            "quote.make", TREASURER, invoice_ids=[invoice_id], inputs_digest=seen.inputs_digest
        )


def test_an_amount_is_spread_over_invoices_in_the_order_asked(deals: Deals) -> None:
    first, second, third = (deals.invoice("300.00") for _ in range(3))
    quote = deals.quote(second, first, third, amount="450.00")
    assert [(line["invoice_id"], line["face_minor"]) for line in quote["lines"]] == [
        (second, eur("300.00")),
        (first, eur("150.00")),
    ]
    assert quote["face_minor"] == eur("450.00")


def test_totals_are_sums_of_rounded_lines(deals: Deals) -> None:
    ids = [deals.invoice(f"1,000.{cents:02}") for cents in (1, 33, 57)]
    quote = deals.quote(*ids)
    for name in ("face_minor", "discount_minor", "net_minor"):
        assert quote[name] == sum(line[name] for line in quote["lines"])
    assert len(deals.all(QuoteLine, quote_id=quote["id"])) == 3


def test_golden_14_eligibility(db: Database) -> None:
    """Source: finance.md golden 14; without an undertaking a dispute takes its part out."""
    deals = Deals(db, ipu='"none"')
    invoice_id = deals.invoice("1,000,000.00")
    paid = deals.request(invoice_id, amount="400,000.00")
    deals.request(invoice_id, amount="100,000.00")
    with db.writer.begin() as conn:
        from scf.documents import axes

        axes.finance(deals.context(conn), invoice_id, eur("400,000.00"))
    deals.change(Invoice, invoice_id, credited_minor=eur("50,000.00"))
    deals.run(
        "invoice.dispute",
        APPROVER,
        invoice_id=invoice_id,
        amount_minor=eur("30,000.00"),
        reason="short delivery",
    )
    assert deals.quote(invoice_id)["face_minor"] == eur("420,000.00")
    with db.writer.begin() as conn:
        axes.repay(deals.context(conn), invoice_id, eur("400,000.00"))
    assert deals.quote(invoice_id)["face_minor"] == eur("420,000.00")
    with pytest.raises(RuleViolation) as refused:
        deals.quote(invoice_id, amount="420,000.01")
    assert refusals_of(refused.value)[0]["threshold"] == "420000.00"
    assert paid["state"] == "IN_REVIEW"


def test_golden_14_after_a_repurchase_the_part_is_free_again(db: Database) -> None:
    deals = Deals(db, ipu='"none"')
    invoice_id = deals.invoice("1,000,000.00")
    deals.request(invoice_id, amount="400,000.00")
    deals.request(invoice_id, amount="100,000.00")
    deals.change(
        Invoice, invoice_id, credited_minor=eur("50,000.00"), disputed_minor=eur("30,000.00")
    )
    with db.writer.begin() as conn:
        from scf.documents import axes

        axes.finance(deals.context(conn), invoice_id, eur("400,000.00"))
        axes.repurchase(deals.context(conn), invoice_id, eur("400,000.00"))
    assert deals.quote(invoice_id)["face_minor"] == eur("820,000.00")


def test_a_quote_is_firm_for_a_quarter_of_an_hour(deals: Deals) -> None:
    quote = deals.quote(deals.invoice())
    deals.clock.advance(minutes=15)
    assert deals.submit(quote["id"])["state"] == "IN_REVIEW"


def test_a_quote_is_not_firm_a_moment_longer(deals: Deals) -> None:
    quote = deals.quote(deals.invoice())
    deals.clock.advance(minutes=15, seconds=1)
    with pytest.raises(RuleViolation, match="QUOTE_EXPIRED"):
        deals.submit(quote["id"])


def test_expired_quotes_are_closed(deals: Deals) -> None:
    invoice_id = deals.invoice()
    old = deals.quote(invoice_id)["id"]
    deals.clock.advance(minutes=10)
    young = deals.quote(invoice_id)["id"]
    deals.clock.advance(minutes=6)
    assert deals.run("quote.expire", HEAD) == {"expired": 1}
    assert deals.get(Quote, old).state == "EXPIRED"
    assert deals.get(Quote, young).state == "OPEN"
    with pytest.raises(RuleViolation, match="QUOTE_EXPIRED"):
        deals.submit(old)


def test_a_quote_made_after_the_cut_off_is_for_the_next_business_day(deals: Deals) -> None:
    deals.clock.advance(hours=8)  # 17:00 UTC, 18:00 in Berlin
    quote = deals.quote(deals.invoice())
    assert quote["value_on"] == "2026-03-11"
    assert quote["lines"][0]["days"] == 89


def test_a_quote_for_a_later_value_date(deals: Deals) -> None:
    quote = deals.quote(deals.invoice(), value_on=dt.date(2026, 3, 16))
    assert (quote["value_on"], quote["lines"][0]["days"]) == ("2026-03-16", 84)


def test_a_day_on_which_no_money_moves_is_no_value_date(deals: Deals) -> None:
    with pytest.raises(InvalidInput, match="VALUE_DATE"):
        deals.quote(deals.invoice(), value_on=dt.date(2026, 3, 14))


def test_one_quote_holds_one_buyer_and_one_currency(deals: Deals) -> None:
    euro = deals.invoice()
    dollar = deals.invoice(currency="USD", accepted=False)
    with pytest.raises(InvalidInput, match="QUOTE_MIXED"):
        deals.quote(euro, dollar)


@pytest.mark.parametrize("ids", [[], ["same", "same"]])
def test_invoices_are_named_once_and_at_least_one(deals: Deals, ids: list[str]) -> None:
    with pytest.raises(InvalidInput):
        deals.quote(*ids)


def test_only_the_seller_asks_for_its_invoices(deals: Deals) -> None:
    invoice_id = deals.invoice()
    with pytest.raises(NotAllowed):
        deals.run("quote.make", MAKER, invoice_ids=[invoice_id])
    from scf.kernel.actor import Actor

    stranger = Actor("u-else", "else", TREASURER.roles)
    with pytest.raises(NotFound):
        deals.run("quote.make", stranger, invoice_ids=[invoice_id])


def test_of_two_lines_with_two_margins_the_headline_is_the_higher(db: Database) -> None:
    deals = Deals(db, tenor_max_days="180")
    near = deals.invoice(due_on=dt.date(2026, 4, 9))
    far = deals.invoice()
    with deals.db.snapshot() as conn:
        computed = compute(conn, SELLER, Ask([near, far]), deals.clock.now())
    assert computed.deal is not None
    assert computed.deal.currency == EUR
    assert computed.deal.programme.financier_id == BANK
    quote = deals.quote(near, far)
    assert quote["rate_percent"] == "4.65"
    assert [line["days"] for line in quote["lines"]] == [30, 90]
    # 30 days and 90 days at one rate cost about the same a year all in.
    assert 46_900 < quote["all_in_ppm"] < 47_100
