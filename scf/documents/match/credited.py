"""What credit notes take back of the lines of an invoice.

A credit at the invoiced price takes goods back: its quantity may be invoiced again. Any other
lowers the price only, and frees no quantity. A credit note without lines gives back every line
where it is as large as the invoice; else it is a sum that pays for what the invoice asks too much.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from scf.documents.match.book import Claim, ClaimLine, Credit
from scf.documents.match.pairing import by_item
from scf.documents.match.units import converted, factor
from scf.kernel.rates import round_half_up

_ROUNDING: Final = 1


class Given(NamedTuple):
    """What came back of one invoice line, in its unit, and the money for it or off its price."""

    micro: int = 0
    minor: int = 0


class Credits:
    """The credits of one invoice, line by line, and what no line of a credit note explains."""

    def __init__(self, lines: dict[str, Given], left: int) -> None:
        self._lines = lines
        self.sum = left

    def of(self, line: ClaimLine) -> Given:
        """Give what was credited of one line."""
        return self._lines.get(line.id, _NOTHING)


_NOTHING: Final = Given()
_NONE: Final = Credits({}, 0)


def credited(claim: Claim) -> Credits:
    """Set the credit notes that name an invoice against its lines; none falls below nothing."""
    if not claim.credits:
        return _NONE
    wholes = sum(one.net_minor for one in claim.credits if one.whole)
    if wholes and wholes >= claim.net_minor:
        return Credits(
            {one.id: Given(one.quantity_micro or 0, one.net_minor) for one in claim.lines}, 0
        )
    given: dict[str, Given] = {}
    left = wholes
    for credit in claim.credits:
        if credit.whole:
            continue
        line = _line_of(credit, claim.lines)
        if line is None:
            left += credit.net_minor
            continue
        before = given.get(line.id, _NOTHING)
        back = _goods_of(credit, line)
        given[line.id] = Given(
            min(before.micro + back, line.quantity_micro or 0),
            min(before.minor + credit.net_minor, max(0, line.net_minor)),
        )
    return Credits(given, left)


def _line_of(credit: Credit, lines: Sequence[ClaimLine]) -> ClaimLine | None:
    if credit.order_line_ref:
        same = [one for one in lines if one.order_line_ref == credit.order_line_ref]
        if len(same) == 1:
            return same[0]
    same, _by = by_item(credit.items, lines, lambda one: one.items)
    if len(same) == 1:
        return same[0]
    if credit.line_ref and not same:
        same = [one for one in lines if one.line_ref == credit.line_ref]
    if len(same) == 1:
        return same[0]
    return lines[0] if len(lines) == 1 else None


def _goods_of(credit: Credit, line: ClaimLine) -> int:
    """Give the quantity that came back: what was credited at the invoiced price."""
    if not credit.quantity_micro or not line.quantity_micro:
        return 0
    by = factor(credit.unit, line.unit)
    if by is None:
        return 0
    micro = converted(credit.quantity_micro, by)
    worth = round_half_up(Fraction(line.net_minor * micro, line.quantity_micro))
    return micro if abs(worth - credit.net_minor) <= _ROUNDING else 0
