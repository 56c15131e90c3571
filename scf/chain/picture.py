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
from scf.chain.views import ChainView, Relation, relation
from scf.parties.service import firm_names

WIDTH: Final = 1_000
MARGIN: Final = 70
HEAD: Final = 44  # room for the headings of the columns
PITCH: Final = 26  # between firms: a finger's width
LEAST_HEIGHT: Final = 320
_ROWS_PER_LANE: Final = (26, 80)  # above: two lanes, three lanes beside each other
_LANE_GAP: Final = 17
_RADIUS: Final = (4.5, 13.0)
_LABELS_PER_COLUMN: Final = 5
_LABEL_HEIGHT: Final = 30
_LETTER: Final = 6.1  # width of a letter of a label
_LONGEST_LABEL: Final = 24


@dataclasses.dataclass(frozen=True)
class Marks:
    """What the caller knows of firms and wants to see: letters A to E, amounts at risk.

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
    return _picture(
        places={firm: (row.x, row.y_ppm / 1e6) for firm, row in nodes.items()},
        others={x: counts[x] - drawn[x] for x in counts},
        relations=[relation(row, snapshot.as_of_on, payments=True) for row in edges],
        names=firm_names(conn, nodes),
        marks=marks or Marks(),
        focus="",
        highlight=highlight,
        mixed=any(row.x == 0 and row.tier_up != 0 for row in nodes.values()),
    )


def around(
    view: ChainView, marks: Marks | None = None, *, highlight: Sequence[str] = ()
) -> Picture:
    """Draw what a person may see around one firm: suppliers left, customers right."""
    import numpy as np

    from graph.build import from_relations
    from graph.layout import DRAWN, layered

    currency = main_currency(view.relations)
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
        relations=view.relations,
        names=view.names,
        marks=marks or Marks(),
        focus=view.firm_id,
        highlight=highlight,
    )


def main_currency(relations: Iterable[Relation]) -> str:
    """Name the currency of most relations; amounts of others are in the table, not the picture."""
    counts = Counter(one.currency for one in relations)
    return min(counts, key=lambda currency: (-counts[currency], currency), default="")


def _picture(
    *,
    places: Mapping[str, tuple[int, float]],
    others: Mapping[int, int | None],
    relations: Iterable[Relation],
    names: Mapping[str, str],
    marks: Marks,
    focus: str,
    highlight: Sequence[str],
    mixed: bool = False,
) -> Picture:
    inside = [one for one in relations if one.seller_id in places and one.buyer_id in places]
    currency = main_currency(inside)
    columns, at, height = _grid(places, others)
    sums = _Sums(inside, currency)
    lit_pairs = set(itertools.pairwise(highlight))
    lit_pairs |= {(b, a) for a, b in lit_pairs}
    ordinary, lit = [], []
    for pair, value in sums.pairs.items():
        if pair in lit_pairs:
            width = 2.0 + 3.0 * math.sqrt(value / sums.largest) if sums.largest else 2.0
            lit.append(Lit(*pair, _curve(at[pair[0]], at[pair[1]]), round(width, 1)))
        else:
            ordinary.append(_curve(at[pair[0]], at[pair[1]]))
    sizes = marks.exposure if marks.colour == "exposure" else sums.volume
    top = max((sizes.get(firm, 0) for firm in places), default=0)
    firms = [
        _firm(firm, places[firm][0], at[firm], names, marks, sums, (sizes.get(firm, 0), top))
        for firm in sorted(places, key=lambda one: (-places[one][0], places[one][1], one))
    ]
    firms = [
        dataclasses.replace(one, focus=one.id == focus, lit=one.id in highlight) for one in firms
    ]
    return Picture(
        key=focus or "chain",
        width=WIDTH,
        height=height,
        centred=bool(focus),
        currency=currency,
        colour=marks.colour,
        columns=columns,
        firms=_linked(_labelled(firms), sums.pairs),
        mixed=mixed,
        path="".join(ordinary),
        lit=lit,
        relations=len(sums.pairs),
    )


class _Sums:
    """What the relations of the picture add up to per firm, in the chain's main currency."""

    def __init__(self, relations: Iterable[Relation], currency: str) -> None:
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


# --- Places ---------------------------------------------------------------------------------------


def _grid(
    places: Mapping[str, tuple[int, float]], others: Mapping[int, int | None]
) -> tuple[list[Column], dict[str, tuple[float, float]], float]:
    """Turn columns and shares of a column into points; crowded columns get lanes."""
    members: dict[int, list[str]] = {}
    for firm in sorted(places, key=lambda one: (places[one][1], one)):
        members.setdefault(places[firm][0], []).append(firm)
    levels = sorted({*members, *(x for x, count in others.items() if count != 0)}, reverse=True)
    rows = max((len(firms) / _lanes(len(firms)) for firms in members.values()), default=1)
    height = max(LEAST_HEIGHT, HEAD + PITCH * rows + PITCH)
    step = (WIDTH - 2 * MARGIN - 100) / max(len(levels) - 1, 1)
    at: dict[str, tuple[float, float]] = {}
    columns = []
    for number, level in enumerate(levels):
        x = MARGIN + step * number if len(levels) > 1 else WIDTH / 2
        firms = members.get(level, [])
        lanes = _lanes(len(firms))
        body = height - HEAD - PITCH
        for place, firm in enumerate(firms):
            shift = (place % lanes - (lanes - 1) / 2) * _LANE_GAP
            y = HEAD + body * (place + 0.5) / len(firms)
            at[firm] = (round(x + shift, 1), round(y, 1))
        rest = others.get(level, 0)
        few = rest is None
        columns.append(Column(level, round(x, 1), len(firms) + (rest or 0), rest or 0, few))
    return columns, at, round(height, 1)


def _lanes(count: int) -> int:
    return 1 + sum(count > rows for rows in _ROWS_PER_LANE)


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
        shape = {"D": "diamond", "E": "ring"}.get(letter, "circle")
        tone = f"risk-{letter.lower()}" if letter else "plain"
    elif marks.colour == "exposure":
        shape, tone = "circle", "exposed" if size[0] else "plain"
    else:
        shape, tone = ("ring", "late") if late else ("circle", "plain")
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


def _linked(firms: Sequence[Firm], pairs: Iterable[tuple[str, str]]) -> list[Firm]:
    place = {one.id: number for number, one in enumerate(firms)}
    links: dict[str, set[int]] = {one.id: set() for one in firms}
    for seller, buyer in pairs:
        links[seller].add(place[buyer])
        links[buyer].add(place[seller])
    return [dataclasses.replace(one, links=tuple(sorted(links[one.id]))) for one in firms]


# --- Labels ---------------------------------------------------------------------------------------


def _labelled(firms: Sequence[Firm]) -> list[Firm]:
    """Name the firms that matter most, as far as no name would cover another or a firm."""
    taken: list[tuple[float, float, float, float]] = [
        (one.x - one.r, one.y - one.r, one.x + one.r, one.y + one.r) for one in firms
    ]
    labels: dict[str, Label] = {}
    per_column: Counter[int] = Counter()
    order = sorted(
        firms,
        key=lambda one: (
            not one.focus, not one.lit, one.tone not in {"late", "risk-e"}, -one.volume_minor,
            one.id,
        ),
    )  # fmt: skip
    for one in order:
        if per_column[one.level] >= _LABELS_PER_COLUMN and not (one.focus or one.lit):
            continue
        text = shortened(one.name, _LONGEST_LABEL)
        width = round(max(_width(text), 11 * _LETTER) + 14, 1)
        for x in (one.x + one.r + 5, one.x - one.r - 5 - width):
            box = (x, one.y - _LABEL_HEIGHT / 2, x + width, one.y + _LABEL_HEIGHT / 2)
            inside = box[0] >= 0 and box[2] <= WIDTH and box[1] >= HEAD - 16
            if inside and not any(_meet(box, other) for other in taken):
                labels[one.id] = Label(round(x, 1), round(box[1], 1), width, text)
                taken.append(box)
                per_column[one.level] += 1
                break
    return [dataclasses.replace(one, label=labels.get(one.id)) for one in firms]


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
    return _letters(text) * _LETTER
