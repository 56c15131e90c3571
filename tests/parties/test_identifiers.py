"""A number is public only if its own check holds; every spelling of it is one number."""

import pytest

from scf.kernel.errors import InvalidInput, Words
from scf.parties import identifiers as numbers


@pytest.mark.parametrize(
    ("scheme", "text", "value"),
    [
        ("lei", " 2138 00KUD8LAJWSQ9D15", "213800KUD8LAJWSQ9D15"),
        ("LEI", "213800kud8lajwsq9d15", "213800KUD8LAJWSQ9D15"),
        ("vat", "DE 136.695.976", "DE136695976"),
        ("vat", "GB980780684", "GB980780684"),
        ("vat", "NO995525828MVA", "NO995525828MVA"),
        ("vat", "EL094259216", "EL094259216"),
        ("uscc", "91110000600037341L", "91110000600037341L"),
        ("gln", "4012345000009", "4012345000009"),
        ("duns", "12-345-6789", "123456789"),
        ("reg:GB", "0123 4567", "0123 4567"),
        ("id:0192", "995525828", "995525828"),
        ("tax:GST", "12", "12"),
        ("name", "  \uff22\uff41\uff4e\uff4b  OF\tRiver ", "bank of river"),
    ],
)
def test_a_number_has_one_spelling(scheme: str, text: str, value: str) -> None:
    assert numbers.check(scheme, text) == value


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        ("lei", "213800KUD8LAJWSQ9D16"),
        ("lei", "213800KUD8LAJWSQ9D1"),
        ("vat", "DE136695977"),
        ("vat", "136695976"),
        ("vat", "ZZ136695976"),
        ("vat", "EU136695976"),
        ("uscc", "91110000600037342L"),
        ("gln", "4012345000008"),
        ("gln", "401234500000"),
        ("duns", "12345678"),
        ("duns", "12345678٩"),
        ("reg:GB", "01\u202e23"),
        ("id", ""),
        ("passport", "123"),
        ("reg:../etc", "1"),
        ("constructor:x", "1"),
    ],
)
def test_a_wrong_number_is_refused_with_a_reason(scheme: str, text: str) -> None:
    with pytest.raises(InvalidInput, match="IDENTIFIER"):
        numbers.check(scheme, text)


def test_a_number_that_fails_its_check_is_nobodys_public_number() -> None:
    good, bad, alias = (
        numbers.judge("vat", "DE136695976"),
        numbers.judge("vat", "GB1232434"),
        numbers.judge("id", "K-17"),
    )
    assert (good.public, bad.public, alias.public) == (True, False, False)


def test_several_numbers_come_once_and_public_ones_first() -> None:
    judged = numbers.judge_all(
        [("id", "K-17"), ("vat", "DE136695976"), ("vat", "de 136 695 976"), ("id", "  ")]
    )
    assert [(item.scheme, item.value) for item in judged] == [
        ("vat", "DE136695976"),
        ("id", "K-17"),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("gb29 nwbk 6016 1331 9268 19", "GB29NWBK60161331926819"),
        ("DE89370400440532013000", "DE89370400440532013000"),
    ],
)
def test_an_iban_is_kept_without_blanks(text: str, value: str) -> None:
    assert numbers.iban(text) == value


@pytest.mark.parametrize("text", ["GB29NWBK60161331926818", "ZZ00", "", "DE8937040044053201300"])
def test_a_wrong_iban_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        numbers.iban(text)
    assert refused.value.code == "IBAN"
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("text", ["DEUT", "DEUTDEFF50", "deut!eff"])
def test_a_wrong_bic_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="BIC"):
        numbers.bic(text)


@pytest.mark.parametrize("text", ["Ri\u202ever", "Ri\u200bver", "Ri\x00ver", "a\nb"])
def test_a_name_with_invisible_characters_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="TEXT_HIDDEN"):
        numbers.clean_text(text, Words("name"))


def test_a_chinese_name_is_kept_as_it_is() -> None:
    assert (
        numbers.clean_text("青岛恒达精密零件有限公司", Words("name")) == "青岛恒达精密零件有限公司"
    )
