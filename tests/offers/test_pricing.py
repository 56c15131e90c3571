"""Contract prices: golden 1 and the money lines of golden 3 and 15, worked out without a database.

Source: finance.md section 5.
"""

import datetime as dt
from fractions import Fraction

import pytest

from scf.kernel.calendar import BusinessCalendar
from scf.offers.pricing import (
    PricedLine,
    cut_off_passed,
    earliest_value_date,
    fee_of,
    next_cut_off,
    percent_text,
    price,
    price_line,
    rate_of,
    settlement_day,
)
from scf.programmes.terms import Fee, Terms, terms_of

WEEKDAYS = BusinessCalendar("weekdays")
TUESDAY = dt.date(2026, 3, 10)


def terms(**more: object) -> Terms:
    return terms_of(
        {
            "technique": "payables_finance",
            "margin": [{"max_days": 365, "margin_ppm": 12_000}],
            "currency": {"EUR": {"benchmark": "EURIBOR-3M"}},
            **more,
        }
    )


def line(face: int, start: dt.date, settle_on: dt.date, agreed: Terms | None = None) -> PricedLine:
    agreed = agreed or terms()
    priced = price_line(
        agreed,
        agreed.currency["EUR"],
        face=face,
        start=start,
        settle_on=settle_on,
        fixing_percent="3.45",
    )
    assert priced is not None
    return priced


def test_golden_1_straight_discount_with_its_all_in_rates() -> None:
    agreed = terms()
    settle_on = settlement_day(agreed, WEEKDAYS, dt.date(2026, 6, 6))
    one = line(1_000_000_00, TUESDAY, settle_on)
    assert (one.days, one.discount_minor, one.net_minor) == (90, 11_625_00, 988_375_00)
    assert one.rate_percent == "4.65"
    total = price(agreed, [one])
    assert round(total.all_in_ppm / 100) == 470  # 4.70 % simple /360
    assert round(total.effective_ppm / 100) == 486  # 4.86 % effective


@pytest.mark.parametrize(
    ("changed", "due_on", "discount"),
    [
        ({"day_count": "ACT/365F"}, "2026-06-06", 11_465_75),
        ({"rate_basis": "proceeds"}, "2026-06-06", 11_491_41),
        ({"roll": "UNROLLED"}, "2026-06-06", 11_366_67),
    ],
)
def test_golden_1_under_other_terms(changed: dict[str, str], due_on: str, discount: int) -> None:
    agreed = terms(**changed)
    settle_on = settlement_day(agreed, WEEKDAYS, dt.date.fromisoformat(due_on))
    assert line(1_000_000_00, TUESDAY, settle_on, agreed).discount_minor == discount


@pytest.mark.parametrize(
    ("roll", "discount"), [("FOLLOWING", 11_754_17), ("MODIFIED_FOLLOWING", 11_366_67)]
)
def test_golden_1_at_the_end_of_a_month(roll: str, discount: int) -> None:
    agreed = terms(roll=roll)
    settle_on = settlement_day(agreed, WEEKDAYS, dt.date(2026, 10, 31))
    assert line(1_000_000_00, dt.date(2026, 8, 3), settle_on, agreed).discount_minor == discount


def test_golden_15_two_parts_of_one_invoice_round_by_themselves() -> None:
    due = dt.date(2026, 6, 8)
    assert line(400_000_00, TUESDAY, due).discount_minor == 4_650_00
    assert line(300_000_00, dt.date(2026, 4, 9), due).discount_minor == 2_325_00


def test_golden_3_a_fee_is_kept_between_its_bounds() -> None:
    face = 500_000_00
    assert fee_of([Fee(code="service", share_ppm=8_000)], face) == 4_000_00
    clamped = Fee(code="service", share_ppm=1_500, max_minor=600_00)
    assert fee_of([clamped], face) == 600_00
    raised = Fee(code="service", share_ppm=1, min_minor=25_00)
    assert fee_of([raised, Fee(code="flat", flat_minor=5_00)], face) == 30_00


def test_golden_3_the_all_in_rate_counts_every_charge_over_the_cash() -> None:
    """Interest 5,489.58 and a fee of 4,000 on 421,000 of cash for 75 days: 10.82 %, 11.46 %."""
    charged = PricedLine(
        425_000_00,
        5_489_58,
        4_000_00,
        421_000_00,
        Fraction(62, 1000),
        0,
        TUESDAY,
        TUESDAY + dt.timedelta(days=75),
        75,
    )
    total = price(terms(), [charged])
    assert round(total.all_in_ppm / 100) == 1082
    assert round(total.effective_ppm / 100) == 1146


def test_the_floor_holds_under_a_negative_benchmark() -> None:
    assert rate_of(terms(rate_floor_ppm=5_000), "-2.10", 12_000) == Fraction(5, 1000)
    assert rate_of(terms(), "-2.10", 12_000) == 0


def test_the_margin_follows_the_days() -> None:
    grid = [{"max_days": 60, "margin_ppm": 9_000}, {"max_days": 365, "margin_ppm": 15_000}]
    agreed = terms(margin=grid)
    assert line(100_00, TUESDAY, TUESDAY + dt.timedelta(days=60), agreed).margin_ppm == 9_000
    assert line(100_00, TUESDAY, TUESDAY + dt.timedelta(days=61), agreed).margin_ppm == 15_000


def test_beyond_the_grid_there_is_no_price() -> None:
    agreed = terms(margin=[{"max_days": 90, "margin_ppm": 1}], tenor_max_days=90)
    late = TUESDAY + dt.timedelta(days=91)
    part = agreed.currency["EUR"]
    assert (
        price_line(agreed, part, face=1, start=TUESDAY, settle_on=late, fixing_percent="3") is None
    )


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Fraction(465, 10_000), "4.65"),
        (Fraction(1, 100), "1"),
        (Fraction(-5, 10_000), "-0.05"),
        (Fraction(0), "0"),
        (Fraction(34_512_345, 10**9), "3.4512345"),
    ],
)
def test_a_rate_is_written_with_every_digit_and_no_more(rate: Fraction, text: str) -> None:
    assert percent_text(rate) == text


# --- Days -------------------------------------------------------------------------------------

BERLIN = {"cut_off": "16:00", "cut_off_zone": "Europe/Berlin"}


def at(hour: int, minute: int = 0, day: int = 10) -> dt.datetime:
    return dt.datetime(2026, 3, day, hour, minute, tzinfo=dt.UTC)


def test_after_the_cut_off_the_next_business_day_counts() -> None:
    agreed = terms(**BERLIN)
    assert earliest_value_date(agreed, WEEKDAYS, TUESDAY, at(15, 0)) == TUESDAY
    assert earliest_value_date(agreed, WEEKDAYS, TUESDAY, at(15, 1)) == dt.date(2026, 3, 11)
    friday = dt.date(2026, 3, 13)
    assert earliest_value_date(agreed, WEEKDAYS, friday, at(20, day=13)) == dt.date(2026, 3, 16)


def test_books_on_another_date_than_the_clock_are_open_until_their_end_of_day() -> None:
    assert not cut_off_passed(terms(**BERLIN), dt.date(2019, 5, 2), at(23))


def test_the_deadline_is_the_next_cut_off() -> None:
    agreed = terms(**BERLIN)
    assert next_cut_off(agreed, WEEKDAYS, at(9)) == at(15)
    assert next_cut_off(agreed, WEEKDAYS, at(15)) == at(15, day=11)
    assert next_cut_off(agreed, WEEKDAYS, at(20, day=13)) == at(15, day=16)


def test_the_offset_counts_business_days() -> None:
    agreed = terms(value_date_offset=2, **BERLIN)
    assert earliest_value_date(agreed, WEEKDAYS, dt.date(2026, 3, 12), at(9, day=12)) == dt.date(
        2026, 3, 16
    )
