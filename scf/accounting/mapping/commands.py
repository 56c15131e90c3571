"""The command that writes a new version of a firm's account numbers in one system."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Table, insert

from scf.accounting.mapping.models import AccountMapping
from scf.accounting.mapping.reading import numbers_of
from scf.accounting.mapping.systems import system_of
from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.kernel.errors import Conflict, InvalidInput
from scf.kernel.findings import shown
from scf.kernel.ids import new_id
from scf.ledger.service import Chart

_mapping: Final[Table] = AccountMapping.__table__  # type: ignore[attr-defined]
_MOST: Final = 500


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
    """The whole table: our code → their number; ``version`` is the one that was looked at."""

    model_config = ConfigDict(extra="forbid")

    system: str = Field(max_length=40)
    version: int = Field(ge=0, strict=True, le=2**53)
    accounts: dict[str, str] = Field(max_length=_MOST)
    details: dict[str, str] = Field(default_factory=dict, max_length=20)


@command("mapping.set", SetMapping)
def set_mapping(ctx: Context, data: SetMapping) -> dict[str, Any]:
    """Files and postings from now on bear these numbers; what left before stays as it was.

    Raises
    ------
    InvalidInput
        MAPPING_SYSTEM, MAPPING_DETAIL; MAPPING_ACCOUNT for an account that no book has;
        MAPPING_NUMBER for a number that the system could not have.
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
    before = numbers_of(ctx.conn, ctx.actor.org_id, data.system)
    if before.version != data.version:
        raise _changed()
    answer = {"system": data.system, "accounts": accounts, "details": details}
    if before.version and before.accounts == accounts and before.details == details:
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
    old = {"version": before.version, "accounts": before.accounts, "details": before.details}
    new = {"version": row["version"], "accounts": accounts, "details": details}
    ctx.change("account_mapping", str(row["id"]), old if before.version else None, new)
    return {**answer, "version": row["version"]}
