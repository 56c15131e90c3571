"""The queue: what waits for a word, by its clock and the money, and several alike at once."""

import datetime as dt
from typing import Any, Final

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from scf.kernel.errors import ScfError
from scf.kernel.ids import digest
from scf.parties.access import may
from scf.reporting import worklist
from web.context import actor, now
from web.i18n import moment
from web.portal.officer.desk import act, errors_of, page, reading, typed
from web.portal.officer.words import check_name, reason, word_of
from web.second_factor import check

MOST_TOGETHER: Final = 10
_URGENT: Final = dt.timedelta(hours=1)
_SOON: Final = dt.timedelta(hours=4)
_FLAGS: Final = ("", "large", "urgent", "checks")


def clock(decide_by: dt.datetime, *, stopped: bool = False) -> dict[str, str]:
    """Give how much time is left, in few words and in full, and how it is coloured."""
    long = str(_("Decide by %(time)s", time=moment(decide_by)))
    if stopped:
        return {"short": str(_("clock stopped")), "long": long, "kind": ""}
    left = decide_by - now()
    if left < dt.timedelta(0):
        return {"short": str(_("overdue")), "long": long, "kind": "bad"}
    minutes = int(left.total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    if hours >= 48:  # noqa: PLR2004 - in hours nobody counts beyond two days
        short = str(ngettext("%(num)d day left", "%(num)d days left", hours // 24))
    elif hours:
        short = str(_("%(hours)s h %(minutes)s min left", hours=hours, minutes=rest))
    else:
        short = str(ngettext("%(num)d minute left", "%(num)d minutes left", minutes))
    kind = "bad" if left < _URGENT else ("warn" if left < _SOON else "info")
    return {"short": short, "long": long, "kind": kind}


@page("/", "request.read")
def home() -> BaseResponse:
    """Lead to the queue, where an officer starts."""
    return redirect(url_for("officer.queue"), 303)


@page("/queue", "request.read")
def queue() -> str:
    """Show what waits, in the view and filter that the address names."""
    return _shown({}, None)


def _view() -> str:
    asked = request.values.get("view", "")
    return asked if asked in worklist.VIEWS else "team"


def _flag() -> str:
    asked = request.args.get("only", "")
    return asked if asked in _FLAGS else ""


def cases(view: str, flag: str = "") -> tuple[list[worklist.Waiting], list[worklist.Waiting]]:
    """Give all that waits, and the part of it that a view and a filter show."""
    with reading() as session:
        rows = worklist.waiting(session, actor(), now())
    return rows, [one for one in worklist.of_view(rows, view) if _passes(one, flag, rows)]


def _passes(one: worklist.Waiting, flag: str, rows: list[worklist.Waiting]) -> bool:
    if flag == "urgent":
        return not one.clock_stopped and one.decide_by - now() < _SOON
    if flag == "checks":
        return bool(one.missing)
    if flag == "large":
        same = sorted(row.net_minor for row in rows if row.currency == one.currency)
        return one.net_minor >= same[len(same) * 3 // 4]
    return True


def _shown(errors: dict[str, str], bulk: dict[str, Any] | None) -> str:
    view, flag = _view(), _flag()
    rows, shown = cases(view, flag)
    sums: dict[str, int] = {}
    for one in shown:
        sums[one.currency] = sums.get(one.currency, 0) + one.net_minor
    chosen = {text.partition(":")[0] for text in request.form.getlist("case")}
    may_bulk = may(actor(), "request.approve_many") and sum(one.alike for one in shown) > 1
    return render_template(
        "officer/queue.html",
        rows=[_row(one, view) for one in shown],
        total=len(rows),
        sums=sums,
        view=view,
        tabs=[
            (text, url_for("officer.queue", view=name), name == view, len(_of(rows, name)))
            for name, text in _tabs()
        ],
        filters=[
            (text, url_for("officer.queue", view=view, only=name or None), name == flag, None)
            for name, text in _filters()
        ],
        filtered=bool(rows),
        chosen=chosen,
        errors=errors,
        bulk=bulk,
        may_bulk=may_bulk,
        offered=_offered(shown),
        bulk_bound=digest(_offered(shown)) if may_bulk else "",
    )


def _of(rows: list[worklist.Waiting], view: str) -> list[worklist.Waiting]:
    return worklist.of_view(rows, view)


def _tabs() -> list[tuple[str, str]]:
    return [
        ("team", _("Team")),
        ("mine", _("Mine")),
        ("second", _("Second approval")),
        ("returned", _("Returned")),
    ]


def _filters() -> list[tuple[str, str]]:
    return [
        ("", _("All")),
        ("urgent", _("Due in 4 hours")),
        ("large", _("Largest quarter")),
        ("checks", _("Checks to do")),
    ]


def _row(one: worklist.Waiting, view: str) -> dict[str, Any]:
    marks: list[tuple[str, str]] = []
    if one.second:
        marks.append((_("second approval"), "info"))
    if one.state == "RETURNED":
        marks.append((_("question open"), "warn"))
    if one.state == "COUNTER_OFFERED":
        marks.append((_("offered less"), "info"))
    if one.missing:
        text = ngettext("%(num)d check to do", "%(num)d checks to do", len(one.missing))
        marks.append((text, "warn"))
    if one.route == "two_officers":
        marks.append((_("two officers"), ""))
    return {
        "id": one.id,
        "version": one.version,
        "seller": one.seller,
        "obligor": one.obligor,
        "invoices": one.invoices,
        "currency": one.currency,
        "net_minor": one.net_minor,
        "face_minor": one.face_minor,
        "grade": one.grade,
        "clock": clock(one.decide_by, stopped=one.clock_stopped),
        "recommendation": word_of(one.maker_said).capitalize() if one.maker else _("No word yet"),
        "maker": one.maker,
        "marks": marks,
        "alike": one.alike,
        "missing": [check_name(kind) for kind in one.missing],
        "href": url_for("officer.case", request_id=one.id, view=view),
    }


# --- Several at once --------------------------------------------------------------------------


def _offered(rows: list[worklist.Waiting]) -> list[str]:
    """Give what may be ticked, as it is shown: case, version, sum."""
    return [f"{one.id}:{one.version}:{one.net_minor}" for one in rows if one.alike]


@page("/queue/approve", "request.approve_many", method="POST")
def approve_many() -> Any:  # noqa: ANN401 - a page with its status
    """Approve the ticked cases with one reason; what stands out is named and left alone."""
    offered = request.form.getlist("offered")
    ticked = [text for text in request.form.getlist("case") if text in offered]
    note = typed("note")
    errors = {}
    if not 1 <= len(ticked) <= MOST_TOGETHER:
        errors["form"] = _("Tick one to ten cases.")
    if len(note) < 3:  # noqa: PLR2004 - as the command has it
        errors["note"] = _("Say why, in a few words.")
    if errors:
        return _shown(errors, None), 422
    rows, shown = cases(_view())
    items = [
        {"request_id": request_id, "version": int(version) if version.isdigit() else 0}
        for request_id, version, *_sum in (text.split(":") for text in ticked if ":" in text)
    ]
    try:
        check(digest(offered))
        result = act("request.approve_many", {"items": items, "note": note}).result
    except ScfError as refusal:
        told = errors_of(refusal)
        if refusal.code == "SECOND_FACTOR":
            told = {"code": told["form"]}
        return _shown(told, None), refusal.http_status
    names = {one.id: f"{one.seller} → {one.obligor}" for one in (*rows, *shown)}
    bulk = {
        "approved": [{"name": names.get(one["id"], one["id"])} for one in result["approved"]],
        "skipped": [
            {
                "id": one["id"],
                "name": names.get(one["id"], one["id"]),
                "why": reason(one["code"])
                if reason(one["code"]) != one["code"]
                else one["message"],
            }
            for one in result["skipped"]
        ],
    }
    return _shown({}, bulk)
