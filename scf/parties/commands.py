"""Commands on firms and their bank accounts (those on people stand in ``people.py``)."""

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from scf.db.audit import PERSONAL
from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.types import Currency
from scf.db.visibility import DECLARED, predicate_for
from scf.kernel.actor import Role
from scf.kernel.calendar import BusinessCalendar
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, RuleViolation
from scf.kernel.ids import new_id
from scf.kernel.money import exponent
from scf.parties import identifiers as numbers
from scf.parties import people
from scf.parties.lifecycle import ACCOUNT, FIRM, TO_ACTIVE
from scf.parties.models import BankAccount, BusinessDate, Firm, FirmIdentifier
from scf.parties.service import matching_firms

__all__ = ["people"]

_firm = Firm.__table__  # type: ignore[attr-defined]
_identifier = FirmIdentifier.__table__  # type: ignore[attr-defined]
_account = BankAccount.__table__  # type: ignore[attr-defined]
_date = BusinessDate.__table__  # type: ignore[attr-defined]
_LINK = {
    "sqlite": sqlite.insert(_identifier).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_identifier).on_conflict_do_nothing(),
}
_OFFICERS = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER})
# A changed account receives nothing for this many banking days: time for a call-back to the old
# contact before redirected money is gone.
COOLING_OFF_DAYS = 3
_BANKING_DAYS = BusinessCalendar("cooling-off")

constraint_means(
    "uq_bank_account",
    "bank_account.firm_id, bank_account.number",
    lambda: Conflict("ACCOUNT_EXISTS", "The firm already has this account."),
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class IdentifierIn(_Input):
    """One number of a firm."""

    scheme: str = Field(min_length=1, max_length=60)
    value: str = Field(min_length=1, max_length=200)


class AddFirm(_Input):
    """A firm to invite, by hand or from the finding that a document's party is unknown."""

    name: str = Field(default="", max_length=400)
    country: str = Field(default="", pattern=r"^([A-Z]{2})?$")
    identifiers: list[IdentifierIn] = Field(default_factory=list, max_length=50)
    kind: str = Field(default="trader", pattern=r"^(trader|financier|platform)$")
    finding_id: str | None = Field(default=None, max_length=64)


class IdentifyFirm(_Input):
    """Further numbers, or a document's word, for a firm that is known already."""

    firm_id: str = Field(max_length=64)
    name: str = Field(default="", max_length=400)
    identifiers: list[IdentifierIn] = Field(default_factory=list, max_length=50)
    finding_id: str | None = Field(default=None, max_length=64)


class ActivateFirm(_Input):
    """An officer's word that the firm was checked by hand, and what showed it."""

    firm_id: str = Field(max_length=64)
    evidence: str = Field(min_length=3, max_length=2000)
    version: int | None = Field(default=None, strict=True)


class SuspendFirm(_Input):
    """A firm that may trade no further for now, and why."""

    firm_id: str = Field(max_length=64)
    reason: str = Field(min_length=3, max_length=2000)
    version: int | None = Field(default=None, strict=True)


class AddAccount(_Input):
    """A bank account of a firm: an IBAN, or a national number with the bank's BIC."""

    firm_id: str | None = Field(default=None, max_length=64)
    iban: str | None = Field(default=None, max_length=60, json_schema_extra={**PERSONAL})
    number: str | None = Field(
        default=None, pattern=r"^[0-9A-Za-z-]{4,34}$", json_schema_extra={**PERSONAL}
    )
    bic: str | None = Field(default=None, max_length=20)
    currency: Currency
    holder: str = Field(default="", max_length=400, json_schema_extra={**PERSONAL})


class VerifyAccount(_Input):
    """A second person's word that the account is the firm's, and what showed it."""

    account_id: str = Field(max_length=64)
    evidence: str = Field(min_length=3, max_length=2000)


class CloseAccount(_Input):
    """An account that receives nothing any more."""

    account_id: str = Field(max_length=64)


# --- Firms ------------------------------------------------------------------------------------


@command("firm.add", AddFirm)
def add_firm(ctx: Context, data: AddFirm) -> dict[str, Any]:
    """The firm is INVITED under its name and numbers; no document counts for it yet.

    From a finding, the party's name, country and numbers are taken as the document has them: what
    fails its own check becomes a word that only the document's organisation uses.

    Raises
    ------
    Conflict
        ``FIRM_EXISTS`` when one of the numbers names a known firm: identify that one instead.
    """
    if data.kind != "trader" and not ctx.actor.is_operator:
        raise NotAllowed("NOT_ALLOWED", "Only the operator adds a financier or a platform.")
    named = _named(ctx, data.name, data.country, data.identifiers, data.finding_id)
    if not named.name:
        raise InvalidInput("FIRM_NAME", "Give the firm's name.")
    known = {
        firm_id
        for item, firm_id, _state in matching_firms(ctx.conn, named.pairs, "", named.scope)
        if item.public
    }
    if known:
        raise Conflict(
            "FIRM_EXISTS",
            "A firm with one of these numbers is known already. Link the numbers to it.",
            firm_ids=sorted(known),
        )
    firm_id = new_id()
    row = {
        "id": firm_id,
        "name": named.name,
        "country": named.country or None,
        "kind": data.kind,
        "state": "INVITED",
        "invited_by": ctx.actor.org_id,
        "version": 1,
        "created_at": ctx.now,
    }
    ctx.conn.execute(insert(_firm), row)
    linked = _link(ctx, firm_id, named)
    ctx.change("firm", firm_id, None, {"name": named.name, "kind": data.kind, "state": "INVITED"})
    return {"id": firm_id, "name": named.name, "state": "INVITED", "identifiers": linked}


@command("firm.identify", IdentifyFirm)
def identify_firm(ctx: Context, data: IdentifyFirm) -> dict[str, Any]:
    """The firm is found by further numbers; documents that waited for them are looked at again.

    Raises
    ------
    Conflict
        ``IDENTIFIER_TAKEN`` when a number already names another firm.
    """
    firm = ctx.visible(Firm, data.firm_id)
    named = _named(ctx, data.name, "", data.identifiers, data.finding_id)
    taken = {
        (item.scheme, item.value, firm_id)
        for item, firm_id, _state in matching_firms(ctx.conn, named.pairs, named.name, named.scope)
        if firm_id != firm.id
    }
    if taken:
        raise Conflict(
            "IDENTIFIER_TAKEN",
            "One of these already names another firm.",
            identifiers=[{"scheme": scheme, "value": value} for scheme, value, _ in sorted(taken)],
        )
    linked = _link(ctx, firm.id, named)
    if not linked:
        raise InvalidInput("IDENTIFIER_NONE", "Give at least one number or name.")
    ctx.change("firm", firm.id, None, {"identifiers": linked})
    if firm.state == "ACTIVE":
        _revalidate(ctx, firm.id)
    return {"id": firm.id, "state": firm.state, "identifiers": linked}


@command("firm.activate", ActivateFirm)
def activate_firm(ctx: Context, data: ActivateFirm) -> dict[str, Any]:
    """The firm may trade: the officer's manual check is recorded and waiting documents validate.

    Raises
    ------
    Conflict
        ``ILLEGAL_TRANSITION`` from a state without a way to ACTIVE, ``STALE`` when the firm
        changed since the officer looked.
    """
    firm = ctx.visible(Firm, data.firm_id)
    state, passed = firm.state, []
    for event in TO_ACTIVE.get(firm.state, ("approve",)):
        state = FIRM.after(state, event)
        passed.append(event)
    _move_firm(ctx, firm, state, data.version, {"manual_check": passed, "evidence": data.evidence})
    _revalidate(ctx, firm.id)
    return {"id": firm.id, "state": state, "version": firm.version + 1}


@command("firm.suspend", SuspendFirm)
def suspend_firm(ctx: Context, data: SuspendFirm) -> dict[str, Any]:
    """No further document resolves to the firm; what is under way goes on."""
    firm = ctx.visible(Firm, data.firm_id)
    state = FIRM.after(firm.state, "suspend")
    _move_firm(ctx, firm, state, data.version, {"reason": data.reason})
    return {"id": firm.id, "state": state, "version": firm.version + 1}


def _move_firm(
    ctx: Context, firm: Row[Any], state: str, version: int | None, why: dict[str, Any]
) -> None:
    """Set the firm's state if nobody else moved it meanwhile."""
    expected = firm.version if version is None else version
    moved = ctx.conn.execute(
        update(_firm)
        .where(_firm.c.id == firm.id, _firm.c.version == expected, _firm.c.state == firm.state)
        .values(state=state, version=_firm.c.version + 1)
        .returning(_firm.c.version)
    ).one_or_none()
    if moved is None:
        raise Conflict("STALE", "Somebody changed the firm meanwhile. Look again.", id=firm.id)
    ctx.change("firm", firm.id, {"state": firm.state}, {"state": state, **why})


def _revalidate(ctx: Context, firm_id: str) -> None:
    ctx.enqueue("documents.revalidate", {"firm_id": firm_id}, f"{firm_id}:{ctx.command_id}")


class _Named(BaseModel):
    """A party as somebody names it, and the organisation whose words these are."""

    name: str
    country: str
    pairs: list[tuple[str, str]]
    scope: str
    from_document: bool


def _named(
    ctx: Context, name: str, country: str, given: list[IdentifierIn], finding_id: str | None
) -> _Named:
    pairs = [(item.scheme, item.value) for item in given]
    scope = ctx.actor.org_id
    facts: dict[str, Any] = {}
    if finding_id is not None:
        facts, scope = _finding_facts(ctx, finding_id)
        pairs += [
            (item["scheme"], item["value"]) if isinstance(item, dict) else (item[0], item[1])
            for item in facts.get("identifiers", ())
        ]
    else:
        # A hand that types a number means that number: a wrong one is refused, not kept aside.
        pairs = [(scheme, numbers.check(scheme, value)) for scheme, value in pairs]
    name = name or facts.get("name") or ""
    return _Named(
        name=numbers.clean_text(name, "name") if name.strip() else "",
        country=country or facts.get("country") or "",
        pairs=pairs,
        scope=scope,
        from_document=finding_id is not None,
    )


def _finding_facts(ctx: Context, finding_id: str) -> tuple[dict[str, Any], str]:
    """Read the party of a finding that the actor may see, and whose document it stands in.

    Findings belong to a later slice, so the table is found by its name.
    """
    model = next((kind for kind in DECLARED if kind.__tablename__ == "document_finding"), None)
    row = None
    if model is not None:
        finding = model.__table__  # type: ignore[attr-defined]
        row = ctx.conn.execute(
            select(finding.c.facts, finding.c.org_id).where(
                finding.c.id == finding_id, predicate_for(model, ctx.actor)
            )
        ).one_or_none()
    if row is None:
        raise NotFound("NOT_FOUND", "No document finding with this id.", id=finding_id)
    facts = row.facts or {}
    party = facts.get("party", facts)
    if not party.get("name") and not party.get("identifiers"):
        raise RuleViolation("FINDING_NO_PARTY", "This finding is about no party.", id=finding_id)
    return party, row.org_id


def _link(ctx: Context, firm_id: str, named: _Named) -> list[dict[str, str]]:
    """Store the numbers and the name by which the firm is found; gives what is linked."""
    judged = numbers.judge_all(named.pairs)
    may_publish = bool(ctx.actor.roles & _OFFICERS) or ctx.actor.is_operator
    if ctx.command == "firm.identify" and not may_publish:
        judged = [numbers.PartyId(item.scheme, item.value, public=False) for item in judged]
    if named.name:
        judged.append(numbers.PartyId("name", numbers.alias(named.name), public=False))
    rows = [
        {
            "id": new_id(),
            "firm_id": firm_id,
            "scheme": item.scheme,
            "value": item.value,
            "scope_org_id": "" if item.public else named.scope,
            "created_at": ctx.now,
        }
        for item in judged
    ]
    if rows:
        # A name that already means another firm to this organisation stays that firm's.
        ctx.conn.execute(_LINK[ctx.dialect], rows)
    return [{"scheme": item.scheme, "value": item.value} for item in judged]


# --- Bank accounts ----------------------------------------------------------------------------


@command("account.add", AddAccount)
def add_account(ctx: Context, data: AddAccount) -> dict[str, Any]:
    """The firm has one more account; it receives nothing before a second person verified it."""
    firm = ctx.visible(Firm, data.firm_id or ctx.actor.org_id)
    officer = bool(ctx.actor.roles & _OFFICERS) or ctx.actor.is_operator
    if firm.id != ctx.actor.org_id and not officer:
        raise NotAllowed("NOT_ALLOWED", "You add accounts of your own organisation only.")
    if bool(data.iban) == bool(data.number):
        raise InvalidInput("ACCOUNT_NUMBER", "Give either an IBAN or a national number.")
    if data.number and not data.bic:
        raise InvalidInput("ACCOUNT_BIC", "A national number needs the BIC of its bank.")
    exponent(data.currency)
    account_id = new_id()
    holder = numbers.clean_text(data.holder or firm.name, "holder")
    ctx.conn.execute(
        insert(_account),
        {
            "id": account_id,
            "firm_id": firm.id,
            "number": numbers.iban(data.iban) if data.iban else data.number,
            "is_iban": 1 if data.iban else 0,
            "bic": numbers.bic(data.bic) if data.bic else None,
            "currency": data.currency,
            "holder": holder,
            "state": "UNVERIFIED",
            "added_by": ctx.actor.user_id,
            "created_at": ctx.now,
        },
    )
    ctx.change("bank_account", account_id, None, {"firm_id": firm.id, "state": "UNVERIFIED"})
    return {"id": account_id, "firm_id": firm.id, "state": "UNVERIFIED"}


@command("account.verify", VerifyAccount)
def verify_account(ctx: Context, data: VerifyAccount) -> dict[str, Any]:
    """Money may go to the account, at once for a first one, after a cooling-off for a changed one.

    Raises
    ------
    RuleViolation
        ``SAME_PERSON`` when the verifier added the account: two people stand behind every payee.
    """
    account = ctx.visible(BankAccount, data.account_id)
    if account.added_by == ctx.actor.user_id:
        raise RuleViolation("SAME_PERSON", "Somebody else must verify what you added.")
    state = ACCOUNT.after(account.state, "verify")
    # An account in another currency redirects no money that flows today.
    earlier = ctx.conn.execute(
        select(_account.c.id)
        .where(
            _account.c.firm_id == account.firm_id,
            _account.c.currency == account.currency,
            _account.c.verified_at.is_not(None),
        )
        .limit(1)
    ).one_or_none()
    usable_on = None
    if earlier is not None:
        usable_on = _BANKING_DAYS.add_business_days(_today(ctx), COOLING_OFF_DAYS)
    _move_account(
        ctx,
        account,
        {
            "state": state,
            "verified_by": ctx.actor.user_id,
            "verified_at": ctx.now,
            "usable_on": usable_on,
        },
        {"evidence": data.evidence, "usable_on": usable_on and usable_on.isoformat()},
    )
    return {
        "id": account.id,
        "state": state,
        "usable_on": usable_on.isoformat() if usable_on else None,
    }


@command("account.close", CloseAccount)
def close_account(ctx: Context, data: CloseAccount) -> dict[str, Any]:
    """The account receives nothing any more."""
    account = ctx.visible(BankAccount, data.account_id)
    state = ACCOUNT.after(account.state, "close")
    _move_account(ctx, account, {"state": state}, {})
    return {"id": account.id, "state": state}


def _today(ctx: Context) -> dt.date:
    """Give the business date of the verifier's institution, or the day of the clock in UTC."""
    day = ctx.conn.execute(
        select(_date.c.current_on).where(_date.c.financier_id == ctx.actor.org_id)
    ).scalar_one_or_none()
    return day if day is not None else ctx.now.date()


def _move_account(
    ctx: Context, account: Row[Any], values: dict[str, Any], why: dict[str, Any]
) -> None:
    moved = ctx.conn.execute(
        update(_account)
        .where(_account.c.id == account.id, _account.c.state == account.state)
        .values(**values)
        .returning(_account.c.id)
    ).one_or_none()
    if moved is None:
        raise Conflict("STALE", "Somebody changed the account meanwhile.", id=account.id)
    ctx.change(
        "bank_account",
        account.id,
        {"state": account.state},
        {"state": values["state"], **why},
    )
