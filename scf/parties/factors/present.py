"""The code that an authenticator shows now, read from the database: for demo worlds only."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.engine import Connection

from scf.kernel.errors import NotFound, Unavailable
from scf.parties.factors import codes
from scf.parties.factors.models import TotpFactor
from scf.parties.factors.proof import used_steps
from scf.parties.factors.vault import Vault

_totp = TotpFactor.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Shown:
    """A code that works now, and for how many seconds more."""

    code: str
    seconds: int


def next_code(conn: Connection, vault: Vault, user_id: str, now: dt.datetime) -> Shown:
    """Return the next code of a person that was not used.

    Raises
    ------
    NotFound
        ``NO_AUTHENTICATOR`` when the person has set none up.
    Unavailable
        ``CODES_USED`` when all that work now were used; with the seconds until the next.
    """
    sealed = conn.execute(
        select(_totp.c.sealed).where(_totp.c.user_id == user_id)
    ).scalar_one_or_none()
    if sealed is None:
        raise NotFound("NO_AUTHENTICATOR", "This person has not set up an authenticator yet.")
    step = codes.next_unused(now, used_steps(conn, user_id))
    if step is None:
        waits = codes.STEP_SECONDS - int(now.timestamp()) % codes.STEP_SECONDS
        raise Unavailable("CODES_USED", "Every code of this moment was used.", retry_after=waits)
    ends = (step + codes.WINDOW + 1) * codes.STEP_SECONDS
    return Shown(codes.code_of(vault.open(sealed, user_id), step), ends - int(now.timestamp()))
