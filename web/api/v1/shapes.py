"""How money, rates and lists look in every answer, and the problem that every error is."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from scf.db.types import Currency, SignedMinor


class Answer(BaseModel):
    """Base of every answer: a field that is not listed is not shown."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class Reason(BaseModel):
    """Why; what a step asks for that needs no more."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=3, max_length=1000)


class Amount(Answer):
    """Money: an integer of minor units and its currency, never a fraction."""

    amount_minor: SignedMinor
    currency: Currency


def amount(minor: int, currency: str) -> Amount:
    """Return an amount as answers show it."""
    return Amount(amount_minor=minor, currency=currency)


class ProblemDocument(BaseModel):
    """RFC 9457 problem details; ``code`` is stable, ``facts`` are what was measured."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    facts: dict[str, Any]
