"""What a trail is made of: the rows a reader may see, and the steps they make in time."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scf.documents.match.models import MatchAct
from scf.documents.messages.models import TradeMessage
from scf.documents.models import (
    Acceptance,
    CreditAllocation,
    CreditNote,
    Dispute,
    Invoice,
    InvoiceFact,
    Order,
    OrderLine,
    Receipt,
)
from scf.financing.models import (
    Advance,
    AdvanceEvent,
    Decision,
    FinancingRequest,
    OverAdvance,
)
from scf.ledger.models import NoEntry
from scf.reporting.portfolio import Booked
from scf.settlement.models import Allocation, BankEntry, PaymentFile, PaymentInstruction


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, on its day.

    ``kind`` names what it is (``order``, ``paid_out``, ``entry`` …), ``about`` the row it stands
    for, ``code`` a state or reason of it; ``entries`` are those of the reader's own book.
    """

    kind: str
    on: dt.date
    about: str
    number: str = ""
    code: str = ""
    amount_minor: int | None = None
    currency: str = ""
    firm_id: str = ""
    note: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    entries: tuple[Booked, ...] = ()


@dataclass(slots=True)
class Rows:
    """The rows of a trail, as far as its reader sees them."""

    order: Order | None = None
    order_lines: Sequence[OrderLine] = ()
    messages: Sequence[TradeMessage] = ()
    receipts: Sequence[Receipt] = ()
    invoices: Sequence[Invoice] = ()
    acceptances: Sequence[Acceptance] = ()
    acts: Sequence[MatchAct] = ()
    disputes: Sequence[Dispute] = ()
    credits: Sequence[CreditAllocation] = ()
    credit_notes: Mapping[str, CreditNote] = field(default_factory=dict)
    facts: Sequence[InvoiceFact] = ()
    requests: Sequence[FinancingRequest] = ()
    decisions: Sequence[Decision] = ()
    advances: Sequence[Advance] = ()
    events: Sequence[AdvanceEvent] = ()
    over: Sequence[OverAdvance] = ()
    payments: Sequence[PaymentInstruction] = ()
    files: Mapping[str, PaymentFile] = field(default_factory=dict)
    bank: Sequence[BankEntry] = ()
    parts: Sequence[Allocation] = ()
    all_parts: Sequence[Allocation] = ()  # of the same receipts, other invoices' too
    entries: Sequence[Booked] = ()
    dashes: Sequence[NoEntry] = ()
    more_entries: bool = False


@dataclass(frozen=True, slots=True)
class Trail:
    """An order or an invoice followed to its end: the rows, and the steps in order of time."""

    rows: Rows
    steps: list[Step]
    names: Mapping[str, str]

    @property
    def currencies(self) -> list[str]:
        """The currencies of its invoices."""
        return sorted({row.currency for row in self.rows.invoices})
