"""The files of a form whose session ran out: kept with it, within bounds.

Only a person whose session time has ended can leave any, one form at a time, and all of them
together fill no more than :data:`MOST_BYTES`; a file without room is named, and chosen again.
"""

from io import BytesIO
from typing import Any, Final

from flask import request
from sqlalchemy import delete, func, insert, select
from sqlalchemy.engine import Connection
from werkzeug.datastructures import FileStorage, ImmutableMultiDict

from scf.kernel.findings import shown
from scf.kernel.ids import new_id
from scf.parties.factors.models import KeptFile

_file = KeptFile.__table__  # type: ignore[attr-defined]
MOST_BYTES: Final = 256 * 1024 * 1024
_MOST_FILES: Final = 20  # of one form
_LONGEST_NAME: Final = 400


def brought() -> list[dict[str, Any]]:
    """Read the files of this request, as far as anybody hands in so many at once."""
    sent = [(field, file) for field, file in request.files.items(multi=True) if file.filename]
    return [
        {
            "id": new_id(),
            "position": position,
            "field": shown(field, _LONGEST_NAME),
            "name": shown(file.filename or "", _LONGEST_NAME),
            "content": file.read(),
        }
        for position, (field, file) in enumerate(sent[:_MOST_FILES])
    ]


def store(conn: Connection, form_id: str, files: list[dict[str, Any]]) -> None:
    """Keep files with their form; one that finds no room leaves its name."""
    taken = int(conn.execute(select(func.coalesce(func.sum(_file.c.size), 0))).scalar_one())
    for file in files:
        content = file["content"]
        if taken + len(content) > MOST_BYTES:
            content = b""
        taken += len(content)
        row = file | {"form_id": form_id, "size": len(content), "content": content}
        conn.execute(insert(_file), row)


def forget(conn: Connection, forms: Any) -> None:  # noqa: ANN401 - a selection of ids
    """Forget the files of forms that are about to go."""
    conn.execute(delete(_file).where(_file.c.form_id.in_(forms)))


def listed(conn: Connection, form_id: str) -> list[Any]:
    """Name the files of a form, in the order in which they were sent."""
    columns = (_file.c.field, _file.c.name, _file.c.size)
    mine = select(*columns).where(_file.c.form_id == form_id).order_by(_file.c.position)
    return list(conn.execute(mine))


def put_back(conn: Connection, form_id: str) -> None:
    """Let this request bring the kept files, as if its page had just sent them."""
    rows = conn.execute(
        select(_file).where(_file.c.form_id == form_id).order_by(_file.c.position)
    ).all()
    if rows:
        request.files = ImmutableMultiDict(
            (row.field, FileStorage(BytesIO(row.content), row.name, row.field)) for row in rows
        )
