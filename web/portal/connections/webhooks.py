"""Where the firm's events are sent: naming an address, its log, a try, a new secret."""

import datetime as dt
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response as BaseResponse

from scf.kernel.errors import Conflict, InvalidInput
from scf.notices.webhooks import commands, events
from scf.notices.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from scf.parties.models import Firm
from web.context import actor, platform, targets, vault
from web.forms import form_key
from web.portal.acting import tried
from web.portal.connections.blueprint import connections, must_be_ours, row_of
from web.portal.fresh import freshly_proved
from web.refusals import refusal_text

Answer = str | BaseResponse | tuple[str, int]
LOG = 30


@connections.get("/webhooks/new")
@freshly_proved
def new_webhook() -> str:
    """Ask for an address and the events to send there."""
    return _new("", [], {})


@connections.post("/webhooks")
@freshly_proved
def add_webhook() -> Answer:
    """Name an address; its secret is shown in this answer only."""
    url, chosen = request.form.get("url", "").strip(), request.form.getlist("events")
    try:
        secret, outcome = commands.add(
            platform(),
            vault(),
            targets(),
            actor(),
            {"url": url, "events": chosen},
            key=form_key(),
        )
    except InvalidInput as refusal:
        place = "events" if refusal.code == "EVENTS" or not chosen else "url"
        words = _("Choose at least one event.") if place == "events" else refusal_text(refusal)
        return _new(url, chosen, {place: words}), 422
    except Conflict as refusal:
        return _new(url, chosen, {"url": refusal_text(refusal)}), 409
    if secret is None:
        return redirect(url_for("connections.webhook", webhook_id=outcome.result["id"]), 303)
    return _page(str(outcome.result["id"]), secret)


@connections.get("/webhooks/<webhook_id>")
def webhook(webhook_id: str) -> str:
    """Show one address and what went there."""
    return _page(webhook_id, "")


@connections.post("/webhooks/<webhook_id>/state")
def set_webhook_state(webhook_id: str) -> BaseResponse:
    """Pause, go on, or remove."""
    must_be_ours(WebhookEndpoint, webhook_id)
    state = request.form.get("state", "")
    payload = {"webhook_id": webhook_id, "state": state}
    if tried("webhook.change", payload) is not None:
        flash(_("The address is changed."), "ok")
    if state == "REMOVED":
        return redirect(url_for("connections.home"), 303)
    return _back(webhook_id)


@connections.post("/webhooks/<webhook_id>/events")
def set_webhook_events(webhook_id: str) -> BaseResponse:
    """Send other events."""
    must_be_ours(WebhookEndpoint, webhook_id)
    payload = {"webhook_id": webhook_id, "events": request.form.getlist("events")}
    if tried("webhook.change", payload) is not None:
        flash(_("The events are changed."), "ok")
    return _back(webhook_id)


@connections.post("/webhooks/<webhook_id>/try")
def try_webhook(webhook_id: str) -> BaseResponse:
    """Send a message without content."""
    must_be_ours(WebhookEndpoint, webhook_id)
    if tried("webhook.test", {"webhook_id": webhook_id}) is not None:
        flash(_("A message is on its way. Load this page again in a moment."), "ok")
    return _back(webhook_id)


@connections.post("/webhooks/<webhook_id>/replay")
def replay_webhook(webhook_id: str) -> BaseResponse:
    """Send everything since a day again."""
    must_be_ours(WebhookEndpoint, webhook_id)
    try:
        day = dt.date.fromisoformat(request.form.get("since", ""))
    except ValueError:
        flash(_("Choose a day."), "bad")
        return _back(webhook_id)
    since = dt.datetime.combine(day, dt.time(), dt.UTC)
    done = tried("webhook.replay", {"webhook_id": webhook_id, "since": since})
    if done is not None:
        flash(_("Events that are sent again: %(count)s.", count=done["replayed"]), "ok")
    return _back(webhook_id)


@connections.post("/webhooks/<webhook_id>/secret")
@freshly_proved
def rotate_webhook(webhook_id: str) -> Answer:
    """Change the secret and show the new one, this once."""
    must_be_ours(WebhookEndpoint, webhook_id)
    secret, _outcome = commands.rotate(platform(), vault(), actor(), webhook_id, key=form_key())
    return _back(webhook_id) if secret is None else _page(webhook_id, secret)


def _back(webhook_id: str) -> BaseResponse:
    return redirect(url_for("connections.webhook", webhook_id=webhook_id), 303)


def _possible(reading: Session) -> tuple[str, ...]:
    kind = reading.execute(
        select(col(Firm.kind)).where(col(Firm.id) == actor().org_id)
    ).scalar_one()
    return events.kinds_for(str(kind))


def _new(url: str, chosen: list[str], errors: dict[str, str]) -> str:
    with platform().db.read(actor()) as reading:
        possible = _possible(reading)
    return render_template(
        "connections/new_webhook.html", url=url, chosen=chosen, possible=possible, errors=errors
    )


def _page(webhook_id: str, secret: str) -> str:
    with platform().db.read(actor()) as reading:
        row = row_of(reading, WebhookEndpoint, webhook_id)
        sent = list(
            reading.execute(
                select(WebhookDelivery)
                .where(col(WebhookDelivery.endpoint_id) == webhook_id)
                .order_by(col(WebhookDelivery.id).desc())
                .limit(LOG)
            ).scalars()
        )
        tries: dict[str, list[Any]] = {}
        for one in reading.execute(
            select(WebhookAttempt)
            .where(col(WebhookAttempt.delivery_id).in_([item.id for item in sent]))
            .order_by(col(WebhookAttempt.id))
        ).scalars():
            tries.setdefault(one.delivery_id, []).append(one)
        return render_template(
            "connections/webhook.html",
            row=row,
            secret=secret,
            sent=sent,
            tries=tries,
            possible=_possible(reading),
        )
