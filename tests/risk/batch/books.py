"""Random books as tables, and what the platform's own single path makes of them."""

import dataclasses
import datetime as dt
import functools
import json
import random
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from scf.bootstrap import load_appetite
from scf.kernel.rates import round_half_up
from scf.risk.appetite import Appetite, in_force
from scf.risk.assessing import chained, knows_well
from scf.risk.batch.layout import TABLES
from scf.risk.facts import FirmView, PairView, exposures_of, views_of
from scf.risk.firmfacts import Known
from scf.risk.items import NO_DAY, Items, day_number
from scf.risk.pricing import Claimed, inputs_of
from scf.risk.reading import Stored
from scf.risk.stress import _changes
from scoring import canonical
from scoring.card import CardInputs
from scoring.observed import late_days
from scoring.pricing import price
from scoring.schema import COMPONENTS, FirmRisk, PriceInputs, PriceResult

ON = dt.date(2026, 3, 16)
Row = dict[str, Any]
_KINDS = {
    "text": pa.string(), "number": pa.string(), "whole": pa.int64(), "day": pa.date32(),
    "flag": pa.bool_(),
}  # fmt: skip


@dataclasses.dataclass
class Tables:
    """The three tables of a book as rows."""

    invoices: list[Row]
    firms: list[Row]
    receivables: list[Row]

    def write(self, folder: Path, kind: str = "parquet") -> Path:
        """Write them as Parquet or CSV."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, columns in TABLES.items():
            schema = pa.schema([(one.name, _KINDS[one.kind]) for one in columns])
            table = pa.Table.from_pylist(getattr(self, name), schema=schema)
            if kind == "csv":
                pyarrow.csv.write_csv(table, folder / f"{name}.csv")
            else:
                pyarrow.parquet.write_table(table, folder / f"{name}.parquet")
        return folder


def appetite() -> Appetite:
    """Give the shipped appetite."""
    load_appetite()
    return in_force()


def drawn(seed: int, firms: int = 40, invoices: int = 900, receivables: int = 250) -> Tables:
    """Draw a book in which firms trade, pay late, dispute and are bought from."""
    rng = random.Random(seed)
    names = [f"firm-{at:03d}" for at in range(firms)]
    relations = [tuple(rng.sample(names, 2)) for _ in range(firms * 3)]
    return Tables(
        [_invoice(rng, at, *rng.choice(relations)) for at in range(invoices)],
        [_firm(rng, name) for name in names],
        [_receivable(rng, at, *rng.choice(relations)) for at in range(receivables)],
    )


def _invoice(rng: random.Random, at: int, seller: str, buyer: str) -> Row:
    issued = ON - dt.timedelta(days=rng.randrange(1, 900))
    due = issued + dt.timedelta(days=rng.choice((14, 30, 60, 90)))
    base = rng.choice((1, 50_000, rng.randrange(1, 10**9)))
    credited, disputed = rng.choice((0, 0, 0, base // 20)), rng.choice((0, 0, 0, base // 7))
    yesterday = ON - dt.timedelta(days=1)
    paid_on = min(due + dt.timedelta(days=rng.choice((-5, 0, 0, 1, 2, 4, 11, 40))), yesterday)
    settled = due < ON - dt.timedelta(days=60) or rng.random() < 0.6
    known = min(paid_on + dt.timedelta(days=rng.randrange(3)), yesterday)
    net = base - credited - disputed
    rest = 0 if settled else rng.choice((net, net, net // 2, net // 200))
    return {
        "invoice_id": f"i{at}", "seller_id": seller, "buyer_id": buyer,
        "issued_on": issued, "due_on": None if rng.random() < 0.03 else due,
        "base": base, "net": net, "sold": base - credited, "rest": rest,
        "diluted": credited + rng.choice((0, disputed)), "kept": rng.choice((rest, rest, 0)),
        "settled_on": paid_on if settled else None,
        "settled_known_on": known if settled else None,
        "closed_known_on": known if settled or rng.random() < 0.05 else None,
        "material": not settled and rest > base // 100,
    }  # fmt: skip


def _firm(rng: random.Random, name: str) -> Row:
    said = rng.random() < 0.5
    return {
        "firm_id": name,
        "in_chain": rng.random() < 0.95,
        "founded_on": dt.date(1990 + rng.randrange(36), 1, 31) if rng.random() < 0.7 else None,
        "statement_months": rng.randrange(19) if said else None,
        "notches": rng.choice((0, 0, 0, 1, -1)),
        "revenue": f"{rng.randrange(10**9)}.{rng.randrange(100):02d}" if said else None,
        "equity": f"{rng.randrange(-300, 900)}/1000" if said else None,
        "liquidity": str(rng.randrange(10**8)) if said else None,
        "weekly_cost": str(rng.randrange(10**6)) if said else None,
        "rated_pd": rng.choice((None, None, None, None, "0.0015", "0.02")),
        "own_pd": rng.choice((None, None, None, None, "0.031")),
        "told": None,
        "flags": None,
    }


def _receivable(rng: random.Random, at: int, seller: str, obligor: str) -> Row:
    return {
        "receivable_id": f"r{at}", "seller_id": seller, "obligor_id": obligor,
        "currency": rng.choice(("EUR", "EUR", "USD", "JPY")),
        "face": rng.choice((rng.randrange(1, 10**8), rng.randrange(1, 10**8), 10**13)),
        "due_on": ON + dt.timedelta(days=rng.randrange(-2, 180)),
        "claim": rng.choice(("undertaking", "revocable", "plain")),
        "basis": rng.choice((360, 365)), "rate_basis": rng.choice(("face", "proceeds")),
        "disclosed": rng.random() < 0.8, "cross_border": rng.random() < 0.3,
        "recourse": rng.random() < 0.5, "recourse_after_days": rng.choice((0, 0, 30)),
        "reserve_ppm": rng.choice((0, 100_000, 150_000)),
        "reserve_covers_credit": rng.random() < 0.2,
        "dilution_capital": rng.choice(("economic", "basel")),
        "legal_cap_ppm": rng.choice((None, None, 90_000)),
        "margin_shift_bp": rng.choice((0, 0, 10, -15)), "bought_ppm": rng.randrange(90_000),
    }  # fmt: skip


# --- The single path ------------------------------------------------------------------------------


def judged(tables: Tables, stress: str = "") -> dict[str, Row]:
    """Price every receivable one by one, with what the platform itself works prices out.

    A ``stress`` is what the page of a price shows under that word, for each obligor.
    """
    policy = appetite().policy
    items = items_of(tables.invoices)
    known = {row["firm_id"]: _known(row) for row in tables.firms}
    names = [row["firm_id"] for row in tables.firms if row["in_chain"]]
    views = views_of(items, known, ON, names)
    own = {
        row["firm_id"]: float(Fraction(row["own_pd"]))
        for row in tables.firms
        if row["own_pd"] is not None and row["in_chain"]
    }
    trade = exposures_of(items, ON)
    cards, chain = chained(views, trade, items.firms, policy, own_pd=own)
    trading = {items.firms[at] for at in (*trade.seller, *trade.buyer)}
    told_of = {row["firm_id"]: row for row in tables.firms}
    stored = {}
    for at, firm in enumerate(chain.firms):
        view = views[firm]
        hazard = float(chain.propagation.own[at]), float(chain.propagation.hazard[at])
        risk = FirmRisk(
            hazard[0], max(hazard), view.known.rated_pd is not None,
            knows_well(view, policy.scale), cards[firm].defaulted,
        )  # fmt: skip
        said = told_of.get(firm)
        flags = dict.fromkeys((said["flags"] or "").split(), True) if said else {}
        if said is not None and said["told"] is not None:
            risk = canonical.load(FirmRisk, said["told"])
        flags |= {
            "NO_HISTORY": view.known.rated_pd is None and view.settled_items == 0,
            "LONE_FIRM": firm not in trading,
            "TRADE_CIRCLE": chain.circled[at],
        }
        stored[firm] = _stored(view, risk, [name for name, holds in flags.items() if holds])
    changed = functools.partial(_worse, stress, {firm: views[firm].card for firm in stored})
    return {
        row["receivable_id"]: _priced(row, items, stored, changed) for row in tables.receivables
    }


def _worse(stress: str, cards: Mapping[str, CardInputs], firm: str, inputs: PriceInputs) -> Any:  # noqa: ANN401
    """Change what a price is made of as the page of a price does."""
    if not stress or inputs.obligor is None or inputs.obligor.defaulted:
        return inputs
    policy = appetite().policy
    made = _changes(inputs, inputs.obligor, cards[firm], {}, policy)
    return {what: changed for what, _, changed in made}.get(stress, inputs)


def items_of(rows: Sequence[Row]) -> Items:
    """Put rows of invoices into the columns that the platform folds them to."""
    firms = tuple(sorted({row[side] for row in rows for side in ("seller_id", "buyer_id")}))
    number = {firm: at for at, firm in enumerate(firms)}

    def day(name: str) -> Any:  # noqa: ANN401
        return np.array(
            [NO_DAY if row[name] is None else day_number(row[name]) for row in rows], np.int64
        )

    def whole(name: str) -> Any:  # noqa: ANN401
        return np.array([row[name] for row in rows], np.int64)

    return Items(
        ids=tuple(row["invoice_id"] for row in rows),
        firms=firms,
        seller=np.array([number[row["seller_id"]] for row in rows], np.int64),
        buyer=np.array([number[row["buyer_id"]] for row in rows], np.int64),
        issued=day("issued_on"), due=day("due_on"), base=whole("base"), net=whole("net"),
        sold=whole("sold"), rest=whole("rest"), diluted=whole("diluted"), kept=whole("kept"),
        diluted_before=whole("diluted") * 0,
        settled=day("settled_on") != NO_DAY, settled_on=day("settled_on"),
        settled_known=day("settled_known_on"), closed=day("closed_known_on") != NO_DAY,
        closed_known=day("closed_known_on"),
        material=np.array([row["material"] for row in rows], bool),
    )  # fmt: skip


def _known(row: Row) -> Known:
    def figure(name: str) -> Fraction | None:
        return None if row[name] is None else Fraction(row[name])

    return Known(
        row["founded_on"], row["statement_months"], figure("revenue"), figure("equity"),
        figure("liquidity"), figure("weekly_cost"), figure("rated_pd"), row["notches"],
    )  # fmt: skip


def _stored(view: FirmView, risk: FirmRisk, flags: list[str]) -> Stored:
    one = Stored(SimpleNamespace())
    days = late_days(
        view.late_days_times_minor, view.late_settled_minor, view.late_items,
        appetite().policy.model,
    )  # fmt: skip
    one.__dict__["result"] = {
        "risk": json.loads(canonical.dump(risk)), "flags": flags, "late_days": days,
    }  # fmt: skip
    one.__dict__["inputs"] = {
        "settled_items": view.settled_items, "sales_52_weeks": view.sales_52_weeks,
        "card": {"revenue_eur": view.card.revenue_eur},
    }  # fmt: skip
    return one


def pair_of(items: Items, seller: str, buyer: str) -> PairView:
    """Add up what a seller and a buyer did with each other, invoice by invoice."""
    t, number = day_number(ON), items.index()
    mine = (items.seller == number.get(seller, -1)) & (items.buyer == number.get(buyer, -1))
    done = mine & items.closed & (items.closed_known >= t - 365)
    gross = int(items.base[done].sum())
    lately = mine & (items.issued >= t - 364) & (items.issued < t)
    found: dict[str, Any] = {field.name: 0 for field in dataclasses.fields(PairView)}
    return PairView(
        **found
        | {
            "credited_minor": min(int(items.diluted[done].sum()), gross),
            "gross_minor": gross,
            "items": int(done.sum()),
            "sales_52_weeks": int(items.sold[lately].sum()),
            "settled_items": int((mine & items.settled).sum()),
        }
    )


def _priced(
    row: Row,
    items: Items,
    stored: Mapping[str, Stored],
    changed: Callable[[str, PriceInputs], PriceInputs],
) -> Row:
    from scf.risk.pricing import _route

    obligor, seller = stored.get(row["obligor_id"]), stored.get(row["seller_id"])
    said = {
        field.name: row[field.name] for field in dataclasses.fields(Claimed) if field.name in row
    }
    claimed = Claimed(
        **said,
        invoice_id="",
        face_minor=row["face"],
        fees_minor=0,
        tenor_days=(row["due_on"] - ON).days,
    )
    pair = pair_of(items, row["seller_id"], row["obligor_id"])
    inputs = inputs_of(claimed, pair, obligor, seller, appetite().policy)
    inputs = changed(row["obligor_id"], inputs)
    result = price(inputs, appetite().policy)
    morning: Any = SimpleNamespace(days_old=0)
    route, reasons = _route(morning, inputs, result, obligor, seller)
    return told(result, route, reasons, inputs.basis, row)


def told(
    result: PriceResult,
    route: str,
    reasons: Sequence[str],
    basis: int,
    row: Mapping[str, Any],
    on: dt.date = ON,
) -> Row:
    """Say what the row of a price has to be."""
    loss = sum(
        part.micro_bp
        for part in result.components
        if part.name in {"default_own", "default_chain", "dilution"}
    )
    days = (row["due_on"] - on).days
    memo = result.memo
    return {
        "rate_bp": result.rate_bp,
        **{name: None if memo is None else result.bp(name) for name in COMPONENTS},
        "pd": memo.pd_one_year if memo else None,
        "pd_item": memo.pd_item if memo else None,
        "lgd": memo.lgd if memo else None,
        "grade": result.grade or "",
        "route": route,
        "route_reasons": set(reasons),
        "refusal": result.refusal.code if result.refusal else "",
        "expected_loss": round_half_up(Fraction(row["face"] * loss * days, 10**10 * basis))
        if memo
        else None,
    }


def seen(prices: Any) -> dict[str, Row]:  # noqa: ANN401 - an Arrow table
    """Give rows of prices as :func:`told` says them, by receivable."""
    names = ("rate_bp", *COMPONENTS, "pd", "pd_item", "lgd", "grade", "route", "refusal",
             "expected_loss")  # fmt: skip
    return {
        row["receivable_id"]: {name: row[name] for name in names}
        | {"route_reasons": set(row["route_reasons"].split())}
        for row in prices.to_pylist()
    }
