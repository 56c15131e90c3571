"""The seller's commands: submit a request on a firm quote, withdraw it."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row, Table, bindparam, insert, select, update

from scf.db.runner import Context, command
from scf.db.types import Id, OptCount
from scf.documents import axes
from scf.documents.models import Invoice
from scf.documents.taxcheck.standing import for_an_offer
from scf.financing import checks, policy, requests
from scf.financing.advances import created, of_request, transition_many
from scf.financing.lifecycle import REQUEST
from scf.financing.signatures import Signature, evidence_of
from scf.financing.signing import quote_digest
from scf.kernel.errors import Conflict, NotAllowed, Refusal, RuleViolation, Words
from scf.kernel.ids import new_id
from scf.offers.facts import Asked, Deal, deal_on, judge, takes_of
from scf.offers.models import Quote
from scf.offers.pricing import next_cut_off
from scf.offers.service import QUOTE, lines_of
from scf.parties.service import business_date, verified_account
from scf.programmes import claims, limits
from scf.programmes.service import programme_of, terms_of_version
from scf.programmes.terms import Terms

_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_INVOICES: Final = select(_INVOICE).where(_INVOICE.c.id.in_(bindparam("ids", expanding=True)))
_NEW_REQUEST: Final = insert(requests.REQUESTS)
_BY_ID: Final = select(requests.REQUESTS).where(requests.REQUESTS.c.id == bindparam("id"))
# Of two who try at once, the database lets one find the quote OPEN.
_USE_QUOTE: Final = (
    update(QUOTE)
    .where(QUOTE.c.id == bindparam("quote"), QUOTE.c.state == "OPEN")
    .values(state="USED")
    .returning(QUOTE.c.id)
)


class SubmitRequest(BaseModel):
    """The quote that the seller takes; with its second factor, where a door has checked one."""

    model_config = ConfigDict(extra="forbid")
    quote_id: Id
    signature: Signature | None = None


class WithdrawRequest(BaseModel):
    """A request that the seller no longer wants; ``version`` is what it last read."""

    model_config = ConfigDict(extra="forbid")
    request_id: Id
    version: OptCount = None


@command("request.submit", SubmitRequest)
def submit_request(ctx: Context, data: SubmitRequest) -> dict[str, Any]:
    """The quoted amounts are set aside on invoices and limits; within policy they are approved.

    Else the request waits for an officer, or two, with the reasons why the policy did not decide.

    Raises
    ------
    RuleViolation
        QUOTE_EXPIRED; SIGNATURE_VOID when the second factor was bound to something else; else the
        first reason against it, with every reason among the facts.
    Conflict
        QUOTE_USED for a quote that has been taken before.
    NotAllowed
        For anybody but the seller.
    """
    quote = _take_quote(ctx, data.quote_id)
    lines = lines_of(ctx.conn, quote.id)
    programme = programme_of(ctx.conn, quote.programme_id)
    terms = terms_of_version(ctx.conn, quote.programme_version_id)
    deal = deal_on(
        ctx.conn,
        programme,
        (quote.programme_version_id, terms),
        seller_id=quote.seller_id,
        obligor_id=quote.anchor_id,
        currency=quote.currency,
        value_on=quote.value_on,
        now=ctx.now,
    )
    advance_ids = [new_id() for _ in lines]
    asked = _hold(ctx, deal, lines, advance_ids)
    signature = _signature(ctx, quote, data.signature)
    rows = [one.row for one in asked]
    found = checks.platform_answers(ctx, terms, rows, signature, quote.financier_id)
    verdict = policy.judge(ctx, terms, quote, lines, found)
    row = _store_request(ctx, deal, quote, verdict)
    _store_advances(ctx, deal, row["id"], lines, advance_ids)
    for one in found:
        checks.record(ctx, row["id"], one, by_platform=True)
    states = dict.fromkeys(advance_ids, "HELD")
    if verdict.approves:
        states = _approve(ctx, row["id"], verdict, terms)
    ctx.emit("request.submitted", {"request_id": row["id"]}, org_id=quote.financier_id)
    return {
        "id": row["id"],
        "state": row["state"],
        "version": 1,
        "quote_id": quote.id,
        "currency": quote.currency,
        "face_minor": quote.face_minor,
        "discount_minor": quote.discount_minor,
        "fee_minor": quote.fee_minor,
        "net_minor": quote.net_minor,
        "on": deal.business_on.isoformat(),
        "value_on": quote.value_on.isoformat(),
        "day_count": quote.day_count,
        "rate_basis": quote.rate_basis,
        "all_in_ppm": quote.all_in_ppm,
        "effective_ppm": quote.effective_ppm,
        "decide_by": row["decide_by"].isoformat(),
        "advances": [
            {
                "id": advance_id,
                "invoice_id": one.row.id,
                "face_minor": one.face,
                "state": states[advance_id],
            }
            for advance_id, one in zip(advance_ids, asked, strict=True)
        ],
    }


def _signature(ctx: Context, quote: Row[Any], signature: Signature | None) -> str | None:
    if signature is None:
        return None
    return evidence_of(ctx, signature, quote_digest(ctx.conn, quote))


def _approve(
    ctx: Context, request_id: str, verdict: policy.Verdict, terms: Terms
) -> dict[str, str]:
    """Let the advances follow the policy's word, which is put on record like a person's.

    Gives their states afterwards.
    """
    row = ctx.conn.execute(_BY_ID, {"id": request_id}).one()
    held = of_request(ctx.conn, request_id)
    today = business_date(ctx.conn, row.financier_id)
    passed = transition_many(
        ctx, held, "precheck", today, {"checks": list(terms.checks_before_decision)}
    )
    decided = transition_many(ctx, passed, "decide", today, {"by": "policy"})
    policy.put_on_record(ctx, row, decided, verdict, terms)
    checks.pass_the_rest(ctx, decided, terms)
    ctx.emit("request.approved", {"request_id": row.id}, org_id=row.seller_id)
    return {one.id: one.state for one in of_request(ctx.conn, request_id)}


def _take_quote(ctx: Context, quote_id: str) -> Row[Any]:
    """Use a quote up; of two who try at once only one gets it."""
    quote: Row[Any] = ctx.visible(Quote, quote_id)
    if quote.seller_id != ctx.actor.org_id:
        raise NotAllowed("NOT_ALLOWED", "Only the seller takes its quote.")
    if quote.state == "USED":
        raise Conflict("QUOTE_USED", "This quote has been used for a request.", quote_id=quote_id)
    if quote.state != "OPEN" or quote.expires_at < ctx.now:
        raise _expired(quote)
    taken = ctx.conn.execute(_USE_QUOTE, {"quote": quote_id}).one_or_none()
    if taken is None:
        raise Conflict("QUOTE_USED", "This quote has just been used.", quote_id=quote_id)
    ctx.change("quote", quote_id, {"state": "OPEN"}, {"state": "USED"})
    return quote


def _expired(quote: Row[Any]) -> RuleViolation:
    return RuleViolation(
        "QUOTE_EXPIRED",
        "The quote is no longer firm; ask for a new one.",
        quote_id=quote.id,
        expires_at=quote.expires_at.isoformat(),
        next_step="Ask for a new quote.",
    )


def _hold(
    ctx: Context, deal: Deal, lines: Sequence[Row[Any]], advance_ids: Sequence[str]
) -> list[Asked]:
    """Lock limits, then invoices; judge everything as it is now; set the amounts aside."""
    financier_id = deal.programme.financier_id
    unlocked = _asked(lines, _read(ctx, lines))
    takes = takes_of(ctx.conn, deal, unlocked, advance_ids)
    planned = limits.lock_and_plan(ctx, financier_id, deal.currency, takes)
    asked = _asked(lines, ctx.lock(Invoice, [line.invoice_id for line in lines]))
    against = [
        *_moved_since(lines, asked),
        *judge(ctx.conn, deal, asked, since=for_an_offer(ctx.now)),
        *planned.refusals,
    ]
    limits.refuse(against)
    limits.apply(ctx, planned, takes)
    claims.claim_many(ctx, (one.row.id for one in asked), deal.programme.id, financier_id)
    axes.hold_many(ctx, {one.row.id: one.face for one in asked})
    return asked


def _read(ctx: Context, lines: Sequence[Row[Any]]) -> dict[str, Row[Any]]:
    rows = ctx.conn.execute(_INVOICES, {"ids": [line.invoice_id for line in lines]})
    return {row.id: row for row in rows}


def _asked(lines: Sequence[Row[Any]], rows: dict[str, Row[Any]]) -> list[Asked]:
    return [Asked(rows[line.invoice_id], line.face_minor, line.net_minor) for line in lines]


def _moved_since(lines: Sequence[Row[Any]], asked: Sequence[Asked]) -> list[Refusal]:
    """Refuse where the buyer's word on an invoice is another one than was quoted."""
    return [
        Refusal(
            "QUOTE_EXPIRED",
            f"acceptance {one.row.acceptance_version}",
            f"acceptance {line.acceptance_version}",
            None,
            "Ask for a new quote.",
            Words("Invoice %(number)s has changed since the quote.", number=one.row.number),
        )
        for line, one in zip(lines, asked, strict=True)
        if (line.acceptance_version, line.due_on) != (one.row.acceptance_version, one.row.due_on)
    ]


def _store_request(
    ctx: Context, deal: Deal, quote: Row[Any], verdict: policy.Verdict
) -> dict[str, Any]:
    decide_by: dt.datetime = next_cut_off(deal.terms, deal.calendar, ctx.now)
    decides = verdict.approves
    state = REQUEST.after("DRAFT", "submit")
    for event in ("accept_by_policy", "approve") if decides else ("review",):
        state = REQUEST.after(state, event)
    row = {
        "id": new_id(),
        "quote_id": quote.id,
        "seller_id": quote.seller_id,
        "financier_id": quote.financier_id,
        "programme_id": quote.programme_id,
        "state": state,
        "currency": quote.currency,
        "face_minor": quote.face_minor,
        "discount_minor": quote.discount_minor,
        "fee_minor": quote.fee_minor,
        "net_minor": quote.net_minor,
        "all_in_ppm": quote.all_in_ppm,
        "effective_ppm": quote.effective_ppm,
        "route": quote.route,
        "reasons": verdict.as_json(),
        "round": 1,
        "decide_by": decide_by,
        "clock_stopped_at": None,
        "decline_code": None,
        "decline_facts": None,
        "submitted_by": ctx.actor.user_id,
        "submitted_on": deal.business_on,
        "submitted_at": ctx.now,
        "decided_by": "policy" if decides else None,
        "decided_at": ctx.now if decides else None,
        "approved_version": 1 if decides else None,
        "version": 1,
    }
    ctx.conn.execute(_NEW_REQUEST, row)
    ctx.change("financing_request", row["id"], None, {"state": state})
    return row


def _store_advances(
    ctx: Context,
    deal: Deal,
    request_id: str,
    lines: Sequence[Row[Any]],
    advance_ids: Sequence[str],
) -> None:
    account = verified_account(
        ctx.conn,
        deal.seller_id,
        deal.currency,
        deal.business_on,
        financier_id=deal.programme.financier_id,
    )
    if account is None:
        msg = "a request without a verified account has been refused"
        raise AssertionError(msg)
    rows = [
        {
            "id": advance_id,
            "request_id": request_id,
            "quote_line_id": line.id,
            "invoice_id": line.invoice_id,
            "programme_id": deal.programme.id,
            "programme_version_id": deal.version_id,
            "seller_id": deal.seller_id,
            "obligor_id": deal.obligor_id,
            "financier_id": deal.programme.financier_id,
            "recourse": deal.terms.with_recourse,
            "currency": deal.currency,
            "face_minor": line.face_minor,
            "discount_minor": line.discount_minor,
            "fee_minor": line.fee_minor,
            "tax_minor": line.tax_minor,
            "reserve_minor": line.reserve_minor,
            "net_minor": line.net_minor,
            "rate_percent": line.rate_percent,
            "day_count": deal.terms.day_count.value,
            "value_on": deal.value_on,
            "due_on": line.settle_on,
            "days": line.days,
            "payee_account_id": account.id,
            "created_at": ctx.now,
        }
        for advance_id, line in zip(advance_ids, lines, strict=True)
    ]
    created(ctx, rows, deal.business_on)


@command("request.withdraw", WithdrawRequest)
def withdraw_request(ctx: Context, data: WithdrawRequest) -> dict[str, Any]:
    """The seller takes its request back, as long as the bank has not been told to pay.

    Raises
    ------
    Conflict
        STALE; ILLEGAL_TRANSITION once an advance is instructed.
    """
    row = requests.locked(ctx, data.request_id, side="seller")
    requests.same_version(row, data.version)
    after = requests.close(ctx, row, event="withdraw", code="WITHDRAWN", facts={})
    return requests.answer(after)
