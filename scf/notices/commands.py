"""The commands on notices: tell an event to the people it concerns, and note what was read."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Table, insert, select, update

from scf.db.runner import Context, command
from scf.db.visibility import not_found
from scf.kernel.errors import words_as_stored
from scf.kernel.ids import new_id
from scf.notices.events import composed
from scf.notices.mail.writing import letters_for
from scf.notices.models import Notice

_notice: Final[Table] = Notice.__table__  # type: ignore[attr-defined]
MAX_READ: Final = 200


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TellEvent(_Input):
    """An event of the outbox."""

    event_id: str = Field(max_length=64)
    topic: str = Field(max_length=64)
    payload: dict[str, Any]


class ReadNotices(_Input):
    """The notices that their reader has read; without ids all that are unread."""

    ids: list[Annotated[str, Field(max_length=64)]] = Field(
        default_factory=list, max_length=MAX_READ
    )


@command("notice.tell", TellEvent)
def tell_event(ctx: Context, data: TellEvent) -> dict[str, Any]:
    """Everybody whom an event concerns finds one notice of it, by e-mail where that is wanted."""
    told = composed(ctx.conn, data.topic, data.payload)
    people = {user_id: new_id() for user_id in (told.user_ids if told else ())}
    if told:
        letters = letters_for(ctx, data.topic, told.org_id, people)
        ctx.conn.execute(
            insert(_notice),
            [
                {
                    "id": notice_id,
                    "user_id": user_id,
                    "org_id": told.org_id,
                    "event_id": data.event_id,
                    "topic": data.topic,
                    "subject": told.subject,
                    "subject_id": told.subject_id,
                    "message": str(told.words),
                    "words": words_as_stored(told.words),
                    "created_at": ctx.now,
                    "letter_id": letters.get(notice_id),
                }
                for user_id, notice_id in people.items()
            ],
        )
    return {"told": len(people)}


@command("notice.mark_read", ReadNotices)
def mark_read(ctx: Context, data: ReadNotices) -> dict[str, Any]:
    """A person has read own notices; those of others answer as if there were none."""
    wanted = [_notice.c.user_id == ctx.actor.user_id, _notice.c.org_id == ctx.actor.org_id]
    if data.ids:
        wanted.append(_notice.c.id.in_(data.ids))
        found = set(ctx.conn.execute(select(_notice.c.id).where(*wanted)).scalars())
        for one in data.ids:
            if one not in found:
                raise not_found("notice", one)
    done = ctx.conn.execute(
        update(_notice)
        .where(*wanted, _notice.c.read_at.is_(None))
        .values(read_at=ctx.now)
        .returning(_notice.c.id)
    )
    return {"read": len(done.all())}
