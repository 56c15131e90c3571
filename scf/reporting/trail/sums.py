"""That no cent of a trail is lost: each law is counted from rows that do not know each other."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from scf.documents.models import Invoice
from scf.documents.rules import owed
from scf.financing.lifecycle import BEFORE_INSTRUCTED
from scf.financing.models import Advance
from scf.financing.reserve import open_face
from scf.kernel.rounding import round_half_up
from scf.reporting.trail.things import Rows

_BESIDE: Final = ("rebate", "reserve")  # parts that stand beside a receipt's own sum
_NOT_OUT: Final = (
    *BEFORE_INSTRUCTED, "INSTRUCTED", "UNKNOWN", "FAILED", "RETURNED", "UNWOUND",
    "DECLINED", "CANCELLED", "EXPIRED",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Law:
    """Two sums that must be equal, and what they are about."""

    code: str
    about: str
    left_minor: int
    right_minor: int
    currency: str

    @property
    def holds(self) -> bool:
        """Tell whether nothing is lost or doubled."""
        return self.left_minor == self.right_minor


@dataclass(frozen=True, slots=True)
class Figures:
    """A trail in figures of one currency; none where the reader does not see what they count.

    ``received`` is goods at the price of their order line. ``open`` is what the buyer still owes,
    ``outstanding`` what of it is owed on advances.
    """

    currency: str
    ordered_minor: int | None
    received_minor: int | None
    invoiced_minor: int
    credited_minor: int
    disputed_minor: int
    financed_minor: int
    paid_out_minor: int
    paid_minor: int
    settled_minor: int
    outstanding_minor: int
    open_minor: int


def figures_of(rows: Rows) -> list[Figures]:
    """Give the figures of a trail, one line a currency."""
    order = rows.order
    currencies = {row.currency for row in rows.invoices} | ({order.currency} if order else set())
    return [_figures(rows, currency) for currency in sorted(currencies)]


def _figures(rows: Rows, currency: str) -> Figures:
    order = rows.order if rows.order is not None and rows.order.currency == currency else None
    invoices = [row for row in rows.invoices if row.currency == currency]
    advances = [row for row in funded(rows) if row.currency == currency]
    return Figures(
        currency,
        order.total_minor if order else None,
        received(rows) if order else None,
        sum(row.payable_minor for row in invoices),
        sum(row.credited_minor for row in invoices),
        sum(row.disputed_minor for row in invoices),
        sum(row.face_minor for row in advances),
        sum(row.net_minor for row in advances),
        sum(row.paid_minor for row in invoices),
        sum(row.face_minor - open_face(row) for row in advances),
        sum(open_face(row) for row in advances),
        sum(owed(row) for row in invoices),
    )


def received(rows: Rows) -> int | None:
    """Give what has arrived at the price of its order lines; none where no line states a price."""
    worth = [
        Fraction(line.net_minor * line.received_micro, line.quantity_micro)
        for line in rows.order_lines
        if line.net_minor is not None and line.quantity_micro
    ]
    return round_half_up(sum(worth, Fraction(0))) if worth else None


def laws_of(rows: Rows) -> list[Law]:
    """Give every law that what the reader sees allows to be counted."""
    return [*_invoices(rows), *_advances(rows), *_receipts(rows), *_entries(rows)]


def over_paid(row: Invoice) -> int:
    """Give what was credited and paid beyond what was owed."""
    return max(0, row.credited_minor + row.paid_minor - row.base_minor)


def funded(rows: Rows) -> list[Advance]:
    """Give the advances whose money has reached the seller and stayed there."""
    return [row for row in rows.advances if row.state not in _NOT_OUT]


def _invoices(rows: Rows) -> Iterator[Law]:
    """What was owed is credited, paid or open.

    Credited are its parts of credit notes, paid is what the last change of the invoice says: the
    invoice's own row is asked only for what is open.
    """
    known = {fact.invoice_id: fact.paid_minor for fact in rows.facts}
    for part in rows.credits:
        known[part.invoice_id] = known.get(part.invoice_id, 0) + part.amount_minor
    for row in rows.invoices:
        right = known.get(row.id, 0) + owed(row) - over_paid(row)
        yield Law("INVOICE", row.number, row.base_minor, right, row.currency)


def _advances(rows: Rows) -> Iterator[Law]:
    """The face is what was paid out and what was kept; what was paid out, the bank has booked."""
    settled: dict[str, int] = defaultdict(int)
    for one in rows.payments:
        if one.kind == "advance" and one.state == "SETTLED" and one.advance_id:
            settled[one.advance_id] += one.amount_minor
    numbers = {row.id: row.number for row in rows.invoices}
    for row in rows.advances:
        about = numbers.get(row.invoice_id, "")
        kept = row.discount_minor + row.fee_minor + row.tax_minor + row.reserve_minor
        yield Law("FACE", about, row.face_minor, row.net_minor + kept, row.currency)
    for row in funded(rows):
        about = numbers.get(row.invoice_id, "")
        yield Law("PAID_OUT", about, row.net_minor, settled[row.id], row.currency)


def _receipts(rows: Rows) -> Iterator[Law]:
    """A receipt is the sum of what it paid and of what waits."""
    parts: dict[str, int] = defaultdict(int)
    for part in rows.all_parts:
        if part.reversed_by is None and part.kind not in _BESIDE:
            parts[part.bank_entry_id] += part.amount_minor
    for entry in rows.bank:
        if entry.amount_minor > 0 and entry.state != "REVERSED":
            right = parts[entry.id] + entry.unallocated_minor
            about = str(entry.details.get("reference", ""))
            yield Law("RECEIPT", about, entry.amount_minor, right, entry.currency)


def _entries(rows: Rows) -> Iterator[Law]:
    """Debits equal credits in the reader's own book."""
    debits: dict[str, int] = defaultdict(int)
    credits_: dict[str, int] = defaultdict(int)
    for entry in rows.entries:
        for _account, minor, currency in entry.lines:
            side = debits if minor > 0 else credits_
            side[currency] += abs(minor)
    for currency in sorted(debits | credits_):
        yield Law("ENTRIES", "", debits[currency], credits_[currency], currency)
