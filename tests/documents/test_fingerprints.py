"""A disguised number is the same number, and two numbers stay two."""

import itertools

import pytest

from scf.documents.fingerprints import canonical_number, duplicate_key

DISGUISES = (
    "INV-2026-0007",
    "inv 2026 / 7",
    "Invoice No. 2026-007",
    "INV–2026–7",
    "".join(chr(ord(char) + 0xFEE0) for char in "INV-2026-0007"),  # fullwidth
    "\u0406NV-2026-0007",  # Cyrillic I
    "1NV-2O26-OOO7",
    "RE-2026-7",
    "2026.0007",
)


def test_every_disguise_of_a_number_is_that_number() -> None:
    assert {canonical_number(text) for text in DISGUISES} == {"20267"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-01-11", "2026-11-01"),
        ("A-100", "B-100"),
        ("100", "1000"),
        ("2026-1", "2026-2"),
        ("7-A", "7-B"),
        ("---", "///"),
        ("发票一", "发票二"),
    ],
)
def test_different_numbers_stay_different(one: str, other: str) -> None:
    assert canonical_number(one) != canonical_number(other)


def test_sixty_thousand_running_numbers_give_no_false_match() -> None:
    numbers = [f"INV-2026-{n:05d}" for n in range(60_000)]
    assert len({canonical_number(number) for number in numbers}) == len(numbers)


def test_part_shipments_of_orders_of_one_length_stay_apart() -> None:
    numbers = [f"{order}-{part}" for order, part in itertools.product(range(1000, 2000), range(9))]
    assert len({canonical_number(number) for number in numbers}) == len(numbers)


def test_the_same_number_of_another_year_or_pair_is_another_claim() -> None:
    keys = {
        duplicate_key(seller, buyer, "7", year)
        for seller, buyer, year in itertools.product(("s", "t"), ("b", "c"), (2025, 2026))
    }
    assert len(keys) == 8


def test_the_short_way_for_common_numbers_gives_what_the_long_way_does() -> None:
    for word, sign, zeros in itertools.product(
        ("", "INV", "invoice", "Re", "RG", "FA"), ("", "-", "/", " ", "."), ("", "0", "000")
    ):
        short = f"{word}{sign}{zeros}507"
        # A full stop behind it changes nothing but the way that is taken.
        assert canonical_number(short) == canonical_number(f"{short}.") == "507"
    words = (
        "N",
        "NO",
        "R",
        "PO",
        "AB",
        "FAX",
        "INVOICENO",
        "INVN",
        "RECHNUNG",
        "RI",
        "I",
        "O",
        "0",
    )
    for word, sign, zeros, number in itertools.product(
        words, ("", "-", " "), ("", "0", "000"), ("1", "17", "507", "2026")
    ):
        short = f"{word}{sign}{zeros}{number}"
        assert canonical_number(short) == canonical_number(f"{short}.")
    assert canonical_number("N0001625") == "1625"  # No. 1625
    assert canonical_number("R-0001625") == "R1625"
