"""The commands on endpoints: name, change, new secret, send again, try, disable."""

import datetime as dt
from typing import Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import func, insert, select, update

from scf.db.platform import Platform
from scf.db.runner import Context, Outcome, command
from scf.kernel.actor import Actor
from scf.kernel.errors import Conflict, InvalidInput
from scf.kernel.ids import new_id
from scf.notices.webhooks import events
from scf.notices.webhooks.models import WebhookDelivery, WebhookEndpoint
from scf.notices.webhooks.secrets import Sealed, changed, run_with_secret
from scf.notices.webhooks.targets import MAX_URL, Targets
from scf.parties.factors.vault import Vault
from scf.parties.models import Firm

_endpoint = WebhookEndpoint.__table__  # type: ignore[attr-defined]
_delivery = WebhookDelivery.__table__  # type: ignore[attr-defined]
_firm = Firm.__table__  # type: ignore[attr-defined]

MAX_ENDPOINTS: Final = 20  # of one organisation
MAX_REPLAYED: Final = 10_000


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AddWebhook(_Input):
    """An address and the events that are sent there; the secret comes sealed."""

    sealed: Sealed
    url: str = Field(min_length=10, max_length=MAX_URL)
    events: list[str] = Field(min_length=1, max_length=50)


class ChangeWebhook(_Input):
    """Other events, a pause, its end, or the end of the endpoint."""

    webhook_id: str = Field(max_length=64)
    events: list[str] | None = Field(default=None, max_length=50)
    state: Literal["ACTIVE", "PAUSED", "REMOVED"] | None = None


class RotateWebhook(_Input):
    """A new secret; the one before it signs as well for a day."""

    sealed: Sealed
    webhook_id: str = Field(max_length=64)


class ReplayWebhook(_Input):
    """Everything that was to be sent since an instant, once more."""

    webhook_id: str = Field(max_length=64)
    since: AwareDatetime


class OneWebhook(_Input):
    """An endpoint to try."""

    webhook_id: str = Field(max_length=64)


class DisableWebhook(_Input):
    """An endpoint that did not answer for days, or said that it is gone."""

    webhook_id: str = Field(max_length=64)
    reason: Literal["UNREACHABLE", "GONE"]


# --- With a secret, shown once ----------------------------------------------------------------


def owner(org_id: str) -> str:
    """Name for whom a secret is sealed."""
    return f"webhook:{org_id}"


def add(
    platform: Platform, vault: Vault, targets: Targets, actor: Actor, wanted: dict[str, Any], *,
    key: str,
) -> tuple[str | None, Outcome]:  # fmt: skip
    """Name an endpoint; gives its secret (None when the key was used before) and the outcome.

    Raises
    ------
    InvalidInput
        WEBHOOK_URL for an address that cannot be called; EVENTS.
    """
    targets.check(str(wanted.get("url", "")))
    sealed_for = owner(actor.org_id)
    return run_with_secret(platform, vault, actor, "webhook.add", wanted, sealed_for, key=key)


def rotate(
    platform: Platform, vault: Vault, actor: Actor, webhook_id: str, *, key: str
) -> tuple[str | None, Outcome]:
    """Give an endpoint a new secret; gives it (None when the key was used before)."""
    payload, sealed_for = {"webhook_id": webhook_id}, owner(actor.org_id)
    return run_with_secret(platform, vault, actor, "webhook.rotate", payload, sealed_for, key=key)


# --- The commands -----------------------------------------------------------------------------


@command("webhook.add", AddWebhook)
def add_webhook(ctx: Context, data: AddWebhook) -> dict[str, Any]:
    """The organisation's events are sent to this address from now on.

    Raises
    ------
    Conflict
        TOO_MANY_WEBHOOKS.
    InvalidInput
        EVENTS.
    """
    count = ctx.conn.execute(
        select(func.count()).where(
            _endpoint.c.org_id == ctx.actor.org_id, _endpoint.c.state != "REMOVED"
        )
    ).scalar_one()
    if count >= MAX_ENDPOINTS:
        raise Conflict(
            "TOO_MANY_WEBHOOKS", "An organisation has at most %(limit)s of them.",
            limit=MAX_ENDPOINTS,
        )  # fmt: skip
    row = {
        "id": new_id(),
        "org_id": ctx.actor.org_id,
        "user_id": ctx.actor.user_id,
        "url": data.url,
        "events": _wanted(ctx, data.events),
        "state": "ACTIVE",
        "sealed": data.sealed,
        "failures": 0,
        "version": 1,
        "created_at": ctx.now,
    }
    ctx.conn.execute(insert(_endpoint), row)
    shown = {"url": data.url, "events": row["events"], "state": "ACTIVE"}
    ctx.change("webhook", str(row["id"]), None, shown)
    return {"id": row["id"], **shown}


@command("webhook.change", ChangeWebhook)
def change_webhook(ctx: Context, data: ChangeWebhook) -> dict[str, Any]:
    """Other events are sent there, or none for a while; what waited goes when it goes on."""
    row = _one(ctx, data.webhook_id)
    before = {"events": row.events, "state": row.state}
    after = {
        "events": row.events if data.events is None else _wanted(ctx, data.events),
        "state": data.state or row.state,
    }
    values: dict[str, Any] = {**after, "version": row.version + 1}
    if data.state == "ACTIVE":
        values |= {"reason": None, "failures": 0, "quiet_until": None}
    _write(ctx, row, values)
    if data.state == "ACTIVE":
        _waiting_now(ctx, row.id)
    ctx.change("webhook", row.id, before, after)
    return {"id": row.id, "url": row.url, **after}


@command("webhook.rotate", RotateWebhook)
def rotate_webhook(ctx: Context, data: RotateWebhook) -> dict[str, Any]:
    """Messages are signed with the new secret, and for a day with the former one as well."""
    row = _one(ctx, data.webhook_id)
    values = changed(row, data.sealed, ctx.now)
    _write(ctx, row, values)
    ctx.change("webhook", row.id, None, {"secret": "changed"})
    return {"id": row.id, "former_until": values["former_until"].isoformat()}


@command("webhook.replay", ReplayWebhook)
def replay_webhook(ctx: Context, data: ReplayWebhook) -> dict[str, Any]:
    """Everything meant for the endpoint since then is sent once more, under the same ids.

    Raises
    ------
    InvalidInput
        TOO_MUCH: narrow the time.
    """
    row = _one(ctx, data.webhook_id)
    sent = ctx.conn.execute(
        select(_delivery)
        .where(
            _delivery.c.endpoint_id == row.id,
            _delivery.c.event_at >= data.since,
            _delivery.c.event_type != events.TEST,
        )
        .order_by(_delivery.c.id)
        .limit(2 * MAX_REPLAYED)
    ).all()
    latest = {one.event_id: one for one in sent}
    if len(latest) > MAX_REPLAYED or len(sent) == 2 * MAX_REPLAYED:
        raise InvalidInput(
            "TOO_MUCH", "These are more than %(limit)s events: choose a later day.",
            limit=MAX_REPLAYED,
        )  # fmt: skip
    again = [one for one in latest.values() if one.state != "WAITING"]
    if again:
        ctx.conn.execute(
            insert(_delivery),
            [
                delivery_row(row, one.event_id, one.event_type, one.event_at, one.body, ctx.now)
                | {"round": one.round + 1}
                for one in again
            ],
        )
    ctx.change("webhook", row.id, None, {"replayed": len(again)})
    return {"id": row.id, "replayed": len(again)}


@command("webhook.test", OneWebhook)
def test_webhook(ctx: Context, data: OneWebhook) -> dict[str, Any]:
    """A message without content is sent, to see whether it arrives."""
    row = _one(ctx, data.webhook_id)
    if row.state != "ACTIVE":
        raise Conflict("WEBHOOK_PAUSED", "Nothing is sent there at the moment. Resume it first.")
    event_id = new_id()
    body = events.envelope(events.TEST, ctx.now, {"webhook_id": row.id})
    made = delivery_row(row, event_id, events.TEST, ctx.now, body, ctx.now)
    ctx.conn.execute(insert(_delivery), made)
    _write(ctx, row, {"quiet_until": None})
    ctx.change("webhook", row.id, None, {"tested": event_id})
    return {"id": row.id, "delivery_id": made["id"]}


@command("webhook.disable", DisableWebhook)
def disable_webhook(ctx: Context, data: DisableWebhook) -> dict[str, Any]:
    """Nothing more is sent there until its organisation says so; its people are told."""
    row = ctx.conn.execute(
        select(_endpoint).where(_endpoint.c.id == data.webhook_id, _endpoint.c.state == "ACTIVE")
    ).one_or_none()
    if row is None:
        return {"id": data.webhook_id, "disabled": False}
    _write(ctx, row, {"state": "DISABLED", "reason": data.reason})
    ctx.change("webhook", row.id, {"state": "ACTIVE"}, {"state": "DISABLED"})
    ctx.emit("webhook.disabled", {"webhook_id": row.id, "reason": data.reason}, org_id=row.org_id)
    return {"id": row.id, "disabled": True}


def delivery_row(
    endpoint: Any,  # noqa: ANN401 - a row
    event_id: str,
    event_type: str,
    event_at: dt.datetime,
    body: str,
    now: dt.datetime,
) -> dict[str, Any]:
    """Give the row of an event on its way to an endpoint."""
    return {
        "id": new_id(),
        "endpoint_id": endpoint.id,
        "org_id": endpoint.org_id,
        "event_id": event_id,
        "event_type": event_type,
        "event_at": event_at,
        "round": 0,
        "body": body,
        "state": "WAITING",
        "attempts": 0,
        "next_at": now,
    }


def _one(ctx: Context, webhook_id: str) -> Any:  # noqa: ANN401 - a row
    row = ctx.visible(WebhookEndpoint, webhook_id)
    if row.state == "REMOVED":
        raise Conflict("WEBHOOK_REMOVED", "This address was removed.", id=row.id)
    return row


def _write(ctx: Context, row: Any, values: dict[str, Any]) -> None:  # noqa: ANN401 - a row
    ctx.conn.execute(update(_endpoint).where(_endpoint.c.id == row.id).values(**values))


def _waiting_now(ctx: Context, endpoint_id: str) -> None:
    ctx.conn.execute(
        update(_delivery)
        .where(_delivery.c.endpoint_id == endpoint_id, _delivery.c.state == "WAITING")
        .values(next_at=ctx.now, attempts=0)
    )


def _wanted(ctx: Context, wanted: list[str]) -> list[str]:
    kind = ctx.conn.execute(select(_firm.c.kind).where(_firm.c.id == ctx.actor.org_id)).scalar_one()
    return events.wanted_events(wanted, kind)
