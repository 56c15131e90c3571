"""The tree of commands, and the options that may stand anywhere on the line."""

import importlib
import sys
from collections.abc import Sequence

import typer
from sqlalchemy.exc import DBAPIError, OperationalError

from config.settings import SettingsError
from scf.cli import common
from scf.kernel.errors import ScfError, Unavailable

# Which room of this package holds which command: one command loads one room, because loading all
# of them costs a second at every call.
ROOMS = {
    "system": ("settings", "db", "demo", "serve", "worker"),
    "people": ("firm", "account", "user", "token"),
    "identity": ("firm",),
    "importing": ("import",),
    "documents": ("match", "invoices", "findings", "accept", "reject", "dispute"),
    "graph": ("graph",),
    "risk": ("risk", "replay"),
    "evaluating": ("risk",),
    "repricing": ("risk",),
    "finance": (
        "programme",
        "quote",
        "withdraw",
        "check",
        "advances",
        "recourse",
    ),
    "taxes": ("tax",),
    "registry": ("registry",),
    "mail": ("mail",),
    "erp": ("erp",),
    "granting": ("limit", "fixing"),
    "deciding": (
        "request",
        "requests",
        "decide",
        "undo",
        "override",
        "review",
        "authority",
    ),
    "money": ("pay-out", "settle", "advise", "eod", "bank"),
    "mapping": ("mapping",),
    "arrears": ("arrears",),
    "own_accounts": ("own-account",),
    "provisions": ("impairment",),
    "books": ("export", "trial-balance", "verify"),
}

EPILOG = (
    "Anywhere on the line: --json (answer as JSON), --token T (who acts; or SCF_TOKEN), "
    "--key K (idempotency key), --reason TEXT."
)


def build_app(words: Sequence[str]) -> typer.Typer:
    """Give the tree of commands: the room of the command named, or all of them for help."""
    app = typer.Typer(
        name="scf",
        help="Tributary: supply-chain finance from the invoice to the booked receivable.",
        epilog=EPILOG,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(lambda: None)  # a tree, also when it has one branch
    named = [room for room, commands in ROOMS.items() if words and words[0] in commands]
    for room in named or ROOMS:
        importlib.import_module(f"scf.cli.{room}").attach(app)
    return app


_FLAGS = {"--json": "as_json"}
_VALUES = {"--token": "token", "--key": "key", "--reason": "reason"}


def take_common(arguments: Sequence[str]) -> list[str]:
    """Take the options that every command knows off the line; gives the rest."""
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if word in _FLAGS:
            setattr(common.SESSION, _FLAGS[word], True)
        elif name in _VALUES:
            given = value if equals else next(words, None)
            if given is None:
                typer.echo(f"{name} wants a value", err=True)
                raise SystemExit(common.EXIT_USAGE)
            setattr(common.SESSION, _VALUES[name], given)
        elif word == "--":
            return [*rest, word, *words]
        else:
            rest.append(word)
    return rest


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command line; a refusal ends with its code and reason, never with a stack trace."""
    words = take_common(sys.argv[1:] if arguments is None else arguments)
    try:
        build_app(words)(args=words, prog_name="scf")
    except ScfError as error:
        common.fail(error)
    except SettingsError as error:
        typer.echo(f"SETTINGS: {error}", err=True)
        raise SystemExit(common.EXIT_UNAVAILABLE) from None
    except OperationalError as error:
        common.fail(_unreachable(error))


def _unreachable(error: DBAPIError) -> Unavailable:
    first_line = str(error.orig).splitlines()[0] if str(error.orig) else "no reason given"
    if "no such table" in first_line:
        return Unavailable("SCHEMA_MISSING", "The database is empty. Run `scf db upgrade`.")
    return Unavailable("DATABASE", "The database does not answer.", reason=first_line)
