"""All that is watched of what judges firms, for page, API, export and command line alike."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from scf.parties.service import business_date
from scf.reporting.watching.losses import Losses, losses
from scf.reporting.watching.overrides import Overrides, overrides
from scf.risk import appetite as policies
from scf.risk.asof import morning_on
from scf.risk.promoting import TABLE as MODEL
from scf.risk.watch import calibrating, mornings, shadowing
from scf.risk.watch.calibrating import Calibration, Held
from scf.risk.watch.commands import ALARM, MORNING
from scf.risk.watch.mornings import Morning
from scf.risk.watch.outcomes import HORIZONS, Rows, outcomes, past_today
from scf.risk.watch.shadowing import Compared

MOST_MONTHS: Final = 36  # that are looked back


@dataclass(frozen=True)
class Judged:
    """One horizon: what was told and what happened, and what people's grades were worth."""

    rows: Rows
    calibration: Calibration
    overridden: tuple[Held, ...]


@dataclass(frozen=True)
class Shadow:
    """A trained model beside the card: its own calibration and the comparison, by horizon."""

    model_id: str
    name: str
    state: str
    calibrations: tuple[Calibration, ...]
    compared: tuple[Compared, ...]


@dataclass(frozen=True)
class Figures:
    """What is watched of the card; ``series`` has a looked-at morning a month, and the newest."""

    today: dt.date
    subject: str
    mornings: tuple[Morning, ...]
    judged: tuple[Judged, ...]
    series: tuple[Any, ...]
    alarms: tuple[Any, ...]
    overrides: Overrides
    losses: Losses
    shadows: tuple[Shadow, ...]


def figures(conn: Connection, financier_id: str) -> Figures | None:
    """Read and work out all that is watched of the card; nothing before any firm was assessed."""
    rows = mornings.snapshots(conn, financier_id)
    if not rows:
        return None
    firsts = mornings.monthly(rows)[-MOST_MONTHS:]
    monthly = [mornings.morning(conn, row) for row in firsts]
    newest = mornings.morning(conn, rows[-1])
    on = business_date(conn, financier_id)
    past = past_today(conn, morning_on(conn, financier_id, on), policies.in_force())
    of_version = [one for one in monthly if one.version == newest.version]
    judged = tuple(
        Judged(found, calibrating.calibrate(found), calibrating.by_override(found))
        for found in (outcomes(conn, of_version, past, on, horizon) for horizon in HORIZONS)
    )
    return Figures(
        today=on,
        subject=newest.subject,
        mornings=tuple(monthly),
        judged=judged,
        series=series(conn, financier_id, newest.subject),
        alarms=alarms(conn, financier_id, [newest.subject]),
        overrides=overrides(conn, financier_id, monthly, on),
        losses=losses(conn, financier_id, on),
        shadows=shadows(conn, financier_id, [one.rows for one in judged]),
    )


def shadows(conn: Connection, financier_id: str, judged: Sequence[Rows]) -> tuple[Shadow, ...]:
    """Hold every model that is heard each morning against the card, the champion first."""
    models = conn.execute(
        select(MODEL.c.id, MODEL.c.name, MODEL.c.state)
        .where(
            MODEL.c.financier_id == financier_id,
            MODEL.c.state.in_(("VALIDATED", "CHALLENGER", "CHAMPION")),
        )
        .order_by((MODEL.c.state == "CHAMPION").desc(), MODEL.c.trained_at.desc())
    ).all()
    found = []
    for model in models:
        pairs = [shadowing.of_model(conn, rows, model.id) for rows in judged]
        found.append(
            Shadow(
                model.id,
                model.name,
                model.state,
                tuple(calibrating.calibrate(mine) for mine, _card in pairs),
                tuple(
                    shadowing.compare(model.id, mine, card, policies.in_force())
                    for mine, card in pairs
                ),
            )
        )
    return tuple(found)


def series(conn: Connection, financier_id: str, subject: str) -> tuple[Any, ...]:
    """Give the looked-at mornings of a subject: the first of each month, and the newest."""
    rows = conn.execute(
        select(MORNING)
        .where(MORNING.c.financier_id == financier_id, MORNING.c.subject == subject)
        .order_by(MORNING.c.as_of_on)
    ).all()
    first: dict[tuple[int, int], Any] = {}
    for row in rows:
        first.setdefault((row.as_of_on.year, row.as_of_on.month), row)
    kept = list(first.values())[-MOST_MONTHS:]
    return tuple(kept if not rows or rows[-1] in kept else [*kept, rows[-1]])


def alarms(
    conn: Connection, financier_id: str, subjects: Sequence[str] | None = None
) -> tuple[Any, ...]:
    """Give the alarms of a financier, open ones first, then the newest."""
    query = select(ALARM).where(ALARM.c.financier_id == financier_id)
    if subjects is not None:
        query = query.where(ALARM.c.subject.in_(list(subjects)))
    rows = conn.execute(query).all()
    return tuple(
        sorted(
            rows, key=lambda row: (row.state != "OPEN", -row.raised_on.toordinal(), -row.psi_ppm)
        )
    )
