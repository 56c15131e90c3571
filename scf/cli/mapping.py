"""Account numbers: what a firm's accounts are called in its own systems."""

import csv
import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from scf.accounting.mapping.reading import numbers_of
from scf.cli.common import SESSION, show
from scf.kernel.errors import InvalidInput
from scf.kernel.findings import shown
from scf.parties.access import authorise

mapping = typer.Typer(help="Account numbers for other systems.", no_args_is_help=True)
System = Annotated[
    str, typer.Argument(help="datev, saft, tryton; tryton.works where you have several")
]


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.add_typer(mapping, name="mapping")


@mapping.command("show")
def show_mapping(system: System) -> None:
    """Write your table as CSV: account, number, party; with --json its version and details."""
    authorise(SESSION.actor, "mapping.read")
    with SESSION.reading() as conn:
        found = numbers_of(conn, SESSION.actor.org_id, system)
    if SESSION.as_json:
        show(
            {
                "system": found.system,
                "version": found.version,
                "accounts": dict(found.accounts),
                "details": dict(found.details),
                "parties": dict(found.parties),
            }
        )
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("account", "number", "party"))
    for code, number in sorted(found.accounts.items()):
        writer.writerow((code, number, found.parties.get(code, "")))


@mapping.command("set")
def set_mapping(
    system: System,
    file: Annotated[
        Path, typer.Argument(help="CSV with the columns account, number and, if wanted, party")
    ],
    details: Annotated[
        list[str] | None, typer.Option("--detail", help="What else it asks, as client=12345")
    ] = None,
    version: Annotated[
        int | None, typer.Option(help="The version looked at; the present one if left")
    ] = None,
) -> None:
    """Write the whole table; what the file does not name has no number any more."""
    with SESSION.reading() as conn:
        present = numbers_of(conn, SESSION.actor.org_id, system)
    given = dict(present.details)
    for one in details or ():
        name, sign, value = one.partition("=")
        if not sign:
            raise InvalidInput("MAPPING_DETAIL", "Write name=value.", value=shown(one, 40))
        given[name.strip()] = value.strip()
    accounts, parties = _table(file.read_bytes())
    outcome = SESSION.run(
        "mapping.set",
        {
            "system": system,
            "version": present.version if version is None else version,
            "accounts": accounts,
            "parties": parties,
            "details": given,
        },
    )
    show({"system": system, "version": outcome.result["version"]})


def _table(content: bytes) -> tuple[dict[str, str], dict[str, str]]:
    """Read numbers and parties; an account that stands twice would be a guess."""
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as unread:
        raise InvalidInput("MAPPING_FILE", "This is no CSV in UTF-8.") from unread
    found: dict[str, str] = {}
    parties: dict[str, str] = {}
    for row in rows:
        code, number = row.get("account"), row.get("number")
        if not code or number is None:
            raise InvalidInput("MAPPING_FILE", "Every row needs the columns account and number.")
        if code.strip() in found:
            raise InvalidInput(
                "MAPPING_FILE", "The account %(account)s stands twice.", account=shown(code, 64)
            )
        if number.strip():
            found[code.strip()] = number
            if party := (row.get("party") or "").strip():
                parties[code.strip()] = party
    return found, parties
