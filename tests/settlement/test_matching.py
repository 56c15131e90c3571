"""What free text means: numbers, ids and names, and nothing that is not there."""

import pytest

from scf.documents.rules import canonical_number
from scf.settlement import matching
from scf.settlement.receipts import lots_of


@pytest.mark.parametrize(
    "text",
    [
        "INV-2026/001",
        "inv 2026 001",
        "Payment of invoice INV-2026/001 thank you",
        "INV-2026/001, INV-2026/002",
        "/RFB/INV-2026-001;x",
        "2026-001",
    ],
)
def test_a_number_is_found_in_what_payers_write(text: str) -> None:
    assert canonical_number("INV-2026-001") in matching.numbers_in([text])


@pytest.mark.parametrize("text", ["", "thank you", "monthly run", ";;;|,"])
def test_words_without_a_digit_are_no_number(text: str) -> None:
    assert matching.numbers_in([text]) == []


def test_a_longer_number_is_not_the_shorter_one() -> None:
    assert canonical_number("INV-12") not in matching.numbers_in(["INV-123"])


def test_a_novel_in_the_text_costs_little() -> None:
    assert len(matching.numbers_in(["1 " * 100_000])) < 2_000


def test_our_ids_are_found_with_and_without_hyphens() -> None:
    one = "0190a1b2-0000-7000-8000-000000000001"
    for text in (one, one.replace("-", ""), f"{one.replace('-', '')}-2", one.upper()):
        assert list(matching.ids_in([f"ref {text}"])) == [one]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Obligor AG", "OBLIGOR  ag.", True),
        ("Ｏbligor AG", "Obligor AG", True),  # noqa: RUF001 - a fullwidth letter
        ("Obligor AG", "Obligor AG Berlin", False),
        ("", "", False),
        ("江苏公司", "江苏公司", True),
    ],
)
def test_names_are_the_same_but_for_case_blanks_and_points(
    one: str, other: str, *, same: bool
) -> None:
    assert matching.same_name(one, other) is same


def part(amount: int | None, *references: str) -> dict[str, object]:
    return {
        "amount_minor": amount, "name": "N", "account": "A", "end_to_end_id": "",
        "references": list(references),
    }  # fmt: skip


def test_a_credit_of_several_payments_is_split_only_where_the_amounts_add_up() -> None:
    parts = [part(3, "a1"), part(7, "b2")]
    assert [lot.amount for lot in lots_of(10, {"parts": parts})] == [3, 7]
    assert [lot.amount for lot in lots_of(11, {"parts": parts})] == [11]
    assert [lot.amount for lot in lots_of(10, {"parts": [part(None), part(7)]})] == [10]
    (whole,) = lots_of(10, {"parts": [], "text": "INV-1"})
    assert whole.texts == ("INV-1",)
