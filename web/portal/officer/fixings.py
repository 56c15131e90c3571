"""Benchmark values that price programmes: recorded by one person, confirmed by another."""

import datetime as dt
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col

from scf.kernel.errors import NotAllowed, ScfError
from scf.parties.access import may
from scf.parties.service import business_date, people_names
from scf.programmes.models import Fixing, ProgrammeVersion
from web.context import actor
from web.portal.officer.desk import act, done, errors_of, missing, page, reading, typed
from web.second_factor import check, digest_of

_SHOWN = 60
_LEAST_WORDS = 3


@page("/fixings", "fixing.read")
def fixings() -> str:
    """Show the benchmark values, the newest first, and the form for the next one."""
    return _page({}, {})


def _page(form: dict[str, str], errors: dict[str, str]) -> str:
    with reading() as session:
        rows = list(
            session.execute(
                select(Fixing)
                .order_by(
                    col(Fixing.confirmed_by).is_not(None),
                    col(Fixing.fixed_on).desc(),
                    col(Fixing.benchmark),
                )
                .limit(_SHOWN)
            ).scalars()
        )
        conn = session.connection()
        today = business_date(conn, actor().org_id)
        people = people_names(
            conn, {one for row in rows for one in (row.added_by, row.confirmed_by) if one}
        )
        names = sorted({row.benchmark for row in rows} | _used(session))
    waiting = [row for row in rows if row.confirmed_by is None]
    chosen = request.args.get("confirm") or next(
        (name.partition("confirm-")[2] for name in errors if name.startswith("confirm-")), ""
    )
    return render_template(
        "officer/fixings.html",
        # One page asks for one signature: of the value that was chosen.
        chosen=chosen or (waiting[0].id if waiting else ""),
        waiting=[
            {"row": row, "signed": _signed(row), "own": row.added_by == actor().user_id}
            for row in waiting
        ],
        fixings=[row for row in rows if row.confirmed_by is not None],
        people=people,
        names=names,
        today=today,
        form=form,
        errors=errors,
        may_add=may(actor(), "fixing.add"),
        may_confirm=may(actor(), "fixing.confirm"),
        may_refuse=may(actor(), "fixing.refuse"),
    )


def _used(session: Session) -> set[str]:
    """Give the benchmarks that programmes in force name."""
    programmes = session.execute(
        select(col(ProgrammeVersion.terms)).where(col(ProgrammeVersion.approved_by).is_not(None))
    ).scalars()
    return {
        name
        for terms in programmes
        if isinstance(terms, dict)
        for part in terms.get("currency", {}).values()
        if (name := str(part.get("benchmark", "")))
    }


def _signed(row: Fixing) -> str:
    """Give the digest of what the second person signs: this value of this day, by that person."""
    return digest_of(
        fixing=row.id,
        benchmark=row.benchmark,
        fixed_on=row.fixed_on.isoformat(),
        percent=row.percent,
        added_by=row.added_by,
    )


@page("/fixings", "fixing.add", method="POST")
def add_fixing() -> Any:  # noqa: ANN401 - a page or a way on
    """Record a published benchmark value with its own digits."""
    form = {name: typed(name, 60) for name in ("benchmark", "fixed_on", "percent")}
    errors = {}
    try:
        on = dt.date.fromisoformat(form["fixed_on"])
    except ValueError:
        errors["fixed_on"] = _("Say which day the value is of.")
    if not form["benchmark"]:
        errors["benchmark"] = _("Name the benchmark.")
    if errors:
        return _page(form, errors), 422
    percent = form["percent"].removesuffix("%").strip()
    try:
        result = act("fixing.add", {**form, "percent": percent, "fixed_on": on}).result
    except ScfError as refusal:
        told = errors_of(refusal, ("percent", "benchmark", "fixed_on"))
        if refusal.code.startswith("RATE"):
            told = {"percent": str(_("Write the value as it was published, such as 3.45."))}
        return _page(form, told), refusal.http_status
    said = _("The value is recorded. A second person confirms it.")
    if not result["waits_for_second"]:
        said = _("This value stands already.")
    return done(said, url_for("officer.fixings"))


def _row(fixing_id: str) -> Fixing:
    with reading() as session:
        row: Fixing | None = session.execute(
            select(Fixing).where(col(Fixing.id) == fixing_id)
        ).scalar_one_or_none()
    if row is None:
        raise missing("fixing")
    return row


@page("/fixings/<fixing_id>/confirm", "fixing.confirm", method="POST")
def confirm_fixing(fixing_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Confirm a value as its second person, signed: prices follow it from now on."""
    row = _row(fixing_id)
    place = f"confirm-{fixing_id}"
    try:
        if row.added_by == actor().user_id:
            raise NotAllowed("FOUR_EYES", "Another person confirms what you have recorded.")
        check(_signed(row))
        act("fixing.confirm", {"fixing_id": fixing_id, "percent": row.percent})
    except ScfError as refusal:
        return _page({}, {place: errors_of(refusal)["form"]}), refusal.http_status
    return done(_("The value counts from now on."), url_for("officer.fixings"))


@page("/fixings/<fixing_id>/refuse", "fixing.refuse", method="POST")
def refuse_fixing(fixing_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Strike a value out that nobody has confirmed."""
    why, place = typed("reason", 1000), f"refuse-{fixing_id}"
    if len(why) < _LEAST_WORDS:
        _row(fixing_id)  # asked only here: struck out, it is gone, and pressing again is no mistake
        return _page({place: why}, {place: _("Say why, in a few words.")}), 422
    try:
        act("fixing.refuse", {"fixing_id": fixing_id, "reason": why})
    except ScfError as refusal:
        return _page({place: why}, {place: errors_of(refusal)["form"]}), refusal.http_status
    return done(_("The value is struck out."), url_for("officer.fixings"))
