"""Tax authorities: ask about an invoice, work alerts off, and a tax office to try it all with."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select
from sqlmodel import col

from scf.cli.common import EXIT_REFUSED, SESSION, show, show_list
from scf.documents.models import Invoice
from scf.documents.taxcheck.asking import word_of
from scf.documents.taxcheck.models import TaxCheck
from scf.financing.taxwatch import watching
from scf.financing.taxwatch.models import TaxAlert
from scf.parties.access import authorise

tax = typer.Typer(help="Tax invoices: what their authorities say.", no_args_is_help=True)
office = typer.Typer(help="A tax office to try it with.", no_args_is_help=True)
InvoiceId = Annotated[str, typer.Argument(metavar="INVOICE", help="Id of the invoice")]
OfficeFile = Annotated[Path, typer.Option("--file", help="Where the office keeps its register")]
OFFICE = Path("var/demo-tax.json")


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    tax.add_typer(office, name="office")
    app.add_typer(tax, name="tax")


@tax.command("ask")
def tax_ask(invoice: InvoiceId) -> None:
    """Ask the tax authority about an invoice now, where a programme wants to know."""
    authorise(SESSION.actor, "tax.ask")
    with SESSION.platform.db.read(SESSION.actor) as reading:
        seen = reading.execute(select(col(Invoice.id)).where(col(Invoice.id) == invoice))
        wanted = [str(one) for one in seen.scalars()]
    show({"answers": watching.refresh(SESSION.platform, wanted, "offer")})
    _list(invoice)


@tax.command("answers")
def tax_answers(invoice: InvoiceId) -> None:
    """List what was answered about an invoice, the newest first."""
    _list(invoice)


def _list(invoice: str) -> None:
    with SESSION.platform.db.read(SESSION.actor) as reading:
        rows = reading.execute(
            select(TaxCheck)
            .where(col(TaxCheck.invoice_id) == invoice)
            .order_by(col(TaxCheck.asked_at).desc(), col(TaxCheck.id).desc())
        ).scalars()
        show_list(
            [
                # Why it was asked would show who has money in the invoice.
                {**word_of(row)._asdict(), "reason": row.reason}
                for row in rows
            ],
            "answers",
        )


@tax.command("identify")
def tax_identify(
    invoice: InvoiceId,
    scheme: Annotated[str, typer.Option(help="fapiao, sdi, irn or cfdi")],
    number: Annotated[str, typer.Option(help="Its number with the tax authority")] = "",
    code: Annotated[str, typer.Option(help="Its code, where there is one")] = "",
    check: Annotated[str, typer.Option(help="Its check code, where there is one")] = "",
) -> None:
    """Say under what the tax authority knows an invoice."""
    said = {"invoice_id": invoice, "scheme": scheme, "number": number, "code": code}
    show(SESSION.run("tax.identify", {**said, "check_code": check}).result)


@tax.command("vouch")
def tax_vouch(
    invoice: InvoiceId,
    evidence: Annotated[str, typer.Option(help="Where it was seen to be valid")],
) -> None:
    """Say where an invoice was seen to be valid while its authority is away."""
    show(SESSION.run("tax.vouch", {"invoice_id": invoice, "evidence": evidence}).result)


@tax.command("agree")
def tax_agree(
    vouch_id: Annotated[str, typer.Argument(metavar="VOUCH")],
    refuse: Annotated[bool, typer.Option("--refuse", help="Do not agree")] = False,
) -> None:
    """Say the second word on what somebody saw, as another person."""
    show(SESSION.run("tax.decide_vouch", {"vouch_id": vouch_id, "agree": not refuse}).result)


@tax.command("alerts")
def tax_alerts() -> None:
    """List the alerts on financed invoices that are not closed."""
    authorise(SESSION.actor, "tax.alerts")
    with SESSION.platform.db.read(SESSION.actor) as reading:
        rows = reading.execute(
            select(TaxAlert)
            .where(col(TaxAlert.state) != "CLOSED")
            .order_by(col(TaxAlert.opened_at), col(TaxAlert.id))
        ).scalars()
        names = ("id", "invoice_id", "kind", "state", "owner_id", "opened_at", "financed_minor")
        show_list([{name: getattr(row, name) for name in names} for row in rows], "alerts")


@tax.command("take")
def tax_take(alert: Annotated[str, typer.Argument(metavar="ALERT")]) -> None:
    """Make an alert your own."""
    show(SESSION.run("tax.take_alert", {"alert_id": alert}).result)


@tax.command("close")
def tax_close(
    alert: Annotated[str, typer.Argument(metavar="ALERT")],
    outcome: Annotated[str, typer.Option(help="RECOURSE, CREDIT_NOTE, CLEARED or UNDERTAKING")],
    note: Annotated[str, typer.Option(help="What that rests on")],
) -> None:
    """Close an alert with what became of it."""
    payload = {"alert_id": alert, "outcome": outcome, "note": note}
    show(SESSION.run("tax.close_alert", payload).result)


# --- The office -----------------------------------------------------------------------------------


@office.command("serve")
def office_serve(
    file: OfficeFile = OFFICE,
    port: Annotated[int, typer.Option(help="Port on this machine")] = 9300,
) -> None:
    """Answer as a tax office over HTTP until Ctrl-C; SCF_TAX_AUTHORITIES names the address."""
    from scf.demo.taxserver import TaxServer
    from scf.kernel.clock import SystemClock

    server = TaxServer(file, SystemClock(), port)
    typer.echo(f"tax office on {server.address}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


@office.command("void")
def office_void(
    number: Annotated[str, typer.Argument(help="Number of the invoice")], file: OfficeFile = OFFICE
) -> None:
    """Void an invoice at the office."""
    from scf.demo.taxoffice import TaxOffice
    from scf.kernel.clock import SystemClock

    TaxOffice(file, SystemClock()).void(number)
    show({"number": number, "state": "VOIDED"})


@office.command("behave")
def office_behave(
    mood: Annotated[str, typer.Argument(help="well, down, slow or garbage")],
    file: OfficeFile = OFFICE,
) -> None:
    """Let the office be down, slow, or answer rubbish."""
    from scf.demo.taxoffice import MOODS, TaxOffice
    from scf.kernel.clock import SystemClock

    if mood not in MOODS:
        typer.echo(f"one of {', '.join(MOODS)}", err=True)
        raise SystemExit(EXIT_REFUSED)
    TaxOffice(file, SystemClock()).behave(mood)
    show({"mood": mood})
