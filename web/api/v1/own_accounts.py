"""Own bank accounts: the mapping of their tables, and how their bank takes payments."""

import datetime as dt
from typing import Any

from flask import Blueprint, g
from sqlalchemy import Row
from sqlalchemy.engine import Connection

from scf.db.types import Currency
from scf.settlement.own_accounts import trying
from scf.settlement.own_accounts.reading import Setup, history_of, setup_of, setups_of
from scf.settlement.own_accounts.reading import own_accounts as accounts_of
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader
from web.context import actor, platform

resource = Blueprint("own-accounts", __name__)


class SetupOut(Answer):
    """How an account is served; version 0 was never written. ``mapping`` may be empty."""

    version: int
    mapping_name: str
    mapping: dict[str, Any]
    payment_version: str
    shape: str
    batch_booking: bool
    cut_off: str
    cut_off_zone: str


class SetupVersion(SetupOut):
    """One version, with the sample (name, sha256, rows) on which its mapping was tried."""

    sample: dict[str, Any]
    created_by: str
    created_at: dt.datetime


class OwnAccountOut(Answer):
    """An own account and how it is served at present."""

    id: str
    number: str
    bic: str | None
    currency: Currency
    holder: str
    setup: SetupOut


class OwnAccountList(Answer):
    """Your own open accounts."""

    items: list[OwnAccountOut]


class OwnAccountDetail(OwnAccountOut):
    """An own account with every version, the newest first."""

    versions: list[SetupVersion]


class SetupWritten(SetupOut):
    """The version that counts now."""

    account_id: str


@endpoint(resource, "GET", "/own-accounts", action="own_account.read", answer=OwnAccountList)
def list_own_accounts() -> OwnAccountList:
    """List your own accounts with how each is served."""
    with reader() as session:
        rows = accounts_of(session.connection(), actor().org_id)
        setups = setups_of(session.connection(), [row.id for row in rows])
    return OwnAccountList(items=[_account(row, setups[row.id]) for row in rows])


@endpoint(
    resource,
    "GET",
    "/own-accounts/<own_account_id>",
    action="own_account.read",
    answer=OwnAccountDetail,
)
def get_own_account(own_account_id: str) -> OwnAccountDetail:
    """Show one own account with every version of its setup."""
    with reader() as session:
        conn = session.connection()
        row = trying.own_account(conn, own_account_id, actor())
        return _detail(conn, row)


@endpoint(
    resource,
    "PUT",
    "/own-accounts/<own_account_id>",
    action="own_account.set_up",
    answer=SetupWritten,
)
def set_up_own_account(own_account_id: str, json: trying.Asked) -> SetupWritten:
    """Write how an account is served; a new mapping only with a sample that it reads whole.

    ``version`` is the one you looked at, 0 at first.
    """
    done = trying.set_up(platform(), actor(), own_account_id, json, g.idempotency_key)
    return SetupWritten(**done.result)


def _account(row: Row[Any], setup: Setup) -> OwnAccountOut:
    return OwnAccountOut(**_head(row), setup=SetupOut(**_told(setup)))


def _detail(conn: Connection, row: Row[Any]) -> OwnAccountDetail:
    versions = [
        SetupVersion(
            version=one.version,
            mapping_name=one.mapping_name,
            mapping=dict(one.mapping),
            payment_version=one.payment_version,
            shape=one.shape,
            batch_booking=bool(one.batch_booking),
            cut_off=one.cut_off,
            cut_off_zone=one.cut_off_zone,
            sample=dict(one.sample),
            created_by=one.created_by,
            created_at=one.created_at,
        )
        for one in history_of(conn, row.id)
    ]
    setup = setup_of(conn, row.id)
    return OwnAccountDetail(**_head(row), setup=SetupOut(**_told(setup)), versions=versions)


def _head(row: Row[Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("id", "number", "bic", "currency", "holder")}


def _told(one: Setup) -> dict[str, Any]:
    return {
        "version": one.version,
        "mapping_name": one.mapping_name,
        "mapping": one.mapping.model_dump(mode="json") if one.mapping is not None else {},
        "payment_version": one.payment_version,
        "shape": one.shape,
        "batch_booking": one.batch_booking,
        "cut_off": one.cut_off,
        "cut_off_zone": one.cut_off_zone,
    }
