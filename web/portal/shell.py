"""What surrounds every page behind sign-in: who, where, when, and the ways to go."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from flask import Flask, current_app, g, request, url_for
from flask_babel import gettext as _

from scf.kernel.actor import Actor
from scf.kernel.ids import new_id
from scf.parties.service import day_for, firm_names
from web.context import actor, now, platform
from web.i18n import LANGUAGE_NAMES, language, tag_of
from web.portal.navigation import BELL, OWN, TABS, Entry, entries_of, numbers


@dataclass(frozen=True)
class Way:
    """An entry of the navigation as this page shows it."""

    href: str
    icon: str
    label: str
    letter: str
    count: int
    here: bool


@dataclass(frozen=True)
class Shell:
    """Everything that the layout shows around a page."""

    person: Actor
    organisation: str
    roles: list[str]
    today: dt.date
    entries: list[Way]
    tabs: list[Way]
    own: list[Way]
    bell: str
    unread: int


def attach(app: Flask) -> None:
    """Give templates what the layout asks for."""
    app.jinja_env.globals.update(
        shell=shell,
        here=here,
        way_to=way_to,
        initials=initials,
        new_key=new_id,
        languages=lambda: [(code, tag_of(code), LANGUAGE_NAMES[code]) for code in LANGUAGE_NAMES],
        language_name=lambda: LANGUAGE_NAMES[language()],
    )


def shell() -> Shell:
    """Read what the layout shows; once per request.

    Raises
    ------
    NotSignedIn
        When nobody is known; such pages extend ``base.html``.
    """
    if "shell" not in g:
        who = actor()
        with platform().db.read(who) as reading:
            conn = reading.connection()
            counts = numbers(reading, who)
            organisation = firm_names(conn, {who.org_id}).get(who.org_id, _("The platform"))
            today = day_for(conn, who.org_id, now().date())
        ways = _ways(entries_of(who), counts)
        g.shell = Shell(
            person=who,
            organisation=organisation,
            roles=sorted(role.value for role in who.roles),
            today=today,
            entries=ways,
            tabs=ways[:TABS],
            own=_ways(OWN, {}),
            bell=url_for(BELL.endpoint),
            unread=counts[BELL.endpoint],
        )
    found: Shell = g.shell
    return found


def _ways(entries: Iterable[Entry], counts: dict[str, int]) -> list[Way]:
    """Mark the entry of this page: the one with the longest beginning of its address."""
    entries = tuple(entries)
    hrefs = {entry.endpoint: url_for(entry.endpoint) for entry in entries}
    path = f"{request.path.rstrip('/')}/"
    fits = [
        (len(start), entry.endpoint)
        for entry in entries
        for start in (hrefs[entry.endpoint], *entry.also)
        if start != "/" and path.startswith(f"{start.rstrip('/')}/")
    ]
    here_now = max(fits, default=(0, ""))[1]
    return [
        Way(
            href=hrefs[entry.endpoint],
            icon=entry.icon,
            label=str(entry.label),
            letter=entry.letter,
            count=counts.get(entry.endpoint, 0),
            here=entry.endpoint == here_now,
        )
        for entry in entries
    ]


def here() -> str:
    """Return the address of this page, for a form that leads back to it."""
    return request.full_path.rstrip("?") if request.method == "GET" else "/"


def way_to(endpoint: str, **values: str) -> str:
    """Return the address of a page, or nothing where the application does not have it."""
    if endpoint not in current_app.view_functions:
        return ""
    return url_for(endpoint, **values)  # type: ignore[arg-type] # its own options are none of ours


def own_address(asked: str) -> str:
    """Return an address of this portal that a form asked to be led to; home for any other."""
    plain = asked.isascii() and asked.isprintable() and "\\" not in asked
    return asked if plain and asked.startswith("/") and not asked.startswith("//") else "/"


def initials(name: str) -> str:
    """Return the letters that stand for a person: two of a name in parts, else the first one."""
    parts = name.split()
    if len(parts) > 1:
        return (parts[0][:1] + parts[-1][:1]).upper()
    return name[:2].upper() if name.isascii() else name[:1]
