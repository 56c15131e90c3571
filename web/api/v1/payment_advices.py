"""Advices of payments: what payers and platforms say that a bank credit is made of."""

import datetime as dt
from typing import Final

from flask import Blueprint, g
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.settlement.advised import handing
from scf.settlement.advised.models import PaymentAdvice
from scf.settlement.advised.tables import MAX_BYTES
from web.api.v1 import described
from web.api.v1.files import BYTES, sent_file
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import one
from web.context import actor, platform

resource = Blueprint("payment-advices", __name__)
_NAME: Final = {"name": {"type": "string", "maxLength": 400}}


class AdviceLine(Answer):
    """One line; what takes off is negative."""

    place: str
    kind: str
    number: str
    amount: Amount
    reason: str
    paper: str


class AdviceRow(Answer):
    """A paper: WAITING for its credit, MATCHED with it, or WITHDRAWN."""

    id: str
    kind: str
    number: str
    sender_id: str
    merchant_id: str | None
    reference: str
    paid_on: dt.date | None
    net: Amount
    state: str
    bank_entry_id: str | None
    created_at: dt.datetime


class AdviceWithLines(AdviceRow):
    """A paper with its lines, which add up to its net sum."""

    lines: list[AdviceLine]


class AdvicePage(Answer):
    """Some of the papers."""

    items: list[AdviceRow]
    next_cursor: str


class AdviceKept(Answer):
    """What became of a paper; of its credit, where one was found, what was placed."""

    id: str
    state: str
    again: bool
    net: Amount
    bank_entry_id: str | None
    placed: Amount
    proposed: bool


class AdviceWithdrawn(Answer):
    """The paper after the act."""

    id: str
    state: str


class Named(BaseModel):
    """Beside a plain body, the name of the file."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(default="", max_length=400)


class Why(BaseModel):
    """Why a paper is withdrawn."""

    model_config = ConfigDict(extra="forbid")
    note: str = Field(min_length=1, max_length=4000)


described.takes_file("/payment-advices", "application/xml", BYTES, form=_NAME)


@endpoint(
    resource,
    "POST",
    "/payment-advices",
    action="advice.keep",
    answer=AdviceKept,
    status=201,
    raw_body=True,
    max_body=MAX_BYTES,
)
def hand_in_advice(query: Named) -> tuple[AdviceKept, int]:  # noqa: ARG001 - read with the file
    """Hand in a remittance advice (UBL or CSV) or a platform's settlement (CSV); again, nothing."""
    sent = sent_file()
    said = handing.hand_in(platform(), actor(), sent.content, sent.name, key=g.idempotency_key)
    currency = said["currency"]
    return AdviceKept(
        id=said["advice_id"],
        state=said["state"],
        again=said["again"],
        net=amount(said["net_minor"], currency),
        bank_entry_id=said.get("entry_id"),
        placed=amount(said.get("placed_minor", 0), currency),
        proposed=said.get("proposed", False),
    ), 201


@endpoint(resource, "GET", "/payment-advices", action="advice.read", answer=AdvicePage)
def list_advices(query: PageQuery) -> AdvicePage:
    """List the papers that senders' words came in, the newest first."""
    with reader() as session:
        rows, following = page(session, select(PaymentAdvice), query, col(PaymentAdvice.id))
        return AdvicePage(items=[_row(row) for row in rows], next_cursor=following)


@endpoint(
    resource, "GET", "/payment-advices/<advice_id>", action="advice.read", answer=AdviceWithLines
)  # fmt: skip
def get_advice(advice_id: str) -> AdviceWithLines:
    """Show one paper with its lines."""
    with reader() as session:
        row = one(session, PaymentAdvice, advice_id)
        lines = [
            AdviceLine(
                place=line["place"],
                kind=line["kind"],
                number=line["number"],
                amount=amount(line["amount_minor"], row.currency),
                reason=line["reason"],
                paper=line["paper"],
            )
            for line in row.lines
        ]
        return AdviceWithLines(**_row(row).model_dump(), lines=lines)


@endpoint(
    resource,
    "POST",
    "/payment-advices/<advice_id>/withdraw",
    action="advice.withdraw",
    answer=AdviceWithdrawn,
)
def withdraw_advice(advice_id: str, json: Why) -> AdviceWithdrawn:
    """Withdraw a paper that was handed in by mistake and still waits."""
    said = run("advice.withdraw", {"advice_id": advice_id, "note": json.note}).result
    return AdviceWithdrawn(id=said["advice_id"], state=said["state"])


def _row(row: PaymentAdvice) -> AdviceRow:
    return AdviceRow(
        id=row.id,
        kind=row.kind,
        number=row.number,
        sender_id=row.sender_id,
        merchant_id=row.merchant_id,
        reference=row.reference,
        paid_on=row.paid_on,
        net=amount(row.net_minor, row.currency),
        state=row.state,
        bank_entry_id=row.bank_entry_id,
        created_at=row.created_at,
    )
