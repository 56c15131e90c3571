"""What a seller says that it was paid is set against its own invoices.

Most invoices are paid from buyer to seller without any financier seeing the money. The seller's
payment list is then the only word on it, and it speaks against its own interest: what was paid
can no longer be financed. A buyer's list of payments stays an edge of the graph, because nobody
settles a debt by saying so.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Table, bindparam, select, update

from scf.db.runner import Context
from scf.documents import rules
from scf.documents.axes import pay_rest_many
from scf.documents.fingerprints import canonical_number
from scf.documents.invoice_state import INVOICE
from scf.documents.models import Invoice, TradePayment

_PAYMENT: Final[Table] = TradePayment.__table__  # type: ignore[attr-defined]
_SETTLES: Final = (
    update(_PAYMENT)
    .where(_PAYMENT.c.id == bindparam("payment"))
    .values(invoice_id=bindparam("invoice"), settled_minor=bindparam("amount"))
)


def settle_told(ctx: Context, payments: Sequence[Mapping[str, Any]]) -> int:
    """Take what a seller was paid off its invoices; gives how many payments found theirs.

    A payment counts where its reference is the number of one invoice between the two firms in its
    currency, up to what is neither held nor financed there: that part is owed to the financier,
    whatever the seller received.
    """
    told = [row for row in payments if _speaks(row)]
    if not told:
        return 0
    numbers = {canonical_number(row["reference"]) for row in told}
    found = ctx.conn.execute(
        select(
            INVOICE.c.id, INVOICE.c.seller_id, INVOICE.c.buyer_id, INVOICE.c.currency,
            INVOICE.c.canonical_number,
        ).where(
            INVOICE.c.canonical_number.in_(sorted(numbers)),
            INVOICE.c.seller_id.in_(sorted({row["payee_id"] for row in told})),
            INVOICE.c.document_state == "VALIDATED",
            INVOICE.c.payment_state != "PAID",
            # What the buyer has undertaken to pay is paid through the financier, and booked there.
            INVOICE.c.ipu.is_(False),
        )
    ).all()  # fmt: skip
    of: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for row in found:
        of[row.seller_id, row.buyer_id, row.currency, row.canonical_number].append(row.id)
    rows = ctx.lock(Invoice, {ids[0] for ids in of.values() if len(ids) == 1})
    open_rest = {
        key: rules.owed(row) - row.held_minor - row.outstanding_minor for key, row in rows.items()
    }
    by_day: dict[dt.date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    settled: list[dict[str, Any]] = []
    for payment in told:
        reference = canonical_number(payment["reference"])
        ids = of[payment["payee_id"], payment["payer_id"], payment["currency"], reference]
        # Two invoices of one number, of different years: nobody said which.
        amount = min(payment["amount_minor"], open_rest[ids[0]]) if len(ids) == 1 else 0
        if amount > 0:
            open_rest[ids[0]] -= amount
            by_day[payment["paid_on"]][ids[0]] += amount
            settled.append({"payment": payment["id"], "invoice": ids[0], "amount": amount})
    for day in sorted(by_day):
        pay_rest_many(ctx, dict(by_day[day]), value_on=day)
    if settled:
        ctx.conn.execute(_SETTLES, settled)
    return len(settled)


def _speaks(row: Mapping[str, Any]) -> bool:
    """Tell whether the payee itself tells of money received under a number."""
    return bool(
        row["document_state"] == "VALIDATED"
        and row["org_id"] == row["payee_id"]
        and row["payer_id"]
        and row["amount_minor"] > 0
        and row["reference"].strip()
    )
