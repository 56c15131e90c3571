"""Invoices to pairs to firms: the sums that the features of a price are worked out from.

The same definitions as ``scf.risk.facts``, which is held against this on random books: whole
numbers, windows of 13 and 52 weeks that end before the morning, nothing that was not known on it.
"""

from typing import Any, Final

from scf.risk.batch.layout import NO
from scf.risk.facts import LATE_AFTER, RECENT, WEEKS_13, WEEKS_52, YEAR

_WEEK: Final = 7
_SATURDAY, _SUNDAY = 5, 6
_THURSDAY: Final = 3  # of the first day of 1970, counted from Monday


def pairs(items: Any, t: int) -> Any:  # noqa: ANN401 - tables of ibis
    """Add the invoices of each seller and buyer up.

    Parameters
    ----------
    items
        Invoices without those that were set aside.
    t
        The morning, as days since 1970.
    """
    rows = _days_late(items, t)
    due, issued = rows.due_on, rows.issued_on
    owed = (rows.net > 0) & due.notnull()
    fell_due = owed & due.between(t - YEAR, t - LATE_AFTER - 1)
    late = fell_due & (rows.late_by > LATE_AFTER)
    lately = owed & (due >= t - RECENT) & (due < t)
    before = owed & (due >= t - YEAR) & (due < t - RECENT)
    settled = owed & rows.settled_on.notnull()
    counted = settled & (rows.settled_on >= t - YEAR)
    still_open = owed & rows.settled_on.isnull() & rows.material
    done = rows.closed_known_on.notnull() & (rows.closed_known_on >= t - YEAR)

    def since(end: int, days: int) -> Any:  # noqa: ANN401
        return (issued >= end - days) & (issued < end)

    def total(values: Any, where: Any) -> Any:  # noqa: ANN401
        return values.sum(where=where.fill_null(NO)).cast("int64").fill_null(0)

    def number(where: Any) -> Any:  # noqa: ANN401
        return rows.count(where=where.fill_null(NO))

    found = rows.group_by("seller", "buyer").aggregate(
        invoices=rows.count(),
        base=rows.base.sum().cast("int64"),
        first_on=issued.min(),
        last_on=issued.max(),
        receivable=rows.kept.sum().cast("int64"),
        due_minor=total(rows.net, fell_due),
        due_items=number(fell_due),
        late_minor=total(rows.net, late),
        late_items=number(late),
        worst=rows.late_by.max(where=still_open.fill_null(NO)).fill_null(0),
        lately_days=total(rows.late_by, lately),
        lately_items=number(lately),
        before_days=total(rows.late_by, before),
        before_items=number(before),
        first_settled=rows.settled_known_on.min(where=settled.fill_null(NO)),
        settled_items=number(settled),
        counted_days=total(rows.net * rows.late_by, counted),
        counted_minor=total(rows.net, counted),
        counted_items=number(counted),
        sold_13=total(rows.sold, since(t, WEEKS_13)),
        sold_13_then=total(rows.sold, since(t - WEEKS_52, WEEKS_13)),
        sold_52=total(rows.sold, since(t, WEEKS_52)),
        sold_year=total(rows.sold, since(t, YEAR)),
        closed_minor=total(rows.base, done),
        closed_items=number(done),
        diluted=total(rows.diluted, done),
    )
    import ibis

    return found.mutate(credited_minor=ibis.least(found.diluted, found.closed_minor)).drop(
        "diluted"
    )


def _days_late(items: Any, t: int) -> Any:  # noqa: ANN401
    """Put the days past due beside each invoice: as paid, or as it stands open on day t."""
    import ibis

    due = items.due_on
    weekday = ((due + _THURSDAY) % _WEEK + _WEEK) % _WEEK
    rolled = due + ibis.cases((weekday == _SATURDAY, 2), (weekday == _SUNDAY, 1), else_=0)
    until = ibis.coalesce(items.settled_on, ibis.literal(t, "int64"))
    counts = (until > rolled) & (items.settled_on.notnull() | items.material)
    late_by = ibis.ifelse(counts.fill_null(NO), until - due, 0)
    return items.mutate(late_by=late_by.cast("int64"))


_AS_BUYER: Final = (
    "due_minor", "due_items", "late_minor", "lately_days", "lately_items", "before_days",
    "before_items", "settled_items", "counted_days", "counted_minor", "counted_items",
)  # fmt: skip
_AS_SELLER: Final = ("sold_13", "sold_13_then", "sold_52", "sold_year")


def firms(found: Any) -> Any:  # noqa: ANN401
    """Add the pairs of each firm up, as debtor and as seller."""

    def whole(value: Any) -> Any:  # noqa: ANN401
        return value.cast("int64").fill_null(0)

    owing = found.group_by(number=found.buyer).aggregate(
        worst=whole(found.worst.max()),
        first_settled=found.first_settled.min(),
        **{name: whole(found[name].sum()) for name in _AS_BUYER},
    )
    sold = found.sold_52 > 0
    selling = found.group_by(number=found.seller).aggregate(
        buyers=whole(found.count(where=sold)),
        late_buyers=whole(found.count(where=sold & (found.late_items > 0))),
        largest=whole(found.sold_52.max()),
        **{name: whole(found[name].sum()) for name in _AS_SELLER},
    )
    both = owing.outer_join(selling, "number")
    import ibis

    sums = (*_AS_BUYER, "worst", "buyers", "late_buyers", "largest", *_AS_SELLER)
    return both.select(
        number=ibis.coalesce(both.number, both.number_right),
        first_settled=both.first_settled,
        **{name: both[name].fill_null(0) for name in sums},
    )
