"""The versions of what an organisation has agreed with the bank of one of its own accounts."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint

from scf.db.types import Code, Count, Id, IdKey, Instant, Json, Record, Text, table_args


class AccountSetup(Record, table=True):
    """One version for one own account; a change is a new version.

    ``mapping`` says how the bank's tables (CSV) are read and is empty where none is read;
    ``sample`` names the table on which it was tried (name, sha256, rows).
    """

    __tablename__ = "account_setup"
    __table_args__ = table_args(
        ForeignKeyConstraint(["org_id"], ["firm.id"], name="fk_account_setup_org"),
        ForeignKeyConstraint(["account_id"], ["bank_account.id"], name="fk_account_setup_account"),
        UniqueConstraint("account_id", "version", name="uq_account_setup_version"),
        CheckConstraint("version >= 1", name="ck_account_setup_version"),
        CheckConstraint("shape IN ('auto', 'sepa', 'domestic')", name="ck_account_setup_shape"),
    )
    id: IdKey
    org_id: Id
    account_id: Id
    version: Count
    mapping_name: Text
    mapping: Json
    sample: Json
    payment_version: Code  # pain.001.001.09 pain.001.001.03
    shape: Code  # auto sepa domestic
    batch_booking: Count  # 1: the bank may debit a file as one sum
    cut_off: Code  # time of day, or empty where only the programme's counts
    cut_off_zone: Text
    created_by: Id
    created_at: Instant
