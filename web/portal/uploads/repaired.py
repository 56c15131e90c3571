"""Which bad rows of a file came again, by which later file, and what of them is still wrong."""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import and_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from scf.documents.archives.results import with_its_files
from scf.documents.models import Upload
from scf.documents.readers.again import AGAIN, marked
from scf.documents.readers.csvfile import Look
from scf.documents.repairs.models import BadRow

_MOST: Final = 20_000
_SHOWN: Final = 12


@dataclass
class Repaired:
    """A later file, and the rows of this one that it brought again."""

    upload: Upload
    came_in: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)  # still wrong there

    @property
    def reading(self) -> bool:
        """Whether the later file is not read to its end, so that nothing can be said yet."""
        return self.upload.state in {"RECEIVED", "RUNNING"}

    @staticmethod
    def told(rows: list[int]) -> str:
        """Name some rows by their lines."""
        more = " …" if len(rows) > _SHOWN else ""
        return ", ".join(map(str, rows[:_SHOWN])) + more


def repaired(reading: Session, upload_id: str) -> list[Repaired]:
    """Read the later files that brought rows of an upload again, the oldest first."""
    later = aliased(BadRow)
    still = and_(
        col(later.upload_id) == col(BadRow.by_upload_id),
        col(later.row) == col(BadRow.by_row),
        col(later.by_upload_id).is_(None),
    )
    rows = reading.execute(
        select(col(BadRow.by_upload_id), col(BadRow.row), col(later.id).label("still"))
        .outerjoin(later, still)
        .where(
            col(BadRow.upload_id).in_(with_its_files(upload_id)),
            col(BadRow.by_upload_id).is_not(None),
        )
        .order_by(col(BadRow.row))
        .limit(_MOST)
    ).all()
    uploads = reading.execute(
        select(Upload)
        .where(col(Upload.id).in_({row.by_upload_id for row in rows}))
        .order_by(col(Upload.id))
    ).scalars()
    found = {one.id: Repaired(one) for one in uploads}
    for row in rows:
        if (one := found.get(row.by_upload_id)) is not None:
            (one.came_in if row.still is None else one.waiting).append(row.row)
    return list(found.values())


def brings_again(reading: Session, look: Look) -> list[str]:
    """Name the uploads whose rows a waiting file says it brings again."""
    if AGAIN not in look.header:
        return []
    place = look.header.index(AGAIN)
    marks = (marked(row[place]) for row in look.rows if place < len(row))
    ids = {one.upload_id for one in marks if one is not None}
    names = select(col(Upload.name)).where(col(Upload.id).in_(ids)).order_by(col(Upload.id))
    return list(reading.execute(names).scalars())
