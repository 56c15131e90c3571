"""When a file is read: which rows that were kept out before it has brought again."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Table, and_, bindparam, extract, or_, select, update
from sqlalchemy.engine import Connection

from scf.db.bulk import insert_mappings
from scf.db.runner import Context
from scf.documents.arrivals import TABLES_OF_TRADE
from scf.documents.canonical import Kind
from scf.documents.errorfile import row_of, start_of
from scf.documents.fingerprints import canonical_number
from scf.documents.models import DocumentFinding, Upload
from scf.documents.readers.again import Mark, Named
from scf.documents.repairs.models import OPEN, BadRow
from scf.documents.rows import Origin
from scf.kernel.findings import Severity
from scf.kernel.ids import new_id

BAD: Final[Table] = BadRow.__table__  # type: ignore[attr-defined]
_upload: Final[Table] = Upload.__table__  # type: ignore[attr-defined]
_finding: Final[Table] = DocumentFinding.__table__  # type: ignore[attr-defined]
_KINDS: Final = (Kind.INVOICE, Kind.CREDIT_NOTE, Kind.ORDER)
_AT_ONCE: Final = 500
_ANSWER: Final = (
    update(BAD)
    .where(BAD.c.id == bindparam("bad"))
    .values(by_upload_id=bindparam("by"), by_row=bindparam("at_row"), answered_at=bindparam("now"))
)


def bad_row(
    origin: Origin, row: int, named: Named | None, firms: Mapping[str, str | None]
) -> dict[str, Any]:
    """Give the row to keep of one that was kept out; ``firms`` has its seller and its buyer."""
    known = named is not None and None not in firms.values()
    return {
        "id": new_id(),
        "org_id": origin.org_id,
        "upload_id": origin.upload_id,
        "row": row,
        "kind": named.kind.value if named and known else None,
        "canonical_number": canonical_number(named.number) if named and known else None,
        "seller_id": firms["seller"] if known else None,
        "buyer_id": firms["buyer"] if known else None,
        "year": named.issue_on.year if named and known and named.issue_on else None,
        "by_upload_id": None,
        "by_row": None,
        "answered_at": None,
    }


def keep(ctx: Context, rows: Sequence[dict[str, Any]]) -> None:
    """Keep rows that were kept out; what one document says twice is one."""
    once = {(row["upload_id"], row["row"]): row for row in rows}
    insert_mappings(ctx.conn, BAD, list(once.values()))


def answer(
    ctx: Context, org_id: str, uploads: Collection[str], brought: Mapping[int, Mark] | None = None
) -> None:
    """Note which open rows of the firm these uploads have brought again, and settle their findings.

    ``brought`` has the marks in the rows of the one upload; without them it is asked what was
    stored.
    """
    found = _by_mark(ctx, org_id, next(iter(uploads)), brought) if brought else []
    known = {row["bad"] for row in found}
    if _any_open(ctx, org_id):
        found += [row for row in _by_name(ctx, org_id, uploads) if row["bad"] not in known]
    if not found:
        return
    ctx.conn.execute(_ANSWER, [{**row, "now": ctx.now} for row in found])
    settled: defaultdict[str, set[int]] = defaultdict(set)
    fresh: Counter[str] = Counter()
    for row in found:
        settled[row["of"]].add(row["line"])
        fresh[row["of"]] += row["fresh"]
    for upload_id, lines in settled.items():
        settle_findings(ctx, upload_id, lines)
    count(ctx, fresh)
    if brought and len(settled) == 1:
        _name_the_first(ctx, next(iter(uploads)), next(iter(settled)))


def answered_by_hand(ctx: Context, upload_id: str, by: str, lines: Iterable[int]) -> None:
    """Note that rows of an upload come again in another one; the caller has settled the rest."""
    wanted = sorted(lines)
    ctx.conn.execute(
        update(BAD)
        .where(BAD.c.upload_id == upload_id, BAD.c.row.in_(wanted), OPEN)
        .values(by_upload_id=by, answered_at=ctx.now)
    )
    count(ctx, {upload_id: len(wanted)})


def count(ctx: Context, rows: Mapping[str, int]) -> None:
    """Count rows that came again on their uploads, and on the archives by which those came."""
    for upload_id, more in sorted(rows.items()):
        if more:
            whole = select(_upload.c.archive_id).where(_upload.c.id == upload_id).scalar_subquery()
            ctx.conn.execute(
                update(_upload)
                .where(or_(_upload.c.id == upload_id, _upload.c.id == whole))
                .values(corrected_count=_upload.c.corrected_count + more)
            )


def rows_of(conn: Connection, upload_id: str, *, still_open: bool = False) -> list[int]:
    """Give where the documents of an upload start that were kept out, in order."""
    query = select(BAD.c.row).where(BAD.c.upload_id == upload_id).order_by(BAD.c.row)
    return list(conn.execute(query.where(OPEN) if still_open else query).scalars())


def settle_findings(ctx: Context, upload_id: str, lines: Collection[int]) -> None:
    """Settle what was said of documents, by the lines at which they start."""
    told = ctx.conn.execute(
        select(_finding.c.id, _finding.c.place).where(
            _finding.c.upload_id == upload_id,
            _finding.c.severity == Severity.ERROR.value,
            _finding.c.code != "DUPLICATE_EXACT",  # no bad row: the document is here
            _finding.c.document_id.is_(None),
            _finding.c.resolved_at.is_(None),
        )
    ).all()
    # What is said of any line of a document is said of it: between two such there is none.
    starts = rows_of(ctx.conn, upload_id)
    ids = [
        one.id
        for one in told
        if (row := row_of(one.place)) is not None and start_of(starts, row) in lines
    ]
    for first in range(0, len(ids), _AT_ONCE):
        part = ids[first : first + _AT_ONCE]
        ctx.conn.execute(
            update(_finding).where(_finding.c.id.in_(part)).values(resolved_at=ctx.now)
        )


def _any_open(ctx: Context, org_id: str) -> bool:
    query = select(BAD.c.id).where(
        OPEN, BAD.c.org_id == org_id, BAD.c.canonical_number.is_not(None)
    )
    return ctx.conn.execute(query.limit(1)).first() is not None


def _by_mark(
    ctx: Context, org_id: str, upload_id: str, brought: Mapping[int, Mark]
) -> list[dict[str, Any]]:
    """Find the rows that the marks of a file name, open or promised to this very file."""
    places = {told: line for line, told in sorted(brought.items(), reverse=True)}
    rows = ctx.conn.execute(
        select(BAD.c.id, BAD.c.upload_id, BAD.c.row, BAD.c.by_upload_id).where(
            BAD.c.org_id == org_id,
            BAD.c.upload_id.in_(sorted({told.upload_id for told in places})),
            or_(BAD.c.by_upload_id.is_(None), BAD.c.by_upload_id == upload_id),
        )
    )
    return [
        _found(row, upload_id, places[told])
        for row in rows
        if (told := Mark(row.upload_id, row.row)) in places
    ]


def _found(row: Any, by: str, at_row: int | None) -> dict[str, Any]:  # noqa: ANN401 - a row
    return {
        "bad": row.id,
        "of": row.upload_id,
        "line": row.row,
        "fresh": row.by_upload_id is None,
        "by": by,
        "at_row": at_row,
    }


def _by_name(ctx: Context, org_id: str, uploads: Collection[str]) -> list[dict[str, Any]]:
    """Find the open rows whose number, firms and year a document of these uploads has."""
    found: dict[str, dict[str, Any]] = {}
    for kind in _KINDS:
        table = TABLES_OF_TRADE[kind]
        rows = ctx.conn.execute(
            select(
                BAD.c.id,
                BAD.c.upload_id,
                BAD.c.row,
                BAD.c.by_upload_id,
                table.c.upload_id.label("by"),
            )
            .join(
                table,
                and_(
                    table.c.canonical_number == BAD.c.canonical_number,
                    table.c.seller_id == BAD.c.seller_id,
                    table.c.buyer_id == BAD.c.buyer_id,
                    or_(BAD.c.year.is_(None), extract("year", table.c.issue_on) == BAD.c.year),
                ),
            )
            .where(
                OPEN,
                BAD.c.org_id == org_id,
                BAD.c.kind == kind.value,
                BAD.c.upload_id != table.c.upload_id,
                table.c.upload_id.in_(sorted(uploads)),
                table.c.document_state.in_(("VALIDATED", "INCOMPLETE")),
            )
        )
        found |= {row.id: _found(row, row.by, None) for row in rows}
    return list(found.values())


def _name_the_first(ctx: Context, upload_id: str, first: str) -> None:
    """Let a file that brings rows of one earlier file again name that file as its first."""
    ctx.conn.execute(
        update(_upload)
        .where(_upload.c.id == upload_id, _upload.c.corrects_id.is_(None))
        .values(corrects_id=first)
    )
