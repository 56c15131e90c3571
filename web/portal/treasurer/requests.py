"""Financing requests: where each stands, and the seller's own acts on it.

A seller takes a request back as long as the bank was not told to pay, answers the bank's question,
or takes what the bank offers instead; each by a form that says which version it was read in.
"""

from collections.abc import Sequence
from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response

from scf.db.visibility import not_found
from scf.documents.models import Invoice
from scf.financing.lifecycle import BEFORE_INSTRUCTED, REQUEST
from scf.financing.models import Advance, CounterOffer, FinancingRequest, RequestQuestion
from scf.financing.reasons import letter
from scf.financing.signatures import bound_to
from scf.kernel.actor import Actor
from scf.kernel.errors import Refusal, ScfError
from scf.offers.models import Quote
from scf.parties.service import firm_names, people_names
from scf.programmes.service import terms_of_version
from web.context import actor, platform
from web.forms import form_key
from web.portal.reasons import Told, told
from web.portal.treasurer.askedback import asked_back
from web.portal.treasurer.blueprint import treasurer
from web.portal.treasurer.offer import why_of
from web.portal.treasurer.progress import steps, words
from web.refusals import refusal_text
from web.second_factor import check

PAGE: Final = 30
_DONE: Final = ("DECLINED", "WITHDRAWN", "EXPIRED", "LAPSED")


@treasurer.get("/requests")
def requests() -> str:
    """Show the requests, the newest first; those that are over on their own page."""
    who, over = actor(), request.args.get("show") == "over"
    after = request.args.get("after", "")
    with platform().db.read(who) as reading:
        query = select(FinancingRequest).where(
            col(FinancingRequest.seller_id) == who.org_id,
            col(FinancingRequest.state).in_(_DONE)
            if over
            else col(FinancingRequest.state).not_in(_DONE),
        )
        if after:
            query = query.where(col(FinancingRequest.id) < after)
        rows = list(
            reading.execute(
                query.order_by(col(FinancingRequest.id).desc()).limit(PAGE + 1)
            ).scalars()
        )
        more = rows[PAGE - 1].id if len(rows) > PAGE else ""
        show = "over" if over else "open"
        return render_template(
            "treasurer/requests.html",
            steps=steps(reading, rows[:PAGE]),
            tabs=[
                (_("Going on"), url_for("treasurer.requests"), not over, None),
                (_("Over"), url_for("treasurer.requests", show="over"), over, None),
            ],
            following=url_for("treasurer.requests", show=show, after=more) if more else "",
            start=url_for("treasurer.requests", show=show) if after else "",
        )


@treasurer.get("/requests/<request_id>", endpoint="request")
def request_page(request_id: str) -> str:
    """Show one request with everything that the seller may know and do."""
    with platform().db.read(actor()) as reading:
        return _page(reading, actor(), request_id)


def _own(reading: Session, who: Actor, request_id: str) -> FinancingRequest:
    row: FinancingRequest | None = reading.execute(
        select(FinancingRequest).where(
            col(FinancingRequest.id) == request_id, col(FinancingRequest.seller_id) == who.org_id
        )
    ).scalar_one_or_none()
    if row is None:
        raise not_found("financing request", request_id)
    return row


def _page(reading: Session, who: Actor, request_id: str, problem: str = "") -> str:
    row = _own(reading, who, request_id)
    quote = reading.execute(select(Quote).where(col(Quote.id) == row.quote_id)).scalar_one()
    (step,) = steps(reading, [row])
    advances = _all(reading, Advance, col(Advance.request_id) == row.id, by=col(Advance.id))
    invoices = {
        one.id: one.number
        for one in _all(
            reading,
            Invoice,
            col(Invoice.id).in_([advance.invoice_id for advance in advances]),
            by=col(Invoice.id),
        )
    }
    offers = _all(
        reading,
        CounterOffer,
        (col(CounterOffer.request_id) == row.id) & (col(CounterOffer.state) == "OPEN"),
        by=col(CounterOffer.round),
    )
    offer = offers[-1] if offers and row.state == "COUNTER_OFFERED" else None
    return render_template(
        "treasurer/request.html",
        row=row,
        asked_back=asked_back(reading, who.org_id, row.id),
        sums=_sums(row, quote, advances),
        why=why_of(quote, str(step.buyers)),
        step=step,
        terms=terms_of_version(reading.connection(), quote.programme_version_id),
        lines=[(one, invoices.get(one.invoice_id, ""), _word(one)) for one in advances],
        bank=firm_names(reading.connection(), {row.financier_id}).get(row.financier_id, ""),
        signer=people_names(reading.connection(), {row.submitted_by}).get(row.submitted_by, ""),
        questions=_all(
            reading,
            RequestQuestion,
            col(RequestQuestion.request_id) == row.id,
            by=col(RequestQuestion.id),
        ),
        offer=offer,
        bound_to=bound_to([offer.signed_digest]) if offer else "",
        can_withdraw=_can_withdraw(row, advances),
        declined=_declined(row),
        problem=problem,
    )


def _sums(row: FinancingRequest, quote: Quote, advances: Sequence[Advance]) -> dict[str, Any]:
    """Give every sum between the face and the cash, as the seller has signed them."""
    whole = row.face_minor == quote.face_minor
    return {
        "currency": row.currency,
        "face_minor": row.face_minor,
        "discount_minor": row.discount_minor,
        "fee_minor": row.fee_minor,
        "tax_minor": sum(one.tax_minor for one in advances),
        "reserve_minor": sum(one.reserve_minor for one in advances),
        "net_minor": row.net_minor,
        "interest_minor": quote.interest_minor if whole else 0,
        "all_in_ppm": row.all_in_ppm,
    }


def _all(reading: Session, model: Any, where: Any, by: Any) -> Sequence[Any]:  # noqa: ANN401 - any table
    return reading.execute(select(model).where(where).order_by(by)).scalars().all()


def _word(advance: Advance) -> tuple[str, str]:
    return words("APPROVED", {advance.state})


def _can_withdraw(row: FinancingRequest, advances: Sequence[Advance]) -> bool:
    return "withdraw" in REQUEST.allowed(row.state) and all(
        one.state in BEFORE_INSTRUCTED for one in advances
    )


def _declined(row: FinancingRequest) -> list[Told]:
    """Tell why not, as the letter to the firm would."""
    if row.state != "DECLINED" or not row.decline_code:
        return []
    facts = row.decline_facts or {}
    next_step = str(facts.get("next_step", ""))
    codes = letter([row.decline_code, *(facts.get("codes") or [])])
    return [told(Refusal(code, next_step=next_step, message=code)) for code in codes]


# --- The seller's acts ------------------------------------------------------------------------


@treasurer.post("/requests/<request_id>/withdraw")
def withdraw(request_id: str) -> Response:
    """Take the request back; everything that was set aside for it is free again."""
    payload = {"request_id": request_id, "version": _version()}
    return _act("request.withdraw", payload, request_id, _("Taken back. Nothing was charged."))


@treasurer.post("/requests/<request_id>/answer")
def answer(request_id: str) -> Response | tuple[str, int]:
    """Answer what the bank has asked; its clock runs on."""
    text = request.form.get("answer", "").strip()
    if not text:
        with platform().db.read(actor()) as reading:
            return _page(reading, actor(), request_id, _("Write an answer first.")), 422
    payload = {"request_id": request_id, "version": _version(), "answer": text[:4000]}
    return _act("request.answer", payload, request_id, _("Sent. The bank goes on."))


@treasurer.post("/requests/<request_id>/take")
def take(request_id: str) -> Response | tuple[str, int]:
    """Take what the bank offers instead, under a second factor on exactly these amounts."""
    who = actor()
    with platform().db.read(who) as reading:
        row = _own(reading, who, request_id)
        offer = reading.execute(
            select(CounterOffer).where(
                col(CounterOffer.id) == request.form.get("offer", ""),
                col(CounterOffer.request_id) == row.id,
            )
        ).scalar_one_or_none()
        if offer is None:
            raise not_found("counter offer", request.form.get("offer", ""))
        digest, later = offer.signed_digest, offer.value_on
    try:
        evidence = check(bound_to=bound_to([digest]))
    except ScfError as refused:
        with platform().db.read(who) as reading:
            return _page(reading, who, request_id, refusal_text(refused)), refused.http_status
    payload = {
        "counter_offer_id": offer.id,
        "version": _version(),
        "signature": {"evidence_id": evidence.id},
    }
    said = _("Taken. The money is on its way.")
    if later is not None:
        said = _("Confirmed. The bank decides on the new amounts.")
    return _act("request.take_offer", payload, request_id, said)


def _version() -> int | None:
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None  # noqa: PLR2004


def _act(command: str, payload: dict[str, Any], request_id: str, done: str) -> Response:
    """Run a command and go back to the request, which tells what became of it."""
    result = platform().run(command, payload, actor(), key=form_key()).result
    if result.get("code") == "QUOTE_EXPIRED":
        flash(_("The deadline has passed; ask again for the price of now."), "warn")
    else:
        flash(done, "ok")
    return redirect(url_for("treasurer.request", request_id=request_id), 303)
