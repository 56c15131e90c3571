"""The blueprint of the connections' pages, who may open them, and how things are called there."""

from typing import Any

from flask import Blueprint
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, SQLModel

from scf.channels.outputs import JOURNAL
from scf.db.visibility import not_found
from web.context import actor, platform
from web.portal.acting import must

connections = Blueprint("connections", __name__, url_prefix="/connections")


@connections.before_request
def _only_connectors() -> None:
    must("webhook.read")


@connections.context_processor
def _words() -> dict[str, Any]:
    """Give templates the names of events, states and problems."""
    return {
        "event_words": event_words,
        "state_chip": state_chip,
        "problem_words": problem_words,
        "kind_words": kind_words,
    }


def row_of(session: Session, model: type[SQLModel], row_id: str) -> Any:  # noqa: ANN401 - a row
    """Read one row of the person's own firm.

    Raises
    ------
    NotFound
        For a missing one and one of others alike.
    """
    wanted: Any = model
    row = session.execute(select(wanted).where(wanted.id == row_id)).scalar_one_or_none()
    if row is None:
        raise not_found(str(model.__tablename__), row_id)
    return row


def must_be_ours(model: type[SQLModel], row_id: str) -> None:
    """Answer "not found" about what is another's before anything of the form is read."""
    with platform().db.read(actor()) as reading:
        row_of(reading, model, row_id)


def event_words(name: str) -> str:
    """Say what an event is, as the choice of events lists it."""
    words = {
        "upload.finished": _("A file has been read"),
        "invoice.accepted": _("Invoices were accepted"),
        "invoice.rejected": _("Invoices were rejected"),
        "invoice.disputed": _("An invoice is disputed"),
        "invoice.credit_asked": _("A credit note is asked for"),
        "invoice.match_waived": _("A difference from an order was let pass"),
        "invoice.order_corrected": _("The order of an invoice was corrected"),
        "pack.agreed": _("A pack size was agreed"),
        "request.submitted": _("A request for financing came in"),
        "request.approved": _("A request was approved"),
        "request.counter_offered": _("The bank offers other terms"),
        "request.returned": _("The bank has a question"),
        "request.answered": _("A question was answered"),
        "request.reopened": _("A decision was taken back"),
        "request.closed": _("A request ended without payment"),
        "advance.paid": _("Payment advice: money was paid out"),
        "over_advance.opened": _("More was advanced than is covered"),
        "programme.state": _("A programme began, paused or ended"),
        "day.closed": _("A business day was closed"),
        "payout.released": _("A payment file was released"),
        "payout.answered": _("The bank answered a payment file"),
        "receipt.waiting": _("Money in waits for a person"),
        "webhook.test": _("A try"),
        JOURNAL: _("The journal of each closed day"),
    }
    return str(words.get(name, name))


def state_chip(state: str) -> tuple[str, str]:
    """Give a state's name and the kind of its chip."""
    words = {
        "ACTIVE": (_("On"), "ok"),
        "PAUSED": (_("Paused"), ""),
        "DISABLED": (_("Switched off"), "bad"),
        "REMOVED": (_("Removed"), ""),
        "WAITING": (_("On its way"), "info"),
        "DONE": (_("Delivered"), "ok"),
        "FAILED": (_("Given up"), "bad"),
        "SEEN": (_("Seen"), ""),
        "CLAIMED": (_("Being read"), "info"),
        "TAKEN": (_("Taken"), "ok"),
        "REFUSED": (_("Refused"), "bad"),
    }
    return words.get(state, (state, ""))


def kind_words(kind: str) -> str:
    """Say by which way a channel's files come."""
    words = {
        "FOLDER": _("Drop folder here"),
        "SFTP": _("Folders on your SFTP server"),
        "PUSH": _("Signed messages"),
    }
    return str(words.get(kind, kind))


def problem_words(code: str) -> str:
    """Say what is wrong and what helps."""
    words = {
        "ADDRESS": _("The name leads to an address inside a network. Only public ones are called."),
        "NAME": _("Nobody knows this name. Is it spelled right?"),
        "TLS": _("No safe connection: its certificate is not valid for this name."),
        "TIMEOUT": _("No answer in time."),
        "CONNECTION": _("Nobody answers there."),
        "ANSWER": _("The connection broke before an answer came."),
        "STATUS": _("The receiver answered that it did not take it."),
        "REDIRECT": _("The receiver named another address; we follow none. Enter that one here."),
        "UNREACHABLE": _(
            "It did not take anything for three days. What happens meanwhile is kept."
        ),
        "GONE": _("The receiver said that it is gone."),
        "HOST_KEY": _("The server shows another key than the one entered here. Nothing was sent."),
        "KEY_REFUSED": _("The server does not accept our key for this user."),
        "FOLDERS": _("The folders cannot be opened. Ask whoever runs this installation."),
        "CHANNEL_PERSON": _("The person of this channel is disabled or has no role to hand in."),
        "DATABASE": _("The database did not answer; we try again."),
        "NOT_A_FILE": _("It is a link, a pipe or a folder, and was not touched."),
        "TOO_LARGE": _("It is larger than 64 MB."),
        "FILE_EMPTY": _("It is empty."),
        "REFUSED": _("Nothing in it could be taken; the error file says why."),
    }
    return str(words.get(code, code))
