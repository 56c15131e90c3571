"""Firms: what is known of them, their cards, and the chain, solved in memory on one node.

The sums come from the engine, everything after them is what the platform itself works its
assessments out with: views, cards, exposures, the chain, floors.
"""

import dataclasses
import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from scf.risk.appetite import Appetite
from scf.risk.assessing import by_card_of, chained
from scf.risk.facts import Exposures, FirmView, view_of
from scf.risk.firmfacts import STATEMENT_MONTHS, Known
from scf.risk.items import NO_DAY
from scf.risk.pricing import LARGE_REVENUE, REFERRED
from scf.risk.stress import LATE_DAYS, downgraded, later
from scoring import canonical
from scoring.observed import late_days
from scoring.policy import Policy
from scoring.schema import FirmRisk

FLAGS: Final = REFERRED
"""What leaves a decision to a person, one bit each, in the order in which it is said."""
_FAILED: Final = 0.99  # as a firm in default weighs in the chain
_FIRST: Final = dt.date(1970, 1, 1).toordinal()
_NUMBER: Final = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30}|/[0-9]{1,30})?(e-?[0-9]{1,2})?")


@dataclasses.dataclass(frozen=True, slots=True)
class Firm:
    """One firm of the table; ``own_pd`` is a bank's own model's word in place of the card's.

    ``told`` is what the platform's trained champion says in place of card and chain.
    """

    id: str
    in_chain: bool
    known: Known
    own_pd: float | None = None
    told: FirmRisk | None = None
    flags: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Stress:
    """What goes wrong: ``late`` (all pay 30 days later), ``downgrade``, ``fails`` with a firm."""

    what: str = ""
    firm_id: str = ""

    def __str__(self) -> str:
        """Give the word as it is typed."""
        return f"{self.what}:{self.firm_id}" if self.firm_id else self.what


def read(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Firm], list[dict[str, str]]]:
    """Give the firms of a typed table by id, and the rows that are set aside with the reason."""
    seen: dict[str, int] = {}
    for row in rows:
        seen[row["firm_id"] or ""] = seen.get(row["firm_id"] or "", 0) + 1
    firms, aside = [], []
    for row in rows:
        firm_id = row["firm_id"] or ""
        reason, column = ("CELL_UNREADABLE", row["broken"]) if row["broken"] else ("", "")
        if not reason and seen[firm_id] > 1:
            reason = "DUPLICATE"
        made = None
        if not reason:
            try:
                made = _firm(row)
            except _NoFigureError as wrong:
                reason, column = "FIGURE_WRONG", str(wrong)
        if made is None:
            aside.append({"table": "firms", "row": firm_id, "reason": reason, "column": column})
        else:
            firms.append(made)
    return sorted(firms, key=lambda one: one.id), aside


class _NoFigureError(ValueError):
    """A figure that no firm has; named by its column."""


def _firm(row: Mapping[str, Any]) -> Firm:
    figures = {
        name: _figure(row, name)
        for name in ("revenue", "equity", "liquidity", "weekly_cost", "rated_pd", "own_pd")
    }
    for name in ("revenue", "liquidity", "weekly_cost", "rated_pd", "own_pd"):
        if (figures[name] or 0) < 0:
            raise _NoFigureError(name)
    for name in ("rated_pd", "own_pd"):
        if (figures[name] or 0) >= 1:
            raise _NoFigureError(name)
    months = row["statement_months"]
    if months is not None and not 0 <= months <= STATEMENT_MONTHS:
        raise _NoFigureError("statement_months")
    founded, own = row["founded_on"], figures.pop("own_pd")
    return Firm(
        row["firm_id"],
        row["in_chain"] is not False,
        Known(
            founded_on=None if founded is None else dt.date.fromordinal(_FIRST + founded),
            statement_months=months,
            notches=row["notches"] or 0,
            **figures,
        ),
        None if own is None else float(own),
        _told(row["told"]),
        tuple(word for word in (row["flags"] or "").split() if word in FLAGS),
    )


def _told(text: str | None) -> FirmRisk | None:
    """Read the risk of a firm as a platform wrote it into the table."""
    if text is None:
        return None
    try:
        return canonical.load(FirmRisk, text)
    except (ValueError, TypeError):
        raise _NoFigureError("told") from None


def _figure(row: Mapping[str, Any], name: str) -> Fraction | None:
    text = row[name]
    if text is None:
        return None
    if not _NUMBER.fullmatch(text.lower()):
        raise _NoFigureError(name)
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise _NoFigureError(name) from None


# --- Risk of each firm ----------------------------------------------------------------------------


def exposures(pairs: Any) -> Exposures:  # noqa: ANN401 - an Arrow table
    """Give each pair's open risk and weekly trade, in the order of sellers and buyers."""
    import numpy as np

    columns = {
        name: pairs[name].to_numpy() for name in ("seller", "buyer", "receivable", "sold_13")
    }
    order = np.lexsort((columns["buyer"], columns["seller"]))
    seller, buyer, receivable, sold = (column[order] for column in columns.values())
    return Exposures(seller, buyer, receivable.astype(np.float64), sold / 13)


def risks(
    firms: Sequence[Firm],
    sums: Any,  # noqa: ANN401 - an Arrow table
    pairs: Any,  # noqa: ANN401 - an Arrow table
    on: dt.date,
    appetite: Appetite,
    stress: Stress,
) -> Any:  # noqa: ANN401 - an Arrow table
    """Work out what a price needs of every firm of the chain.

    Parameters
    ----------
    firms
        By id; the place in this list is a firm's number.
    sums
        As :func:`scf.risk.batch.pairs.firms` gives them.
    pairs
        Pairs with open risk or recent trade.
    on
        The morning.
    """
    policy = appetite.policy
    views = _views(firms, sums, on)
    chain_of = [firm for firm in firms if firm.in_chain]
    own_pd = {firm.id: firm.own_pd for firm in chain_of if firm.own_pd is not None}
    if stress.what == "fails":
        own_pd[stress.firm_id] = _FAILED
    trade = exposures(pairs)
    cards, chain = chained(
        {firm.id: views[at] for at, firm in enumerate(firms) if firm.in_chain},
        trade,
        [firm.id for firm in firms],
        policy,
        own_pd=own_pd,
    )
    trading = {*trade.seller.tolist(), *trade.buyer.tolist()}
    number = {firm.id: at for at, firm in enumerate(firms)}
    rows = []
    for at, firm_id in enumerate(chain.firms):
        view, card = views[number[firm_id]], cards[firm_id]
        firm = firms[number[firm_id]]
        risk = by_card_of(at, chain, view, card, policy)
        if stress.what == "fails" and firm_id == stress.firm_id:
            risk = dataclasses.replace(risk, defaulted=True)
        elif firm.told is not None:
            risk = firm.told
        alone, circled = number[firm_id] not in trading, chain.circled[at]
        lone = view.known.rated_pd is None and view.settled_items == 0
        names = ("NO_HISTORY", "LONE_FIRM", "TRADE_CIRCLE")
        holds = zip(names, (lone, alone, circled), strict=True)
        flags = {*firm.flags, *(name for name, held in holds if held)}
        rows.append(_row(number[firm_id], view, risk, flags, policy, stress))
    return _table(rows)


def _views(firms: Sequence[Firm], sums: Any, on: dt.date) -> list[FirmView]:  # noqa: ANN401
    names = [name for name in sums.column_names if name != "number"]
    columns = [sums[name].to_pylist() for name in names]
    by_number = dict(zip(sums["number"].to_pylist(), zip(*columns, strict=True), strict=True))
    nobody = dict.fromkeys(names, 0) | {"first_settled": NO_DAY}
    views = []
    for at, firm in enumerate(firms):
        found = by_number.get(at)
        of_firm = nobody if found is None else dict(zip(names, found, strict=True))
        if of_firm["first_settled"] is None:
            of_firm["first_settled"] = NO_DAY
        views.append(view_of(of_firm, firm.known, on))
    return views


def _row(
    number: int,
    view: FirmView,
    risk: FirmRisk,
    flags: Collection[str],
    policy: Policy,
    stress: Stress,
) -> tuple[Any, ...]:
    days = late_days(
        view.late_days_times_minor, view.late_settled_minor, view.late_items, policy.model
    )
    owing = risk
    if not risk.defaulted and stress.what == "late":
        owing, days = later(risk, view.card, policy), days + LATE_DAYS
    elif not risk.defaulted and stress.what == "downgrade":
        owing = downgraded(risk, policy.scale) or risk
    return (
        number,
        risk.own_hazard,
        risk.total_hazard,
        risk.rated,
        risk.documented,
        risk.defaulted,
        owing.own_hazard,
        owing.total_hazard,
        owing.defaulted,
        days,
        view.settled_items,
        view.sales_52_weeks,
        (view.card.revenue_eur or 0) >= LARGE_REVENUE,
        sum(1 << bit for bit, name in enumerate(FLAGS) if name in flags),
        None if risk.term is None else canonical.dump(risk),
        None if owing.term is None else canonical.dump(owing),
    )


_COLUMNS: Final = (
    ("number", "int64"), ("own", "float64"), ("total", "float64"), ("rated", "bool"),
    ("documented", "bool"), ("defaulted", "bool"), ("owing_own", "float64"),
    ("owing_total", "float64"), ("owing_defaulted", "bool"), ("late_days", "int64"),
    ("settled_items", "int64"), ("sales_52", "int64"), ("large", "bool"), ("flags", "int64"),
    ("told", "string"), ("owing_told", "string"),
)  # fmt: skip


def _table(rows: Sequence[tuple[Any, ...]]) -> Any:  # noqa: ANN401
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) if rows else [()] * len(_COLUMNS)
    return pa.table(
        {
            name: pa.array(column, type=pa.type_for_alias(kind))
            for (name, kind), column in zip(_COLUMNS, columns, strict=True)
        }
    )
