"""Published exchange rates: brought by one person, confirmed by another, never edited."""

import datetime as dt
from typing import Any, Final

from flask import render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col

from scf.kernel.errors import InvalidInput, NotAllowed, ScfError
from scf.ledger.currency.books import book_of
from scf.ledger.currency.models import FxRate, RatePublication
from scf.ledger.currency.publishing import AddRates, rates_of_file, seen_of
from scf.parties.access import may
from scf.parties.service import business_date, people_names
from web.context import actor
from web.portal.officer.desk import act, done, errors_of, missing, page, reading, typed
from web.second_factor import check

_SHOWN: Final = 30
_LINES: Final = 200
_LEAST_WORDS: Final = 3


@page("/books/rates", "rates.read")
def rates() -> str:
    """Show what rates were brought, what waits for a second person, and the forms for more."""
    return _page({}, {})


def _page(form: dict[str, str], errors: dict[str, str]) -> str:
    who = actor()
    with reading() as session:
        rows = list(
            session.execute(
                select(RatePublication)
                .order_by(
                    col(RatePublication.state) != "WAITING",
                    col(RatePublication.created_at).desc(),
                    col(RatePublication.id).desc(),
                )
                .limit(_SHOWN)
            ).scalars()
        )
        conn = session.connection()
        people = people_names(
            conn, {one for row in rows for one in (row.added_by, row.decided_by) if one}
        )
        asked = request.args.get("publication") or (rows[0].id if rows else "")
        chosen = next((row for row in rows if row.id == asked), None)
        lines = _lines(session, chosen.id, _LINES) if chosen is not None else []
        return render_template(
            "officer/rates.html",
            book=book_of(conn, who.org_id),
            today=business_date(conn, who.org_id),
            rows=rows,
            chosen=chosen,
            lines=lines,
            signed=_seen(session, chosen) if chosen is not None else "",
            own=chosen is not None and chosen.added_by == who.user_id,
            people=people,
            form=form,
            errors=errors,
            may_add=may(who, "rates.add"),
            may_confirm=may(who, "rates.confirm"),
            may_refuse=may(who, "rates.refuse"),
        )


def _lines(session: Session, publication_id: str, most: int | None) -> list[FxRate]:
    return list(
        session.execute(
            select(FxRate)
            .where(col(FxRate.publication_id) == publication_id)
            .order_by(col(FxRate.fixed_on).desc(), col(FxRate.base), col(FxRate.quote))
            .limit(most)
        ).scalars()
    )


def _seen(session: Session, row: RatePublication) -> str:
    """Give the fingerprint of a publication's rates, which its second person signs."""
    found = {(one.base, one.quote, one.fixed_on): one.rate for one in _lines(session, row.id, None)}
    return seen_of(row.org_id, row.source, found)


@page("/books/rates", "rates.add", method="POST")
def add_rates() -> Any:  # noqa: ANN401 - a page or a way on
    """Record one published rate, or those of a file."""
    file = request.files.get("file")
    form = {name: typed(name, 40) for name in ("base", "quote", "fixed_on", "rate", "source")}
    form["currencies"] = typed("currencies", 200)
    try:
        if file is not None and file.filename:
            wanted = [code.strip().upper() for code in form["currencies"].split(",")]
            payload = rates_of_file(file.read(), file.filename, [code for code in wanted if code])
        else:
            payload = _one(form)
        made = act("rates.add", payload).result
    except ScfError as refusal:
        return _page(form, errors_of(refusal)), refusal.http_status
    if made["id"] is None:
        return done(_("These rates stand already."), url_for("officer.rates"))
    where = url_for("officer.rates", publication=made["id"])
    return done(_("The rates are recorded. A second person confirms them."), where)


def _one(form: dict[str, str]) -> AddRates:
    try:
        on = dt.date.fromisoformat(form["fixed_on"])
    except ValueError:
        raise InvalidInput("RATES_CELL", "Say which day the rate is for.") from None
    one = {
        "base": form["base"].upper(),
        "quote": form["quote"].upper(),
        "fixed_on": on,
        "rate": form["rate"],
    }
    try:
        return AddRates(source=form["source"].upper() or "ECB", rates=[one])
    except ValueError:
        raise InvalidInput(
            "RATE_PAIR", "Name two currencies, such as EUR and USD, and a publisher."
        ) from None


def _row(publication_id: str) -> RatePublication:
    with reading() as session:
        row: RatePublication | None = session.execute(
            select(RatePublication).where(col(RatePublication.id) == publication_id)
        ).scalar_one_or_none()
    if row is None:
        raise missing("publication")
    return row


@page("/books/rates/<publication_id>/confirm", "rates.confirm", method="POST")
def confirm_rates(publication_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Confirm a publication as its second person, signed: books follow it from now on."""
    row = _row(publication_id)
    try:
        if row.added_by == actor().user_id:
            raise NotAllowed("FOUR_EYES", "Another person confirms what you have recorded.")
        with reading() as session:
            seen = _seen(session, row)
        check(seen)
        act("rates.confirm", {"publication_id": publication_id, "seen": seen})
    except ScfError as refusal:
        return _page({}, {"confirm": errors_of(refusal)["form"]}), refusal.http_status
    return done(_("The rates count from now on."), url_for("officer.rates"))


@page("/books/rates/<publication_id>/refuse", "rates.refuse", method="POST")
def refuse_rates(publication_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Strike out a publication that nobody has confirmed."""
    _row(publication_id)
    why = typed("reason", 1000)
    if len(why) < _LEAST_WORDS:
        return _page({"reason": why}, {"refuse": _("Say why, in a few words.")}), 422
    try:
        act("rates.refuse", {"publication_id": publication_id, "reason": why})
    except ScfError as refusal:
        return _page({"reason": why}, {"refuse": errors_of(refusal)["form"]}), refusal.http_status
    return done(_("The rates are struck out."), url_for("officer.rates"))
