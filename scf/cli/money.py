"""Money: pay-out files, bank files, the end of day, and the simulated bank."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select

from scf.chain import nightly
from scf.cli.common import EXIT_REFUSED, SESSION, show
from scf.demo import bank as simulator
from scf.demo.bank_messages import STATEMENT_VERSION
from scf.kernel.errors import InvalidInput, NotFound
from scf.kernel.money import parse_minor
from scf.parties.models import BankAccount, BusinessDate, Firm
from scf.parties.service import business_date
from scf.risk.nightly import assess_day
from scf.risk.watch.nightly import watch_day
from scf.settlement import day, payout, statements
from scf.settlement.advised import handing
from scf.settlement.readers import StatementMapping

_account = BankAccount.__table__  # type: ignore[attr-defined]
_date = BusinessDate.__table__  # type: ignore[attr-defined]
_firm = Firm.__table__  # type: ignore[attr-defined]

pay_out = typer.Typer(help="Payment files: prepare, release.", no_args_is_help=True)
bank = typer.Typer(
    help="The simulated bank: it answers payment files and receives money.", no_args_is_help=True
)
OnDay = Annotated[
    dt.datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="Business date if left")
]
OutDir = Annotated[Path, typer.Option("--out", help="Folder for the bank's files and its memory")]


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.add_typer(pay_out, name="pay-out")
    app.add_typer(bank, name="bank")
    app.command()(settle)
    app.command()(advise)
    app.command()(eod)


@pay_out.command("prepare")
def pay_out_prepare(
    date: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only what is due on this day")
    ] = None,
    advance: Annotated[
        list[str] | None, typer.Option(help="Only these advances (also failed ones, once more)")
    ] = None,
    version: Annotated[
        str,
        typer.Option(help="pain.001.001.09 or pain.001.001.03; as kept for the account if left"),
    ] = "",
    batch_booking: Annotated[
        bool | None,
        typer.Option(
            "--batch-booking/--single-booking",
            help="Let the bank debit one sum for the file; as kept for the account if left",
        ),
    ] = None,
) -> None:
    """Write payment files for all that is decided and checked."""
    payload: dict[str, Any] = {
        "advance_ids": advance or [],
        "version": version or None,
        "batch_booking": batch_booking,
    }
    if date:
        payload["value_on"] = date.date()
    result = SESSION.run("payout.prepare", payload).result
    show(result)
    if not result["files"]:
        raise SystemExit(EXIT_REFUSED)


@pay_out.command("release")
def pay_out_release(
    batch: Annotated[str, typer.Argument(metavar="BATCH", help="Id of the payment file")],
    out: Annotated[Path, typer.Option("--out", help="Where to write the pain.001 file")],
) -> None:
    """Release a payment file, as another person than the one who prepared it, and write it."""
    result = SESSION.run("payout.release", {"file_id": batch}).result
    with SESSION.reading() as conn:
        content = payout.content_of(conn, batch, SESSION.actor)
    out.write_bytes(content)
    show(result | {"file": str(out), "bytes": len(content)})


def settle(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…")],
    keep_rejected: Annotated[
        bool, typer.Option("--keep-rejected", help="Leave refused pay-outs FAILED, to send again")
    ] = False,
    mapping: Annotated[
        Path | None,
        typer.Option(help="JSON file that says what a table's columns mean; else the kept one"),
    ] = None,
    account: Annotated[
        str, typer.Option(help="Of which account a table is, where several would fit")
    ] = "",
) -> None:
    """Read the bank's files (camt.053, camt.054, MT940, CSV, pain.002); they have their effect."""
    clean = True
    by = StatementMapping.from_json(_bytes_of(mapping)) if mapping else None
    for file in files:
        content = _bytes_of(file)
        result = statements.read_file(
            SESSION.platform,
            SESSION.actor,
            content,
            file.name,
            keep_rejected=keep_rejected,
            mapping=by,
            account=account,
        )
        show({"file": file.name} | result)
        clean = clean and not any(
            finding.get("severity") == "ERROR" for finding in result.get("findings", ())
        )
    if not clean:
        raise SystemExit(EXIT_REFUSED)


def advise(files: Annotated[list[Path], typer.Argument(metavar="FILE…")]) -> None:
    """Hand in what senders say: remittance advices (UBL, CSV), settlements of platforms (CSV)."""
    for file in files:
        said = handing.hand_in(SESSION.platform, SESSION.actor, _bytes_of(file), file.name)
        show({"file": file.name} | said)


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput("FILE", f"{file} cannot be read: {error.strerror}.") from None


def eod(
    date: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Close every day up to and including this one"),
    ] = None,
) -> None:
    """Close the business day: income, lateness, penalty; the next day begins with its chain."""
    with SESSION.reading() as conn:
        financiers = conn.execute(select(_date.c.financier_id, _date.c.current_on)).all()
    answers = [
        day.close_to(SESSION.platform, row.financier_id, date.date() if date else row.current_on)
        for row in financiers
    ]
    # The chain first: what is thought of its firms rests on it.
    chains = {one["financier_id"]: one for one in nightly.build_all(SESSION.platform)}
    for answer, row in zip(answers, financiers, strict=True):
        answer["chain_firms"] = chains[row.financier_id]["firms"]
        answer["assessed"] = assess_day(SESSION.platform, row.financier_id)["assessed"]
        answer["alarms"] = len(watch_day(SESSION.platform, row.financier_id)["alarms"])
    show({"financiers": answers})


@bank.command("answer")
def bank_answer(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A pain.001 file")],
    out: OutDir,
    reject: Annotated[bool, typer.Option("--reject", help="Refuse every payment")] = False,
    on: OnDay = None,
) -> None:
    """Answer a payment file as a bank would: a pain.002, and a camt.053 with the bookings."""
    made = simulator.answer(file.read_bytes(), on=_bank_day(on), state_dir=out, reject=reject)
    show({"files": [str(path) for path in simulator.write_files(made, out)]})


@bank.command("serve")
def bank_serve(
    inbox: Annotated[Path, typer.Option("--in", help="Folder from which payment files are taken")],
    out: OutDir,
    on: OnDay = None,
    every: Annotated[float, typer.Option(min=0.01, help="Seconds between two looks")] = 1.0,
    delay: Annotated[bool, typer.Option("--delay", help="Leave payments pending")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Refuse every payment")] = False,
    statements_as: Annotated[
        list[str] | None,
        typer.Option("--as", help="Form of statements, e.g. camt.054.001.08 (several times)"),
    ] = None,
) -> None:
    """Be the bank as a process: take payment files from a folder and answer them, until stopped."""
    from scf.demo import bank_process

    bank_process.serve(
        inbox,
        out,
        today=lambda: _bank_day(on),
        say=lambda names: show({"files": names}),
        every=every,
        manner=bank_process.Manner(delay, reject, tuple(statements_as or (STATEMENT_VERSION,))),
    )


@bank.command("release")
def bank_release(out: OutDir, on: OnDay = None) -> None:
    """Execute the payments that were left pending."""
    made = simulator.release(on=_bank_day(on), state_dir=out)
    show({"files": [str(path) for path in simulator.write_files(made, out)]})


@bank.command("return")
def bank_return(
    end_to_end_id: Annotated[str, typer.Argument(metavar="ENDTOENDID")],
    out: OutDir,
    reason: Annotated[str, typer.Option("--reason", help="ISO 20022 return reason")] = "AC04",
    on: OnDay = None,
) -> None:
    """Give a payment that was executed back: a credit with the reason."""
    made = simulator.give_back(end_to_end_id, on=_bank_day(on), state_dir=out, reason=reason)
    show({"files": [str(path) for path in simulator.write_files([made], out)]})


@bank.command("repeat")
def bank_repeat(
    statement: Annotated[str, typer.Argument(metavar="STATEMENT", help="Its Id")], out: OutDir
) -> None:
    """Issue a statement again, byte for byte."""
    made = simulator.repeat(statement, state_dir=out)
    show({"files": [str(path) for path in simulator.write_files([made], out)]})


@bank.command("receive")
def bank_receive(
    sender: Annotated[str, typer.Option("--from", help="Paying firm: id or scheme:value")],
    amount: Annotated[str, typer.Option("--amount", help="e.g. 1000.00")],
    reference: Annotated[str, typer.Option("--reference", help="What the payer wrote")],
    out: OutDir,
    currency: Annotated[str, typer.Option("--currency")] = "EUR",
    to: Annotated[str, typer.Option("--to", help="The financier, if there are several")] = "",
    value: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Value date if it differs")
    ] = None,
    on: OnDay = None,
) -> None:
    """Let money come in on the financier's account: a camt.053 with the booked credit."""
    with SESSION.reading() as conn:
        financier = (
            SESSION.firm(to)
            if to
            else conn.execute(select(_date.c.financier_id).limit(1)).scalar_one()
        )
        payer = SESSION.firm(sender)
        name = conn.execute(select(_firm.c.name).where(_firm.c.id == payer)).scalar_one()
    made = simulator.receive(
        from_name=name,
        from_account=_number(payer, currency),
        to_account=_number(financier, currency),
        amount_minor=parse_minor(amount, currency),
        currency=currency,
        reference=reference,
        on=_bank_day(on),
        value_on=value.date() if value else None,
        state_dir=out,
    )
    show({"files": [str(path) for path in simulator.write_files([made], out)]})


def _number(firm_id: str, currency: str) -> str:
    """Give an account number of a firm; one in the currency where there is one."""
    with SESSION.reading() as conn:
        rows = conn.execute(
            select(_account.c.number, _account.c.currency)
            .where(_account.c.firm_id == firm_id, _account.c.state != "CLOSED")
            .order_by(_account.c.id)
        ).all()
    if not rows:
        raise NotFound("ACCOUNT", "The firm has no bank account here.", firm_id=firm_id)
    same = [row.number for row in rows if row.currency == currency]
    return str((same or [rows[0].number])[0])


def _bank_day(given: dt.datetime | None) -> dt.date:
    if given is not None:
        return given.date()
    with SESSION.reading() as conn:
        financier = conn.execute(select(_date.c.financier_id).limit(1)).scalar_one_or_none()
        if financier is None:
            raise InvalidInput("BUSINESS_DATE", "There is no business date yet: give --on DATE.")
        return business_date(conn, financier)
