"""Every figure that is watched, one a line: for spreadsheets and other programs."""

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

from scf.kernel.rates import PPM
from scf.reporting.watching.figures import Figures
from scf.reporting.watching.losses import Priced
from scf.risk.watch.calibrating import Calibration, Held

_HELD: Final = (
    ("firms", "firms"), ("rows", "rows"), ("failed_firms", "firms"), ("failed_rows", "rows"),
    ("told", "probability"), ("rate", "probability"), ("low", "probability"),
    ("high", "probability"), ("verdict", ""),
)  # fmt: skip
_COMPARED: Final = (
    "rows", "firms", "failed_firms", "loss_of_card", "loss_of_model", "gain", "gain_low",
    "gain_high", "auc_of_card", "auc_of_model", "same_grade", "within_one", "verdict",
)  # fmt: skip
Line = dict[str, Any]


def lines(found: Figures) -> Iterator[Line]:
    """Give section, group, name, measure, value and unit of every figure; nothing is left blank.

    A figure that says nothing is the word ``none``.
    """
    yield from _drift(found)
    for one in found.judged:
        section = f"calibration {one.rows.horizon} days"
        yield from _calibration(section, one.calibration)
        for held in one.overridden:
            yield from _held(section, "override", held)
        for name, count in one.rows.left_out.items():
            yield _line(section, "left_out", name, "rows", count, "rows")
    yield from _overrides(found)
    for group, priced in (("vintage", found.losses.vintages), ("grade", found.losses.grades)):
        for part in priced:
            yield from _priced(group, part)
    yield from _shadows(found)


def _overrides(found: Figures) -> Iterator[Line]:
    for month in found.overrides.months:
        for measure, count in dataclasses.asdict(month).items():
            if measure != "month":
                day = month.month.isoformat()
                yield _line("overrides", "month", day, measure, count, "count")
    for group, counts in (
        ("grade_code", found.overrides.grade_codes),
        ("price_code", found.overrides.price_codes),
        ("route_code", found.overrides.route_codes),
    ):
        for code, count in counts.items():
            yield _line("overrides", group, code, "count", count, "count")


def _shadows(found: Figures) -> Iterator[Line]:
    for shadow in found.shadows:
        for calibration in shadow.calibrations:
            yield from _calibration(f"model {calibration.horizon} days", calibration, shadow.name)
        for compared in shadow.compared:
            section = f"shadow {compared.horizon} days"
            for measure in _COMPARED:
                value = getattr(compared, measure)
                yield _line(section, "model", shadow.name, measure, value, "")


def _drift(found: Figures) -> Iterator[Line]:
    for row in found.series:
        day = row.as_of_on.isoformat()
        yield _line("drift", "morning", day, "firms", row.firms, "firms")
        yield _line("drift", "morning", day, "level", row.level, "")
        for one in row.moved:
            yield _line("drift", day, one["name"], "psi", one["psi_ppm"] / PPM, "index")
            yield _line("drift", day, one["name"], "chance", one["chance_ppm"] / PPM, "index")
    for row in found.alarms:
        yield _line("alarm", row.raised_on.isoformat(), row.what, "state", row.state, "")
        yield _line("alarm", row.raised_on.isoformat(), row.what, "psi", row.psi_ppm / PPM, "index")


def _calibration(section: str, found: Calibration, name: str = "") -> Iterator[Line]:
    yield from _held(section, name or "all", found.whole)
    for measure in ("slope", "intercept"):
        figure = getattr(found, measure) or (None, None, None)
        for part, value in zip(("", "_low", "_high"), figure, strict=True):
            yield _line(section, name or "all", "all", f"{measure}{part}", value, "")
    yield _line(section, name or "all", "all", "auc", found.auc, "")
    for held in found.tenths:
        yield from _held(section, f"{name} tenth".strip(), held)
    for group, parts in found.parts.items():
        for held in parts:
            yield from _held(section, f"{name} {group}".strip(), held)


def _held(section: str, group: str, held: Held) -> Iterator[Line]:
    for measure, unit in _HELD:
        yield _line(section, group, held.name, measure, getattr(held, measure), unit)


def _priced(group: str, part: Priced) -> Iterator[Line]:
    for measure, value in dataclasses.asdict(part).items():
        if measure not in {"name", "currency"}:
            unit = f"{part.currency} minor" if measure.endswith("_minor") else "advances"
            yield _line("losses", group, part.name, measure, value, unit)


def _line(section: str, group: str, name: str, measure: str, value: Any, unit: str) -> Line:  # noqa: ANN401
    return {
        "section": section,
        "group": group,
        "name": name,
        "measure": measure,
        "value": "none" if value is None else value,
        "unit": unit,
    }
