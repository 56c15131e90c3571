"""The blueprint of the anchor's pages, who may open them, and what they share."""

from typing import Any

from flask import Blueprint, g
from sqlalchemy import ColumnElement, and_, case, func, literal_column, or_
from sqlalchemy.engine import Connection
from sqlmodel import Session, col, select

from scf.db.visibility import not_found
from scf.documents.models import Invoice
from scf.parties.access import may
from scf.parties.service import day_for
from scf.programmes.service import programme_for, terms_on
from scf.reporting.alike import undecided
from web.context import actor, now
from web.portal.acting import must
from web.portal.anchor.words import label_of, match_remedy, match_words

anchor = Blueprint("anchor", __name__, url_prefix="/anchor")
OPEN = ("NONE", "SENT")


@anchor.before_request
def _only_anchors() -> None:
    must("invoice.dispute")


@anchor.context_processor
def _words() -> dict[str, Any]:
    """Give templates what the person may do and how things are called.

    A page of an error may be shown before anybody is known.
    """
    who = g.get("actor")
    return {
        "may_accept": who is not None and may(who, "invoice.accept"),
        "may_decide_duplicate": who is not None and may(who, "duplicate.decide"),
        "me": who.user_id if who is not None else "",
        "label_of": label_of,
        "match_words": match_words,
        "match_remedy": match_remedy,
    }


def today(conn: Connection) -> Any:  # noqa: ANN401 - a date
    """Give the business date by which the anchor's pages judge."""
    return day_for(conn, actor().org_id, now().date())


def bought() -> ColumnElement[bool]:
    """Keep to invoices on which the person's firm is the buyer."""
    return col(Invoice.buyer_id) == actor().org_id


def to_accept() -> ColumnElement[bool]:
    """Keep to invoices that wait for the buyer's word."""
    return and_(
        bought(),
        col(Invoice.acceptance_state).in_(OPEN),
        col(Invoice.seller_id).is_not(None),
        col(Invoice.document_state).in_(("VALIDATED", "INCOMPLETE")),
        unpaid(),
    )


def unpaid() -> ColumnElement[bool]:
    """Keep to invoices that are not paid in full."""
    # As the partial index says it: bound values would not be known to mean the same.
    return col(Invoice.payment_state).in_([literal_column("'OPEN'"), literal_column("'PART_PAID'")])


def is_exception() -> ColumnElement[bool]:
    """Keep to what wants a look of its own: no match, no due date, a dispute, a look-alike."""
    return or_(
        col(Invoice.match_state) == "EXCEPTION",
        col(Invoice.due_on).is_(None),
        col(Invoice.dispute_state) == "DISPUTED",
        col(Invoice.document_state) == "INCOMPLETE",
        col(Invoice.id).in_(undecided(actor())),
    )


def waiting(session: Session) -> tuple[int, int]:
    """Count the invoices that wait for the buyer's word: all, and those that want a look.

    One reading of them: a large buyer has tens of thousands.
    """
    row = session.execute(
        select(
            func.count(col(Invoice.id)),
            func.coalesce(func.sum(case((is_exception(), 1), else_=0)), 0),
        ).where(to_accept())
    ).one()
    return int(row[0]), int(row[1])


def one_invoice(session: Session, invoice_id: str) -> Invoice:
    """Read one invoice on which the person's firm is the buyer.

    Raises
    ------
    NotFound
        For a missing one and one of others alike.
    """
    found = select(Invoice).where(col(Invoice.id) == invoice_id, bought())
    row: Invoice | None = session.execute(found).scalar_one_or_none()
    if row is None:
        raise not_found("invoice", invoice_id)
    return row


def is_undertaking(conn: Connection, currency: str) -> bool:
    """Tell whether an acceptance in a currency is an irrevocable undertaking to pay."""
    programme = programme_for(conn, actor().org_id, currency)
    if programme is None:
        return False
    _version, terms = terms_on(
        conn, programme.id, day_for(conn, programme.financier_id, now().date())
    )
    return bool(terms.ipu == "from_acceptance")
