"""Tables: the currency of a book, publications of exchange rates, what was revalued and how."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint

from scf.db.types import (
    Code,
    Count,
    Currency,
    Day,
    Id,
    IdKey,
    Instant,
    OptCount,
    OptDay,
    OptId,
    OptInstant,
    OptText,
    Record,
    SignedMinor,
    Text,
    table_args,
)


class Book(Record, table=True):
    """What a book is kept in, and whose rates it follows; ``id`` is the organisation's.

    ``rates_known`` counts confirmed publications. Everything that changes what a foreign balance
    is worth locks this row first.
    """

    __tablename__ = "ledger_book"
    __table_args__ = table_args(
        ForeignKeyConstraint(["id"], ["firm.id"], name="fk_book_firm"),
        CheckConstraint("max_age_days BETWEEN 0 AND 31", name="ck_book_age"),
    )
    id: IdKey
    currency: Currency
    source: Code
    max_age_days: Count
    rates_known: Count = 0
    version: Count = 1


class RatePublication(Record, table=True):
    """Rates that were entered or read from a file together; they count once confirmed.

    ``known_no`` orders confirmed publications of a book: of two rates for one day and pair the one
    confirmed later stands, and the earlier one is superseded. Nothing is ever edited.
    """

    __tablename__ = "fx_publication"
    __table_args__ = table_args(
        ForeignKeyConstraint(["org_id"], ["firm.id"], name="fk_publication_org"),
        UniqueConstraint("org_id", "known_no", name="uq_publication_known"),
        CheckConstraint("state IN ('WAITING', 'CONFIRMED', 'REFUSED')", name="ck_publication"),
        Index("ix_publication_org", "org_id", "state"),
    )
    id: IdKey
    org_id: Id
    source: Code
    file_name: Text
    sha256: Text
    rates: Count
    state: Code = "WAITING"
    added_by: Id
    created_at: Instant
    decided_by: OptId
    decided_at: OptInstant
    why: OptText
    known_no: OptCount


class FxRate(Record, table=True):
    """One published rate: one unit of ``base`` is ``rate`` units of ``quote``, digits as published.

    Never changed, by a trigger.
    """

    __tablename__ = "fx_rate"
    __table_args__ = table_args(
        ForeignKeyConstraint(["publication_id"], ["fx_publication.id"], name="fk_rate_publication"),
        UniqueConstraint("publication_id", "base", "quote", "fixed_on", name="uq_fx_rate"),
        CheckConstraint("base <> quote", name="ck_fx_rate_pair"),
        Index("ix_fx_rate_org", "org_id", "fixed_on"),
    )
    id: IdKey
    org_id: Id
    publication_id: Id
    base: Currency
    quote: Currency
    fixed_on: Day
    rate: Code


class Revaluation(Record, table=True):
    """What one foreign balance was worth at the close of a day, and what was booked for it.

    ``historic_minor``: the movements, each at the rate of its day. ``cost_minor``: what of that is
    carried in the balance that is left. ``rate`` is book currency for one unit, as a ratio "n/d",
    of ``fixed_on``; none where nothing is left. The last two are what this row booked: closing
    less cost (unrealised) and cost less historic (realised), less what earlier rows had booked.
    """

    __tablename__ = "ledger_revaluation"
    __table_args__ = table_args(
        ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_revaluation_account"),
        UniqueConstraint("account_id", "currency", "on_day", "attempt", name="uq_revaluation"),
        Index("ix_revaluation_book", "org_id", "on_day"),
    )
    id: IdKey
    org_id: Id
    on_day: Day
    account_id: Id
    currency: Currency
    attempt: Count
    book_currency: Currency
    balance_minor: SignedMinor
    historic_minor: SignedMinor
    cost_minor: SignedMinor
    closing_minor: SignedMinor
    rate: OptText
    fixed_on: OptDay
    source: Code
    known_no: Count
    unrealised_minor: SignedMinor
    realised_minor: SignedMinor
    command_id: Id
    created_at: Instant
