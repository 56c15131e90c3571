"""Accounts, entries, postings, and the conscious decision to post nothing."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text

from scf.db.types import (
    Code,
    Count,
    Currency,
    Day,
    Id,
    IdKey,
    Instant,
    Minor,
    OptCode,
    OptId,
    OptInstant,
    Record,
    SignedMinor,
    Text,
    table_args,
)


class Account(Record, table=True):
    """One account of one organisation's book, as the chart of a version had it when it was opened.

    Name and kind stay as they were then: a later chart changes no account that has entries.
    """

    __table_args__ = table_args(
        UniqueConstraint("org_id", "code", name="uq_account_code"),
        CheckConstraint(
            "kind IN ('asset', 'liability', 'income', 'expense', 'equity')", name="ck_account_kind"
        ),
    )
    id: IdKey
    org_id: Id
    code: Code
    name: Text
    kind: Code
    chart_version: Code = ""


class Entry(Record, table=True):
    """A balanced set of postings in one book, written once and never changed.

    ``event_id`` joins the three journals of one event; ``event_kind`` names the row of the
    posting tables it follows. A correction is a new entry that names what it reverses.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = table_args(
        UniqueConstraint("org_id", "event_id", "event_kind", name="uq_entry_event"),
        Index("ix_entry_book", "org_id", "booked_on"),
        Index("ix_entry_subject", "subject_id"),
        Index("ix_entry_event", "event_id"),
    )
    id: IdKey
    seq: Count
    org_id: Id
    event_id: Id
    event_kind: Code
    subject_id: Id
    booked_on: Day
    value_on: Day
    narrative: Text
    command_id: Id
    reverses_id: OptId
    created_at: Instant


class Posting(Record, table=True):
    """One line of an entry: debit positive, credit negative."""

    __tablename__ = "ledger_posting"
    __table_args__ = table_args(
        ForeignKeyConstraint(
            ["entry_id"],
            ["ledger_entry.id"],
            name="fk_posting_entry",
            deferrable=True,
            initially="DEFERRED",
        ),
        ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_posting_account"),
        CheckConstraint("amount_minor <> 0", name="ck_posting_nonzero"),
        Index("ix_posting_account", "account_id", "currency"),
        Index("ix_posting_entry", "entry_id"),
    )
    id: IdKey
    entry_id: Id
    place: Count
    account_id: Id
    currency: Currency
    amount_minor: SignedMinor


class Turnover(Record, table=True):
    """What one command booked to one account on one day, in one sum; many of them may be one row.

    Follows from the postings, and is checked against them: a trial balance reads these rows.
    """

    __tablename__ = "ledger_turnover"
    __table_args__ = table_args(
        ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_turnover_account"),
        Index("ix_turnover_book", "org_id", "booked_on"),
    )
    id: IdKey
    org_id: Id
    account_id: Id
    currency: Currency
    booked_on: Day
    debit_minor: Minor
    credit_minor: Minor


class NoEntry(Record, table=True):
    """A dash of the posting tables: this event needs no entry in this book, and why."""

    __tablename__ = "ledger_no_entry"
    __table_args__ = table_args(
        UniqueConstraint("org_id", "event_id", "event_kind", name="uq_no_entry_event")
    )
    id: IdKey
    org_id: Id
    event_id: Id
    event_kind: Code
    subject_id: Id
    booked_on: Day
    reason: Text
    memo: OptCode
    command_id: Id


class Period(Record, table=True):
    """Days of one book that are closed, or about to be; OPEN is one that was opened again."""

    __tablename__ = "ledger_period"
    __table_args__ = table_args(
        CheckConstraint(
            "state IN ('CLOSING', 'CLOSED', 'OPENING', 'OPEN')", name="ck_period_state"
        ),
        CheckConstraint("from_on <= to_on", name="ck_period_days"),
        Index(
            "uq_period_live",
            "org_id",
            "from_on",
            unique=True,
            sqlite_where=text("state <> 'OPEN'"),
            postgresql_where=text("state <> 'OPEN'"),
        ),
    )
    id: IdKey
    org_id: Id
    from_on: Day
    to_on: Day
    state: Code
    note: Text
    proposed_by: Id
    proposed_at: Instant
    confirmed_by: OptId
    confirmed_at: OptInstant
    closed_at: OptInstant
    version: Count = 1
