"""The supply chain around a firm, as known before the day of its snapshot.

The bank sees the chain of any firm in full. Other firms see their own direct partners; an anchor
also how many firms stand deeper, from five on.
"""

import datetime as dt
from fractions import Fraction

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from scf.chain import service, views
from scf.chain.standing import standing_of
from scf.db.types import Currency, Ppm
from scf.kernel.actor import Actor
from scf.kernel.rates import PPM, round_half_up
from scf.reporting import whatif as book
from scf.risk import whatif
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, run
from web.context import actor, platform

resource = Blueprint("chain_of_firm", __name__)


class ChainFirm(Answer):
    """A firm by its steps from the one asked for: suppliers positive, customers negative.

    Tiers count from the anchors and are the bank's to see; null where no anchor is reached.
    """

    id: str
    name: str
    level: int
    tier_up: int | None
    tier_down: int | None
    in_circle: bool | None


class ChainRelation(Answer):
    """What one firm sold another; ``payments`` is null where only the buyer may read it."""

    seller_id: str
    buyer_id: str
    sales_52w: Amount
    sales_13w: Amount
    orders_52w: Amount
    invoices_52w: Amount
    payments_52w: Amount | None
    open: Amount
    overdue: Amount
    overdue_days: int
    last_on: dt.date | None


class ChainShare(Answer):
    """How one side of the firm's trade spreads over partners, within one currency."""

    side: str
    total: Amount
    partners: int
    hhi: float
    top_id: str
    top_share: float


class ChainCount(Answer):
    """How many firms stand on a level of which no name is shown; null: fewer than five."""

    level: int
    firms: int | None


class ChainPlace(Answer):
    """Where the firm stands in the whole chain, by its weight, core, community and who needs it.

    ``cut_off_without_it`` firms reach no anchor without it; ``must_pass_id`` is the nearest firm
    that its own goods must pass on their way to one.
    """

    firms: int
    weight_rank: int
    core: int
    deepest_core: int
    community_firms: int
    cut_off_without_it: int
    must_pass_id: str | None


class ChainOut(Answer):
    """A firm's chain. ``complete`` is false when too many firms were within reach.

    ``place`` is the bank's to see, null for others.
    """

    firm_id: str
    as_of_on: dt.date
    place: ChainPlace | None
    firms: list[ChainFirm]
    relations: list[ChainRelation]
    concentration: list[ChainShare]
    deeper: list[ChainCount]
    complete: bool


class ChainQuery(BaseModel):
    """How many steps towards suppliers and customers; ``on`` looks back to the chain of a day."""

    model_config = ConfigDict(extra="forbid")
    up: int = Field(default=1, ge=0, le=5)
    down: int = Field(default=1, ge=0, le=5)
    on: dt.date | None = None


@endpoint(resource, "GET", "/chain/<firm_id>", action="graph.read", answer=ChainOut)
def show_chain(firm_id: str, query: ChainQuery) -> ChainOut:
    """Show the firms and relations around a firm."""
    who = actor()
    with platform().db.snapshot() as conn:
        seen = views.chain_of(conn, who, firm_id, query.up, query.down, on=query.on)
        place = _place(conn, who, seen) if seen.full else None
    return ChainOut(
        firm_id=firm_id,
        as_of_on=seen.as_of_on,
        place=place,
        firms=[_firm(seen, one) for one in sorted(seen.level, key=lambda f: (-seen.level[f], f))],
        relations=[_relation(one) for one in seen.relations],
        concentration=[
            ChainShare(
                side=one.side,
                total=amount(one.total_minor, one.currency),
                partners=one.partners,
                hhi=one.hhi,
                top_id=one.top_id,
                top_share=one.top_share,
            )
            for one in views.concentrations(seen.relations, firm_id)
        ],
        deeper=[ChainCount(level=one.level, firms=one.firms) for one in seen.deeper],
        complete=seen.complete,
    )


def _place(conn: Connection, who: Actor, seen: views.ChainView) -> ChainPlace | None:
    snapshot = service.latest_snapshot(conn, who.org_id, on=seen.as_of_on)
    found = standing_of(conn, snapshot, seen.firm_id)
    if found is None:
        return None
    return ChainPlace(
        firms=found.firms,
        weight_rank=found.rank,
        core=found.core,
        deepest_core=found.deepest,
        community_firms=found.community,
        cut_off_without_it=found.behind,
        must_pass_id=found.through,
    )


class LookBackIn(BaseModel):
    """The day whose chain is put together, before the newest snapshot."""

    model_config = ConfigDict(extra="forbid")
    as_of_on: dt.date


class SnapshotOut(Answer):
    """A snapshot of the chain; ``built`` is false when it was there already."""

    snapshot_id: str
    as_of_on: dt.date
    firms: int
    relations: int
    digest: str
    built: bool


@endpoint(
    resource, "POST", "/chain/snapshots", action="graph.look_back", answer=SnapshotOut, status=201
)
def look_back(json: LookBackIn) -> tuple[SnapshotOut, int]:
    """Put together the chain of a past day from what was stored before that day began."""
    made = run("graph.look_back", json).result
    return SnapshotOut(**{name: made[name] for name in SnapshotOut.model_fields}), 201


def _firm(seen: views.ChainView, firm_id: str) -> ChainFirm:
    node = seen.nodes.get(firm_id)
    return ChainFirm(
        id=firm_id,
        name=seen.names.get(firm_id, ""),
        level=seen.level[firm_id],
        tier_up=node.tier_up if node else None,
        tier_down=node.tier_down if node else None,
        in_circle=node.circle_id is not None if node else None,
    )


def _relation(one: views.Relation) -> ChainRelation:
    currency: Currency = one.currency
    return ChainRelation(
        seller_id=one.seller_id,
        buyer_id=one.buyer_id,
        sales_52w=amount(one.sales_52w_minor, currency),
        sales_13w=amount(one.sales_13w_minor, currency),
        orders_52w=amount(one.orders_52w_minor, currency),
        invoices_52w=amount(one.invoices_52w_minor, currency),
        payments_52w=(
            None if one.payments_52w_minor is None else amount(one.payments_52w_minor, currency)
        ),
        open=amount(one.open_minor, currency),
        overdue=amount(one.overdue_minor, currency),
        overdue_days=one.overdue_days,
        last_on=one.last_on,
    )


class WhatIfQuery(BaseModel):
    """What happens to the firm: it fails, pays so many days late, or falls by so many grades."""

    model_config = ConfigDict(extra="forbid")
    event: whatif.Event = "fails"
    days: int = Field(default=30, ge=1, le=whatif.MOST_DAYS_LATE)
    notches: int = Field(default=1, ge=1, le=whatif.MOST_NOTCHES)


class WhatIfFirm(Answer):
    """A firm whose default becomes likelier, the way on which it is reached, what it has open."""

    firm_id: str
    pd_before_ppm: Ppm
    pd_after_ppm: Ppm
    grade_before: str
    grade_after: str
    receivable: Amount
    path: list[str]


class WhatIfOpen(Answer):
    """A supplier with something open on the firm that hardly feels its trouble."""

    firm_id: str
    receivable: Amount


class WhatIfShort(Answer):
    """A firm that leaves more unpaid than it would otherwise, from the week given on."""

    firm_id: str
    week: int
    unpaid_before: Amount
    unpaid_after: Amount


class WhatIfClaim(Answer):
    """What is out on a firm: owed by it, and with recourse to it as seller."""

    firm_id: str
    owed: Amount
    recourse: Amount


class WhatIfLimit(Answer):
    """A limit from which something is taken and that would allow nothing more."""

    id: str
    kind: str
    subject_id: str
    firm_id: str
    taken: Amount
    limit: Amount


class WhatIfOut(Answer):
    """What becomes of others; nothing is changed by asking.

    Amounts between firms are euros at planning rates, those of the bank in their own currency.
    ``change_micro`` is the sum of all rises, ``rest_micro`` the part of it in firms whose rise is
    too small to be listed: millionths of an expected failure.
    """

    firm_id: str
    snapshot_id: str
    as_of_on: dt.date
    event: whatif.Event
    size: int
    grade_before: str
    grade_after: str
    firms: list[WhatIfFirm]
    change_micro: int
    rest_micro: int
    receivable: Amount
    quiet: list[WhatIfOpen]
    short: list[WhatIfShort]
    put_off: Amount
    claims: list[WhatIfClaim]
    limits: list[WhatIfLimit]


@endpoint(resource, "GET", "/chain/<firm_id>/what-if", action="graph.explore", answer=WhatIfOut)
def show_what_if(firm_id: str, query: WhatIfQuery) -> WhatIfOut:
    """Say whom a firm's trouble reaches, what is out on them, and which limits would be over."""
    who = actor()
    size = {"late": query.days, "downgrade": query.notches}.get(query.event, 0)
    with platform().db.read(who) as session:
        asked = book.ask(session, who.org_id, firm_id, query.event, size)
    found = asked.found
    return WhatIfOut(
        firm_id=firm_id,
        snapshot_id=found.snapshot_id,
        as_of_on=found.as_of_on,
        event=found.event,
        size=found.size,
        grade_before=found.grade_before,
        grade_after=found.grade_after,
        firms=[
            WhatIfFirm(
                firm_id=one.firm_id,
                pd_before_ppm=_micro(one.pd_before),
                pd_after_ppm=_micro(one.pd_after),
                grade_before=one.grade_before,
                grade_after=one.grade_after,
                receivable=amount(one.receivable_minor, whatif.PLANNING),
                path=list(one.path),
            )
            for one in found.moved
        ],
        change_micro=_micro(found.total),
        rest_micro=_micro(found.rest),
        receivable=amount(found.receivable_minor, whatif.PLANNING),
        quiet=[
            WhatIfOpen(firm_id=firm, receivable=amount(cents, whatif.PLANNING))
            for firm, cents in found.quiet
        ],
        short=[
            WhatIfShort(
                firm_id=one.firm_id,
                week=one.week,
                unpaid_before=amount(one.before_minor, whatif.PLANNING),
                unpaid_after=amount(one.after_minor, whatif.PLANNING),
            )
            for one in found.short
        ],
        put_off=amount(found.put_off_minor, whatif.PLANNING),
        claims=[
            WhatIfClaim(
                firm_id=one.firm_id,
                owed=amount(one.owed_minor, one.currency),
                recourse=amount(one.recourse_minor, one.currency),
            )
            for one in asked.claims
        ],
        limits=[
            WhatIfLimit(
                id=one.line.id,
                kind=one.line.kind,
                subject_id=one.line.subject_id,
                firm_id=one.firm_id,
                taken=amount(one.line.taken_minor, one.line.currency),
                limit=amount(one.line.limit_minor, one.line.currency),
            )
            for one in asked.over
        ],
    )


def _micro(value: float) -> int:
    return round_half_up(Fraction(value) * PPM)
