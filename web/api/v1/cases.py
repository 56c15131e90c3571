"""Cases as an officer decides on them, for the financier only: the queue, and one whole.

Nothing here is told to a seller: its own view of a request is the request.
"""

import datetime as dt
from typing import Any, Literal

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from scf.db.types import OptPpm, Ppm
from scf.db.visibility import not_found
from scf.kernel.rates import PPM
from scf.reporting import casefile, worklist
from scf.reporting.economics import Economics
from scf.reporting.repriced import effect
from web.api.v1.paging import PageQuery, decode, encode
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader
from web.context import actor, now
from web.refusals import refusal_text, translated

resource = Blueprint("cases", __name__)


class CaseBrief(Answer):
    """One case of the queue; ``alike`` may be approved together with others."""

    id: str
    version: int
    state: str
    seller: str
    obligor: str
    invoices: int
    face: Amount
    net: Amount
    grade: str
    route: str
    decide_by: dt.datetime
    clock_stopped: bool
    late: bool
    maker: str
    missing: list[str]
    mine: bool
    alike: bool


class Counts(Answer):
    """How many cases each view holds."""

    mine: int
    team: int
    second: int
    returned: int


class CasePage(Answer):
    """Some of the queue, the shortest clock and the most money first."""

    items: list[CaseBrief]
    counts: Counts
    next_cursor: str


class CasesQuery(PageQuery):
    """Which cases."""

    view: Literal["mine", "team", "second", "returned"] = "team"


class CaseInvoice(Answer):
    """One invoice of the case; ``components`` are whole basis points that sum to its rate."""

    invoice_id: str
    number: str
    obligor: str
    order_number: str
    match_state: str
    acceptance_state: str
    dispute_state: str
    ipu: bool
    face: Amount
    net: Amount
    due_on: dt.date
    days: int
    components: dict[str, int]


class CaseFigures(Answer):
    """What the case earns and may lose; ``kind`` says what that rests on."""

    kind: str
    policy_version: str
    pd_ppm: Ppm
    pd_item_ppm: Ppm
    expected_loss: Amount
    return_ppm: OptPpm
    hurdle_ppm: Ppm
    chain_effect_bp: int


class CaseReason(Answer):
    """One criterion of the policy, as it was found when the case came about."""

    code: str
    passed: bool
    measured: str
    needed: str


class CaseCheckOut(Answer):
    """A required check, with the latest record of it."""

    kind: str
    before_payout: bool
    result: str
    source: str
    evidence: str
    who: str
    at: dt.datetime | None


class CaseLimit(Answer):
    """A limit: what stood there before, what the case takes, how much is allowed."""

    kind: str
    name: str
    before: Amount
    this: Amount
    limit: Amount
    share_ppm: Ppm


class CaseWordOut(Answer):
    """What somebody, or the policy, said on the case."""

    name: str
    outcome: str
    codes: list[str]
    note: str
    at: dt.datetime
    round: int
    step: int


class CaseDifference(Answer):
    """What is other than when the first officer's word was said."""

    what: str
    then: str
    now: str


class CaseAct(Answer):
    """What you may do, and why not; ``last`` tells that the word would decide."""

    name: str
    allowed: bool
    code: str
    why_not: str
    last: bool


class CaseOverride(Answer):
    """What was set aside, by which code."""

    what: str
    before: str
    after: str
    code: str
    note: str
    at: dt.datetime


class CaseOut(Answer):
    """Everything that a decision rests on."""

    id: str
    version: int
    state: str
    programme: str
    seller: str
    obligors: list[str]
    face: Amount
    net: Amount
    rate_percent: str
    all_in_ppm: Ppm
    effective_ppm: Ppm
    grade: str
    route: str
    value_on: dt.date
    decide_by: dt.datetime
    clock_stopped: bool
    chain_snapshot_id: str
    invoices: list[CaseInvoice]
    figures: CaseFigures | None
    reasons: list[CaseReason]
    exposure: list[CaseLimit]
    checks: list[CaseCheckOut]
    words: list[CaseWordOut]
    differences: list[CaseDifference]
    overrides: list[CaseOverride]
    acts: list[CaseAct]
    signed: str


class PartMoved(Answer):
    """One of the eleven parts, in whole basis points now and then."""

    name: str
    now_bp: int
    then_bp: int


class RepriceEffect(Answer):
    """What another margin would do, before anybody saves it; ``refused`` says why there is none.

    ``parts`` are those of the largest invoice. ``people`` say a word, the last of them in one of
    ``roles``; then the seller takes the price or not.
    """

    margin_shift_bp: int
    rate_percent: str
    rate_percent_then: str
    net: Amount
    net_then: Amount
    all_in_ppm: Ppm
    all_in_ppm_then: Ppm
    parts: list[PartMoved]
    figures: CaseFigures
    figures_then: CaseFigures | None
    people: int
    roles: list[str]
    refused: str
    why: str


class RepriceQuery(BaseModel):
    """How much would stand on the policy's margin."""

    model_config = ConfigDict(extra="forbid")
    margin_shift_bp: int = Field(default=0, ge=-10_000, le=10_000)


@endpoint(resource, "GET", "/cases", action="decision.read", answer=CasePage)
def list_cases(query: CasesQuery) -> CasePage:
    """List what waits for a word: yours, the team's, a second one, or the customer's."""
    with reader() as session:
        rows = worklist.waiting(session, actor(), now())
    shown = worklist.of_view(rows, query.view)
    if query.cursor:
        after = decode(query.cursor, str)
        ids = [row.id for row in shown]
        shown = shown[ids.index(after) + 1 :] if after in ids else []
    part = shown[: query.limit]
    return CasePage(
        items=[_brief(row) for row in part],
        counts=Counts(**{view: len(worklist.of_view(rows, view)) for view in worklist.VIEWS}),
        next_cursor=encode(part[-1].id) if len(shown) > len(part) else "",
    )


def _brief(row: worklist.Waiting) -> CaseBrief:
    same = set(CaseBrief.model_fields) - {"face", "net", "missing"}
    return CaseBrief(
        face=amount(row.face_minor, row.currency),
        net=amount(row.net_minor, row.currency),
        missing=list(row.missing),
        **{name: getattr(row, name) for name in same},
    )


@endpoint(
    resource,
    "GET",
    "/financing-requests/<request_id>/case",
    action="decision.read",
    answer=CaseOut,
)
def get_case(request_id: str) -> CaseOut:
    """Show one request as its financier decides on it."""
    with reader() as session:
        return _shown(_case(session, request_id))


@endpoint(
    resource,
    "GET",
    "/financing-requests/<request_id>/reprice",
    action="request.reprice",
    answer=RepriceEffect,
)
def reprice_effect(request_id: str, query: RepriceQuery) -> RepriceEffect:
    """Show what another margin would do to price, money and return; nothing is stored."""
    with reader() as session:
        found = effect(session, actor(), request_id, query.margin_shift_bp)
    if found is None:
        raise not_found("financing_request", request_id)
    refusal = found.refusal
    return RepriceEffect(
        margin_shift_bp=found.shift_bp,
        rate_percent=found.rate_before,
        rate_percent_then=found.rate_after,
        net=amount(found.net_before_minor, found.currency),
        net_then=amount(found.net_after_minor, found.currency),
        all_in_ppm=found.all_in_before_ppm,
        all_in_ppm_then=found.all_in_after_ppm,
        parts=[PartMoved(name=name, now_bp=now_, then_bp=then) for name, now_, then in found.parts],
        figures=_figures(found.before, found.currency),
        figures_then=_figures(found.after, found.currency) if found.after else None,
        people=found.people,
        roles=[role.value for role in found.roles],
        refused=refusal.code if refusal else "",
        why=refusal_text(refusal) if refusal else "",
    )


def _case(session: Session, request_id: str) -> casefile.CaseFile:
    found = casefile.case_file(session, actor(), request_id, now())
    if found is None:
        raise not_found("financing_request", request_id)
    return found


def _shown(case: casefile.CaseFile) -> CaseOut:
    row, quote = case.request, case.quote
    return CaseOut(
        id=row.id,
        version=row.version,
        state=row.state,
        programme=case.programme,
        seller=case.seller,
        obligors=list(case.obligors),
        face=amount(row.face_minor, row.currency),
        net=amount(row.net_minor, row.currency),
        rate_percent=quote.rate_percent,
        all_in_ppm=row.all_in_ppm,
        effective_ppm=row.effective_ppm,
        grade=quote.grade or "",
        route=row.route,
        value_on=case.value_on,
        decide_by=row.decide_by,
        clock_stopped=row.clock_stopped_at is not None,
        chain_snapshot_id=case.chain_snapshot_id,
        invoices=[_invoice(line, row.currency) for line in case.lines],
        figures=_figures(case.economics, row.currency) if case.economics else None,
        reasons=[CaseReason.model_validate(line) for line in row.reasons],
        exposure=[_limit(one) for one in case.exposure],
        checks=[
            _as(CaseCheckOut, one).model_copy(update={"evidence": translated(one.evidence)})
            for one in case.checks
        ],
        words=[_word(one) for one in case.words],
        differences=[
            CaseDifference(what=one.what, then=str(one.then), now=str(one.now))
            for one in case.differences
            if not one.agrees
        ],
        overrides=[_as(CaseOverride, one) for one in case.overrides],
        acts=[CaseAct.model_validate(act._asdict()) for act in case.acts],
        signed=case.signed,
    )


def _as(model: type[Any], row: Any) -> Any:  # noqa: ANN401 - one listed answer of a row
    return model(**{name: getattr(row, name) for name in model.model_fields})


def _word(one: casefile.CaseWord) -> CaseWordOut:
    same = set(CaseWordOut.model_fields) - {"codes"}
    return CaseWordOut(codes=list(one.codes), **{name: getattr(one, name) for name in same})


def _invoice(line: casefile.CaseLine, currency: str) -> CaseInvoice:
    same = set(CaseInvoice.model_fields) - {"face", "net", "components"}
    return CaseInvoice(
        face=amount(line.face_minor, currency),
        net=amount(line.net_minor, currency),
        components=dict(line.components),
        **{name: getattr(line, name) for name in same},
    )


def _figures(found: Economics, currency: str) -> CaseFigures:
    same = set(CaseFigures.model_fields) - {"expected_loss"}
    return CaseFigures(
        expected_loss=amount(found.expected_loss_minor, currency),
        **{name: getattr(found, name) for name in same},
    )


def _limit(one: casefile.CaseExposure) -> CaseLimit:
    line = one.line
    taken = line.taken_minor
    return CaseLimit(
        kind=line.kind,
        name=line.name,
        before=amount(taken - one.this_minor, line.currency),
        this=amount(one.this_minor, line.currency),
        limit=amount(line.limit_minor, line.currency),
        share_ppm=taken * PPM // line.limit_minor if line.limit_minor else PPM,
    )
