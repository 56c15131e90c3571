"""What is kept of second factors and of signing in."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint

from scf.db.types import (
    Blob,
    Code,
    Count,
    Id,
    IdKey,
    Instant,
    Json,
    OptInstant,
    Record,
    Text,
    TextKey,
    table_args,
)


class TotpFactor(Record, table=True):
    """The authenticator of a person: the secret behind its codes, sealed with the key of settings.

    One a person: a new one takes the place of the old.
    """

    __tablename__ = "totp_factor"
    __table_args__ = table_args(
        ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_totp_user")
    )
    user_id: IdKey
    sealed: Text
    created_at: Instant


class Passkey(Record, table=True):
    """A passkey of a person: public by nature, good only together with the device that made it."""

    __table_args__ = table_args(
        ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_passkey_user"),
        UniqueConstraint("credential_id", name="uq_passkey_credential"),
        Index("ix_passkey_user", "user_id"),
    )
    id: IdKey
    user_id: Id
    credential_id: Text
    public_key: Text
    sign_count: Count
    label: Text
    created_at: Instant
    last_used_at: OptInstant


class RecoveryCode(Record, table=True):
    """A code that stands in for a lost factor once; only its digest is kept.

    ``OWN`` codes were shown to the person at enrolment; a ``HANDED_OVER`` one was shown to the
    administrator who reset the factors, to be passed on by another way.
    """

    __tablename__ = "recovery_code"
    __table_args__ = table_args(
        ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_recovery_user"),
        UniqueConstraint("user_id", "digest", name="uq_recovery_code"),
        CheckConstraint("kind IN ('OWN', 'HANDED_OVER')", name="ck_recovery_kind"),
    )
    id: IdKey
    user_id: Id
    kind: Code
    digest: Code
    created_at: Instant
    expires_at: OptInstant
    used_at: OptInstant


class FactorUse(Record, table=True):
    """A proof that was accepted; the key says that no proof is accepted twice.

    ``proof`` is the time step of a code, the digest of a passkey's challenge or the id of a
    recovery code. ``bound_to`` is the digest of what was signed by it, empty at sign-in, and
    ``form_key`` the one form that it was sent with.
    """

    __tablename__ = "factor_use"
    __table_args__ = table_args(
        ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_factor_use_user"),
        UniqueConstraint("id", name="uq_factor_use_id"),
    )
    user_id: IdKey
    proof: TextKey
    id: Id
    method: Code  # totp passkey recovery
    purpose: Code  # sign-in step-up enrol
    bound_to: Text
    form_key: Text
    used_at: Instant


class SignInEvent(Record, table=True):
    """One attempt to sign in, good or not, as the person and the administrator may read it."""

    __tablename__ = "sign_in_event"
    __table_args__ = table_args(
        Index("ix_sign_in_user", "user_id", "at"), Index("ix_sign_in_org", "org_id", "at")
    )
    id: IdKey
    at: Instant
    user_id: Id
    org_id: Id
    outcome: Code  # SIGNED_IN PASSWORD CODE TOO_MANY
    method: Code
    device: Text
    place: Text


class KeptForm(Record, table=True):
    """What a person had typed when the session ended, kept for a quarter of an hour."""

    __tablename__ = "kept_form"
    __table_args__ = table_args(Index("ix_kept_form_user", "user_id", "expires_at"))
    id: IdKey
    user_id: Id
    action: Text
    page: Text
    fields: Json
    created_at: Instant
    expires_at: Instant
    sent_at: OptInstant  # afterwards it only answers a second press


class KeptFile(Record, table=True):
    """A file that such a form brought; without content when there was no room for it."""

    __tablename__ = "kept_file"
    __table_args__ = table_args(
        ForeignKeyConstraint(["form_id"], ["kept_form.id"], name="fk_kept_file_form"),
        UniqueConstraint("form_id", "position", name="uq_kept_file_position"),
    )
    id: IdKey
    form_id: Id
    position: Count
    field: Text
    name: Text
    size: Count
    content: Blob
