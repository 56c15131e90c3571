"""Handing in documents, looking at them, and the buyer's word on them."""

import datetime as dt
from typing import Annotated, Any

import typer
from sqlalchemy import or_, select
from sqlmodel import col

from scf.cli.common import SESSION, show, show_list
from scf.documents import intake, rules
from scf.documents.models import DocumentFinding, Invoice, Upload
from scf.kernel.errors import InvalidInput, NotFound
from scf.kernel.ids import new_id
from scf.kernel.money import format_minor, parse_minor
from scf.parties.service import firm_names

Invoices = Annotated[list[str], typer.Argument(metavar="INVOICE…", help="ids or numbers")]


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.command()(match)
    app.command()(judge)
    app.command()(invoices)
    app.command()(findings)
    app.command()(accept)
    app.command()(reject)
    app.command()(dispute)


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
