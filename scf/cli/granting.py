"""Limits and benchmark values: one person proposes, another confirms."""

import datetime as dt
from typing import Annotated, Any

import typer
from sqlalchemy import select
from sqlmodel import col

from scf.cli.common import SESSION, show, show_list
from scf.cli.finance import own_day, programme_id
from scf.kernel.errors import NotFound
from scf.kernel.money import format_minor, parse_minor
from scf.programmes.models import Fixing, LimitNode

limit = typer.Typer(help="The limit tree.", no_args_is_help=True)
fixing = typer.Typer(help="Benchmark fixings.", no_args_is_help=True)

Kind = Annotated[str, typer.Argument(help="financier, programme, obligor, seller, …")]
Subject = Annotated[str, typer.Argument(help="Whom it binds: a firm, or a programme's code")]
Amount = Annotated[str, typer.Argument(help="e.g. 5000000.00")]
Currency = Annotated[str, typer.Option()]
Benchmark = Annotated[str, typer.Argument(help="e.g. EURIBOR-3M")]
Percent = Annotated[str, typer.Argument(help="As published, e.g. 3.45")]
On = Annotated[
    dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Its day; today if left")
]
Why = Annotated[str, typer.Option(help="Stands in the audit trail")]


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.add_typer(limit, name="limit")
    app.add_typer(fixing, name="fixing")


def _subject_id(kind: str, subject: str) -> str:
    return programme_id(subject) if kind == "programme" else SESSION.firm(subject)


def _node_id(kind: str, subject: str, currency: str) -> str:
    with SESSION.platform.db.read(SESSION.actor) as session:
        found = session.scalars(
            select(LimitNode).where(
                col(LimitNode.kind) == kind,
                col(LimitNode.subject_id) == _subject_id(kind, subject),
                col(LimitNode.currency) == currency,
            )
        ).one_or_none()
    if found is None:
        raise NotFound("NOT_FOUND", "No such limit.", kind=kind, subject=subject)
    return found.id


@limit.command("set")
def limit_set(kind: Kind, subject: Subject, amount: Amount, currency: Currency = "EUR") -> None:
    """Lower a limit at once, or propose a new or higher one. What has no limit gets nothing."""
    payload = {
        "kind": kind,
        "subject_id": _subject_id(kind, subject),
        "currency": currency,
        "limit_minor": parse_minor(amount, currency),
    }
    show(SESSION.run("limit.set", payload).result)


@limit.command("confirm")
def limit_confirm(kind: Kind, subject: Subject, amount: Amount, currency: Currency = "EUR") -> None:
    """Grant what another person has proposed, naming the same amount."""
    item = {
        "limit_id": _node_id(kind, subject, currency),
        "limit_minor": parse_minor(amount, currency),
    }
    (granted,) = SESSION.run("limit.confirm", {"items": [item]}).result["items"]
    show(granted)


@limit.command("refuse")
def limit_refuse(kind: Kind, subject: Subject, why: Why, currency: Currency = "EUR") -> None:
    """Drop a proposal that waits; the limit stays as it is."""
    payload = {"limit_id": _node_id(kind, subject, currency), "reason": why}
    show(SESSION.run("limit.refuse", payload).result)


@limit.command("list")
def limit_list() -> None:
    """Show the limit tree with what is held, used, and proposed."""
    with SESSION.platform.db.read(SESSION.actor) as session:
        rows = session.scalars(
            select(LimitNode).order_by(col(LimitNode.kind_rank), col(LimitNode.subject_id))
        ).all()
        show_list([_shown(row) for row in rows], "limits")


def _shown(row: LimitNode) -> dict[str, Any]:
    proposed = row.proposed_minor
    return {
        "kind": row.kind,
        "subject": row.subject_id,
        "currency": row.currency,
        "limit": format_minor(row.limit_minor, row.currency),
        "held": format_minor(row.held_minor, row.currency),
        "used": format_minor(row.utilised_minor, row.currency),
        "proposed": format_minor(proposed, row.currency) if proposed is not None else "",
    }


@fixing.command("add")
def fixing_add(benchmark: Benchmark, percent: Percent, on: On = None) -> None:
    """Record a benchmark's published value of a day; prices follow once it is confirmed."""
    payload = {
        "benchmark": benchmark,
        "percent": percent,
        "fixed_on": on.date() if on else own_day(),
    }
    show(SESSION.run("fixing.add", payload).result)


@fixing.command("confirm")
def fixing_confirm(benchmark: Benchmark, percent: Percent, on: On = None) -> None:
    """Confirm what another person has recorded, naming the same value."""
    payload = {"fixing_id": _fixing_id(benchmark, on), "percent": percent}
    show(SESSION.run("fixing.confirm", payload).result)


@fixing.command("refuse")
def fixing_refuse(benchmark: Benchmark, why: Why, on: On = None) -> None:
    """Strike out a value that nobody has confirmed."""
    payload = {"fixing_id": _fixing_id(benchmark, on), "reason": why}
    show(SESSION.run("fixing.refuse", payload).result)


def _fixing_id(benchmark: str, on: dt.datetime | None) -> str:
    day = on.date() if on else own_day()
    with SESSION.platform.db.read(SESSION.actor) as session:
        found = session.scalars(
            select(Fixing).where(col(Fixing.benchmark) == benchmark, col(Fixing.fixed_on) == day)
        ).one_or_none()
    if found is None:
        raise NotFound("NOT_FOUND", "No such value.", benchmark=benchmark, fixed_on=str(day))
    return found.id
