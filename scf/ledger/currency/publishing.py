"""Commands on exchange rates: one person records or uploads them, another confirms."""

import datetime as dt
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, select, update
from sqlalchemy.engine import Connection

from scf.db import bulk
from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.types import Currency, Id
from scf.db.visibility import not_found
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed
from scf.kernel.findings import shown
from scf.kernel.ids import digest, new_id
from scf.kernel.money import exponent
from scf.ledger.currency.books import BOOK, PUBLICATION, RATE, locked
from scf.ledger.currency.ecb import SOURCE, read_rates
from scf.ledger.currency.models import RatePublication
from scf.ledger.currency.rates import parse_rate
from scf.parties.service import business_date, financier_only, same_person

MAX_AT_ONCE: Final = 20_000  # more than ninety days of every currency
_COLUMNS: Final = ("id", "org_id", "publication_id", "base", "quote", "fixed_on", "rate")

constraint_means(
    "uq_publication_known",
    "fx_publication.org_id, fx_publication.known_no",
    lambda: Conflict("RACED", "Somebody else has just made the same; read it and try again."),
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class OneRate(_Input):
    """One unit of ``base`` is ``rate`` units of ``quote``, as text with its published digits."""

    base: Currency
    quote: Currency
    fixed_on: dt.date
    rate: str = Field(max_length=40)


class AddRates(_Input):
    """Rates of one publication, and whose they are; a file by its name and fingerprint."""

    source: str = Field(pattern=r"^[A-Z0-9-]{2,20}$")
    rates: list[OneRate] = Field(min_length=1, max_length=MAX_AT_ONCE)
    file_name: str = Field(default="", max_length=200)
    sha256: str = Field(default="", pattern=r"^(?:[0-9a-f]{64})?$")


def rates_of_file(data: bytes, name: str, currencies: Iterable[str] = ()) -> AddRates:
    """Read a publication of the European Central Bank into what ``rates.add`` takes.

    Raises
    ------
    InvalidInput
        What ``read_rates`` refuses; RATES_TOO_MANY for more than go in one publication.
    """
    rows = read_rates(data, frozenset(currencies))
    if len(rows) > MAX_AT_ONCE:
        raise InvalidInput(
            "RATES_TOO_MANY",
            "The file has %(measured)s rates; %(limit)s are taken at once. Name the currencies.",
            measured=len(rows),
            limit=MAX_AT_ONCE,
        )
    rates = [
        OneRate(base=base, quote=quote, fixed_on=day, rate=text) for base, quote, day, text in rows
    ]
    return AddRates(
        source=SOURCE, rates=rates, file_name=shown(name), sha256=sha256(data).hexdigest()
    )


class ConfirmRates(_Input):
    """A publication that another person recorded; ``seen`` is the digest of what was read."""

    publication_id: Id
    seen: str = Field(max_length=64)


class RefuseRates(_Input):
    """A publication that nobody has confirmed and that is wrong, and why."""

    publication_id: Id
    reason: str = Field(min_length=3, max_length=1000)


@command("rates.add", AddRates)
def add_rates(ctx: Context, data: AddRates) -> dict[str, Any]:
    """Published exchange rates are recorded; books follow them once a second person confirms.

    What stands already with the same digits is left out. A rate that stands is never edited:
    another one for its day supersedes it when it is confirmed.

    Raises
    ------
    NotAllowed
        FINANCIER_ONLY.
    InvalidInput
        RATE_FORMAT, RATE_RANGE, RATE_PAIR, RATE_DAY (in the future), RATES_TWICE.
    """
    org_id = financier_only(ctx.conn, ctx.actor)
    last = max(business_date(ctx.conn, org_id), ctx.now.date())
    rows: dict[tuple[str, str, dt.date], str] = {}
    for one in data.rates:
        exponent(one.base)
        exponent(one.quote)
        if one.base == one.quote:
            raise InvalidInput("RATE_PAIR", "A rate is between two currencies.", base=one.base)
        if one.fixed_on > last:
            raise InvalidInput(
                "RATE_DAY",
                "%(fixed_on)s has not come yet.",
                fixed_on=one.fixed_on.isoformat(),
            )
        key = one.base, one.quote, one.fixed_on
        if key in rows or (one.quote, one.base, one.fixed_on) in rows:
            raise InvalidInput(
                "RATES_TWICE",
                "%(base)s and %(quote)s have two rates for %(fixed_on)s.",
                base=one.base,
                quote=one.quote,
                fixed_on=one.fixed_on.isoformat(),
            )
        rows[key] = parse_rate(one.rate)
    known = _standing(ctx, org_id, data.source, [day for _base, _quote, day in rows])
    new = {key: rate for key, rate in rows.items() if known.get(key) != rate}
    if not new:
        return {"id": None, "rates": 0, "superseding": 0, "waits_for_second": False, "seen": ""}
    publication = {
        "id": new_id(),
        "org_id": org_id,
        "source": data.source,
        "file_name": data.file_name,
        "sha256": data.sha256,
        "rates": len(new),
        "state": "WAITING",
        "added_by": ctx.actor.user_id,
        "created_at": ctx.now,
        "decided_by": None,
        "decided_at": None,
        "why": None,
        "known_no": None,
    }
    ctx.conn.execute(PUBLICATION.insert(), publication)
    bulk.insert_rows(
        ctx.conn,
        RATE,
        _COLUMNS,
        [(new_id(), org_id, publication["id"], *key, rate) for key, rate in new.items()],
    )
    seen = seen_of(org_id, data.source, new)
    ctx.change(
        "fx_publication",
        str(publication["id"]),
        None,
        {"source": data.source, "rates": len(new), "seen": seen, "counts": False},
    )
    return {
        "id": publication["id"],
        "rates": len(new),
        "superseding": sum(1 for key in new if key in known),
        "waits_for_second": True,
        "seen": seen,
    }


def _standing(
    ctx: Context, org_id: str, source: str, days: Sequence[dt.date]
) -> dict[tuple[str, str, dt.date], str]:
    rows = ctx.conn.execute(
        select(RATE.c.base, RATE.c.quote, RATE.c.fixed_on, RATE.c.rate)
        .join(PUBLICATION, PUBLICATION.c.id == RATE.c.publication_id)
        .where(
            RATE.c.org_id == org_id,
            RATE.c.fixed_on.between(min(days), max(days)),
            PUBLICATION.c.source == source,
            PUBLICATION.c.state == "CONFIRMED",
        )
        .order_by(PUBLICATION.c.known_no)  # the newest last, which stands
    )
    return {(row.base, row.quote, row.fixed_on): row.rate for row in rows}


def seen_of(org_id: str, source: str, rates: dict[tuple[str, str, dt.date], str]) -> str:
    """Return the fingerprint of what a second person reads before confirming."""
    lines = [[*map(str, key), rate] for key, rate in sorted(rates.items())]
    return digest({"org": org_id, "source": source, "rates": lines})


def rates_in(
    conn: Connection, publication_id: str, org_id: str
) -> dict[tuple[str, str, dt.date], str]:
    """Return the rates of an organisation's publication by base, quote and day.

    Raises
    ------
    NotFound
        When it has no such publication.
    """
    rows = conn.execute(
        select(RATE).where(RATE.c.publication_id == publication_id, RATE.c.org_id == org_id)
    )
    found = {(row.base, row.quote, row.fixed_on): row.rate for row in rows}
    if not found:
        raise not_found("fx_publication", publication_id)
    return found


@command("rates.confirm", ConfirmRates)
def confirm_rates(ctx: Context, data: ConfirmRates) -> dict[str, Any]:
    """A second person has seen the publication: books follow it from now on.

    Raises
    ------
    NotAllowed
        FOUR_EYES for who recorded it.
    NotFound
        When the financier has no such publication.
    Conflict
        NOTHING_WAITS when it is decided already; STALE when something else was read.
    """
    row = ctx.visible(RatePublication, data.publication_id)
    if same_person(ctx.conn, ctx.actor.user_id, [row.added_by]):
        raise NotAllowed("FOUR_EYES", "Another person confirms what you have recorded.")
    book = locked(ctx, row.org_id)
    if data.seen != seen_of(row.org_id, row.source, rates_in(ctx.conn, row.id, row.org_id)):
        raise Conflict("STALE", "The value has changed since it was read.")
    number = book.rates_known + 1
    after = _decide(ctx, row.id, state="CONFIRMED", known_no=number)
    ctx.conn.execute(update(BOOK).where(BOOK.c.id == row.org_id).values(rates_known=number))
    ctx.change("fx_publication", row.id, {"counts": False}, {"counts": True, "seen": data.seen})
    return shown_publication(after)


@command("rates.refuse", RefuseRates)
def refuse_rates(ctx: Context, data: RefuseRates) -> dict[str, Any]:
    """A publication that never counted is struck out.

    Raises
    ------
    NotFound
        When the financier has no such publication.
    Conflict
        NOTHING_WAITS when it is decided already.
    """
    row = ctx.visible(RatePublication, data.publication_id)
    after = _decide(ctx, row.id, state="REFUSED", why=data.reason)
    ctx.change("fx_publication", row.id, {"state": "WAITING"}, {"state": "REFUSED"})
    return shown_publication(after)


def _decide(ctx: Context, publication_id: str, **values: Any) -> Row[Any]:  # noqa: ANN401
    after = ctx.conn.execute(
        update(PUBLICATION)
        .where(PUBLICATION.c.id == publication_id, PUBLICATION.c.state == "WAITING")
        .values(decided_by=ctx.actor.user_id, decided_at=ctx.now, **values)
        .returning(PUBLICATION)
    ).one_or_none()
    if after is None:
        raise Conflict(
            "NOTHING_WAITS", "These rates are decided already.", publication_id=publication_id
        )
    return after


def shown_publication(row: Any) -> dict[str, Any]:  # noqa: ANN401 - row or record
    """Give a publication as commands answer it."""
    return {
        "id": row.id,
        "source": row.source,
        "rates": row.rates,
        "state": row.state,
        "waits_for_second": row.state == "WAITING",
    }
