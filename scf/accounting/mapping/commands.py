"""The command that writes a new version of a firm's account numbers in one system."""

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Table, insert

from scf.accounting.mapping.models import AccountMapping
from scf.accounting.mapping.reading import numbers_of
from scf.accounting.mapping.systems import System, system_of
from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.kernel.errors import Conflict, InvalidInput
from scf.kernel.findings import shown
from scf.kernel.ids import new_id
from scf.ledger.service import Chart

_mapping: Final[Table] = AccountMapping.__table__  # type: ignore[attr-defined]
_MOST: Final = 500
_PARTY: Final = re.compile(r"[\x20-\x7e]{1,64}")


def _changed() -> Conflict:
    return Conflict(
        "MAPPING_CHANGED", "Somebody has changed these numbers meanwhile; read them again."
    )


constraint_means(
    "uq_account_mapping_version",
    "account_mapping.org_id, account_mapping.system, account_mapping.version",
    _changed,
)


class SetMapping(BaseModel):
    """The whole table: our code → their number; ``version`` is the one that was looked at.

    ``parties`` names the party for accounts of a live system that want one.
    """

    model_config = ConfigDict(extra="forbid")

    system: str = Field(max_length=40)
    version: int = Field(ge=0, strict=True, le=2**53)
    accounts: dict[str, str] = Field(max_length=_MOST)
    details: dict[str, str] = Field(default_factory=dict, max_length=20)
    parties: dict[str, str] = Field(default_factory=dict, max_length=_MOST)


@command("mapping.set", SetMapping)
def set_mapping(ctx: Context, data: SetMapping) -> dict[str, Any]:
    """Files and postings from now on bear these numbers; what left before stays as it was.

    Raises
    ------
    InvalidInput
        MAPPING_SYSTEM, MAPPING_DETAIL; MAPPING_ACCOUNT for an account that no book has;
        MAPPING_NUMBER for a number that the system could not have; MAPPING_PARTY for a party of
        an account without a number, or in a system that knows none.
    Conflict
        MAPPING_CHANGED when the version looked at is no longer the present one.
    """
    system = system_of(data.system)
    details = system.completed(data.details)
    accounts = {}
    for code, typed in sorted(data.accounts.items()):
        number = typed.strip()
        if code not in Chart.lines:
            raise InvalidInput(
                "MAPPING_ACCOUNT", "No book has an account %(account)s.", account=shown(code, 64)
            )
        fits = number.isprintable() and system.number.fullmatch(number)
        if not fits or not system.fits(number, details):
            raise InvalidInput(
                "MAPPING_NUMBER",
                "An account of %(system)s has %(shape)s: %(account)s has %(value)s.",
                system=system.title,
                shape=system.says,
                account=Chart.lines[code].name,
                value=shown(number, 80),
            )
        accounts[code] = number
    parties = _parties(system, accounts, data.parties)
    before = numbers_of(ctx.conn, ctx.actor.org_id, data.system)
    if before.version != data.version:
        raise _changed()
    new = {"accounts": accounts, "details": details, "parties": parties}
    old = {"accounts": before.accounts, "details": before.details, "parties": before.parties}
    answer = {"system": data.system, **new}
    if before.version and old == new:
        return {**answer, "version": before.version}
    row = {
        "id": new_id(),
        "org_id": ctx.actor.org_id,
        "version": before.version + 1,
        "created_by": ctx.actor.user_id,
        "created_at": ctx.now,
        **answer,
    }
    ctx.conn.execute(insert(_mapping), row)
    was = {"version": before.version, **old} if before.version else None
    ctx.change("account_mapping", str(row["id"]), was, {"version": row["version"], **new})
    return {**answer, "version": row["version"]}


def _parties(
    system: System, accounts: Mapping[str, str], typed: Mapping[str, str]
) -> dict[str, str]:
    parties = {code: party.strip() for code, party in sorted(typed.items()) if party.strip()}
    for code, party in parties.items():
        if not system.live or code not in accounts or not _PARTY.fullmatch(party):
            raise InvalidInput(
                "MAPPING_PARTY",
                "A party belongs to an account with a number in a system that is posted into: "
                "%(account)s has %(value)s.",
                account=shown(code, 64),
                value=shown(party, 80),
            )
    return parties
