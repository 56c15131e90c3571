"""Which notices also come by e-mail: the mailbox, how each kind is told, what was sent last."""

import functools
import zoneinfo
from typing import Any, Final

from babel.core import get_global
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response as BaseResponse

from scf.kernel.actor import Actor, Role
from scf.kernel.errors import NotFound
from scf.notices.mail import commands
from scf.notices.mail.delivery import trouble
from scf.notices.mail.models import Letter, Mailbox, MailChoice
from scf.notices.mail.rules import Kind, kinds_for
from scf.notices.models import Notice
from scf.parties.models import Firm, User
from web.context import actor, around, platform, vault
from web.i18n import LANGUAGE_NAMES, language
from web.names import MAIL_CHOICES, MAIL_KINDS
from web.portal.account.blueprint import account
from web.portal.acting import must, tried
from web.portal.fresh import freshly_proved

RECENT: Final = 10
_AREAS: Final = (
    "Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/",
    "Indian/", "Pacific/",
)  # fmt: skip


@account.get("/mail")
def mail() -> str:
    """Show the own mailbox, how each kind of notice is told, and what was sent last."""
    _must_be_on()
    who = actor()
    with platform().db.read(who) as reading:
        return _page(reading, who)


@account.post("/mail/code")
def ask_mail() -> BaseResponse:
    """Send a code to the own mailbox."""
    must("mail.ask")
    _must_be_on()
    who = actor()
    with platform().db.read(who) as reading:
        zone = _likely_zone(reading, who)
    made = tried("mail.ask", commands.with_code(vault(), who, language=language(), zone=zone))
    if made is not None:
        flash(_("A code is on its way to your mailbox."), "ok")
    return redirect(url_for("account.mail"), 303)


@account.post("/mail/confirm")
def confirm_mail() -> BaseResponse:
    """Take the code back: from now on notices go to the mailbox."""
    must("mail.confirm")
    typed = request.form.get("code", "")[:64]
    if tried("mail.confirm", {"code": typed}) is not None:
        flash(_("Your mailbox is confirmed. Choose below what comes there."), "ok")
    return redirect(url_for("account.mail"), 303)


@account.post("/mail/choices")
def choose_mail() -> BaseResponse:
    """Keep how each kind of notice is to be told."""
    must("mail.choose")
    form = request.form
    hour = form.get("hour", "")
    chosen = {
        "choices": {
            kind.name: form[kind.name]
            for kind in kinds_for(actor().roles)
            if form.get(kind.name) in kind.choices
        },
        "language": form.get("language") if form.get("language") in LANGUAGE_NAMES else "en",
        "zone": form.get("zone", "UTC")[:64],
        "hour": int(hour) if hour.isascii() and hour.isdigit() and int(hour[:3]) < 24 else 7,  # noqa: PLR2004
    }
    if tried("mail.choose", chosen) is not None:
        flash(_("Saved."), "ok")
    return redirect(url_for("account.mail"), 303)


@account.post("/mail/leave")
@freshly_proved
def leave_mail() -> BaseResponse:
    """Send nothing more to the mailbox."""
    must("mail.leave")
    if tried("mail.leave", {}) is not None:
        flash(_("Nothing more is sent to your mailbox. Notices still stand here."), "ok")
    return redirect(url_for("account.mail"), 303)


def _must_be_on() -> None:
    """Answer as if there were no such page where no mail server is configured.

    An administrator is told, and how to change it.
    """
    if not around().options.mail_from and Role.ADMINISTRATOR not in actor().roles:
        raise NotFound("NOT_FOUND", "There is nothing here.")


def _page(reading: Session, who: Actor) -> str:
    box = reading.execute(select(Mailbox)).scalar_one_or_none()
    person = reading.execute(select(User).where(col(User.id) == who.user_id)).scalar_one()
    chosen = {row.kind: row.choice for row in reading.execute(select(MailChoice)).scalars()}
    is_admin = Role.ADMINISTRATOR in who.roles
    return render_template(
        "account/mail.html",
        sender=around().options.mail_from,
        email=person.email,
        box=box if box is not None and box.address == person.email else None,
        kinds=[
            (kind, MAIL_KINDS[kind.name], _ways(kind), _choice(kind, chosen))
            for kind in kinds_for(who.roles)
        ],
        language_choices=list(LANGUAGE_NAMES.items()),
        hours=[(hour, f"{hour:02}:00") for hour in range(24)],
        zones=[(zone, zone.replace("_", " ")) for zone in _zones()],
        letters=_letters(reading),
        trouble=_trouble_words(trouble(reading.connection())) if is_admin else "",
    )


def _ways(kind: Kind) -> list[tuple[str, object]]:
    """Give how a kind may be told, in the order of all of them."""
    return [(code, text) for code, text in MAIL_CHOICES.items() if code in kind.choices]


def _choice(kind: Kind, chosen: dict[str, str]) -> str:
    found = chosen.get(kind.name, "")
    return found if found in kind.choices else kind.usual


def _letters(reading: Session) -> list[dict[str, Any]]:
    rows = list(
        reading.execute(select(Letter).order_by(col(Letter.id).desc()).limit(RECENT)).scalars()
    )
    told: dict[str, list[Notice]] = {}
    for notice in reading.execute(
        select(Notice).where(col(Notice.letter_id).in_([row.id for row in rows]))
    ).scalars():
        told.setdefault(str(notice.letter_id), []).append(notice)
    return [
        {"row": row, "told": told.get(row.id, []), "state": _state(row), "why": _why(row)}
        for row in rows
    ]


def _state(row: Letter) -> tuple[str, str]:
    if row.state == "WAITING" and row.attempts:
        return _("Tried again"), "warn"
    return {
        "SENT": (_("Sent"), "ok"),
        "WAITING": (_("Waiting"), ""),
        "FAILED": (_("Not delivered"), "bad"),
    }.get(row.state, (_("Not sent"), ""))


def _why(row: Letter) -> str:
    """Say in words why a letter was not sent, or not taken."""
    if row.problem in {"REFUSED", "LATER"}:
        said = f"{row.status} {row.answer}"
        return str(_("The server of your mailbox said: %(answer)s", answer=said))
    words = {
        "READ": _("You had read all of it here."),
        "TOO_OLD": _("No mail server was there for three days."),
        "MAILBOX": _("No mailbox of yours was confirmed then."),
        "CODE": _("The code was too old, or another was asked for."),
    }
    if row.state == "SENT" or not row.problem:
        return ""
    return str(words.get(row.problem) or _("The mail server of this portal could not be used."))


def _trouble_words(problem: str) -> str:
    """Tell an administrator what is wrong with the mail server of the installation."""
    words = {
        "CONNECTION": _("The mail server does not answer."),
        "TLS": _("The mail server offers no encryption, or does not prove its name."),
        "LOGIN": _("The mail server refuses our sign-in."),
        "SENDER": _("The mail server does not take our sender's address."),
        "BROKEN": _("The mail server broke off the connection."),
    }
    return str(words.get(problem, ""))


def _likely_zone(reading: Session, who: Actor) -> str:
    """Guess by whose clock a person lives: by the firm's country, where that has one clock."""
    country = reading.execute(
        select(col(Firm.country)).where(col(Firm.id) == who.org_id)
    ).scalar_one_or_none()
    zones = get_global("territory_zones").get(country or "", [])
    return str(zones[0]) if len(zones) in {1, 2} and zones[0] in _zones() else "UTC"


@functools.cache
def _zones() -> tuple[str, ...]:
    """Give the time zones of the world by their names."""
    named = (one for one in zoneinfo.available_timezones() if one.startswith(_AREAS))
    return ("UTC", *sorted(named))
