"""Notices: one row per person and event, told in the reader's language."""

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text

from scf.db.types import (
    Code,
    Id,
    IdKey,
    Instant,
    OptId,
    OptInstant,
    OptJson,
    Record,
    Text,
    index_where,
    table_args,
)
from scf.kernel.errors import words_from_stored

_UNREAD = text("read_at IS NULL")
_MAILED = text("letter_id IS NOT NULL")


class Notice(Record, table=True):
    """Something that one person should know; ``subject`` is what its page is about."""

    __table_args__ = table_args(
        ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_notice_user"),
        UniqueConstraint("user_id", "event_id", name="uq_notice_event"),
        Index("ix_notice_person", "user_id", "id"),
        index_where(_UNREAD, "ix_notice_unread", "user_id"),
        index_where(_MAILED, "ix_notice_letter", "letter_id"),
    )
    id: IdKey
    user_id: Id
    org_id: Id
    event_id: Id  # the row of the outbox that it came from
    topic: Code
    # upload, request, account, webhook, channel, tax_alert, invoice_sold or _bought, card_alarm,
    # risk_model, erp or reminder
    subject: Code
    subject_id: Id
    message: Text
    words: OptJson  # how the message was made, so that it can be told in another language
    created_at: Instant
    read_at: OptInstant
    letter_id: OptId  # the mail that tells it, too

    @property
    def told(self) -> str:
        """The message, ready to be told in any language."""
        return words_from_stored(self.message, self.words)
