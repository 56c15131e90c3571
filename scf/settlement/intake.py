"""The movements on the financier's accounts, as a slice of a bank statement tells them.

Every entry is posted at once, so that cash is what the bank says, and then has its effect.
"""

import base64
import binascii
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from scf.db.audit import PERSONAL, SECRET
from scf.db.runner import Context, command
from scf.db.types import Code, Count, Currency, OptDay, SignedMinor, Text
from scf.financing import advances
from scf.kernel.errors import InvalidInput, NotFound, Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.ids import new_id
from scf.kernel.money import format_minor
from scf.ledger.service import LedgerEvent, post
from scf.parties.models import BankAccount
from scf.parties.service import business_date, own_account_id
from scf.settlement import continuity, journals, later, matching, outcomes, proposing, receipts
from scf.settlement.advised import evidence
from scf.settlement.expected import EntryIn, Match, lock_all, match
from scf.settlement.models import BankStatement
from scf.settlement.receipts import ENTRY
from scf.settlement.reversals import take_back

_statement: Final[Table] = BankStatement.__table__  # type: ignore[attr-defined]
_STORE_STATEMENT: Final = {
    "sqlite": sqlite.insert(_statement).on_conflict_do_nothing().returning(_statement.c.id),
    "postgresql": postgresql.insert(_statement).on_conflict_do_nothing().returning(_statement.c.id),
}
_STORE_ENTRY: Final = {
    "sqlite": sqlite.insert(ENTRY).on_conflict_do_nothing().returning(ENTRY),
    "postgresql": postgresql.insert(ENTRY).on_conflict_do_nothing().returning(ENTRY),
}


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class ReadStatement(_Input):
    """One slice of one statement; its first slice carries the file."""

    model_config = ConfigDict(extra="forbid", str_max_length=None)  # the file itself is long

    name: Text = ""
    sha256: Code
    content: str = Field(default="", json_schema_extra={**SECRET})
    place: Count
    part: Count
    form: Code = "camt.053"
    where: Text = ""  # the place of the statement in its file
    statement_ref: Text
    account: Text
    currency: Currency
    from_on: OptDay = None
    to_on: OptDay = None
    opening_on: OptDay = None
    closing_on: OptDay = None
    first_on: OptDay = None  # the days on which the entries of the whole statement are booked
    last_on: OptDay = None
    is_last: bool = True  # the slice after which all of the statement was read
    opening_minor: SignedMinor
    closing_minor: SignedMinor
    total: Count
    entries: list[EntryIn] = Field(max_length=1000, json_schema_extra={**PERSONAL})


@command("statement.read", ReadStatement)
def read_statement(ctx: Context, data: ReadStatement) -> dict[str, Any]:
    """Post the booked entries of an account and match them with what was expected.

    A debit settles the payment whose EndToEndId and amount it carries. A credit is posted to
    suspense at once; then it gives a pay-out back, or pays what it names. What is not recognised
    waits with a reason and is told as a finding.

    An entry that is known adds nothing but what it tells beyond what was told before: the payments
    inside a batch that was booked as one sum.

    Raises
    ------
    NotFound
        ACCOUNT, when the account is none of this financier's.
    RuleViolation
        FORM_MIXED, when entries of these days came in another form of file.
    """
    financier_id = ctx.actor.org_id
    account_id = own_account_id(ctx.conn, financier_id, data.account, data.currency)
    if account_id is None:
        raise NotFound(
            "ACCOUNT", "The statement is of an account that is none of yours.", kind="account"
        )
    # One statement of an account after the other: each is held against those before it.
    ctx.lock(BankAccount, [account_id])
    continuity.one_form(
        ctx.conn, (financier_id, data.account), data.form, data.first_on, data.last_on
    )
    today = business_date(ctx.conn, financier_id)
    statement_id = _statement_row(ctx, data, financier_id)
    parts = later.parts_of_batches(ctx.conn, (financier_id, data.account), data.form, data.entries)
    findings: list[Finding] = [later.told(one) for one in parts.known]
    new, again = _store_entries(ctx, data, financier_id, statement_id, parts.new)
    old = later.told_more(ctx, [*again, *parts.batches])
    matched = [match(ctx, row, given) for row, given in (*new, *old)]
    evidence.withhold(ctx.conn, financier_id, matched)
    weighed = proposing.ask(ctx, matched)
    lock_all(ctx, matched)
    stored = {row.id for row, _given in new}
    later.unpark(ctx, [one for one in matched if one.row.id not in stored], today)
    # What settles an order of ours is booked as that, straight from transit.
    _post_all(ctx, [one.row for one in matched if not one.settles and one.row.id in stored], today)
    done: list[tuple[Row[Any], dt.date]] = []
    counts = {"settled": 0, "returned": 0, "waiting": 0}
    for one in matched:
        if one.settles:
            done += [(instruction, one.row.value_on) for instruction in one.settles]
            _finished(ctx, one.row)
            counts["settled"] += len(one.settles)
    outcomes.settled(ctx, done, today)
    for one in matched:
        if one.settles:
            continue
        waits = _apply(ctx, one, today)
        if one.returns and not waits:
            counts["returned"] += 1
        if waits:
            counts["waiting"] += 1
            findings.append(_waits(one.given, waits))
    proposing.keep(ctx, _rows_now(ctx, weighed), weighed)
    ctx.conn.execute(
        update(_statement)
        .where(_statement.c.id == statement_id)
        .values(new_entries=_statement.c.new_entries + len(new))
    )
    gap = continuity.finding(ctx.conn, statement_id, data.where) if data.is_last else None
    findings += [gap] if gap else []
    return {
        "statement_id": statement_id,
        "entries": len(data.entries),
        "new_entries": len(new),
        **counts,
        "findings": [one.as_stored() for one in findings],
    }


def _rows_now(ctx: Context, weighed: proposing.Weighed) -> Sequence[Row[Any]]:
    if not weighed.verdicts:
        return ()
    ids = sorted(weighed.verdicts)
    return ctx.conn.execute(select(ENTRY).where(ENTRY.c.id.in_(ids)).order_by(ENTRY.c.id)).all()


def _statement_row(ctx: Context, data: ReadStatement, financier_id: str) -> str:
    """Store the statement with its first slice; later slices, and other readings, find it."""
    values = {
        "id": new_id(),
        "financier_id": financier_id,
        "sha256": data.sha256,
        "place": data.place,
        "name": data.name,
        "content": _bytes(data.content),
        "form": data.form,
        "statement_ref": data.statement_ref,
        "account": data.account,
        "currency": data.currency,
        "from_on": data.from_on,
        "to_on": data.to_on,
        "opening_on": data.opening_on,
        "closing_on": data.closing_on,
        "opening_minor": data.opening_minor,
        "closing_minor": data.closing_minor,
        "entries": data.total,
        "new_entries": 0,
        "created_at": ctx.now,
    }
    made = ctx.conn.execute(_STORE_STATEMENT[ctx.dialect], values).scalar_one_or_none()
    if made is not None:
        ctx.change("bank_statement", made, None, {"sha256": data.sha256, "entries": data.total})
        return str(made)
    return str(
        ctx.conn.execute(
            select(_statement.c.id).where(
                _statement.c.financier_id == financier_id,
                _statement.c.sha256 == data.sha256,
                _statement.c.place == data.place,
            )
        ).scalar_one()
    )


def _bytes(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        raise InvalidInput("CONTENT", "The file is not written in base64.") from None


def _store_entries(
    ctx: Context,
    data: ReadStatement,
    financier_id: str,
    statement_id: str,
    entries: Sequence[EntryIn],
) -> tuple[list[tuple[Row[Any], EntryIn]], list[tuple[Row[Any], EntryIn]]]:
    """Store the entries that no statement has brought before; gives these, and the known ones."""
    new = []
    known: dict[str, EntryIn] = {}
    for given in entries:
        row = ctx.conn.execute(
            _STORE_ENTRY[ctx.dialect],
            {
                "id": new_id(),
                "statement_id": statement_id,
                "financier_id": financier_id,
                "account": data.account,
                "identity": given.identity,
                "amount_minor": given.amount_minor,
                "currency": given.currency,
                "booked_on": given.booked_on,
                "value_on": given.value_on,
                "state": "RECEIVED",
                "reason": None,
                "remitter_id": None,
                "unallocated_minor": abs(given.amount_minor),
                "details": given.model_dump(mode="json", include=set(later.KEPT)),
                "created_at": ctx.now,
            },
        ).one_or_none()
        if row is None:
            known[given.identity] = given
        elif row.amount_minor:
            new.append((row, given))
    rows = (
        ctx.conn.execute(
            select(ENTRY).where(
                ENTRY.c.financier_id == financier_id,
                ENTRY.c.account == data.account,
                ENTRY.c.identity.in_(sorted(known)),
            )
        ).all()
        if known
        else ()
    )
    return new, [(row, known[row.identity]) for row in rows]


def _post_all(ctx: Context, rows: Sequence[Row[Any]], today: dt.date) -> None:
    """Post entries at once, so that cash is what the bank says; their meaning follows."""
    events = []
    for row in rows:
        amount = abs(row.amount_minor)
        make = journals.received if row.amount_minor > 0 else journals.debited
        events.append(
            LedgerEvent(
                row.id,
                "bank.booked",
                row.id,
                row.currency,
                today,
                row.value_on,
                f"Bank entry {row.details['reference']}".strip(),
                make(row.financier_id, amount),
            )
        )
    post(ctx, events)


def _apply(ctx: Context, one: Match, today: dt.date) -> str:
    """Let one entry have its effect; gives why it waits, or an empty text."""
    row = one.row
    if one.reverses is not None:
        refusal = take_back(ctx, one.reverses, today, bank_entry=row)
        if not refusal:
            _finished(ctx, row)
        else:
            _park(ctx, row, refusal)
        return refusal
    if one.returns is not None:
        state = _advance_state(ctx, one.returns)
        if state not in {None, "FUNDED"}:
            # Repaid in part already: what came back is for a person to judge.
            _park(ctx, row, matching.RETURN_UNKNOWN)
            return matching.RETURN_UNKNOWN
        code = one.given.return_reason or "NARR"
        outcomes.returned(ctx, one.returns, row, code, today)
        receipts.note(ctx, row, "")
        return ""
    if one.reason:
        _park(ctx, row, one.reason)
        return one.reason
    after = receipts.share_out(ctx, row, one.found, today)
    return after.reason or ""


def _advance_state(ctx: Context, instruction: Row[Any]) -> str | None:
    if instruction.advance_id is None:
        return None
    return str(advances.rows_of(ctx.conn, [instruction.advance_id])[0].state)


def _finished(ctx: Context, row: Row[Any]) -> None:
    """A debit that was expected, or one whose cause was found, is fully explained."""
    ctx.conn.execute(
        update(ENTRY)
        .where(ENTRY.c.id == row.id)
        .values(state="POSTED", unallocated_minor=0, reason=None)
    )


def _park(ctx: Context, row: Row[Any], reason: str) -> None:
    ctx.conn.execute(update(ENTRY).where(ENTRY.c.id == row.id).values(reason=reason))
    ctx.emit("receipt.waiting", {"entry_id": row.id, "reason": reason})


_WORDS: Final[Mapping[str, Words]] = {
    matching.UNKNOWN_DEBIT: Words("Nobody ordered this payment."),
    matching.AMOUNT_DIFFERS: Words("The amount is not what was ordered."),
    matching.NOT_SENT: Words("The payment it names is not under way."),
    matching.NO_REFERENCE: Words("Nothing tells what this, or a part of it, pays."),
    matching.TO_REVIEW: Words(
        "What is open would fit, but not beyond doubt; a person chooses among the proposals."
    ),
    matching.PAYER_UNKNOWN: Words(
        "The payer is unknown; nothing is allocated before a person decides."
    ),
    matching.PAYER_NOT_OBLIGOR: Words(
        "The payer is not who owes; a person decides before it counts."
    ),
    matching.ADVISED: Words("A paper of the sender says what it pays, and is held against it."),
    matching.VALUE_DATE_AHEAD: Words("It counts from a later day and waits for it."),
    matching.HELD_PART: Words("It pays a part that is being financed right now, and waits."),
    matching.RETURN_UNKNOWN: Words("A payment came back that is not known as settled."),
    matching.REVERSAL_UNKNOWN: Words("The bank takes back an entry that cannot be found."),
    matching.PAID_OUT: Words("The bank takes back money that has been paid on already."),
}


def _waits(given: EntryIn, reason: str) -> Finding:
    amount = format_minor(given.amount_minor, given.currency)
    return Finding(
        Severity.WARNING, reason, _WORDS[reason], given.place, f"{amount} {given.currency}"
    )
