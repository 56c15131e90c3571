"""Passwords: argon2id at rest, long ones welcome, common and guessable ones refused.

No rules of composition and no forced change (NIST SP 800-63B section 5.1.1.2, ASVS 6.2); what
counts is that the password is on no list of well-known ones and says nothing about its owner.
"""

import functools
import itertools
import re
import unicodedata
from collections.abc import Iterable
from importlib.resources import files
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from scf.kernel.errors import InvalidInput

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 256
_MIN_CONTEXT: Final = 4
_MIN_DIFFERENT: Final = 4
# Source: OWASP password storage, argon2id with 19 MiB, two passes, one lane.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_LEET: Final = str.maketrans("013457@$!", "oieastasi")
_PRODUCT_WORDS: Final = ("tributary", "supply-chain", "finance")


def hash_password(password: str) -> str:
    """Return the argon2id hash with its own salt."""
    return _HASHER.hash(unicodedata.normalize("NFC", password))


@functools.cache
def _nobodys_hash() -> str:
    return _HASHER.hash("this hash belongs to nobody")


def verify(stored: str | None, password: str) -> bool:
    """Tell whether the password fits; an absent hash costs the same time and never fits."""
    try:
        _HASHER.verify(
            stored or _nobodys_hash(), unicodedata.normalize("NFC", password[: MAX_LENGTH + 1])
        )
    except (Argon2Error, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Tell whether the hash was made with older parameters."""
    return _HASHER.check_needs_rehash(stored)


@functools.cache
def _common() -> frozenset[str]:
    text = files("scf.parties").joinpath("common_passwords.csv").read_text("utf-8")
    return frozenset(text.split()[1:])


def _skeleton(text: str) -> str:
    """Strip what people add to a word to satisfy a rule: case, digits, signs, look-alikes."""
    core = re.sub(r"[\W\d_]+$", "", re.sub(r"^[\W\d_]+", "", text.casefold()))
    return core.translate(_LEET)


def check(password: str, context: Iterable[str] = ()) -> None:
    """Refuse a password that is short, well known, or made of what is known about its owner.

    Raises
    ------
    InvalidInput
        ``PASSWORD_SHORT``, ``PASSWORD_LONG``, ``PASSWORD_COMMON`` or ``PASSWORD_CONTEXT``; the
        password itself is in no fact.
    """
    if len(password) < MIN_LENGTH:
        raise InvalidInput(
            "PASSWORD_SHORT", "Use at least %(minimum)s characters.", minimum=MIN_LENGTH
        )
    if len(password) > MAX_LENGTH:
        raise InvalidInput(
            "PASSWORD_LONG", "Use at most %(maximum)s characters.", maximum=MAX_LENGTH
        )
    plain = password.casefold()
    if (
        plain in _common()
        or _skeleton(plain) in _common()
        or len(set(plain)) < _MIN_DIFFERENT
        or _is_run(plain)
    ):
        raise InvalidInput("PASSWORD_COMMON", "This password is on the lists that thieves try.")
    letters = plain.translate(_LEET)
    for word in [*_words(context), *_PRODUCT_WORDS]:
        # A long passphrase may hold a name; a short password may not be built on one.
        rest = len(plain) - len(word)
        if (word in plain or word in letters) and rest < MIN_LENGTH:
            raise InvalidInput(
                "PASSWORD_CONTEXT", "The password is built on your name, address or organisation."
            )


def _is_run(text: str) -> bool:
    """Tell whether each character follows the one before (12345678, hgfedcba)."""
    steps = {ord(right) - ord(left) for left, right in itertools.pairwise(text)}
    return steps in ({1}, {-1})


def _words(context: Iterable[str]) -> list[str]:
    parts = (part for text in context for part in re.split(r"[\W_]+", text.casefold()))
    return sorted({part for part in parts if len(part) >= _MIN_CONTEXT})
