"""Single cases: one officer proposes an allowance or a write-off, another person agrees.

What both saw stands in the proposal. Agreed, it is booked in the same transaction.
"""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row, Table, insert, select, update

from scf.db.runner import Context, command
from scf.db.types import Id, OptMinor, Text
from scf.financing import advances
from scf.financing.lifecycle import ADVANCE, OUT
from scf.financing.models import Advance
from scf.financing.reserve import carried_face
from scf.impairment import policy as policies
from scf.impairment.booking import IMPAIRED, Step, penalty_open, standing_step, standings, store
from scf.impairment.measuring import steps_of
from scf.impairment.models import ImpairmentProposal
from scf.impairment.rules import BY_OFFICERS, ONE
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, RuleViolation
from scf.kernel.ids import new_id
from scf.parties.service import business_date
from scf.programmes.service import terms_of_version
from scf.programmes.techniques import technique_of

PROPOSAL: Final[Table] = ImpairmentProposal.__table__  # type: ignore[attr-defined]
_DAY: Final = dt.timedelta(days=1)
Ground = Literal[
    "default", "insolvency", "unlikely_to_pay", "uncollectible", "settlement", "recovered"
]


class Propose(BaseModel):
    """The case, what is proposed for it, and what that rests on.

    ``allowance`` needs an amount; by it the case is in stage 3. ``rule`` takes an agreed allowance
    back to what the policy says. ``write_off`` is of all that is still carried.
    """

    model_config = ConfigDict(extra="forbid", str_max_length=4000)
    advance_id: Id
    kind: Literal["allowance", "rule", "write_off"]
    amount_minor: OptMinor = None
    ground: Ground
    note: Text


class Decide(BaseModel):
    """The proposal, and whether this second person agrees."""

    model_config = ConfigDict(extra="forbid", str_max_length=4000)
    proposal_id: Id
    agree: bool
    note: Text = ""


@command("impairment.propose", Propose)
def propose(ctx: Context, data: Propose) -> dict[str, Any]:
    """Propose an allowance or a write-off; nothing is booked before another person agrees.

    Raises
    ------
    RuleViolation
        NOT_MEASURED before the first close; ALLOWANCE_ABOVE what is carried; NOTHING_AGREED;
        WRITE_OFF_STAGE, WRITE_OFF_EARLY, WRITE_OFF_RESERVE.
    Conflict
        PROPOSAL_OPEN, while another waits; ILLEGAL_TRANSITION for an advance that is not out.
    """
    ctx.visible(Advance, data.advance_id)
    policies.must_be_in_force()
    row = ctx.lock(Advance, [data.advance_id])[data.advance_id]
    today = business_date(ctx.conn, row.financier_id)
    waits = ctx.conn.execute(
        select(PROPOSAL.c.id).where(PROPOSAL.c.advance_id == row.id, PROPOSAL.c.state == "PROPOSED")
    ).scalar_one_or_none()
    if waits is not None:
        raise Conflict(
            "PROPOSAL_OPEN", "Another proposal for this advance waits.", proposal_id=waits
        )
    if not data.note.strip():
        raise InvalidInput("NOTE_MISSING", "Say what it rests on.")
    before = _measured(ctx, row)
    amount = _proposed(ctx, row, before, data, today)
    proposal = {
        "id": new_id(),
        "advance_id": row.id,
        "financier_id": row.financier_id,
        "kind": data.kind,
        "state": "PROPOSED",
        "currency": row.currency,
        "amount_minor": amount,
        "ground": data.ground,
        "note": data.note,
        "proposed_by": ctx.actor.user_id,
        "proposed_on": today,
        "proposed_at": ctx.now,
    }
    ctx.conn.execute(insert(PROPOSAL), proposal)
    ctx.change(
        "impairment_proposal",
        str(proposal["id"]),
        None,
        {"kind": data.kind, "amount_minor": amount, "advance_id": row.id},
    )
    told = {"proposal_id": proposal["id"]}
    ctx.emit("provision.proposed", told, org_id=row.financier_id)
    return {
        "proposal_id": proposal["id"],
        "advance_id": row.id,
        "kind": data.kind,
        "amount_minor": amount,
        "currency": row.currency,
        "state": "PROPOSED",
    }


def _measured(ctx: Context, row: Row[Any]) -> Row[Any]:
    before = standings(ctx.conn, [row.id]).get(row.id)
    if before is None:
        raise RuleViolation(
            "NOT_MEASURED",
            "Nothing is set aside for this advance yet; the next close of a day does it.",
            advance_id=row.id,
        )
    return before


def _proposed(ctx: Context, row: Row[Any], before: Row[Any], data: Propose, today: dt.date) -> int:
    """Hold what is proposed against what may be; gives its amount."""
    if data.kind == "write_off":
        if data.amount_minor not in {None, carried_face(row)}:
            raise RuleViolation(
                "WRITE_OFF_AMOUNT",
                "A write-off is of all that is still carried.",
                carried_minor=carried_face(row),
            )
        may_write_off(ctx, row, before, today)
        return carried_face(row)
    if row.state not in OUT:
        ADVANCE.after(row.state, "write_off")  # the same states, and the same refusal
    if data.kind == "rule":
        if before.specific_minor is None:
            raise RuleViolation(
                "NOTHING_AGREED", "No allowance was agreed on for this advance.", advance_id=row.id
            )
        return 0
    if data.amount_minor is None:
        raise InvalidInput("AMOUNT_MISSING", "Say how much is to be set aside.")
    if data.amount_minor > carried_face(row):
        raise RuleViolation(
            "ALLOWANCE_ABOVE",
            "More is to be set aside than is carried.",
            carried_minor=carried_face(row),
            asked_minor=data.amount_minor,
        )
    return data.amount_minor


def may_write_off(ctx: Context, row: Row[Any], before: Row[Any], today: dt.date) -> None:
    """Stop a write-off of what is not in stage 3, not due yet, or has its account with the seller.

    Raises
    ------
    RuleViolation
        WRITE_OFF_STAGE, WRITE_OFF_EARLY, WRITE_OFF_RESERVE, NOTHING_OWED.
    Conflict
        ILLEGAL_TRANSITION.
    """
    ADVANCE.after(row.state, "write_off")
    if carried_face(row) <= 0:
        raise RuleViolation("NOTHING_OWED", "Nothing is carried on this advance.")
    if before.stage != IMPAIRED:
        raise RuleViolation(
            "WRITE_OFF_STAGE",
            "Only what is in stage 3 can be written off; this is in stage %(stage)s.",
            stage=before.stage,
        )
    if technique_of(terms := terms_of_version(ctx.conn, row.programme_version_id)).runs_a_reserve(
        terms
    ):
        raise RuleViolation(
            "WRITE_OFF_RESERVE",
            "The account with the seller is open: call recourse or settle the reserve first.",
        )
    if today < row.due_on or row.income_to is None or row.income_to < row.due_on - _DAY:
        raise RuleViolation(
            "WRITE_OFF_EARLY",
            "It can be written off from %(frees_on)s, when it is due and all income is booked.",
            frees_on=row.due_on.isoformat(),
        )


@command("impairment.decide", Decide)
def decide(ctx: Context, data: Decide) -> dict[str, Any]:
    """Agree to a proposal, which books it, or refuse it. Who proposed it may only refuse it.

    Raises
    ------
    Conflict
        DECIDED, when somebody was first; CHANGED, when money has moved since it was proposed.
    NotAllowed
        SAME_PERSON.
    RuleViolation
        As when it was proposed.
    """
    said = ctx.visible(ImpairmentProposal, data.proposal_id)
    row = advances.lock(ctx, [said.advance_id])[said.advance_id]
    proposal = ctx.conn.execute(select(PROPOSAL).where(PROPOSAL.c.id == data.proposal_id)).one()
    if proposal.state != "PROPOSED":
        raise Conflict("DECIDED", "Somebody has decided on this already.", state=proposal.state)
    if data.agree and proposal.proposed_by == ctx.actor.user_id:
        raise NotAllowed("SAME_PERSON", "Another person than the one who proposed it agrees.")
    today = business_date(ctx.conn, row.financier_id)
    state = "AGREED" if data.agree else "REFUSED"
    ctx.conn.execute(
        update(PROPOSAL)
        .where(PROPOSAL.c.id == proposal.id)
        .values(
            state=state,
            decided_by=ctx.actor.user_id,
            decided_on=today,
            decided_at=ctx.now,
            answer=data.note or None,
        )
    )
    ctx.change("impairment_proposal", proposal.id, {"state": "PROPOSED"}, {"state": state})
    ctx.emit("provision.decided", {"proposal_id": proposal.id}, org_id=row.financier_id)
    if data.agree:
        policy = policies.must_be_in_force()
        policies.keep(ctx, policy)
        if proposal.kind == "write_off":
            _write_off(ctx, row, proposal, policy, today)
        else:
            _set_aside(ctx, row, proposal, policy, today)
    stands = standings(ctx.conn, [row.id])[row.id]
    return {
        "proposal_id": proposal.id,
        "advance_id": row.id,
        "state": state,
        "stage": stands.stage,
        "allowance_minor": stands.allowance_minor,
        "currency": row.currency,
    }


def _set_aside(
    ctx: Context, row: Row[Any], proposal: Row[Any], policy: policies.Policy, today: dt.date
) -> None:
    """An allowance of two people's word, or the policy's again."""
    before = _measured(ctx, row)
    ADVANCE.after(row.state, "write_off")
    if proposal.kind == "rule":
        bare = _without_agreement(before)
        step = steps_of(ctx.conn, [row], policy, today, {row.id: bare})[0]
        step = replace(step, before=before, kind="AGREED", proposal_id=proposal.id)
        store(ctx, [step], policy, today)
        return
    if proposal.amount_minor > carried_face(row):
        raise Conflict(
            "CHANGED",
            "Money has moved since this was proposed; propose it again.",
            carried_minor=carried_face(row),
        )
    measured = steps_of(ctx.conn, [row], policy, today)[0]
    step = standing_step(
        row,
        before,
        "AGREED",
        stage=IMPAIRED,
        reason=BY_OFFICERS,
        allowance=min(proposal.amount_minor, measured.exposure),
        exposure=measured.exposure,
        penalty_off=penalty_open(row),
        days_past_due=measured.days_past_due,
        pd=ONE,
        source="officers",
        specific=proposal.amount_minor,
        proposal_id=proposal.id,
    )
    store(ctx, [step], policy, today)


def _without_agreement(before: Row[Any]) -> Any:  # noqa: ANN401 - a row, or one like it
    return _Bare(before)


class _Bare:
    """What stands, as if no amount had been agreed on."""

    specific_minor = None

    def __init__(self, row: Row[Any]) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a column
        return getattr(self._row, name)


def _write_off(
    ctx: Context, row: Row[Any], proposal: Row[Any], policy: policies.Policy, today: dt.date
) -> None:
    """The allowance is brought to what is carried, and both leave the book."""
    before = _measured(ctx, row)
    may_write_off(ctx, row, before, today)
    amount = carried_face(row)
    if amount != proposal.amount_minor:
        raise Conflict(
            "CHANGED",
            "Money has moved since this was proposed; propose it again.",
            carried_minor=amount,
        )
    facts: dict[str, Any] = {
        "allowance": amount,
        "exposure": amount,
        "penalty_off": penalty_open(row),
        "pd": ONE,
        "source": "officers",
        "proposal_id": proposal.id,
        "specific": amount,
    }
    if before.allowance_minor != amount:
        store(ctx, [standing_step(row, before, "AGREED", **facts)], policy, today)
        before = _measured(ctx, row)
    after = advances.write_off(ctx, row, amount, today)
    gone: Step = standing_step(
        after,
        before,
        "WRITTEN_OFF",
        **{**facts, "allowance": 0, "exposure": 0, "specific": None, "pd": Decimal(0)},
    )
    store(ctx, [gone], policy, today)
