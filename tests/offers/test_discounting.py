"""A seller's own programme: receivables discounting from the shipped file to the hold."""

import datetime as dt
import functools

import pytest

from scf.db.engine import Database
from scf.financing.models import Advance
from scf.kernel.errors import Conflict, InvalidInput, RuleViolation
from scf.programmes.models import LimitHold, LimitNode, Programme
from scf.programmes.techniques import obligation
from scf.programmes.terms import Terms, load_terms, terms_of
from tests.support.deals import (
    ANCHOR,
    APPROVER,
    BANK,
    DAY,
    MAKER,
    SELLER,
    Deals,
    eur,
    programme_file,
    refusals_of,
)

VALUE_ON = DAY + dt.timedelta(days=1)
DUE = VALUE_ON + dt.timedelta(days=75)  # a Monday
shipped = functools.partial(programme_file, "", "receivables-discounting")


def discounting(deals: Deals, **changes: str) -> str:
    """Agree discounting with the seller; gives the programme."""
    made = deals.agreed(shipped(**changes), seller_id=SELLER)
    deals.limit("programme", made, "10,000,000.00")
    return made


@pytest.fixture
def deals(db: Database) -> Deals:
    return Deals(db)


def test_golden_3_as_a_quote_end_to_end(deals: Deals) -> None:
    """Source: finance.md golden 3. The invoice is not accepted: the buyer's programme is none."""
    programme = discounting(deals)
    invoice_id = deals.invoice("500,000.00", accepted=False, due_on=DUE)
    quote = deals.quote(invoice_id, value_on=VALUE_ON)
    assert quote["programme_id"] == programme
    assert quote["face_minor"] - quote["reserve_minor"] == eur("425,000.00")
    assert (quote["fee_minor"], quote["tax_minor"]) == (eur("4,000.00"), 0)
    assert quote["net_minor"] == eur("421,000.00")
    assert quote["interest_minor"] == eur("5,489.58")
    assert quote["rate_percent"] == "6.2"
    assert (quote["all_in_ppm"], quote["effective_ppm"]) == (108_195, 114_582)
    request = deals.submit(quote["id"])
    (advance,) = deals.all(Advance, request_id=request["id"])
    assert (advance.reserve_minor, advance.reserve_left_minor) == (eur("75,000.00"),) * 2
    assert (advance.obligor_id, advance.recourse) == (ANCHOR, False)
    assert held(deals) == {
        "financier": eur("421,000.00"),
        "programme": eur("500,000.00"),
        "obligor": eur("500,000.00"),
        "seller": 0,
    }


def test_golden_3_with_tax_on_the_fee(deals: Deals) -> None:
    discounting(deals, tax_ppm="60_000")
    invoice_id = deals.invoice("500,000.00", accepted=False, due_on=DUE)
    quote = deals.quote(invoice_id, value_on=VALUE_ON)
    assert (quote["tax_minor"], quote["net_minor"]) == (eur("240.00"), eur("420,760.00"))
    assert quote["all_in_ppm"] == 110_994


def held(deals: Deals) -> dict[str, int]:
    kinds = {row.id: row.kind for row in deals.all(LimitNode)}
    return {kinds[row.node_id]: row.amount_minor for row in deals.all(LimitHold)}


def test_golden_16_with_recourse_the_seller_carries_the_face_too(deals: Deals) -> None:
    discounting(deals, recourse='"after_days"', recourse_after_days="90")
    deals.request(deals.invoice("500,000.00", accepted=False, due_on=DUE), value_on=VALUE_ON)
    assert held(deals)["seller"] == eur("500,000.00")
    (advance,) = deals.all(Advance)
    assert advance.recourse


def test_what_the_buyer_accepted_goes_to_the_buyers_programme(deals: Deals) -> None:
    discounting(deals)
    assert deals.quote(deals.invoice())["programme_id"] == deals.programme_id


def test_silence_is_enough_and_a_rejection_is_not(deals: Deals) -> None:
    programme = discounting(deals)
    invoice_id = deals.invoice(accepted=False)
    assert deals.quote(invoice_id)["programme_id"] == programme
    deals.run("invoice.reject", APPROVER, invoice_ids=[invoice_id], reason="not ours")
    with pytest.raises(RuleViolation, match="NOT_ACCEPTED"):
        deals.quote(invoice_id, programme_id=programme)


def test_a_debtor_without_a_limit_is_not_admitted(db: Database) -> None:
    deals = Deals(db, limits=None)
    programme = discounting(deals)
    for kind, subject in (("financier", BANK), ("seller", SELLER)):
        deals.limit(kind, subject, "1,000,000.00")
    with pytest.raises(RuleViolation, match="LIMIT_OBLIGOR") as refused:
        deals.quote(deals.invoice(accepted=False), programme_id=programme)
    assert {one["threshold"] for one in refusals_of(refused.value)} == {"no limit set"}


def test_a_programme_is_agreed_with_the_side_that_its_technique_names(deals: Deals) -> None:
    for side in ({"anchor_id": ANCHOR}, {}, {"anchor_id": ANCHOR, "seller_id": SELLER}):
        with pytest.raises(InvalidInput, match="PROGRAMME_PARTY"):
            deals.run("programme.load", MAKER, content=shipped(), effective_on=DAY, **side)
    programme = deals.get(Programme, discounting(deals))
    assert (programme.anchor_id, programme.seller_id) == (None, SELLER)
    with pytest.raises(Conflict, match="ANCHOR"):
        deals.run("programme.load", MAKER, content=shipped(), seller_id=ANCHOR, effective_on=DAY)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reserve_ppm", "100_000"),
        ("ipu", '"from_acceptance"'),
        ("penalty_multiple_ppm", "1_500_000"),
        ("rebate_share_ppm", "800_000"),
        ("rate_basis", '"proceeds"'),
        ("income_method", '"effective"'),
        ("recourse", '"after_days"'),
        ("recourse_after_days", "30"),
        ("technique", '"payables_finance"'),
    ],
)
def test_terms_that_the_technique_cannot_mean_are_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidInput, match="PROGRAMME_FILE"):
        load_terms(shipped(**{name: value}).encode())


def test_a_technique_says_who_owes_and_who_answers() -> None:
    terms = load_terms(shipped(recourse='"after_days"', recourse_after_days="60").encode())

    class Row:
        buyer_id = "debtor"
        ipu = False

    found = obligation(terms, Row())
    assert (found.obligor_id, found.undertaking, found.disclosed) == ("debtor", False, True)
    assert (found.recourse, found.recourse_after_days) == ("after_days", 60)


def test_terms_survive_being_stored() -> None:
    terms = load_terms(shipped().encode())
    assert isinstance(terms, Terms)
    assert terms_of(terms.model_dump(mode="json")) == terms
