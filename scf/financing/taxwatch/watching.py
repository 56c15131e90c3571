"""Asking tax authorities: before an offer, before money leaves, and each week until it is back.

No authority is asked inside a transaction: it is asked here, the answers are kept by a command,
and the command that follows looks at what is kept.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Row, Table, func, select
from sqlalchemy.engine import Connection

from scf.db.leases import Claimed
from scf.db.platform import Platform
from scf.db.runner import Context
from scf.documents.models import Invoice
from scf.documents.taxcheck import asking
from scf.documents.taxcheck.port import MOST_AT_ONCE, WORDS, Answer, NotConnected, TaxAuthority
from scf.documents.taxcheck.schemes import Ask, lacks
from scf.documents.taxcheck.standing import CACHED
from scf.financing.lifecycle import BEFORE_INSTRUCTED, ENDED
from scf.financing.models import Advance
from scf.financing.taxwatch.answers import GivenAnswer, KeepAnswers
from scf.financing.taxwatch.demands import asks_at_all, demands_of, full_versions
from scf.kernel.actor import OPERATOR, Actor
from scf.kernel.errors import NotFound
from scf.kernel.ids import digest
from scf.parties.access import may
from scf.programmes.models import Programme
from scf.programmes.service import IN_FORCE, terms_on

SERVICE: Final = "tax"  # its name among the platform's services
WEEK: Final = 7
MOST_NEW: Final = 1000  # invoices a night that nobody has asked about yet
_ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_PROGRAMME: Final[Table] = Programme.__table__  # type: ignore[attr-defined]
_ACCEPTED: Final = ("ACCEPTED", "PART_ACCEPTED", "DEEMED")


class _Wanted(NamedTuple):
    """What to ask, and since when a word is new enough to be spared the asking."""

    ask: Ask
    cached_since: dt.datetime | None


def authority_of(platform: Platform) -> TaxAuthority:
    """Give whoever answers for tax authorities here; nobody where none is connected."""
    found: TaxAuthority = platform.services.get(SERVICE) or NotConnected()
    return found


def refresh(platform: Platform, invoice_ids: Iterable[str], purpose: str) -> dict[str, int]:
    """Ask about invoices wherever a programme wants the word; gives how many came to what.

    For an offer a word of the last minutes is not asked for again; before a pay-out it is.
    """
    now = platform.clock.now()
    with platform.db.snapshot() as conn:
        rows = asking.invoices_of(conn, invoice_ids)
        demands = demands_of(conn, rows)
        wanted: dict[str, list[Row[Any]]] = {}
        for row in rows:
            for scheme in dict.fromkeys(
                one.scheme for one in demands[row.id] if one.full or purpose == "offer"
            ):
                wanted.setdefault(scheme, []).append(row)
        asks: list[Ask] = []
        for scheme, of_scheme in wanted.items():
            known = (
                _asked_since(conn, [row.id for row in of_scheme], scheme, now - CACHED)
                if purpose == "offer"
                else set()
            )
            found = asking.asks_for(conn, of_scheme, scheme)
            asks += [ask for one, ask in found.items() if one not in known and not lacks(ask)]
    return ask_and_keep(platform, asks, purpose)


def _asked_since(
    conn: Connection, invoice_ids: Sequence[str], scheme: str, since: dt.datetime
) -> set[str]:
    check = asking.CHECK
    rows = conn.execute(
        select(check.c.invoice_id).where(
            check.c.invoice_id.in_(invoice_ids),
            check.c.scheme == scheme,
            check.c.answer.in_(WORDS),
            check.c.source == "authority",
            check.c.asked_at >= since,
        )
    )
    return set(rows.scalars())


def ask_and_keep(platform: Platform, asks: Sequence[Ask], purpose: str) -> dict[str, int]:
    """Ask in parts of what goes into one call, keeping each part before the next is asked."""
    total: dict[str, int] = {}
    authority = authority_of(platform)
    for start in range(0, len(asks), MOST_AT_ONCE):
        part = asks[start : start + MOST_AT_ONCE]
        answers = authority.verify(part)
        payload = KeepAnswers.model_validate(
            {"answers": [_given(*pair) for pair in zip(part, answers, strict=True)],
             "purpose": purpose}
        )  # fmt: skip
        key = f"tax:{digest([payload.model_dump(mode='json'), platform.clock.now()])}"
        kept = platform.run("tax.keep_answers", payload, OPERATOR, key=key).result
        for state, count in kept["answers"].items():
            total[state] = total.get(state, 0) + count
    return total


def _given(ask: Ask, answer: Answer) -> GivenAnswer:
    said = {"invoice_id": ask.invoice_id, "scheme": ask.scheme, **answer._asdict()}
    return GivenAnswer.model_validate(said)


# --- Before a command -----------------------------------------------------------------------------


def before_a_quote(platform: Platform, payload: Any, actor: Actor) -> None:  # noqa: ANN401
    """Ask about the seller's own invoices that it wants a firm price for."""
    ids = _named(payload, "invoice_ids")
    if not ids or not may(actor, "quote.make"):
        return
    with platform.db.snapshot() as conn:
        own = conn.execute(
            select(_INVOICE.c.id).where(
                _INVOICE.c.id.in_(ids), _INVOICE.c.seller_id == actor.org_id
            )
        )
        mine = list(own.scalars())
    refresh(platform, mine, "offer")


def before_a_payment_file(platform: Platform, payload: Any, actor: Actor) -> None:  # noqa: ANN401
    """Ask about what a financier is about to pay, once more, whatever was said before."""
    if not may(actor, "payout.prepare"):
        return
    ids = _named(payload, "advance_ids")
    wanted = _ADVANCE.c.id.in_(ids) if ids else _ADVANCE.c.state == "RECHECKED"
    _refresh_advances(platform, actor.org_id, wanted)


def _refresh_advances(platform: Platform, financier_id: str, wanted: ColumnElement[bool]) -> None:
    with platform.db.snapshot() as conn:
        versions = full_versions(conn, financier_id)
        if not versions:
            return
        ids = list(
            conn.execute(
                select(_ADVANCE.c.invoice_id).where(
                    _ADVANCE.c.financier_id == financier_id,
                    _ADVANCE.c.programme_version_id.in_(sorted(versions)),
                    wanted,
                )
            ).scalars()
        )
    refresh(platform, ids, "payout")


def before_money_leaves(platform: Platform, advance_ids: Sequence[str], actor: Actor) -> None:
    """Ask about the advances of a file that is about to go to the bank."""
    _refresh_advances(platform, actor.org_id, _ADVANCE.c.id.in_(advance_ids))


def _named(payload: Any, name: str) -> list[str]:  # noqa: ANN401 - a mapping or a model, unchecked
    said = payload.model_dump() if isinstance(payload, BaseModel) else payload
    found = said.get(name) if isinstance(said, Mapping) else None
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


# --- Jobs -----------------------------------------------------------------------------------------


def plan_recheck(ctx: Context, financier_id: str, on: dt.date) -> None:
    """Let the worker ask what is due on a new business date, where any terms want to know."""
    if asks_at_all(ctx.conn, financier_id):
        payload = {"financier_id": financier_id, "on": on.isoformat()}
        ctx.enqueue("tax.recheck", payload, f"{financier_id}:{on}")


def recheck_job(platform: Platform, job: Claimed) -> dict[str, Any]:
    """Do the job "tax.recheck"; cut off at any point, what has been kept is not asked again."""
    on = dt.date.fromisoformat(job.payload["on"])
    return recheck(platform, job.payload["financier_id"], on)


def ask_job(platform: Platform, job: Claimed) -> dict[str, Any]:
    """Do the job "tax.ask": what has just been accepted is asked about before anybody wants it."""
    return refresh(platform, job.payload["invoice_ids"], "offer")


def refuse_job(platform: Platform, job: Claimed) -> dict[str, Any]:
    """Do the job "tax.refuse"."""
    return platform.run("tax.refuse_request", job.payload, OPERATOR, key=job.key).result


def recheck(platform: Platform, financier_id: str, on: dt.date) -> dict[str, Any]:
    """Ask about the financed invoices whose day of the week has come, and about new ones."""
    with platform.db.snapshot() as conn:
        due = _due(conn, financier_id, on)
        new = _new(conn, financier_id, on)
    weekly = ask_and_keep(platform, due, "weekly")
    return {"weekly": weekly, "new": refresh(platform, new, "offer")}


def slot_of(invoice_id: str) -> int:
    """Give the day of the week on which an invoice is asked about: spread by its id."""
    return int(digest([invoice_id])[:8], 16) % WEEK


def last_slot(invoice_id: str, on: dt.date) -> dt.date:
    """Give the latest day by then on which an invoice was to be asked about."""
    return on - dt.timedelta(days=(on.toordinal() - slot_of(invoice_id)) % WEEK)


def _due(conn: Connection, financier_id: str, on: dt.date) -> list[Ask]:
    """Give what is financed and has not been asked about since its day of the week."""
    asks: list[Ask] = []
    by_scheme: dict[str, list[str]] = {}
    for version_id, scheme in full_versions(conn, financier_id).items():
        by_scheme.setdefault(scheme, []).append(version_id)
    for scheme, versions in by_scheme.items():
        ids = list(
            conn.execute(
                select(_ADVANCE.c.invoice_id)
                .where(
                    _ADVANCE.c.financier_id == financier_id,
                    _ADVANCE.c.programme_version_id.in_(versions),
                    _ADVANCE.c.state.not_in((*BEFORE_INSTRUCTED, *ENDED)),
                )
                .distinct()
            ).scalars()
        )
        heard = _last_words(conn, ids, scheme)
        late = [one for one in ids if heard.get(one, dt.date.min) < last_slot(one, on)]
        found = asking.asks_for(conn, asking.invoices_of(conn, late), scheme)
        asks += [ask for ask in found.values() if not lacks(ask)]
    return asks


def _last_words(conn: Connection, invoice_ids: Sequence[str], scheme: str) -> dict[str, dt.date]:
    check = asking.CHECK
    rows = conn.execute(
        select(check.c.invoice_id, func.max(check.c.asked_at))
        .where(
            check.c.invoice_id.in_(invoice_ids),
            check.c.scheme == scheme,
            check.c.answer.in_(WORDS),
            check.c.source == "authority",
        )
        .group_by(check.c.invoice_id)
    )
    return {invoice_id: at.date() for invoice_id, at in rows}


def _new(conn: Connection, financier_id: str, on: dt.date) -> list[str]:
    """Give invoices that could be offered money for and that nobody has asked about yet."""
    found: list[str] = []
    rows = conn.execute(
        select(_PROGRAMME)
        .where(_PROGRAMME.c.financier_id == financier_id, _PROGRAMME.c.state.in_(IN_FORCE))
        .order_by(_PROGRAMME.c.id)
    ).all()
    for row in rows:
        try:
            _version, terms = terms_on(conn, row.id, on)
        except NotFound:
            continue  # its first terms begin later
        if terms.tax_scheme is None:
            continue
        check = asking.CHECK
        asked = select(check.c.id).where(
            check.c.invoice_id == _INVOICE.c.id, check.c.scheme == terms.tax_scheme
        )
        whose = (
            (_INVOICE.c.buyer_id == row.anchor_id) & _INVOICE.c.acceptance_state.in_(_ACCEPTED)
            if row.anchor_id
            else _INVOICE.c.seller_id == row.seller_id
        )
        query = (
            select(_INVOICE.c.id)
            .where(
                whose,
                _INVOICE.c.document_state == "VALIDATED",
                _INVOICE.c.payment_state != "PAID",
                _INVOICE.c.due_on > on,
                ~asked.exists(),
            )
            .order_by(_INVOICE.c.id)
            .limit(MOST_NEW)
        )
        found += conn.execute(query).scalars()
    return found
