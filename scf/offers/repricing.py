"""A quote made again at a price that officers chose, in place of the one that a request rests on.

The seller is bound by nothing here: a quote made again is proposed among officers, offered once
they have said their words, and used when the seller takes it. Source: finance.md section 3.
"""

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import Row, insert, select, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.kernel.errors import RuleViolation
from scf.kernel.ids import digest, new_id
from scf.offers.pricing import Price, PricedLine, line_at, price
from scf.offers.service import LINE, QUOTE, headline
from scf.programmes.terms import Terms
from scf.risk import remaking
from scf.risk.pricing import components_of
from scf.risk.remaking import Remade

_BP: Final = 10_000
_PPM_PER_BP: Final = 100
_MONEY: Final = (
    "face_minor", "discount_minor", "fee_minor", "reserve_minor", "tax_minor", "interest_minor",
    "net_minor",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Repriced:
    """Advances priced again: each with the making of its price, and the whole in money."""

    advances: tuple[Any, ...]
    made: tuple[Remade, ...]
    lines: tuple[PricedLine, ...]  # none where the policy gives no such price
    price: Price | None

    @property
    def changes(self) -> bool:
        """Whether any rate is another than now."""
        return any(one.after.rate_bp != one.before.rate_bp for one in self.made)


def reprice(conn: Connection, terms: Terms, advances: Sequence[Any], shift_bp: int) -> Repriced:
    """Work out what advances would bring with so much on the policy's margin; stores nothing.

    Raises
    ------
    RuleViolation
        PRICE_BY_CONTRACT where the rate is agreed and not worked out from risk.
    """
    found = remaking.remake(conn, [one.quote_line_id for one in advances], shift_bp)
    if not advances or len(found) != len(advances):
        raise RuleViolation(
            "PRICE_BY_CONTRACT",
            "The rate is agreed in the programme; another one is a new version.",
        )
    made = tuple(found[one.quote_line_id] for one in advances)
    if any(one.refusal for one in made):
        return Repriced(tuple(advances), made, (), None)
    lines = tuple(_line(terms, one, again) for one, again in zip(advances, made, strict=True))
    return Repriced(tuple(advances), made, lines, price(terms, lines))


def _line(terms: Terms, advance: Any, made: Remade) -> PricedLine:  # noqa: ANN401 - a row
    return line_at(
        terms,
        terms.currency[advance.currency],
        face=advance.face_minor,
        start=advance.value_on,
        settle_on=advance.due_on,
        rate=Fraction(made.after.rate_bp or 0, _BP),
        margin_ppm=(made.after.bp("margin") + made.after.bp("floor_addon")) * _PPM_PER_BP,
    )


def propose(ctx: Context, quote: Row[Any], again: Repriced) -> tuple[str, list[str]]:
    """Keep a quote made again; only officers see it yet. Gives its id and those of its lines."""
    if again.price is None:
        msg = "a price that the policy does not give has been refused"
        raise AssertionError(msg)
    rate_percent, rate_ppm, margin_ppm = headline(again.price)
    top = max(again.made, key=lambda one: one.after.rate_bp or 0)
    row = {
        **quote._mapping,  # noqa: SLF001 - the documented way to a row's columns
        "id": new_id(),
        "state": "PROPOSED",
        **{name: getattr(again.price, name) for name in (*_MONEY, "all_in_ppm", "effective_ppm")},
        "rate_percent": rate_percent,
        "rate_ppm": rate_ppm,
        "margin_ppm": margin_ppm,
        "rungs": top.rungs(),
        "what_ifs": [],  # those were of the price that was asked for
        "inputs_digest": digest([quote.inputs_digest, top.inputs.margin_shift_bp]),
        "instead_of": quote.instead_of or quote.id,
        "created_by": ctx.actor.user_id,
        "created_at": ctx.now,
    }
    ctx.conn.execute(insert(QUOTE), row)
    lines = [_stored(ctx, row["id"], again, place) for place in range(len(again.lines))]
    pairs = [(made, line["id"]) for made, line in zip(again.made, lines, strict=True)]
    for line, assessment_id in zip(lines, remaking.store(ctx, pairs), strict=True):
        line["assessment_id"] = assessment_id
    ctx.conn.execute(insert(LINE), lines)
    ctx.change("quote", row["id"], None, {"state": "PROPOSED", "instead_of": row["instead_of"]})
    return row["id"], [line["id"] for line in lines]


def _stored(ctx: Context, quote_id: str, again: Repriced, place: int) -> dict[str, Any]:
    advance, line, made = again.advances[place], again.lines[place], again.made[place]
    before = ctx.conn.execute(select(LINE).where(LINE.c.id == advance.quote_line_id)).one()
    return {
        **before._mapping,  # noqa: SLF001 - the documented way to a row's columns
        "id": new_id(),
        "quote_id": quote_id,
        "place": place,
        **{name: getattr(line, name) for name in _MONEY},
        "rate_percent": line.rate_percent,
        "margin_ppm": line.margin_ppm,
        "components": components_of(made.after),
    }


def move(ctx: Context, quote_ids: Sequence[str], state: str, **columns: object) -> None:
    """Let quotes made again be offered, used or withdrawn."""
    done = ctx.conn.execute(
        update(QUOTE)
        .where(QUOTE.c.id.in_(quote_ids), QUOTE.c.state.in_(["PROPOSED", "OFFERED"]))
        .values(state=state, **columns)
        .returning(QUOTE.c.id)
    )
    for row in done.all():
        ctx.change("quote", row.id, None, {"state": state})
