"""Mailboxes, what their people want to be told there, and letters on their way to them."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text

from scf.db.types import (
    Code,
    CodeKey,
    Count,
    Id,
    IdKey,
    Instant,
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


class Mailbox(Record, table=True):
    """Where a person is written to, once a code sent there has come back.

    ASKED until then; REFUSED when its server says that there is no such mailbox.
    """

    __table_args__ = table_args(
        ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_mailbox_user"),
        CheckConstraint("state IN ('ASKED', 'CONFIRMED', 'REFUSED')", name="ck_mailbox_state"),
        CheckConstraint("hour BETWEEN 0 AND 23", name="ck_mailbox_hour"),
    )
    user_id: IdKey
    address: Text
    state: Code = "ASKED"
    language: Code
    zone: Code = "UTC"  # by whose clock a day begins
    hour: Count = 7  # at which the letter of the day leaves
    code_digest: OptCode  # of the code that is on its way
    sealed: OptText  # the code itself, for the letter
    code_until: OptInstant
    asked_at: Instant
    confirmed_at: OptInstant
    refused_at: OptInstant
    answer: OptText  # what the server said when it refused


class MailChoice(Record, table=True):
    """How a person wants to be told one kind of notice, where that is not the usual way."""

    __tablename__ = "mail_choice"
    __table_args__ = table_args(
        ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_mail_choice_user"),
        CheckConstraint(
            "choice IN ('AT_ONCE', 'HOURLY', 'DAILY', 'PORTAL')", name="ck_mail_choice"
        ),
    )
    user_id: IdKey
    kind: CodeKey
    choice: Code


class Letter(Record, table=True):
    """One mail to one person: a notice, those of an hour or a day, or the code for a mailbox.

    ``slot`` is what makes it one: the notice, the hour, the day. Its id is its Message-ID, so that
    whoever gets it twice can tell.
    """

    __table_args__ = table_args(
        ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_letter_user"),
        UniqueConstraint("user_id", "slot", name="uq_letter_slot"),
        CheckConstraint("kind IN ('NOTICE', 'DIGEST', 'CODE')", name="ck_letter_kind"),
        CheckConstraint(
            "state IN ('WAITING', 'SENT', 'FAILED', 'DROPPED')", name="ck_letter_state"
        ),
        index_where(_WAITING, "ix_letter_waiting", "next_at"),
        Index("ix_letter_user", "user_id", "id"),
    )
    id: IdKey
    user_id: Id
    org_id: Id
    kind: Code
    slot: Code
    due_at: Instant
    state: Code = "WAITING"
    attempts: Count = 0
    next_at: Instant
    lease_until: OptInstant
    done_at: OptInstant
    problem: OptCode  # of the last try, or why it was dropped
    status: OptCount  # and the number that the server gave
    answer: OptText
