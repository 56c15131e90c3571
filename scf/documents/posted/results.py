"""What became of each document of a batch, told from the documents and findings themselves."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import or_, select
from sqlmodel import Session, col

from scf.documents.canonical import Kind
from scf.documents.models import DocumentFinding, Upload
from scf.documents.posted.models import PostedItem
from scf.documents.posted.noting import position_of
from scf.documents.storing import TABLES
from scf.kernel.findings import Severity

Result = Literal["pending", "stored", "waits", "duplicate", "refused"]
_OF_STATE: Final[dict[str, Result]] = {
    "RECEIVED": "pending",
    "INCOMPLETE": "waits",
    "VOID": "refused",
}


class Became(NamedTuple):
    """A posted document, what became of it, and what was found."""

    item: PostedItem
    result: Result
    findings: list[DocumentFinding]


def results(session: Session, items: Sequence[PostedItem]) -> list[Became]:
    """Tell what became of each item; ``session`` sees what their sender may see."""
    uploads = {one.upload_id for one in items}
    rows = session.execute(
        select(col(Upload.id), col(Upload.state)).where(col(Upload.id).in_(uploads))
    )
    ended = {row.id for row in rows if row.state in {"DONE", "REFUSED"}}
    states = _states(session, items)
    by_document, by_place = _findings(session, items, uploads)
    told = []
    for one in items:
        found = by_place[one.upload_id, one.position]
        if one.document_id is not None:
            found = [*found, *by_document[one.document_id]]
            result: Result = _OF_STATE.get(states.get(one.document_id, "RECEIVED"), "stored")
        elif any(finding.code == "DUPLICATE_EXACT" for finding in found):
            result = "duplicate"
        else:
            errors = any(finding.severity == Severity.ERROR.value for finding in found)
            result = "refused" if errors or one.upload_id in ended else "pending"
        told.append(Became(one, result, found))
    return told


def _states(session: Session, items: Sequence[PostedItem]) -> dict[str, str]:
    by_kind: dict[str, list[str]] = defaultdict(list)
    for one in items:
        if one.document_type is not None and one.document_id is not None:
            by_kind[one.document_type].append(one.document_id)
    found: dict[str, str] = {}
    for kind, ids in by_kind.items():
        table = TABLES[Kind(kind)]
        rows = session.execute(
            select(table.c.id, table.c.document_state).where(table.c.id.in_(ids))
        )
        found.update((row.id, row.document_state) for row in rows)
    return found


def _findings(session: Session, items: Sequence[PostedItem], uploads: set[str]) -> tuple[Any, Any]:
    """Give the findings on documents, and by place those on what was not kept."""
    ids = [one.document_id for one in items if one.document_id is not None]
    rows = session.execute(
        select(DocumentFinding)
        .where(
            col(DocumentFinding.upload_id).in_(uploads),
            or_(
                col(DocumentFinding.document_id).in_(ids),
                col(DocumentFinding.document_id).is_(None),
            ),
        )
        .order_by(col(DocumentFinding.id))
    ).scalars()
    by_document: dict[str, list[DocumentFinding]] = defaultdict(list)
    by_place: dict[tuple[str, int | None], list[DocumentFinding]] = defaultdict(list)
    for row in rows:
        if row.document_id is not None:
            by_document[row.document_id].append(row)
        else:
            by_place[row.upload_id, position_of(row.place)].append(row)
    return by_document, by_place
