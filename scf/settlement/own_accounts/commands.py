"""The command that writes a new version of how an own account is served."""

import datetime as dt
import re
from typing import Any, Final

from sqlalchemy import Table, insert

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.kernel.calendar import zone
from scf.kernel.errors import Conflict, InvalidInput
from scf.kernel.findings import shown
from scf.kernel.ids import new_id
from scf.settlement.own_accounts.models import AccountSetup
from scf.settlement.own_accounts.reading import Setup, setup_of
from scf.settlement.own_accounts.trying import SetUpAccount, own_account
from scf.settlement.readers import StatementMapping

_setup: Final[Table] = AccountSetup.__table__  # type: ignore[attr-defined]
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def _changed() -> Conflict:
    return Conflict(
        "SETUP_CHANGED", "Somebody has changed this account's setup meanwhile; read it again."
    )


constraint_means(
    "uq_account_setup_version", "account_setup.account_id, account_setup.version", _changed
)


@command("own_account.set_up", SetUpAccount)
def set_up(ctx: Context, data: SetUpAccount) -> dict[str, Any]:
    """Tables of the account are read, and payment files for its bank written, like this from now.

    Raises
    ------
    InvalidInput
        CUT_OFF, TIME_ZONE; MAPPING_NAME for a mapping without a name; SAMPLE_MISSING for a new
        mapping that was tried on nothing.
    Conflict
        SETUP_CHANGED when the version looked at is no longer the present one.
    """
    account = own_account(ctx.conn, data.account_id, ctx.actor)
    before = setup_of(ctx.conn, account.id)
    if before.version != data.version:
        raise _changed()
    after = _asked(data, before)
    answer = {"account_id": account.id, **_said(after)}
    if before.version and _said(before) == _said(after):
        return {**answer, "version": before.version}
    row = {
        "id": new_id(),
        "org_id": ctx.actor.org_id,
        "account_id": account.id,
        "version": before.version + 1,
        **_said(after),
        "batch_booking": int(after.batch_booking),
        "sample": after.sample,
        "created_by": ctx.actor.user_id,
        "created_at": ctx.now,
    }
    ctx.conn.execute(insert(_setup), row)
    ctx.change(
        "account_setup",
        str(row["id"]),
        {"version": before.version, **_said(before)} if before.version else None,
        {"version": row["version"], "sample": after.sample, **_said(after)},
    )
    return {**answer, "version": row["version"]}


def _asked(data: SetUpAccount, before: Setup) -> Setup:
    if data.cut_off and not _TIME.fullmatch(data.cut_off):
        raise InvalidInput(
            "CUT_OFF", "A cut-off is a time of day such as 16:00.", value=shown(data.cut_off, 20)
        )
    zone(data.cut_off_zone)
    mapping = StatementMapping.of_stored(data.mapping) if data.mapping else None
    sample: dict[str, Any] = {}
    if mapping is not None:
        if not data.mapping_name.strip():
            raise InvalidInput("MAPPING_NAME", "A mapping has a name.")
        known = before.mapping is not None and before.mapping.mark == mapping.mark
        if data.sample is None and not known:
            raise InvalidInput(
                "SAMPLE_MISSING",
                "A mapping is tried on a table of the bank before it is kept; send one with it.",
            )
        sample = data.sample.model_dump() if data.sample is not None else dict(before.sample)
    return Setup(
        data.account_id,
        before.version,
        data.mapping_name.strip() if mapping is not None else "",
        mapping,
        sample,
        data.payment_version,
        data.shape,
        data.batch_booking,
        data.cut_off and dt.time.fromisoformat(data.cut_off).isoformat("minutes"),
        data.cut_off_zone,
    )


def _said(one: Setup) -> dict[str, Any]:
    return {
        "mapping_name": one.mapping_name,
        "mapping": one.mapping.model_dump(mode="json") if one.mapping is not None else {},
        "payment_version": one.payment_version,
        "shape": one.shape,
        "batch_booking": one.batch_booking,
        "cut_off": one.cut_off,
        "cut_off_zone": one.cut_off_zone,
    }
