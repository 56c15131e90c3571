"""Which stored document is which item of its batch."""

import re
from collections.abc import Iterable
from typing import Final

from sqlalchemy import Table, bindparam, select, update

from scf.db.runner import Context
from scf.documents.posted.models import PostedItem

ITEM: Final[Table] = PostedItem.__table__  # type: ignore[attr-defined]
_POSITION: Final = re.compile(r"/?documents\[(\d{1,6})\]")
_PLACED: Final = (
    update(ITEM)
    .where(ITEM.c.upload_id == bindparam("of_upload"), ITEM.c.position == bindparam("at"))
    .values(document_type=bindparam("kind"), document_id=bindparam("document"))
)


def position_of(place: str) -> int | None:
    """Give which document of a JSON file a place is in, from 1."""
    found = _POSITION.match(place)
    return int(found[1]) if found else None


def note_documents(ctx: Context, upload_id: str, stored: Iterable[tuple[str, str, str]]) -> None:
    """Note kind and id of what was stored, by its place; of other uploads nothing is noted."""
    posted = ctx.conn.execute(select(ITEM.c.id).where(ITEM.c.upload_id == upload_id).limit(1))
    if posted.first() is None:
        return
    rows = [
        {"of_upload": upload_id, "at": position_of(place), "kind": kind, "document": document_id}
        for place, kind, document_id in stored
    ]
    if rows:
        ctx.conn.execute(_PLACED, rows)


def free_ids(ctx: Context, upload_id: str) -> None:
    """Let the ids of a batch that was refused as a whole be used again."""
    ctx.conn.execute(
        update(ITEM)
        .where(ITEM.c.upload_id == upload_id)
        .values(released=True, document_type=None, document_id=None)
    )
