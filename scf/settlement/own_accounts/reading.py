"""How an own account is served at present, as payments and statements ask it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Row, Table, or_, select
from sqlalchemy.engine import Connection

from scf.documents.readers.text import squeeze
from scf.kernel.calendar import instant_of, local_date, zone
from scf.kernel.errors import InvalidInput, NotFound
from scf.kernel.findings import shown
from scf.parties.models import BankAccount, Firm
from scf.parties.service import counts_for
from scf.settlement.own_accounts.models import AccountSetup
from scf.settlement.readers import StatementMapping
from scf.settlement.readers.table import header_of
from scf.settlement.readers.table_mapping import Layout
from scf.settlement.writers import VERSION_09

_setup: Final[Table] = AccountSetup.__table__  # type: ignore[attr-defined]
_firm: Final[Table] = Firm.__table__  # type: ignore[attr-defined]
_account: Final[Table] = BankAccount.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Setup:
    """How one account is served; version 0 is what counts while nobody has said anything."""

    account_id: str
    version: int = 0
    mapping_name: str = ""
    mapping: StatementMapping | None = None
    sample: dict[str, Any] = field(default_factory=dict)
    payment_version: str = VERSION_09
    shape: str = "auto"
    batch_booking: bool = False
    cut_off: str = ""
    cut_off_zone: str = "UTC"

    def is_past(self, on: dt.date, now: dt.datetime) -> bool:
        """Tell whether the bank takes nothing more for the day ``on``.

        As with a programme's cut-off, a day of the books that is not the clock's is open (0015).
        """
        if not self.cut_off:
            return False
        place = zone(self.cut_off_zone)
        if local_date(now, place) != on:
            return False
        return now > instant_of(on, dt.time.fromisoformat(self.cut_off), place)


def own_accounts(conn: Connection, org_id: str) -> list[Row[Any]]:
    """Read the open accounts of an organisation, the oldest first, each number once.

    A financier's are those that it has named itself: statements are read of them. Of a trading
    firm those that its bank has on file count, too: they only say from where it pays.
    """
    trades = select(_firm.c.id).where(_firm.c.kind != "financier")
    rows = conn.execute(
        select(_account)
        .where(
            _account.c.firm_id == org_id,
            _account.c.state == "OPEN",
            or_(counts_for(org_id), _account.c.firm_id.in_(trades)),
        )
        .order_by(_account.c.created_at, _account.c.id)
    )
    found: dict[tuple[str, str, str], Row[Any]] = {}
    for row in rows:
        found.setdefault((row.number, row.bank, row.currency), row)
    return list(found.values())


def setup_of(conn: Connection, account_id: str) -> Setup:
    """Give the present version for an account."""
    return setups_of(conn, [account_id])[account_id]


def setups_of(conn: Connection, account_ids: Sequence[str]) -> dict[str, Setup]:
    """Give the present version for each account."""
    rows = conn.execute(
        select(_setup).where(_setup.c.account_id.in_(list(account_ids))).order_by(_setup.c.version)
    )
    return {one: Setup(one) for one in account_ids} | {row.account_id: told(row) for row in rows}


def told(row: Row[Any]) -> Setup:
    """Give a stored version as a value."""
    return Setup(
        row.account_id,
        row.version,
        row.mapping_name,
        StatementMapping.of_stored(row.mapping) if row.mapping else None,
        dict(row.sample),
        row.payment_version,
        row.shape,
        bool(row.batch_booking),
        row.cut_off,
        row.cut_off_zone,
    )


def history_of(conn: Connection, account_id: str) -> list[Row[Any]]:
    """Read every version for an account, the newest first."""
    return list(
        conn.execute(
            select(_setup)
            .where(_setup.c.account_id == account_id)
            .order_by(_setup.c.version.desc())
        )
    )


def mapping_of_table(
    conn: Connection, org_id: str, data: bytes, account: str = ""
) -> StatementMapping | None:
    """Find the kept mapping by which a bank's table is read, or nothing where none is kept.

    With ``account`` (id or number) that account's. Otherwise the one whose columns all stand in
    the table's header; the only mapping there is, too, so that it can be said what does not fit.

    Raises
    ------
    NotFound
        ACCOUNT, for an account that is none of this organisation's.
    InvalidInput
        MAPPING_MISSING, when the account named has none; MAPPING_AMBIGUOUS, when several fit.
    """
    accounts = own_accounts(conn, org_id)
    if account:
        wanted = "".join(account.split()).upper()
        accounts = [row for row in accounts if account == row.id or wanted == row.number]
        if not accounts:
            raise NotFound("ACCOUNT", "This is none of your accounts.", kind="account")
    setups = setups_of(conn, [row.id for row in accounts])
    kept = {one.mapping.mark: one.mapping for one in setups.values() if one.mapping is not None}
    if account and not kept:
        raise InvalidInput("MAPPING_MISSING", "No mapping of tables is kept for this account.")
    fits = [one for one in kept.values() if _fits(data, one)]
    if len(fits) > 1:
        raise InvalidInput(
            "MAPPING_AMBIGUOUS",
            "The kept mappings of several accounts fit this table; say which account it is of:"
            " %(names)s.",
            names=shown(
                ", ".join(one.mapping_name for one in setups.values() if one.mapping in fits), 200
            ),
        )
    if fits:
        return fits[0]
    return next(iter(kept.values())) if len(kept) == 1 else None


def _fits(data: bytes, mapping: StatementMapping) -> bool:
    try:
        header = header_of(data, Layout.of(mapping))
    except InvalidInput:
        return False
    return all(header.count(squeeze(column)) == 1 for column in mapping.columns.values())
