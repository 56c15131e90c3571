"""What must be true at the moment money comes nearer, read under lock.

A decision and a payment instruction look again at everything that could have changed since the
request: the programme, the invoice, the payee's account, and the checks that the programme
requires.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

from scf.documents.duplicates.standing import in_the_way
from scf.documents.models import Invoice
from scf.documents.rules import capacity
from scf.documents.taxcheck.asking import invoices_of, standings
from scf.documents.taxcheck.standing import against, for_a_payout
from scf.financing.models import AdvanceEvent, ManualCheck
from scf.financing.signing import still_signed
from scf.financing.taxwatch.standstill import standing_against
from scf.kernel.errors import Conflict, RuleViolation, Words
from scf.offers.pricing import cut_off_passed
from scf.parties.service import verified_account
from scf.programmes import limits
from scf.programmes.registry.asking import is_member, not_free, unregistered
from scf.programmes.service import programme_of, terms_of_version
from scf.programmes.terms import CHECKS_BEFORE_PAYOUT, Terms

_CHECK: Final[Table] = ManualCheck.__table__  # type: ignore[attr-defined]
_EVENT: Final[Table] = AdvanceEvent.__table__  # type: ignore[attr-defined]
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]

# The check that a state still waits for, in the order in which they are taken.
_WAITS_FOR: Final = {
    "DECIDED": CHECKS_BEFORE_PAYOUT,
    "SIGNED": CHECKS_BEFORE_PAYOUT[1:],
    "REGISTERED": CHECKS_BEFORE_PAYOUT[2:],
}


def clear_checks(conn: Connection, request_id: str) -> set[str]:
    """Give the kinds of check whose latest record is clear."""
    rows = conn.execute(
        select(_CHECK.c.kind, _CHECK.c.result)
        .where(_CHECK.c.request_id == request_id)
        .order_by(_CHECK.c.at, _CHECK.c.id)
    )
    latest = {row.kind: row.result for row in rows}
    return {kind for kind, result in latest.items() if result == "CLEAR"}


def missing_checks(conn: Connection, request_id: str, required: Iterable[str]) -> list[str]:
    """Give the required checks that nobody has recorded yet."""
    done = clear_checks(conn, request_id)
    return [kind for kind in required if kind not in done]


def need_checks(conn: Connection, request_id: str, required: Iterable[str]) -> None:
    """Stop while a required check is missing.

    Raises
    ------
    RuleViolation
        CHECK_MISSING, naming each.
    """
    missing = missing_checks(conn, request_id, required)
    if missing:
        raise RuleViolation(
            "CHECK_MISSING",
            "Record these checks first: %(missing)s.",
            missing=missing,
            request_id=request_id,
        )


def still_good(conn: Connection, programme_id: str, rows: Sequence[Row[Any]], on: dt.date) -> None:
    """Stop where programme, invoice or payee are no longer what was requested.

    Raises
    ------
    RuleViolation
        PROGRAMME_SUSPENDED, DOCUMENT_MISSING, TITLE_PRIOR, OVER_ADVANCE_OPEN, DISPUTED,
        DUPLICATE_SUSPECT, TAX_ALERT_OPEN, ACCOUNT_UNVERIFIED, PAYEE_CHANGED.
    """
    programme = programme_of(conn, programme_id)
    if programme.state != "ACTIVE":
        raise RuleViolation(
            "PROGRAMME_SUSPENDED",
            "The programme is %(state)s; nothing new is paid under it.",
            state=programme.state,
        )
    invoices = conn.execute(
        select(_INVOICE).where(_INVOICE.c.id.in_({row.invoice_id for row in rows}))
    )
    for invoice in invoices:
        _invoice_still_good(invoice)
    _no_duplicate(conn, programme.financier_id, [row.invoice_id for row in rows])
    _no_tax_alert(conn, programme.financier_id, rows)
    _payee_still_good(conn, rows, on)


def _invoice_still_good(invoice: Row[Any]) -> None:
    if invoice.document_state != "VALIDATED":
        raise RuleViolation(
            "DOCUMENT_MISSING",
            "Invoice %(number)s is %(state)s.",
            invoice_id=invoice.id,
            number=invoice.number,
            state=invoice.document_state,
        )
    if invoice.title_prior:
        raise RuleViolation(
            "TITLE_PRIOR",
            "Invoice %(number)s is somebody else's.",
            invoice_id=invoice.id,
            number=invoice.number,
        )
    over = invoice.held_minor + invoice.outstanding_minor - capacity(invoice)
    if over > 0:
        contested = invoice.disputed_minor and not invoice.ipu
        raise RuleViolation(
            "DISPUTED" if contested else "OVER_ADVANCE_OPEN",
            "Invoice %(number)s is worth less than what is held and financed on it.",
            invoice_id=invoice.id,
            over_minor=over,
            number=invoice.number,
        )


def _no_duplicate(conn: Connection, financier_id: str, invoice_ids: Sequence[str]) -> None:
    """Stop what looks like another paper, until this financier has said which is the claim."""
    alike = in_the_way(conn, invoice_ids, financier_id)
    if not alike:
        return
    first = alike[0]
    facts = {"suspicion_id": first.id, "number": first.number}
    if first.spent:
        raise RuleViolation(
            "DUPLICATE_SUSPECT",
            "You have called invoice %(number)s one claim with another one, and money is held or"
            " was paid on that one. Decline this request, or wait until that money is back.",
            **facts,
        )
    if first.other:
        raise RuleViolation(
            "DUPLICATE_SUSPECT",
            "Invoice %(number)s may be the same claim as %(twin)s; decide that first.",
            twin=first.other,
            **facts,
        )
    raise RuleViolation(
        "DUPLICATE_SUSPECT",
        "Invoice %(number)s may be the same paper as one of other firms; decide that first.",
        **facts,
    )


def _no_tax_alert(conn: Connection, financier_id: str, rows: Sequence[Row[Any]]) -> None:
    """Stop while another invoice of the seller, financed here, is not what it was paid for as."""
    alert = standing_against(conn, financier_id, {row.seller_id for row in rows})
    if alert is not None:
        raise RuleViolation(
            "TAX_ALERT_OPEN",
            "The tax authority no longer has invoice %(number)s of this seller as it was financed.",
            alert_id=alert.id,
            number=alert.number,
            next_step=Words("Settle that alert first."),
        )


def _payee_still_good(conn: Connection, rows: Sequence[Row[Any]], on: dt.date) -> None:
    for key in {(row.seller_id, row.currency, row.financier_id) for row in rows}:
        seller_id, currency, financier_id = key
        account = verified_account(conn, seller_id, currency, on, financier_id=financier_id)
        if account is None:
            raise RuleViolation(
                "ACCOUNT_UNVERIFIED", "The seller has no verified account.", seller_id=seller_id
            )
        if any(
            row.payee_account_id != account.id
            for row in rows
            if (row.seller_id, row.currency, row.financier_id) == key
        ):
            raise RuleViolation(
                "PAYEE_CHANGED",
                "The seller's account is another one than in the request; it asks again.",
                seller_id=seller_id,
            )


def may_instruct(
    conn: Connection, rows: Sequence[Row[Any]], on: dt.date, now: dt.datetime | None = None
) -> None:
    """Stop a payment whose checks are not complete, whose day is not today, or whose basis moved.

    Without an instant, for a look, it is not asked how old the word of a tax authority is.

    Raises
    ------
    RuleViolation
        CHECK_MISSING; RECHECK_STALE when the title was not searched again today;
        VALUE_DATE_MOVED when the day that the price was made for has passed; CUTOFF_PASSED when
        the bank would pay a day later than that; SIGNATURE_VOID when
        it is not what was approved; what :func:`still_good` refuses; what a tax authority says.
    Conflict
        ILLEGAL_TRANSITION for an advance that is not decided.
    """
    for row in rows:
        waits_for = _WAITS_FOR.get(row.state)
        if waits_for is not None:
            need_checks(conn, row.request_id, _required(conn, row, waits_for))
        if row.state != "RECHECKED":
            raise Conflict(
                "ILLEGAL_TRANSITION",
                "The advance is %(state)s, not RECHECKED.",
                advance_id=row.id,
                state=row.state,
            )
        if row.value_on < on:
            raise RuleViolation(
                "VALUE_DATE_MOVED",
                "The price was made for %(value_on)s; the seller needs a new quote.",
                advance_id=row.id,
                value_on=row.value_on.isoformat(),
            )
    _before_the_cut_off(conn, rows, on, now)
    _rechecked_today(conn, rows, on)
    still_signed(conn, rows)
    for programme_id in sorted({row.programme_id for row in rows}):
        of_one = [row for row in rows if row.programme_id == programme_id]
        still_good(conn, programme_id, of_one, on)
    tax_valid(conn, rows, now)


def _before_the_cut_off(
    conn: Connection, rows: Sequence[Row[Any]], on: dt.date, now: dt.datetime | None
) -> None:
    """Stop what the bank would pay tomorrow at the price of today."""
    today = [row for row in rows if row.value_on == on] if now is not None else []
    for version_id in sorted({row.programme_version_id for row in today}):
        terms = terms_of_version(conn, version_id)
        if now is not None and cut_off_passed(terms, on, now):
            raise RuleViolation(
                "CUTOFF_PASSED",
                "The cut-off of %(cut_off)s (%(zone)s) has passed: the bank would pay a day"
                " later. The end of day offers the seller the next day.",
                cut_off=terms.cut_off,
                zone=terms.cut_off_zone,
                value_on=on.isoformat(),
            )


def answered(
    conn: Connection, financier_id: str, rows: Sequence[Row[Any]], now: dt.datetime
) -> None:
    """Stop an approval that the shared registry has not been asked about, or speaks against.

    What only looks similar there is this officer's to judge: the answer lies before everybody.
    """
    if is_member(conn, financier_id):
        ids = [row.invoice_id for row in rows]
        left = not_free(conn, financier_id, ids, now)
        _refuse_left(conn, {one: state for one, state in left.items() if state != "SIMILAR"})


def registered(
    conn: Connection, financier_id: str, rows: Sequence[Row[Any]], now: dt.datetime
) -> None:
    """Stop a payment on a claim that the shared registry does not show as this financier's.

    Raises
    ------
    RuleViolation
        ALREADY_FINANCED when another member has it; REGISTRY_DOWN when nobody could be asked.
    """
    ids = sorted({row.invoice_id for row in rows})
    _refuse_left(conn, unregistered(conn, financier_id, ids, now))


def _refuse_left(conn: Connection, left: Mapping[str, str]) -> None:
    for invoice_id, state in sorted(left.items(), key=lambda one: one[1] != "HELD"):
        [invoice] = invoices_of(conn, {invoice_id})
        if state == "HELD":
            raise RuleViolation(
                "ALREADY_FINANCED",
                "The registry shows invoice %(number)s as another financier's: refer it.",
                invoice_id=invoice_id,
                number=invoice.number,
            )
        raise RuleViolation(
            "REGISTRY_DOWN",
            "The registry has not confirmed invoice %(number)s: nothing is paid on it unasked.",
            invoice_id=invoice_id,
            number=invoice.number,
            next_step="Try again once the registry answers.",
        )


def tax_valid(conn: Connection, rows: Sequence[Row[Any]], now: dt.datetime | None) -> None:
    """Stop where a programme pays only what the tax authority has just called valid.

    Raises
    ------
    RuleViolation
        TAX_UNCHECKED when nobody could be asked, and what the authority holds against an invoice.
    """
    by_version: dict[str, list[Row[Any]]] = {}
    for row in rows:
        by_version.setdefault(row.programme_version_id, []).append(row)
    for version_id, members in by_version.items():
        terms = terms_of_version(conn, version_id)
        if terms.tax_check != "full" or terms.tax_scheme is None:
            continue
        invoices = invoices_of(conn, {row.invoice_id for row in members})
        known = standings(conn, invoices, terms.tax_scheme, members[0].financier_id)
        since = for_a_payout(now) if now is not None else None
        limits.refuse(
            [
                found
                for one in invoices
                if (found := against(known[one.id], one.credited_minor, one.currency, since))
            ]
        )


def _required(conn: Connection, row: Row[Any], waits_for: Sequence[str]) -> list[str]:
    terms = terms_of_version(conn, row.programme_version_id)
    return [kind for kind in waits_for if kind in terms.checks_before_payout]


def _rechecked_today(conn: Connection, rows: Sequence[Row[Any]], on: dt.date) -> None:
    """Search, register, search again: the last search is of the day on which money is sent."""
    fresh = set(
        conn.execute(
            select(_EVENT.c.advance_id).where(
                _EVENT.c.advance_id.in_([row.id for row in rows]),
                _EVENT.c.event == "recheck",
                _EVENT.c.on_date >= on,
            )
        ).scalars()
    )
    by_version: dict[str, Terms] = {}
    for row in rows:
        if row.id in fresh:
            continue
        if row.programme_version_id not in by_version:
            by_version[row.programme_version_id] = terms_of_version(conn, row.programme_version_id)
        if "recheck" in by_version[row.programme_version_id].checks_before_payout:
            raise RuleViolation(
                "RECHECK_STALE",
                "Search the title again on the day of payment.",
                advance_id=row.id,
                on=on.isoformat(),
            )
