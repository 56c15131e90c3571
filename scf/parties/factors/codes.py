"""Codes of an authenticator (RFC 6238) and recovery codes: made, compared, told apart."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Container
from typing import Final

STEP_SECONDS: Final = 30
DIGITS: Final = 6
ISSUER: Final = "Tributary"
# A phone's clock may be half a minute off, to either side.
WINDOW: Final = 1
RECOVERY_CODES: Final = 10
HANDED_OVER_FOR: Final = dt.timedelta(hours=24)
# Six groups of four out of 32 signs: 120 bits, so a plain digest keeps them (ASVS 5.0 6.5.2).
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 6, 4
_LONGEST_TYPED: Final = 64


def new_secret() -> str:
    """Return a fresh secret for an authenticator: 160 random bits, in base 32."""
    import pyotp

    return pyotp.random_base32()


def address_of(secret: str, email: str) -> str:
    """Return what an authenticator scans (the Key URI Format)."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def step_at(now: dt.datetime) -> int:
    """Return the time step that an instant lies in."""
    return int(now.timestamp()) // STEP_SECONDS


def code_of(secret: str, step: int) -> str:
    """Return the code of one time step."""
    import pyotp

    return pyotp.TOTP(secret).generate_otp(step)


def step_of(secret: str, typed: str, now: dt.datetime) -> int | None:
    """Return the time step near now whose code was typed, or nothing.

    All steps of the window are compared, always, each in constant time.
    """
    from pyotp.utils import strings_equal

    code = "".join(typed[:_LONGEST_TYPED].split())
    found, present = None, step_at(now)
    for step in range(present - WINDOW, present + WINDOW + 1):
        if strings_equal(code_of(secret, step), code):
            found = step
    return found


def next_unused(now: dt.datetime, used: Container[int]) -> int | None:
    """Return the step whose code works now and was not used: the present one first."""
    present = step_at(now)
    for step in (present, present + WINDOW, present - WINDOW):
        if step not in used:
            return step
    return None


def new_recovery_code() -> str:
    """Return a recovery code as it is shown, in groups that can be read aloud."""
    return _grouped(_GROUPS)


def new_mailbox_code() -> str:
    """Return a code for a mailbox: 60 bits, which live for an hour and can be typed."""
    return _grouped(_GROUPS // 2)


def _grouped(groups: int) -> str:
    return "-".join(
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(groups)
    )


def digest_of(code: str) -> str:
    """Return what the table keeps of such a code, however it was typed."""
    plain = "".join(sign for sign in code[:_LONGEST_TYPED].lower() if sign.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
