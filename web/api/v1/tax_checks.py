"""Tax authorities: what they said of invoices, alerts on financed ones, and two people's word."""

import datetime as dt

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.db.types import Minor
from scf.documents.models import Invoice
from scf.documents.taxcheck.models import TaxCheck
from scf.financing.models import Advance
from scf.financing.taxwatch.desk import Outcome
from scf.financing.taxwatch.models import TaxAlert, TaxVouch
from scf.reporting.taxes import next_step
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader, run

resource = Blueprint("tax_checks", __name__)


class TaxCheckOut(Answer):
    """One answer, or a try that nobody answered (UNAVAILABLE, with the reason).

    ``field``, ``theirs`` and ``ours`` say where a MISMATCH lies; ``credited_minor`` is in the
    invoice's currency. ``source`` is ``authority``, or ``people`` who looked it up in its place.
    Why it was asked is not told: it would show who has money in the invoice.
    """

    id: str
    invoice_id: str
    scheme: str
    answer: str
    credited_minor: Minor
    field: str
    theirs: str
    ours: str
    reference: str
    reason: str
    source: str
    asked_at: dt.datetime
    answered_at: dt.datetime | None


class TaxCheckPage(Answer):
    """Some of the answers, the newest first."""

    items: list[TaxCheckOut]
    next_cursor: str


class TaxChecksQuery(PageQuery):
    """Of which invoice, and which answers."""

    invoice_id: str = Field(default="", max_length=64)
    answer: str = Field(default="", max_length=24)


class TaxAsked(Answer):
    """The job that asks; its answers stand in the list once it is done."""

    invoice_id: str
    job_id: str


class TaxAlertOut(Answer):
    """A financed invoice that its authority no longer has as we have it, and what helps.

    ``next_step``: ASK_AGAIN, UNDERTAKING (the buyer owes on), RECOURSE, CREDIT_NOTE or CORRECT (of
    the seller), WATCH and CLOSE. Until it is closed nothing more is decided or paid for the seller.
    """

    id: str
    invoice_id: str
    seller_id: str
    check_id: str
    kind: str
    state: str
    financed: Amount
    advance_ids: list[str]
    next_step: str
    owner_id: str | None
    opened_at: dt.datetime
    outcome: str | None
    note: str | None
    closed_by: str | None
    closed_at: dt.datetime | None


class TaxAlertPage(Answer):
    """Some of the alerts, the newest first."""

    items: list[TaxAlertOut]
    next_cursor: str


class StateQuery(PageQuery):
    """In which state."""

    state: str = Field(default="", max_length=24)


class AlertOutcome(BaseModel):
    """What became of an alert, which books and documents must bear out, and what it rests on."""

    model_config = ConfigDict(extra="forbid")
    outcome: Outcome
    note: str = Field(min_length=3, max_length=4000)


class TaxAlertTaken(Answer):
    """Whose work it is now."""

    alert_id: str
    state: str
    owner_id: str


class TaxAlertClosed(Answer):
    """How it ended."""

    alert_id: str
    state: str
    outcome: str


class Evidence(BaseModel):
    """Where else an invoice was seen to be valid, while its authority is away."""

    model_config = ConfigDict(extra="forbid")
    evidence: str = Field(min_length=3, max_length=4000)


class VouchWord(BaseModel):
    """The second person's word."""

    model_config = ConfigDict(extra="forbid")
    agree: bool


class TaxVouchOut(Answer):
    """What one person saw of an invoice, and what the second one said of it."""

    id: str
    invoice_id: str
    scheme: str
    evidence: str
    state: str
    proposed_by: str
    proposed_at: dt.datetime
    decided_by: str | None
    decided_at: dt.datetime | None


class TaxVouchPage(Answer):
    """Some of the words, the newest first."""

    items: list[TaxVouchOut]
    next_cursor: str


class TaxVouchMoved(Answer):
    """How a word stands now."""

    vouch_id: str
    state: str


@endpoint(resource, "GET", "/tax-checks", action="document.read", answer=TaxCheckPage)
def list_tax_checks(query: TaxChecksQuery) -> TaxCheckPage:
    """List what tax authorities said of the invoices that you may see, the newest first."""
    statement = select(TaxCheck)
    for name in ("invoice_id", "answer"):
        if wanted := getattr(query, name):
            statement = statement.where(getattr(TaxCheck, name) == wanted)
    with reader() as session:
        rows, following = page(session, statement, query, col(TaxCheck.id))
        items = [TaxCheckOut.model_validate(row) for row in rows]
    return TaxCheckPage(items=items, next_cursor=following)


@endpoint(
    resource,
    "POST",
    "/invoices/<invoice_id>/tax-checks",
    action="tax.ask",
    answer=TaxAsked,
    status=202,
)
def ask_tax_authority(invoice_id: str) -> tuple[TaxAsked, int]:
    """Have the tax authority asked about an invoice, where a programme wants its word.

    A word of the last ten minutes is not asked for again.
    """
    return TaxAsked.model_validate(run("tax.ask", {"invoice_id": invoice_id}).result), 202


@endpoint(resource, "GET", "/tax-alerts", action="tax.alerts", answer=TaxAlertPage)
def list_tax_alerts(query: StateQuery) -> TaxAlertPage:
    """List the alerts on invoices that you finance, the newest first."""
    statement = select(TaxAlert)
    if query.state:
        statement = statement.where(col(TaxAlert.state) == query.state)
    with reader() as session:
        rows, following = page(session, statement, query, col(TaxAlert.id))
        ids = [row.invoice_id for row in rows]
        found = session.execute(select(Invoice).where(col(Invoice.id).in_(ids))).scalars()
        invoices = {row.id: row for row in found}
        advances: dict[str, list[Advance]] = {}
        for row in session.execute(
            select(Advance).where(col(Advance.invoice_id).in_(ids)).order_by(col(Advance.id))
        ).scalars():
            advances.setdefault(row.invoice_id, []).append(row)
        items = [
            _alert(row, invoices[row.invoice_id], advances.get(row.invoice_id, [])) for row in rows
        ]
    return TaxAlertPage(items=items, next_cursor=following)


@endpoint(
    resource,
    "POST",
    "/tax-alerts/<alert_id>/take",
    action="tax.take_alert",
    answer=TaxAlertTaken,
)
def take_tax_alert(alert_id: str) -> TaxAlertTaken:
    """Make an alert your own."""
    return TaxAlertTaken.model_validate(run("tax.take_alert", {"alert_id": alert_id}).result)


@endpoint(
    resource,
    "POST",
    "/tax-alerts/<alert_id>/close",
    action="tax.close_alert",
    answer=TaxAlertClosed,
)
def close_tax_alert(alert_id: str, json: AlertOutcome) -> TaxAlertClosed:
    """Close an alert with what became of it."""
    payload = {"alert_id": alert_id, **json.model_dump()}
    return TaxAlertClosed.model_validate(run("tax.close_alert", payload).result)


@endpoint(resource, "GET", "/tax-vouches", action="tax.alerts", answer=TaxVouchPage)
def list_tax_vouches(query: StateQuery) -> TaxVouchPage:
    """List what your people looked up while an authority was away, the newest first."""
    statement = select(TaxVouch)
    if query.state:
        statement = statement.where(col(TaxVouch.state) == query.state)
    with reader() as session:
        rows, following = page(session, statement, query, col(TaxVouch.id))
        items = [TaxVouchOut.model_validate(row) for row in rows]
    return TaxVouchPage(items=items, next_cursor=following)


@endpoint(
    resource,
    "POST",
    "/invoices/<invoice_id>/tax-vouches",
    action="tax.vouch",
    answer=TaxVouchMoved,
    status=201,
)
def vouch_for_invoice(invoice_id: str, json: Evidence) -> tuple[TaxVouchMoved, int]:
    """Say where else an invoice was seen to be valid; another person has to agree."""
    payload = {"invoice_id": invoice_id, "evidence": json.evidence}
    return TaxVouchMoved.model_validate(run("tax.vouch", payload).result), 201


@endpoint(
    resource,
    "POST",
    "/tax-vouches/<vouch_id>/decide",
    action="tax.decide_vouch",
    answer=TaxVouchMoved,
)
def decide_tax_vouch(vouch_id: str, json: VouchWord) -> TaxVouchMoved:
    """Say the second word: agreed, it counts for a day as the authority's would."""
    payload = {"vouch_id": vouch_id, "agree": json.agree}
    return TaxVouchMoved.model_validate(run("tax.decide_vouch", payload).result)


def _alert(row: TaxAlert, invoice: Invoice, advances: list[Advance]) -> TaxAlertOut:
    state = advances[-1].state if advances else ""
    shown = row.model_dump(include=set(TaxAlertOut.model_fields))
    return TaxAlertOut(
        **shown,
        financed=amount(row.financed_minor, row.currency),
        advance_ids=[one.id for one in advances],
        next_step=next_step(row.kind, undertaken=invoice.ipu, state=state),
    )
