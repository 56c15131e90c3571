"""Units convert exactly within one dimension, by agreement where the table ends, never across."""

from fractions import Fraction

import pytest

from scf.documents.match.units import Pack, converted, factor, may_hold


@pytest.mark.parametrize(
    ("unit", "wanted", "by"),
    [
        ("TNE", "KGM", Fraction(1000)), ("GRM", "KGM", Fraction(1, 1000)),
        ("LBR", "KGM", Fraction("0.45359237")), ("KMT", "CMT", Fraction(100_000)),
        ("MLT", "LTR", Fraction(1, 1000)), ("MTQ", "LTR", Fraction(1000)),
        ("DZN", "H87", Fraction(12)), ("EA", "C62", Fraction(1)), ("PCE", "GRO", Fraction(1, 144)),
        ("HUR", "MIN", Fraction(60)), ("MWH", "KWH", Fraction(1000)),
        ("KGM", "MTR", None), ("LTR", "KGM", None), ("HUR", "DAY", None), ("CT", "EA", None),
        ("ST", "EA", None), ("", "EA", Fraction(1)), (None, None, Fraction(1)), ("ZZ", "ZZ", 1),
    ],
)  # fmt: skip
def test_a_unit_converts_exactly_or_not_at_all(
    unit: str | None, wanted: str | None, by: Fraction | None
) -> None:
    assert factor(unit, wanted) == by
    if by:
        assert factor(wanted, unit) == 1 / by


def test_a_pack_holds_what_was_agreed_both_ways_and_through_the_table() -> None:
    packs = [Pack("CT", "EA", Fraction(12)), Pack("DAY", "HUR", Fraction(8))]
    assert factor("CT", "H87", packs) == 12
    assert factor("DZN", "CT", packs) == 1
    assert factor("MIN", "DAY", packs) == Fraction(1, 480)
    assert factor("CT", "KGM", packs) is None
    assert converted(2_500_000, Fraction(12)) == 30_000_000
    assert converted(1_000_000, Fraction(1, 3)) == 333_333


def test_no_agreement_relates_what_the_table_keeps_apart() -> None:
    assert may_hold("CT", "EA")
    assert may_hold("RO", "MTR")
    assert not may_hold("KGM", "MTR")
    assert not may_hold("KGM", "GRM")
    assert not may_hold("CT", "CT")
