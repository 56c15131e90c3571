"""Long passwords are welcome, well-known ones are not, and nothing remembers them in clear."""

import pytest

from scf.kernel.errors import InvalidInput
from scf.parties import passwords

# The product's own, taken before the suite makes it light for the other tests.
HASHER = passwords._HASHER
CONTEXT = ("maria.keller@hengda.example", "Maria Keller", "Hengda Precision Parts")


@pytest.fixture(autouse=True)
def own_hasher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_HASHER", HASHER)


@pytest.mark.parametrize(
    "password",
    [
        "heron-cellar-oblique-17",
        "correct horse of the second battery",
        "密码不是这个而是另一个",
        "x" * 60 + "yzab",
        "ein Satz mit Leerzeichen",
        "q7#Kd!2p",
        "the keller family walks home late",
    ],
)
def test_a_good_password_is_taken_as_it_is_and_fits_its_hash(password: str) -> None:
    passwords.check(password, CONTEXT)
    stored = passwords.hash_password(password)
    # Source: OWASP password storage, argon2id with 19 MiB, two passes, one lane.
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify(stored, password)
    assert not passwords.verify(stored, password + " ")
    assert not passwords.needs_rehash(stored)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short17", "PASSWORD_SHORT"),
        ("y" * 257, "PASSWORD_LONG"),
        ("passwort", "PASSWORD_COMMON"),
        ("P@ssw0rd!!", "PASSWORD_COMMON"),
        ("Welcome2026!", "PASSWORD_COMMON"),
        ("qwertyuiop", "PASSWORD_COMMON"),
        ("23456789", "PASSWORD_COMMON"),
        ("aaaaaaaaaaaa", "PASSWORD_COMMON"),
        ("ababababab", "PASSWORD_COMMON"),
        ("keller2026!", "PASSWORD_CONTEXT"),
        ("K3ller-77", "PASSWORD_CONTEXT"),
        ("hengda#88", "PASSWORD_CONTEXT"),
        ("Tributary9", "PASSWORD_CONTEXT"),
    ],
)
def test_a_guessable_password_is_refused(password: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        passwords.check(password, CONTEXT)
    assert refused.value.code == code
    assert password not in f"{refused.value} {refused.value.facts}"


def test_nobodys_password_never_fits() -> None:
    assert not passwords.verify(None, "this hash belongs to nobody")
    assert not passwords.verify("", "anything at all")
    assert not passwords.verify("no hash", "anything at all")


def test_one_spelling_of_an_accent_is_as_good_as_the_other() -> None:
    assert passwords.verify(passwords.hash_password("caf\u00e9 au lait"), "cafe\u0301 au lait")
