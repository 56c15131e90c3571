"""Second factors of a demo world: everybody has an authenticator that the command line can read."""

from collections.abc import Iterable

from sqlalchemy import select

from scf.db.platform import Platform
from scf.kernel.actor import Actor
from scf.kernel.ids import new_id
from scf.parties.factors import codes
from scf.parties.factors.models import TotpFactor
from scf.parties.factors.vault import Vault
from scf.parties.mark import KEY

_totp = TotpFactor.__table__  # type: ignore[attr-defined]


def everybody(platform: Platform, people: Iterable[Actor], vault: Vault) -> None:
    """Set up an authenticator for each person who has none; each by the person's own command."""
    with platform.db.snapshot() as conn:
        enrolled = set(conn.execute(select(_totp.c.user_id)).scalars())
    for person in people:
        if person.user_id not in enrolled:
            sealed = vault.seal(codes.new_secret(), person.user_id)
            platform.run(
                "factor.enrol",
                {"sealed": sealed},
                person,
                key=f"{KEY}authenticator:{new_id()}",
                reason="the demo world's start",
            )
