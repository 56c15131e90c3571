"""Lists by cursor: each page says where the next begins, so new rows shift nothing."""

import base64
import json
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Select
from sqlalchemy.orm import Mapped
from sqlmodel import Session

from web.problems import BadRequest

T = TypeVar("T")
MAX_LIMIT: Final = 200
_MAX_CURSOR: Final = 400


class PageQuery(BaseModel):
    """Which part of a list."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=50, ge=1, le=MAX_LIMIT)
    cursor: str = Field(default="", max_length=_MAX_CURSOR)


def encode(value: str | int) -> str:
    """Return the cursor that continues after a value; callers must not look into it."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def decode(cursor: str, kind: type[int | str]) -> Any:  # noqa: ANN401 - of the kind that is asked for
    """Return the value behind a cursor.

    Raises
    ------
    BadRequest
        ``CURSOR`` for anything that is no cursor of ours.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        value = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        value = None
    if type(value) is not kind or (isinstance(value, int) and abs(value) > 2**62):
        raise BadRequest("CURSOR", "This is no cursor of this list.")
    return value


def page(
    session: Session,
    statement: Select[T],
    query: PageQuery,
    key: Mapped[Any],
    *,
    newest_first: bool = True,
) -> tuple[Sequence[T], str]:
    """Read one page in the order of a unique column; gives its rows and the next cursor (or "").

    Ids count up with time, so by id the newest come first.
    """
    column: Any = key
    kind = int if column.key == "seq" else str
    if query.cursor:
        after = decode(query.cursor, kind)
        statement = statement.where(key < after if newest_first else key > after)
    statement = statement.order_by(key.desc() if newest_first else key.asc())
    rows = session.execute(statement.limit(query.limit + 1)).scalars().all()
    if len(rows) <= query.limit:
        return rows, ""
    shown = rows[: query.limit]
    return shown, encode(getattr(shown[-1], column.key))
