"""ERPs and shops: connect one, say by which numbers it posts, ask for a round, look on."""

import datetime as dt
import os
from typing import Annotated

import typer

from scf.cli.common import SESSION, show, show_list
from scf.kernel.ids import new_id

erp = typer.Typer(help="ERPs and shops that are asked and written to.", no_args_is_help=True)
Connection = Annotated[str, typer.Argument(metavar="CONNECTION", help="Its id")]


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.add_typer(erp, name="erp")


@erp.command("add")
def erp_add(  # noqa: PLR0913, PLR0917 - as many as the form asks
    url: Annotated[str, typer.Option(help="Where the system is, https://…")],
    user: Annotated[str, typer.Option(help="As whom it is asked; SCF_ERP_PASSWORD has the word")],
    from_on: Annotated[
        dt.datetime,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day of journals or orders"),
    ],
    kind: Annotated[
        str, typer.Option(help="Of which make it is: TRYTON, ODOO, ERPNEXT, OSCAR")
    ] = "TRYTON",
    database: Annotated[str, typer.Option(help="Its database; in ERPNext the company")] = "",
    name: Annotated[str, typer.Option(help="How pages call it; its make if not given")] = "",
    role: Annotated[str, typer.Option(help="treasurer or anchor_clerk")] = "treasurer",
    push: Annotated[list[str] | None, typer.Option(help="JOURNAL, FINANCED or PAYEE")] = None,
    journal: Annotated[str, typer.Option(help="Code of the journal there")] = "",
    payee: Annotated[str, typer.Option(help="Code of the financier's party there")] = "",
) -> None:
    """Connect an ERP or a shop; its password comes from SCF_ERP_PASSWORD."""
    from scf.channels.erp import commands
    from scf.channels.erp.connectors import make_of
    from scf.notices.webhooks.targets import Targets

    wanted = {
        "name": name or make_of(kind).name,
        "kind": kind,
        "role": role,
        "url": url,
        "database": database,
        "username": user,
        "pushes": push or [],
        "journal_code": journal or None,
        "from_on": from_on.date(),
        "payee_code": payee or None,
    }
    outcome = commands.add(
        SESSION.platform,
        SESSION.vault,
        Targets(loopback=SESSION.settings.webhook_loopback),
        SESSION.actor,
        wanted,
        os.environ.get("SCF_ERP_PASSWORD", ""),
        key=SESSION.key or new_id(),
    )
    show(outcome.result)


@erp.command("map")
def erp_map(
    connection: Connection,
    table: Annotated[str, typer.Argument(help="Your table of account numbers, as tryton.works")],
) -> None:
    """Say by which of your tables the connection posts; `scf mapping set` writes a table."""
    show(SESSION.run("erp.change", {"connection_id": connection, "mapping": table}).result)


@erp.command("sync")
def erp_sync(
    connection: Connection,
    again: Annotated[bool, typer.Option("--again", help="Read every record anew")] = False,
    rewrite: Annotated[
        bool, typer.Option("--rewrite", help="After a restore there: write what is missing")
    ] = False,
) -> None:
    """Let the worker come by at once; what failed is tried again."""
    asked = {"connection_id": connection, "again": again, "rewrite": rewrite}
    show(SESSION.run("erp.sync", asked).result)


@erp.command("show")
def erp_show(connection: Annotated[str, typer.Argument(metavar="[CONNECTION]")] = "") -> None:
    """List the connections, or the latest rounds over one."""
    from sqlalchemy import select
    from sqlmodel import col

    from scf.channels.erp.models import ErpConnection, ErpRun

    names: tuple[str, ...]
    with SESSION.platform.db.read(SESSION.actor) as reading:
        if not connection:
            rows = reading.execute(select(ErpConnection).order_by(col(ErpConnection.id))).scalars()
            names = ("id", "name", "kind", "state", "looked_at", "problem", "said")
        else:
            query = select(ErpRun).where(col(ErpRun.connection_id) == connection)
            rows = reading.execute(query.order_by(col(ErpRun.id).desc()).limit(20)).scalars()
            names = ("started_at", "state", "counts", "problem", "place", "said")
        told = [{name: getattr(row, name) for name in names} for row in rows]
    show_list(told, "rounds" if connection else "connections")
