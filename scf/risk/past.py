"""All that was known of firms and their trade, as the dated events that features are read from.

Every dated fact of an invoice becomes what it changed, with the day from which it was known, so
that one reading answers for every day before: ``features(events, t)`` of the whole book is that of
the book as it stood on the morning of t. Nothing here is stored. Source: pricing.md section 4.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from scf.kernel.rates import PPM
from scf.risk import items
from scf.risk.appetite import Appetite
from scf.risk.asof import AsOf
from scf.risk.firmfacts import FACT
from scf.risk.items import NO_DAY, Told, day_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from scoring.features import Changes, Events, Failures, Foundings, Invoices, Statements

    Ints = NDArray[np.int64]

DEFAULT_AFTER: Final = 90  # days past due, of what matters and is not contested
CLEAN: Final = 90  # days without such arrears after which a firm has come back
NEVER: Final = 2**31 - 1


@dataclass(frozen=True)
class Past:
    """What was known on a morning, in whole.

    ``spells`` are the times in which each firm was in default: its number, the first day on whose
    morning that was known, and the first on which it no longer counted (:data:`NEVER` while it
    lasts), in the order of firms and days.
    """

    firms: tuple[str, ...]
    events: "Events"
    spells: "tuple[Ints, Ints, Ints]"

    def in_default(self, t: int) -> "NDArray[np.bool_]":
        """Say of each firm whether it is in default on the morning of a day."""
        import numpy as np

        firm, start, end = self.spells
        found = np.zeros(len(self.firms), np.bool_)
        found[firm[(start <= t) & (t < end)]] = True
        return found

    def first_default(self, t: int) -> "Ints":
        """Give the days from a morning to each firm's next default; :data:`NEVER` without one."""
        import numpy as np

        firm, start, _ = self.spells
        found = np.full(len(self.firms), NEVER, np.int64)
        later = start > t
        np.minimum.at(found, firm[later], start[later] - t)
        return found


def past_of(conn: Connection, morning: AsOf, appetite: Appetite) -> Past:
    """Read everything that was known on a morning, of all firms."""
    import numpy as np

    from scoring.features import Events

    facts, said = items.told(conn, morning, appetite), _said(conn, morning, appetite)

    # An invoice enters with the first fact with which it counts.
    numbers = np.arange(len(facts.known))
    entered = np.full(len(facts.ends), NEVER, np.int64)
    np.minimum.at(entered, facts.group[facts.counts], numbers[facts.counts])
    kept = np.flatnonzero(entered < NEVER)
    first = entered[kept]
    firms = tuple(
        sorted(
            {row.firm_id for row in said}
            | {facts.seller[row] for row in first.tolist()}
            | {facts.buyer[row] for row in first.tolist()}
        )
    )
    number = {firm: place for place, firm in enumerate(firms)}
    buyer = np.array([number[facts.buyer[row]] for row in first.tolist()], np.int64)
    place = np.full(len(facts.ends), -1, np.int64)
    place[kept] = np.arange(len(kept))
    row_of = place[facts.group]  # the invoice that each fact is of, -1 if it never counts
    # Facts before the one that it enters with are in that one.
    rows = np.flatnonzero((row_of >= 0) & (numbers >= entered[facts.group]))
    spells = spells_of(facts, rows, buyer[row_of[rows]], day_number(morning.on))
    events = Events(
        len(firms),
        _invoices(facts, first, number, buyer),
        _changes(facts, rows, row_of[rows], first),
        *_of_firms(said, number, morning, appetite),
        _failures(spells),
    )
    return Past(firms, events, spells)


def _invoices(facts: Told, first: "Ints", number: dict[str, int], buyer: "Ints") -> "Invoices":
    import numpy as np

    from scoring.features import Invoices

    due = facts.due[first]
    return Invoices(
        seller=np.array([number[facts.seller[row]] for row in first.tolist()], np.int64),
        buyer=buyer,
        amount=facts.cents(facts.base)[first],
        issued=facts.issued[first],
        due=np.where(due == NO_DAY, NEVER, due),
        known=facts.known[first],
    )


def _changes(facts: Told, rows: "Ints", invoice: "Ints", first: "Ints") -> "Changes":
    """Give what each fact changed against the one before it, in the order of storing."""
    import numpy as np

    from scoring.features import (
        AMENDED,
        CONCEDED,
        CREDITED,
        DISPUTED,
        MOVED,
        PAID,
        SOLD,
        UNDERTAKEN,
        Changes,
    )

    enters = np.isin(rows, first)
    due = np.where(facts.due == NO_DAY, NEVER, facts.due)
    # What no longer counts is worth nothing, and what counts again is worth what it says.
    worth = np.where(facts.counts, facts.base, 0)
    sold = np.maximum(facts.outstanding - facts.recourse, 0)
    on = np.where(facts.paid_on == NO_DAY, facts.known, facts.paid_on)

    def told(kind: int, minor: "Ints", at: "Ints", *, before: int | None = 0) -> Any:  # noqa: ANN401
        value = minor[rows]
        earlier = np.concatenate((np.zeros(1, np.int64), value[:-1]))[: len(value)]
        moved = value - np.where(enters, value if before is None else before, earlier)
        some = np.flatnonzero(moved)
        return rows[some], invoice[some], np.full(len(some), kind, np.int8), moved[some], at

    groups = [
        told(PAID, facts.cents(facts.paid), on),
        told(CREDITED, facts.cents(facts.credited), on),
        told(DISPUTED, facts.cents(facts.disputed), on),
        told(CONCEDED, facts.cents(facts.conceded), on),
        told(SOLD, facts.cents(sold), on),
        told(UNDERTAKEN, facts.ipu.astype(np.int64), on),
        told(MOVED, due, due, before=None),
        told(AMENDED, facts.cents(worth), on, before=None),
    ]
    row, which, kind, amount = (np.concatenate([group[at] for group in groups]) for at in range(4))
    days = np.concatenate([group[4][group[0]] for group in groups])
    order = np.argsort(row, kind="stable")
    return Changes(
        invoice=which[order],
        kind=kind[order],
        amount=amount[order],
        on=days[order],
        known=facts.known[row[order]],
    )


def spells_of(facts: Told, rows: "Ints", debtor: "Ints", today: int) -> "tuple[Ints, Ints, Ints]":
    """Find when firms were in default, each day by what was known on its morning.

    A payment that is told late ends a default on the day after it was told: that it had been one
    until then stays.
    """
    import numpy as np

    ends_here = np.append(facts.group[rows][1:] != facts.group[rows][:-1], True)[: len(rows)]
    known = facts.known[rows]
    until = np.where(ends_here, NEVER, np.append(known[1:], 0)[: len(rows)] + 1)
    net = facts.base - facts.credited - facts.disputed
    owed = np.maximum(net - facts.paid, 0)[rows]
    since = np.maximum(known, facts.due[rows] + DEFAULT_AFTER) + 1
    bad = facts.counts[rows] & (owed > facts.crumb[rows]) & (facts.due[rows] != NO_DAY)
    bad &= (since < until) & (since <= today)
    firm, since, until = debtor[bad], since[bad], until[bad]
    order = np.lexsort((until, since, firm))
    firm, since, until = firm[order], since[order], until[order]
    if not len(firm):
        return firm, since, until
    # It is over when nothing of the kind was open for so long.
    over = items.running_max(np.minimum(until + CLEAN, NEVER), firm)
    new = np.append(True, (firm[1:] != firm[:-1]) | (since[1:] >= over[:-1]))
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(firm)) - 1
    return firm[first], since[first], over[last]


def _failures(spells: "tuple[Ints, Ints, Ints]") -> "Failures":
    from scoring.features import Failures

    firm, start, _ = spells
    return Failures(firm, start - 1)  # seen on the morning of its first day


# --- What officers know beside the trade ----------------------------------------------------------


def _said(conn: Connection, morning: AsOf, appetite: Appetite) -> list[Any]:
    rows = conn.execute(
        select(FACT)
        .where(
            FACT.c.financier_id == morning.financier_id,
            FACT.c.known_at < morning.before,
            FACT.c.kind.in_(("registry", "statement")),
        )
        .order_by(FACT.c.known_at, FACT.c.id)
    )
    return [row for row in rows if row.kind == "registry" or appetite.euros(row.currency)]


def _of_firms(
    said: list[Any], number: dict[str, int], morning: AsOf, appetite: Appetite
) -> "tuple[Statements, Foundings]":
    import numpy as np

    from scoring.features import Foundings, Statements

    # Of several statements the one of the latest period counts, as on the card.
    told = sorted(
        (row for row in said if row.kind == "statement"), key=lambda row: row.period_end_on
    )
    founded = [row for row in said if row.kind == "registry"]

    def known(rows: list[Any]) -> "Ints":
        return np.array([day_number(morning.day(row.known_at)) for row in rows], np.int64)

    def cents(name: str) -> "NDArray[np.float64]":
        return np.array(
            [float(getattr(row, name) * (appetite.euros(row.currency) or 0)) for row in told]
        )

    def firm(rows: list[Any]) -> "Ints":
        return np.array([number[row.firm_id] for row in rows], np.int64)

    return (
        Statements(
            firm=firm(told),
            revenue=cents("revenue_minor"),
            weekly_cost=cents("weekly_cost_minor"),
            liquid=cents("liquidity_minor"),
            equity_ratio=np.array([row.equity_ppm / PPM for row in told], np.float64),
            period_end=np.array([day_number(row.period_end_on) for row in told], np.int64),
            known=known(told),
        ),
        Foundings(
            firm=firm(founded),
            on=np.array([day_number(row.founded_on) for row in founded], np.int64),
            known=known(founded),
        ),
    )
