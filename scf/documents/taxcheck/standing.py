"""Whether what an authority said of an invoice lets money near it, and if not, what helps.

Pure. An answer is a word only when the authority gave one: that nobody could be asked is told, and
never taken for a yes. How old a word may be depends on what is about to happen.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from scf.kernel.errors import Refusal, Words
from scf.kernel.money import format_minor

OFFER_FRESH: Final = dt.timedelta(hours=24)
PAYOUT_FRESH: Final = dt.timedelta(hours=1)
# Two people who looked it up elsewhere need not do so every hour.
PEOPLE_FRESH: Final = dt.timedelta(hours=24)
# Asked again within this time, the last word is still the answer.
CACHED: Final = dt.timedelta(minutes=10)


class Word(NamedTuple):
    """The last thing that an authority, or two people in its place, said of an invoice."""

    answer: str
    credited_minor: int
    field: str
    theirs: str
    ours: str
    reference: str
    asked_at: dt.datetime
    by_people: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one invoice under the scheme that its programme asks for."""

    number: str
    scheme: str
    lacks: tuple[str, ...]
    word: Word | None
    failed_at: dt.datetime | None = None  # nobody could be asked since the last word
    reason: str = ""


class Since(NamedTuple):
    """From which instant on a word counts, of an authority and of two people in its place."""

    authority: dt.datetime
    people: dt.datetime

    def covers(self, word: Word) -> bool:
        """Tell whether a word is young enough for what is about to happen."""
        return word.asked_at >= (self.people if word.by_people else self.authority)


def for_an_offer(now: dt.datetime) -> Since:
    """Say how fresh a word must be for a firm price."""
    return Since(now - OFFER_FRESH, now - PEOPLE_FRESH)


def for_a_payout(now: dt.datetime) -> Since:
    """Say how fresh a word must be for money to leave."""
    return Since(now - PAYOUT_FRESH, now - PEOPLE_FRESH)


def against(
    standing: Standing, credited_minor: int, currency: str, since: Since | None
) -> Refusal | None:
    """Give why finance has to wait for the authority's word, or end by it; nothing if it may go on.

    ``credited_minor`` is what credit notes on the platform take off already. Without ``since``, for
    a look, a known word is enough, of any age.
    """
    word = standing.word
    if standing.lacks:
        return _lacking(standing)
    if word is None:
        return _unasked(standing)
    said = _AGAINST.get(word.answer)
    if said is not None:
        return said(standing, word)
    if word.answer == "CREDITED" and word.credited_minor > credited_minor:
        return _credited(standing, word, credited_minor, currency)
    return None if since is None or since.covers(word) else _unasked(standing)


def _void(standing: Standing, word: Word) -> Refusal:
    return Refusal(
        "TAX_VOID",
        word.reference or word.answer,
        "VALID",
        None,
        "Hand in the invoice that replaces it.",
        Words("The tax authority has invoice %(number)s as void.", number=standing.number),
    )


def _mismatch(standing: Standing, word: Word) -> Refusal:
    return Refusal(
        "TAX_MISMATCH",
        f"{word.field}: {word.ours}",
        word.theirs,
        "when both say the same",
        "Correct what differs, or ask the tax authority to.",
        Words(
            "The tax authority has another %(field)s on invoice %(number)s.",
            field=word.field,
            number=standing.number,
        ),
    )


def _not_found(standing: Standing, word: Word) -> Refusal:
    return Refusal(
        "TAX_NOT_FOUND",
        word.reference or word.answer,
        "VALID",
        "when the tax authority knows it",
        "Check the tax number of the invoice, or report the invoice.",
        Words("The tax authority does not know invoice %(number)s.", number=standing.number),
    )


_AGAINST: Final[dict[str, Callable[[Standing, Word], Refusal]]] = {
    "VOIDED": _void,
    "MISMATCH": _mismatch,
    "NOT_FOUND": _not_found,
}


def _lacking(standing: Standing) -> Refusal:
    return Refusal(
        "TAX_IDENTITY",
        ", ".join(standing.lacks),
        standing.scheme,
        "when the tax number is here",
        "Enter the tax number of the invoice.",
        Words(
            "Invoice %(number)s does not say under what the tax authority knows it.",
            number=standing.number,
        ),
    )


def _unasked(standing: Standing) -> Refusal:
    last = standing.word.asked_at.isoformat(timespec="minutes") if standing.word else "never"
    if standing.failed_at is not None:
        return Refusal(
            "TAX_UNCHECKED",
            f"{last}; {standing.reason}",
            "VALID",
            "when the tax authority answers",
            "Try again later. The bank can let two people look it up meanwhile.",
            Words(
                "The tax authority could not be asked about invoice %(number)s.",
                number=standing.number,
            ),
        )
    return Refusal(
        "TAX_UNCHECKED",
        last,
        "VALID",
        "when the tax authority has been asked",
        "Ask the tax authority now.",
        Words(
            "The tax authority has not been asked about invoice %(number)s.",
            number=standing.number,
        ),
    )


def _credited(standing: Standing, word: Word, credited_minor: int, currency: str) -> Refusal:
    """A credit note that only the authority knows: once it is here, it lowers what is eligible."""
    return Refusal(
        "TAX_CREDITED",
        f"{format_minor(word.credited_minor, currency)} {currency}",
        f"{format_minor(credited_minor, currency)} {currency}",
        "when the credit note is here",
        "Hand in the credit note.",
        Words(
            "The tax authority has a credit note on invoice %(number)s that is not here.",
            number=standing.number,
        ),
    )
