"""The command line on periods of the own book: close, open again, confirm, list."""

import datetime as dt
from typing import Annotated

import typer
from sqlalchemy import select
from sqlmodel import col

from scf.cli.common import SESSION, show, show_list
from scf.ledger.models import Period
from scf.ledger.periods import shown
from scf.parties.access import authorise

period = typer.Typer(help="Periods of the own book, closed by two people.", no_args_is_help=True)
Which = Annotated[str, typer.Argument(help="The period's id")]
Why = Annotated[str, typer.Option("--note", help="Why")]


@period.command("close")
def period_close(
    to: Annotated[dt.datetime, typer.Argument(formats=["%Y-%m-%d"], help="Its last day")],
    note: Why,
) -> None:
    """Propose to close all that is open up to a day; another person confirms it."""
    show(SESSION.run("period.close", {"to_on": to.date(), "note": note}).result)


@period.command("reopen")
def period_reopen(which: Which, note: Why) -> None:
    """Propose to open the last closed period again; another person confirms it."""
    show(SESSION.run("period.reopen", {"period_id": which, "note": note}).result)


@period.command("confirm")
def period_confirm(which: Which, note: Why = "") -> None:
    """Confirm, as the second person, that a period is closed or opened again."""
    show(SESSION.run("period.confirm", {"period_id": which, "note": note}).result)


@period.command("withdraw")
def period_withdraw(which: Which, note: Why = "") -> None:
    """Take a proposal back, or do not agree to it."""
    show(SESSION.run("period.withdraw", {"period_id": which, "note": note}).result)


@period.command("list")
def period_list() -> None:
    """List the periods of the own book."""
    authorise(SESSION.actor, "ledger.read")
    with SESSION.reading() as conn:
        rows = conn.execute(
            select(Period.__table__)  # type: ignore[attr-defined]
            .where(col(Period.org_id) == SESSION.actor.org_id)
            .order_by(col(Period.from_on), col(Period.proposed_at))
        )
        show_list([shown(row) for row in rows], "periods")
