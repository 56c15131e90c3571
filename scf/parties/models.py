"""Firms, their identifiers and bank accounts; people, their roles, tokens and sessions."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import SQLModel

from scf.db.types import (
    Code,
    CodeKey,
    Count,
    Currency,
    Day,
    Id,
    IdKey,
    Instant,
    InstantKey,
    Json,
    OptCode,
    OptDay,
    OptId,
    OptInstant,
    OptText,
    Record,
    Text,
    TextKey,
    table_args,
)


class FirmFields(SQLModel):
    """What a firm is to everybody who may know it."""

    name: Text
    country: OptCode


class Firm(FirmFields, Record, table=True):
    """An organisation: a trading firm, a financier, or the platform itself.

    The organisation is the tenant. ``invited_by`` is the organisation that named it first,
    ``added_by`` the person. The last two say whose officers let it trade, and whose stopped it.
    """

    __table_args__ = table_args(
        CheckConstraint("kind IN ('trader', 'financier', 'platform')", name="ck_firm_kind")
    )
    id: IdKey
    kind: Code = "trader"
    state: Code = "INVITED"
    invited_by: OptId
    added_by: OptId = None
    address: Text = ""  # street, postcode and town in one line, as told when it was added
    activated_by_org: OptId = None
    suspended_by_org: OptId = None
    version: Count = 1
    created_at: Instant


class FirmIdentifier(Record, table=True):
    """One identifier by which documents name a firm.

    Public schemes (LEI, VAT, USCC, GLN, …) have an empty ``scope_org_id`` and name one firm for
    everybody. A name or a customer number means something only to the organisation that uses it:
    its scope is that organisation.
    """

    __tablename__ = "firm_identifier"
    __table_args__ = table_args(
        ForeignKeyConstraint(["firm_id"], ["firm.id"], name="fk_identifier_firm"),
        UniqueConstraint("scheme", "value", "scope_org_id", name="uq_identifier"),
        Index("ix_identifier_firm", "firm_id"),
    )
    id: IdKey
    firm_id: Id
    scheme: Code
    value: Text
    scope_org_id: Id = ""
    created_at: Instant


class BankAccount(Record, table=True):
    """An account of a firm, as one organisation has named it.

    What the firm says of itself counts for every financier; what a financier's officers have added
    is that financier's own record. Money leaves only to an account that the paying financier has
    verified itself (:class:`AccountVerification`).
    """

    __tablename__ = "bank_account"
    __table_args__ = table_args(
        ForeignKeyConstraint(["firm_id"], ["firm.id"], name="fk_account_firm"),
        UniqueConstraint("firm_id", "number", "bank", "added_by_org", name="uq_bank_account"),
        Index("ix_bank_account_number", "number"),
        CheckConstraint("state IN ('OPEN', 'CLOSED')", name="ck_bank_account_state"),
    )
    id: IdKey
    firm_id: Id
    number: Text  # an IBAN without spaces, or a national number
    is_iban: Count = 1
    bic: OptCode
    # Where there is no IBAN: the bank's number in a national clearing system (GBDSC, USABA …).
    clearing_system: OptCode = None
    clearing_member: OptCode = None
    # Which bank a national number is of: its clearing number, else its BIC; of an IBAN, empty.
    # Two banks may give the same number.
    bank: Code = ""
    currency: Currency
    holder: Text
    # The holder's address, as banks outside SEPA want it; empty where nobody gave it.
    street: Text = ""
    postcode: Text = ""
    town: Text = ""
    country: OptCode = None
    state: Code = "OPEN"
    added_by: Id
    added_by_org: Id
    created_at: Instant


class AccountVerification(Record, table=True):
    """One financier's own word that an account is the firm's; no other financier pays on it."""

    __tablename__ = "account_verification"
    __table_args__ = table_args(
        ForeignKeyConstraint(["account_id"], ["bank_account.id"], name="fk_verification_account"),
        ForeignKeyConstraint(["financier_id"], ["firm.id"], name="fk_verification_financier"),
        Index("ix_verification_financier", "financier_id"),
        CheckConstraint("state IN ('VERIFIED', 'WITHDRAWN')", name="ck_verification_state"),
    )
    account_id: IdKey
    financier_id: IdKey
    state: Code = "VERIFIED"
    verified_by: Id
    verified_at: Instant
    usable_on: OptDay  # a changed account receives nothing from this financier before this day


class User(Record, table=True):
    """A person who acts for one organisation."""

    __tablename__ = "app_user"
    __table_args__ = table_args(
        ForeignKeyConstraint(["org_id"], ["firm.id"], name="fk_user_org"),
        UniqueConstraint("email", name="uq_user_email"),
        Index("ix_user_org", "org_id"),
        CheckConstraint("state IN ('ACTIVE', 'DISABLED')", name="ck_user_state"),
    )
    id: IdKey
    email: Text  # lower case
    name: Text
    org_id: Id
    password_hash: OptText
    state: Code = "ACTIVE"
    created_at: Instant


class UserRole(Record, table=True):
    """A role that a person holds."""

    __tablename__ = "user_role"
    __table_args__ = table_args(
        ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_role_user")
    )
    user_id: IdKey
    role: CodeKey


class ApiToken(Record, table=True):
    """A person's bearer token; only its digest is kept."""

    __tablename__ = "api_token"
    __table_args__ = table_args(
        ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_token_user"),
        UniqueConstraint("token_digest", name="uq_token_digest"),
    )
    id: IdKey
    user_id: Id
    token_digest: Code
    label: Text
    created_at: Instant
    expires_at: Instant
    revoked_at: OptInstant


class WebSession(Record, table=True):
    """A signed-in browser; the cookie holds a random id, the table its digest."""

    __tablename__ = "web_session"
    __table_args__ = table_args(
        Index("ix_session_user", "user_id"),
        CheckConstraint("stage IN ('FULL', 'CODE', 'ENROL')", name="ck_session_stage"),
    )
    id_digest: CodeKey
    user_id: OptId
    # CODE until the second factor is shown, ENROL until there is one; only FULL opens anything
    stage: Code = "FULL"
    device: Text = ""
    place: Text = ""
    data: Json
    created_at: Instant
    last_seen_at: Instant
    expires_at: Instant
    revoked_at: OptInstant


class RateWindow(Record, table=True):
    """How often something was tried in one window of time, shared by all workers."""

    __tablename__ = "rate_window"
    __table_args__ = table_args()
    key: TextKey
    window_start: InstantKey
    tries: Count


class BusinessDate(Record, table=True):
    """The day a financier's books are on; only the end of day moves it."""

    __tablename__ = "business_date"
    __table_args__ = table_args(
        ForeignKeyConstraint(["financier_id"], ["firm.id"], name="fk_business_date_firm")
    )
    financier_id: IdKey
    current_on: Day
    zone: Text = "UTC"  # where its days begin and end: IANA name
    opened_at: OptInstant = None  # when this date began
