"""Money that comes as payers send it: a slip in the number, none at all, of somebody else."""

import dataclasses
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Row, select

from scf.demo import cast, world
from scf.demo.story import Story
from scf.documents import rules
from scf.documents.models import Invoice
from scf.financing.lifecycle import OUT
from scf.financing.models import Advance

_INVOICE: Final = Invoice.__table__  # type: ignore[attr-defined]
_ADVANCE: Final = Advance.__table__  # type: ignore[attr-defined]
_CHARGES: Final = 2_500  # what a bank on the way has kept, minor units


def come(story: Story) -> None:
    """Let buyers pay some of what the first bank has financed, each with another mistake.

    One settles by itself although its number has a slip; the others wait for a person with what
    they may pay and why.
    """
    owed = _open_items(story)
    told: list[tuple[Row[Any], int, str]] = []
    for row, ((first, second), wrong) in zip(owed, _SLIPS, strict=False):
        told.append((row, wrong, f"{first}{_slipped(row.number)}{second}"))
    for row, missing, words in told:
        story.receive(_firm(story, row.buyer_id), rules.owed(row) - missing, words)
    rest = owed[len(told) :]
    pair = next(
        ((one, other) for one, other in pairwise(rest) if one.buyer_id == other.buyer_id), None
    )
    if pair is not None:  # two invoices at once, and not a word
        story.receive(
            _firm(story, pair[0].buyer_id), sum(rules.owed(row) for row in pair), "monthly run"
        )
    alone = [row for row in rest if pair is None or row not in pair]
    if len(alone) > 1:
        payer = story.cast.of("dealer")[0]  # pays for somebody else
        story.receive(payer, rules.owed(alone[0]), f"Invoice {alone[0].number}")
        debtor = _firm(story, alone[1].buyer_id)
        _from_new_account(story, debtor, rules.owed(alone[1]), f"Inv {alone[1].number}")


# What stands around the number, and what is missing of the sum.
_SLIPS: Final = (
    (("Payment of invoice ", " thank you"), 0),
    (("", " less charges"), _CHARGES),
)


def _open_items(story: Story) -> list[Row[Any]]:
    """Give what is financed by the first bank and open, the next due first."""
    with story.platform.db.snapshot() as conn:
        rows = conn.execute(
            select(_INVOICE)
            .where(
                _INVOICE.c.id.in_(
                    select(_ADVANCE.c.invoice_id).where(
                        _ADVANCE.c.financier_id == story.firms[world.FINANCIER],
                        _ADVANCE.c.state.in_(OUT),
                    )
                )
            )
            .order_by(_INVOICE.c.due_on, _INVOICE.c.number)
        ).all()
    return [row for row in rows if rules.owed(row) > _CHARGES]


def _slipped(number: str) -> str:
    """Swap the last two different signs of a number, as hurried hands do."""
    for at in range(len(number) - 2, 0, -1):
        if number[at] != number[at + 1] and number[at : at + 2].isalnum():
            return number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    return number[:-1]


def _firm(story: Story, firm_id: str) -> cast.Actor:
    name = next(name for name, known in story.firms.items() if known == firm_id)
    return story.cast.firms[name]


def _from_new_account(story: Story, payer: cast.Actor, amount: int, words: str) -> None:
    """Let a buyer pay from an account, and under a name, that nobody has seen."""
    unseen = dataclasses.replace(payer, name=f"{payer.name} Co")
    story.receive(unseen, amount, words, account="DE89370400440532013000")
