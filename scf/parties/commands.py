"""Commands on firms (``accounts.py`` has those on bank accounts, ``people.py`` on people)."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from scf.db.runner import Context, command
from scf.db.visibility import DECLARED, predicate_for
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, RuleViolation, Words
from scf.kernel.ids import new_id
from scf.parties import accounts, people
from scf.parties import identifiers as numbers
from scf.parties.agreements import PROGRAMME
from scf.parties.factors import commands as factors
from scf.parties.identity.lookup import reindex
from scf.parties.identity.resolving import matching_firms, not_merged
from scf.parties.lifecycle import FIRM, TO_ACTIVE
from scf.parties.models import Firm, FirmIdentifier
from scf.parties.service import same_person

__all__ = ["accounts", "factors", "people"]

_firm = Firm.__table__  # type: ignore[attr-defined]
_identifier = FirmIdentifier.__table__  # type: ignore[attr-defined]
_LINK = {
    "sqlite": sqlite.insert(_identifier).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_identifier).on_conflict_do_nothing(),
}
_OFFICERS = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER})


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
    address: str = Field(default="", max_length=400)
    identifiers: list[IdentifierIn] = Field(default_factory=list, max_length=50)
    kind: str = Field(default="trader", pattern=r"^(trader|financier|platform)$")
    finding_id: str | None = Field(default=None, max_length=64)


class IdentifyFirm(_Input):
    """Further numbers, or a document's word, for a firm that is known already."""

    firm_id: str = Field(max_length=64)
    name: str = Field(default="", max_length=400)
    identifiers: list[IdentifierIn] = Field(default_factory=list, max_length=50)
    finding_id: str | None = Field(default=None, max_length=64)


class RecogniseFirm(_Input):
    """The firm that an own document means by a name or number nobody knows."""

    firm_id: str = Field(max_length=64)
    finding_id: str = Field(max_length=64)


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
    return add(ctx, data)


def add(ctx: Context, data: AddFirm) -> dict[str, Any]:
    """Do what ``firm.add`` does, for a command that does more beside it."""
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
        "added_by": ctx.actor.user_id,
        "address": data.address.strip() or named.address,
        "version": 1,
        "created_at": ctx.now,
    }
    ctx.conn.execute(insert(_firm), row)
    linked = _link(ctx, firm_id, named, publish=True)
    reindex(ctx.conn, firm_id)
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
    return identify(ctx, data)


@command("firm.recognise", RecogniseFirm)
def recognise_firm(ctx: Context, data: RecogniseFirm) -> dict[str, Any]:
    """What an organisation's own file calls a trading partner leads to that firm from now on.

    It is that organisation's word alone: documents of others are not found by it.

    Raises
    ------
    Conflict
        ``IDENTIFIER_TAKEN`` when the organisation already means another firm by it.
    """
    known = IdentifyFirm(firm_id=data.firm_id, finding_id=data.finding_id)
    return identify(ctx, known)


def identify(ctx: Context, data: IdentifyFirm) -> dict[str, Any]:
    """Do what ``firm.identify`` does, for a command that does more beside it."""
    firm = ctx.visible(Firm, data.firm_id)
    not_merged(ctx.conn, firm.id)
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
    publish = bool(ctx.actor.roles & _OFFICERS) or ctx.actor.is_operator
    linked = _link(ctx, firm.id, named, publish=publish)
    if not linked:
        raise InvalidInput("IDENTIFIER_NONE", "Give at least one number or name.")
    ctx.change("firm", firm.id, None, {"identifiers": linked})
    if firm.state == "ACTIVE":
        _revalidate(ctx, firm.id)
    return {"id": firm.id, "state": firm.state, "identifiers": linked}


@command("firm.activate", ActivateFirm)
def activate_firm(ctx: Context, data: ActivateFirm) -> dict[str, Any]:
    """The firm may trade: the officer's manual check is recorded and waiting documents validate.

    Two people stand behind every firm: the one who added it never activates it, the operator of
    the installation excepted. A suspended firm is reinstated by the organisation that suspended
    it, or by the operator.

    Raises
    ------
    RuleViolation
        ``SAME_PERSON`` for the person who added the firm.
    NotAllowed
        ``NOT_ALLOWED`` when another financier suspended it.
    Conflict
        ``ILLEGAL_TRANSITION`` from a state without a way to ACTIVE, ``STALE`` when the firm
        changed since the officer looked.
    """
    firm = ctx.visible(Firm, data.firm_id)
    not_merged(ctx.conn, firm.id)
    state, passed = firm.state, []
    for event in TO_ACTIVE.get(firm.state, ("approve",)):
        state = FIRM.after(state, event)
        passed.append(event)
    values: dict[str, Any] = {"state": state, "suspended_by_org": None}
    if firm.state == "SUSPENDED":
        if firm.suspended_by_org not in {None, ctx.actor.org_id} and not ctx.actor.is_operator:
            raise NotAllowed("NOT_ALLOWED", "Only who suspended the firm reinstates it.")
    else:
        own = same_person(ctx.conn, ctx.actor.user_id, [firm.added_by])
        if own and not ctx.actor.is_operator:
            raise RuleViolation("SAME_PERSON", "Somebody else must activate what you added.")
        values["activated_by_org"] = ctx.actor.org_id
    _move_firm(ctx, firm, values, data.version, {"manual_check": passed, "evidence": data.evidence})
    _revalidate(ctx, firm.id)
    return {"id": firm.id, "state": state, "version": firm.version + 1}


@command("firm.suspend", SuspendFirm)
def suspend_firm(ctx: Context, data: SuspendFirm) -> dict[str, Any]:
    """No further document resolves to the firm, for anybody; what is under way goes on.

    A suspension holds on the whole platform: every financier's programme is without this firm. So
    only those do it who answer for the firm: officers of the financier that activated it or has
    an ACTIVE programme with it, and the operator. Any other financier that wants no more of a
    firm says so in its own house: by its limits, its programmes and its decisions.

    Raises
    ------
    NotAllowed
        ``NOT_ALLOWED`` for the officers of any other financier.
    """
    firm = ctx.visible(Firm, data.firm_id)
    state = FIRM.after(firm.state, "suspend")
    if not answers_for(ctx.conn, ctx.actor, firm):
        raise NotAllowed(
            "NOT_ALLOWED",
            "Only a financier that activated the firm, or has an active programme with it,"
            " suspends it.",
        )
    values = {"state": state, "suspended_by_org": ctx.actor.org_id}
    _move_firm(ctx, firm, values, data.version, {"reason": data.reason})
    return {"id": firm.id, "state": state, "version": firm.version + 1}


def answers_for(conn: Connection, actor: Actor, firm: Row[Any]) -> bool:
    """Tell whether the actor's financier activated a firm or has an ACTIVE programme with it."""
    own = actor.org_id
    if actor.is_operator or firm.activated_by_org == own:
        return True
    agreed = select(PROGRAMME.c.state).where(
        PROGRAMME.c.financier_id == own,
        or_(PROGRAMME.c.anchor_id == firm.id, PROGRAMME.c.seller_id == firm.id),
        PROGRAMME.c.state == "ACTIVE",
    )
    return conn.execute(agreed.limit(1)).one_or_none() is not None


def _move_firm(
    ctx: Context,
    firm: Row[Any],
    values: dict[str, Any],
    version: int | None,
    why: dict[str, Any],
) -> None:
    """Set the firm's state if nobody else moved it meanwhile."""
    expected = firm.version if version is None else version
    moved = ctx.conn.execute(
        update(_firm)
        .where(_firm.c.id == firm.id, _firm.c.version == expected, _firm.c.state == firm.state)
        .values(**values, version=_firm.c.version + 1)
        .returning(_firm.c.version)
    ).one_or_none()
    if moved is None:
        raise Conflict("STALE", "Somebody changed the firm meanwhile. Look again.", id=firm.id)
    ctx.change("firm", firm.id, {"state": firm.state}, {"state": values["state"], **why})


def _revalidate(ctx: Context, firm_id: str) -> None:
    ctx.enqueue("documents.revalidate", {"firm_id": firm_id}, f"{firm_id}:{ctx.command_id}")


class _Named(BaseModel):
    """A party as somebody names it, and the organisation whose words these are."""

    name: str
    country: str
    address: str
    pairs: list[tuple[str, str]]
    scope: str


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
        name=numbers.clean_text(name, Words("name")) if name.strip() else "",
        country=country or facts.get("country") or "",
        address=facts.get("address") or "",
        pairs=pairs,
        scope=scope,
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


def _link(ctx: Context, firm_id: str, named: _Named, *, publish: bool) -> list[dict[str, str]]:
    """Store the numbers and the name by which the firm is found; gives what is linked.

    Without ``publish`` all of them count for the one organisation only.
    """
    judged = numbers.judge_all(named.pairs)
    if not publish:
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
