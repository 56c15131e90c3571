"""Amount text is refused with a reason or read as exactly one amount."""

import string
from decimal import Context, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scf.kernel.errors import InvalidInput
from scf.kernel.money import EXPONENTS, MAX_MINOR, format_minor, parse_minor
from scf.kernel.rates import parse_rate_percent, percent_to_fraction
from tests.kernel.evil_amounts import EVIL, Case

_EXACT = Context(prec=60)


def oracle(text: str, currency: str, how: str) -> int | str:
    """Read the amount character by character and with Decimal: another road to the answer."""
    mark = how[-1]
    body = text.removeprefix("-")
    whole, found, decimals = body.partition(mark)
    if len(text) > 40 or not whole or (found and not decimals):
        return "AMOUNT_FORMAT"
    if any(char not in string.digits for char in whole + decimals):
        return "AMOUNT_FORMAT"
    scaled = Decimal(f"{whole}.{decimals}" if decimals else whole).scaleb(
        EXPONENTS[currency], _EXACT
    )
    minor = int(scaled)
    if scaled != minor:
        return "AMOUNT_DECIMALS"
    negative = body != text
    if negative and minor == 0:
        return "AMOUNT_FORMAT"
    if minor > MAX_MINOR or (negative and not how.startswith("-")):
        return "AMOUNT_RANGE"
    return -minor if negative else minor


def answer(text: str, currency: str, how: str) -> int | str:
    try:
        return parse_minor(
            text, currency, decimal_comma=how.endswith(","), signed=how.startswith("-")
        )
    except InvalidInput as refused:
        return refused.code


def _name(case: Case) -> str:
    text, currency, how, _ = case
    return f"{text[:20]!a}-{currency}-{how}"


def test_the_table_has_two_hundred_different_entries() -> None:
    assert len(EVIL) >= 200
    assert len({case[:3] for case in EVIL}) == len(EVIL)


@pytest.mark.parametrize("case", EVIL, ids=_name)
def test_an_evil_amount_has_one_answer(case: Case) -> None:
    text, currency, how, expected = case
    assert answer(text, currency, how) == expected
    assert oracle(text, currency, how) == expected


def test_a_refusal_shows_the_value_without_its_tricks() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_minor("\u202e1\x1b[2J" + "9" * 1_000, "EUR")
    assert refused.value.facts["currency"] == "EUR"
    value = str(refused.value.facts["value"])
    assert value.startswith("\\u202e1\\x1b[2J9")
    assert len(value) <= 40
    assert value.isprintable()


@pytest.mark.parametrize(
    "currency", ["", "EU", "eur", "XXX", "XAU", "XTS", "EURO", "\u0415UR", "A\0B"]
)
def test_an_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_minor("1", currency)
    assert refused.value.code == "CURRENCY"


_hows = st.sampled_from([".", ",", "-.", "-,"])
_currencies = st.sampled_from(["JPY", "EUR", "KWD", "CLF"])


@settings(max_examples=2_000)
@given(st.text(max_size=50), _currencies, _hows)
def test_any_text_is_read_as_the_oracle_reads_it(text: str, currency: str, how: str) -> None:
    assert answer(text, currency, how) == oracle(text, currency, how)


@settings(max_examples=3_000)
@given(st.text("0123456789.,-+ eE_", max_size=45), _currencies, _hows)
def test_number_like_text_is_read_as_the_oracle_reads_it(
    text: str, currency: str, how: str
) -> None:
    assert answer(text, currency, how) == oracle(text, currency, how)


@settings(max_examples=2_000)
@given(st.from_regex(r"-?[0-9]{1,16}([.,][0-9]{1,6})?", fullmatch=True), _currencies, _hows)
def test_nearly_right_text_is_read_as_the_oracle_reads_it(
    text: str, currency: str, how: str
) -> None:
    assert answer(text, currency, how) == oracle(text, currency, how)


@given(st.integers(-MAX_MINOR, MAX_MINOR), st.sampled_from(sorted(EXPONENTS)))
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    text = format_minor(minor, currency)
    assert parse_minor(text, currency, signed=True) == minor
    assert text.isascii()


# --- Rates ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "published"),
    [
        ("3.45", "3.45"),
        ("3.450", "3.450"),
        ("0", "0"),
        ("0.000", "0.000"),
        ("-0.571", "-0.571"),
        ("12", "12"),
        ("1000", "1000"),
        ("5.123456789012", "5.123456789012"),
    ],
)
def test_a_fixing_keeps_its_published_digits(text: str, published: str) -> None:
    assert parse_rate_percent(text) == published
    assert percent_to_fraction(text) * 100 == Decimal(text)
    assert parse_rate_percent(text.replace(".", ","), decimal_comma=True) == published


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(
            (case[0], "RATE_FORMAT")
            for case in EVIL
            if case[3] == "AMOUNT_FORMAT" and case[2] == "."
        ),
        ("3.45 %", "RATE_FORMAT"),
        ("3.1234567890123", "RATE_FORMAT"),
        ("-0.000", "RATE_FORMAT"),
        ("12345", "RATE_FORMAT"),
        ("1000.0001", "RATE_RANGE"),
        ("-1001", "RATE_RANGE"),
    ],
    ids=lambda value: ascii(value[:20]),
)
def test_an_evil_rate_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        percent_to_fraction(text)
    assert refused.value.code == code


@settings(max_examples=2_000)
@given(st.one_of(st.text(max_size=30), st.text("0123456789.,-+ eE_", max_size=26)))
def test_any_rate_text_is_refused_or_kept(text: str) -> None:
    try:
        published = parse_rate_percent(text)
    except InvalidInput as refused:
        assert refused.code in {"RATE_FORMAT", "RATE_RANGE"}  # noqa: PT017 - either is an answer
    else:
        assert published == text
        assert percent_to_fraction(text) * 100 == Decimal(text)
