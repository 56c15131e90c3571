"""Channels, the files that came through each, and what is to be written out."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text

from scf.db.types import (
    Blob,
    Code,
    Count,
    Id,
    IdKey,
    Instant,
    Json,
    OptCode,
    OptCount,
    OptId,
    OptInstant,
    OptText,
    Record,
    Text,
    index_where,
    table_args,
)

_SEEN = text("state = 'SEEN'")


class Channel(Record, table=True):
    """A way by which files of an organisation come and go; ``user_id`` is its own person.

    FOLDER: folders on this machine, below one root that an SFTP server opens to the sender.
    SFTP: folders on the partner's server. PUSH: signed messages to our address.
    """

    __table_args__ = table_args(
        ForeignKeyConstraint(["org_id"], ["firm.id"], name="fk_channel_org"),
        ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_channel_user"),
        CheckConstraint("kind IN ('FOLDER', 'SFTP', 'PUSH')", name="ck_channel_kind"),
        CheckConstraint("state IN ('ACTIVE', 'PAUSED', 'REMOVED')", name="ck_channel_state"),
        Index("ix_channel_org", "org_id"),
    )
    id: IdKey
    org_id: Id
    user_id: Id
    name: Text
    kind: Code
    state: Code = "ACTIVE"
    document_type: OptCode
    mode: Code = "keep-good"
    outputs: Json  # kinds of events that are written into out/
    host: OptText
    port: OptCount
    username: OptText
    folder: OptText
    key_name: OptText  # a file of ours; the key itself is in no database
    host_key: OptText  # the only one that is believed
    sealed: OptText  # the secret by which PUSH messages are signed
    former_sealed: OptText
    former_until: OptInstant
    lease_until: OptInstant
    next_look_at: Instant
    looked_at: OptInstant
    problem: OptCode
    version: Count = 1
    created_by: Id
    created_at: Instant


class ChannelFile(Record, table=True):
    """A file that lay in a channel's in/ and how far it has come.

    SEEN until it looks the same twice, CLAIMED once it is out of the sender's reach, then TAKEN,
    or REFUSED with the reason.
    """

    __tablename__ = "channel_file"
    __table_args__ = table_args(
        ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_channel_file"),
        CheckConstraint(
            "state IN ('SEEN', 'CLAIMED', 'TAKEN', 'REFUSED')", name="ck_channel_file_state"
        ),
        index_where(_SEEN, "uq_channel_file_seen", "channel_id", "path", unique=True),
        Index("ix_channel_file", "channel_id", "id"),
    )
    id: IdKey
    channel_id: Id
    org_id: Id
    path: Text  # the name, every odd byte escaped: what the file system knows it by
    name: Text  # as people may be shown it
    size: Count
    changed: Code
    state: Code
    reason: OptCode
    sha256: OptCode
    upload_id: OptId
    begun: Count = 0  # readings of it that were begun and never ended: their workers died
    lease_until: OptInstant
    seen_at: Instant
    done_at: OptInstant


class ChannelOutput(Record, table=True):
    """A file to be written into out/: its name and bytes follow from the event alone."""

    __tablename__ = "channel_output"
    __table_args__ = table_args(
        ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_channel_output"),
        UniqueConstraint("channel_id", "event_id", name="uq_channel_output"),
        Index("ix_channel_output", "channel_id", "written_at"),
    )
    id: IdKey
    channel_id: Id
    org_id: Id
    event_id: Id
    event_type: Code
    name: Text
    content: Blob
    created_at: Instant
    written_at: OptInstant
