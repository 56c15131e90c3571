"""What a report of the day (MT942) sums up: number and sum of its debits and credits.

Source: SWIFT User Handbook, Category 9, fields 34F (floor limit), 90C and 90D. Below the floor
limit a bank counts entries that it does not list, so the sums are then an upper bound.
"""

import re
from typing import Final

from scf.kernel.errors import InvalidInput
from scf.kernel.money import parse_minor
from scf.settlement.readers.messages import BankStatement
from scf.settlement.readers.mt_fields import Message
from scf.settlement.readers.notes import Notes

_TURNOVER: Final = re.compile(r"([0-9]{1,5})([A-Z]{3})([0-9,]{1,30})")
_FLOOR: Final = re.compile(r"[A-Z]{3}[CD]?([0-9,]{1,30})")


def check_turnovers(notes: Notes, message: Message, statement: BankStatement) -> None:
    """Hold fields 90C and 90D against the entries of a page."""
    floors = [found[1] for one in message.many("34F") if (found := _FLOOR.match(one.line(0)))]
    listed_all = not any(text.strip("0,") for text in floors)
    for tag, sign in (("90C", 1), ("90D", -1)):
        field = message.first(tag)
        if field is None:
            continue
        shape = _TURNOVER.fullmatch(field.line(0).strip())
        minor = _minor(shape[3], shape[2]) if shape else None
        if shape is None or minor is None:
            notes.error(
                "TURNOVER", "A turnover is a number, a currency and a sum.", field.place,
                field.line(0),
            )  # fmt: skip
            continue
        amounts = [one.amount_minor for one in statement.entries if one.amount_minor * sign > 0]
        count, total = len(amounts), abs(sum(amounts))
        same = (count, total) == (int(shape[1]), minor)
        if not same and (listed_all or count > int(shape[1]) or total > minor):
            notes.error(
                "TURNOVER_WRONG",
                "Number or sum is not that of the entries.",
                field.place,
                field.line(0),
            )


def _minor(text: str, currency: str) -> int | None:
    try:
        return parse_minor(text.removesuffix(","), currency, decimal_comma=True)
    except InvalidInput:
        return None
