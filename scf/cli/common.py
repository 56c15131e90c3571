"""What every command of the line shares: who acts, on which database, and how answers look."""

import contextlib
import dataclasses
import datetime as dt
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from config import settings as configuration
from scf.kernel import garbage
from scf.kernel.actor import OPERATOR, Actor
from scf.kernel.errors import NotSignedIn, ScfError, Unavailable
from scf.kernel.findings import Finding
from scf.kernel.ids import new_id

if TYPE_CHECKING:  # the whole platform is loaded only by a command that needs it
    from sqlalchemy.engine import Connection

    from scf.db.platform import Platform
    from scf.db.runner import Outcome
    from scf.parties.factors.vault import Vault

EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_UNAVAILABLE = 3


@dataclasses.dataclass
class Session:
    """One run of the command line."""

    as_json: bool = False
    token: str = ""
    key: str = ""
    reason: str = ""

    @cached_property
    def settings(self) -> configuration.Settings:
        """The settings in force."""
        return configuration.load()

    @cached_property
    def platform(self) -> "Platform":
        """The platform over the configured database."""
        from scf.bootstrap import build, registries_in, tax_registers

        registers = tax_registers(
            *configuration.load_tax_registers(self.settings),
            configuration.demo_tax_office(self.settings),
        )
        platform = build(
            self.settings.database_url,
            tax=registers,
            registries=registries_in(self.settings),
        )
        garbage.settle()
        return platform

    @cached_property
    def actor(self) -> Actor:
        """The person whose token was given.

        Raises
        ------
        NotSignedIn
            Without a token: every change is a person's act.
        """
        token = self.token or os.environ.get("SCF_TOKEN", "")
        if not token:
            raise NotSignedIn(
                "TOKEN_MISSING",
                "Say who acts: --token T or SCF_TOKEN. `scf token create --user EMAIL` makes one.",
            )
        from scf.parties.tokens import actor_of_token

        with self.platform.db.snapshot() as conn:
            return actor_of_token(conn, token, self.platform.clock.now())

    @cached_property
    def vault(self) -> "Vault":
        """What seals secrets at rest, under the key of the settings."""
        from scf.parties.factors.vault import Vault

        return Vault(configuration.load_secret_key(self.settings))

    def run(self, name: str, payload: Mapping[str, Any], *, key: str = "") -> "Outcome":
        """Run a command of a slice for the person of the token."""
        return self.platform.run(
            name,
            payload,
            self.actor,
            key=self.key or key or new_id(),
            reason=self.reason,
        )

    def run_as_operator(self, name: str, payload: Mapping[str, Any]) -> "Outcome":
        """Run a command by right of access to the database."""
        return self.platform.run(
            name, payload, OPERATOR, key=self.key or new_id(), reason=self.reason
        )

    def firm(self, word: str) -> str:
        """Give the id of a firm that was named by id or ``scheme:value``."""
        from scf.parties import service as parties

        with self.platform.db.snapshot() as conn:
            return parties.firm_by(conn, word, self.scope)

    @property
    def scope(self) -> str:
        """The organisation whose own names for firms count."""
        has_token = bool(self.token or os.environ.get("SCF_TOKEN"))
        return self.actor.org_id if has_token else ""

    @contextlib.contextmanager
    def reading(self) -> "Iterator[Connection]":
        """Open a reading connection on one unchanging state."""
        with self.platform.db.snapshot() as conn:
            yield conn


SESSION = Session()
console = Console(soft_wrap=True, highlight=False)


def plain(value: Any) -> Any:  # noqa: ANN401 - anything a command may answer
    """Give a value in JSON's own kinds."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return str(value)


def show(answer: Mapping[str, Any]) -> None:
    """Print one answer: JSON when asked for, else a line per fact."""
    if SESSION.as_json:
        typer.echo(json.dumps(plain(answer), ensure_ascii=False))
        return
    for name, value in plain(answer).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            console.print(f"{name}:", markup=False)
            _rows(value)
        else:
            text = (
                json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
            )
            console.print(f"{name}: {text}", markup=False)


def show_list(rows: Sequence[Mapping[str, Any]], name: str) -> None:
    """Print many rows as a table, or as JSON under a name."""
    if SESSION.as_json:
        typer.echo(json.dumps({name: plain(rows)}, ensure_ascii=False))
    elif rows:
        _rows(plain(rows))
    else:
        console.print(f"no {name}", markup=False)


def show_findings(findings: Sequence[Finding]) -> None:
    """Print findings with their places."""
    for finding in findings:
        place = f" at {finding.place}" if finding.place else ""
        value = f" [{finding.value}]" if finding.value else ""
        console.print(
            f"{finding.severity.value} {finding.code}{place}: {finding.message}{value}",
            markup=False,
        )


def _rows(rows: Sequence[Mapping[str, Any]]) -> None:
    columns = list(rows[0])
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        numeric = column.endswith(("_minor", "amount", "count"))
        table.add_column(column, justify="right" if numeric else "left", no_wrap=column == "id")
    for row in rows:
        table.add_row(*("" if row.get(c) is None else str(row.get(c)) for c in columns))
    Console(width=200 if not sys.stdout.isatty() else None, highlight=False).print(table)


def fail(error: ScfError) -> NoReturn:
    """Print why nothing happened, and end with the code that says so."""
    if SESSION.as_json:
        answer = {"code": error.code, "message": error.message, "facts": plain(error.facts)}
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        typer.echo(f"{error.code}: {error.message}", err=True)
        for name, value in plain(error.facts).items():
            typer.echo(f"  {name}: {json.dumps(value, ensure_ascii=False)}", err=True)
    raise SystemExit(EXIT_UNAVAILABLE if isinstance(error, Unavailable) else EXIT_REFUSED)
