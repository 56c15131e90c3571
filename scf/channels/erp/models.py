"""Connections with ERPs: how far each stream has come, what came, what was written, each round."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text

from scf.db.types import (
    Code,
    Count,
    Day,
    Id,
    IdKey,
    Instant,
    Json,
    OptCode,
    OptDay,
    OptId,
    OptInstant,
    OptMinor,
    OptText,
    Record,
    Text,
    index_where,
    table_args,
)

_CONNECTION = ["connection_id"], ["erp_connection.id"]
_RUNNING = text("state = 'RUNNING'")


class ErpConnection(Record, table=True):
    """An ERP of an organisation; ``user_id`` is the connection's own person here.

    ``pulls`` and ``pushes`` name what is read there and what is written there. Journals are
    written from the day ``from_on`` under the account numbers of the firm's table ``mapping``;
    ``payee_code`` is the financier's party there.
    """

    __tablename__ = "erp_connection"
    __table_args__ = table_args(
        ForeignKeyConstraint(["org_id"], ["firm.id"], name="fk_erp_org"),
        ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_erp_user"),
        CheckConstraint("kind IN ('TRYTON', 'OSCAR', 'ODOO', 'ERPNEXT')", name="ck_erp_kind"),
        CheckConstraint("state IN ('ACTIVE', 'PAUSED', 'REMOVED')", name="ck_erp_state"),
        Index("ix_erp_org", "org_id"),
    )
    id: IdKey
    org_id: Id
    user_id: Id
    name: Text
    kind: Code
    state: Code = "ACTIVE"
    url: Text
    database: Text
    username: Text
    sealed: Text  # the password of that user
    pulls: Json
    pushes: Json
    journal_code: Code
    mapping: OptCode  # the table of account numbers by which it posts
    from_on: Day
    payee_code: OptText
    lease_until: OptInstant
    next_look_at: Instant
    looked_at: OptInstant
    problem: OptCode
    said: OptText  # the ERP's own words on it
    failures: Count = 0  # rounds that failed in a row
    version: Count = 1
    created_by: Id
    created_at: Instant


class ErpStream(Record, table=True):
    """How far a kind of record has been read: everything changed before ``mark`` is here.

    While a pass is under way, ``after`` is the last id that was taken and ``high`` the latest
    change that it has seen.
    """

    __tablename__ = "erp_stream"
    __table_args__ = table_args(
        ForeignKeyConstraint(*_CONNECTION, name="fk_erp_stream"),
        UniqueConstraint("connection_id", "stream", name="uq_erp_stream"),
    )
    id: IdKey
    connection_id: Id
    org_id: Id
    stream: Code
    mark: OptText
    high: OptText
    after: OptText
    taken: Count = 0  # records that were new or had changed, over all rounds


class ErpItem(Record, table=True):
    """A record of the ERP as it last was: a party, or what became a document here."""

    __tablename__ = "erp_item"
    __table_args__ = table_args(
        ForeignKeyConstraint(*_CONNECTION, name="fk_erp_item"),
        UniqueConstraint("connection_id", "stream", "remote_id", name="uq_erp_item"),
        Index("ix_erp_item_label", "connection_id", "label"),
    )
    id: IdKey
    connection_id: Id
    org_id: Id
    stream: Code
    remote_id: Text
    label: Text  # its number, or a party's name
    digest: Code
    client_id: OptText  # under which it was handed in
    firm_id: OptId  # of a party: the firm it is here
    currency: OptCode
    payable_minor: OptMinor
    issue_on: OptDay
    problem: OptCode
    said: OptText
    taken_at: Instant


class ErpWrite(Record, table=True):
    """Something that is written in the ERP once: a journal entry, a mark, another payee."""

    __tablename__ = "erp_write"
    __table_args__ = table_args(
        ForeignKeyConstraint(*_CONNECTION, name="fk_erp_write"),
        UniqueConstraint("connection_id", "kind", "subject_id", name="uq_erp_write"),
        CheckConstraint("kind IN ('JOURNAL', 'FINANCED', 'PAYEE')", name="ck_erp_write_kind"),
        CheckConstraint("state IN ('DONE', 'FAILED')", name="ck_erp_write_state"),
        Index("ix_erp_write_state", "connection_id", "state", "next_at"),
    )
    id: IdKey
    connection_id: Id
    org_id: Id
    kind: Code
    subject_id: Id  # the entry, or the advance
    label: Text
    state: Code
    remote: OptText  # what it is there
    problem: OptCode
    said: OptText
    attempts: Count = 0
    tried_at: Instant
    next_at: OptInstant
    done_at: OptInstant


class ErpRun(Record, table=True):
    """One round: what came, what was written, and why it ended early if it did."""

    __tablename__ = "erp_run"
    __table_args__ = table_args(
        ForeignKeyConstraint(*_CONNECTION, name="fk_erp_run"),
        CheckConstraint("state IN ('RUNNING', 'DONE', 'FAILED', 'LOST')", name="ck_erp_run_state"),
        index_where(_RUNNING, "uq_erp_run", "connection_id", unique=True),
        Index("ix_erp_run", "connection_id", "id"),
    )
    id: IdKey
    connection_id: Id
    org_id: Id
    state: Code
    counts: Json
    problem: OptCode
    place: OptText
    said: OptText
    started_at: Instant
    ended_at: OptInstant
