"""The secrets that messages are signed with, ours and those that others send us.

Made by the caller and sealed before any transaction, shown once; after a change the one before it
is good for a day more, so that both sides can change in their own time. The form is that of
Standard Webhooks.
"""

import datetime as dt
import secrets
from base64 import b64encode
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from scf.db.audit import SECRET
from scf.db.platform import Platform
from scf.db.runner import Outcome
from scf.kernel.actor import Actor
from scf.parties.factors.vault import Vault

OVERLAP: Final = dt.timedelta(hours=24)
PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32

# A sealed secret in the input of a command; it stays out of key, answer and audit trail.
Sealed = Annotated[
    str, Field(exclude=True, min_length=20, max_length=400, json_schema_extra={**SECRET})
]


def new_secret() -> str:
    """Return a fresh secret: 256 random bits."""
    return PREFIX + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")


def run_with_secret(
    platform: Platform,
    vault: Vault,
    actor: Actor,
    command: str,
    payload: Mapping[str, Any],
    owner: str,
    *,
    key: str,
) -> tuple[str | None, Outcome]:
    """Run a command with a new secret; gives it (None when the key was used before)."""
    secret = new_secret()
    sealed = {**payload, "sealed": vault.seal(secret, owner)}
    outcome = platform.run(command, sealed, actor, key=key)
    return (None if outcome.replayed else secret), outcome


def changed(row: Any, sealed: str, now: dt.datetime) -> dict[str, Any]:  # noqa: ANN401 - a row
    """Give what a row holds once its secret is another one."""
    return {
        "sealed": sealed,
        "former_sealed": row.sealed,
        "former_until": now + OVERLAP,
        "version": row.version + 1,
    }


def in_force(row: Any, owner: str, vault: Vault, now: dt.datetime) -> tuple[str, ...]:  # noqa: ANN401
    """Open the secrets of a row that count at an instant, the newest first."""
    sealed = [row.sealed]
    if row.former_sealed and row.former_until and row.former_until > now:
        sealed.append(row.former_sealed)
    return tuple(vault.open(one, owner) for one in sealed)
