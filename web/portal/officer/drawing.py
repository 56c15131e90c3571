"""Where things stand in the pictures of a watched model: whole points of a box of 370 by 150.

The templates draw what is worked out here; the same figures give the same picture.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

LEFT: Final = 46
RIGHT: Final = 366
TOP: Final = 14
BOTTOM: Final = 124
_WATCH: Final = 0.10
_ACT: Final = 0.25
_MOST_LABELS: Final = 10


def reliability(groups: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Place what was told and what happened of each group on an axis of powers of ten.

    A group that says nothing of its level shows what was told alone.
    """
    seen = [one["told"] for one in groups if one["told"]]
    for one in groups:
        if one["verdict"] != "few":
            seen += [value for value in (one["rate"], one["low"], one["high"]) if value]
    low = math.floor(math.log10(max(min(seen, default=0.001), 1e-5)))
    high = min(math.ceil(math.log10(max(seen, default=1.0))), 0)
    high = max(high, low + 1)

    def y(value: float) -> int:
        if value <= 0:
            return BOTTOM
        share = (math.log10(value) - low) / (high - low)
        return round(BOTTOM - max(0.0, min(1.0, share)) * (BOTTOM - TOP))

    step = (RIGHT - LEFT) / max(1, len(groups))
    marks = []
    for place, one in enumerate(groups):
        x = round(LEFT + (place + 0.5) * step)
        half = max(3, min(12, round(step / 3)))
        mark = {**one, "x": x, "left": x - half, "right": x + half, "told": y(one["told"] or 0.0)}
        if one["verdict"] != "few":
            mark |= {"rate_y": y(one["rate"]), "low_y": y(one["low"]), "high_y": y(one["high"])}
        marks.append(mark)
    ticks = [
        {"y": y(10.0**power), "text": f"{100 * 10.0**power:g} %"} for power in range(low, high + 1)
    ]
    return {"marks": marks, "ticks": ticks, "every": max(1, -(-len(groups) // _MOST_LABELS))}


def steps(values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Place an index over months, with the bounds from which one looks and acts."""
    top: float = max([_ACT * 1.3, *(one["value"] * 1.1 for one in values)])

    def y(value: float) -> int:
        return round(BOTTOM - value / top * (BOTTOM - TOP))

    gap = (RIGHT - LEFT) / max(1, len(values))
    points = [
        {"x": round(LEFT + (place + 0.5) * gap), "y": y(one["value"]), **one}
        for place, one in enumerate(values)
    ]
    return {
        "points": points,
        "path": " ".join(f"{one['x']},{one['y']}" for one in points),
        "watch": y(_WATCH),
        "act": y(_ACT),
        "top": f"{top:.2f}",
        "every": max(1, -(-len(values) // _MOST_LABELS)),
    }


def spark(values: Sequence[float]) -> dict[str, Any]:
    """Place an index over months in a strip of 120 by 24; what is above 0.5 stands at its top."""
    gap = 112 / max(1, len(values) - 1)

    def y(value: float) -> int:
        return round(21 - min(value, 0.5) / 0.5 * 18)

    points = [(round(4 + place * gap), y(value)) for place, value in enumerate(values)]
    return {
        "path": " ".join(f"{x},{at}" for x, at in points),
        "last": points[-1] if points else None,
        "act": y(_ACT),
    }


def both_ways(months: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Place shares above and below a line: ``up`` and ``down`` in hundredths of all."""
    top = max([1.0, *(one["up"] for one in months), *(one["down"] for one in months)])
    middle = (TOP + BOTTOM) // 2
    room = middle - TOP
    gap = (RIGHT - LEFT) / max(1, len(months))
    bars = []
    for place, one in enumerate(months):
        up, down = (round(one[way] / top * room) for way in ("up", "down"))
        bars.append(
            {
                "x": round(LEFT + place * gap + gap / 6),
                "middle": round(LEFT + (place + 0.5) * gap),
                "width": max(2, round(gap * 2 / 3)),
                "up_y": middle - up,
                "up_h": up,
                "down_h": down,
                **one,
            }
        )
    return {
        "bars": bars,
        "middle": middle,
        "top": f"{top:.0f} %" if top >= 1 else f"{top:.1f} %",
        "every": max(1, -(-len(months) // _MOST_LABELS)),
    }


def threes(groups: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Place three amounts a group, each a bar from nothing; amounts are whole minor units."""
    top = max([1, *(amount for one in groups for amount in one["amounts"])])
    gap = (RIGHT - LEFT) / max(1, len(groups))
    wide = max(2, min(18, round(gap / 4)))
    found = []
    for place, one in enumerate(groups):
        middle = round(LEFT + (place + 0.5) * gap)
        bars = [
            {
                "x": middle + round((number - 1.5) * (wide + 1)),
                "height": max(round(max(amount, 0) / top * (BOTTOM - TOP)), 1 if amount else 0),
            }
            for number, amount in enumerate(one["amounts"])
        ]
        found.append({"middle": middle, "bars": bars, **one})
    return {
        "groups": found,
        "width": wide,
        "top_minor": top,
        "every": max(1, -(-len(groups) // _MOST_LABELS)),
    }
