"""The chain explorer of the bank, and the anchor's own chain."""

import csv
import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from flask_babel import gettext as _
from sqlalchemy import Row, func, select
from sqlalchemy.engine import Connection

from scf.chain import picture, service, views
from scf.chain.models import GraphNode
from scf.chain.picture import Marks, Picture
from scf.chain.standing import standing_of
from scf.financing.lifecycle import OUT
from scf.financing.models import Advance
from scf.financing.reserve import EXPOSURE
from scf.kernel.actor import Actor
from scf.kernel.errors import RuleViolation, ScfError
from scf.kernel.money import format_minor
from scf.parties.access import authorise
from scf.parties.models import Firm
from scf.parties.service import firm_names
from scf.risk.models import RiskAssessment
from web.chain_svg import level_name
from web.context import actor, platform

chain = Blueprint("chain", __name__)
COLOURS: Final = ("risk", "exposure", "overdue")
MOST_HOPS: Final = 3
_MOST_HITS: Final = 20
_WORDS: Final = 100
_RELATIONS_SHOWN: Final = 60
# A cell that starts so is run as a formula by spreadsheets.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_node: Any = GraphNode.__table__  # type: ignore[attr-defined]
_firm: Any = Firm.__table__  # type: ignore[attr-defined]
_risk: Any = RiskAssessment.__table__  # type: ignore[attr-defined]
_advance: Any = Advance.__table__  # type: ignore[attr-defined]


@chain.record_once
def _attach(state: BlueprintSetupState) -> None:
    """Give the macros of the picture what they ask for."""
    state.app.jinja_env.globals.update(level_name=level_name, chain_href=_href)


def _href(firm_id: str) -> str:
    """Return where a firm of a picture leads: the explorer for the bank, nowhere else yet."""
    if not views.is_officer(actor()):
        return url_for("chain.own")
    parts = ("up", "down", "colour", "on")
    kept = {name: request.args[name] for name in parts if name in request.args}
    return url_for("chain.explorer", firm=firm_id, **kept)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Asked:
    """What the address of the explorer asks for; the address is the saved view."""

    firm: str
    words: str
    to: str
    to_words: str
    up: int
    down: int
    colour: str
    table: bool
    on: dt.date | None

    @property
    def own(self) -> dict[str, Any]:
        """The parts of the address that keep this view."""
        parts = {"firm": self.firm, "to": self.to, "colour": self.colour}
        kept: dict[str, Any] = {name: value for name, value in parts.items() if value}
        if self.firm:
            kept |= {"up": self.up, "down": self.down}
        if self.table:
            kept["view"] = "table"
        if self.on:
            kept["on"] = self.on.isoformat()
        return kept


def _asked() -> Asked:
    def word(name: str) -> str:
        return " ".join(request.args.get(name, "").split())[:_WORDS]

    def hops(name: str) -> int:
        given = word(name)
        return min(int(given), MOST_HOPS) if given in {"0", "1", "2", "3"} else 1

    return Asked(
        firm=word("firm"),
        words=word("q"),
        to=word("to"),
        to_words=word("with"),
        up=hops("up"),
        down=hops("down"),
        colour=word("colour") if word("colour") in COLOURS else COLOURS[0],
        table=word("view") == "table",
        on=_day(word("on")),
    )


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


@dataclass(frozen=True)
class Found:
    """The firms that some words mean: one of them, or several to choose from."""

    words: str
    firm: str
    hits: Sequence[Row[Any]]


def _find(conn: Connection, snapshot_id: str, words: str) -> Found:
    """Look for a firm of the snapshot by a part of its name; the whole name wins."""
    if not words:
        return Found("", "", [])
    rows = conn.execute(
        select(_firm.c.id, _firm.c.name)
        .join(_node, _node.c.firm_id == _firm.c.id)
        .where(_node.c.snapshot_id == snapshot_id, _firm.c.name.icontains(words, autoescape=True))
        .order_by(func.length(_firm.c.name), _firm.c.name, _firm.c.id)
        .limit(_MOST_HITS)
    ).all()
    same = [row for row in rows if row.name.casefold() == words.casefold()]
    if len(rows) == 1 or len(same) == 1:
        return Found(words, (same or rows)[0].id, rows)
    return Found(words, "", rows)


def around(sides: Sequence[str]) -> Picture | None:
    """Draw what stands around the sides of one deal, the first in the middle; nothing without it.

    Two steps to the suppliers, one to the customers; whoever has the page may also explore.
    """
    who = actor()
    with platform().db.snapshot() as conn:
        try:
            snapshot = service.latest_snapshot(conn, who.org_id)
            seen = views.chain_of(conn, who, sides[0], 2, 1)
        except ScfError:
            return None
        lit = [firm for firm in sides if firm in seen.level]
        marks = marks_of(conn, who, snapshot, "risk")
        return picture.around(seen, marks, highlight=lit, width=picture.BESIDE)


@chain.get("/officer/chain")
def explorer() -> str:
    """Show the whole chain, or what is within reach of one firm, and how two firms are tied."""
    who = actor()
    _bank_only(who)
    asked = _asked()
    with platform().db.snapshot() as conn:
        try:
            newest = service.latest_snapshot(conn, who.org_id)
        except RuleViolation as missing:
            return render_template("chain/explorer.html", asked=asked, missing=missing)
        snapshot = _in_force(conn, who, asked) or newest
        start = _find(conn, snapshot.id, asked.words)
        end = _find(conn, snapshot.id, asked.to_words)
        asked = replace(
            asked,
            firm=start.firm or asked.firm,
            to=end.firm or asked.to,
            on=None if asked.on and asked.on >= newest.as_of_on else asked.on,
        )
        if snapshot.id != newest.id and asked.colour == "exposure":
            asked = replace(asked, colour="risk")  # what the bank is owed is kept of today only
        seen, problem = _view(conn, who, asked, snapshot)
        ways = _ways(conn, snapshot.id, asked) if seen else None
        whole = standing_of(conn, snapshot, asked.firm) if seen else None
        path = ways.strongest.firms if ways else ()
        drawn = _drawn(conn, who, snapshot, asked, seen, path)
        through = (whole.through or "") if whole else ""
        shown = {*path, *(ways.shortest.firms if ways else ()), asked.to, through}
        names = firm_names(conn, shown)
    return render_template(
        "chain/explorer.html",
        asked=asked,
        colours=_colours(asked, back=snapshot.id != newest.id),
        snapshot=snapshot,
        newest=newest,
        picture=drawn,
        seen=seen,
        shares=views.concentrations(seen.relations, asked.firm) if seen else [],
        relations=_largest(seen),
        problem=problem,
        start=start,
        end=end,
        ways=ways,
        whole=whole,
        names=names | (seen.names if seen else {}),
    )


def _in_force(conn: Connection, who: Actor, asked: Asked) -> Row[Any] | None:
    """Give the snapshot in force on the day that is asked for, if any is as old."""
    if asked.on is None:
        return None
    try:
        return service.latest_snapshot(conn, who.org_id, on=asked.on)
    except RuleViolation:
        return None


def _colours(asked: Asked, *, back: bool) -> list[tuple[str, str, bool, None]]:
    """Give what the picture can be coloured by, as the toggle shows it."""
    names = {"risk": _("Risk"), "exposure": _("Exposure"), "overdue": _("Overdue")}
    return [
        (
            names[colour],
            url_for("chain.explorer", **{**asked.own, "colour": colour}),
            asked.colour == colour,
            None,
        )
        for colour in COLOURS
        if not (back and colour == "exposure")
    ]


def _bank_only(who: Actor) -> None:
    authorise(who, "graph.explore")


def _view(
    conn: Connection, who: Actor, asked: Asked, snapshot: Row[Any]
) -> tuple[views.ChainView | None, ScfError | None]:
    if not asked.firm:
        return None, None
    on = snapshot.as_of_on
    try:
        return views.chain_of(conn, who, asked.firm, asked.up, asked.down, on=on), None
    except ScfError as problem:
        return None, problem


def _ways(conn: Connection, snapshot_id: str, asked: Asked) -> service.Ways | None:
    if not asked.to or asked.to == asked.firm:
        return None
    try:
        return service.ways_between(conn, snapshot_id, asked.firm, asked.to)
    except ScfError:
        return None


def _drawn(
    conn: Connection,
    who: Actor,
    snapshot: Row[Any],
    asked: Asked,
    seen: views.ChainView | None,
    path: Sequence[str],
) -> Picture:
    marks = marks_of(conn, who, snapshot, asked.colour)
    if seen is None:
        return picture.whole(conn, snapshot, marks)
    if any(firm not in seen.level for firm in path):
        return picture.whole(conn, snapshot, marks, highlight=path)
    return picture.around(seen, marks, highlight=path)


def marks_of(conn: Connection, who: Actor, snapshot: Row[Any], colour: str) -> Marks:
    """Look up what the bank knows of firms: the grades of its last assessments, what it is owed."""
    if colour == "risk":
        newest = (
            select(_risk.c.firm_id, func.max(_risk.c.as_of_on).label("as_of_on"))
            .where(_risk.c.financier_id == who.org_id, _risk.c.as_of_on <= snapshot.as_of_on)
            .group_by(_risk.c.firm_id)
            .subquery()
        )
        rows = conn.execute(
            select(_risk.c.firm_id, _risk.c.grade)
            .join(
                newest,
                (newest.c.firm_id == _risk.c.firm_id) & (newest.c.as_of_on == _risk.c.as_of_on),
            )
            .where(_risk.c.financier_id == who.org_id)
        )
        return Marks(colour, risk={row.firm_id: row.grade for row in rows})
    if colour == "exposure":
        owed = func.sum(EXPOSURE)
        rows = conn.execute(
            select(_advance.c.obligor_id, owed.label("minor"))
            .where(
                _advance.c.financier_id == who.org_id,
                _advance.c.state.in_(OUT),
                _advance.c.currency == (snapshot.currency or ""),
            )
            .group_by(_advance.c.obligor_id)
        )
        return Marks(colour, exposure={row.obligor_id: int(row.minor) for row in rows})
    return Marks(colour)


def _largest(seen: views.ChainView | None) -> list[views.Relation]:
    if seen is None:
        return []
    order = sorted(
        seen.relations, key=lambda one: (-one.sales_52w_minor, one.seller_id, one.buyer_id)
    )
    return order[:_RELATIONS_SHOWN]


@chain.get("/officer/chain.csv")
def explorer_csv() -> Response:
    """Give the relations of the view as a file."""
    who = actor()
    _bank_only(who)
    asked = _asked()
    with platform().db.snapshot() as conn:
        snapshot = _in_force(conn, who, asked) or service.latest_snapshot(conn, who.org_id)
        if asked.firm:
            on = snapshot.as_of_on
            seen = views.chain_of(conn, who, asked.firm, asked.up, asked.down, on=on)
            relations, names = seen.relations, seen.names
        else:
            drawn = service.drawn_nodes(conn, snapshot.id)
            rows = service.edges_among(conn, snapshot.id, drawn)
            relations = [views.relation(row, snapshot.as_of_on, payments=True) for row in rows]
            names = firm_names(conn, drawn)
    return _file(relations, names, f"chain-{snapshot.as_of_on.isoformat()}.csv")


def _file(relations: Sequence[views.Relation], names: dict[str, str], name: str) -> Response:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(
        (
            "seller_id", "seller", "buyer_id", "buyer", "currency", "sales_52w", "sales_13w",
            "orders_52w", "invoices_52w", "payments_52w", "open", "overdue", "overdue_days",
            "last_on",
        )
    )  # fmt: skip
    for one in relations:
        amounts = (
            one.sales_52w_minor, one.sales_13w_minor, one.orders_52w_minor,
            one.invoices_52w_minor, one.payments_52w_minor, one.open_minor, one.overdue_minor,
        )  # fmt: skip
        writer.writerow(
            (
                one.seller_id,
                _plain(names.get(one.seller_id, "")),
                one.buyer_id,
                _plain(names.get(one.buyer_id, "")),
                one.currency,
                *("" if part is None else format_minor(part, one.currency) for part in amounts),
                one.overdue_days,
                one.last_on.isoformat() if one.last_on else "",
            )
        )
    answer: Response = current_app.response_class(
        "\ufeff" + out.getvalue(), mimetype="text/csv; charset=utf-8"
    )
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


@chain.get("/anchor/chain")
def own() -> str:
    """Show an anchor its direct partners, and how many firms stand behind them."""
    who = actor()
    authorise(who, "graph.own")
    with platform().db.snapshot() as conn:
        try:
            seen = views.chain_of(conn, who, who.org_id, views.ANCHOR_TIERS, views.ANCHOR_TIERS)
        except RuleViolation as missing:
            return render_template("chain/own.html", missing=missing)
    return render_template(
        "chain/own.html",
        seen=seen,
        picture=picture.around(seen, Marks("overdue")),
        shares=views.concentrations(seen.relations, who.org_id),
        relations=_largest(seen),
        names=seen.names,
    )
