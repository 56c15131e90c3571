"""Making an old price again: from what was stored with it, and from the database as of then.

Both must give the stored text, bit for bit; where one does not, the fields that differ are named.
Source: pricing.md 4, product.md ("bit-exact replay").
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Table, and_, select
from sqlalchemy.engine import Connection

from scf.chain.models import GraphSnapshot
from scf.kernel.ids import canonical_json, digest
from scf.risk import appetite as policies
from scf.risk import opinions
from scf.risk.appetite import Appetite
from scf.risk.asof import AsOf, morning_of
from scf.risk.assessing import Assessed, assess
from scf.risk.facts import pair_view
from scf.risk.nightly import assessed_firms
from scf.risk.pricing import Claimed, inputs_of, insurer_risk
from scf.risk.reading import Stored
from scf.risk.storing import PRICE
from scf.risk.writing import ASSESSMENT
from scoring import canonical
from scoring.pricing import price
from scoring.schema import KIND, PriceInputs

_SNAPSHOT: Final[Table] = GraphSnapshot.__table__  # type: ignore[attr-defined]


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """One field that came out otherwise."""

    source: str  # "stored inputs" or "database"
    line_id: str
    field: str
    stored: Any
    replayed: Any


@dataclasses.dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay found."""

    lines: int
    differences: tuple[Difference, ...]

    @property
    def is_equal(self) -> bool:
        """Whether everything came out as it was stored."""
        return not self.differences


def replay(conn: Connection, line_ids: list[str]) -> Replayed:
    """Make the prices of these quote lines again, both ways."""
    rows = conn.execute(
        select(PRICE).where(PRICE.c.quote_line_id.in_(line_ids)).order_by(PRICE.c.id)
    ).all()
    found: list[Difference] = []
    for row in rows:
        found += _from_inputs(conn, row)
        found += _from_database(conn, row)
    return Replayed(len(rows), tuple(found))


def _from_inputs(conn: Connection, row: Row[Any]) -> Iterator[Difference]:
    appetite = policies.kept(conn, row.policy_digest)
    again = price(canonical.load(PriceInputs, row.inputs), appetite.policy)
    yield from _compare("stored inputs", row, {"result": canonical.dump(again)})


def _from_database(conn: Connection, row: Row[Any]) -> Iterator[Difference]:
    """Read the facts as of then again, assess every firm again, price again."""
    appetite = policies.kept(conn, row.policy_digest)
    stored = {
        one.id: one
        for one in conn.execute(
            select(ASSESSMENT).where(
                ASSESSMENT.c.id.in_(
                    [name for name in (row.obligor_assessment_id, row.seller_assessment_id) if name]
                )
            )
        )
    }
    obligor, seller = (
        stored.get(name) for name in (row.obligor_assessment_id, row.seller_assessment_id)
    )
    if obligor is None:
        yield Difference("database", row.quote_line_id, "assessment", "stored", "missing")
        return
    morning = _morning(conn, obligor)
    firms = assessed_firms(conn, obligor.snapshot_id)
    # What the champion said is read where it was kept, never from its file.
    champion = opinions.stored(conn, obligor.snapshot_id)
    again_made = assess(conn, morning, appetite, firms, champion=champion)
    made = {one.firm_id: one for one in again_made}
    for one in (obligor, seller):
        if one is not None:
            yield from _firm(row, one, made.get(one.firm_id))
    yield from _looked_at(conn, row, morning, appetite, champion, [obligor, seller])
    terms = json.loads(row.terms)
    claimed = canonical.load(Claimed, terms["claimed"])
    pair = pair_view(conn, morning, appetite, row.seller_id, row.obligor_id)
    again = {
        side: None
        if one is None
        else _as_stored(one, made.get(one.firm_id), by_model=row.model_id is not None)
        for side, one in (("obligor", obligor), ("seller", seller))
    }
    insurer = insurer_risk(conn, morning, appetite, claimed.insurance)
    inputs = inputs_of(claimed, pair, again["obligor"], again["seller"], appetite.policy, insurer)
    texts = {
        "terms": canonical_json({"claimed": terms["claimed"], "pair": canonical.dump(pair)}),
        "inputs": canonical.dump(inputs),
        "result": canonical.dump(price(inputs, appetite.policy)),
    }
    yield from _compare("database", row, texts)


def _looked_at(
    conn: Connection,
    row: Row[Any],
    morning: AsOf,
    appetite: Appetite,
    champion: Mapping[str, opinions.Said],
    assessed: Sequence[Row[Any] | None],
) -> Iterator[Difference]:
    """Work out again what the champion looked at: the facts of then must give the same."""
    if row.model_id is None:
        return
    model = conn.execute(select(opinions.MODEL).where(opinions.MODEL.c.id == row.model_id)).one()
    firms = [one.firm_id for one in assessed if one is not None and one.firm_id in champion]
    try:
        seen = opinions.digests(conn, morning, appetite, model, firms)
    except ImportError:  # a machine without the libraries of models proves all the rest
        return
    for firm in firms:
        was = champion[firm].opinion.features_digest
        if was and was != seen.get(firm):
            place = f"features of {firm}"
            yield Difference("database", row.quote_line_id, place, was, seen.get(firm))


def _morning(conn: Connection, row: Row[Any]) -> AsOf:
    snapshot = conn.execute(select(_SNAPSHOT).where(_SNAPSHOT.c.id == row.snapshot_id)).one()
    return morning_of(conn, snapshot, row.sequence)


def _firm(row: Row[Any], stored: Row[Any], made: Assessed | None) -> Iterator[Difference]:
    texts = {} if made is None else {"inputs": made.inputs, "result": made.result}
    for name in ("inputs", "result"):
        old, new = getattr(stored, name), texts.get(name, "{}")
        for field, was, now in _differing(json.loads(old), json.loads(new)):
            place = f"assessment of {stored.firm_id}: {name}.{field}"
            yield Difference("database", row.quote_line_id, place, was, now)


def _as_stored(row: Row[Any], made: Assessed | None, *, by_model: bool) -> Stored | None:
    """Give a fresh assessment where a stored one is read."""
    if made is None:
        return None
    return Stored(Fresh(row.id, made.inputs, made.result), by_model and made.model_id is not None)


@dataclasses.dataclass(frozen=True, slots=True)
class Fresh:
    """The part of an assessment's row that a price reads."""

    id: str
    inputs: str
    result: str


def _compare(source: str, row: Row[Any], texts: Mapping[str, str]) -> Iterator[Difference]:
    for name, text in texts.items():
        for field, was, now in _differing(json.loads(getattr(row, name)), json.loads(text)):
            yield Difference(source, row.quote_line_id, f"{name}.{field}", was, now)


def _differing(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401
    """Walk two JSON values and give the places where they are not the same."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _differing(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for at, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differing(one, other, f"{path}[{at}]")
    elif old != new or type(old) is not type(new):
        yield path or "all", old, new


# --- The proof ------------------------------------------------------------------------------------


def breaches(conn: Connection) -> Iterator[tuple[str, str]]:
    """Give every assessment and price whose text is not the one that its fingerprint is of."""
    for row in conn.execute(select(ASSESSMENT).order_by(ASSESSMENT.c.id)):
        if digest([row.inputs, row.result]) != row.digest:
            yield f"risk_assessment {row.id}", "Its text is not the one that was stored."
    yield from _of_no_champion(conn)
    for row in conn.execute(select(PRICE).order_by(PRICE.c.id)):
        if digest([row.terms, row.inputs, row.result]) != row.digest:
            yield f"price_assessment {row.id}", "Its text is not the one that was stored."


def _of_no_champion(conn: Connection) -> Iterator[tuple[str, str]]:
    """Give assessments that name a model which was no champion, and prices by another's word."""
    score, model = opinions.SCORE, opinions.MODEL
    told = and_(
        score.c.snapshot_id == ASSESSMENT.c.snapshot_id,
        score.c.firm_id == ASSESSMENT.c.firm_id,
        score.c.model_id == ASSESSMENT.c.model_id,
        score.c.role == opinions.CHAMPION,
    )
    rows = conn.execute(
        select(
            ASSESSMENT.c.id,
            ASSESSMENT.c.kind,
            ASSESSMENT.c.result,
            score.c.curve,
            model.c.kind.label("of_model"),
        )
        .select_from(
            ASSESSMENT.outerjoin(score, told).outerjoin(
                model,
                and_(model.c.id == ASSESSMENT.c.model_id, model.c.promoted_at <= ASSESSMENT.c.at),
            )
        )
        .where(ASSESSMENT.c.model_id.is_not(None))
        .order_by(ASSESSMENT.c.id)
    )
    for row in rows:
        term = json.loads(row.result)["risk"].get("term")
        by_model = row.kind != KIND
        heard = row.of_model is not None and (not by_model or row.curve is not None)
        if not heard or by_model != (term is not None) or (by_model and row.kind != row.of_model):
            yield f"risk_assessment {row.id}", "No champion has said what it rests on."
    priced = conn.execute(
        select(PRICE.c.id)
        .join(ASSESSMENT, ASSESSMENT.c.id == PRICE.c.obligor_assessment_id)
        .where(PRICE.c.model_id.is_not(None), ASSESSMENT.c.model_id != PRICE.c.model_id)
        .order_by(PRICE.c.id)
    )
    for row in priced:
        yield f"price_assessment {row.id}", "It names another model than its assessment."
