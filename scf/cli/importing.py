"""Handing files in from the command line: many at once, and each with its own answer."""

import contextlib
import datetime as dt
import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from sqlalchemy import select
from sqlmodel import Session, col

from scf.cli.common import EXIT_REFUSED, SESSION, plain, show_findings
from scf.documents import batch, intake
from scf.documents.archives.models import ArchiveFile
from scf.documents.archives.opening import OpenedZip, is_archive
from scf.documents.archives.results import became
from scf.documents.handing import take_in
from scf.documents.models import DocumentFinding, Invoice, Upload
from scf.documents.progress import Reach
from scf.documents.readers import FORMAT_NAMES
from scf.documents.readers.mapping import ColumnMapping
from scf.documents.slices import SentFile
from scf.kernel.actor import Actor
from scf.kernel.errors import InvalidInput, NotFound
from scf.kernel.findings import Finding, Severity

_MOST_INVOICES: Final = 50
_MOST_FINDINGS: Final = 200
_WRONG: Final = frozenset({"refused", "partly"})


def attach(app: typer.Typer) -> None:
    """Hang the import into the tree."""
    app.command("import")(import_files)


def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…")],
    as_firm: Annotated[str, typer.Option("--as", help="Your organisation: id or scheme:value")],
    file_format: Annotated[str, typer.Option("--format", help=", ".join(FORMAT_NAMES))] = "auto",
    document_type: Annotated[
        str, typer.Option("--type", help="order, invoice, credit_note or payment")
    ] = "",
    mapping: Annotated[Path | None, typer.Option(help="Column mapping (JSON) of a table")] = None,
    mode: Annotated[str, typer.Option(help="keep-good or atomic")] = "keep-good",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check, store nothing")] = (
        False
    ),
) -> None:
    """Hand in files of orders, receipts, invoices, credit notes or payments; gzip and ZIP too."""
    actor = SESSION.actor
    if SESSION.firm(as_firm) != actor.org_id:
        raise NotFound("NOT_FOUND", "Your token does not act for this firm.", firm=as_firm)
    options: dict[str, Any] = {
        "format": file_format,
        "mode": mode,
        "document_type": document_type or None,
        "mapping": _mapping(mapping),
    }
    if file_format not in FORMAT_NAMES:
        raise InvalidInput("FORMAT", f"This format is not read yet; known are {FORMAT_NAMES}.")
    answers = list(_answers(actor, map(_sent, files), options, dry_run=dry_run))
    if SESSION.as_json:
        typer.echo(json.dumps({"files": plain(answers)}, ensure_ascii=False))
    if any(not answer["clean"] for answer in answers):
        raise SystemExit(EXIT_REFUSED)


def _mapping(file: Path | None) -> ColumnMapping | None:
    if file is None:
        return None
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("MAPPING_FILE", f"The mapping cannot be read: {error}.") from None
    return ColumnMapping.from_json(text)


def _sent(file: Path) -> SentFile:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidInput("FILE", f"{file} cannot be read: {error.strerror}.") from None
    return SentFile(file.name, content, hashlib.sha256(content).hexdigest())


def _answers(
    actor: Actor, files: Iterator[SentFile], options: dict[str, Any], *, dry_run: bool
) -> Iterator[dict[str, Any]]:
    """Import files that stand together by the thousand, and each of the others by itself."""
    alone = dry_run or SESSION.key or options["mode"] != "keep-good" or options["mapping"]
    how = batch.HowToRead(options["format"], options["document_type"])
    for fits, some in groupby(files, lambda file: not alone and batch.fits(file.content)):
        if fits:
            for slice_of in batch.take(SESSION.platform, actor, some, how):
                yield from _told(actor, slice_of)
        else:
            for file in some:
                if dry_run:
                    yield from _tried(file, options)
                else:
                    yield _one_file(actor, file, options)


def _one_file(actor: Actor, file: SentFile, options: dict[str, Any]) -> dict[str, Any]:
    with _bar(file.name) as watch:
        taken = take_in(
            SESSION.platform,
            actor,
            file.name,
            file.content,
            options,
            key=SESSION.key,
            watch=watch,
        )
    return _told(actor, [batch.Taken(file.name, taken.upload_id, taken.seen_before)])[0]


@contextlib.contextmanager
def _bar(name: str) -> Iterator[intake.Watch]:
    """Show on a terminal how far a file is; anywhere else nothing is written."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    if SESSION.as_json or not sys.stderr.isatty():
        yield intake.nobody_watches
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]:,.0f} rows/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(escape(name), total=None, speed=0.0)

        def watch(reach: Reach) -> None:
            bars.update(
                bar, completed=reach.done, total=reach.total, speed=bars.tasks[0].speed or 0.0
            )

        yield watch


def _told(actor: Actor, taken: Sequence[batch.Taken]) -> list[dict[str, Any]]:
    """Print what came of each file, and give it."""
    ids = {one.upload_id for one in taken}
    with SESSION.platform.db.read(actor) as session:
        uploads = {
            row.id: intake.summary_of(row)
            for row in session.execute(select(Upload.__table__).where(col(Upload.id).in_(ids)))  # type: ignore[attr-defined]
        }
        stored = _by_upload(
            session.execute(
                select(col(Invoice.upload_id), col(Invoice.id), col(Invoice.number))
                .where(col(Invoice.upload_id).in_(ids))
                .order_by(col(Invoice.id))
            ),
            _MOST_INVOICES,
        )
        inside = _inside(session, ids)
        found = _by_upload(
            session.scalars(
                select(DocumentFinding)
                .where(col(DocumentFinding.upload_id).in_(ids))
                .where(col(DocumentFinding.resolved_at).is_(None))
                .order_by(col(DocumentFinding.id))
            ),
            _MOST_FINDINGS,
        )
    answers = []
    for one in taken:
        rows = [_finding(row) for row in found[one.upload_id]]
        answer = (
            {"file": one.name}
            | uploads[one.upload_id]
            | {
                "clean": all(row["severity"] != Severity.ERROR.value for row in rows),
                "invoices": [{"id": row.id, "number": row.number} for row in stored[one.upload_id]],
                "findings": rows,
            }
        )
        if one.seen_before:
            answer["seen_before"] = True
        if inside[one.upload_id]:
            answer["files"] = inside[one.upload_id]
            answer["clean"] &= all(file["result"] not in _WRONG for file in answer["files"])
        _print(answer)
        answers.append(answer)
    return answers


def _inside(session: Session, ids: set[str]) -> dict[str, list[dict[str, Any]]]:
    """Tell of each archive what became of its files."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    query = select(ArchiveFile).where(col(ArchiveFile.archive_id).in_(ids))
    files = list(session.scalars(query.order_by(col(ArchiveFile.id))))
    for one in became(session, files):
        found[one.file.archive_id].append(one.as_dict())
    return found


def _by_upload(rows: Iterable[Any], most: int) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        if len(found[row.upload_id]) < most:
            found[row.upload_id].append(row)
    return found


def _finding(row: DocumentFinding) -> dict[str, Any]:
    return {
        "id": row.id,
        "severity": row.severity,
        "code": row.code,
        "place": row.place,
        "message": row.message,
        "value": row.value,
        "document_id": row.document_id,
    }


def _print(answer: dict[str, Any]) -> None:
    if SESSION.as_json:
        return
    head = ", ".join(
        f"{answer[name]} {name}" for name in ("read", "stored", "incomplete", "duplicate", "bad")
    )
    again = " (handed in before)" if answer.get("seen_before") else ""
    typer.echo(f"{answer['file']}: {answer['state']}{again}: {head}")
    for row in answer.get("files", ()):
        counts = f"{row['read']} read, {row['stored']} stored, {row['bad']} bad"
        typer.echo(f"  {row['result']:9} {row['name']}: {row['code'] or counts}")
    for row in answer["invoices"]:
        typer.echo(f"  invoice {row['number']}  {row['id']}")
    for row in answer["findings"]:
        place = f" at {row['place']}" if row["place"] else ""
        value = f" [{row['value']}]" if row["value"] else ""
        typer.echo(f"  {row['severity']} {row['code']}{place}: {row['message']}{value}")
        if row["code"] == "FIRM_UNKNOWN":
            typer.echo(f"    scf firm add --from-finding {row['id']}")


def _tried(file: SentFile, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Read and check a file, or every file of an archive, without storing anything."""
    if not is_archive(file.content):
        yield _try(file, options)
        return
    for packed, found in OpenedZip(file.content).files():
        name = f"{file.name}/{packed.name}"
        if isinstance(found, SentFile):
            yield _try(found._replace(name=name), options)
        else:
            answer = {"file": name, "dry_run": True, "read": 0, "clean": False}
            if not SESSION.as_json:
                typer.echo(f"{name}: not read")
                show_findings([found])
            yield answer | {"findings": [found.as_dict()]}


def _try(file: SentFile, options: dict[str, Any]) -> dict[str, Any]:
    """Read and check a file without storing anything of it."""
    today = _today()
    mapping = options["mapping"]
    stored = options | {"mapping": mapping.model_dump(mode="json") if mapping else None}
    items = list(intake.read_items(file.content, SimpleNamespace(**stored), today))
    found: list[Finding] = [finding for item in items for finding in item.findings]
    answer = {
        "file": file.name,
        "dry_run": True,
        "read": len(items),
        "clean": all(finding.severity is not Severity.ERROR for finding in found),
        "findings": [finding.as_dict() for finding in found],
    }
    if not SESSION.as_json:
        typer.echo(f"{file.name}: {len(items)} read, nothing stored")
        show_findings(found)
    return answer


def _today() -> dt.date:
    with SESSION.reading() as conn:
        return intake.latest_business_date(conn, SESSION.platform)
