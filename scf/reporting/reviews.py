"""Automatic approvals that were drawn for a later look, as officers read them."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from scf.financing.models import FinancingRequest, RequestReview
from scf.parties.service import firm_names, people_names


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """One drawn approval: what was asked for, and what an officer thought of it."""

    request_id: str
    seller: str
    currency: str
    face_minor: int
    net_minor: int
    drawn_at: dt.datetime
    outcome: str
    code: str
    note: str
    who: str
    reviewed_at: dt.datetime | None


def drawn(session: Session, state: str, most: int = 100) -> list[ReviewLine]:
    """Give what waits for a look (``OPEN``), the oldest first, or what had it, the newest first."""
    order = col(RequestReview.drawn_at)
    rows = session.execute(
        select(RequestReview, FinancingRequest)
        .join(FinancingRequest, col(FinancingRequest.id) == col(RequestReview.request_id))
        .where(col(RequestReview.state) == state)
        .order_by(order if state == "OPEN" else order.desc(), col(RequestReview.id))
        .limit(most)
    ).all()
    conn = session.connection()
    firms = firm_names(conn, {request.seller_id for _review, request in rows})
    people = people_names(conn, {review.user_id for review, _request in rows if review.user_id})
    return [
        ReviewLine(
            request.id,
            firms.get(request.seller_id, ""),
            request.currency,
            request.face_minor,
            request.net_minor,
            review.drawn_at,
            review.outcome or "",
            review.code or "",
            review.note or "",
            people.get(review.user_id or "", ""),
            review.reviewed_at,
        )
        for review, request in rows
    ]
