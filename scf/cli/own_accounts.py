"""Own bank accounts: how their tables are read and how their bank takes payments."""

import base64
from pathlib import Path
from typing import Annotated, Any

import typer

from scf.cli.common import SESSION, show
from scf.kernel.errors import InvalidInput, NotFound
from scf.kernel.ids import new_id
from scf.parties.access import authorise
from scf.settlement.own_accounts import trying
from scf.settlement.own_accounts.reading import Setup, own_accounts, setup_of, setups_of

own_account = typer.Typer(help="Own bank accounts: mapping, payment form.", no_args_is_help=True)
Number = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Its number or id")]


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.add_typer(own_account, name="own-account")


@own_account.command("list")
def list_accounts() -> None:
    """Show your own accounts and how each is served."""
    authorise(SESSION.actor, "own_account.read")
    with SESSION.reading() as conn:
        rows = own_accounts(conn, SESSION.actor.org_id)
        setups = setups_of(conn, [row.id for row in rows])
    show({"items": [_told(row.number, row.currency, setups[row.id]) for row in rows]})


@own_account.command("try")
def try_mapping(
    account: Number,
    mapping: Annotated[Path, typer.Argument(help="The mapping (JSON)")],
    sample: Annotated[Path, typer.Argument(help="A table of the bank")],
) -> None:
    """Show what a mapping makes of a sample; nothing is kept."""
    authorise(SESSION.actor, "own_account.read")
    row = _account(account)
    read = trying.read_mapping(_text(mapping), row.number, row.currency)
    trial = trying.try_on(read, sample.read_bytes(), sample.name, row.number)
    show(
        {
            "fits": trial.fits,
            "rows": trial.total,
            "first": [
                {
                    "place": one.place,
                    "booked_on": one.booked_on.isoformat(),
                    "value_on": one.value_on.isoformat(),
                    "amount_minor": one.amount_minor,
                    "currency": one.currency,
                    "text": one.additional_information,
                }
                for one in trial.entries
            ],
            "findings": [one.as_stored() for one in trial.findings],
        }
    )


@own_account.command("map")
def map_account(
    account: Number,
    mapping: Annotated[Path, typer.Argument(help="The mapping (JSON) of its tables")],
    sample: Annotated[Path, typer.Argument(help="A table on which it is tried")],
    name: Annotated[str, typer.Option(help="What the mapping is called")] = "",
) -> None:
    """Keep a mapping that reads its sample whole; tables of the account are read by it."""
    try:
        content = sample.read_bytes()
    except OSError:
        raise InvalidInput("FILE", f"{sample} cannot be read.") from None
    _write(
        account,
        mapping=_text(mapping),
        mapping_name=name or mapping.stem,
        sample=base64.b64encode(content).decode(),
        sample_name=sample.name,
    )


@own_account.command("unmap")
def unmap_account(account: Number) -> None:
    """Read no tables of the account any more."""
    _write(account, mapping="", mapping_name="")


@own_account.command("set")
def set_up(
    account: Number,
    version: Annotated[str, typer.Option(help="pain.001.001.09 or pain.001.001.03")] = "",
    shape: Annotated[str, typer.Option(help="auto, sepa or domestic")] = "",
    batch_booking: Annotated[
        bool | None, typer.Option("--batch-booking/--single-booking", help="One sum for a file")
    ] = None,
    cut_off: Annotated[str | None, typer.Option(help="Time of day, as 16:00; empty: none")] = None,
    zone: Annotated[str, typer.Option(help="Time zone of the cut-off")] = "",
) -> None:
    """Write how the bank of an account takes payments; what is left out stays as it is."""
    said = {
        "payment_version": version or None,
        "shape": shape or None,
        "batch_booking": batch_booking,
        "cut_off": cut_off,
        "cut_off_zone": zone or None,
    }
    _write(account, **{name: value for name, value in said.items() if value is not None})


def _write(account: str, **said: Any) -> None:  # noqa: ANN401 - fields of a setup
    row = _account(account)
    with SESSION.reading() as conn:
        present = setup_of(conn, row.id)
    kept = {
        "version": present.version,
        "mapping": present.mapping.model_dump_json() if present.mapping is not None else "",
        **{
            name: getattr(present, name)
            for name in (
                "mapping_name", "payment_version", "shape", "batch_booking", "cut_off",
                "cut_off_zone",
            )
        },
    }  # fmt: skip
    asked = trying.asked_of(kept | said)
    done = trying.set_up(SESSION.platform, SESSION.actor, row.id, asked, key=new_id())
    show(done.result)


def _account(number: str) -> Any:  # noqa: ANN401 - a row
    wanted = "".join(number.split()).upper()
    with SESSION.reading() as conn:
        rows = own_accounts(conn, SESSION.actor.org_id)
    for row in rows:
        if number == row.id or wanted == row.number:
            return row
    raise NotFound("ACCOUNT", "This is none of your accounts.", kind="account")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise InvalidInput("FILE", f"{file} cannot be read.") from None


def _told(number: str, currency: str, one: Setup) -> dict[str, Any]:
    return {
        "number": number,
        "currency": currency,
        "version": one.version,
        "mapping": one.mapping_name,
        "payment_version": one.payment_version,
        "shape": one.shape,
        "batch_booking": one.batch_booking,
        "cut_off": f"{one.cut_off} {one.cut_off_zone}" if one.cut_off else "",
    }
