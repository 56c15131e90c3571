"""From the offer to the request: firm quotes, the page that shows what is signed, one signature.

A basket is one quote per buyer. All are made under keys that derive from the form's own, and all
are taken after one second factor over the digest of exactly these quotes. Each is its own act:
what worked stays, what did not is told and can be tried again.
"""

from dataclasses import dataclass
from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response

from scf.db.visibility import not_found
from scf.documents.models import Invoice
from scf.financing.models import FinancingRequest
from scf.financing.signatures import bound_to
from scf.financing.signing import quote_digest
from scf.kernel.actor import Actor
from scf.kernel.errors import ScfError
from scf.kernel.ids import digest
from scf.offers.basket import Part
from scf.offers.models import Quote, QuoteLine
from scf.offers.service import Ask, compute
from scf.parties.service import day_for, firm_names
from scf.programmes.service import terms_of_version
from scf.programmes.terms import Terms
from web.context import actor, now, platform
from web.forms import form_key
from web.i18n import money
from web.portal.treasurer.blueprint import treasurer
from web.portal.treasurer.choice import Choice, look
from web.portal.treasurer.offer import Reserve, why_of
from web.refusals import refusal_text
from web.second_factor import check

MOST_QUOTES: Final = 40
_SUMS: Final = (
    "face_minor", "discount_minor", "fee_minor", "tax_minor", "reserve_minor", "interest_minor",
    "net_minor",
)  # fmt: skip


@dataclass(frozen=True)
class Held:
    """One firm quote as the page shows it, and the price of now where its time is over."""

    quote: Any
    lines: list[Any]
    numbers: dict[str, str]
    buyer: str
    bank: str
    terms: Terms
    digest: str  # of exactly what is signed
    request_id: str
    instead: Any  # the price of now

    @property
    def recourse(self) -> str:
        """Whether the bank can ask the money back from the seller, and when."""
        return self.terms.recourse

    @property
    def recourse_after_days(self) -> int:
        """After how many days past due."""
        return self.terms.recourse_after_days

    @property
    def most_owed_minor(self) -> int:
        """The most that the seller may have to pay back."""
        return 0 if self.terms.recourse == "none" else int(self.quote.face_minor)

    @property
    def reserve(self) -> Reserve | None:
        """What follows when the buyer has paid."""
        kept = int(self.quote.reserve_minor)
        return Reserve(kept, max(line.settle_on for line in self.lines)) if kept else None

    @property
    def why(self) -> dict[str, Any]:
        """Why it costs what it does, as it was kept."""
        return why_of(self.quote, self.buyer)

    @property
    def is_used(self) -> bool:
        """Whether it has been asked for already."""
        return bool(self.request_id)


# --- Quotes -----------------------------------------------------------------------------------


@treasurer.post("/offer")
def make_offer() -> Response:
    """Hold the price of what was chosen, one quote per buyer, and show what is to be signed."""
    who, key = actor(), form_key()
    choice = Choice.sent(request.form, request.form.getlist("pick"))
    with platform().db.read(who) as reading:
        conn = reading.connection()
        today = day_for(conn, who.org_id, now().date())
        seen = look(conn, who.org_id, choice, today, now())
    asks = [_exactly(part) for part in seen.basket.parts[:MOST_QUOTES]]
    return _held(who, key, asks)


@treasurer.post("/renew")
def renew() -> Response:
    """Hold the present price of what quotes held before their time was over."""
    who, key = actor(), form_key()
    with platform().db.read(who) as reading:
        held = _read(reading, who, request.form.getlist("quote"))
    asks = [_again(one) for one in held if not one.is_used]
    return _held(who, key, asks)


def _held(who: Actor, key: str, asks: list[dict[str, Any]]) -> Response:
    """Make a quote of each ask, as far as it goes."""
    made: list[str] = []
    for ask in asks:
        try:
            answer = platform().run("quote.make", ask, who, key=f"{key}:{digest(ask)[:16]}")
        except ScfError as refused:
            flash(refusal_text(refused), "bad")
        else:
            made.append(str(answer.result["id"]))
    if not made:
        if not asks:
            flash(_("Choose at least one invoice first."), "warn")
        return redirect(url_for("treasurer.home"), 303)
    return redirect(url_for("treasurer.confirm", quote=made), 303)


def _exactly(part: Part) -> dict[str, Any]:
    """Give the command that makes exactly the quote that was seen."""
    return {
        "invoice_ids": list(part.ask.invoice_ids),
        "amount_minor": part.ask.amount_minor,
        "value_on": part.deal.value_on,
        "programme_id": part.deal.programme.id,
    }


def _again(one: Held) -> dict[str, Any]:
    """Give the command that makes the same quote again, on the soonest day that is left."""
    return {
        "invoice_ids": [line.invoice_id for line in one.lines],
        "amount_minor": one.quote.face_minor,
        "value_on": None,
        "programme_id": one.quote.programme_id,
    }


# --- Confirming -------------------------------------------------------------------------------


@treasurer.get("/confirm")
def confirm() -> str:
    """Show what is about to be signed, or what became of it."""
    who = actor()
    with platform().db.read(who) as reading:
        return _page(reading, who, request.args.getlist("quote"))


@treasurer.post("/confirm")
def confirm_now() -> Response | str | tuple[str, int]:
    """Take every quote of the page, each once, under one second factor."""
    who, key = actor(), form_key()
    ids = request.form.getlist("quote")
    with platform().db.read(who) as reading:
        held = _read(reading, who, ids)
    if all(one.is_used for one in held):
        return redirect(url_for("treasurer.confirm", quote=ids), 303)
    try:
        evidence = check(bound_to=signed(held))
    except ScfError as refused:
        with platform().db.read(who) as reading:
            return _page(reading, who, ids, problem=refusal_text(refused)), refused.http_status
    taken: list[str] = []
    refused_ones = 0
    together = [one.digest for one in held if not one.is_used]
    signature = {"evidence_id": evidence.id, "together": together}
    for one in held:
        ask = {"quote_id": one.quote.id, "signature": signature}
        try:
            if not one.is_used:
                done = platform().run("request.submit", ask, who, key=f"{key}:{one.quote.id}")
        except ScfError as refused:
            refused_ones += 1
            flash(f"{one.buyer}: {refusal_text(refused)}", "bad")
        else:
            taken.append(one.request_id or str(done.result["id"]))
    if taken:
        total = sum(one.quote.net_minor for one in held)
        flash(
            _("Asked for. The bank has what it needs.")
            if refused_ones
            else _("%(sum)s asked for. The bank has what it needs.",
                   sum=money(total, held[0].quote.currency)),
            "ok",
        )  # fmt: skip
    if refused_ones:
        flash(
            ngettext(
                "%(num)d part did not go through; it can be tried again below.",
                "%(num)d parts did not go through; they can be tried again below.",
                refused_ones,
            ),
            "warn",
        )
        return redirect(url_for("treasurer.confirm", quote=ids), 303)
    if len(taken) == 1:
        return redirect(url_for("treasurer.request", request_id=taken[0]), 303)
    return redirect(url_for("treasurer.requests"), 303)


def signed(held: list[Held]) -> str:
    """Give what the second factor is bound to: the digests of exactly these quotes."""
    return bound_to([one.digest for one in held if not one.is_used])


def _page(reading: Session, who: Actor, ids: list[str], problem: str = "") -> str:
    held = _read(reading, who, ids)
    instant = now()
    waiting = [one for one in held if not one.is_used]
    expired = [one for one in waiting if one.quote.expires_at < instant]
    currency = held[0].quote.currency
    return render_template(
        "treasurer/confirm.html",
        held=held,
        waiting=waiting,
        expired=expired,
        currency=currency,
        total=sum(one.quote.net_minor for one in waiting),
        sums={name: sum(getattr(one.quote, name) for one in waiting) for name in _SUMS},
        days=sorted({one.quote.value_on for one in waiting}),
        zone=held[0].terms.cut_off_zone,
        is_without_recourse=all(one.recourse == "none" and one.reserve is None for one in waiting),
        instead=sum(one.instead.net_minor for one in expired if one.instead),
        until=min((one.quote.expires_at for one in waiting), default=None),
        bound_to=signed(held) if waiting else "",
        problem=problem,
    )


def _read(reading: Session, who: Actor, ids: list[str]) -> list[Held]:
    """Read own quotes with everything that their page shows.

    Raises
    ------
    NotFound
        When one is missing or somebody else's, or none was named.
    """
    wanted = list(dict.fromkeys(ids))[:MOST_QUOTES]
    found = {
        row.id: row
        for row in reading.execute(
            select(Quote).where(col(Quote.id).in_(wanted), col(Quote.seller_id) == who.org_id)
        ).scalars()
    }
    if not wanted or len(found) < len(wanted):
        raise not_found("quote", next((one for one in wanted if one not in found), ""))
    lines: dict[str, list[QuoteLine]] = {one: [] for one in wanted}
    for line in reading.execute(
        select(QuoteLine).where(col(QuoteLine.quote_id).in_(wanted)).order_by(col(QuoteLine.place))
    ).scalars():
        lines[line.quote_id].append(line)
    taken = {
        row.quote_id: row.id
        for row in reading.execute(
            select(FinancingRequest).where(col(FinancingRequest.quote_id).in_(wanted))
        ).scalars()
    }
    names = firm_names(
        reading.connection(),
        {firm for row in found.values() for firm in (row.anchor_id, row.financier_id)},
    )
    return [
        Held(
            found[one],
            lines[one],
            _numbers(reading, lines[one]),
            names.get(found[one].anchor_id, ""),
            names.get(found[one].financier_id, ""),
            terms_of_version(reading.connection(), found[one].programme_version_id),
            quote_digest(reading.connection(), found[one]),
            taken.get(one, ""),
            None if one in taken else _instead(reading, who, found[one], lines[one]),
        )
        for one in wanted
    ]


def _numbers(reading: Session, lines: list[QuoteLine]) -> dict[str, str]:
    rows = reading.execute(
        select(Invoice).where(col(Invoice.id).in_([line.invoice_id for line in lines]))
    ).scalars()
    return {row.id: row.number for row in rows}


def _instead(reading: Session, who: Actor, quote: Quote, lines: list[QuoteLine]) -> Any:  # noqa: ANN401 - a price, or nothing
    """Give the price of now for a quote whose time is over; nothing where there is none."""
    if quote.expires_at >= now():
        return None
    ask = Ask([line.invoice_id for line in lines], quote.face_minor, None, quote.programme_id)
    try:
        computed = compute(reading.connection(), who.org_id, ask, now())
    except ScfError:
        return None
    return None if computed.is_refused else computed.price
