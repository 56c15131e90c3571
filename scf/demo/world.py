"""The start world: one financier, one anchor, one supplier, one programme, a person per role.

Everything enters through the same commands as real data; nothing here writes a table. Passwords
are made at random once per database and stand in a file that only its owner can read.
"""

import dataclasses
import datetime as dt
import json
import os
import secrets
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from schwifty import IBAN
from sqlalchemy import select
from sqlalchemy.engine import make_url

from scf.db.platform import Platform
from scf.demo import enrol
from scf.kernel.actor import OPERATOR, Actor, Role
from scf.kernel.calendar import BusinessCalendar
from scf.kernel.errors import Conflict
from scf.kernel.money import exponent
from scf.parties.factors.vault import Vault
from scf.parties.models import User
from scf.programmes.terms import Terms, load_terms

_user = User.__table__  # type: ignore[attr-defined]

FINANCIER = "Meridian Trade Bank"
ANCHOR = "Halden Appliances"
SUPPLIER = "Brook Valves"
DOMAIN = "tributary.example"
LIMIT = 5_000_000  # whole units of each currency
EXAMPLE_FIXING = "3.45"

# Firm → kind, country, public number, IBAN (the check digits are right, the accounts invented).
FIRMS = {
    FINANCIER: ("financier", "DE", ("lei", "5299000J2N45DDNE4Y28"), "DE02120300000000202051"),
    ANCHOR: ("trader", "DE", ("vat", "DE136695976"), "DE02500105170137075030"),
    SUPPLIER: ("trader", "NL", ("vat", "NL004495445B01"), "NL91ABNA0417164300"),
}
PEOPLE: tuple[tuple[str, str, str, Role], ...] = (
    ("mira", "Mira Vos", SUPPLIER, Role.TREASURER),
    ("carl", "Carl Brandt", ANCHOR, Role.ANCHOR_CLERK),
    ("anna", "Anna Lind", ANCHOR, Role.ANCHOR_APPROVER),
    ("omar", "Omar Haddad", FINANCIER, Role.OFFICER_MAKER),
    ("chen", "Chen Wei", FINANCIER, Role.OFFICER_CHECKER),
    ("hana", "Hana Novak", FINANCIER, Role.HEAD_OFFICE),
    ("adam", "Adam Reyes", FINANCIER, Role.ADMINISTRATOR),
)


@dataclasses.dataclass(frozen=True)
class World:
    """What there is to sign in to; of a world just made also its firms and its people by role."""

    made: bool
    business_date: dt.date
    sign_ins: list[dict[str, str]]
    file: Path
    firms: dict[str, str] = dataclasses.field(default_factory=dict)
    people: dict[Role, Actor] = dataclasses.field(default_factory=dict)


class Builder:
    """Runs the commands that make the world, each under a key of its own.

    A half-made world (power cut, Ctrl-C) is therefore completed by the next start.
    """

    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    def run(self, name: str, payload: dict[str, Any], actor: Actor, key: str) -> dict[str, Any]:
        """Run one command and give its answer."""
        return self.platform.run(
            name, payload, actor, key=f"demo:{key}", reason="the demo world's start"
        ).result


def ensure(
    platform: Platform, on: dt.date | None, users_file: Path, vault: Vault | None = None
) -> World:
    """Make the start world if there is none; gives its people.

    With a vault everybody has an authenticator, whose codes ``scf user code`` prints; without one
    each person sets one up at the first sign-in.

    Raises
    ------
    Conflict
        ``DEMO_DATE`` when a world of another business date is there: reset it first.
    """
    there = standing(platform, on, users_file)
    if there is not None:
        return there
    day = on or standing_day(platform) or next_business_day(platform.clock.now().date())
    made = start(platform, day, users_file, vault)
    return keep(users_file, day, made.sign_ins)


def standing(platform: Platform, on: dt.date | None, users_file: Path) -> World | None:
    """Give the demo world that is there already.

    Raises
    ------
    Conflict
        ``DEMO_DATE`` when it stands on another business date: reset it first.
    """
    day = standing_day(platform)
    if day is None or not users_file.exists():
        return None
    if on is not None and on != day:
        raise Conflict(
            "DEMO_DATE",
            "The demo world stands on another business date: add --reset to start again.",
            business_date=day.isoformat(),
        )
    stored = json.loads(users_file.read_text(encoding="utf-8"))
    return World(made=False, business_date=day, sign_ins=stored["users"], file=users_file)


def start(
    platform: Platform,
    day: dt.date,
    users_file: Path,
    vault: Vault | None,
    programme: str = "payables-finance",
) -> World:
    """Make organisations, people, accounts, one programme and its limits; keeps no file."""
    builder = Builder(platform)
    firms = firms_join(builder)
    builder.run("day.open", {"financier_id": firms[FINANCIER], "on": day}, OPERATOR, "day")
    sign_ins, people = _people(builder, firms)
    if vault is not None:
        enrol.everybody(platform, people.values(), vault)
    content = programme_file(programme)
    terms = load_terms(content.encode())
    _accounts(builder, firms, people, terms)
    _programme(builder, firms, people, day, content, terms)
    platform.worker("demo").drain()
    return World(
        made=True, business_date=day, sign_ins=sign_ins, file=users_file, firms=firms, people=people
    )


def remove(url: str, seals_file: Path) -> None:
    """Throw a SQLite demo database away; one on PostgreSQL is its owner's to drop.

    Raises
    ------
    Conflict
        ``DEMO_RESET`` for a database that is not a file of ours.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise Conflict("DEMO_RESET", "Drop and create this database with its own tools.")
    for suffix in ("", "-wal", "-shm"):
        Path(parsed.database + suffix).unlink(missing_ok=True)
    seals_file.unlink(missing_ok=True)  # they seal a trail that is gone


def standing_day(platform: Platform) -> dt.date | None:
    """Give the business date of the books that are there."""
    from scf.parties.models import BusinessDate

    table = BusinessDate.__table__  # type: ignore[attr-defined]
    with platform.db.snapshot() as conn:
        day: dt.date | None = conn.execute(select(table.c.current_on)).scalar()
        return day


def programme_file(code: str) -> str:
    """Give a shipped programme whose bank, a simulator, takes payments until late at night.

    Whoever tries the platform in the evening can release what waits for that day.
    """
    text = files("config").joinpath(f"programmes/{code}.toml").read_text("utf-8")
    return text.replace('cut_off = "16:00"', 'cut_off = "23:59"')


def next_business_day(day: dt.date) -> dt.date:
    """Give the day itself, or the Monday after a weekend."""
    from scf.kernel.calendar import Roll

    return BusinessCalendar("weekends").roll(day, Roll.FOLLOWING)


def firms_join(builder: Builder) -> dict[str, str]:
    """Add the firms of the start world; gives their ids by name."""
    ids: dict[str, str] = {}
    for name, (kind, country, (scheme, value), _iban) in FIRMS.items():
        made = builder.run(
            "firm.add",
            {
                "name": name,
                "country": country,
                "kind": kind,
                "identifiers": [{"scheme": scheme, "value": value}],
            },
            OPERATOR,
            f"firm:{name}",
        )
        ids[name] = made["id"]
        builder.run(
            "firm.activate",
            {"firm_id": made["id"], "evidence": "part of the demo world"},
            OPERATOR,
            f"activate:{name}",
        )
    return ids


def new_password() -> str:
    """Make a password that nobody knows yet."""
    return secrets.token_urlsafe(12)


def _people(
    builder: Builder, firms: dict[str, str]
) -> tuple[list[dict[str, str]], dict[Role, Actor]]:
    sign_ins: list[dict[str, str]] = []
    people: dict[Role, Actor] = {}
    for word, name, firm, role in PEOPLE:
        email = f"{word}@{DOMAIN}"
        password = new_password()
        with builder.platform.db.snapshot() as conn:
            user_id = conn.execute(
                select(_user.c.id).where(_user.c.email == email)
            ).scalar_one_or_none()
        if user_id is None:
            user_id = builder.run(
                "user.add",
                {
                    "email": email,
                    "name": name,
                    "org_id": firms[firm],
                    "roles": [role.value],
                    "password": password,
                },
                OPERATOR,
                f"user:{word}:{secrets.token_hex(4)}",
            )["id"]
        else:  # a start that was cut off: its password was never told to anybody
            builder.run(
                "user.set_password",
                {"user_id": user_id, "password": password},
                OPERATOR,
                f"password:{word}:{secrets.token_hex(4)}",
            )
        people[role] = Actor(user_id, firms[firm], frozenset({role}), name)
        sign_ins.append(
            {"role": role.value, "organisation": firm, "email": email, "password": password}
        )
    return sign_ins, people


def _accounts(
    builder: Builder, firms: dict[str, str], people: dict[Role, Actor], terms: Terms
) -> None:
    """Give every firm a verified account; the financier one in each currency it finances."""
    accounts = [(name, iban, "EUR") for name, (_kind, _country, _number, iban) in FIRMS.items()]
    accounts += [
        (FINANCIER, str(IBAN.generate("DE", "12030000", f"{number:010d}")), currency)
        for number, currency in enumerate(terms.currencies, start=202_052)
        if currency != "EUR"
    ]
    for name, iban, currency in accounts:
        added = builder.run(
            "account.add",
            {"firm_id": firms[name], "iban": iban, "currency": currency, "holder": name},
            people[Role.OFFICER_MAKER],
            f"account:{name}:{currency}",
        )
        builder.run(
            "account.verify",
            {"account_id": added["id"], "evidence": "part of the demo world"},
            people[Role.OFFICER_CHECKER],
            f"verify:{name}:{currency}",
        )


def _programme(
    builder: Builder,
    firms: dict[str, str],
    people: dict[Role, Actor],
    day: dt.date,
    content: str,
    terms: Terms,
) -> None:
    maker, checker = people[Role.OFFICER_MAKER], people[Role.OFFICER_CHECKER]
    loaded = builder.run(
        "programme.load",
        {"content": content, "anchor_id": firms[ANCHOR], "effective_on": day},
        maker,
        "programme",
    )
    builder.run("programme.activate", {"programme_id": loaded["id"]}, checker, "activate-programme")
    nodes = (
        ("financier", firms[FINANCIER], 2),
        ("programme", loaded["id"], 2),
        ("obligor", firms[ANCHOR], 1),
        ("seller", firms[SUPPLIER], 1),
    )
    proposed = []
    for currency, benchmark in terms.benchmarks.items():
        for kind, subject, share in nodes:
            limit = share * LIMIT * 10 ** exponent(currency)
            made = builder.run(
                "limit.set",
                {"kind": kind, "subject_id": subject, "currency": currency, "limit_minor": limit},
                maker,
                f"limit:{kind}:{currency}",
            )
            proposed.append(made)
        if benchmark:  # a programme priced by risk has none
            value = builder.run(
                "fixing.add",
                {"benchmark": benchmark, "fixed_on": day, "percent": EXAMPLE_FIXING},
                maker,
                f"fixing:{benchmark}",
            )
            read = {"fixing_id": value["id"], "percent": EXAMPLE_FIXING}
            builder.run("fixing.confirm", read, checker, f"confirm-fixing:{benchmark}")
    builder.run("limit.confirm", {"items": to_grant(proposed)}, checker, "limits")


def to_grant(proposed: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give what a second person confirms of limits that were set: those that wait."""
    return [
        {"limit_id": one["id"], "limit_minor": one["proposed_minor"]}
        for one in proposed
        if one["waits_for_second"]
    ]


def keep(file: Path, day: dt.date, sign_ins: list[dict[str, str]]) -> World:
    """Write the sign-ins into a file that only its owner can read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump({"business_date": day.isoformat(), "users": sign_ins}, out, indent=2)
        out.write("\n")
    draft.replace(file)
    return World(made=True, business_date=day, sign_ins=sign_ins, file=file)
