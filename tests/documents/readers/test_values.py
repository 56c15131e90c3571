"""Cells have one reading: a date form is given, a grouping is whole, a doubt is a refusal."""

# ruff: noqa: RUF001 - names and digits of many scripts are the point

import datetime as dt
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scf.documents.readers.sniff import Format, sniff
from scf.documents.readers.text import mixed_word, plain_decimal, scaled, unsafe_character, xml_date
from scf.documents.readers.values import DATE_FORMATS, plain_amount, read_date
from scf.kernel.money import parse_minor


@pytest.mark.parametrize(
    ("text", "comma", "plain"),
    [
        ("1234.5", False, "1234.5"),
        ("1,234.50", False, "1234.50"),
        ("1.234,50", True, "1234.50"),
        ("1 234,50", True, "1234.50"),
        ("1\u202f234,50", True, "1234.50"),
        ("1'234.50", False, "1234.50"),
        ("12,34,567.00", False, None),
        ("1,23.00", False, None),
        ("1,234,56", False, None),
        ("1.234.567", False, None),
        ("1,234.567,8", False, None),
        ("(12.00)", False, "-12.00"),
        ("12.00-", False, "-12.00"),
        ("- 12.00", False, "-12.00"),
        ("(-12.00)", False, None),
        ("--12", False, None),
        ("€12.00", False, "12.00"),
        ("12,00 €", True, "12.00"),
        ("$12.00", False, None),
        ("€€12", False, None),
        ("1e5", False, None),
        ("0x10", False, None),
        ("١٢", False, None),
        ("12 000 0", False, None),
        ("", False, None),
        (".", False, None),
        ("9" * 41, False, None),
    ],
)
def test_an_amount_has_one_reading_or_none(text: str, comma: bool, plain: str | None) -> None:
    assert plain_amount(text, comma=comma, currency="EUR") == plain


@given(st.integers(-(10**14), 10**14), st.booleans())
def test_grouping_never_changes_an_amount(minor: int, comma: bool) -> None:
    grouped = f"{abs(minor) // 100:,}.{abs(minor) % 100:02d}"
    if comma:
        grouped = grouped.translate(str.maketrans(",.", ".,"))
    plain = plain_amount(f"-{grouped}" if minor < 0 else grouped, comma=comma, currency="EUR")
    assert plain is not None
    assert parse_minor(plain, "EUR", signed=True) == minor


@given(st.text(max_size=50))
def test_no_text_crashes_the_readers_of_cells(text: str) -> None:
    plain_amount(text, comma=False, currency="EUR")
    plain_amount(text, comma=True, currency="EUR")
    read_date(text, DATE_FORMATS)
    xml_date(text)
    unsafe_character(text)
    plain = plain_decimal(text)
    if plain is not None:
        scaled(plain)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2026-03-04", "YYYY-MM-DD"), ("2026-03-04T10:11:12Z", "YYYY-MM-DD"),
        ("2026-03-04 00:00", "YYYY-MM-DD"), ("04/03/2026", "DD/MM/YYYY"),
        ("3/4/2026", "MM/DD/YYYY"), ("04.03.2026", "DD.MM.YYYY"), ("04-03-2026", "DD-MM-YYYY"),
        ("2026/03/04", "YYYY/MM/DD"), ("20260304", "YYYYMMDD"), ("4 Mar 2026", "DD MMM YYYY"),
        ("04-März-2026", "DD-MMM-YYYY"), ("4-Mar-26", "DD-MMM-YY"), ("04/03/26", "DD/MM/YY"),
        ("03/04/26", "MM/DD/YY"), ("04.03.26", "DD.MM.YY"), ("2026年3月4日", "YYYY年MM月DD日"),
    ],
)  # fmt: skip
def test_a_date_is_read_in_its_form(text: str, form: str) -> None:
    assert read_date(text, (form,)) == dt.date(2026, 3, 4)


@pytest.mark.parametrize(
    "text",
    ["2026-02-29", "2026-13-01", "00:00:00", "1899-12-30", "2026-3-4x", "２０２６-03-04", ""],
)
def test_what_is_no_day_is_no_date(text: str) -> None:
    assert read_date(text, ("YYYY-MM-DD",)) is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [("007.50", "7.5"), ("+1", "1"), ("-0.00", "0"), (".5", "0.5"), ("5.", "5"), ("1,5", None),
     (".", None), ("", None), ("1e3", None), (" 1", None), ("0" * 41, None)],
)  # fmt: skip
def test_a_decimal_has_one_plain_spelling(text: str, plain: str | None) -> None:
    assert plain_decimal(text) == plain


@pytest.mark.parametrize(
    "name", ["上海精工机械有限公司", "Société Générale", "ООО Ромашка", "株式会社\u3000山田",
             "A\u00a0B", "شرکت\u200cها", "นครหลวง"],
)  # fmt: skip
def test_names_of_the_world_are_safe(name: str) -> None:
    assert unsafe_character(name) == ""


@pytest.mark.parametrize(
    ("name", "word"),
    [("Nоrdwerk Machines", "Nоrdwerk"), ("Αlpha S.p.A.", "Αlpha"), ("ООО Ромашка Ltd", ""),
     ("Ромашка-Trade", ""), ("µTech Ωmega", "Ωmega"), ("Łódź Ørsted", ""),
     ("ＡＢＣ株式会社", ""), ("上海ABC有限公司", ""), ("株式会社ケーエス", "")],
)  # fmt: skip
def test_a_word_of_several_alphabets_is_named(name: str, word: str) -> None:
    assert mixed_word(name) == word


def test_no_chinese_name_is_suspected() -> None:
    chance = random.Random(20261127)
    places = ("上海", "深圳市", "浙江省", "廣東", "重庆", "臺北", "苏州工业园区")
    forms = ("有限公司", "股份有限公司", "集团", "（中国）有限公司", "(香港)有限公司", " Co., Ltd.")
    for _ in range(1000):
        core = "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(chance.randint(2, 6)))
        name = (
            chance.choice(places)
            + core
            + chance.choice(("科技", "贸易", "ABC", ""))
            + (chance.choice(forms))
        )
        assert (unsafe_character(name), mixed_word(name)) == ("", "")


@pytest.mark.parametrize(
    "name", ["A\u202eB", "A\u200bB", "A\u0000B", "A\u2066B", "A\u200cB", "\ufeffA", "A\u2028B",
             "A\ud800B", "A\uffffB", "A\U000e0041B"],
)  # fmt: skip
def test_invisible_and_turning_characters_are_not(name: str) -> None:
    assert unsafe_character(name).startswith("U+")


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"<a/>", Format.XML), (b"\xef\xbb\xbf \n<a/>", Format.XML),
        ("<a/>".encode("utf-16"), Format.XML), (b"a,b\n1,2", Format.CSV),
        (b"UNB+UNOC:3+", Format.EDIFACT), (b"UNA:+.? '", Format.EDIFACT),
        (b"ISA*00*", Format.X12), (b'{"a": 1}', Format.JSON), (b"%PDF-1.4", Format.PDF),
        (b"PK\x03\x04", Format.ZIP), (b"\x1f\x8b\x08", Format.GZIP), (b"", Format.EMPTY),
        (b"\0" * 50, Format.BINARY), ("a;b\n".encode("utf-16"), Format.CSV),
    ],
)  # fmt: skip
def test_a_file_is_known_by_its_content(data: bytes, found: Format) -> None:
    assert sniff(data) is found
