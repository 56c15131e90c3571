"""The tables every command writes beside its own: idempotency, audit, seals, outbox, jobs."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint

from scf.db.types import (
    Code,
    CodeKey,
    Count,
    CountKey,
    Id,
    IdKey,
    Instant,
    Json,
    OptId,
    OptInstant,
    OptJson,
    OptText,
    Record,
    SerialKey,
    Text,
    TextKey,
    table_args,
)


class Idempotency(Record, table=True):
    """The stored answer of one command under the key its caller made."""

    __table_args__ = table_args()
    org_id: IdKey
    command: CodeKey
    key: TextKey
    body_digest: Code
    command_id: Id
    response: OptJson
    created_at: Instant


class AuditLog(Record, table=True):
    """One append-only row per command: who, for whom, what, why, with which effect."""

    __tablename__ = "audit_log"
    __table_args__ = table_args(
        Index("ix_audit_org", "org_id", "seq"), Index("ix_audit_command_id", "command_id")
    )
    seq: SerialKey
    command_id: Id
    command: Code
    at: Instant
    user_id: Id
    org_id: Id
    roles: Text
    key: Text
    reason: Text
    request: Json
    changes: Json
    result_digest: Code
    digest: Code


class PersonalSalt(Record, table=True):
    """The salt of the personal fields of one audit row; deleting it forgets the person."""

    __tablename__ = "personal_salt"
    __table_args__ = table_args()
    command_id: IdKey
    salt: Code


class AuditSeal(Record, table=True):
    """A link of the seal chain: the digest over rows that no seal held before."""

    __tablename__ = "audit_seal"
    __table_args__ = table_args(CheckConstraint("rows > 0", name="ck_seal_rows"))
    seq: CountKey
    rows: Count
    rows_digest: Code
    previous: Code
    digest: Code
    sealed_at: Instant


class AuditSealRow(Record, table=True):
    """Which seal holds an audit row, and at which place."""

    __tablename__ = "audit_seal_row"
    __table_args__ = table_args(
        ForeignKeyConstraint(["audit_seq"], ["audit_log.seq"], name="fk_seal_row_audit"),
        ForeignKeyConstraint(["seal_seq"], ["audit_seal.seq"], name="fk_seal_row_seal"),
        UniqueConstraint("seal_seq", "place", name="uq_seal_place"),
    )
    audit_seq: CountKey
    seal_seq: Count
    place: Count


class SecurityEvent(Record, table=True):
    """A denied attempt, written in its own short transaction after the refusal."""

    __tablename__ = "security_event"
    __table_args__ = table_args()
    id: IdKey
    at: Instant
    user_id: Id
    org_id: Id
    action: Code
    code: Code
    facts: Json


class Outbox(Record, table=True):
    """A notice that leaves after its command has committed; delivered at least once."""

    __table_args__ = table_args(Index("ix_outbox_open", "done_at", "available_at"))
    id: IdKey
    topic: Code
    org_id: Id
    command_id: Id
    payload: Json
    created_at: Instant
    available_at: Instant
    attempts: Count = 0
    deaths: Count = 0  # attempts that were begun and never ended
    lease_until: OptInstant
    done_at: OptInstant
    last_error: OptText


class Job(Record, table=True):
    """Work that a worker claims with a lease; idempotent by the key of the command it runs."""

    __table_args__ = table_args(
        UniqueConstraint("kind", "key", name="uq_job_key"),
        Index("ix_job_open", "state", "available_at"),
        CheckConstraint("state IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED')", name="ck_job_state"),
    )
    id: IdKey
    kind: Code
    key: Text
    org_id: Id
    user_id: Id
    payload: Json
    state: Code = "QUEUED"
    progress: OptJson
    result: OptJson
    attempts: Count = 0
    deaths: Count = 0  # attempts that were begun and never ended: their workers died
    lease_until: OptInstant
    lease_owner: OptId
    available_at: Instant
    created_at: Instant
    finished_at: OptInstant
    last_error: OptText


class WorkerHeartbeat(Record, table=True):
    """When a worker last said that it lives; unsealed audit rows are judged against it."""

    __tablename__ = "worker_heartbeat"
    __table_args__ = table_args()
    worker: IdKey
    at: Instant
