"""Commands on bank accounts: named by one person, verified by another, per financier.

What a firm says of its own accounts is there for every financier to verify. What the officers of
one financier add or verify counts for that financier alone: no other pays on their word.
"""

import datetime as dt
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, exists, func, insert, or_, select, update

from scf.db.audit import PERSONAL
from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.types import Currency
from scf.kernel.actor import OPERATOR, Role
from scf.kernel.calendar import BusinessCalendar
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, RuleViolation, Words
from scf.kernel.ids import new_id
from scf.kernel.money import exponent
from scf.parties import clearing
from scf.parties import identifiers as numbers
from scf.parties.identity.lookup import reindex
from scf.parties.identity.resolving import not_merged
from scf.parties.lifecycle import ACCOUNT, VERIFICATION
from scf.parties.models import AccountVerification, BankAccount, Firm
from scf.parties.service import (
    business_date,
    counts_for,
    financier_only,
    same_person,
)

_firm = Firm.__table__  # type: ignore[attr-defined]
_account = BankAccount.__table__  # type: ignore[attr-defined]
_verification = AccountVerification.__table__  # type: ignore[attr-defined]
_OFFICERS = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER})
# A changed account receives nothing for this many banking days: time for a call-back to the old
# contact before redirected money is gone.
COOLING_OFF_DAYS = 3


def _raced() -> Conflict:
    return Conflict("STALE", "Somebody changed the account meanwhile.")


constraint_means(
    "uq_bank_account",
    "bank_account.firm_id, bank_account.number, bank_account.bank, bank_account.added_by_org",
    lambda: Conflict("ACCOUNT_EXISTS", "The firm already has this account."),
)
constraint_means(
    "account_verification_pkey",
    "account_verification.account_id, account_verification.financier_id",
    _raced,
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class AddAccount(_Input):
    """A bank account of a firm: an IBAN, or a national number with its bank.

    The bank of a national number is named by its BIC, by its number in a clearing system (a sort
    code is ``GBDSC``, a routing number ``USABA``, a CNAPS code ``CNAPS``), or by both. Banks
    outside SEPA ask for the holder's address too: town and country at least.
    """

    firm_id: str | None = Field(default=None, max_length=64)
    iban: str | None = Field(default=None, max_length=60, json_schema_extra={**PERSONAL})
    number: str | None = Field(
        default=None, pattern=r"^[0-9A-Za-z-]{4,34}$", json_schema_extra={**PERSONAL}
    )
    bic: str | None = Field(default=None, max_length=20)
    clearing_system: str | None = Field(default=None, max_length=5)
    clearing_member: str | None = Field(default=None, max_length=35)
    currency: Currency
    holder: str = Field(default="", max_length=400, json_schema_extra={**PERSONAL})
    street: str = Field(default="", max_length=70, json_schema_extra={**PERSONAL})
    postcode: str = Field(default="", max_length=16, json_schema_extra={**PERSONAL})
    town: str = Field(default="", max_length=35, json_schema_extra={**PERSONAL})
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")


class VerifyAccount(_Input):
    """A second person's word that the account is the firm's, and what showed it."""

    account_id: str = Field(max_length=64)
    evidence: str = Field(min_length=3, max_length=2000)


class CloseAccount(_Input):
    """An account that receives nothing any more."""

    account_id: str = Field(max_length=64)


@command("account.add", AddAccount)
def add_account(ctx: Context, data: AddAccount) -> dict[str, Any]:
    """The firm has one more account; it receives nothing before a second person verified it.

    Added by an officer it is the record of that officer's financier; no other sees or uses it.

    Raises
    ------
    Conflict
        ``ACCOUNT_EXISTS`` when the firm itself, or this organisation, has named it already.
    """
    firm = ctx.visible(Firm, data.firm_id or ctx.actor.org_id)
    not_merged(ctx.conn, firm.id)
    own = ctx.actor.org_id
    officer = bool(ctx.actor.roles & _OFFICERS) or ctx.actor.is_operator
    if firm.id != own and not officer:
        raise NotAllowed("NOT_ALLOWED", "You add accounts of your own organisation only.")
    if bool(data.iban) == bool(data.number):
        raise InvalidInput("ACCOUNT_NUMBER", "Give either an IBAN or a national number.")
    if data.number and not (data.bic or data.clearing_system):
        raise InvalidInput(
            "ACCOUNT_BIC", "A national number needs the BIC of its bank, or its clearing number."
        )
    if bool(data.clearing_system) != bool(data.clearing_member):
        raise InvalidInput(
            "CLEARING_MEMBER", "A clearing system and a bank's number in it go together."
        )
    if (data.street or data.postcode or data.town) and not (data.town and data.country):
        raise InvalidInput("ADDRESS", "An address names its town and its country.")
    exponent(data.currency)
    account_id = new_id()
    number = numbers.iban(data.iban) if data.iban else _national(data)
    if firm.id != own:
        _not_named_by_the_firm(ctx, firm.id, str(number), data)
    holder = numbers.clean_text(data.holder or firm.name, Words("holder"))
    ctx.conn.execute(
        insert(_account),
        {
            "id": account_id,
            "firm_id": firm.id,
            "number": number,
            "is_iban": 1 if data.iban else 0,
            "bic": numbers.bic(data.bic) if data.bic else None,
            "clearing_system": data.clearing_system or None,
            "clearing_member": _member(data),
            "bank": _bank(data),
            "currency": data.currency,
            "holder": holder,
            "street": numbers.clean_text(data.street, Words("street")) if data.street else "",
            "postcode": numbers.clean_text(data.postcode, Words("postcode"))
            if data.postcode
            else "",
            "town": numbers.clean_text(data.town, Words("town")) if data.town else "",
            "country": data.country,
            "state": "OPEN",
            "added_by": ctx.actor.user_id,
            "added_by_org": own,
            "created_at": ctx.now,
        },
    )
    reindex(ctx.conn, firm.id)
    ctx.change("bank_account", account_id, None, {"firm_id": firm.id, "state": "UNVERIFIED"})
    return {"id": account_id, "firm_id": firm.id, "state": "UNVERIFIED"}


def _national(data: AddAccount) -> str:
    number = data.number or ""
    return clearing.account(data.clearing_system, number) if data.clearing_system else number


def _member(data: AddAccount) -> str | None:
    if not (data.clearing_system and data.clearing_member):
        return None
    return clearing.member(data.clearing_system, data.clearing_member)


def _bank(data: AddAccount) -> str:
    """Name the bank of a national number, as it tells equal numbers of two banks apart."""
    if data.iban:
        return ""
    if data.clearing_system:
        return f"{data.clearing_system}:{_member(data)}"
    return numbers.bic(data.bic or "")[:8]


def _not_named_by_the_firm(ctx: Context, firm_id: str, number: str, data: AddAccount) -> None:
    """Refuse a second record of what the firm itself has named: verify that one instead."""
    bic = numbers.bic(data.bic)[:8] if data.bic else None
    there = select(_account.c.id).where(
        _account.c.firm_id == firm_id,
        _account.c.number == number,
        # Named by clearing number here and by BIC there, it may be one and the same.
        or_(_account.c.bank == _bank(data), func.substr(_account.c.bic, 1, 8) == bic),
        _account.c.added_by_org.in_([firm_id, OPERATOR.org_id]),
        _account.c.state == "OPEN",
    )
    known = ctx.conn.execute(there.limit(1)).scalar_one_or_none()
    if known is not None:
        raise Conflict("ACCOUNT_EXISTS", "The firm already has this account.", id=known)


@command("account.verify", VerifyAccount)
def verify_account(ctx: Context, data: VerifyAccount) -> dict[str, Any]:
    """The verifier's own financier may pay to the account; every other verifies for itself.

    At once for the firm's first account in a currency, after a cooling-off for any later one and
    for one that was withdrawn before.

    Raises
    ------
    RuleViolation
        ``SAME_PERSON`` when the verifier added the account: two people stand behind every payee.
    NotAllowed
        ``FINANCIER_ONLY`` when the verifier works for no financier.
    """
    financier_id = financier_only(ctx.conn, ctx.actor)
    account = ctx.visible(BankAccount, data.account_id)
    not_merged(ctx.conn, account.firm_id)
    if same_person(ctx.conn, ctx.actor.user_id, [account.added_by]):
        raise RuleViolation("SAME_PERSON", "Somebody else must verify what you added.")
    ACCOUNT.after(account.state, "verify")
    standing = _standing(ctx, account.id, financier_id)
    before = standing.state if standing is not None else "UNVERIFIED"
    state = VERIFICATION.after(before, "verify")
    usable_on = None
    if _is_a_change(ctx, account, financier_id):
        usable_on = _banking_days(ctx, financier_id).add_business_days(
            _today(ctx, financier_id), COOLING_OFF_DAYS
        )
    values = {
        "state": state,
        "verified_by": ctx.actor.user_id,
        "verified_at": ctx.now,
        "usable_on": usable_on,
    }
    if standing is None:
        key = {"account_id": account.id, "financier_id": financier_id}
        ctx.conn.execute(insert(_verification), key | values)
    else:
        _move_verification(ctx, standing, values)
    until = usable_on.isoformat() if usable_on else None
    ctx.change(
        "bank_account",
        account.id,
        {"state": before},
        {"state": state, "for": financier_id, "evidence": data.evidence, "usable_on": until},
    )
    return {"id": account.id, "state": state, "usable_on": until}


@command("account.close", CloseAccount)
def close_account(ctx: Context, data: CloseAccount) -> dict[str, Any]:
    """The account receives nothing any more.

    Closed by the firm itself, from nobody. An officer closes what the own financier has added, and
    of the firm's own word withdraws that financier's verification only: others go on paying.
    """
    account = ctx.visible(BankAccount, data.account_id)
    own = ctx.actor.org_id
    if own not in {account.firm_id, account.added_by_org}:
        return _withdraw(ctx, account, own)
    state = ACCOUNT.after(account.state, "close")
    moved = ctx.conn.execute(
        update(_account)
        .where(_account.c.id == account.id, _account.c.state == account.state)
        .values(state=state)
        .returning(_account.c.id)
    ).one_or_none()
    if moved is None:
        raise _raced()
    reindex(ctx.conn, account.firm_id)
    ctx.change("bank_account", account.id, {"state": account.state}, {"state": state})
    return {"id": account.id, "state": state}


def _withdraw(ctx: Context, account: Row[Any], financier_id: str) -> dict[str, Any]:
    standing = _standing(ctx, account.id, financier_id)
    before = standing.state if standing is not None else "UNVERIFIED"
    state = VERIFICATION.after(before, "withdraw")
    if standing is not None:
        _move_verification(ctx, standing, {"state": state})
    after = {"state": state, "for": financier_id}
    ctx.change("bank_account", account.id, {"state": before}, after)
    return {"id": account.id, "state": state}


def _standing(ctx: Context, account_id: str, financier_id: str) -> Row[Any] | None:
    return ctx.conn.execute(
        select(_verification).where(
            _verification.c.account_id == account_id,
            _verification.c.financier_id == financier_id,
        )
    ).one_or_none()


def _move_verification(ctx: Context, standing: Row[Any], values: dict[str, Any]) -> None:
    moved = ctx.conn.execute(
        update(_verification)
        .where(
            _verification.c.account_id == standing.account_id,
            _verification.c.financier_id == standing.financier_id,
            _verification.c.state == standing.state,
        )
        .values(**values)
        .returning(_verification.c.account_id)
    ).one_or_none()
    if moved is None:
        raise _raced()


def _is_a_change(ctx: Context, account: Row[Any], financier_id: str) -> bool:
    """Tell whether money of this financier would go elsewhere than the firm said first.

    Whoever verified one of the firm's accounts before is being asked to change; so is a financier
    new to the firm that is shown a later account than the firm's first. An account in another
    currency redirects no money that flows today.
    """
    verified_before = exists().where(
        _verification.c.account_id == _account.c.id,
        _verification.c.financier_id == financier_id,
    )
    earlier = or_(
        verified_before,
        _account.c.created_at < account.created_at,
        (_account.c.created_at == account.created_at) & (_account.c.id < account.id),
    )
    found = select(_account.c.id).where(
        _account.c.firm_id == account.firm_id,
        _account.c.currency == account.currency,
        counts_for(financier_id),
        earlier,
    )
    return ctx.conn.execute(found.limit(1)).one_or_none() is not None


def _today(ctx: Context, financier_id: str) -> dt.date:
    """Give the financier's business date, or the clock's day in UTC before its books are open."""
    try:
        return business_date(ctx.conn, financier_id)
    except NotFound:
        return ctx.now.date()


def _banking_days(ctx: Context, financier_id: str) -> BusinessCalendar:
    """Give the days on which the verifying financier is open: those of its country."""
    country = select(_firm.c.country).where(_firm.c.id == financier_id)
    return _calendar(ctx.conn.execute(country).scalar_one() or "")


@lru_cache(maxsize=64)
def _calendar(country: str) -> BusinessCalendar:
    if country:
        calendar = BusinessCalendar("cooling-off", country=country)
        try:
            calendar.is_business_day(dt.date(2000, 1, 3))
        except InvalidInput:  # nobody publishes this country's holidays: its weekdays then
            pass
        else:
            return calendar
    return BusinessCalendar("cooling-off")
