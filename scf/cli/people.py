"""Firms, bank accounts, people and their tokens."""

import datetime as dt
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select

from scf.cli.common import EXIT_REFUSED, SESSION, fail, show, show_list
from scf.kernel.actor import OPERATOR
from scf.kernel.errors import Conflict, InvalidInput, NotFound
from scf.kernel.money import parse_minor
from scf.kernel.rates import PPM, percent_to_fraction
from scf.parties import service as parties
from scf.parties import tokens
from scf.parties.models import Firm, FirmIdentifier, User, UserRole

firm = typer.Typer(help="Firms: invite, identify, activate, list.", no_args_is_help=True)
account = typer.Typer(help="Bank accounts of firms.", no_args_is_help=True)
user = typer.Typer(help="People.", no_args_is_help=True)
token = typer.Typer(help="Tokens, by which a person acts.", no_args_is_help=True)
Identifiers = Annotated[list[str], typer.Option("--id", help="e.g. vat:DE136695976")]
OnDay = Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"])]
FirmWord = Annotated[
    str, typer.Argument(metavar="FIRM", help="id, or scheme:value such as vat:DE136695976")
]


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.add_typer(firm, name="firm")
    app.add_typer(account, name="account")
    app.add_typer(user, name="user")
    app.add_typer(token, name="token")


def _pairs(identifiers: list[str]) -> list[dict[str, str]]:
    pairs = []
    for word in identifiers:
        scheme, colon, value = word.partition(":")
        if not colon:
            raise typer.BadParameter(f"{word}: write scheme:value")
        pairs.append({"scheme": scheme, "value": value})
    return pairs


@firm.command("add")
def firm_add(
    name: Annotated[str, typer.Argument(help="Name; may be left out with --from-finding")] = "",
    country: Annotated[str, typer.Option(help="ISO 3166 two letters")] = "",
    identifiers: Identifiers = [],  # noqa: B006 - typer copies it
    from_finding: Annotated[str, typer.Option(help="Id of a FIRM_UNKNOWN finding")] = "",
    into: Annotated[
        str, typer.Option(help="A firm that is known already: add these numbers to it")
    ] = "",
) -> None:
    """Invite a firm, by hand or from the finding that a document named it."""
    payload: dict[str, Any] = {"name": name, "identifiers": _pairs(identifiers)}
    if from_finding:
        payload["finding_id"] = from_finding
    if into:
        outcome = SESSION.run("firm.identify", payload | {"firm_id": SESSION.firm(into)})
        _let_documents_validate()
    else:
        outcome = SESSION.run("firm.add", payload | {"country": country})
    show(outcome.result)


@firm.command("activate")
def firm_activate(
    which: FirmWord,
    evidence: Annotated[
        str, typer.Option(help="What showed the officer that the firm is what it says")
    ] = "checked by hand at the command line",
) -> None:
    """Let a firm trade (an officer); documents that waited for it validate themselves."""
    outcome = SESSION.run("firm.activate", {"firm_id": SESSION.firm(which), "evidence": evidence})
    show(outcome.result | {"documents": _let_documents_validate()})


def _let_documents_validate() -> int:
    """Work off the waiting jobs here and now, for whoever runs no worker."""
    return SESSION.platform.worker("command line").drain()


@firm.command("list")
def firm_list() -> None:
    """List the firms you may know, with their numbers."""
    with SESSION.platform.db.read(SESSION.actor) as session:
        firms = session.scalars(select(Firm).order_by(Firm.name)).all()
        numbers: dict[str, list[str]] = {}
        for row in session.scalars(select(FirmIdentifier)).all():
            numbers.setdefault(row.firm_id, []).append(f"{row.scheme}:{row.value}")
    show_list(
        [
            {
                "id": row.id,
                "name": row.name,
                "country": row.country or "",
                "kind": row.kind,
                "state": row.state,
                "identifiers": ", ".join(sorted(numbers.get(row.id, []))),
            }
            for row in firms
        ],
        "firms",
    )


@firm.command("fact")
def firm_fact(  # noqa: PLR0913, PLR0917 - a statement has that many figures
    which: FirmWord,
    kind: Annotated[str, typer.Argument(help="registry, statement, rating, grade, owner")],
    evidence: Annotated[str, typer.Option(help="What shows it")],
    founded: OnDay = None,
    period_end: OnDay = None,
    received: OnDay = None,
    currency: Annotated[str, typer.Option(help="Of the statement")] = "EUR",
    revenue: Annotated[str, typer.Option(help="A year's, e.g. 2500000.00")] = "",
    equity: Annotated[str, typer.Option(help="Percent of the balance sheet, e.g. 25.5")] = "",
    liquidity: Annotated[str, typer.Option(help="Cash and undrawn committed lines")] = "",
    weekly_cost: Annotated[str, typer.Option(help="What a week costs")] = "",
    pd: Annotated[str, typer.Option(help="A rating's one-year probability in percent")] = "",
    notches: Annotated[int, typer.Option(help="Columns worse than the model; -1 is better")] = 0,
    code: Annotated[str, typer.Option(help="Of a grade: EVIDENCE_SEEN, BAD_NEWS, …")] = "",
    valid_to: OnDay = None,
    owner: Annotated[str, typer.Option(help="Who holds more than half; itself: nobody")] = "",
) -> None:
    """Say what is known of a firm beside its trade; what makes it cheaper waits for a second."""
    days = {
        "founded_on": founded,
        "period_end_on": period_end,
        "received_on": received,
        "valid_to": valid_to,
    }
    amounts = {
        "revenue_minor": revenue,
        "liquidity_minor": liquidity,
        "weekly_cost_minor": weekly_cost,
    }
    payload: dict[str, Any] = {
        "firm_id": SESSION.firm(which),
        "kind": kind,
        "evidence": evidence,
        **{name: day.date() for name, day in days.items() if day is not None},
        **{name: parse_minor(text, currency) for name, text in amounts.items() if text},
    }
    if kind == "statement":
        payload["currency"] = currency
        payload["equity_ppm"] = _ppm(equity or "0")
    if kind == "grade":
        payload |= {"notches": notches, "code": code or None}
    if pd:
        payload["pd_ppm"] = _ppm(pd)
    if owner:
        payload["owner_id"] = SESSION.firm(owner)
    show(SESSION.run("firm.fact", payload).result)


@firm.command("confirm-fact")
def firm_confirm_fact(fact: Annotated[str, typer.Argument(help="Id of the fact")]) -> None:
    """Confirm what another person has entered of a firm: it counts from tomorrow's prices on."""
    show(SESSION.run("firm.fact.confirm", {"fact_id": fact}).result)


def _ppm(percent: str) -> int:
    parts = percent_to_fraction(percent) * PPM
    if parts.denominator != 1:
        raise InvalidInput("PERCENT_DIGITS", "A percentage has at most four decimals here.")
    return int(parts)


@account.command("add")
def account_add(
    which: FirmWord,
    iban: Annotated[str, typer.Option(help="IBAN")] = "",
    number: Annotated[str, typer.Option(help="National number, with --bic or --clearing")] = "",
    bic: Annotated[str, typer.Option()] = "",
    clearing: Annotated[
        str, typer.Option(help="SYSTEM:NUMBER of the bank, such as GBDSC:200000 or USABA:021000021")
    ] = "",
    address: Annotated[
        str, typer.Option(help="The holder's street|postcode|town|country, such as ||Ningbo|CN")
    ] = "",
    currency: Annotated[str, typer.Option()] = "EUR",
    holder: Annotated[str, typer.Option(help="Account holder; the firm's name by default")] = "",
) -> None:
    """Add a bank account to a firm; another person verifies it."""
    payload: dict[str, Any] = {
        "firm_id": SESSION.firm(which),
        "currency": currency,
        "holder": holder,
    }
    system, _, member = clearing.partition(":")
    places = ["street", "postcode", "town", "country"]
    named = {"iban": iban, "number": number, "bic": bic}
    named |= {"clearing_system": system, "clearing_member": member}
    named |= dict(zip(places, address.split("|"), strict=False))
    payload |= {k: v for k, v in named.items() if v}
    show(SESSION.run("account.add", payload).result)


@account.command("verify")
def account_verify(
    account_id: Annotated[str, typer.Argument(metavar="ACCOUNT")],
    evidence: Annotated[str, typer.Option(help="What showed that it is the firm's")] = (
        "checked by hand at the command line"
    ),
) -> None:
    """Say, as another person than the one who added it, that the account is the firm's."""
    show(SESSION.run("account.verify", {"account_id": account_id, "evidence": evidence}).result)


@user.command("add")
def user_add(
    email: str,
    org: Annotated[
        str, typer.Option(help="Organisation: id, or scheme:value such as vat:DE136695976")
    ],
    role: Annotated[list[str], typer.Option(help="treasurer, anchor_clerk, …; may be repeated")],
    name: Annotated[str, typer.Option()] = "",
    password_file: Annotated[
        Path | None,
        typer.Option(help="File with the first password; one is made and shown if left"),
    ] = None,
) -> None:
    """Add a person; an administrator's act, or the operator's without a token."""
    if password_file is None:
        password = secrets.token_urlsafe(12)
    else:
        password = password_file.read_text(encoding="utf-8").rstrip("\n")
    payload = {
        "email": email,
        "password": password,
        "name": name or email.partition("@")[0],
        "org_id": SESSION.firm(org),
        "roles": role,
    }
    run = SESSION.run if SESSION.scope else SESSION.run_as_operator
    made = run("user.add", payload)
    shown = {"password": password} if password_file is None and not made.replayed else {}
    show(made.result | shown)


@user.command("disable")
def user_disable(email: str) -> None:
    """End a person's access: sessions and tokens stop at once."""
    payload = {"user_id": _user_id(email)}
    run = SESSION.run if SESSION.scope else SESSION.run_as_operator
    show(run("user.disable", payload).result)


@user.command("list")
def user_list() -> None:
    """List the people of your organisation (all of them without a token)."""
    actor = SESSION.actor if SESSION.scope else OPERATOR
    with SESSION.platform.db.read(actor) as session:
        people = session.scalars(select(User).order_by(User.email)).all()
        roles: dict[str, list[str]] = {}
        for row in session.scalars(select(UserRole)).all():
            roles.setdefault(row.user_id, []).append(row.role)
        firms = {row.id: row.name for row in session.scalars(select(Firm)).all()}
    show_list(
        [
            {
                "id": row.id,
                "email": row.email,
                "name": row.name,
                "organisation": firms.get(row.org_id, row.org_id),
                "roles": ", ".join(sorted(roles.get(row.id, []))),
                "state": row.state,
            }
            for row in people
        ],
        "users",
    )


@user.command("code")
def user_code(email: str) -> None:
    """Print the code that signs a person of a demo world in now; never in production."""
    from scf.parties.factors import present
    from scf.parties.mark import is_demo

    if SESSION.settings.is_production:
        fail(Conflict("PRODUCTION", "Codes come from people's own authenticators."))
    user_id, now = _user_id(email), SESSION.platform.clock.now()
    with SESSION.reading() as conn:
        if not is_demo(conn):
            fail(Conflict("NO_DEMO", "Only a demo world prints codes; this is none."))
        shown = present.next_code(conn, SESSION.vault, user_id, now)
    if SESSION.as_json:
        show({"code": shown.code, "seconds": shown.seconds})
    else:
        typer.echo(shown.code)


@token.command("create")
def token_create(
    user_email: Annotated[str, typer.Option("--user", help="E-mail of the person")],
    label: Annotated[str, typer.Option()] = "command line",
    days: Annotated[int, typer.Option(min=1, max=30)] = 30,
) -> None:
    """Make a token for a person; it is printed once. By right of access to the database."""
    made, outcome = tokens.create(
        SESSION.platform.runner,
        OPERATOR,
        user_id=_user_id(user_email),
        label=label,
        key=SESSION.key or f"token:{user_email}:{SESSION.platform.clock.now().isoformat()}",
        days=days,
    )
    if SESSION.as_json:
        show({"token": made} | outcome.result)
    elif made is None:
        typer.echo("this key made its token before; a token is shown only once", err=True)
        raise SystemExit(EXIT_REFUSED)
    else:
        typer.echo(made)


def _user_id(email: str) -> str:
    with SESSION.reading() as conn:
        found = parties.actor_of_email(conn, email)
    if found is None:
        raise NotFound("NOT_FOUND", "Nobody has this e-mail address.", email=email)
    return found.user_id
