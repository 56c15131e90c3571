"""The duplicate registry that financiers share: take part in one, keep its book for others."""

from typing import Annotated

import typer

from scf.cli.common import SESSION, show, show_list
from scf.kernel.errors import RuleViolation
from scf.parties.access import authorise
from scf.reporting.registry import answers, membership

registry = typer.Typer(help="The duplicate registry that financiers share.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="REGISTRY", help="Its name in SCF_REGISTRIES_FILE")]


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.add_typer(registry, name="registry")


@registry.command("join")
def registry_join(
    name: Name,
    member: Annotated[str, typer.Option("--as", help="Your name there")],
) -> None:
    """Take part: from now on nothing is paid that the registry has not confirmed."""
    show(SESSION.run("registry.join", {"consortium": name, "member": member}).result)


@registry.command("answers")
def registry_answers() -> None:
    """List what the registry answered last, the newest first."""
    authorise(SESSION.actor, "registry.read")
    with SESSION.platform.db.read(SESSION.actor) as reading:
        own = membership(reading)
        typer.echo(f"{own.member} in {own.consortium}" if own else "takes part in none", err=True)
        rows = answers(reading)
    names = ("number", "step", "state", "reason", "at", "reference")
    show_list([{one: row[one] for one in names} for row in rows], "answers")


@registry.command("serve")
def registry_serve(
    name: Name,
    port: Annotated[int, typer.Option(help="Port on this machine")] = 9400,
) -> None:
    """Keep the book for the members that the file names, over HTTP until Ctrl-C.

    It listens on this machine alone: a proxy that speaks TLS stands before it.
    """
    from scf.programmes.registry.connecting import members_of
    from scf.programmes.registry.server import RegistryServer

    members = members_of(SESSION.settings.registries_file, name)
    if not members:
        raise RuleViolation(
            "REGISTRY_NOBODY", "The file of registries names no members of %(name)s.", name=name
        )
    server = RegistryServer(SESSION.platform, name, members, port)
    typer.echo(f"registry {name} for {', '.join(sorted(members.values()))} on {server.address}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
