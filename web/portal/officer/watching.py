"""How what judges firms is watched: alarms, calibration, drift, what people set aside, losses."""

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from babel.dates import format_date
from flask import Response, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import col

from scf.kernel.errors import ScfError
from scf.kernel.rates import PPM
from scf.parties.access import may
from scf.parties.service import people_names
from scf.reporting.watching.export import lines
from scf.reporting.watching.figures import Figures, Judged, figures
from scf.reporting.watching.losses import Priced
from scf.risk.watch.calibrating import PARTS, Calibration, Held
from scf.risk.watch.models import ModelAlarm
from web.context import actor
from web.i18n import amount
from web.portal.officer import drawing, figurewords
from web.portal.officer.desk import act, done, errors_of, missing, page, reading, typed

_LEAST_WORDS: Final = 3
_BY: Final = ("tenth", *PARTS)


@page("/models/card", "risk.read")
def watched_card() -> Any:  # noqa: ANN401 - a page, and whether all is well
    """Show what the card told against what happened, how its firms moved, and what people did."""
    return _page({}, 200)


@page("/models/card.csv", "risk.read")
def watched_card_csv() -> Response:
    """Give every figure of the page as a table, one figure a line."""
    with reading() as session:
        found = figures(session.connection(), actor().org_id)
    out = io.StringIO()
    writer = csv.DictWriter(
        out, ["section", "group", "name", "measure", "value", "unit"], lineterminator="\r\n"
    )
    writer.writeheader()
    writer.writerows(lines(found) if found is not None else ())
    answer = Response("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="model-monitor.csv"'
    return answer


@page("/models/alarms/<model_alarm_id>", "risk.answer_alarm", method="POST")
def answer_model_alarm(model_alarm_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Say what an alarm was and what follows from it."""
    with reading() as session:
        there = select(col(ModelAlarm.id)).where(col(ModelAlarm.id) == model_alarm_id)
        if session.execute(there).first() is None:
            raise missing("model_alarm")
    answer = typed("answer", 2000)
    if len(answer) < _LEAST_WORDS:
        return _page({model_alarm_id: str(_("Say it in a few words."))}, 422)
    try:
        act("risk.answer_alarm", {"alarm_id": model_alarm_id, "answer": answer})
    except ScfError as refusal:
        return _page({model_alarm_id: errors_of(refusal)["form"]}, refusal.http_status)
    return done(str(_("The alarm is answered.")), url_for("officer.watched_card"))


def _page(errors: Mapping[str, str], status: int) -> tuple[str, int]:
    with reading() as session:
        conn = session.connection()
        found = figures(conn, actor().org_id)
        if found is None:
            return render_template("officer/watched.html", found=None), status
        people = people_names(conn, {one.answered_by for one in found.alarms if one.answered_by})
    judged = _chosen(found)
    by = request.args.get("by", "")
    by = by if by in _BY else "tenth"
    held = judged.calibration.tenths if by == "tenth" else judged.calibration.parts[by]
    body = render_template(
        "officer/watched.html",
        found=found,
        card_version=found.subject.partition(":")[2],
        newest=found.series[-1] if found.series else None,
        tiles=_tiles(found, judged),
        alarms=[_alarm(one, people) for one in found.alarms],
        judged=judged,
        horizon_links=[
            (
                horizon_name(one.rows.horizon),
                _here(within=one.rows.horizon, by=by),
                one is judged,
                None,
            )
            for one in found.judged
        ],
        by=by,
        group_links=[
            (
                figurewords.GROUPS[name],
                _here(within=judged.rows.horizon, by=name),
                name == by,
                None,
            )
            for name in _BY
        ],
        month_name=month_name,
        reliability=drawing.reliability([_mark(one, by) for one in held if one.rows]),
        held=[_row(one, by) for one in held],
        whole=_row(judged.calibration.whole, by),
        fit=fit(judged.calibration),
        overridden=[_row(one, "override") for one in judged.overridden],
        drift=drawing.steps([_step(one) for one in found.series if one.moved]),
        moved=moved(found.series),
        grades=_both(found, "better", "worse", "assessed"),
        prices=_both(found, "cheaper", "dearer", "requests"),
        losses=_losses(found),
        shadows=[_shadow(one, found) for one in found.shadows],
        words=figurewords,
        may_answer=may(actor(), "risk.answer_alarm"),
        typed={name: value[:2000] for name, value in request.form.items()},
        errors=errors,
    )
    return body, status


def _here(**asked: str | int) -> str:
    return url_for("officer.watched_card", **asked, _anchor="calibration")  # type: ignore[arg-type]


def _chosen(found: Figures) -> Judged:
    """Give the horizon that was asked for, else the longest of which anything can be said."""
    asked = request.args.get("within", "")
    named = next((one for one in found.judged if str(one.rows.horizon) == asked), None)
    told = next((one for one in found.judged if one.calibration.whole.rows), found.judged[-1])
    return named or told


def horizon_name(days: int) -> str:
    """Return what a horizon is called."""
    return str(_("within a year")) if days > 100 else str(_("within a quarter"))  # noqa: PLR2004 - days


def _tiles(found: Figures, judged: Judged) -> list[tuple[str, str, str]]:
    whole = judged.calibration.whole
    happened = "–"
    note = str(_("no morning is that old yet"))
    if whole.rows:
        happened = f"{whole.failed_rows}"
        note = str(
            _(
                "told %(told)s of %(rows)s, %(when)s",
                told=f"{(whole.told or 0) * whole.rows:.1f}",
                rows=whole.rows,
                when=horizon_name(judged.rows.horizon),
            )
        )
    newest = found.overrides.newest
    graded = newest.better + newest.worse if newest else 0
    asked = sum(one.requests for one in found.overrides.months)
    priced = sum(one.cheaper + one.dearer for one in found.overrides.months)
    last = found.series[-1] if found.series else None
    index = f"{last.score_ppm / PPM:.2f}" if last is not None and last.moved else "–"
    waits = sum(1 for one in found.alarms if one.state == "OPEN")
    return [
        (str(_("Open alarms")), str(waits), str(_("of %(all)s ever", all=len(found.alarms)))),
        (str(_("Failures")), happened, note),
        (str(_("Drift of the score")), index, _chance(last)),
        (
            str(_("Grades by people")),
            share(graded, newest.assessed if newest else 0),
            str(_("%(some)s of %(all)s firms", some=graded, all=newest.assessed if newest else 0)),
        ),
        (
            str(_("Prices by people")),
            share(priced, asked),
            str(_("%(some)s of %(all)s requests", some=priced, all=asked)),
        ),
    ]


def _chance(row: Any) -> str:  # noqa: ANN401 - a row
    score = next((one for one in row.moved if one["name"] == "score"), None) if row else None
    if score is None:
        return str(figurewords.LEVELS["none"][0])
    return str(
        _(
            "%(level)s; chance allows %(chance)s",
            level=figurewords.LEVELS[score["level"]][0],
            chance=f"{score['chance_ppm'] / PPM:.2f}",
        )
    )


def share(some: int, whole: int) -> str:
    """Return a share in percent, or a dash of nothing."""
    return f"{100 * some / whole:.1f} %" if whole else "–"


def percent(value: float | None) -> str:
    """Return a probability in percent with two figures that say something."""
    if value is None:
        return "–"
    hundred = 100 * value
    return f"{hundred:.2f} %" if hundred < 10 else f"{hundred:.1f} %"  # noqa: PLR2004 - figures


def _row(one: Held, by: str) -> dict[str, Any]:
    told = one.verdict != "few"
    return {
        "name": figurewords.part(by, one.name),
        "firms": one.firms,
        "rows": one.rows,
        "failed": one.failed_rows,
        "failed_firms": one.failed_firms,
        "told": percent(one.told),
        "expected": f"{(one.told or 0) * one.rows:.1f}",
        "rate": percent(one.rate) if told else "–",
        "range": f"{percent(one.low)} – {percent(one.high)}" if told else "–",
        "verdict": figurewords.VERDICTS[one.verdict],
    }


def _mark(one: Held, by: str) -> dict[str, Any]:
    row = _row(one, by)
    text = _("told %(told)s", told=row["told"])
    if one.verdict != "few":
        text = _(
            "told %(told)s, happened %(rate)s, range %(range)s",
            told=row["told"], rate=row["rate"], range=row["range"],
        )  # fmt: skip
    short = one.name if by in {"tenth", "grade", "region"} else row["name"]
    return {
        "label": row["name"],
        "short": one.name[2:] if by == "vintage" else short[:12],
        "shown": f"{text}; {row['verdict'][0]}",
        "told": one.told,
        "rate": one.rate,
        "low": one.low,
        "high": one.high,
        "verdict": one.verdict,
    }


def fit(found: Calibration) -> list[tuple[str, str]]:
    """Give slope, intercept and ranking with what they mean, or why there are none."""

    def shown(figure: tuple[float, float, float] | None) -> str:
        if figure is None:
            return str(_("not enough failures"))
        return f"{figure[0]:.2f} ({figure[1]:.2f} – {figure[2]:.2f})"

    return [
        (str(_("Slope (1 when right)")), shown(found.slope)),
        (str(_("Intercept (0 when right)")), shown(found.intercept)),
        (
            str(_("Ranking (AUC)")),
            str(_("not enough failures")) if found.auc is None else f"{found.auc:.3f}",
        ),
    ]


def month_name(day: dt.date, form: str = "MMM yyyy") -> str:
    """Return a month in the reader's language."""
    return str(format_date(day, form, locale=get_locale() or "en"))


def _step(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row
    value = row.score_ppm / PPM
    level = next((one["level"] for one in row.moved if one["name"] == "score"), "calm")
    return {
        "label": month_name(row.as_of_on, "d MMM yyyy"),
        "short": month_name(row.as_of_on, "MMM"),
        "value": value,
        "shown": f"{value:.2f}, {figurewords.LEVELS[level][0]}",
        "level": level,
    }


def moved(series: Sequence[Any]) -> list[dict[str, Any]]:
    """Give score and inputs of the newest morning in words, those that moved most first."""
    rows = [row for row in series if row.moved]
    if not rows:
        return []
    past: dict[str, list[float]] = {}
    for row in rows:
        for one in row.moved:
            past.setdefault(one["name"], []).append(one["psi_ppm"] / PPM)
    found = []
    for one in sorted(rows[-1].moved, key=lambda one: (-one["psi_ppm"], one["name"])):
        name, unit = figurewords.figure(one["name"])
        found.append(
            {
                "code": one["name"],
                "name": name,
                "unit": unit,
                "psi": f"{one['psi_ppm'] / PPM:.2f}",
                "chance": f"{one['chance_ppm'] / PPM:.2f}",
                "level": figurewords.LEVELS[one["level"]],
                "spark": drawing.spark(past[one["name"]][-24:]),
            }
        )
    return found


def _alarm(row: Any, people: Mapping[str, str]) -> dict[str, Any]:  # noqa: ANN401 - a row
    name, unit = figurewords.figure(row.what)
    return {
        "row": row,
        "name": name,
        "unit": unit,
        "psi": f"{row.psi_ppm / PPM:.2f}",
        "who": people.get(row.answered_by or "", ""),
    }


def _both(found: Figures, down: str, up: str, whole: str) -> dict[str, Any]:
    months = [one for one in found.overrides.months if getattr(one, whole)][-24:]
    marks = []
    for one in months:
        all_of, less, more = (getattr(one, name) for name in (whole, down, up))
        marks.append(
            {
                "label": month_name(one.month),
                "short": month_name(one.month, "MMM"),
                "up": 100 * more / all_of,
                "down": 100 * less / all_of,
                "shown": _("%(up)s up, %(down)s down, of %(all)s", up=more, down=less, all=all_of),
                "more": more,
                "less": less,
                "of": all_of,
            }
        )
    return {"drawn": drawing.both_ways(marks), "rows": marks, "any": any(
        one["more"] or one["less"] for one in marks
    )}  # fmt: skip


def _losses(found: Figures) -> list[dict[str, Any]]:
    made = []
    for currency in sorted({one.currency for one in found.losses.vintages}):
        vintages = [one for one in found.losses.vintages if one.currency == currency]
        groups = [_amounts(one, currency) for one in vintages]
        drawn = drawing.threes(groups)
        made.append(
            {
                "currency": currency,
                "drawn": drawn,
                "top": amount(drawn["top_minor"], currency),
                "vintages": vintages,
                "grades": [one for one in found.losses.grades if one.currency == currency],
                "charged": sum(one.charged_minor for one in vintages),
                "lost": sum(one.net_loss_minor for one in vintages),
                "overdue": sum(one.overdue_minor for one in vintages),
            }
        )
    return made


def _amounts(one: Priced, currency: str) -> dict[str, Any]:
    amounts = (one.charged_minor, one.net_loss_minor, one.overdue_minor)
    charged, lost, overdue = (amount(value, currency) for value in amounts)
    return {
        "label": figurewords.part("quarter", one.name),
        "short": one.name[2:],
        "amounts": amounts,
        "shown": _(
            "charged %(charged)s, lost %(lost)s, overdue %(overdue)s",
            charged=charged, lost=lost, overdue=overdue,
        ),
    }  # fmt: skip


def _shadow(one: Any, found: Figures) -> dict[str, Any]:  # noqa: ANN401 - a dataclass
    compared = max(one.compared, key=lambda part: (part.rows > 0, part.horizon))
    return {"model": one, "compared": compared, "when": horizon_name(compared.horizon),
            "today": found.today}  # fmt: skip
