"""Endpoints, what is on its way to them, and how each try went."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text

from scf.db.types import (
    Code,
    Count,
    Id,
    IdKey,
    Instant,
    Json,
    OptCode,
    OptCount,
    OptInstant,
    OptText,
    Record,
    Text,
    index_where,
    table_args,
)

_WAITING = text("state = 'WAITING'")


class WebhookEndpoint(Record, table=True):
    """An address of an organisation's own to which its events are sent.

    The secret is sealed; after a change the one before it signs as well until ``former_until``.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = table_args(
        ForeignKeyConstraint(["org_id"], ["firm.id"], name="fk_webhook_org"),
        CheckConstraint(
            "state IN ('ACTIVE', 'PAUSED', 'DISABLED', 'REMOVED')", name="ck_webhook_state"
        ),
        Index("ix_webhook_org", "org_id"),
    )
    id: IdKey
    org_id: Id
    user_id: Id  # who named it
    url: Text
    events: Json
    state: Code = "ACTIVE"
    reason: OptCode  # why it is DISABLED
    sealed: Text
    former_sealed: OptText
    former_until: OptInstant
    failures: Count = 0  # in a row
    quiet_until: OptInstant  # after a failure nothing is tried before
    version: Count = 1
    created_at: Instant


class WebhookDelivery(Record, table=True):
    """One event on its way to one endpoint: the same body and id at every try."""

    __tablename__ = "webhook_delivery"
    __table_args__ = table_args(
        ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoint.id"], name="fk_delivery_webhook"),
        UniqueConstraint("endpoint_id", "event_id", "round", name="uq_webhook_delivery"),
        CheckConstraint("state IN ('WAITING', 'DONE', 'FAILED')", name="ck_delivery_state"),
        index_where(_WAITING, "ix_delivery_waiting", "next_at"),
        Index("ix_delivery_endpoint", "endpoint_id", "id"),
    )
    id: IdKey
    endpoint_id: Id
    org_id: Id
    event_id: Id  # the row of the outbox that it came from
    event_type: Code
    event_at: Instant
    round: Count = 0  # each replay is a round of its own
    body: Text
    state: Code = "WAITING"
    attempts: Count = 0
    next_at: Instant
    lease_until: OptInstant
    done_at: OptInstant


class WebhookAttempt(Record, table=True):
    """One try: what was sent and what came back, without secrets and without bodies."""

    __tablename__ = "webhook_attempt"
    __table_args__ = table_args(
        ForeignKeyConstraint(["delivery_id"], ["webhook_delivery.id"], name="fk_attempt_delivery"),
        Index("ix_attempt_delivery", "delivery_id", "id"),
    )
    id: IdKey
    delivery_id: Id
    org_id: Id
    at: Instant
    status: OptCount
    problem: OptCode
    request_head: Text
    response_head: Text
