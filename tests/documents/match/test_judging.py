"""What one invoice may ask beside its order, its receipts and its credit notes."""

import dataclasses
from typing import Any

import pytest

from scf.documents.match.book import Claim, ClaimLine, Credit, Items, LineBook, OrderBook
from scf.documents.match.judging import CODES, count, judge
from scf.documents.match.tolerance import Rules, Tolerance, rules_from, strictest
from scf.documents.rules import MatchMode

M = 1_000_000


def book(*lines: dict[str, Any], **more: Any) -> OrderBook:  # noqa: ANN401 - fields of many types
    """An order of 10 pieces for 100.00 on line 1, unless said otherwise."""
    made = {}
    for place, said in enumerate(lines or ({},), start=1):
        usual: dict[str, Any] = {
            "id": f"l{place}", "line_ref": str(place), "unit": "EA", "quantity_micro": 10 * M,
            "despatched_micro": 0, "received_micro": 0, "invoiced_micro": 0, "matched_micro": 0,
            "net_minor": 10_000, "invoiced_minor": 0,
        }  # fmt: skip
        one = LineBook(**usual | said)
        made[one.line_ref] = one
    total = sum(one.net_minor or 0 for one in made.values())
    return OrderBook("o", "EUR", more.pop("standing", "OPEN"), total, 0, made, **more)


def claim(*lines: dict[str, Any], **more: Any) -> Claim:  # noqa: ANN401 - fields of many types
    made = []
    for place, said in enumerate(lines, start=1):
        usual: dict[str, Any] = {
            "id": f"i{place}", "place": place, "order_line_ref": "1", "unit": "EA",
            "quantity_micro": None, "net_minor": 0, "line_ref": str(place),
        }  # fmt: skip
        made.append(ClaimLine(**usual | said))
    net = sum(one.net_minor for one in made)
    return Claim("c", more.pop("currency", "EUR"), net, ("s", "b", "PO1"), made, **more)


def asks(quantity: int, net: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of many types
    return {"quantity_micro": quantity, "net_minor": net, **more}


def allow(mode: MatchMode = "order", **limits: int) -> Rules:
    return Rules(mode, Tolerance(**limits))


@pytest.mark.parametrize(
    ("line", "rules", "code"),
    [
        (asks(10 * M, 10_000), allow(), None),
        (asks(10 * M + 1, 10_000), allow(), "QUANTITY_EXCEEDED"),
        (asks(10 * M + 1, 10_000), allow(quantity_over_ppm=1), None),
        (asks(11 * M, 11_000), allow(quantity_over_ppm=100_000), None),
        (asks(11 * M + 1, 11_000), allow(quantity_over_ppm=100_000), "QUANTITY_EXCEEDED"),
        (asks(11 * M, 11_000), allow(quantity_over_ppm=100_000, quantity_over_micro=M // 2),
         "QUANTITY_EXCEEDED"),
        (asks(5 * M, 5_001), allow(), None),  # one minor unit is rounding
        (asks(5 * M, 5_002), allow(), "PRICE_ABOVE"),
        (asks(5 * M, 5_100), allow(price_over_ppm=20_000), None),
        (asks(5 * M, 5_101), allow(price_over_ppm=20_000), "PRICE_ABOVE"),
        (asks(5 * M, 5_100), allow(price_over_ppm=20_000, price_over_minor=50), "PRICE_ABOVE"),
        (asks(5 * M, 4_000), allow(), None),  # cheaper harms nobody
        (asks(5 * M, 4_000), allow(price_under_ppm=100_000), "PRICE_BELOW"),
        (asks(5 * M, 4_500), allow(price_under_ppm=100_000), None),
        (asks(5 * M, 5_000, unit="KGM"), allow(), "UNIT_DIFFERS"),
        (asks(M // 2, 6_000, unit="DZN"), allow(), None),
        (asks(M, 10_000, unit="DZN"), allow(), "QUANTITY_EXCEEDED"),
        (asks(5 * M, 5_000, tax_ppm=190_000), allow(), None),  # the order states no rate
        (asks(5 * M, 5_000, order_line_ref="7"), allow(), "ORDER_LINE_UNKNOWN"),
        (asks(5 * M, 5_000, order_line_ref="0001"), allow(), None),
        (asks(5 * M, 5_000), allow("receipt"), "RECEIPT_MISSING"),
    ],
)  # fmt: skip
def test_a_line_fits_or_says_why_not(line: dict[str, Any], rules: Rules, code: str | None) -> None:
    result = judge(book(), claim(line, rules=rules))
    assert result.code == code
    waits = code == "RECEIPT_MISSING"
    assert result.state == ("PARTIAL" if waits else "EXCEPTION" if code else "MATCHED")
    assert code is None or (code in CODES and str(result.message))


def test_money_at_stake_is_what_is_asked_too_much() -> None:
    (over,) = judge(book(), claim(asks(12 * M, 12_000))).variances[:1]
    assert (over.code, over.amount_minor, over.facts["excess_micro"]) == (
        "QUANTITY_EXCEEDED", 2_000, 2 * M,
    )  # fmt: skip
    (dear,) = judge(book(), claim(asks(5 * M, 5_500))).variances
    assert (dear.code, dear.amount_minor) == ("PRICE_ABOVE", 500)
    partly = book({"received_micro": 3 * M})
    (unproven,) = judge(partly, claim(asks(5 * M, 5_000), rules=allow("receipt"))).variances
    assert (unproven.code, unproven.amount_minor) == ("RECEIPT_MISSING", 2_000)


def test_tax_currency_and_an_ended_order_are_told() -> None:
    taxed = book({"tax_ppm": 190_000})
    (one,) = judge(taxed, claim(asks(M, 1_000, tax_ppm=70_000))).variances
    assert (one.code, one.amount_minor) == ("TAX_DIFFERS", 120)
    small = allow(amount_over_minor=120)
    assert judge(taxed, claim(asks(M, 1_000, tax_ppm=70_000), rules=small)).state == "MATCHED"
    assert judge(book(), claim(asks(M, 1_000), currency="USD")).code == "ORDER_CURRENCY"
    assert judge(book(standing="CANCELLED"), claim(asks(M, 1_000))).code == "ORDER_CANCELLED"


def test_freight_beside_the_order_passes_up_to_what_was_agreed() -> None:
    lines = (asks(5 * M, 5_000), asks(M, 500, order_line_ref=None, items=Items(name="Freight")))
    assert judge(book(), claim(*lines)).code == "LINE_EXTRA"
    result = judge(book(), claim(*lines, rules=allow(amount_over_minor=500)))
    assert (result.state, result.counted_minor) == ("MATCHED", 5_000)
    assert [one.code for one in result.variances if one.within] == ["LINE_EXTRA"]


@pytest.mark.parametrize(
    ("items", "line_id", "by", "code"),
    [
        (Items(standard="0401"), "l2", "item", None),
        (Items(buyer="B-1"), "l1", "item", None),
        (Items(name="  BLUE paint "), "l2", "name", None),
        (Items(buyer="B-9", name="Blue paint"), None, None, "LINE_EXTRA"),
        (Items(name="Brushes"), None, None, "LINE_AMBIGUOUS"),
    ],
)
def test_a_line_without_a_number_is_found_by_its_article_or_not_at_all(
    items: Items, line_id: str | None, by: str | None, code: str | None
) -> None:
    order = book(
        {"items": Items(buyer="B-1", name="Red paint")},
        {"items": Items(buyer="B-2", standard="0401", name="Blue paint")},
        {"items": Items(name="Brushes")},
        {"items": Items(name="Brushes")},
    )
    result = judge(order, claim(asks(M, 1_000, order_line_ref=None, items=items)))
    assert result.code == code
    placed = result.lines.get("i1")
    assert (placed.order_line_id if placed else None, placed.paired_by if placed else None) == (
        line_id, by,
    )  # fmt: skip


def test_no_more_matches_than_was_received_and_sent() -> None:
    received = {"received_micro": 4 * M, "despatched_micro": 3 * M}
    three_way, four_way = allow("receipt"), allow("despatch")
    assert judge(book(received), claim(asks(4 * M, 4_000), rules=three_way)).state == "MATCHED"
    late = judge(book(received), claim(asks(4 * M, 4_000), rules=four_way))
    assert (late.state, late.code) == ("PARTIAL", "DESPATCH_MISSING")
    order = book(received)
    count(order, judge(order, claim(asks(4 * M, 4_000), rules=three_way)))
    assert judge(order, claim(asks(M, 1_000), rules=three_way)).code == "RECEIPT_MISSING"
    assert judge(order, claim(asks(7 * M, 6_000), rules=three_way)).code == "QUANTITY_EXCEEDED"


def test_over_delivery_may_be_invoiced_within_both_tolerances() -> None:
    rules = allow("receipt", quantity_over_ppm=100_000)
    order = book({"received_micro": 11 * M})
    assert judge(order, claim(asks(12_100_000, 12_100), rules=rules)).state == "MATCHED"
    assert judge(order, claim(asks(12_100_001, 12_100), rules=rules)).code == "QUANTITY_EXCEEDED"


def credit(quantity: int | None, net: int, **more: Any) -> Credit:  # noqa: ANN401 - fields of many types
    return Credit(more.pop("line_ref", "1"), None, "EA", quantity, net, **more)


def test_a_credit_takes_back_goods_or_a_price_and_never_both() -> None:
    full = claim(asks(12 * M, 12_000), credits=[credit(2 * M, 2_000)])
    back = judge(book(), full)
    assert (back.state, back.lines["i1"].counted_micro) == ("MATCHED", 10 * M)
    cheaper = judge(book(), claim(asks(10 * M, 11_000), credits=[credit(10 * M, 1_000)]))
    assert (cheaper.state, cheaper.lines["i1"].counted_micro) == ("MATCHED", 10 * M)
    assert cheaper.lines["i1"].counted_minor == 10_000


def test_a_credit_without_lines_settles_the_difference_or_gives_everything_back() -> None:
    whole = credit(None, 2_000, whole=True)
    settled = judge(book(), claim(asks(12 * M, 12_000), credits=[whole]))
    assert (settled.state, settled.lines["i1"].counted_micro) == ("MATCHED", 10 * M)
    short = dataclasses.replace(whole, net_minor=1_999)
    assert judge(book(), claim(asks(12 * M, 12_000), credits=[short])).state == "EXCEPTION"
    all_of_it = dataclasses.replace(whole, net_minor=12_000)
    gone = judge(book(), claim(asks(12 * M, 12_000), credits=[all_of_it]))
    assert (gone.state, gone.counted_minor) == ("MATCHED", 0)


def test_what_a_person_lets_pass_takes_no_more_than_there_is() -> None:
    order = book()
    result = judge(order, claim(asks(12 * M, 15_000), waived=True))
    assert (result.state, result.code) == ("WAIVED", None)
    count(order, result)
    assert (order.lines["1"].invoiced_micro, order.invoiced_minor) == (10 * M, 10_000)
    assert judge(order, claim(asks(1, 0))).code == "QUANTITY_EXCEEDED"


def test_several_agreements_come_to_the_strictest_and_are_kept_with_the_match() -> None:
    wide = Rules("order", Tolerance(50_000, None, 0, 20_000, None, None, 500), ("v1",), 900)
    near = Rules("receipt", Tolerance(10_000, 5 * M, 0, 30_000, 7, 9, 100), ("v2",), 100)
    both = strictest([wide, near])
    assert both == Rules(
        "receipt", Tolerance(10_000, 5 * M, 0, 20_000, 7, 9, 100), ("v1", "v2"), 100
    )
    assert rules_from(both.stored()) == dataclasses.replace(both, clerk_minor=0)
    assert Rules().stored() is None
    assert rules_from(None) == Rules()
