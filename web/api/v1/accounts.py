"""Bank accounts of firms: added by one person, verified by another."""

import datetime as dt

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.db.types import Currency
from scf.parties.commands import AddAccount
from scf.parties.models import BankAccount
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader, run

resource = Blueprint("accounts", __name__)


class AccountOut(Answer):
    """A bank account; money leaves only to a VERIFIED one whose ``usable_on`` has come."""

    id: str
    firm_id: str
    number: str
    bic: str | None
    currency: Currency
    holder: str
    state: str
    usable_on: dt.date | None


class AccountPage(Answer):
    """Some of the accounts."""

    items: list[AccountOut]
    next_cursor: str


class AccountsQuery(PageQuery):
    """Which accounts."""

    firm_id: str = Field(default="", max_length=64)


class AccountAdded(Answer):
    """The new account."""

    id: str
    firm_id: str
    state: str


class AccountVerified(Answer):
    """From which day money goes to it; null: at once."""

    id: str
    state: str
    usable_on: dt.date | None


class AccountClosed(Answer):
    """The closed account."""

    id: str
    state: str


class Verify(BaseModel):
    """What showed that the account is the firm's."""

    model_config = ConfigDict(extra="forbid")
    evidence: str = Field(min_length=3, max_length=2000)


@endpoint(resource, "GET", "/accounts", action="account.read", answer=AccountPage)
def list_accounts(query: AccountsQuery) -> AccountPage:
    """List the bank accounts you may see."""
    statement = select(BankAccount)
    if query.firm_id:
        statement = statement.where(col(BankAccount.firm_id) == query.firm_id)
    with reader() as session:
        rows, following = page(session, statement, query, col(BankAccount.id))
        items = [AccountOut.model_validate(row.model_dump(include=_SHOWN)) for row in rows]
    return AccountPage(items=items, next_cursor=following)


_SHOWN = set(AccountOut.model_fields)


@endpoint(resource, "POST", "/accounts", action="account.add", answer=AccountAdded, status=201)
def add_account(json: AddAccount) -> tuple[AccountAdded, int]:
    """Add an account; another person verifies it."""
    return AccountAdded.model_validate(run("account.add", json).result), 201


@endpoint(
    resource,
    "POST",
    "/accounts/<account_id>/verify",
    action="account.verify",
    answer=AccountVerified,
)
def verify_account(account_id: str, json: Verify) -> AccountVerified:
    """Say that the account is the firm's; never the person who added it."""
    outcome = run("account.verify", {"account_id": account_id, **json.model_dump()})
    return AccountVerified.model_validate(outcome.result)


@endpoint(
    resource, "DELETE", "/accounts/<account_id>", action="account.close", answer=AccountClosed
)
def close_account(account_id: str) -> AccountClosed:
    """Close an account: it receives nothing any more."""
    return AccountClosed.model_validate(run("account.close", {"account_id": account_id}).result)
