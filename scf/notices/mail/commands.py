"""The commands on mailboxes: send a code there, take it back, choose, give the mailbox up.

The address is the one that the person signs in with. An administrator has typed it, and nobody has
shown to read what is sent there: so the first letter holds nothing but a code, and nothing else
goes there before its person has typed it while signed in.
"""

import datetime as dt
import hmac
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, func, insert, select, update

from scf.db.audit import PERSONAL, SECRET
from scf.db.runner import Context, command
from scf.kernel.actor import Actor
from scf.kernel.errors import Conflict, InvalidInput
from scf.notices.mail.models import Letter, Mailbox, MailChoice
from scf.notices.mail.rules import KINDS, must_be_an_address
from scf.notices.mail.writing import code_slot, letter_row
from scf.notices.webhooks.secrets import Sealed
from scf.parties.factors import codes
from scf.parties.factors.vault import Vault
from scf.parties.models import User

_mailbox = Mailbox.__table__  # type: ignore[attr-defined]
_choice = MailChoice.__table__  # type: ignore[attr-defined]
_letter = Letter.__table__  # type: ignore[attr-defined]
_user = User.__table__  # type: ignore[attr-defined]

CODE_LIVES: Final = dt.timedelta(hours=1)
CODES_A_DAY: Final = 5
_DAY: Final = dt.timedelta(days=1)
_NO_CODE: Final = {"code_digest": None, "sealed": None, "code_until": None}

Language = Field(default="en", pattern=r"^[a-z]{2}$")
Zone = Field(default="UTC", min_length=1, max_length=64)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AskMailbox(_Input):
    """A code for the own mailbox, which comes sealed, and how letters are to be written."""

    sealed: Sealed
    digest: str = Field(exclude=True, pattern=r"^[0-9a-f]{64}$", json_schema_extra={**SECRET})
    language: str = Language
    zone: str = Zone


class ConfirmMailbox(_Input):
    """The code that came."""

    code: str = Field(exclude=True, max_length=64, json_schema_extra={**SECRET})


class ChooseMail(_Input):
    """How each kind of notice is told, in which language, and when the letter of the day leaves."""

    choices: dict[str, Literal["AT_ONCE", "HOURLY", "DAILY", "PORTAL"]] = Field(max_length=20)
    language: str = Language
    zone: str = Zone
    hour: int = Field(default=7, ge=0, le=23, strict=True)


class LeaveMailbox(_Input):
    """The own mailbox, to which nothing more is to be sent."""


class RefuseMailbox(_Input):
    """A mailbox whose server says that there is none."""

    user_id: str = Field(max_length=64)
    address: str = Field(max_length=254, json_schema_extra={**PERSONAL})
    answer: str = Field(max_length=1000, json_schema_extra={**PERSONAL})


def owner(user_id: str) -> str:
    """Name for whom a code is sealed."""
    return f"mailbox:{user_id}"


def with_code(vault: Vault, actor: Actor, *, language: str, zone: str) -> dict[str, str]:
    """Give what ``mail.ask`` takes, with a fresh code: it stands nowhere but in its letter."""
    code = codes.new_mailbox_code()
    return {
        "sealed": vault.seal(code, owner(actor.user_id)),
        "digest": codes.digest_of(code),
        "language": language,
        "zone": zone,
    }


@command("mail.ask", AskMailbox)
def ask_mailbox(ctx: Context, data: AskMailbox) -> dict[str, Any]:
    """A letter with a code leaves for the mailbox that the person signs in with.

    Raises
    ------
    Conflict
        MAILBOX_CONFIRMED; MAILBOX_CODES when too many were sent today.
    InvalidInput
        MAILBOX_ADDRESS that no mail can be sent to; ZONE.
    """
    person = ctx.conn.execute(
        select(_user).where(_user.c.id == ctx.actor.user_id).with_for_update()
    ).one()
    known = ctx.conn.execute(select(_mailbox).where(_mailbox.c.user_id == person.id)).one_or_none()
    if known is not None and known.state == "CONFIRMED" and known.address == person.email:
        raise Conflict("MAILBOX_CONFIRMED", "This mailbox is confirmed already.")
    sent = ctx.conn.execute(
        select(func.count()).where(
            _letter.c.user_id == person.id,
            _letter.c.kind == "CODE",
            _letter.c.due_at > ctx.now - _DAY,
        )
    ).scalar_one()
    if sent >= CODES_A_DAY:
        raise Conflict(
            "MAILBOX_CODES", "%(limit)s codes were sent today: try again tomorrow.",
            limit=CODES_A_DAY,
        )  # fmt: skip
    must_be_an_address(person.email)
    _must_be_a_zone(data.zone)
    values = {
        "address": person.email,
        "state": "ASKED",
        "code_digest": data.digest,
        "sealed": data.sealed,
        "code_until": ctx.now + CODE_LIVES,
        "asked_at": ctx.now,
        "confirmed_at": None,
        "refused_at": None,
        "answer": None,
    }
    if known is None:
        new = {"user_id": person.id, "language": data.language, "zone": data.zone, "hour": 7}
        ctx.conn.execute(insert(_mailbox), new | values)
    else:
        _write(ctx, person.id, values)
    made = letter_row(person.id, person.org_id, "CODE", code_slot(data.digest), ctx.now)
    ctx.conn.execute(insert(_letter), made)
    ctx.change("mailbox", person.id, _state(known), {"state": "ASKED"})
    return {"state": "ASKED", "code_until": values["code_until"].isoformat()}


@command("mail.confirm", ConfirmMailbox)
def confirm_mailbox(ctx: Context, data: ConfirmMailbox) -> dict[str, Any]:
    """Notices go to the mailbox from now on: whoever typed the code reads what is sent there.

    Raises
    ------
    InvalidInput
        MAILBOX_CODE that is wrong, too old, or for another address.
    """
    row = ctx.conn.execute(
        select(_mailbox, _user.c.email)
        .join(_user, _user.c.id == _mailbox.c.user_id)
        .where(_mailbox.c.user_id == ctx.actor.user_id)
        .with_for_update(of=_mailbox)
    ).one_or_none()
    good = (
        row is not None
        and row.state == "ASKED"
        and row.address == row.email
        and row.code_until is not None
        and row.code_until > ctx.now
        and hmac.compare_digest(row.code_digest or "", codes.digest_of(data.code))
    )
    if not good:
        raise InvalidInput(
            "MAILBOX_CODE", "This is not the code of the last message, or it is older than an hour."
        )
    _write(ctx, ctx.actor.user_id, {"state": "CONFIRMED", "confirmed_at": ctx.now, **_NO_CODE})
    ctx.change("mailbox", ctx.actor.user_id, {"state": "ASKED"}, {"state": "CONFIRMED"})
    return {"state": "CONFIRMED"}


@command("mail.choose", ChooseMail)
def choose_mail(ctx: Context, data: ChooseMail) -> dict[str, Any]:
    """Notices are told from now on as the person says; letters that wait already go as they are.

    Raises
    ------
    InvalidInput
        MAIL_CHOICE for a kind that there is none of, or that cannot be told so; ZONE.
    Conflict
        MAILBOX_MISSING: without a mailbox there is nothing to choose.
    """
    for name, choice in data.choices.items():
        if name not in KINDS or choice not in KINDS[name].choices:
            raise InvalidInput(
                "MAIL_CHOICE", "This kind of notice cannot be told like that.",
                kind=name, choice=choice,
            )  # fmt: skip
    _must_be_a_zone(data.zone)
    user_id = ctx.actor.user_id
    row = ctx.conn.execute(
        select(_mailbox).where(_mailbox.c.user_id == user_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise Conflict("MAILBOX_MISSING", "Confirm your mailbox first.")
    _write(ctx, user_id, {"language": data.language, "zone": data.zone, "hour": data.hour})
    ctx.conn.execute(
        delete(_choice).where(_choice.c.user_id == user_id, _choice.c.kind.in_(list(data.choices)))
    )
    if data.choices:
        ctx.conn.execute(
            insert(_choice),
            [
                {"user_id": user_id, "kind": kind, "choice": choice}
                for kind, choice in data.choices.items()
            ],
        )
    after = {"choices": data.choices, "language": data.language, "zone": data.zone}
    ctx.change("mailbox", user_id, None, after | {"hour": data.hour})
    return {"choices": data.choices}


@command("mail.leave", LeaveMailbox)
def leave_mailbox(ctx: Context, data: LeaveMailbox) -> dict[str, Any]:  # noqa: ARG001
    """Nothing more is sent to the person's mailbox; what waited is dropped when its turn comes."""
    gone = ctx.conn.execute(
        delete(_mailbox).where(_mailbox.c.user_id == ctx.actor.user_id).returning(_mailbox.c.state)
    ).one_or_none()
    if gone is not None:
        ctx.change("mailbox", ctx.actor.user_id, {"state": gone.state}, None)
    return {"left": gone is not None}


@command("mail.refuse", RefuseMailbox)
def refuse_mailbox(ctx: Context, data: RefuseMailbox) -> dict[str, Any]:
    """Nothing more is sent to a mailbox that its server refuses; its person is told here."""
    row = ctx.conn.execute(
        select(_mailbox, _user.c.org_id)
        .join(_user, _user.c.id == _mailbox.c.user_id)
        .where(_mailbox.c.user_id == data.user_id, _mailbox.c.address == data.address)
        .with_for_update(of=_mailbox)
    ).one_or_none()
    if row is None or row.state == "REFUSED":
        return {"refused": False}
    values = {"state": "REFUSED", "refused_at": ctx.now, "answer": data.answer, **_NO_CODE}
    _write(ctx, data.user_id, values)
    ctx.change("mailbox", data.user_id, {"state": row.state}, {"state": "REFUSED"})
    ctx.emit("mail.refused", {"user_id": data.user_id}, org_id=row.org_id)
    return {"refused": True}


def _write(ctx: Context, user_id: str, values: dict[str, Any]) -> None:
    ctx.conn.execute(update(_mailbox).where(_mailbox.c.user_id == user_id).values(**values))


def _state(row: Any) -> dict[str, str] | None:  # noqa: ANN401 - a row
    return None if row is None else {"state": row.state}


def _must_be_a_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput("ZONE", "There is no time zone %(name)s.", name=name) from None
