"""What a morning showed of the card or of a model, and the alarms that were raised by it."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text

from scf.db.types import (
    Code,
    Count,
    Day,
    Id,
    IdKey,
    Instant,
    Json,
    OptDay,
    OptId,
    OptInstant,
    OptText,
    Ppm,
    Record,
    index_where,
    table_args,
)

_OPEN = text("state = 'OPEN'")


class WatchedMorning(Record, table=True):
    """How far the firms of a morning have moved from those of the reference.

    ``subject`` is ``card:`` with the version of the policy, or the id of a trained model. ``level``
    is ``none`` while the reference itself is being gathered.
    """

    __tablename__ = "watched_morning"
    __table_args__ = table_args(
        ForeignKeyConstraint(["financier_id"], ["firm.id"], name="fk_watched_financier"),
        UniqueConstraint("financier_id", "subject", "as_of_on", name="uq_watched_morning"),
        CheckConstraint("level IN ('none', 'calm', 'watch', 'act')", name="ck_watched_level"),
    )
    id: IdKey
    financier_id: Id
    subject: Code
    snapshot_id: Id
    as_of_on: Day
    firms: Count  # of the morning that were held against the reference
    reference_firms: Count
    reference_from_on: OptDay
    reference_to_on: OptDay
    level: Code  # none calm watch act: of the score and the inputs the worst beyond chance
    score_ppm: Ppm  # the index of the score; 1,000,000 is 1
    moved: Json  # of the score and each input: name, index in ppm, what chance allows, level
    grades: Json  # firms of the morning by grade
    command_id: Id
    at: Instant


class ModelAlarm(Record, table=True):
    """That something has moved so far that people must look; open until one says what it was."""

    __tablename__ = "model_alarm"
    __table_args__ = table_args(
        ForeignKeyConstraint(["financier_id"], ["firm.id"], name="fk_model_alarm_financier"),
        ForeignKeyConstraint(["morning_id"], ["watched_morning.id"], name="fk_model_alarm_morning"),
        CheckConstraint("state IN ('OPEN', 'ANSWERED')", name="ck_model_alarm_state"),
        CheckConstraint(
            "(state = 'ANSWERED') = (answered_by IS NOT NULL)", name="ck_model_alarm_answered"
        ),
        index_where(_OPEN, "uq_model_alarm_open", "financier_id", "subject", "what", unique=True),
        Index("ix_model_alarm", "financier_id", "raised_on"),
    )
    id: IdKey
    financier_id: Id
    subject: Code
    what: Code  # score, or the name of an input
    morning_id: Id
    psi_ppm: Ppm
    raised_on: Day
    state: Code
    answered_by: OptId
    answered_at: OptInstant
    answer: OptText


__all__ = ["ModelAlarm", "WatchedMorning"]
