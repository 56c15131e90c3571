"""Handing in documents, looking at them, and the buyer's word on them."""

import datetime as dt
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import typer
from sqlalchemy import or_, select
from sqlmodel import col

from scf.cli.common import EXIT_REFUSED, SESSION, plain, show, show_findings, show_list
from scf.documents import intake, rules
from scf.documents.models import DocumentFinding, Invoice, Upload
from scf.documents.readers import FORMAT_NAMES
from scf.documents.readers.mapping import ColumnMapping
from scf.kernel.actor import Actor
from scf.kernel.errors import InvalidInput, NotFound
from scf.kernel.findings import Finding, Severity
from scf.kernel.ids import digest, new_id
from scf.kernel.money import format_minor, parse_minor
from scf.parties.service import firm_names

Invoices = Annotated[list[str], typer.Argument(metavar="INVOICE…", help="ids or numbers")]


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.command("import")(import_files)
    app.command()(match)
    app.command()(judge)
    app.command()(invoices)
    app.command()(findings)
    app.command()(accept)
    app.command()(reject)
    app.command()(dispute)


def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…")],
    as_firm: Annotated[str, typer.Option("--as", help="Your organisation: id or scheme:value")],
    file_format: Annotated[str, typer.Option("--format", help=", ".join(FORMAT_NAMES))] = "auto",
    document_type: Annotated[str, typer.Option("--type", help="order, invoice or payment")] = "",
    mapping: Annotated[Path | None, typer.Option(help="Column mapping (JSON) of a table")] = None,
    mode: Annotated[str, typer.Option(help="keep-good or atomic")] = "keep-good",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check, store nothing")] = (
        False
    ),
) -> None:
    """Hand in files of orders, receipts, invoices, credit notes or payments; gzip is read."""
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
    answers = [_one_file(actor, file, options, dry_run=dry_run) for file in files]
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


def _one_file(
    actor: Actor, file: Path, options: dict[str, Any], *, dry_run: bool
) -> dict[str, Any]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidInput("FILE", f"{file} cannot be read: {error.strerror}.") from None
    if dry_run:
        return _try(file, content, options)
    payload = options | {"name": file.name, "content": content}
    # The file and the organisation make the key, so that a repeat adds nothing; a file that was
    # refused before is taken as a new attempt.
    sha256 = hashlib.sha256(content).hexdigest()
    mapping = options["mapping"]
    look = options | {"mapping": mapping.to_json() if mapping else None}
    key = f"import:{sha256}:{digest(look)[:16]}"
    while True:
        received = SESSION.platform.run("upload.receive", payload, actor, key=SESSION.key or key)
        upload_id = received.result["upload_id"]
        summary = intake.run_upload(SESSION.platform, upload_id)
        if not (received.replayed and summary["state"] == "REFUSED") or SESSION.key:
            break
        key = f"import:{sha256[:32]}:{upload_id}"
    answer = {"file": file.name} | summary | _of_upload(actor, upload_id)
    if received.replayed:
        answer["seen_before"] = True
    _print(answer)
    return answer


def _of_upload(actor: Actor, upload_id: str) -> dict[str, Any]:
    with SESSION.platform.db.read(actor) as session:
        stored = session.scalars(
            select(Invoice)
            .where(col(Invoice.upload_id) == upload_id)
            .order_by(col(Invoice.id))
            .limit(50)
        ).all()
        found = session.scalars(
            select(DocumentFinding)
            .where(col(DocumentFinding.upload_id) == upload_id)
            .where(col(DocumentFinding.resolved_at).is_(None))
            .order_by(col(DocumentFinding.id))
            .limit(200)
        ).all()
        rows = [
            {
                "id": row.id,
                "severity": row.severity,
                "code": row.code,
                "place": row.place,
                "message": row.message,
                "value": row.value,
                "document_id": row.document_id,
            }
            for row in found
        ]
        documents = [{"id": row.id, "number": row.number} for row in stored]
    clean = all(row["severity"] != Severity.ERROR.value for row in rows)
    return {"clean": clean, "invoices": documents, "findings": rows}


def _print(answer: dict[str, Any]) -> None:
    if SESSION.as_json:
        return
    head = ", ".join(
        f"{answer[name]} {name}" for name in ("read", "stored", "incomplete", "duplicate", "bad")
    )
    again = " (handed in before)" if answer.get("seen_before") else ""
    typer.echo(f"{answer['file']}: {answer['state']}{again}: {head}")
    for row in answer["invoices"]:
        typer.echo(f"  invoice {row['number']}  {row['id']}")
    for row in answer["findings"]:
        place = f" at {row['place']}" if row["place"] else ""
        value = f" [{row['value']}]" if row["value"] else ""
        typer.echo(f"  {row['severity']} {row['code']}{place}: {row['message']}{value}")
        if row["code"] == "FIRM_UNKNOWN":
            typer.echo(f"    scf firm add --from-finding {row['id']}")


def _try(file: Path, content: bytes, options: dict[str, Any]) -> dict[str, Any]:
    """Read and check a file without storing anything of it."""
    today = _today()
    mapping = options["mapping"]
    stored = options | {"mapping": mapping.model_dump(mode="json") if mapping else None}
    items = list(intake.read_items(content, SimpleNamespace(**stored), today))
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


def match() -> None:
    """Match every invoice of yours that is not matched yet with its order."""
    show({"matched": intake.match_all(SESSION.platform, SESSION.actor)})


def judge() -> None:
    """Hold what waits, and what could not be judged before, against the rules of EN 16931."""
    from scf.documents.einvoice.judging import judge_all
    from scf.documents.einvoice.service import RuleService

    with RuleService() as service:
        show({"judged": judge_all(SESSION.platform, service, f"judge:{new_id()}")})


def invoices(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """List the newest invoices you may see."""
    with SESSION.platform.db.read(SESSION.actor) as session:
        rows = session.scalars(select(Invoice).order_by(col(Invoice.id).desc()).limit(limit)).all()
        ids = {i for row in rows for i in (row.seller_id, row.buyer_id) if i}
        with SESSION.reading() as conn:
            names = firm_names(conn, ids)
            today = intake.latest_business_date(conn, SESSION.platform)
        show_list(
            [
                {
                    "id": row.id,
                    "number": row.number,
                    "seller": names.get(row.seller_id or "", "?"),
                    "buyer": names.get(row.buyer_id or "", "?"),
                    "due": row.due_on,
                    "currency": row.currency,
                    "amount": format_minor(row.payable_minor, row.currency),
                    "eligible": format_minor(rules.eligible(row), row.currency),
                    "state": rules.label(row, today),
                }
                for row in rows
            ],
            "invoices",
        )


def findings(
    upload: Annotated[str, typer.Argument(help="Id of an upload; all open ones without it")] = "",
) -> None:
    """List findings on your documents, open ones first to be repaired."""
    query = select(DocumentFinding).order_by(col(DocumentFinding.id).desc()).limit(200)
    if upload:
        query = query.where(col(DocumentFinding.upload_id) == upload)
    else:
        query = query.where(col(DocumentFinding.resolved_at).is_(None))
    with SESSION.platform.db.read(SESSION.actor) as session:
        rows = session.scalars(query).all()
        uploads = {
            row.id: row.name
            for row in session.scalars(
                select(Upload).where(col(Upload.id).in_({row.upload_id for row in rows}))
            )
        }
        show_list(
            [
                {
                    "id": row.id,
                    "file": uploads.get(row.upload_id, ""),
                    "severity": row.severity,
                    "code": row.code,
                    "place": row.place,
                    "message": row.message,
                    "value": row.value,
                }
                for row in rows
            ],
            "findings",
        )


def accept(
    which: Invoices,
    amount: Annotated[str, typer.Option(help="Less than the whole: one invoice only")] = "",
    due: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Due date, where it has none")
    ] = None,
) -> None:
    """Accept invoices, as their buyer: under a programme that is an undertaking to pay."""
    words = []
    for row in invoice_rows(which):
        word: dict[str, Any] = {"invoice_id": row.id}
        if amount:
            word["amount_minor"] = parse_minor(amount, row.currency)
        if due:
            word["due_on"] = due.date()
        words.append(word)
    if amount and len(words) > 1:
        raise InvalidInput("AMOUNT_ONE", "An amount can be given for one invoice at a time.")
    show(SESSION.run("invoice.accept", {"items": words, "reason": SESSION.reason}).result)


def reject(
    which: Invoices,
    reason: Annotated[str, typer.Option("--because", help="Why")],
) -> None:
    """Reject invoices, as their buyer."""
    ids = [row.id for row in invoice_rows(which)]
    show(SESSION.run("invoice.reject", {"invoice_ids": ids, "reason": reason}).result)


def dispute(
    which: Annotated[str, typer.Argument(metavar="INVOICE")],
    amount: Annotated[str, typer.Option(help="The contested part")],
    reason: Annotated[str, typer.Option("--because", help="Why")],
) -> None:
    """Contest a part of an invoice, as its buyer."""
    (row,) = invoice_rows([which])
    payload = {
        "invoice_id": row.id,
        "amount_minor": parse_minor(amount, row.currency),
        "reason": reason,
    }
    show(SESSION.run("invoice.dispute", payload).result)


def invoice_rows(words: list[str]) -> list[Invoice]:
    """Find invoices the actor may see, by id or by their number.

    Raises
    ------
    NotFound
        For a word that names none.
    InvalidInput
        ``NUMBER_AMBIGUOUS`` for a number that several sellers have used.
    """
    rows: list[Invoice] = []
    with SESSION.platform.db.read(SESSION.actor) as session:
        for word in words:
            found = session.scalars(
                select(Invoice)
                .where(or_(col(Invoice.id) == word, col(Invoice.number) == word))
                .limit(3)
            ).all()
            if not found:
                raise NotFound("NOT_FOUND", "No invoice with this id or number.", invoice=word)
            if len(found) > 1:
                raise InvalidInput(
                    "NUMBER_AMBIGUOUS",
                    "Several invoices have this number: give the id.",
                    ids=[row.id for row in found],
                )
            rows.extend(found)
        session.expunge_all()
    return rows
