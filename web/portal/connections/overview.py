"""All connections of the firm at one look."""

from flask import render_template
from sqlalchemy import select
from sqlmodel import col

from scf.channels.erp.models import ErpConnection
from scf.channels.models import Channel
from scf.notices.webhooks.models import WebhookEndpoint
from scf.parties.access import may
from web.context import actor, platform
from web.portal.connections.blueprint import connections


@connections.get("/")
def home() -> str:
    """List what comes in by itself, and where events go."""
    who = actor()
    with platform().db.read(who) as reading:
        channels = list(
            reading.execute(
                select(Channel).where(col(Channel.state) != "REMOVED").order_by(col(Channel.id))
            ).scalars()
        )
        erps = list(
            reading.execute(
                select(ErpConnection)
                .where(col(ErpConnection.state) != "REMOVED")
                .order_by(col(ErpConnection.id))
            ).scalars()
        )
        webhooks = list(
            reading.execute(
                select(WebhookEndpoint)
                .where(col(WebhookEndpoint.state) != "REMOVED")
                .order_by(col(WebhookEndpoint.id))
            ).scalars()
        )
        return render_template(
            "connections/home.html",
            channels=channels,
            erps=erps,
            webhooks=webhooks,
            may_add=may(who, "channel.add"),
        )
