"""The composition root: all wiring on one page.

Reads the configuration, opens the database, loads every slice's commands and puts the pieces
together. The command line, the web application and the tests start here.
"""

import importlib
import tomllib
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from config.settings import Settings, load_mail_server, public_address
from scf.db import migrate
from scf.db.engine import Database
from scf.db.leases import Claimed, Handler
from scf.db.platform import Before, Platform
from scf.db.runner import Runner
from scf.documents.taxcheck.port import TaxAuthority
from scf.impairment.policy import install_policy as install_impairment
from scf.kernel.clock import Clock, SystemClock
from scf.kernel.errors import InvalidInput
from scf.ledger.service import ChartLine, install_chart
from scf.parties.access import authorise
from scf.parties.factors.vault import Vault
from scf.programmes.calendars import install_calendars
from scf.programmes.registry.port import Connect
from scf.risk.appetite import install_appetite
from scf.settlement.reminders.rules import install_plan as install_reminders

if TYPE_CHECKING:
    from scf.notices.mail.delivery import Postman, Write

LETTERS = "web.letters"
# Importing these registers their commands, visibility and constraint meanings.
SLICES = (
    "scf.parties.commands",
    "scf.parties.day",
    "scf.parties.visibility",
    "scf.ledger.currency.books",
    "scf.ledger.currency.publishing",
    "scf.ledger.currency.revaluation",
    "scf.ledger.periods",
    "scf.ledger.visibility",
    "scf.documents.archives.commands",
    "scf.documents.batch",
    "scf.documents.commands",
    "scf.documents.duplicates.verdicts",
    "scf.documents.match.acts",
    "scf.documents.match.goods",
    "scf.documents.einvoice.judging",
    "scf.documents.giving_up",
    "scf.documents.identity.commands",
    "scf.documents.identity.merging",
    "scf.documents.posted.commands",
    "scf.documents.staging",
    "scf.documents.taxcheck.commands",
    "scf.documents.transfers.commands",
    "scf.documents.visibility",
    "scf.chain.commands",
    "scf.chain.visibility",
    "scf.risk.commands",
    "scf.risk.promoting",
    "scf.risk.visibility",
    "scf.risk.watch.commands",
    "scf.programmes.commands",
    "scf.programmes.registry.commands",
    "scf.programmes.visibility",
    "scf.offers.commands",
    "scf.offers.visibility",
    "scf.financing.commands",
    "scf.financing.visibility",
    "scf.impairment.acts",
    "scf.impairment.measuring",
    "scf.impairment.visibility",
    "scf.settlement.commands",
    "scf.settlement.reminders.commands",
    "scf.settlement.reminders.visibility",
    "scf.settlement.visibility",
    "scf.settlement.advised.commands",
    "scf.settlement.advised.visibility",
    "scf.settlement.own_accounts.commands",
    "scf.settlement.own_accounts.visibility",
    "scf.notices.commands",
    "scf.notices.mail.commands",
    "scf.notices.mail.visibility",
    "scf.notices.visibility",
    "scf.notices.webhooks.commands",
    "scf.notices.webhooks.visibility",
    "scf.channels.commands",
    "scf.channels.visibility",
    "scf.channels.erp.commands",
    "scf.channels.erp.recording",
    "scf.channels.erp.visibility",
    "scf.accounting.mapping.commands",
    "scf.accounting.mapping.visibility",
)


def build(
    url: str,
    *,
    clock: Clock | None = None,
    pool_size: int = 5,
    at_once: bool = True,
    tax: TaxAuthority | None = None,
    registries: Mapping[str, Connect] | None = None,
) -> Platform:
    """Put the platform together over one database; see ``Database`` for what commits do.

    Without ``tax`` no tax authority is connected, and none answers. ``registries`` says for each
    consortium how a member reaches its duplicate registry.
    """
    load_slices()
    load_chart()
    load_calendars()
    load_appetite()
    load_impairment()
    load_reminders()
    db = Database(url, pool_size=pool_size, at_once=at_once)
    the_clock = clock or SystemClock()
    return Platform(
        db,
        the_clock,
        Runner(db, the_clock, authorise),
        job_handlers,
        deliver,
        {"registry": registries or {}} | ({"tax": tax} if tax is not None else {}),
        before_commands(),
        after_giving_up(),
    )


def tax_registers(
    addresses: Mapping[str, str], token: str, office: Path | None = None
) -> TaxAuthority:
    """Connect the registers of tax invoices that were named, each under its scheme.

    ``office`` is the file of a demo world's tax office, which answers for every other scheme.

    Raises
    ------
    InvalidInput
        TAX_SCHEME for a register of a scheme that nobody knows.
    """
    from scf.demo.taxoffice import TaxOffice
    from scf.documents.taxcheck.http import HttpRegister
    from scf.documents.taxcheck.port import ByScheme
    from scf.documents.taxcheck.schemes import SCHEMES

    for scheme in addresses:
        if scheme not in SCHEMES:
            raise InvalidInput(
                "TAX_SCHEME",
                "%(scheme)s is none of %(known)s.",
                scheme=scheme,
                known=list(SCHEMES),
            )
    clock = SystemClock()
    found: dict[str, TaxAuthority] = {}
    if office is not None and office.exists():
        found = dict.fromkeys(SCHEMES, TaxOffice(office, clock))
    for scheme, address in addresses.items():
        found[scheme] = HttpRegister(address, clock, token)
    return ByScheme(found)


def registries_in(settings: Settings) -> Mapping[str, Connect]:
    """Give how the duplicate registries of the operator's file are reached."""
    from scf.programmes.registry.connecting import registries_of

    return registries_of(settings.registries_file, may_make=not settings.is_production)


def before_commands() -> dict[str, Before]:
    """Give what is asked outside before a command that looks at the answer inside."""
    from scf.financing.beforehand import before_a_bulk, before_a_decision, before_a_request
    from scf.financing.taxwatch import watching
    from scf.settlement.beforehand import before_a_release

    return {
        "request.submit": before_a_request,
        "request.decide": before_a_decision,
        "request.approve_many": before_a_bulk,
        "quote.make": watching.before_a_quote,
        "payout.prepare": watching.before_a_payment_file,
        "payout.release": before_a_release,
    }


def load_slices() -> None:
    """Import every slice, which registers what it can do and who may see its rows."""
    for name in SLICES:
        importlib.import_module(name)


def load_chart() -> None:
    """Read the chart of accounts that every book is opened from."""
    data = tomllib.loads(files("config").joinpath("chart_of_accounts.toml").read_text("utf-8"))
    lines = (
        ChartLine(
            line["code"],
            line["name"],
            line["kind"],
            control=line.get("control", False),
            clears=line.get("clears", True),
            monetary=line.get("monetary", False),
        )
        for line in data["account"]
    )
    install_chart(lines, data["version"])


def load_calendars() -> None:
    """Read the business calendars that programmes name."""
    folder = files("config").joinpath("calendars")
    install_calendars(
        {
            file.name.removesuffix(".toml"): tomllib.loads(file.read_text("utf-8"))
            for file in folder.iterdir()
            if file.name.endswith(".toml")
        }
    )


def load_appetite() -> None:
    """Read the risk appetite; without the file nothing is priced by risk, and the rest works."""
    parts = [
        files("config").joinpath(f"{name}.toml") for name in ("risk_appetite", "planning_rates")
    ]
    if all(file.is_file() for file in parts):
        install_appetite(*(tomllib.loads(file.read_text("utf-8")) for file in parts))
    else:
        install_appetite(None)


def load_impairment() -> None:
    """Read the impairment policy; without the file nothing is provided for."""
    file = files("config").joinpath("impairment.toml")
    install_impairment(tomllib.loads(file.read_text("utf-8")) if file.is_file() else None)


def load_reminders() -> None:
    """Read when payers are reminded; without the file nobody is."""
    file = files("config").joinpath("reminders.toml")
    install_reminders(tomllib.loads(file.read_text("utf-8")) if file.is_file() else None)


def create_schema(url: str) -> None:
    """Bring an empty or older database to the present schema."""
    migrate.upgrade(url)


def job_handlers(platform: Platform) -> dict[str, Handler]:
    """Give what the worker does per kind of job."""
    from scf.documents import intake
    from scf.documents.einvoice import judging
    from scf.documents.transfers import commands as transfers
    from scf.financing.taxwatch import watching
    from scf.programmes.registry.asking import bring_in_job, release_job

    handlers: dict[str, Callable[[Claimed], dict[str, Any] | None]] = {
        "documents.import": lambda job: intake.import_job(platform, job),
        "documents.revalidate": lambda job: intake.revalidate_job(platform, job),
        "documents.match": lambda job: intake.match_job(platform, job),
        "documents.judge": lambda job: judging.judge_job(platform, job),
        "tax.ask": lambda job: watching.ask_job(platform, job),
        "tax.recheck": lambda job: watching.recheck_job(platform, job),
        "registry.bring": lambda job: bring_in_job(platform, job),
        "registry.release": lambda job: release_job(platform, job),
        "tax.refuse": lambda job: watching.refuse_job(platform, job),
        "transfers.expire": lambda job: transfers.expire_job(platform, job),
    }
    return handlers


def after_giving_up() -> dict[str, Callable[[Platform, Claimed], None]]:
    """Give what is done per kind of job when one is not tried again."""
    from scf.documents.giving_up import give_up_job

    return {"documents.import": give_up_job}


def deliver(platform: Platform, event: Claimed) -> None:
    """Hand an event of the outbox to the channels."""
    from scf.channels import outputs
    from scf.notices import delivery
    from scf.notices.webhooks import delivery as webhooks

    delivery.deliver(platform, event)
    webhooks.fan_out(platform, event)
    outputs.fan_out(platform, event)


def abroad(platform: Platform, settings: Settings, vault: Vault) -> list[Callable[[], object]]:
    """Give what the worker does again and again with other systems."""
    from scf.channels.erp.rounds import ErpRounds
    from scf.channels.rounds import Rounds
    from scf.notices.webhooks.delivery import Courier
    from scf.notices.webhooks.targets import Targets

    targets = Targets(loopback=settings.webhook_loopback)
    rounds = Rounds(platform, targets, settings.channels_folder, settings.sftp_keys_folder)
    chores: list[Callable[[], object]] = [
        Courier(platform, vault, targets).send_due,
        rounds.look,
        ErpRounds(platform, vault, targets).look,
    ]
    mail = postman(platform, settings, vault)
    return [*chores, mail.send_due] if mail is not None else chores


def postman(platform: Platform, settings: Settings, vault: Vault) -> "Postman | None":
    """Give who sends letters; nobody where no mail server is configured."""
    from scf.notices.mail.delivery import Postman
    from scf.notices.mail.relay import Relay

    at = load_mail_server(settings)
    if at is None:
        return None
    relay = Relay(at.host, at.port, at.sender, at.security, at.user, at.password)
    return Postman(platform, vault, relay, letters(settings))


def letters(settings: Settings) -> "Write":
    """Give who words letters: the portal, which has the languages and knows its own addresses.

    It stands above this package and is found by its name, as the server finds its application.
    """
    made: Write = importlib.import_module(LETTERS).writer(public_address(settings))
    return made


def is_ready(db: Database) -> bool:
    """Tell whether the database answers and stands at the newest schema."""
    with db.snapshot() as connection:
        connection.execute(text("SELECT 1"))
        return migrate.revision_of(connection) == migrate.newest()


__all__ = [
    "Platform",
    "build",
    "create_schema",
    "is_ready",
    "job_handlers",
    "load_appetite",
    "load_calendars",
    "load_chart",
    "load_impairment",
    "load_reminders",
    "registries_in",
]
