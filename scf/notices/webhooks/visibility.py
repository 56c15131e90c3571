"""Who sees endpoints and what went to them: the organisation that named them."""

from sqlalchemy import ColumnElement
from sqlmodel import col

from scf.db.visibility import visible_to
from scf.kernel.actor import Actor
from scf.notices.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint


@visible_to(WebhookEndpoint)
def _endpoints(actor: Actor) -> ColumnElement[bool]:
    return col(WebhookEndpoint.org_id) == actor.org_id


@visible_to(WebhookDelivery)
def _deliveries(actor: Actor) -> ColumnElement[bool]:
    return col(WebhookDelivery.org_id) == actor.org_id


@visible_to(WebhookAttempt)
def _attempts(actor: Actor) -> ColumnElement[bool]:
    return col(WebhookAttempt.org_id) == actor.org_id
