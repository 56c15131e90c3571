"""Pictures of an evaluation as SVG: each seed a dot, mean and interval, what was declared."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Final

WIDTH: Final = 720
_LEFT: Final = 190
_RIGHT: Final = 20
_ROW: Final = 44
_TOP: Final = 34
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#1f2937}.d{fill:#2563eb;fill-opacity:.45}"
    ".m{fill:none;stroke:#111827;stroke-width:2.5}.a{stroke:#9ca3af;stroke-width:1}"
    ".g{stroke:#b45309;stroke-width:1.5;stroke-dasharray:5 4}.z{fill:#b45309;fill-opacity:.12}"
    ".s{font-size:11px}.b{fill:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#e5e7eb}.d{fill:#93c5fd}.m{stroke:#f9fafb}"
    ".g{stroke:#fbbf24}.z{fill:#fbbf24}.b{fill:#111827}}"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Strip:
    """One line of a picture.

    Parameters
    ----------
    label : str
    values : sequence of float
        One a seed.
    mean, low, high : float or None
        Over the seeds.
    wanted : tuple of float, optional
        Where the declared goal begins and ends; None for an end that is open.
    """

    label: str
    values: Sequence[float]
    mean: float | None
    low: float | None
    high: float | None
    wanted: tuple[float | None, float | None] | None = None


def strips(title: str, lines: Sequence[Strip], also: float | None = None) -> str:
    """Return a picture of figures over seeds, one line each on a common axis.

    Parameters
    ----------
    title : str
    lines : sequence of Strip
    also : float, optional
        A value that the axis shows, too.

    Examples
    --------
    >>> strips("AUC", [Strip("blend", [0.95, 0.96], 0.955, 0.95, 0.96)]).count("<circle")
    2
    """
    told = [value for line in lines for value in line.values if math.isfinite(value)]
    told += [end for line in lines for end in line.wanted or () if end is not None]
    told += [end for line in lines for end in (line.low, line.high) if end is not None]
    told += [] if also is None else [also]
    low, high, step = _axis(min(told, default=0.0), max(told, default=1.0))
    height = _TOP + _ROW * len(lines) + 34

    def at(value: float) -> float:
        return round(_LEFT + (value - low) / (high - low) * (WIDTH - _LEFT - _RIGHT), 1)

    parts = [_text(8, 20, title)]
    bottom = height - 26
    for tick in _ticks(low, high, step):
        parts.append(_line("a", at(tick), _TOP, at(tick), bottom))
        parts.append(_text(at(tick), bottom + 16, f"{tick:g}", "middle", small=True))
    for number, line in enumerate(lines):
        y = _TOP + _ROW * number + _ROW / 2
        parts.append(_text(8, y + 4, line.label))
        if line.wanted is not None:
            first, last = line.wanted
            ends = [at(low if first is None else first), at(high if last is None else last)]
            parts.append(
                f'<rect class="z" x="{ends[0]}" y="{y - 18}" '
                f'width="{round(ends[1] - ends[0], 1)}" height="36"/>'
            )
            parts.extend(
                _line("g", at(end), y - 18, at(end), y + 18)
                for end in line.wanted
                if end is not None
            )
        parts.extend(
            f'<circle class="d" cx="{at(value)}" cy="{y}" r="4.5"/>'
            for value in line.values
            if math.isfinite(value)
        )
        if line.mean is not None:
            if line.low is not None and line.high is not None:
                parts.append(_line("m", at(line.low), y, at(line.high), y))
            parts.append(_line("m", at(line.mean), y - 9, at(line.mean), y + 9))
    return _whole(title, height, parts)


def tenths(title: str, ratio: Sequence[float], low: Sequence[float], high: Sequence[float]) -> str:
    """Return a picture of realised over predicted in ten groups, the least risky first.

    Examples
    --------
    >>> tenths("Calibration", [1.0] * 10, [0.8] * 10, [1.2] * 10).count("<circle")
    10
    """
    bottom, top, step = _axis(0.0, max(2.0, *ratio, *high))
    height, left = 300, 60

    def x(number: int) -> float:
        return round(left + (number + 0.5) * (WIDTH - left - _RIGHT) / 10, 1)

    def y(value: float) -> float:
        return round(height - 40 - (value - bottom) / (top - bottom) * (height - 40 - _TOP), 1)

    parts = [_text(8, 20, title)]
    for tick in _ticks(bottom, top, step):
        parts.append(_line("a", left, y(tick), WIDTH - _RIGHT, y(tick)))
        parts.append(_text(left - 8, y(tick) + 4, f"{tick:g}", "end", small=True))
    parts.append(_line("g", left, y(1.0), WIDTH - _RIGHT, y(1.0)))
    for number, value in enumerate(ratio):
        ends = max(low[number], 0.0), high[number]
        parts.append(_line("m", x(number), y(ends[0]), x(number), y(ends[1])))
        parts.append(f'<circle class="d" cx="{x(number)}" cy="{y(value)}" r="6"/>')
        parts.append(_text(x(number), height - 20, str(number + 1), "middle", small=True))
    parts.append(_text(WIDTH / 2, height - 4, "tenth of the predictions", "middle", small=True))
    return _whole(title, height, parts)


def _axis(low: float, high: float) -> tuple[float, float, float]:
    """Give ends and step of an axis in round figures."""
    span = max(high - low, 1e-9)
    raw = span / 6
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
    return math.floor(low / step) * step, math.ceil(high / step) * step, step


def _ticks(low: float, high: float, step: float) -> list[float]:
    return [round(low + step * number, 10) for number in range(round((high - low) / step) + 1)]


def _text(x: float, y: float, text: str, anchor: str = "start", *, small: bool = False) -> str:
    style = ' class="s"' if small else ""
    safe = text.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{style}>{safe}</text>'


def _line(kind: str, x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<path class="{kind}" d="M{x} {y}L{to_x} {to_y}"/>'


def _whole(title: str, height: float, parts: Sequence[str]) -> str:
    safe = title.replace("&", "&amp;").replace("<", "&lt;")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {round(height)}" '
        f'width="{WIDTH}" height="{round(height)}" role="img"><title>{safe}</title>'
        f"<style>{_STYLE}</style>"
        f'<rect class="b" width="{WIDTH}" height="{round(height)}"/>'
    )
    return head + "\n" + "\n".join(parts) + "\n</svg>\n"
