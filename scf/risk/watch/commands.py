"""Commands: what a morning showed is kept and raises alarms; a person says what an alarm was.

An alarm is raised once: while it is open, and after it was answered, the same thing raises no other
before it has been calm again. Source: risk.md 2 (monitoring).
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, SkipValidation
from sqlalchemy import Table, insert, select, update

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.types import Id
from scf.kernel.errors import Conflict
from scf.kernel.ids import new_id
from scf.parties.service import business_date, financier_only
from scf.risk.watch.drifting import Watched
from scf.risk.watch.models import ModelAlarm, WatchedMorning

MORNING: Final[Table] = WatchedMorning.__table__  # type: ignore[attr-defined]
ALARM: Final[Table] = ModelAlarm.__table__  # type: ignore[attr-defined]
RAISED: Final = "model.alarm"

for _constraint, _columns in (
    ("uq_watched_morning", "financier_id, subject, as_of_on"),
    ("uq_model_alarm_open", "financier_id, subject, what"),
):
    _table = "watched_morning" if "morning" in _constraint else "model_alarm"
    constraint_means(
        _constraint,
        ", ".join(f"{_table}.{column}" for column in _columns.split(", ")),
        lambda: Conflict("WATCHED", "This morning is being looked at already."),
    )


class WatchMornings(BaseModel):
    """Mornings that were looked at before, outside of any transaction."""

    model_config = ConfigDict(extra="forbid")
    snapshot_id: Id
    # A value of ours, not of a caller: what was read and computed outside the transaction.
    content: Annotated[Any, SkipValidation] = Field(exclude=True, repr=False)


class AnswerAlarm(BaseModel):
    """An alarm, and what a person found when looking."""

    model_config = ConfigDict(extra="forbid")
    alarm_id: Id
    answer: str = Field(min_length=3, max_length=2000)


@command("risk.watch", WatchMornings)
def watch_mornings(ctx: Context, data: WatchMornings) -> dict[str, Any]:
    """What mornings showed is kept; what has moved too far on the newest one raises an alarm."""
    found: Sequence[Watched] = data.content
    raised: list[str] = []
    kept = 0
    for one in found:
        if _stands(ctx, one):
            continue
        row = _row(ctx, one)
        alarms = _alarms(ctx, one, row["id"]) if one.snapshot_id == data.snapshot_id else []
        ctx.conn.execute(insert(MORNING), row)
        ctx.change("watched_morning", row["id"], None, {"subject": one.subject, "level": one.level})
        kept += 1
        for alarm in alarms:
            ctx.conn.execute(insert(ALARM), alarm)
            told = {"what": alarm["what"], "psi_ppm": alarm["psi_ppm"]}
            ctx.change("model_alarm", alarm["id"], None, told)
        if alarms:
            ctx.emit(RAISED, {"morning_id": row["id"], "alarm_id": alarms[0]["id"]})
        raised += [alarm["what"] for alarm in alarms]
    return {"mornings": kept, "alarms": raised}


@command("risk.answer_alarm", AnswerAlarm)
def answer_alarm(ctx: Context, data: AnswerAlarm) -> dict[str, Any]:
    """A person has looked at what moved, and says what it was and what follows.

    Raises
    ------
    NotAllowed
        FINANCIER_ONLY.
    Conflict
        ALARM_ANSWERED where somebody has said so already.
    """
    financier_only(ctx.conn, ctx.actor)
    row = ctx.visible(ModelAlarm, data.alarm_id)
    done = ctx.conn.execute(
        update(ALARM)
        .where(ALARM.c.id == row.id, ALARM.c.state == "OPEN")
        .values(
            state="ANSWERED",
            answered_by=ctx.actor.user_id,
            answered_at=ctx.now,
            answer=data.answer,
        )
        .returning(ALARM.c.id)
    ).one_or_none()
    if done is None:
        raise Conflict("ALARM_ANSWERED", "Somebody has answered this alarm already.")
    ctx.change("model_alarm", row.id, {"state": "OPEN"}, {"state": "ANSWERED"})
    return {"id": row.id, "state": "ANSWERED"}


def _stands(ctx: Context, one: Watched) -> bool:
    found = ctx.conn.execute(
        select(MORNING.c.id).where(
            MORNING.c.financier_id == ctx.actor.org_id,
            MORNING.c.subject == one.subject,
            MORNING.c.as_of_on == one.on,
        )
    )
    return found.first() is not None


def _row(ctx: Context, one: Watched) -> dict[str, Any]:
    return {
        "id": new_id(),
        "financier_id": ctx.actor.org_id,
        "subject": one.subject,
        "snapshot_id": one.snapshot_id,
        "as_of_on": one.on,
        "firms": one.firms,
        "reference_firms": one.reference_firms,
        "reference_from_on": one.reference_from_on,
        "reference_to_on": one.reference_to_on,
        "level": one.level,
        "score_ppm": one.score_ppm,
        "moved": [moved.as_json() for moved in one.moved],
        "grades": one.grades,
        "command_id": ctx.command_id,
        "at": ctx.now,
    }


def _alarms(ctx: Context, one: Watched, morning_id: str) -> list[dict[str, Any]]:
    """Give the alarms of a morning, the one that moved most first."""
    far = sorted(
        (moved for moved in one.moved if moved.level == "act"), key=lambda moved: -moved.psi_ppm
    )
    if not far:
        return []
    today = business_date(ctx.conn, ctx.actor.org_id)
    return [
        {
            "id": new_id(),
            "financier_id": ctx.actor.org_id,
            "subject": one.subject,
            "what": moved.name,
            "morning_id": morning_id,
            "psi_ppm": moved.psi_ppm,
            "raised_on": today,
            "state": "OPEN",
        }
        for moved in far
        if not _is_known(ctx, one.subject, moved.name)
    ]


def _is_known(ctx: Context, subject: str, what: str) -> bool:
    """Tell whether an alarm of this is open, or was answered and nothing has been calm since."""
    last = ctx.conn.execute(
        select(ALARM.c.state, MORNING.c.as_of_on)
        .join(MORNING, MORNING.c.id == ALARM.c.morning_id)
        .where(
            ALARM.c.financier_id == ctx.actor.org_id,
            ALARM.c.subject == subject,
            ALARM.c.what == what,
        )
        .order_by(MORNING.c.as_of_on.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return False
    if last.state == "OPEN":
        return True
    since = ctx.conn.execute(
        select(MORNING.c.moved).where(
            MORNING.c.financier_id == ctx.actor.org_id,
            MORNING.c.subject == subject,
            MORNING.c.as_of_on > last.as_of_on,
        )
    ).scalars()
    levels = {one["level"] for moved in since for one in moved if one["name"] == what}
    return "calm" not in levels
