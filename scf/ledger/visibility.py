"""Who sees the books: the organisation that a book belongs to, and nobody else."""

from typing import Final

from sqlalchemy import ColumnElement, and_, select
from sqlmodel import col

from scf.db.models import Outbox, SecurityEvent
from scf.db.visibility import visible_to
from scf.kernel.actor import Actor
from scf.ledger.currency.models import Book, FxRate, RatePublication, Revaluation
from scf.ledger.models import Account, Entry, NoEntry, Period, Posting, Turnover

UNTOLD: Final = (
    "impairment.originated", "impairment.transferred", "impairment.remeasured",
    "impairment.corrected", "impairment.agreed", "impairment.ended", "impairment.written_off",
    "penalty.suspended",
)  # fmt: skip


@visible_to(Account)
def _own_accounts(actor: Actor) -> ColumnElement[bool]:
    return col(Account.org_id) == actor.org_id


@visible_to(Entry)
def _own_entries(actor: Actor) -> ColumnElement[bool]:
    return col(Entry.org_id) == actor.org_id


@visible_to(NoEntry)
def _own_dashes(actor: Actor) -> ColumnElement[bool]:
    # What a financier sets aside for its losses is told to nobody, not even as "no entry".
    told = ~col(NoEntry.event_kind).in_(UNTOLD)
    return and_(col(NoEntry.org_id) == actor.org_id, told)


@visible_to(Period)
def _own_periods(actor: Actor) -> ColumnElement[bool]:
    return col(Period.org_id) == actor.org_id


@visible_to(Book)
def _own_currency(actor: Actor) -> ColumnElement[bool]:
    return col(Book.id) == actor.org_id


@visible_to(RatePublication)
def _own_publications(actor: Actor) -> ColumnElement[bool]:
    return col(RatePublication.org_id) == actor.org_id


@visible_to(FxRate)
def _own_rates(actor: Actor) -> ColumnElement[bool]:
    return col(FxRate.org_id) == actor.org_id


@visible_to(Revaluation)
def _own_revaluations(actor: Actor) -> ColumnElement[bool]:
    return col(Revaluation.org_id) == actor.org_id


@visible_to(Posting)
def _own_postings(actor: Actor) -> ColumnElement[bool]:
    own = select(col(Account.id)).where(col(Account.org_id) == actor.org_id)
    return col(Posting.account_id).in_(own)


@visible_to(Turnover)
def _own_turnovers(actor: Actor) -> ColumnElement[bool]:
    return col(Turnover.org_id) == actor.org_id


@visible_to(Outbox)
def _own_notices(actor: Actor) -> ColumnElement[bool]:
    return col(Outbox.org_id) == actor.org_id


@visible_to(SecurityEvent)
def _own_security(actor: Actor) -> ColumnElement[bool]:
    return col(SecurityEvent.org_id) == actor.org_id
