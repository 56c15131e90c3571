"""Programmes; quotes, requests, checks and decisions."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import or_, select
from sqlmodel import col

from scf.cli.common import SESSION, show, show_list
from scf.cli.documents import Invoices, invoice_rows
from scf.financing.models import Advance
from scf.kernel.errors import InvalidInput, NotFound
from scf.kernel.money import format_minor, parse_minor
from scf.parties.service import business_date
from scf.programmes.models import Programme

programme = typer.Typer(help="Programmes: load, activate, list.", no_args_is_help=True)
recourse = typer.Typer(help="What the seller answers for.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.add_typer(programme, name="programme")
    app.add_typer(recourse, name="recourse")
    app.command()(quote)
    app.command()(withdraw)
    app.command()(check)
    app.command()(advances)


def own_day() -> dt.date:
    """Give the business date of the person's financier."""
    with SESSION.reading() as conn:
        return business_date(conn, SESSION.actor.org_id)


@programme.command("load")
def programme_load(
    file: Path,
    anchor: Annotated[str, typer.Option(help="The core buyer: id or scheme:value")] = "",
    seller: Annotated[str, typer.Option(help="Or the seller, where it is the seller's")] = "",
    on: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="In force from; today if left")
    ] = None,
) -> None:
    """Load a programme file as a draft, or as the next version of a known one."""
    try:
        content = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("PROGRAMME_FILE", f"{file} cannot be read: {error}.") from None
    payload = {
        "content": content,
        "anchor_id": SESSION.firm(anchor) if anchor else None,
        "seller_id": SESSION.firm(seller) if seller else None,
        "effective_on": on.date() if on else own_day(),
    }
    show(SESSION.run("programme.load", payload).result)


@programme.command("activate")
def programme_activate(
    which: Annotated[str, typer.Argument(metavar="PROGRAMME", help="id or code")],
) -> None:
    """Put the newest terms in force: another person than the one who loaded them."""
    show(SESSION.run("programme.activate", {"programme_id": programme_id(which)}).result)


@programme.command("list")
def programme_list() -> None:
    """List the programmes you may know."""
    with SESSION.platform.db.read(SESSION.actor) as session:
        rows = session.scalars(select(Programme).order_by(Programme.code)).all()
        show_list(
            [
                {
                    "id": r.id,
                    "code": r.code,
                    "name": r.name,
                    "anchor": r.anchor_id or "",
                    "seller": r.seller_id or "",
                    "state": r.state,
                }
                for r in rows
            ],
            "programmes",
        )


def programme_id(word: str) -> str:
    """Find a programme by id or code."""
    with SESSION.platform.db.read(SESSION.actor) as session:
        found = session.scalars(
            select(Programme).where(or_(col(Programme.id) == word, col(Programme.code) == word))
        ).all()
    if len(found) != 1:
        raise NotFound("NOT_FOUND", "No programme with this id or code.", programme=word)
    return found[0].id


def quote(
    which: Invoices,
    amount: Annotated[str, typer.Option(help="Less than all that is eligible")] = "",
    on: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Pay-out day; the next if left")
    ] = None,
) -> None:
    """Ask for a firm price, as the seller; it is held for a quarter of an hour."""
    rows = invoice_rows(which)
    payload: dict[str, Any] = {"invoice_ids": [row.id for row in rows]}
    if amount:
        payload["amount_minor"] = parse_minor(amount, rows[0].currency)
    if on:
        payload["value_on"] = on.date()
    show(SESSION.run("quote.make", payload).result)


def withdraw(which: Annotated[str, typer.Argument(metavar="REQUEST")]) -> None:
    """Take a request back; free of cost until its pay-out is instructed."""
    show(SESSION.run("request.withdraw", {"request_id": which}).result)


def check(
    which: Annotated[str, typer.Argument(metavar="REQUEST")],
    kind: Annotated[list[str], typer.Argument(metavar="KIND…", help="screening, tax_status, …")],
    evidence: Annotated[str, typer.Option(help="What was looked at and what it showed")],
    hit: Annotated[bool, typer.Option("--hit", help="The check found something")] = False,
) -> None:
    """Record an officer's check by hand, where no automatic source answers yet."""
    for one in kind:
        payload = {
            "request_id": which,
            "kind": one,
            "result": "HIT" if hit else "CLEAR",
            "evidence": evidence,
        }
        show(SESSION.run("request.check", payload).result)


def advances() -> None:
    """List advances, newest first."""
    with SESSION.platform.db.read(SESSION.actor) as session:
        rows = session.scalars(select(Advance).order_by(col(Advance.id).desc()).limit(100)).all()
        show_list(
            [
                {
                    "id": row.id,
                    "request": row.request_id,
                    "state": row.state,
                    "currency": row.currency,
                    "face": format_minor(row.face_minor, row.currency),
                    "net": format_minor(row.net_minor, row.currency),
                    "due": row.due_on,
                    "repaid": format_minor(row.repaid_minor, row.currency),
                    "income": format_minor(row.income_minor, row.currency),
                    "penalty": format_minor(row.penalty_minor, row.currency),
                }
                for row in rows
            ],
            "advances",
        )


@recourse.command("call")
def recourse_call(
    advance: Annotated[str, typer.Argument(metavar="ADVANCE")],
    cause: Annotated[
        str, typer.Option(help="unpaid (needs recourse in the terms), breach, dilution, fraud")
    ] = "unpaid",
    note: Annotated[str, typer.Option(help="What the call rests on")] = "",
) -> None:
    """Ask the seller to pay what is open on an advance; the title goes back on its cash."""
    payload = {"advance_id": advance, "cause": cause, "note": note}
    show(SESSION.run("recourse.call", payload).result)
