"""An invoice under lock: read whole, changed as a value, written as one set with its audit.

Only the inner functions of this slice use it (``axes``, ``disputes``, ``credits``, ``matching``);
nothing else writes the invoice table after an invoice is stored.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Table, bindparam, insert, select, update

from scf.db.failures import constraint_means
from scf.db.runner import Context
from scf.db.visibility import not_found
from scf.documents import rules
from scf.documents.lifecycle import PAYMENT
from scf.documents.models import Invoice, InvoiceFact
from scf.kernel.errors import Conflict, RuleViolation, ScfError

INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]

# The columns that a change of an axis may write; everything else of an invoice never changes.
_WRITTEN: Final = (
    "due_on", "document_state", "match_state", "match_code", "acceptance_state", "payment_state",
    "dispute_state", "ipu", "accepted_minor", "acceptance_version", "base_minor",
    "credited_minor", "disputed_minor", "conceded_minor", "paid_minor", "offered_minor",
    "held_minor", "outstanding_minor", "recourse_minor", "repaid_minor", "reassigned_minor",
    "over_advance_minor", "order_id", "order_number", "order_canonical", "match_mode",
    "match_rules", "variances", "counted_minor",
)  # fmt: skip
# What is kept with its date for good, so that the past can be asked (decision 0016).
DATED: Final = (
    "document_state", "acceptance_state", "ipu", "due_on", "base_minor", "credited_minor",
    "disputed_minor", "conceded_minor", "paid_minor", "outstanding_minor", "recourse_minor",
)  # fmt: skip
FACT: Final[Table] = InvoiceFact.__table__  # type: ignore[attr-defined]
_INSERT_FACT: Final = insert(FACT).inline()


@dataclasses.dataclass
class State:
    """An invoice while a command works on it: a mutable copy of what the axes may change."""

    id: str
    currency: str
    issue_on: dt.date
    due_on: dt.date | None
    payable_minor: int
    seller_id: str | None
    buyer_id: str | None
    document_state: str
    match_state: str
    match_code: str | None
    acceptance_state: str
    payment_state: str
    dispute_state: str
    ipu: bool
    accepted_minor: int | None
    acceptance_version: int
    base_minor: int
    credited_minor: int
    disputed_minor: int
    conceded_minor: int
    paid_minor: int
    retention_minor: int
    offered_minor: int
    held_minor: int
    outstanding_minor: int
    recourse_minor: int
    repaid_minor: int
    reassigned_minor: int
    over_advance_minor: int
    order_id: str | None
    order_number: str | None
    order_canonical: str | None
    match_mode: str | None
    match_rules: dict[str, Any] | None
    variances: list[dict[str, Any]] | None
    counted_minor: int
    version: int


_STATE_COLUMNS: Final = tuple(field.name for field in dataclasses.fields(State))
_READ_STATE: Final = (
    select(*(INVOICE.c[name] for name in _STATE_COLUMNS))
    .where(INVOICE.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(INVOICE.c.id)
    .with_for_update()
)


# The second wall: what these functions would let through, the database still refuses.
constraint_means(
    "ck_invoice_capacity",
    "",
    lambda: RuleViolation(
        "ALREADY_FINANCED", "Held and financed parts would exceed what the invoice can carry."
    ),
)
constraint_means(
    "ck_invoice_not_negative",
    "",
    lambda: RuleViolation("AMOUNT_NEGATIVE", "A part of the invoice would fall below zero."),
)
constraint_means(
    "uq_invoice_live",
    "invoice.duplicate_key",
    lambda: Conflict("DUPLICATE_EXACT", "This invoice is already here under another spelling."),
)


def states(ctx: Context, ids: Iterable[str]) -> dict[str, State]:
    """Read invoices under lock as they are now.

    Raises
    ------
    NotFound
        When one does not exist.
    """
    wanted = sorted(set(ids))
    rows = ctx.conn.execute(_READ_STATE, {"ids": wanted}) if wanted else ()
    found = {row.id: State(*row) for row in rows}
    for invoice_id in wanted:
        if invoice_id not in found:
            raise not_found("invoice", invoice_id)
    return found


def write(
    ctx: Context,
    before: Mapping[str, State],
    after: Iterable[State],
    *,
    paid_on: dt.date | None = None,
) -> None:
    """Store what changed, one statement per set of changed columns, and tell the audit row.

    What the past may be asked about is kept as a dated fact beside; ``paid_on`` is the value date
    of a payment by the obligor.
    """
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    facts: list[dict[str, Any]] = []
    for new in after:
        old = before[new.id]
        new.payment_state = PAYMENT.after(new.payment_state, rules.payment_event(new))
        changed = tuple(n for n in _WRITTEN if getattr(old, n) != getattr(new, n))
        if not changed:
            continue
        values: dict[str, Any] = {f"new_{name}": getattr(new, name) for name in changed}
        groups.setdefault(changed, []).append({"row_id": new.id, **values})
        ctx.change(
            "invoice",
            new.id,
            {name: _plain(getattr(old, name)) for name in changed},
            {name: _plain(getattr(new, name)) for name in changed},
        )
        if not set(DATED).isdisjoint(changed):
            dated = {name: getattr(new, name) for name in DATED}
            facts.append({"invoice_id": new.id, **dated, "paid_on": paid_on, "known_at": ctx.now})
    if facts:
        ctx.conn.execute(_INSERT_FACT, facts)
    for changed, rows in groups.items():
        ctx.conn.execute(_update_of(changed), rows)


_UPDATES: dict[tuple[str, ...], Any] = {}


def _update_of(changed: tuple[str, ...]) -> Any:  # noqa: ANN401 - a SQL statement
    statement = _UPDATES.get(changed)
    if statement is None:
        statement = (
            update(INVOICE)
            .where(INVOICE.c.id == bindparam("row_id"))
            .values(
                version=INVOICE.c.version + 1,
                **{name: bindparam(f"new_{name}") for name in changed},
            )
        )
        _UPDATES[changed] = statement
    return statement


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.date) else value


def refusal(state: State, amount: int) -> ScfError:
    """Say why an amount does not fit, with the figures that a person needs to go on."""
    free = rules.eligible(state)
    facts = {
        "invoice_id": state.id,
        "asked_minor": amount,
        "eligible_minor": free,
        "held_minor": state.held_minor,
        "financed_minor": state.outstanding_minor,
        "currency": state.currency,
    }
    if free + state.held_minor + state.outstanding_minor >= amount:
        return RuleViolation("ALREADY_FINANCED", "Part of this is already taken.", **facts)
    if free + state.held_minor + state.outstanding_minor + state.disputed_minor >= amount:
        return RuleViolation("DISPUTED", "Part of this is contested.", **facts)
    return RuleViolation("CAPACITY", "The invoice cannot carry this amount.", **facts)


def needs(state: State, column: str, amount: int) -> None:
    """Refuse to take more from a counter than it holds."""
    there = getattr(state, column)
    if there < amount:
        raise short(state, column.removesuffix("_minor"), there, amount)


def short(state: State, counter: str, there: int, amount: int) -> Conflict:
    """Say that less stands in a counter than was asked back from it."""
    return Conflict(
        "AMOUNT_STATE",
        "Only %(there_minor)s of the invoice are %(counter)s, not %(asked_minor)s.",
        invoice_id=state.id,
        counter=counter,
        there_minor=there,
        asked_minor=amount,
    )


def must_be_valid(state: State) -> None:
    """Refuse to work on a document that is incomplete, replaced or void."""
    if state.document_state != "VALIDATED":
        raise Conflict(
            "DOCUMENT_STATE",
            "The invoice is %(state)s, not VALIDATED.",
            invoice_id=state.id,
            state=state.document_state,
        )


def fits(state: State, amount: int) -> None:
    """Refuse an amount beyond what is eligible."""
    if rules.eligible(state) < amount:
        raise refusal(state, amount)
