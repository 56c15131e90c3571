"""The versions of a firm's table of account numbers."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint

from scf.db.types import Code, Count, Id, IdKey, Instant, Json, Record, table_args


class AccountMapping(Record, table=True):
    """One version of what a firm's accounts are called in one system; a change is a new version.

    ``accounts`` is our code → their number, ``parties`` our code → the party that their account
    wants, ``details`` what else their system asks of the firm.
    """

    __tablename__ = "account_mapping"
    __table_args__ = table_args(
        ForeignKeyConstraint(["org_id"], ["firm.id"], name="fk_account_mapping_org"),
        UniqueConstraint("org_id", "system", "version", name="uq_account_mapping_version"),
        CheckConstraint("version >= 1", name="ck_account_mapping_version"),
    )
    id: IdKey
    org_id: Id
    system: Code
    version: Count
    accounts: Json
    parties: Json
    details: Json
    created_by: Id
    created_at: Instant
