"""The picture of a chain: shapes with places, ready to be drawn, the same for everybody who looks.

Two pictures: the whole chain with the places that the snapshot keeps, or the surroundings of one
firm, placed when asked. What is drawn at most is :data:`graph.layout.DRAWN`; the rest is counted
per column. Risk letters and amounts at risk come from the caller: this room knows neither.
"""

import dataclasses
import itertools
import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.engine import Connection

from scf.chain import service
from scf.chain.views import ChainView, Relation, main_currency, relation
from scf.parties.service import firm_names

WIDTH: Final = 1_000
BESIDE: Final = 720  # beside other things on a page, so that names stay readable
MARGIN: Final = 70
HEAD: Final = 44  # room for the headings of the columns
PITCH: Final = 26  # between firms: a finger's width
LEAST_HEIGHT: Final = 320
_ROWS: Final = 26  # firms below each other in a column; more stand in lanes side by side
_LANE_GAP: Final = 24
_ROOM_FOR_NAMES: Final = 130
_RADIUS: Final = (4.5, 13.0)
_LABELS_PER_COLUMN: Final = 5
_LABEL_HEIGHT: Final = 30
_LETTER: Final = 6.4  # width of a small letter of a label
_CAPITAL: Final = 8.4
_WIDE: Final = 11.4
_LONGEST_LABEL: Final = 22
_PRESSING: Final = frozenset({"late", "risk-e", "risk-x"})


@dataclasses.dataclass(frozen=True)
class Marks:
    """What the caller knows of firms: letters A to E or X (in default), amounts at risk.

    ``colour`` says which of them colours the picture: risk, exposure or overdue.
    """

    colour: str = "overdue"
    risk: Mapping[str, str] = dataclasses.field(default_factory=dict)
    exposure: Mapping[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Label:
    """A name beside its firm: the box's left upper corner and width."""

    x: float
    y: float
    width: float
    text: str


@dataclasses.dataclass(frozen=True)
class Firm:
    """One firm of the picture. ``tone`` is a class of the colour in use, never the only sign."""

    id: str
    name: str
    level: int
    x: float
    y: float
    r: float
    shape: str  # circle, diamond, ring
    tone: str
    letter: str
    volume_minor: int
    open_minor: int  # what it owes that is open
    overdue_minor: int
    overdue_days: int
    focus: bool
    lit: bool
    label: Label | None
    links: tuple[int, ...] = ()  # places in the picture's list of the firms it trades with


@dataclasses.dataclass(frozen=True)
class Lit:
    """One relation that is shown before all others."""

    seller_id: str
    buyer_id: str
    d: str
    width: float


@dataclasses.dataclass(frozen=True)
class Column:
    """One tier: its heading's place, and how many of its firms are not drawn."""

    level: int
    x: float
    width: float
    firms: int  # as far as they may be told
    others: int
    few: bool  # fewer than five, of which no number is told


@dataclasses.dataclass(frozen=True)
class Picture:
    """Everything that is drawn."""

    key: str  # names the picture within a page
    width: float
    height: float
    centred: bool  # levels count steps from one firm, not tiers from the anchors
    currency: str
    colour: str
    columns: Sequence[Column]
    firms: Sequence[Firm]
    path: str  # all ordinary relations in one
    lit: Sequence[Lit]
    relations: int
    mixed: bool  # whether other buyers stand in the anchors' column


@dataclasses.dataclass(frozen=True)
class _Known:
    """What is known of the firms of a picture."""

    relations: Sequence[Relation]
    currency: str
    standings: Mapping[str, service.Standing]
    names: Mapping[str, str]


def whole(
    conn: Connection,
    snapshot: Row[Any],
    marks: Marks | None = None,
    *,
    highlight: Sequence[str] = (),
) -> Picture:
    """Draw the whole chain of a snapshot with the places that it keeps; for the bank only."""
    nodes = service.drawn_nodes(conn, snapshot.id)
    counts = service.firms_per_column(conn, snapshot.id)
    drawn = Counter(row.x for row in nodes.values())
    edges = service.edges_among(conn, snapshot.id, nodes)
    currency = main_currency(row.currency for row in edges)
    return _picture(
        places={firm: (row.x, row.y_ppm / 1e6) for firm, row in nodes.items()},
        others={x: counts[x] - drawn[x] for x in counts},
        known=_Known(
            [relation(row, snapshot.as_of_on, payments=True) for row in edges],
            currency,
            service.standings(conn, snapshot, nodes, currency),
            firm_names(conn, nodes),
        ),
        marks=marks or Marks(),
        focus="",
        highlight=highlight,
        mixed=any(row.x == 0 and row.tier_up != 0 for row in nodes.values()),
    )


def around(
    view: ChainView,
    marks: Marks | None = None,
    *,
    highlight: Sequence[str] = (),
    width: int = WIDTH,
) -> Picture:
    """Draw what a person may see around one firm: suppliers left, customers right."""
    import numpy as np

    from graph.build import from_relations
    from graph.layout import DRAWN, layered

    currency = main_currency(one.currency for one in view.relations)
    graph = from_relations(
        [one.seller_id for one in view.relations],
        [one.buyer_id for one in view.relations],
        [one.sales_52w_minor if one.currency == currency else 0 for one in view.relations],
        firms=view.level,
    )
    level = np.array([view.level[firm] for firm in graph.firms], np.int64)
    size = np.zeros(graph.n_firms, np.int64)
    np.add.at(size, graph.seller, graph.value)
    np.add.at(size, graph.buyer, graph.value)
    keep = [graph.index[firm] for firm in (view.firm_id, *highlight) if firm in graph.index]
    made = layered(graph, level, size, keep=keep[:DRAWN])
    others: dict[int, int | None] = dict(made.others)
    others |= {deeper.level: deeper.firms for deeper in view.deeper}
    return _picture(
        places={
            graph.firms[firm]: (x, y)
            for firm, x, y in zip(
                made.firms.tolist(), made.column.tolist(), made.place.tolist(), strict=True
            )
        },
        others=others,
        known=_Known(view.relations, currency, view.standings, view.names),
        marks=marks or Marks(),
        focus=view.firm_id,
        highlight=highlight,
        width=width,
    )


def _picture(
    *,
    places: Mapping[str, tuple[int, float]],
    others: Mapping[int, int | None],
    known: _Known,
    marks: Marks,
    focus: str,
    highlight: Sequence[str],
    mixed: bool = False,
    width: int = WIDTH,
) -> Picture:
    inside = [one for one in known.relations if one.seller_id in places and one.buyer_id in places]
    sums = _Sums(inside, known.currency, known.standings)
    columns, at, height = _grid(places, others, sums.volume, width)
    lit_pairs = set(itertools.pairwise(highlight))
    lit_pairs |= {(b, a) for a, b in lit_pairs}
    ordinary, lit = [], []
    for pair, value in sums.pairs.items():
        if pair in lit_pairs:
            thick = 2.0 + 3.0 * math.sqrt(value / sums.largest) if sums.largest else 2.0
            lit.append(Lit(*pair, _curve(at[pair[0]], at[pair[1]]), round(thick, 1)))
        else:
            ordinary.append(_curve(at[pair[0]], at[pair[1]]))
    sizes = marks.exposure if marks.colour == "exposure" else sums.volume
    top = max((sizes.get(firm, 0) for firm in places), default=0)
    firms = [
        _firm(firm, places[firm][0], at[firm], known.names, marks, sums, (sizes.get(firm, 0), top))
        for firm in sorted(places, key=lambda one: (-places[one][0], places[one][1], one))
    ]
    if focus or highlight:
        firms = [
            dataclasses.replace(one, focus=one.id == focus, lit=one.id in highlight)
            for one in firms
        ]
    return Picture(
        key=focus or "chain",
        width=width,
        height=height,
        centred=bool(focus),
        currency=known.currency,
        colour=marks.colour,
        columns=columns,
        firms=_finished(firms, _labels(firms, width), sums.pairs),
        mixed=mixed,
        path="".join(ordinary),
        lit=lit,
        relations=len(sums.pairs),
    )


class _Sums:
    """What firms trade and owe, in the chain's main currency."""

    def __init__(
        self,
        relations: Iterable[Relation],
        currency: str,
        standings: Mapping[str, service.Standing],
    ) -> None:
        self.pairs: dict[tuple[str, str], int] = {}
        self.volume: Counter[str] = Counter()
        self.open: Counter[str] = Counter()
        self.overdue: Counter[str] = Counter()
        self.days: dict[str, int] = {}
        for row in relations:
            pair = (row.seller_id, row.buyer_id)
            own = row.currency == currency
            self.pairs[pair] = self.pairs.get(pair, 0) + (row.sales_52w_minor if own else 0)
            if own:
                self.volume[row.seller_id] += row.sales_52w_minor
                self.volume[row.buyer_id] += row.sales_52w_minor
                self.open[row.buyer_id] += row.open_minor
                self.overdue[row.buyer_id] += row.overdue_minor
            if row.overdue_days:
                self.days[row.buyer_id] = max(row.overdue_days, self.days.get(row.buyer_id, 0))
        self.largest = max(self.pairs.values(), default=0)
        # What is known of all of a firm's relations stands above what its drawn ones add up to.
        for firm, one in standings.items():
            self.volume[firm], self.open[firm] = one.volume_minor, one.open_minor
            self.overdue[firm], self.days[firm] = one.overdue_minor, one.overdue_days


# --- Places ---------------------------------------------------------------------------------------


def _grid(
    places: Mapping[str, tuple[int, float]],
    others: Mapping[int, int | None],
    volume: Mapping[str, int],
    width: int,
) -> tuple[list[Column], dict[str, tuple[float, float]], float]:
    """Turn columns and shares of a column into points; a crowded column is as wide as it needs."""
    members: dict[int, list[str]] = {}
    for firm in sorted(places, key=lambda one: (places[one][1], one)):
        members.setdefault(places[firm][0], []).append(firm)
    levels = sorted({*members, *(x for x, count in others.items() if count != 0)}, reverse=True)
    lanes = {level: max(1, -(-len(members.get(level, ())) // _ROWS)) for level in levels}
    rows = max((len(firms) / lanes[level] for level, firms in members.items()), default=1)
    height = max(LEAST_HEIGHT, HEAD + PITCH * rows + PITCH)
    widths = {level: (lanes[level] - 1) * _LANE_GAP for level in levels}
    # The last column keeps room for its names.
    free = width - 2 * MARGIN - _ROOM_FOR_NAMES - sum(widths.values())
    step = max(0.0, free / max(len(levels) - 1, 1))
    at: dict[str, tuple[float, float]] = {}
    columns = []
    left = MARGIN if len(levels) > 1 else (width - widths[levels[0]]) / 2 if levels else 0.0
    body = height - HEAD - PITCH
    for level in levels:
        firms = _rows(members.get(level, []), lanes[level], volume)
        for place, firm in enumerate(firms):
            x = left + (place % lanes[level]) * _LANE_GAP
            at[firm] = (round(x, 1), round(HEAD + body * (place + 0.5) / len(firms), 1))
        rest = others.get(level, 0)
        columns.append(
            Column(
                level=level,
                x=round(left + widths[level] / 2, 1),
                width=round(widths[level] + 46.0, 1),
                firms=len(firms) + (rest or 0),
                others=rest or 0,
                few=rest is None,
            )
        )
        left += widths[level] + step
    return columns, at, round(height, 1)


def _rows(firms: Sequence[str], lanes: int, volume: Mapping[str, int]) -> list[str]:
    """Let the largest of each row stand at its end, where there is room for a name."""
    rows = (firms[start : start + lanes] for start in range(0, len(firms), lanes))
    return [firm for row in rows for firm in sorted(row, key=lambda one: (volume.get(one, 0), one))]


def _curve(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = start, end
    if x1 == x2:  # within a column: a bow to its side
        bend = x1 + 34
        return f"M{x1:g} {y1:g}C{bend:g} {y1:g} {bend:g} {y2:g} {x2:g} {y2:g}"
    middle = round((x1 + x2) / 2, 1)
    return f"M{x1:g} {y1:g}C{middle:g} {y1:g} {middle:g} {y2:g} {x2:g} {y2:g}"


# --- Firms ----------------------------------------------------------------------------------------


def _firm(
    firm: str,
    level: int,
    at: tuple[float, float],
    names: Mapping[str, str],
    marks: Marks,
    sums: _Sums,
    size: tuple[int, int],
) -> Firm:
    letter = marks.risk.get(firm, "")[:1]
    late = sums.overdue[firm]
    if marks.colour == "risk":
        shape = {"D": "diamond", "E": "ring", "X": "ring"}.get(letter, "circle")
        tone = f"risk-{letter.lower()}" if letter else "plain"
    elif marks.colour == "exposure":
        shape, tone = "circle", "exposed" if size[0] else "plain"
    else:
        shape, tone = ("ring", "late") if late else ("circle", "fair")
    share = math.sqrt(size[0] / size[1]) if size[1] > 0 and size[0] > 0 else 0.0
    least, most = _RADIUS
    return Firm(
        id=firm,
        name=names.get(firm, firm),
        level=level,
        x=at[0],
        y=at[1],
        r=round(least + (most - least) * share, 1),
        shape=shape,
        tone=tone,
        letter=letter,
        volume_minor=sums.volume[firm],
        open_minor=sums.open[firm],
        overdue_minor=late,
        overdue_days=sums.days.get(firm, 0),
        focus=False,
        lit=False,
        label=None,
    )


def _finished(
    firms: Sequence[Firm], labels: Mapping[str, Label], pairs: Iterable[tuple[str, str]]
) -> list[Firm]:
    """Give firms their names and the places of those that they trade with."""
    place = {one.id: number for number, one in enumerate(firms)}
    links: dict[str, set[int]] = {one.id: set() for one in firms}
    for seller, buyer in pairs:
        links[seller].add(place[buyer])
        links[buyer].add(place[seller])
    return [
        dataclasses.replace(one, label=labels.get(one.id), links=tuple(sorted(links[one.id])))
        for one in firms
    ]


# --- Labels ---------------------------------------------------------------------------------------


def _labels(firms: Sequence[Firm], most: int) -> dict[str, Label]:
    """Name the firms that matter most, as far as no name would cover another or a firm."""
    taken: list[tuple[float, float, float, float]] = [
        (one.x - one.r, one.y - one.r, one.x + one.r, one.y + one.r) for one in firms
    ]
    labels: dict[str, Label] = {}
    per_column: Counter[int] = Counter()
    order = sorted(
        firms,
        key=lambda one: (
            not one.focus, not one.lit, one.tone not in _PRESSING, -one.volume_minor, one.id,
        ),
    )  # fmt: skip
    for one in order:
        if per_column[one.level] >= _LABELS_PER_COLUMN and not (one.focus or one.lit):
            continue
        text = shortened(one.name, _LONGEST_LABEL)
        width = round(max(_width(text), 11 * _LETTER) + 14, 1)
        for x in (one.x + one.r + 5, one.x - one.r - 5 - width):
            box = (x, one.y - _LABEL_HEIGHT / 2, x + width, one.y + _LABEL_HEIGHT / 2)
            inside = box[0] >= 0 and box[2] <= most and box[1] >= HEAD - 16
            if inside and not any(_meet(box, other) for other in taken):
                labels[one.id] = Label(round(x, 1), round(box[1], 1), width, text)
                taken.append(box)
                per_column[one.level] += 1
                break
    return labels


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def shortened(text: str, letters: int) -> str:
    """Cut a name to some letters' width, wide scripts counted double."""
    if _letters(text) <= letters:
        return text
    kept = ""
    for sign in text:
        if _letters(kept + sign) > letters - 1:
            break
        kept += sign
    return kept.rstrip() + "…"


def _letters(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _width(text: str) -> float:
    """Guess the width of a name on the safe side; a browser's fonts differ."""
    return sum(
        _WIDE
        if unicodedata.east_asian_width(sign) in "WF"
        else _CAPITAL
        if sign.isupper() or sign in "&…mw"
        else _LETTER
        for sign in text
    )
