"""A mailbox, its choices and its letters are their person's and nobody else's."""

from sqlalchemy import ColumnElement, and_
from sqlmodel import col

from scf.db.visibility import visible_to
from scf.kernel.actor import Actor
from scf.notices.mail.models import Letter, Mailbox, MailChoice


@visible_to(Mailbox)
def _mailboxes(actor: Actor) -> ColumnElement[bool]:
    return col(Mailbox.user_id) == actor.user_id


@visible_to(MailChoice)
def _choices(actor: Actor) -> ColumnElement[bool]:
    return col(MailChoice.user_id) == actor.user_id


@visible_to(Letter)
def _letters(actor: Actor) -> ColumnElement[bool]:
    return and_(col(Letter.user_id) == actor.user_id, col(Letter.org_id) == actor.org_id)
