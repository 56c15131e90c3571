"""When two invoices of one seller and one buyer look like the same claim, number apart.

Pure: two prints in, a suspicion or nothing out. A copy that was numbered anew still carries the
amount, the day, the order or the lines of the first; an honest neighbour shares some of these too.
So each rule names its signs and the honest business that would show the same: shipments that fit
their order, the next number on the supplier's own billing day, a fee that comes again each month.
Source: fraud.md sections 1 and 2.4; the thresholds were fixed on the training seeds of
``tests/documents/duplicates`` and are not to be turned on the others.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from scf.documents.fingerprints import digest_text
from scf.kernel.rates import PPM

NEAR_PPM: Final = 20_000  # of the larger amount
SAME_AMOUNT_DAYS: Final = 3
NEAR_NUMBER_DAYS: Final = 7
SAME_ORDER_DAYS: Final = 60
SAME_LINES_DAYS: Final = 7
SAME_NUMBER_DAYS: Final = 90  # over a New Year; further apart it is the next year's own number

_BAND_BITS: Final = 4
# What a signed number of 64 bits has place for.
_BAND_ROOM: Final = 12
_PAIR_BYTES: Final = 6
MOST: Final = 3  # suspicions that one invoice raises: a person looks at the document, not at a list
_MAX_STEP: Final = 60  # between the numbers of one billing run
_LEAST_PREFIX: Final = 3
_LEAST_SHARED: Final = 2  # lines: one that comes again is an honest one's, too
_TAIL: Final = re.compile(r"(.*?)([0-9]+)", re.DOTALL)
_SHIPMENT: Final = re.compile(r"(.+)[-/._ ]0*([1-9]|1[0-2])", re.DOTALL)


class Print(NamedTuple):
    """What is compared of an invoice."""

    id: str
    number: str
    canonical: str
    issue_on: dt.date
    amount: int
    order: str = ""
    # with all others of its order within what was ordered; None: nobody knows what was
    fits_order: bool | None = None
    lines: str | None = None
    upload: str = ""
    goods: tuple[str, ...] = ()  # what stands on each line


class Suspicion(NamedTuple):
    """That two invoices look like one claim: by which rule, and on what facts."""

    # SAME_NUMBER SAME_ORDER SAME_LINES SAME_AMOUNT NEAR_NUMBER SOME_LINES
    # SAME_UUID SAME_FILE OTHER_BUYER
    code: str
    facts: dict[str, Any]


def named_lines(lines: Iterable[tuple[str, int | None]]) -> tuple[str, ...]:
    """Give an invoice's lines in any order as they are compared: each item with its quantity.

    What a line comes to is left out: a copy is made a little dearer or cheaper. Empty when a line
    does not say what it is.
    """
    named = sorted(f"{' '.join(item.casefold().split())}\x1f{many}" for item, many in lines)
    return () if any(line.startswith("\x1f") for line in named) else tuple(named)


def lines_print(named: Sequence[str]) -> str | None:
    """Give the fingerprint of an invoice's lines, where they say what they are."""
    return digest_text("\x1e".join(named)) if named else None


def lines_sketch(named: Iterable[str]) -> tuple[int, int] | tuple[None, None]:
    """Give two numbers of an invoice with two lines or more, by which a part of it is found.

    They are the two least of a digest of each line. With one line left out or added, at least one
    of the two is the same: whichever line it is, the least of the others is among both.
    """
    digests = set()
    met: Counter[str] = Counter()
    for one in named:
        met[one] += 1  # an article that stands there twice is two lines
        told = f"{one}\x1f{met[one]}".encode()
        digests.add(int.from_bytes(blake2b(told, digest_size=6).digest()))
    least = sorted(digests)[:2]
    return (least[0], least[1]) if len(digests) > 1 else (None, None)


def compare(one: Print, other: Print) -> Suspicion | None:
    """Give why two invoices of one pair and currency look like the same claim, or nothing."""
    days = abs((one.issue_on - other.issue_on).days)
    if days > SAME_NUMBER_DAYS:
        return None
    near = is_near(one.amount, other.amount)
    code = (_rule(one, other, days) if near else "") or _by_part(one, other, days)
    return Suspicion(code, told(one, other)) if code else None


def _rule(one: Print, other: Print, days: int) -> str:
    if one.canonical == other.canonical:
        return "SAME_NUMBER" if days <= SAME_NUMBER_DAYS else ""
    if one.fits_order and other.fits_order:
        return ""  # what was ordered bounds both: neither takes more than is owed
    if one.order and other.order:
        return _by_order(one, other, days)
    return _without_order(one, other, days)


def _by_order(one: Print, other: Print, days: int) -> str:
    within = one.fits_order is not False and other.fits_order is not False
    parts = within and (_shipments(one.number, other.number) or _one_run(one, other))
    same = one.order == other.order and days <= SAME_ORDER_DAYS and not parts
    return "SAME_ORDER" if same else ""


def _without_order(one: Print, other: Print, days: int) -> str:
    if one.lines and one.lines == other.lines and days <= SAME_LINES_DAYS:
        return "SAME_LINES"
    if one.amount == other.amount and days <= SAME_AMOUNT_DAYS and not _one_run(one, other):
        return "SAME_AMOUNT"
    near = days <= NEAR_NUMBER_DAYS and not _in_sequence(one, other)
    return "NEAR_NUMBER" if near and _near_numbers(one.canonical, other.canonical) else ""


def _by_part(one: Print, other: Print, days: int) -> str:
    """Tell whether one is the other with a line left out or added, whatever that one came to."""
    most = max(len(one.goods), len(other.goods))
    if days > SAME_LINES_DAYS or most < _LEAST_SHARED or (one.fits_order and other.fits_order):
        return ""
    if one.order and other.order and one.order != other.order:
        return ""
    shared = (Counter(one.goods) & Counter(other.goods)).total()
    enough = shared >= max(_LEAST_SHARED, most - 1)
    return (
        "SOME_LINES"
        if enough and not _one_run(one, other) and not _shipments(one.number, other.number)
        else ""
    )


def is_near(one: int, other: int) -> bool:
    """Tell whether two amounts are within the tolerance of the review tier."""
    return abs(one - other) * PPM <= NEAR_PPM * max(one, other)


def told(one: Print, other: Print) -> dict[str, Any]:
    """Say what is equal and what differs, as it is stored and shown."""
    spread = Fraction(abs(one.amount - other.amount) * PPM, max(one.amount, other.amount, 1))
    return {
        "days": abs((one.issue_on - other.issue_on).days),
        "difference_minor": abs(one.amount - other.amount),
        "difference_ppm": int(spread),
        "same_order": bool(one.order) and one.order == other.order,
        "same_lines": bool(one.lines) and one.lines == other.lines,
        "same_day": one.issue_on == other.issue_on,
    }


# --- Honest neighbours ------------------------------------------------------------------------


def _shipments(one: str, other: str) -> bool:
    """Tell whether two numbers are parts of one delivery: N-1 and N-2."""
    first, second = _SHIPMENT.fullmatch(one), _SHIPMENT.fullmatch(other)
    return first is not None and second is not None and first[1] == second[1]


def _one_run(one: Print, other: Print) -> bool:
    """Tell whether a supplier numbered both in one series and handed them in together."""
    if not one.upload or one.upload != other.upload:
        return False
    first, second = _TAIL.fullmatch(one.canonical), _TAIL.fullmatch(other.canonical)
    return first is not None and second is not None and first[1] == second[1]


def _in_sequence(one: Print, other: Print) -> bool:
    """Tell whether two numbers follow each other closely, as honest ones of one supplier do."""
    first, second = _TAIL.fullmatch(one.canonical), _TAIL.fullmatch(other.canonical)
    if first is None or second is None or first[1] != second[1]:
        return False
    step = abs(int(first[2]) - int(second[2]))
    return 0 < step <= _MAX_STEP and len(first[2]) == len(second[2])


def _near_numbers(one: str, other: str) -> bool:
    """Tell whether one number is the other with a sign changed, swapped, added or left out."""
    short, long = sorted((one, other), key=len)
    if len(short) >= _LEAST_PREFIX and long.startswith(short):
        return True
    return len(short) >= _LEAST_PREFIX and _one_edit(short, long)


def _one_edit(short: str, long: str) -> bool:
    start = 0
    while start < len(short) and short[start] == long[start]:
        start += 1
    rest, longer = short[start:], long[start:]
    if len(short) != len(long):
        return len(long) - len(short) == 1 and rest == longer[1:]
    changed = rest[1:] == longer[1:]
    swapped = rest[:2] == longer[:2][::-1] and rest[2:] == longer[2:]
    return changed or swapped


def suspicions(pairs: Iterable[tuple[Print, Print]]) -> list[tuple[str, str, Suspicion]]:
    """Compare invoices of one pair of firms and currency, two by two.

    Gives later id, earlier id and suspicion, each two once. Of a document that looks like many
    others only the nearest are told: where hundreds of invoices cost the same, an equal amount
    says nothing, and a copy lies next to what it copies.
    """
    once = {(one.id, other.id) if one.id > other.id else (other.id, one.id): (one, other)
            for one, other in pairs}  # fmt: skip
    found = []
    met: Counter[str] = Counter()
    for (later, earlier), (one, other) in sorted(once.items(), key=_nearest):
        suspicion = compare(one, other) if met[later] < MOST else None
        if suspicion is not None:
            met[later] += 1
            found.append((later, earlier, suspicion))
    return found


def _nearest(item: tuple[tuple[str, str], tuple[Print, Print]]) -> tuple[str, int, int, str]:
    (later, earlier), (one, other) = item
    days = abs((one.issue_on - other.issue_on).days)
    return later, abs(one.amount - other.amount), days, earlier


def amount_band(minor: int) -> int:
    """Give the band of an amount; near ones share it, or lie in the one above or below.

    A band is a sixteenth of its power of two, wider than the tolerance wherever it lies.
    """
    size = minor.bit_length()
    return (size << _BAND_BITS) + (minor << _BAND_BITS >> size - 1) if size else 0


def place_key(seller_id: str | None, buyer_id: str | None, minor: int) -> int:
    """Give one number for two firms and the band of an amount; 0 where a firm is not known.

    The bands above and below are the numbers beside it. Two pairs of firms may by rare chance
    share theirs: whoever seeks by it compares the firms as well.
    """
    if seller_id is None or buyer_id is None:
        return 0
    return (_pair_bits(seller_id, buyer_id) << _BAND_ROOM) + amount_band(minor)


@lru_cache(maxsize=20_000)
def _pair_bits(seller_id: str, buyer_id: str) -> int:
    digest = blake2b(f"{seller_id}|{buyer_id}".encode(), digest_size=_PAIR_BYTES).digest()
    return int.from_bytes(digest)
