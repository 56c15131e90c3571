"""The installation itself: settings, database, demo world, serving."""

import dataclasses
import datetime as dt
import json
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config import settings as configuration
from scf.cli.common import SESSION, fail, show, show_list
from scf.kernel.errors import Conflict

if TYPE_CHECKING:
    from scf.demo.world import World

db = typer.Typer(help="The database: upgrade, back up, restore.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.add_typer(db, name="db")
    app.command()(settings)
    app.command()(demo)
    app.command()(serve)
    app.command()(worker)


def settings() -> None:
    """List every setting: value, where it comes from, what it means."""
    show_list([dataclasses.asdict(line) for line in configuration.describe()], "settings")


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the present schema."""
    from scf.db import migrate

    migrate.upgrade(SESSION.settings.database_url)
    with SESSION.reading() as conn:
        show({"revision": migrate.revision_of(conn)})


@db.command("backup")
def db_backup(file: Path) -> None:
    """Write a consistent copy while the platform runs (SQLite); PostgreSQL through pg_dump."""
    from scf.db import copies

    copies.back_up(SESSION.settings.database_url, file)
    show({"file": str(file), "bytes": file.stat().st_size})


@db.command("restore")
def db_restore(file: Path) -> None:
    """Put a backup into an empty database; refuses one that holds anything."""
    from scf.db import copies, migrate

    copies.restore(SESSION.settings.database_url, file)
    with SESSION.reading() as conn:
        show({"revision": migrate.revision_of(conn)})


def demo(
    empty: Annotated[bool, typer.Option("--empty", help="Organisations and people, no trade")] = (
        False
    ),
    on: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Business date to start on")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Throw the present demo world away")] = (
        False
    ),
) -> None:
    """Make a demo world: three supply chains with eighteen months of trade and finance.

    With --empty: one financier, one anchor, one programme and a person per role, without trade.
    """
    from scf.db import migrate

    url = SESSION.settings.database_url
    users_file = SESSION.settings.demo_users_file
    if SESSION.settings.is_production:
        fail(Conflict("PRODUCTION", "A demo world has no place in production."))
    standing = None if reset or on else migrate.business_date_of(url)
    if standing and users_file.exists() and not SESSION.as_json:
        # The usual second start: nothing to make, so nothing of the platform is loaded.
        typer.echo(f"demo world of {standing} is there; sign-ins in {users_file}")
        _tell_sign_ins(json.loads(users_file.read_text(encoding="utf-8"))["users"])
        return
    from scf.demo import world

    if reset:
        world.remove(url, SESSION.settings.seals_file)
        users_file.unlink(missing_ok=True)
        shutil.rmtree(users_file.parent / "demo-bank", ignore_errors=True)
    if not migrate.is_newest(url):
        migrate.upgrade(url)
    if empty:
        day = on.date() if on else None
        people = world.ensure(SESSION.platform, day, users_file, vault=SESSION.vault)
    else:
        people = _whole_world(on.date() if on else None, users_file)
    if SESSION.as_json:
        show({"business_date": people.business_date, "users": people.sign_ins})
        return
    word = "made" if people.made else "there"
    typer.echo(f"demo world of {people.business_date} is {word}; sign-ins in {people.file}")
    _tell_sign_ins(people.sign_ins)


def _whole_world(on: dt.date | None, users_file: Path) -> "World":
    """Live eighteen months of trade; the platform's clock stands on each day in turn."""
    from scf.bootstrap import build, registries_in
    from scf.demo import history, world
    from scf.kernel.clock import FixedClock, SystemClock

    now = SystemClock().now()
    clock = FixedClock(now)
    # Ten thousand commits need not each wait for the disk: the world can be made again.
    platform = build(
        SESSION.settings.database_url,
        clock=clock,
        at_once=False,
        registries=registries_in(SESSION.settings),
    )
    if not SESSION.as_json:
        typer.echo("Making the demo world: eighteen months of trade, about half a minute …")
    day = on or world.standing_day(platform) or world.next_business_day(now.date())
    bank_folder = users_file.parent / "demo-bank"
    made = history.ensure(platform, clock, day, users_file, bank_folder, SESSION.vault)
    platform.db.close()  # what is not on the disk yet goes there
    return made


def _tell_sign_ins(people: Iterable[Mapping[str, str]]) -> None:
    """Print the first sign-in of each role, and where the second step comes from."""
    first = {person["role"]: person for person in reversed(list(people))}
    show_list(list(reversed(first.values())), "sign-ins")
    typer.echo(f"Signing in asks for a code, too: `{sys.argv[0]} user code E-MAIL` prints it.")


def serve() -> None:
    """Serve portal and API with gunicorn, and run the worker beside it, until Ctrl-C."""
    from scf.serving import serve as run

    raise SystemExit(run(SESSION.settings))


def worker() -> None:
    """Work off jobs and notices and seal the audit trail until told to stop."""
    from scf.bootstrap import abroad
    from scf.serving import run_worker

    chores = abroad(SESSION.platform, SESSION.settings, SESSION.vault)
    run_worker(SESSION.platform, SESSION.settings.seals_file, chores)
