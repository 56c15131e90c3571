"""The books: journals out, balances, and the proof that everything adds up."""

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated

import typer

from scf.accounting import files, journal
from scf.accounting.translated import Translated, translate
from scf.cli.common import EXIT_REFUSED, SESSION, show, show_list
from scf.cli.currency import book, rates, revalue
from scf.cli.periods import period
from scf.kernel.actor import Role
from scf.kernel.errors import NotAllowed
from scf.kernel.money import format_minor
from scf.parties.access import authorise
from scf.parties.service import day_for
from scf.reporting import verify as checks

export = typer.Typer(help="Export for other systems.", no_args_is_help=True)
Firm = Annotated[str, typer.Option(help="Whose book; your own organisation's if left")]


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.add_typer(export, name="export")
    app.add_typer(period, name="period")
    app.add_typer(rates, name="rates")
    app.add_typer(book, name="book")
    app.command()(revalue)
    app.command("trial-balance")(trial_balance)
    app.command()(verify)


@export.command("journal")
def export_journal(
    firm: Firm = "",
    form: Annotated[
        str, typer.Option("--format", help="csv, json, hledger, beancount, datev or saft")
    ] = "csv",
    first: Annotated[dt.datetime | None, typer.Option("--from", formats=["%Y-%m-%d"])] = None,
    last: Annotated[dt.datetime | None, typer.Option("--to", formats=["%Y-%m-%d"])] = None,
    currency: Annotated[str, typer.Option(help="For saft, of a book with several")] = "",
    out: Annotated[Path | None, typer.Option(help="A file instead of standard output")] = None,
) -> None:
    """Write one organisation's journal."""
    org_id = _own_book(firm)
    now = SESSION.platform.clock.now()
    with SESSION.reading() as conn:
        wanted = files.Wanted(
            org_id,
            first.date() if first else None,
            last.date() if last else None,
            day_for(conn, org_id, now.date()),
            now,
            currency.upper(),
        )
        found = files.journal_file(conn, form, wanted)
    if out is not None:
        out.write_bytes(found.content)
        show({"file": str(out), "bytes": len(found.content)})
    else:
        sys.stdout.buffer.write(found.content)


def trial_balance(
    firm: Firm = "",
    on: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    translated: Annotated[
        bool, typer.Option("--translated", help="In the book's currency, at the day's rates")
    ] = False,
) -> None:
    """Show debits and credits of every account of one book."""
    org_id = _own_book(firm)
    with SESSION.reading() as conn:
        if translated:
            today = day_for(conn, org_id, SESSION.platform.clock.now().date())
            _show_translated(translate(conn, org_id, on.date() if on else today))
            return
        lines = journal.trial_balance(conn, org_id, on.date() if on else None)
    show_list(
        [
            {
                "account": line.account_code,
                "currency": line.currency,
                "debit": format_minor(line.debit_minor, line.currency),
                "credit": format_minor(line.credit_minor, line.currency),
                "balance": format_minor(line.balance_minor, line.currency),
            }
            for line in lines
        ],
        "accounts",
    )


def _show_translated(found: Translated) -> None:
    def told(minor: int | None) -> str:
        return "no rate" if minor is None else format_minor(minor, found.currency)

    lines = [
        {
            "account": one.line.account_code,
            "currency": one.line.currency,
            "balance": format_minor(one.line.balance_minor, one.line.currency),
            "rate_of": one.rate.fixed_on if one.rate else None,
            "value": told(one.value_minor),
        }
        for one in found.lines
    ]
    unknown = found.total_minor is None
    show(
        {
            "on": found.on,
            "currency": found.currency,
            "lines": lines,
            "not_booked": told(None if unknown else found.not_booked_minor),
            "rounding": told(None if unknown else found.rounding_minor),
            "total": told(found.total_minor),
        }
    )


def _own_book(firm: str) -> str:
    """Give the organisation whose book is asked for, which must be the reader's own."""
    actor = SESSION.actor
    if Role.OPERATOR not in actor.roles:
        authorise(actor, "ledger.read")
    org_id = SESSION.firm(firm) if firm else actor.org_id
    if org_id != actor.org_id:
        raise NotAllowed("NOT_ALLOWED", "A book is open to its own organisation only.")
    return org_id


def verify() -> None:
    """Prove that books balance, the trail is untouched, limits and documents add up."""
    report = checks.verify(SESSION.platform, SESSION.settings.seals_file)
    show({"checked": report.checked, "breaches": [vars(one) for one in report.breaches]})
    if report.breaches:
        raise SystemExit(EXIT_REFUSED)
