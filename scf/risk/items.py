"""What was known of every invoice before a morning, as columns: one row an invoice.

The dated facts of ``scf.documents`` are read in one statement, for all firms or for a few, and
folded with numpy; one firm and ten thousand take the same path.
"""

import datetime as dt
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Table, or_, select
from sqlalchemy.engine import Connection

from scf.documents.models import Invoice, InvoiceFact
from scf.kernel.money import exponent
from scf.risk.appetite import Appetite
from scf.risk.asof import AsOf

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

_FACT: Final[Table] = InvoiceFact.__table__  # type: ignore[attr-defined]
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_ACCEPTED: Final = frozenset({"ACCEPTED", "PART_ACCEPTED", "DEEMED"})
_GONE: Final = frozenset({"VOID", "SUPERSEDED"})
# Up to a hundredth of the item or five hundred units stay open without making it late.
_SMALL_SHARE: Final = 100
_SMALL_UNITS: Final = 500
NO_DAY: Final = -(2**31)
_EPOCH: Final = dt.date(1970, 1, 1).toordinal()

_COLUMNS: Final = (
    _FACT.c.invoice_id,
    _INVOICE.c.seller_id,
    _INVOICE.c.buyer_id,
    _INVOICE.c.currency,
    _INVOICE.c.issue_on,
    _FACT.c.document_state,
    _FACT.c.acceptance_state,
    _FACT.c.ipu,
    _FACT.c.due_on,
    _FACT.c.base_minor,
    _FACT.c.credited_minor,
    _FACT.c.disputed_minor,
    _FACT.c.conceded_minor,
    _FACT.c.paid_minor,
    _FACT.c.outstanding_minor,
    _FACT.c.recourse_minor,
    _FACT.c.paid_on,
    _FACT.c.known_at,
)


@dataclass(frozen=True)
class Items:
    """Invoices that count, in the order of their ids; days count from 1970, amounts are euro cents.

    An invoice counts once its debtor has accepted or paid something of it; before that it is only
    a seller's word. ``net`` is what is owed without credits and contested parts, ``rest`` what of
    it is unpaid. ``settled_on`` is the value date of the payment that left nothing that matters.
    """

    ids: tuple[str, ...]
    firms: tuple[str, ...]
    seller: "Ints"
    buyer: "Ints"
    issued: "Ints"
    due: "Ints"
    base: "Ints"
    net: "Ints"
    sold: "Ints"  # base less credits: what the seller made of it
    rest: "Ints"
    diluted: "Ints"  # credits, and what the buyer has won
    diluted_before: "Ints"  # what of it was there when the buyer first said or paid anything
    kept: "Ints"  # open and undisputed, and its risk is the seller's
    settled: "Bools"
    settled_on: "Ints"
    settled_known: "Ints"
    closed: "Bools"  # nothing that matters is owed any more, paid or credited
    closed_known: "Ints"
    material: "Bools"  # the rest is more than a crumb

    def index(self) -> dict[str, int]:
        """Give the number of each firm."""
        return {firm: number for number, firm in enumerate(self.firms)}

    def __len__(self) -> int:
        """Give the number of invoices."""
        return len(self.seller)


def load(
    conn: Connection, morning: AsOf, appetite: Appetite, firms: Collection[str] | None = None
) -> Items:
    """Read what was known; of some firms everything in which they are seller or buyer."""
    return _folded(told(conn, morning, appetite, firms))


def load_pair(
    conn: Connection, morning: AsOf, appetite: Appetite, seller_id: str, buyer_id: str
) -> Items:
    """Read what was known of one seller's invoices on one buyer."""
    both = (_INVOICE.c.seller_id == seller_id) & (_INVOICE.c.buyer_id == buyer_id)
    return _folded(_columns(_read(conn, morning, both), morning, appetite))


def day_number(day: dt.date) -> int:
    """Give the days since 1970."""
    return day.toordinal() - _EPOCH


@dataclass(frozen=True)
class Told:
    """Every dated fact that was known, one row a fact: by invoice, and as they were stored.

    Amounts are minor units of each invoice's own currency, days count from 1970; a ``due`` that
    nobody has said is :data:`NO_DAY`, and so is a ``paid_on`` of what is no payment.
    """

    ids: Sequence[str]
    seller: Sequence[str]
    buyer: Sequence[str]
    issued: "Ints"
    due: "Ints"
    base: "Ints"
    credited: "Ints"
    disputed: "Ints"
    conceded: "Ints"
    paid: "Ints"
    outstanding: "Ints"
    recourse: "Ints"
    ipu: "Bools"
    counts: "Bools"  # accepted or paid something of, and neither void nor replaced
    paid_on: "Ints"
    known: "Ints"
    crumb: "Ints"  # what may stay open without mattering
    euro: "NDArray[np.float64]"  # cents of one minor unit
    ends: "Ints"  # the last row of each invoice
    group: "Ints"  # the number of each row's invoice

    def cents(self, minor: "Ints") -> "Ints":
        """Give amounts, one a row, in euro cents."""
        import numpy as np

        return np.asarray(np.rint(minor * self.euro), dtype=np.int64)


def told(
    conn: Connection, morning: AsOf, appetite: Appetite, firms: Collection[str] | None = None
) -> Told:
    """Read the dated facts that were known, of all firms or of some; of known currencies."""
    if firms is None:
        which: Any = _INVOICE.c.seller_id.is_not(None)
    else:
        named = sorted(firms)
        which = or_(_INVOICE.c.seller_id.in_(named), _INVOICE.c.buyer_id.in_(named))
    return _columns(_read(conn, morning, which), morning, appetite)


def _read(conn: Connection, morning: AsOf, which: Any) -> Sequence[Sequence[Any]]:  # noqa: ANN401
    query = (
        select(*_COLUMNS)
        .join(_INVOICE, _INVOICE.c.id == _FACT.c.invoice_id)
        .where(
            _FACT.c.known_at < morning.before,
            _FACT.c.sequence <= morning.sequence,
            _INVOICE.c.seller_id.is_not(None),
            _INVOICE.c.buyer_id.is_not(None),
            which,
        )
        .order_by(_FACT.c.invoice_id, _FACT.c.sequence)
    )
    return conn.execute(query).all()


def _columns(rows: Sequence[Sequence[Any]], morning: AsOf, appetite: Appetite) -> Told:
    import numpy as np

    rows = [row for row in rows if row[3] in appetite.planning_rates]
    (
        ids, sellers, buyers, currencies, issued, documents, words, ipu, due, base, credited,
        disputed, conceded, paid, outstanding, recourse, paid_on, known_at,
    ) = zip(*rows, strict=True) if rows else ((),) * len(_COLUMNS)  # fmt: skip
    codes = {name: number for number, name in enumerate(sorted(set(currencies)))}
    factors = np.array([float(appetite.euros(name) or 0) for name in codes])
    smallest = np.array([_SMALL_UNITS * 10 ** exponent(name) for name in codes], dtype=np.int64)
    currency = np.array([codes[name] for name in currencies], dtype=np.int64)
    amounts = {
        name: np.array(column, dtype=np.int64)
        for name, column in (
            ("base", base), ("credited", credited), ("disputed", disputed),
            ("conceded", conceded), ("paid", paid), ("outstanding", outstanding),
            ("recourse", recourse),
        )
    }  # fmt: skip
    known = np.array([day_number(morning.day(at)) for at in known_at], dtype=np.int64)
    last = [*(a != b for a, b in itertools.pairwise(ids)), True] if ids else []
    ends = np.flatnonzero(last)
    starts = starts_of(ends)
    # A payment without a value date counts on the day that it was known.
    on = _days(paid_on)
    rises = np.diff(amounts["paid"], prepend=0)
    rises[starts] = amounts["paid"][starts]
    counts = [
        document not in _GONE and (word in _ACCEPTED or money > 0)
        for document, word, money in zip(documents, words, paid, strict=True)
    ]
    return Told(
        ids=ids,
        seller=sellers,
        buyer=buyers,
        issued=_days(issued),
        due=_days(due),
        **amounts,
        ipu=np.array(ipu, dtype=np.bool_),
        counts=np.array(counts, dtype=np.bool_),
        paid_on=np.where((rises > 0) & (on == NO_DAY), known, on),
        known=known,
        crumb=np.maximum(amounts["base"] // _SMALL_SHARE, smallest[currency]),
        euro=factors[currency],
        ends=ends,
        group=np.repeat(np.arange(len(ends)), ends - starts + 1),
    )


def _days(column: Sequence[dt.date | None]) -> "Ints":
    import numpy as np

    return np.array([NO_DAY if day is None else day_number(day) for day in column], dtype=np.int64)


def _folded(facts: Told) -> Items:
    """Fold the dated facts of each invoice into what was known of it on the morning."""
    import numpy as np

    ends = facts.ends
    if not len(ends):
        return _nothing()
    net = facts.base - facts.credited - facts.disputed
    owed = np.maximum(net - facts.paid, 0)
    latest = running_max(facts.paid_on, facts.group)
    settled_at = _lasting(ends, (owed <= facts.crumb) & (facts.paid > 0))
    closed_at = _lasting(ends, owed <= facts.crumb)
    settled, closed = settled_at <= ends, closed_at <= ends
    settled_row, closed_row = np.minimum(settled_at, ends), np.minimum(closed_at, ends)

    keep = np.flatnonzero(facts.counts[ends])
    last = ends[keep]
    sellers, buyers = facts.seller, facts.buyer
    firms = tuple(sorted({*(sellers[row] for row in last), *(buyers[row] for row in last)}))
    number = {firm: place for place, firm in enumerate(firms)}

    def euros(values: "Ints") -> "Ints":
        return facts.cents(values)[last]

    gone = facts.credited + facts.conceded
    first = ends.copy()
    np.minimum.at(first, facts.group[facts.counts], np.flatnonzero(facts.counts))

    kept = owed - np.maximum(facts.outstanding - facts.recourse, 0)
    return Items(
        ids=tuple(facts.ids[row] for row in last),
        firms=firms,
        seller=np.array([number[sellers[row]] for row in last], dtype=np.int64),
        buyer=np.array([number[buyers[row]] for row in last], dtype=np.int64),
        issued=facts.issued[last],
        due=facts.due[last],
        base=euros(facts.base),
        net=euros(np.maximum(net, 0)),
        sold=euros(np.maximum(facts.base - facts.credited, 0)),
        rest=euros(owed),
        diluted=euros(gone),
        diluted_before=facts.cents(gone)[first[keep]],
        kept=euros(np.maximum(kept, 0)),
        settled=settled[keep],
        settled_on=latest[settled_row[keep]],
        settled_known=facts.known[settled_row[keep]],
        closed=closed[keep],
        closed_known=facts.known[closed_row[keep]],
        material=owed[last] > facts.crumb[last],
    )


def starts_of(ends: "Ints") -> "Ints":
    """Give the first row of each group, of which the last is known."""
    import numpy as np

    return np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))[: len(ends)]


def running_max(values: "Ints", group: "Ints") -> "Ints":
    """Give the highest value so far within each group."""
    import numpy as np

    span = np.int64(2**32)
    return np.asarray(np.maximum.accumulate(values + group * span) - group * span)


def _lasting(ends: "Ints", holds: "Bools") -> "Ints":
    """Give per group the first row from which a condition holds to its end; past it if none."""
    import numpy as np

    starts, rows = starts_of(ends), np.arange(len(holds))
    broken = np.where(holds, -1, rows)
    return np.asarray(np.maximum(np.maximum.reduceat(broken, starts) + 1, starts))


def _nothing() -> Items:
    import numpy as np

    none, no = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
    numbers = ("seller", "buyer", "issued", "due", "base", "net", "sold", "rest", "diluted",
               "diluted_before", "kept", "settled_on", "settled_known", "closed_known")  # fmt: skip
    return Items(
        ids=(), firms=(), settled=no, closed=no, material=no, **dict.fromkeys(numbers, none)
    )
