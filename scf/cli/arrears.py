"""What is late, payer by payer, and reminders that a person holds back."""

import datetime as dt
from typing import Annotated, Any

import typer

from scf.cli.common import SESSION, show
from scf.kernel.money import format_minor
from scf.parties.access import authorise
from scf.parties.service import business_date
from scf.reporting.arrears import Late, arrears

commands = typer.Typer(help="What is late, and who was told.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.add_typer(commands, name="arrears")


@commands.command("show")
def arrears_show() -> None:
    """Show what should have been paid and is not, by age and by payer."""
    authorise(SESSION.actor, "advance.read")
    with SESSION.platform.db.read(SESSION.actor) as session:
        found = arrears(session, business_date(session.connection(), SESSION.actor.org_id))
        show(
            {
                "by_age": [
                    {
                        "past_due": one.name,
                        "currency": one.currency,
                        "items": one.items,
                        "owed": format_minor(one.owed_minor, one.currency),
                        "penalty": format_minor(one.penalty_minor, one.currency),
                    }
                    for one in found.buckets
                ],
                "items": [_line(payer.name, one) for payer in found.payers for one in payer.items],
                "shown": found.shown,
                "total": found.total,
            }
        )


def _line(payer: str, one: Late) -> dict[str, Any]:
    return {
        "payer": payer,
        "advance_id": one.advance_id,
        "invoice": one.number,
        "due_on": one.due_on.isoformat(),
        "days_late": one.days,
        "state": one.state,
        "currency": one.currency,
        "owed": format_minor(one.owed_minor, one.currency),
        "of": format_minor(one.face_minor, one.currency),
        "last_told": one.step,
        "told_on": one.told_on.isoformat() if one.told_on else None,
        "held_until": one.held_until.isoformat() if one.held_until else None,
    }


@commands.command("hold")
def arrears_hold(
    advance: Annotated[str, typer.Argument(metavar="ADVANCE")],
    reason: Annotated[str, typer.Option(help="Why, for whoever looks next")],
    until: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last day on which nobody is reminded"),
    ] = None,
) -> None:
    """Hold the reminders of one advance back until a day; without one they go on."""
    payload = {
        "advance_id": advance,
        "until_on": until.date() if until else None,
        "reason": reason,
    }
    show(SESSION.run("reminder.hold", payload).result)
