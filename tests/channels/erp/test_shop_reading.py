"""Whatever a shop says of an order becomes a document that can be read, or a finding with place."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scf.channels.erp.oscardocs import Unread, minor, order_of
from scf.channels.erp.wire import Refused, readable
from scf.documents.readers.jsonfile import read_json
from scf.kernel.ids import canonical_json

OWN = {"name": "Brook Valves", "identifiers": [{"scheme": "vat", "value": "NL004495445B01"}]}
HEAD: dict[str, Any] = {
    "number": "100001", "url": "https://shop.example.com/api/admin/orders/1/", "currency": "EUR",
    "lines": "https://shop.example.com/api/admin/orders/1/lines/", "total_incl_tax": "157.22",
    "total_excl_tax": "132.90", "shipping_incl_tax": "4.90", "shipping_excl_tax": "4.90",
    "surcharges": [{"name": "Pallet", "code": "p", "incl_tax": "1.19", "excl_tax": "1.00"}],
    "status": "Pending", "email": "buying@halden.example", "owner": "…/api/users/3/",
    "date_placed": "2026-03-05T23:30:00-06:00", "shipping_address": None,
    "billing_address": {"first_name": "", "last_name": "Halden Appliances", "vatin": "DE136695976",
                        "line1": "Mill Road 1", "postcode": "20095", "line4": "Hamburg",
                        "country": "https://shop.example.com/api/countries/DE/"},
}  # fmt: skip
LINE: dict[str, Any] = {
    "product": None, "quantity": 10, "price_currency": "EUR", "price_excl_tax": "127.00",
}  # fmt: skip
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40), st.just([]),
    st.just({}), st.lists(st.integers(), max_size=2), st.just("1e99"), st.just("-0.00"),
    st.just("12.345"), st.just("\u202e12"), st.just("NaN"),
)  # fmt: skip
PLACES = [(name,) for name in HEAD] + [("billing_address", name) for name in ("vatin", "country")]


def test_an_order_is_told_exactly_as_the_shop_has_it() -> None:
    order = order_of(HEAD, [LINE], [{"title": "Pump  housing", "upc": "PH-7"}], OWN)
    amounts = {name: order[name] for name in order if name.endswith("_minor")}
    assert amounts == {
        "lines_minor": 12_700, "charge_minor": 590, "net_minor": 13_290, "tax_minor": 2_432,
        "gross_minor": 15_722, "payable_minor": 15_722,
    }  # fmt: skip
    assert order["issue_on"] == "2026-03-05"  # the shop's own day
    assert order["buyer"] == {
        "name": "Halden Appliances", "address": "Mill Road 1 20095 Hamburg", "country": "DE",
        "mail": "buying@halden.example",
        "identifiers": [{"scheme": "vat", "value": "DE136695976"},
                        {"scheme": "id", "value": "customer 3"}],
    }  # fmt: skip
    assert order["lines"][0]["item_name"] == "Pump housing"


@pytest.mark.parametrize(
    ("value", "currency", "told"),
    [("1000.00", "JPY", 1000), ("1.50", "KWD", 1500), ("-4.20", "EUR", -420), (12.1, "EUR", 1210)],
)
def test_two_decimals_of_a_shop_mean_what_the_currency_has(
    value: object, currency: str, told: int
) -> None:
    assert minor(value, currency, "total") == told


@settings(max_examples=300)
@given(
    place=st.sampled_from(PLACES),
    odd=ODD,
    in_line=st.booleans(),
    name=st.sampled_from(sorted(LINE)),
)
def test_odd_values_are_told_with_place_or_make_a_document_that_is_judged(
    place: tuple[str, ...],
    odd: object,
    in_line: bool,
    name: str,
) -> None:
    head, line = copy.deepcopy(HEAD), copy.deepcopy(LINE)
    if in_line:
        line[name] = odd
    else:
        where: Any = head
        for step in place[:-1]:
            where = where[step]
        where[place[-1]] = odd
    try:
        with readable():
            order = order_of(head, [line], [{}], OWN)
    except (Unread, Refused):
        return
    said = json.dumps({"documents": [json.loads(canonical_json(order))]}).encode()
    ((document, findings, _rest),) = read_json(said)
    assert document is not None or findings
