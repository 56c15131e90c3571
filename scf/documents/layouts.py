"""How a firm's tables are read: columns confirmed once hold for every later file of that header.

The portal confirms them; a file that comes by API, folder, archive or command line with no word on
its columns is then read the same way.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.documents.models import Upload
from scf.documents.readers.again import OURS
from scf.documents.readers.mapping import ColumnMapping
from scf.kernel.ids import digest

_upload: Final[Table] = Upload.__table__  # type: ignore[attr-defined]


def header_digest(header: Sequence[str]) -> str:
    """Give what a header is remembered by: that of a file to correct is its table's own."""
    return digest([name.strip().casefold() for name in header if name not in OURS])


def confirmed(
    conn: Connection, org_id: str, header: Sequence[str], *, before: dt.datetime
) -> ColumnMapping | None:
    """Give how the firm last had a table with this header read.

    Only what was read to its end ``before`` a file came counts for that file: whoever goes on with
    it after a worker's death must read it in the same way.
    """
    stored = conn.execute(
        select(_upload.c.mapping)
        .where(
            _upload.c.org_id == org_id,
            _upload.c.header_digest == header_digest(header),
            _upload.c.mapping.is_not(None),
            _upload.c.state == "DONE",
            _upload.c.finished_at <= before,
        )
        .order_by(_upload.c.finished_at.desc(), _upload.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return None if stored is None else ColumnMapping.model_validate(stored, strict=False)
