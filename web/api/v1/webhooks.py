"""Webhooks: where your events are sent, and how each try went."""

import datetime as dt
from typing import Literal

from flask import Blueprint, g
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.notices.webhooks import commands
from scf.notices.webhooks.models import WebhookDelivery, WebhookEndpoint
from scf.notices.webhooks.targets import MAX_URL
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import one
from web.context import actor, platform, targets, vault

resource = Blueprint("webhooks", __name__)


class WebhookOut(Answer):
    """An address of yours without its secret; ``reason`` says why it is DISABLED."""

    id: str
    url: str
    events: list[str]
    state: str
    reason: str | None
    created_at: dt.datetime


class WebhookPage(Answer):
    """Some of your addresses."""

    items: list[WebhookOut]
    next_cursor: str


class WebhookAdded(Answer):
    """The new address; ``secret`` is null in a repeated answer, since it is shown once."""

    id: str
    url: str
    events: list[str]
    state: str
    secret: str | None


class WebhookChanged(Answer):
    """The address as it is now."""

    id: str
    url: str
    events: list[str]
    state: str


class WebhookRotated(Answer):
    """The new secret, shown once; the former one signs as well until ``former_until``."""

    id: str
    former_until: dt.datetime
    secret: str | None


class WebhookReplayed(Answer):
    """How many events are sent again."""

    id: str
    replayed: int


class WebhookTested(Answer):
    """The message that is on its way."""

    id: str
    delivery_id: str


class DeliveryOut(Answer):
    """One event on its way to one address."""

    id: str
    event_id: str
    event_type: str
    event_at: dt.datetime
    state: str
    attempts: int
    next_at: dt.datetime
    done_at: dt.datetime | None


class DeliveryPage(Answer):
    """Some of the deliveries, the newest first."""

    items: list[DeliveryOut]
    next_cursor: str


class NewWebhook(BaseModel):
    """An address with https and the events that are sent there."""

    model_config = ConfigDict(extra="forbid")
    url: str = Field(min_length=10, max_length=MAX_URL)
    events: list[str] = Field(min_length=1, max_length=50)


class WebhookChange(BaseModel):
    """Other events, a pause, its end, or the end of the address."""

    model_config = ConfigDict(extra="forbid")
    events: list[str] | None = Field(default=None, max_length=50)
    state: Literal["ACTIVE", "PAUSED", "REMOVED"] | None = None


class Since(BaseModel):
    """From when on."""

    model_config = ConfigDict(extra="forbid")
    since: AwareDatetime


@endpoint(resource, "GET", "/webhooks", action="webhook.read", answer=WebhookPage)
def list_webhooks(query: PageQuery) -> WebhookPage:
    """List the addresses to which your events are sent."""
    with reader() as session:
        statement = select(WebhookEndpoint).where(col(WebhookEndpoint.state) != "REMOVED")
        rows, following = page(session, statement, query, col(WebhookEndpoint.id))
        items = [WebhookOut.model_validate(row) for row in rows]
    return WebhookPage(items=items, next_cursor=following)


@endpoint(resource, "POST", "/webhooks", action="webhook.add", answer=WebhookAdded, status=201)
def add_webhook(json: NewWebhook) -> tuple[WebhookAdded, int]:
    """Have your events sent to an address; its secret is shown in this answer only."""
    secret, outcome = commands.add(
        platform(), vault(), targets(), actor(), json.model_dump(), key=g.idempotency_key
    )
    g.replayed = outcome.replayed
    return WebhookAdded.model_validate({**outcome.result, "secret": secret}), 201


@endpoint(resource, "GET", "/webhooks/<webhook_id>", action="webhook.read", answer=WebhookOut)
def get_webhook(webhook_id: str) -> WebhookOut:
    """Show one address."""
    with reader() as session:
        row = one(session, WebhookEndpoint, webhook_id)
        return WebhookOut.model_validate(row)


@endpoint(
    resource,
    "POST",
    "/webhooks/<webhook_id>/change",
    action="webhook.change",
    answer=WebhookChanged,
)
def change_webhook(webhook_id: str, json: WebhookChange) -> WebhookChanged:
    """Send other events, pause, resume or remove."""
    payload = {"webhook_id": webhook_id, **json.model_dump()}
    return WebhookChanged.model_validate(run("webhook.change", payload).result)


@endpoint(
    resource,
    "POST",
    "/webhooks/<webhook_id>/rotate",
    action="webhook.rotate",
    answer=WebhookRotated,
)
def rotate_webhook(webhook_id: str) -> WebhookRotated:
    """Change the secret; for a day both sign."""
    secret, outcome = commands.rotate(
        platform(), vault(), actor(), webhook_id, key=g.idempotency_key
    )
    g.replayed = outcome.replayed
    return WebhookRotated.model_validate({**outcome.result, "secret": secret})


@endpoint(
    resource,
    "POST",
    "/webhooks/<webhook_id>/replay",
    action="webhook.replay",
    answer=WebhookReplayed,
)
def replay_webhook(webhook_id: str, json: Since) -> WebhookReplayed:
    """Send everything since an instant again, under the same ids."""
    payload = {"webhook_id": webhook_id, "since": json.since}
    return WebhookReplayed.model_validate(run("webhook.replay", payload).result)


@endpoint(
    resource, "POST", "/webhooks/<webhook_id>/test", action="webhook.test", answer=WebhookTested
)
def try_webhook(webhook_id: str) -> WebhookTested:
    """Send a message without content, to see whether it arrives."""
    return WebhookTested.model_validate(run("webhook.test", {"webhook_id": webhook_id}).result)


@endpoint(
    resource,
    "GET",
    "/webhooks/<webhook_id>/deliveries",
    action="webhook.read",
    answer=DeliveryPage,
)
def list_deliveries(webhook_id: str, query: PageQuery) -> DeliveryPage:
    """List what was sent there, the newest first."""
    with reader() as session:
        one(session, WebhookEndpoint, webhook_id)
        statement = select(WebhookDelivery).where(col(WebhookDelivery.endpoint_id) == webhook_id)
        rows, following = page(session, statement, query, col(WebhookDelivery.id))
        items = [DeliveryOut.model_validate(row) for row in rows]
    return DeliveryPage(items=items, next_cursor=following)
