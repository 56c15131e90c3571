"""The home page: what can be received today, at what cost, and the way to it."""

import datetime as dt
from typing import Final

from flask import render_template, request, url_for
from sqlalchemy import select
from sqlmodel import Session, col

from scf.financing.models import FinancingRequest
from scf.kernel.actor import Actor
from scf.offers.basket import Waiting, usual_days_to_accept
from scf.parties.service import day_for, firm_names
from web.context import actor, now, platform
from web.portal.reasons import told
from web.portal.treasurer.askedback import asked_back
from web.portal.treasurer.blueprint import treasurer
from web.portal.treasurer.cash import scale, weeks
from web.portal.treasurer.choice import LATEST, PRESETS, Choice, Look, look
from web.portal.treasurer.offer import card_of
from web.portal.treasurer.progress import Step, steps

_WAITING: Final = 8
_IN_PROGRESS: Final = 5
_LIVE: Final = ("SUBMITTED", "IN_REVIEW", "RETURNED", "COUNTER_OFFERED", "APPROVED")


@treasurer.get("/")
def home() -> str:
    """Show everything that is ready, chosen whole, paid on the earliest day."""
    return _page(Choice(currency=request.args.get("currency", "")[:3]))


@treasurer.post("/")
def choose() -> str:
    """Show the same page for another choice; nothing is stored."""
    return _page(Choice.sent(request.form, request.form.getlist("pick")))


def _page(choice: Choice) -> str:
    who = actor()
    instant = now()
    with platform().db.read(who) as reading:
        conn = reading.connection()
        today = day_for(conn, who.org_id, instant.date())
        seen = look(conn, who.org_id, choice, today, instant)
        bars = weeks(conn, who.org_id, seen.currency, today)
        card = card_of(conn, seen.basket, seen.currency, instant)
        waiting = seen.board.waiting[:_WAITING]
        lines = seen.board.ready.lines
        rows = [*(line.row for line in lines), *(one.row for one in waiting)]
        return render_template(
            "treasurer/home.html",
            look=seen,
            asked_back=asked_back(reading, who.org_id),
            card=card,
            lines=lines,
            names=firm_names(conn, {row.buyer_id for row in rows}),
            waiting=[_waiting(reading, who, seen, one) for one in waiting],
            presets=PRESETS,
            preset_days=[today + dt.timedelta(days=days) for days in PRESETS],
            tabs=[
                (code, url_for("treasurer.home", currency=code), code == seen.currency, None)
                for code in seen.currencies
            ],
            latest=LATEST,
            bars=bars,
            scale=scale(bars, seen.currency),
            steps=_in_progress(reading, who),
        )


def _waiting(reading: Session, who: Actor, seen: Look, one: Waiting) -> dict[str, object]:
    """Tell one invoice's first reason, whose turn it is, and how long that usually takes."""
    first = told(one.refusals[0])
    usual = None
    if first.code == "NOT_ACCEPTED" and one.row.buyer_id:
        usual = usual_days_to_accept(reading.connection(), who.org_id, one.row.buyer_id, seen.today)
    return {"row": one.row, "told": first, "more": len(one.refusals) - 1, "usual": usual}


def _in_progress(reading: Session, who: Actor) -> list[Step]:
    rows = reading.execute(
        select(FinancingRequest)
        .where(
            col(FinancingRequest.seller_id) == who.org_id,
            col(FinancingRequest.state).in_(_LIVE),
        )
        .order_by(col(FinancingRequest.id).desc())
        .limit(_IN_PROGRESS)
    ).scalars()
    return steps(reading, list(rows))
