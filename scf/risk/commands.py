"""Commands: what officers know of a firm, another person's word on it, the nightly assessment."""

import dataclasses
import datetime as dt
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SkipValidation, model_validator
from sqlalchemy import insert, update

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.types import (
    Code,
    Id,
    OptCurrency,
    OptDay,
    OptId,
    OptMinor,
    OptPpm,
    SignedCount,
    SignedPpm,
)
from scf.db.visibility import not_found
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, RuleViolation
from scf.kernel.ids import new_id
from scf.parties.models import Firm
from scf.parties.service import business_date, financier_only, same_person
from scf.risk import appetite as policies
from scf.risk import writing
from scf.risk.chainstate import keep_state
from scf.risk.firmfacts import FACT, Known, known_of_rows
from scf.risk.grading import grade_that_stands, is_refused
from scf.risk.groups import owners
from scf.risk.models import FirmFact
from scoring.card import CardInputs, score

MOST: Final = 1000
# People who know more than the model may say so by this many columns of the scale, for a year.
MOST_BETTER: Final = 2
MOST_WORSE: Final = 4
_LONGEST: Final = dt.timedelta(days=365)
GradeCode = Literal[
    "EVIDENCE_SEEN",  # accounts, contracts or payments that the model has not read
    "RELATION_KNOWN",  # long experience with the firm
    "GROUP_SUPPORT",  # a parent stands behind it, or has stopped to
    "BAD_NEWS",  # from outside: strikes, lawsuits, a customer lost
    "MODEL_LIMIT",  # of a kind that the expert's card was not made for
]
Evidence = Annotated[str, Field(min_length=3, max_length=2000)]

constraint_means(
    "uq_risk_assessment",
    "risk_assessment.snapshot_id, risk_assessment.firm_id",
    lambda: Conflict("ASSESSED", "The firms of this snapshot are being assessed already."),
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AddFirmFact(_Input):
    """One thing that is known of a firm, and what shows it.

    ``registry`` has ``founded_on``; ``statement`` has its period end, the day it was received,
    currency, revenue, equity ratio, liquidity (cash and undrawn committed lines) and the cost of
    a week; ``rating`` has its one-year probability of default and the day to which it is valid.
    ``grade`` has the columns of the scale by which people grade the firm worse than the model
    (below nothing better, 0 for as the model has it again), a ``code`` and the last day it holds.
    ``owner`` has the firm that holds more than half of it, or the firm itself when nobody does.
    """

    firm_id: Id
    kind: Literal["registry", "statement", "rating", "grade", "owner"]
    founded_on: OptDay = None
    period_end_on: OptDay = None
    received_on: OptDay = None
    currency: OptCurrency = None
    revenue_minor: OptMinor = None
    equity_ppm: SignedPpm = 0
    liquidity_minor: OptMinor = None
    weekly_cost_minor: OptMinor = None
    pd_ppm: OptPpm = None
    notches: SignedCount = 0
    code: GradeCode | None = None
    valid_to: OptDay = None
    owner_id: OptId = None
    evidence: Evidence

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = _NEEDED[self.kind]
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            msg = f"a {self.kind} needs {', '.join(missing)}"
            raise ValueError(msg)
        others = {name for names in _NEEDED.values() for name in names} - set(needed)
        more = sorted(name for name in others if getattr(self, name) is not None)
        if more or (self.equity_ppm and self.kind != "statement"):
            msg = f"a {self.kind} has no {', '.join(more) or 'equity_ppm'}"
            raise ValueError(msg)
        if self.notches and self.kind != "grade":
            msg = f"a {self.kind} has no notches"
            raise ValueError(msg)
        if not -MOST_BETTER <= self.notches <= MOST_WORSE:
            msg = f"people move a grade by {MOST_BETTER} columns up or {MOST_WORSE} down at most"
            raise ValueError(msg)
        if self.pd_ppm is not None and not 0 < self.pd_ppm < _CERTAIN:
            msg = "a rating's probability lies above 0 and below 1"
            raise ValueError(msg)
        return self


_CERTAIN: Final = 1_000_000
_NEEDED: Final = {
    "registry": ("founded_on",),
    "statement": (
        "period_end_on", "received_on", "currency", "revenue_minor", "liquidity_minor",
        "weekly_cost_minor",
    ),
    "rating": ("pd_ppm", "valid_to"),
    "grade": ("code", "valid_to"),
    "owner": ("owner_id",),
}  # fmt: skip


class ConfirmFirmFact(_Input):
    """A fact that another person entered."""

    fact_id: Id


class AssessFirms(_Input):
    """Firms of one snapshot, worked out before, as they were known on its morning."""

    snapshot_id: Id
    slice: Code
    # A value of ours, not of a caller: what was read and computed outside the transaction.
    content: Annotated[Any, SkipValidation] = Field(exclude=True, repr=False)


class KeepChain(_Input):
    """The chain of one snapshot's morning, worked out and written down before."""

    snapshot_id: Id
    policy_digest: Code
    content: bytes = Field(exclude=True, repr=False)


@command("firm.fact", AddFirmFact)
def add_firm_fact(ctx: Context, data: AddFirmFact) -> dict[str, Any]:
    """The financier knows one thing more of a firm, from tomorrow's prices on.

    What could make the firm cheaper waits for another person's confirmation; bad news does not.

    Raises
    ------
    NotAllowed
        For anybody but a financier's people.
    InvalidInput
        DATE_RANGE for a day that has not come yet, a statement received before its end, or a
        grade that is over already or holds for more than a year; OVERRIDE_VALUE for the model's
        own grade where it stands already.
    RuleViolation
        RISK_BELOW_FLOOR for a better grade of a firm that the policy refuses.
    NotFound
        For an owner that the actor may not know of.
    Unavailable
        MODEL_UNAVAILABLE where there is no risk appetite to judge by.
    """
    financier_only(ctx.conn, ctx.actor)
    firm = ctx.visible(Firm, data.firm_id)
    today = business_date(ctx.conn, ctx.actor.org_id)
    _in_the_past(data, today)
    if data.kind == "grade":
        _may_be_graded(ctx, data, today)
    if data.owner_id is not None:
        ctx.visible(Firm, data.owner_id)
    row = {
        "id": new_id(),
        "financier_id": ctx.actor.org_id,
        **data.model_dump(),
        "entered_by": ctx.actor.user_id,
        "entered_at": ctx.now,
        "confirmed_by": None,
        "confirmed_at": None,
        "known_at": None,
    }
    waits = _could_make_cheaper(ctx, row)
    if not waits:
        row["known_at"] = ctx.now
    ctx.conn.execute(insert(FACT), row)
    ctx.change("firm_fact", str(row["id"]), None, {"kind": data.kind, "counts": not waits})
    return {"id": row["id"], "firm_id": firm.id, "kind": data.kind, "waits_for_second": waits}


def _in_the_past(data: AddFirmFact, today: dt.date) -> None:
    days = (data.founded_on, data.period_end_on, data.received_on)
    if any(day is not None and day > today for day in days):
        raise InvalidInput("DATE_RANGE", "A fact of a day that has not come is none.")
    if data.received_on and data.period_end_on and data.received_on < data.period_end_on:
        raise InvalidInput("DATE_RANGE", "A statement is received after its period has ended.")


def _may_be_graded(ctx: Context, data: AddFirmFact, today: dt.date) -> None:
    """Stop a grade without end, and a better one for a firm that the policy refuses."""
    if data.valid_to is None or not today < data.valid_to <= today + _LONGEST:
        raise InvalidInput(
            "DATE_RANGE", "A grade by people holds from tomorrow for a year at most."
        )
    stands = grade_that_stands(ctx.conn, ctx.actor.org_id, data.firm_id, today)
    if not data.notches and (stands is None or not stands.notches):
        raise InvalidInput("OVERRIDE_VALUE", "This is the grade of the model already.")
    if data.notches < 0 and is_refused(ctx.conn, ctx.actor.org_id, data.firm_id):
        raise RuleViolation(
            "RISK_BELOW_FLOOR", "The policy finances no firm of this grade; people do not either."
        )


def _could_make_cheaper(ctx: Context, row: dict[str, Any]) -> bool:
    """Compare the points with and without the fact; a rating or more liquidity always may.

    An owner where there was none ties a firm to others and counts at once; what takes a tie away
    could let something pass.
    """
    if row["kind"] == "owner":
        return row["firm_id"] in owners(ctx.conn, row["financier_id"])
    appetite = policies.in_force()
    if row["kind"] == "rating":
        return True
    today = business_date(ctx.conn, ctx.actor.org_id)
    if row["kind"] == "grade":
        stands = grade_that_stands(ctx.conn, ctx.actor.org_id, row["firm_id"], today)
        sooner = stands is not None and row["valid_to"] < stands.valid_to
        now = stands.notches if stands is not None else 0
        return bool(row["notches"] < max(now, 0) or row["notches"] < 0 or (now > 0 and sooner))
    before = known_of_rows(ctx.conn, ctx.actor.org_id, row["firm_id"], today, appetite)
    after = known_of_rows(ctx.conn, ctx.actor.org_id, row["firm_id"], today, appetite, row)
    if (after.liquidity or 0) > (before.liquidity or 0):
        return True
    return _points(after, today, appetite) < _points(before, today, appetite)


def _points(known: Known, today: dt.date, appetite: policies.Appetite) -> int:
    inputs = CardInputs(
        firm_age_years=known.age_years(today),
        revenue_eur=known.revenue,
        equity_ratio=known.equity,
        liquidity_weeks=known.liquidity_weeks,
    )
    return score(inputs, appetite.policy.card).total


@command("firm.fact.confirm", ConfirmFirmFact)
def confirm_firm_fact(ctx: Context, data: ConfirmFirmFact) -> dict[str, Any]:
    """Another person has seen the evidence: the fact counts from tomorrow's prices on.

    Raises
    ------
    NotAllowed
        FOUR_EYES for the person who entered it.
    Conflict
        FACT_STATE when it counts already.
    """
    row = ctx.visible(FirmFact, data.fact_id)
    if row.financier_id != ctx.actor.org_id:
        raise not_found("firm_fact", data.fact_id)
    if same_person(ctx.conn, ctx.actor.user_id, [row.entered_by]):
        raise NotAllowed("FOUR_EYES", "Another person confirms what you have entered.")
    done = ctx.conn.execute(
        update(FACT)
        .where(FACT.c.id == row.id, FACT.c.known_at.is_(None))
        .values(confirmed_by=ctx.actor.user_id, confirmed_at=ctx.now, known_at=ctx.now)
        .returning(FACT.c.id)
    ).one_or_none()
    if done is None:
        raise Conflict("FACT_STATE", "This fact counts already.", fact_id=row.id)
    ctx.change("firm_fact", row.id, {"counts": False}, {"counts": True})
    return {"id": row.id, "firm_id": row.firm_id, "kind": row.kind, "waits_for_second": False}


@command("risk.assess", AssessFirms)
def assess_firms(ctx: Context, data: AssessFirms) -> dict[str, Any]:
    """Firms of a snapshot are assessed for the day: every risk price of the day rests on it."""
    content: writing.Batch = data.content
    if len(content.assessed) > MOST:
        raise InvalidInput("SLICE_SIZE", "A slice has at most %(limit)s firms.", limit=MOST)
    stored = writing.store(ctx, content)
    return {"assessed": stored, **dataclasses.asdict(content.about)}


@command("risk.keep_chain", KeepChain)
def keep_chain(ctx: Context, data: KeepChain) -> dict[str, Any]:
    """The chain of the day is kept, so that what-ifs are answered without working it out again."""
    keep_state(ctx, data.snapshot_id, data.policy_digest, data.content)
    ctx.change("graph_snapshot", data.snapshot_id, None, {"chain_bytes": len(data.content)})
    return {"snapshot_id": data.snapshot_id, "bytes": len(data.content)}
