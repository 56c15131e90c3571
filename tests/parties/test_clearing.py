"""Banks and accounts of national clearing systems: what is taken, what is refused, what is sent."""

import pytest

from scf.kernel.errors import InvalidInput
from scf.parties import clearing

RIGHT = {
    "GBDSC": ("20-00 00", "200000", "5577 9911", "55779911"),
    "USABA": ("021000021", "021000021", "0012345678", "0012345678"),
    "CNAPS": ("102100099996", "102100099996", "6222 0212 3456 7890 123", "6222021234567890123"),
    "AUBSB": ("062-000", "062000", "12345678", "12345678"),
    "INFSC": ("hdfc0000001", "HDFC0000001", "50100012345678", "50100012345678"),
}


@pytest.mark.parametrize("system", sorted(RIGHT))
def test_a_number_is_kept_without_what_people_write_between_digits(system: str) -> None:
    typed, bank, written, account = RIGHT[system]
    assert clearing.member(system, typed) == bank
    assert clearing.account(system, written) == account


@pytest.mark.parametrize(
    ("system", "number", "code"),
    [
        ("USABA", "021000022", "CLEARING_MEMBER"),  # its check digit is wrong
        ("USABA", "02100002", "CLEARING_MEMBER"),
        ("GBDSC", "2000000", "CLEARING_MEMBER"),
        ("GBDSC", "20000\N{FULLWIDTH DIGIT ZERO}", "CLEARING_MEMBER"),  # a fullwidth digit
        ("CNAPS", "10210009999\n6", "CLEARING_MEMBER"),
        ("XXXXX", "1", "CLEARING_SYSTEM"),
    ],
)
def test_a_bank_that_a_system_cannot_have_is_refused(system: str, number: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        clearing.member(system, number)
    assert refused.value.code == code


def test_an_account_of_another_form_is_refused() -> None:
    with pytest.raises(InvalidInput, match="ACCOUNT_NUMBER"):
        clearing.account("GBDSC", "5577991")


def test_every_code_fits_the_message_and_names_a_country() -> None:
    for code, system in clearing.CLEARING.items():
        assert len(code) == 5
        assert code.isalpha()
        assert len(system.country) == 2
        assert clearing.member(code, system.example) == system.example
