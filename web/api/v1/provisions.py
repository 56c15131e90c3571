"""Provisions: what a financier has set aside for each advance, and two people's word on a case."""

import datetime as dt
from typing import Literal

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import Session, col

from scf.financing.lifecycle import OUT
from scf.financing.models import Advance
from scf.impairment.acts import Ground
from scf.impairment.models import AllowanceMovement, ImpairmentProposal, LossAllowance
from scf.reporting import provisions as reading_of
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import children, minor_of, one

resource = Blueprint("provisions", __name__)


class ShownProvision(Answer):
    """What stands set aside for one advance, whose id is ``id`` (IFRS 9).

    ``agreed`` is what two officers agreed on in place of the policy's figure; ``pd`` is within a
    year, ``start_pd`` as it was when the money went out. ``proposal_id`` names a proposal that
    waits for a second person.
    """

    id: str
    stage: int
    since_on: dt.date
    reason: str
    allowance: Amount
    exposure: Amount
    agreed: Amount | None
    days_past_due: int
    start_pd: str
    pd: str
    lgd: str
    measured_on: dt.date
    proposal_id: str | None


class ShownAllowanceMovement(Answer):
    """One change of an allowance or its stage, and why."""

    id: str
    number: int
    on_date: dt.date
    kind: str
    from_stage: int
    to_stage: int
    before: Amount
    after: Amount
    exposure: Amount
    days_past_due: int
    pd: str
    lgd: str
    reason: str
    source: str
    proposal_id: str | None


class ShownProvisionProposal(Answer):
    """What one officer proposed for a case, and what another said to it."""

    id: str
    kind: str
    state: str
    amount: Amount
    ground: str
    note: str
    proposed_by: str
    proposed_on: dt.date
    decided_by: str | None
    decided_on: dt.date | None
    answer: str | None


class ProvisionDetail(Answer):
    """One advance's provision, its movements and proposals, the newest first.

    ``stands`` is null until a day was closed with the advance in it.
    """

    advance_id: str
    stands: ShownProvision | None
    movements: list[ShownAllowanceMovement]
    proposals: list[ShownProvisionProposal]


class ProvisionPage(Answer):
    """Some of the provisions."""

    items: list[ShownProvision]
    next_cursor: str


class ProvisionsQuery(PageQuery):
    """Which provisions: of a stage (0 is every one), of advances that are still out."""

    stage: int = Field(default=0, ge=0, le=3)
    out: bool = True


class ProvisionWord(BaseModel):
    """What is proposed and what it rests on; ``allowance`` needs an amount, the others none."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["allowance", "rule", "write_off"]
    amount: Amount | None = None
    ground: Ground
    note: str = Field(min_length=1, max_length=4000)


class ProvisionProposed(Answer):
    """The proposal, which waits for another person."""

    proposal_id: str
    advance_id: str
    kind: str
    amount: Amount
    state: str


class ProvisionVerdict(BaseModel):
    """Whether this second person agrees; agreed, it is booked at once."""

    model_config = ConfigDict(extra="forbid")
    agree: bool = Field(strict=True)
    note: str = Field(default="", max_length=4000)


class ProvisionDecided(Answer):
    """What became of the proposal, and what stands now."""

    proposal_id: str
    advance_id: str
    state: str
    stage: int
    allowance: Amount


@endpoint(resource, "GET", "/provisions", action="allowance.read", answer=ProvisionPage)
def list_provisions(query: ProvisionsQuery) -> ProvisionPage:
    """List what is set aside for each advance of your organisation."""
    statement = select(LossAllowance)
    if query.stage:
        statement = statement.where(col(LossAllowance.stage) == query.stage)
    if query.out:
        out = select(col(Advance.id)).where(col(Advance.state).in_(sorted(OUT)))
        statement = statement.where(col(LossAllowance.id).in_(out))
    with reader() as session:
        rows, following = page(session, statement, query, col(LossAllowance.id))
        waiting = _waiting(session, [row.id for row in rows])
        items = [_shown(row, waiting.get(row.id)) for row in rows]
    return ProvisionPage(items=items, next_cursor=following)


@endpoint(
    resource, "GET", "/provisions/<advance_id>", action="allowance.read", answer=ProvisionDetail
)
def get_provision(advance_id: str) -> ProvisionDetail:
    """Show what is set aside for one advance, how it was measured, and what was proposed."""
    with reader() as session:
        row = one(session, Advance, advance_id)
        found = reading_of.provision(session, row.id)
        waits = found.waiting.id if found.waiting else None
        return ProvisionDetail(
            advance_id=row.id,
            stands=_shown(found.stands, waits) if found.stands else None,
            movements=[_moved(movement) for movement in found.movements],
            proposals=[_proposed(proposal) for proposal in found.proposals],
        )


@endpoint(
    resource,
    "POST",
    "/provisions/<advance_id>/proposals",
    action="impairment.propose",
    answer=ProvisionProposed,
    status=201,
)
def propose_provision(advance_id: str, json: ProvisionWord) -> tuple[ProvisionProposed, int]:
    """Propose an allowance, the policy's word again, or a write-off; another person agrees."""
    payload = {"advance_id": advance_id, **json.model_dump(exclude={"amount"})}
    if json.amount is not None:
        with reader() as session:
            currency = one(session, Advance, advance_id).currency
        payload["amount_minor"] = minor_of(json.amount, currency)
    done = run("impairment.propose", payload).result
    answer = ProvisionProposed(
        proposal_id=done["proposal_id"],
        advance_id=done["advance_id"],
        kind=done["kind"],
        amount=amount(done["amount_minor"], done["currency"]),
        state=done["state"],
    )
    return answer, 201


@endpoint(
    resource,
    "POST",
    "/provision-proposals/<proposal_id>/decide",
    action="impairment.decide",
    answer=ProvisionDecided,
)
def decide_provision(proposal_id: str, json: ProvisionVerdict) -> ProvisionDecided:
    """Agree to what another person proposed, which books it, or refuse it."""
    done = run("impairment.decide", {"proposal_id": proposal_id, **json.model_dump()}).result
    return ProvisionDecided(
        proposal_id=done["proposal_id"],
        advance_id=done["advance_id"],
        state=done["state"],
        stage=done["stage"],
        allowance=amount(done["allowance_minor"], done["currency"]),
    )


def _waiting(session: Session, ids: list[str]) -> dict[str, str]:
    """Give by advance the proposal that waits."""
    rows = children(session, ImpairmentProposal, ImpairmentProposal.advance_id, ids)
    return {row.advance_id: row.id for row in rows if row.state == "PROPOSED"}


def _shown(row: LossAllowance, waits: str | None) -> ShownProvision:
    agreed = row.specific_minor
    return ShownProvision(
        id=row.id,
        stage=row.stage,
        since_on=row.since_on,
        reason=row.reason,
        allowance=amount(row.allowance_minor, row.currency),
        exposure=amount(row.exposure_minor, row.currency),
        agreed=None if agreed is None else amount(agreed, row.currency),
        days_past_due=row.days_past_due,
        start_pd=row.start_pd,
        pd=row.pd,
        lgd=row.lgd,
        measured_on=row.measured_on,
        proposal_id=waits,
    )


def _moved(row: AllowanceMovement) -> ShownAllowanceMovement:
    sums = {
        name: amount(getattr(row, f"{name}_minor"), row.currency)
        for name in ("before", "after", "exposure")
    }
    rest = {
        name: getattr(row, name) for name in ShownAllowanceMovement.model_fields if name not in sums
    }
    return ShownAllowanceMovement(**rest, **sums)


def _proposed(row: ImpairmentProposal) -> ShownProvisionProposal:
    rest = {
        name: getattr(row, name) for name in ShownProvisionProposal.model_fields if name != "amount"
    }
    return ShownProvisionProposal(**rest, amount=amount(row.amount_minor, row.currency))
