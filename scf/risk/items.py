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
    return _folded(_rows(conn, morning, firms), morning, appetite)


def load_pair(
    conn: Connection, morning: AsOf, appetite: Appetite, seller_id: str, buyer_id: str
) -> Items:
    """Read what was known of one seller's invoices on one buyer."""
    both = (_INVOICE.c.seller_id == seller_id) & (_INVOICE.c.buyer_id == buyer_id)
    return _folded(_read(conn, morning, both), morning, appetite)


def day_number(day: dt.date) -> int:
    """Give the days since 1970."""
    return day.toordinal() - _EPOCH


def _rows(
    conn: Connection, morning: AsOf, firms: Collection[str] | None
) -> Sequence[Sequence[Any]]:
    if firms is None:
        return _read(conn, morning, _INVOICE.c.seller_id.is_not(None))
    named = sorted(firms)
    mine = or_(_INVOICE.c.seller_id.in_(named), _INVOICE.c.buyer_id.in_(named))
    return _read(conn, morning, mine)


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


def _folded(rows: Sequence[Sequence[Any]], morning: AsOf, appetite: Appetite) -> Items:
    """Fold the dated facts of each invoice into what was known of it on the morning."""
    import numpy as np

    rows = [row for row in rows if row[3] in appetite.planning_rates]
    if not rows:
        return _nothing()
    (
        ids, sellers, buyers, currencies, issued, documents, words, due, base, credited, disputed,
        conceded, paid, outstanding, recourse, paid_on, known_at,
    ) = zip(*rows, strict=True)  # fmt: skip
    codes = {name: number for number, name in enumerate(sorted(set(currencies)))}
    factors = np.array([float(appetite.euros(name) or 0) for name in codes])
    smallest = np.array([_SMALL_UNITS * 10 ** exponent(name) for name in codes], dtype=np.int64)
    currency = np.array([codes[name] for name in currencies])
    amounts = {
        name: np.array(column, dtype=np.int64)
        for name, column in (
            ("base", base), ("credited", credited), ("disputed", disputed),
            ("conceded", conceded), ("paid", paid), ("outstanding", outstanding),
            ("recourse", recourse),
        )
    }  # fmt: skip
    known = np.array([day_number(morning.day(at)) for at in known_at])
    told = np.array([NO_DAY if day is None else day_number(day) for day in paid_on])

    ends = np.flatnonzero([*(a != b for a, b in itertools.pairwise(ids)), True])
    starts = np.concatenate(([0], ends[:-1] + 1))
    group = np.repeat(np.arange(len(ends)), ends - starts + 1)

    net = amounts["base"] - amounts["credited"] - amounts["disputed"]
    owed = np.maximum(net - amounts["paid"], 0)
    crumb = np.maximum(amounts["base"] // _SMALL_SHARE, smallest[currency])
    # A payment without a value date counts on the day that it was known.
    rises = np.diff(amounts["paid"], prepend=0)
    rises[starts] = amounts["paid"][starts]
    told = np.where((rises > 0) & (told == NO_DAY), known, told)
    latest = _running_max(told, group)

    settled_at = _lasting(ends, (owed <= crumb) & (amounts["paid"] > 0))
    closed_at = _lasting(ends, owed <= crumb)
    settled, closed = settled_at <= ends, closed_at <= ends
    settled_row, closed_row = np.minimum(settled_at, ends), np.minimum(closed_at, ends)

    last = ends
    counts = np.array(
        [
            documents[row] not in _GONE and (words[row] in _ACCEPTED or paid[row] > 0)
            for row in last.tolist()
        ]
    )
    keep = np.flatnonzero(counts)
    last, factor = last[keep], factors[currency[last[keep]]]
    firms = tuple(sorted({*(sellers[row] for row in last), *(buyers[row] for row in last)}))
    number = {firm: place for place, firm in enumerate(firms)}

    def euros(values: "Ints") -> "Ints":
        return np.asarray(np.rint(values * factor), dtype=np.int64)

    kept = owed - np.maximum(amounts["outstanding"] - amounts["recourse"], 0)
    sold = amounts["base"] - amounts["credited"]
    return Items(
        firms=firms,
        seller=np.array([number[sellers[row]] for row in last], dtype=np.int64),
        buyer=np.array([number[buyers[row]] for row in last], dtype=np.int64),
        issued=np.array([day_number(issued[row]) for row in last], dtype=np.int64),
        due=np.array(
            [NO_DAY if (day := due[row]) is None else day_number(day) for row in last],
            dtype=np.int64,
        ),
        base=euros(amounts["base"][last]),
        net=euros(np.maximum(net[last], 0)),
        sold=euros(np.maximum(sold[last], 0)),
        rest=euros(owed[last]),
        diluted=euros(amounts["credited"][last] + amounts["conceded"][last]),
        kept=euros(np.maximum(kept[last], 0)),
        settled=settled[keep],
        settled_on=latest[settled_row[keep]],
        settled_known=known[settled_row[keep]],
        closed=closed[keep],
        closed_known=known[closed_row[keep]],
        material=owed[last] > crumb[last],
    )


def _running_max(values: "Ints", group: "Ints") -> "Ints":
    """Give the highest value so far within each group."""
    import numpy as np

    span = np.int64(2**32)
    return np.asarray(np.maximum.accumulate(values + group * span) - group * span)


def _lasting(ends: "Ints", holds: "Bools") -> "Ints":
    """Give per group the first row from which a condition holds to its end; past it if none."""
    import numpy as np

    starts = np.concatenate(([0], ends[:-1] + 1))
    rows = np.arange(len(holds))
    broken = np.where(holds, -1, rows)
    return np.asarray(np.maximum(np.maximum.reduceat(broken, starts) + 1, starts))


def _nothing() -> Items:
    import numpy as np

    none, no = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
    numbers = ("seller", "buyer", "issued", "due", "base", "net", "sold", "rest", "diluted",
               "kept", "settled_on", "settled_known", "closed_known")  # fmt: skip
    return Items(firms=(), settled=no, closed=no, material=no, **dict.fromkeys(numbers, none))
