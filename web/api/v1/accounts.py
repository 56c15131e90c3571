"""Bank accounts of firms: added by one person, verified by another at each financier."""

import datetime as dt

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import Session, col

from scf.db.types import Currency
from scf.parties.accounts import AddAccount
from scf.parties.models import AccountVerification, BankAccount
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader, run

resource = Blueprint("accounts", __name__)


class VerificationOut(Answer):
    """One financier's word on an account; it pays from ``usable_on``, or at once."""

    financier_id: str
    state: str
    verified_at: dt.datetime
    usable_on: dt.date | None


class AccountOut(Answer):
    """A bank account; a financier pays only to one that it has VERIFIED itself.

    ``state`` and ``usable_on`` sum up what you may see of the verifications: an officer that of
    the own financier, the firm all of them (VERIFIED by one at least; the latest day).
    """

    id: str
    firm_id: str
    number: str
    bic: str | None
    clearing_system: str | None
    clearing_member: str | None
    currency: Currency
    holder: str
    state: str
    usable_on: dt.date | None
    verifications: list[VerificationOut]


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
    """From which day your institution's money goes to it; null: at once."""

    id: str
    state: str
    usable_on: dt.date | None


class AccountClosed(Answer):
    """CLOSED for everybody, or WITHDRAWN: your institution pays to it no more, others may."""

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
        items = _shown(session, list(rows))
    return AccountPage(items=items, next_cursor=following)


def _shown(session: Session, rows: list[BankAccount]) -> list[AccountOut]:
    words: dict[str, list[VerificationOut]] = {row.id: [] for row in rows}
    found = session.execute(
        select(AccountVerification)
        .where(col(AccountVerification.account_id).in_(words))
        .order_by(col(AccountVerification.verified_at), col(AccountVerification.financier_id))
    ).scalars()
    for word in found:
        words[word.account_id].append(
            VerificationOut(
                financier_id=word.financier_id,
                state=word.state,
                verified_at=word.verified_at,
                usable_on=word.usable_on,
            )
        )
    return [_one(row, words[row.id]) for row in rows]


def _one(row: BankAccount, words: list[VerificationOut]) -> AccountOut:
    good = [word for word in words if word.state == "VERIFIED"]
    state = "VERIFIED" if good else "UNVERIFIED"
    return AccountOut(
        id=row.id,
        firm_id=row.firm_id,
        number=row.number,
        bic=row.bic,
        clearing_system=row.clearing_system,
        clearing_member=row.clearing_member,
        currency=row.currency,
        holder=row.holder,
        state="CLOSED" if row.state == "CLOSED" else state,
        usable_on=max((word.usable_on for word in good if word.usable_on), default=None),
        verifications=words,
    )


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
    """Say for your institution that the account is the firm's; never the person who added it."""
    outcome = run("account.verify", {"account_id": account_id, **json.model_dump()})
    return AccountVerified.model_validate(outcome.result)


@endpoint(
    resource, "DELETE", "/accounts/<account_id>", action="account.close", answer=AccountClosed
)
def close_account(account_id: str) -> AccountClosed:
    """Close an account of your firm; an officer closes it for the own institution only."""
    return AccountClosed.model_validate(run("account.close", {"account_id": account_id}).result)
