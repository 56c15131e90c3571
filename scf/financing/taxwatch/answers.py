"""Keeping what a tax authority answered, and what follows from it in the same transaction.

Only the platform calls this, with answers that it fetched before. A word against an invoice on
which money is out raises an alert; where nothing has left yet, the request is refused by a job of
its own, because a request is locked before its invoices.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Row, Table, func, insert, select, update

from scf.db.runner import Context, command
from scf.db.types import Id, Minor
from scf.documents.models import Invoice
from scf.documents.taxcheck import asking
from scf.documents.taxcheck.port import AGAINST, MOST_AT_ONCE, WORDS, Answer, State
from scf.documents.taxcheck.schemes import SchemeName
from scf.financing import advances, requests
from scf.financing.authority import POLICY
from scf.financing.lifecycle import BEFORE_INSTRUCTED, ENDED, UNDECIDED
from scf.financing.models import Advance, FinancingRequest
from scf.financing.taxwatch.standstill import ALERT
from scf.kernel.errors import Words
from scf.kernel.ids import new_id

# So long may an authority be silent about a financed invoice before somebody is told.
MOST_SILENCE: Final = dt.timedelta(days=14)
_ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_Short = Annotated[str, Field(max_length=200)]


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GivenAnswer(_Input):
    """What an authority said of one invoice; see ``documents.taxcheck.port.Answer``."""

    invoice_id: Id
    scheme: SchemeName
    state: State
    credited_minor: Minor = 0
    field: _Short = ""
    theirs: _Short = ""
    ours: _Short = ""
    reference: _Short = ""
    version: _Short = ""
    at: AwareDatetime | None = None
    reason: _Short = ""


class KeepAnswers(_Input):
    """Answers to one call, and why it was made."""

    answers: list[GivenAnswer] = Field(min_length=1, max_length=MOST_AT_ONCE)
    purpose: Literal["offer", "payout", "weekly"]


class RefuseForTax(_Input):
    """A request on an invoice that the tax authority has as void."""

    request_id: Id
    invoice_id: Id


@command("tax.keep_answers", KeepAnswers)
def keep_answers(ctx: Context, data: KeepAnswers) -> dict[str, Any]:
    """Each invoice shows what its tax authority says; a bad word on a financed one is an alert.

    What is held for a void invoice is freed, and its request refused (job "tax.refuse"). No entry
    is posted: what the invoice is worth changes by a credit note, recourse or payment alone.
    """
    ids = sorted({one.invoice_id for one in data.answers})
    invoices = ctx.lock(Invoice, ids)
    before = asking.last_words(ctx.conn, ids)
    kept = asking.keep(
        ctx,
        [
            asking.Kept(
                one.invoice_id,
                one.scheme,
                Answer(**one.model_dump(exclude={"invoice_id", "scheme"})),
            )
            for one in data.answers
        ],
        data.purpose,
    )
    against = {
        one.invoice_id: (one, check_id)
        for one, check_id in zip(data.answers, kept, strict=True)
        if _is_against(one, invoices[one.invoice_id])
    }
    silent = _silent(ctx, data, kept) if data.purpose == "weekly" else {}
    rows = _live(ctx, [*against, *silent])
    alerts = _alert(ctx, rows, invoices, against, silent)
    _tell_sellers(ctx, invoices, against, before)
    refused = _refuse(ctx, rows, against)
    counts = dict.fromkeys((*WORDS, "UNAVAILABLE"), 0)
    for one in data.answers:
        counts[one.state] += 1
    return {"answers": counts, "alerts": alerts, "refused": refused}


def _is_against(one: GivenAnswer, invoice: Row[Any]) -> bool:
    if one.state == "CREDITED":
        return bool(one.credited_minor > invoice.credited_minor)
    return one.state in AGAINST


def _tell_sellers(
    ctx: Context,
    invoices: Mapping[str, Row[Any]],
    against: Mapping[str, tuple[GivenAnswer, str]],
    before: Mapping[str, str],
) -> None:
    """Let a seller know what its tax authority holds against an invoice, when that is news."""
    for invoice_id, (one, check_id) in sorted(against.items()):
        seller_id = invoices[invoice_id].seller_id
        if seller_id and before.get(invoice_id) != one.state:
            ctx.emit(
                "tax.against", {"invoice_id": invoice_id, "check_id": check_id}, org_id=seller_id
            )


def _silent(ctx: Context, data: KeepAnswers, kept: Sequence[str]) -> dict[str, str]:
    """Give the invoices on which no word has come for too long, with the failed answer."""
    failed = {
        one.invoice_id: check_id
        for one, check_id in zip(data.answers, kept, strict=True)
        if one.state == "UNAVAILABLE"
    }
    if not failed:
        return {}
    check = asking.CHECK
    heard = ctx.conn.execute(
        select(check.c.invoice_id, func.max(check.c.asked_at))
        .where(check.c.invoice_id.in_(sorted(failed)), check.c.answer.in_(WORDS))
        .group_by(check.c.invoice_id)
    ).all()
    limit = ctx.now - MOST_SILENCE
    still = {row[0] for row in heard if row[1] > limit}
    return {one: check_id for one, check_id in failed.items() if one not in still}


def _live(ctx: Context, invoice_ids: Sequence[str]) -> list[Row[Any]]:
    """Read the advances on invoices, which are locked: none of them moves meanwhile."""
    return list(
        ctx.conn.execute(
            select(_ADVANCE)
            .where(_ADVANCE.c.invoice_id.in_(invoice_ids), _ADVANCE.c.state.not_in(ENDED))
            .order_by(_ADVANCE.c.id)
        )
    )


def _alert(
    ctx: Context,
    rows: Sequence[Row[Any]],
    invoices: Mapping[str, Row[Any]],
    against: Mapping[str, tuple[GivenAnswer, str]],
    silent: Mapping[str, str],
) -> int:
    """Raise an alert where money is out or with the bank, one for invoice and financier."""
    out = [row for row in rows if row.state not in BEFORE_INSTRUCTED]
    raised = 0
    for invoice_id, financier_id in sorted({(row.invoice_id, row.financier_id) for row in out}):
        of_one = [
            row for row in out if (row.invoice_id, row.financier_id) == (invoice_id, financier_id)
        ]
        word = against.get(invoice_id)
        kind, check_id = (word[0].state, word[1]) if word else ("UNANSWERED", silent[invoice_id])
        raised += _raise(ctx, invoices[invoice_id], of_one, kind, check_id)
    return raised


def _raise(
    ctx: Context, invoice: Row[Any], rows: Sequence[Row[Any]], kind: str, check_id: str
) -> bool:
    financier_id = rows[0].financier_id
    standing = ctx.conn.execute(
        select(ALERT).where(
            ALERT.c.invoice_id == invoice.id,
            ALERT.c.financier_id == financier_id,
            ALERT.c.state != "CLOSED",
        )
    ).one_or_none()
    if standing is not None:
        if standing.kind != kind:
            ctx.conn.execute(
                update(ALERT).where(ALERT.c.id == standing.id).values(kind=kind, check_id=check_id)
            )
            ctx.change("tax_alert", standing.id, {"kind": standing.kind}, {"kind": kind})
            _tell(ctx, standing.id, invoice.id, financier_id)
        return False
    row = {
        "id": new_id(),
        "invoice_id": invoice.id,
        "financier_id": financier_id,
        "seller_id": invoice.seller_id,
        "check_id": check_id,
        "kind": kind,
        "currency": invoice.currency,
        "financed_minor": sum(one.face_minor for one in rows),
        "state": "OPEN",
        "owner_id": _who_decided(ctx, rows),
        "opened_at": ctx.now,
        "taken_at": None,
        "outcome": None,
        "note": None,
        "closed_by": None,
        "closed_at": None,
    }
    ctx.conn.execute(insert(ALERT), row)
    ctx.change("tax_alert", str(row["id"]), None, {"kind": kind, "owner_id": row["owner_id"]})
    _tell(ctx, str(row["id"]), invoice.id, financier_id)
    return True


def _tell(ctx: Context, alert_id: str, invoice_id: str, financier_id: str) -> None:
    ctx.emit("tax.alert", {"alert_id": alert_id, "invoice_id": invoice_id}, org_id=financier_id)


def _who_decided(ctx: Context, rows: Sequence[Row[Any]]) -> str | None:
    """Give the officer who said the last word for this money; nobody where the policy did."""
    made = requests.DECISIONS
    found: str | None = ctx.conn.execute(
        select(made.c.user_id)
        .where(
            made.c.request_id.in_({row.request_id for row in rows}),
            made.c.outcome == "APPROVE",
            made.c.user_id != POLICY,
        )
        .order_by(made.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return found


def _refuse(
    ctx: Context, rows: Sequence[Row[Any]], against: Mapping[str, tuple[GivenAnswer, str]]
) -> int:
    """Let the requests be refused whose money has not left and whose invoice is void."""
    due = {
        (row.request_id, row.invoice_id)
        for row in rows
        if row.state in BEFORE_INSTRUCTED
        and (word := against.get(row.invoice_id)) is not None
        and word[0].state == "VOIDED"
    }
    for request_id, invoice_id in sorted(due):
        ctx.enqueue(
            "tax.refuse",
            {"request_id": request_id, "invoice_id": invoice_id},
            f"{request_id}:{against[invoice_id][1]}",
        )
    return len(due)


@command("tax.refuse_request", RefuseForTax)
def refuse_request(ctx: Context, data: RefuseForTax) -> dict[str, Any]:
    """A request on a void invoice is refused, and all that it held is free again.

    Where money of the same request has left already, or it is over by now, nothing is done: what
    stands before the void invoice is the guard of each pay-out.
    """
    row = ctx.lock(FinancingRequest, [data.request_id])[data.request_id]
    parts = advances.of_request(ctx.conn, row.id)
    gone = any(one.state not in (*BEFORE_INSTRUCTED, *ENDED) for one in parts)
    if gone or row.state not in (*UNDECIDED, "APPROVED"):
        return {"request_id": row.id, "state": row.state, "refused": False}
    facts = {
        "invoice_id": data.invoice_id,
        "next_step": Words("Hand in the invoice that replaces it."),
    }
    after = requests.close(ctx, row, event="decline", code="TAX_VOID", facts=facts)
    return {"request_id": row.id, "state": after.state, "refused": True}
