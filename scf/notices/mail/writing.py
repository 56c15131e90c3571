"""Letters are written in the transaction that tells a notice: one per notice, hour or day."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from scf.db.runner import Context
from scf.kernel.ids import new_id
from scf.notices.mail.models import Letter, Mailbox, MailChoice
from scf.notices.mail.rules import AT_ONCE, PORTAL, kind_of, next_slot
from scf.parties.models import User

_mailbox = Mailbox.__table__  # type: ignore[attr-defined]
_choice = MailChoice.__table__  # type: ignore[attr-defined]
_letter = Letter.__table__  # type: ignore[attr-defined]
_user = User.__table__  # type: ignore[attr-defined]
_NEW: Final = {
    "sqlite": sqlite.insert(_letter).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_letter).on_conflict_do_nothing(),
}


def letters_for(
    ctx: Context, topic: str, org_id: str, notices: Mapping[str, str]
) -> dict[str, str]:
    """Write what people want to be told of an event; gives the letter of each notice that has one.

    ``notices`` gives the notice of each person. Who has no confirmed mailbox, or wants this kind
    only in the portal, gets no letter.
    """
    kind = kind_of(topic)
    rows = ctx.conn.execute(
        select(_mailbox.c.user_id, _mailbox.c.zone, _mailbox.c.hour, _choice.c.choice)
        .join(_user, (_user.c.id == _mailbox.c.user_id) & (_user.c.email == _mailbox.c.address))
        .join(
            _choice,
            (_choice.c.user_id == _mailbox.c.user_id) & (_choice.c.kind == kind.name),
            isouter=True,
        )
        .where(_mailbox.c.state == "CONFIRMED", _mailbox.c.user_id.in_(list(notices)))
        .order_by(_mailbox.c.user_id)
    ).all()
    written: dict[str, str] = {}
    for row in rows:
        notice_id = notices[row.user_id]
        choice = row.choice if row.choice in kind.choices else kind.usual
        if choice == AT_ONCE:
            slot = f"notice:{notice_id}"
            made = letter_row(row.user_id, org_id, "NOTICE", slot, ctx.now)
            ctx.conn.execute(_NEW[ctx.dialect], made)
            written[notice_id] = made["id"]
        elif choice != PORTAL:
            written[notice_id] = _of_several(ctx, row, org_id, choice)
    return written


def code_slot(digest: str) -> str:
    """Name the letter of a code by the digest of the code."""
    return f"code:{digest[:32]}"


def letter_row(
    user_id: str, org_id: str, kind: str, slot: str, due_at: dt.datetime
) -> dict[str, Any]:
    """Give the row of a letter that leaves at an instant."""
    return {
        "id": new_id(),
        "user_id": user_id,
        "org_id": org_id,
        "kind": kind,
        "slot": slot,
        "due_at": due_at,
        "next_at": due_at,
        "state": "WAITING",
        "attempts": 0,
    }


def _of_several(ctx: Context, person: Any, org_id: str, choice: str) -> str:  # noqa: ANN401 - a row
    """Give the letter that the next hour or day has, making it when this is its first notice.

    A letter that the worker has taken up says what it says: then the one after it.
    """
    after = ctx.now
    while True:
        slot, after = next_slot(choice, after, person.zone, person.hour)
        made = letter_row(person.user_id, org_id, "DIGEST", slot, after)
        ctx.conn.execute(_NEW[ctx.dialect], made)
        row = ctx.conn.execute(
            select(_letter.c.id, _letter.c.state, _letter.c.attempts)
            .where(_letter.c.user_id == person.user_id, _letter.c.slot == slot)
            .with_for_update()
        ).one()
        if row.state == "WAITING" and not row.attempts:
            return str(row.id)
