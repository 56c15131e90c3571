"""The rule: what one invoice takes of its order, and everything in which it differs from it.

Pure. An invoice that fits counts against the order's lines; one that does not counts nowhere until
somebody decides, or a paper comes that makes it fit. Per order line

    invoiced − credited ≤ received · (1 + t) ≤ ordered · (1 + t)²

where receipts are asked for, else invoiced − credited ≤ ordered · (1 + t). A difference of one
minor unit in a line's price is rounding. Source: fraud.md 2.1 (a), finance.md F10.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final

from scf.documents.match.book import (
    Claim,
    ClaimLine,
    LineBook,
    LineMatch,
    Match,
    OrderBook,
    Variance,
)
from scf.documents.match.credited import Credits, Given, credited
from scf.documents.match.pairing import Paired, pair_all
from scf.documents.match.saying import said
from scf.documents.match.tolerance import Rules, covers
from scf.documents.match.units import converted, factor
from scf.kernel.rates import PPM, round_half_up

# The first of these that an invoice has is its reason.
CODES: Final = (
    "ORDER_CANCELLED", "ORDER_REFUSED", "ORDER_CURRENCY", "ORDER_LINE_UNKNOWN", "LINE_AMBIGUOUS",
    "UNIT_DIFFERS", "LINE_EXTRA", "QUANTITY_EXCEEDED", "AMOUNT_EXCEEDED", "PRICE_ABOVE",
    "PRICE_BELOW", "TAX_DIFFERS", "RECEIPT_MISSING", "DESPATCH_MISSING",
)  # fmt: skip
WAITING: Final = frozenset({"RECEIPT_MISSING", "DESPATCH_MISSING"})
_ENDED: Final = {"CANCELLED": "ORDER_CANCELLED", "REFUSED": "ORDER_REFUSED"}
_ROUNDING: Final = 1


@dataclasses.dataclass(slots=True)
class _Taken:
    """One invoice line in the words of its order line."""

    claim: ClaimLine
    ordered: LineBook
    by: str
    micro: int  # in the order's unit, less what came back
    minor: int  # less what was credited
    given: Given


def judge(book: OrderBook, claim: Claim) -> Match:
    """Say whether an invoice fits its order as the order stands; counts nothing."""
    if book.standing in _ENDED:
        return _exception(book, claim, [Variance(_ENDED[book.standing], claim.net_minor)])
    if claim.currency != book.currency:
        facts = {"ordered": book.currency, "invoiced": claim.currency}
        return _exception(book, claim, [Variance("ORDER_CURRENCY", claim.net_minor, facts=facts)])
    pairs = pair_all(claim.lines, book.lines)
    if not any(one.line or one.problem != "LINE_EXTRA" for one in pairs) and not _goods(claim):
        return _by_total(book, claim)
    given = credited(claim)
    variances, taken = _lines(book, claim, pairs, given)
    variances += _differences(claim.rules, taken)
    variances += _beyond(book, claim.rules, taken)
    settled = bool(given.sum) and _settles(variances, given)
    if settled:
        variances = [dataclasses.replace(one, within=True) for one in variances]
    # What a person or a credit note's sum lets pass takes no more of the order than there is.
    room = _Room(book, claim.rules) if settled or claim.waived else None
    return _result(book, claim, variances, taken, room)


def _goods(claim: Claim) -> bool:
    """Tell whether the lines say what they are about, so that the total alone proves nothing."""
    return any(one.items.standard or one.items.buyer or one.items.seller for one in claim.lines)


def _result(
    book: OrderBook,
    claim: Claim,
    variances: list[Variance],
    taken: list[_Taken],
    room: "_Room | None",
) -> Match:
    if room:
        for one in taken:
            one.micro, one.minor = room.fits(one)
    variances += _unproven(claim.rules, taken)
    open_ones = [one for one in variances if not one.within]
    blocking = [one for one in open_ones if one.code not in WAITING]
    if blocking and not claim.waived:
        return _exception(book, claim, variances)
    first = None if claim.waived else _first(open_ones)
    state = "WAIVED" if claim.waived else "PARTIAL" if first else "MATCHED"
    matched = Match(state, first.code if first else None, book.id, variances=variances)
    if first:
        matched.message = said(first, claim.currency)
    for one in taken:
        matched.lines[one.claim.id] = LineMatch(
            one.ordered.id, one.by, one.micro, one.minor, one.given.micro, one.given.minor
        )
        matched.counted_minor += one.minor
    return matched


def _first(variances: list[Variance]) -> Variance | None:
    return min(variances, key=lambda one: CODES.index(one.code), default=None)


def _exception(book: OrderBook, claim: Claim, variances: list[Variance]) -> Match:
    if claim.waived:  # a person lets it pass beside its order: it takes nothing of it
        return Match("WAIVED", None, book.id, variances=variances)
    first = _first([one for one in variances if not one.within])
    if first is None:
        return Match("MATCHED", None, book.id, variances=variances)
    message = said(first, claim.currency)
    return Match("EXCEPTION", first.code, book.id, message=message, variances=variances)


class _Room:
    """What an order still has room for, line by line and in sum."""

    def __init__(self, book: OrderBook, rules: Rules) -> None:
        self._rules = rules
        self._micro: dict[str, int] = defaultdict(int)
        self._minor: dict[str, int] = defaultdict(int)
        most = total_bound(book, rules)
        self._total = None if most is None else max(0, most - book.invoiced_minor)

    def fits(self, one: _Taken) -> tuple[int, int]:
        """Give what this line takes of what is left, and take it."""
        ref, micro, minor = one.ordered.line_ref, one.micro, one.minor
        most_micro, most_minor = _bounds(self._rules, one.ordered)
        if most_micro is not None:
            free = most_micro - one.ordered.invoiced_micro - self._micro[ref]
            micro = min(micro, max(0, free))
        if most_minor is not None:
            free = most_minor - one.ordered.invoiced_minor - self._minor[ref]
            minor = min(minor, max(0, free))
        if self._total is not None:
            minor = min(minor, self._total)
            self._total -= minor
        self._micro[ref] += micro
        self._minor[ref] += minor
        return micro, minor


# --- Without lines ----------------------------------------------------------------------------


def total_bound(book: OrderBook, rules: Rules) -> int | None:
    """Give the most that all invoices may take of an order; None where it states no amount."""
    return rules.amount_bound(book.total_minor, None) if book.total_minor else None


def _by_total(book: OrderBook, claim: Claim) -> Match:
    """An invoice whose lines say nothing counts by its sum."""
    net = max(0, claim.net_minor - sum(one.net_minor for one in claim.credits))
    variances = list(_total_exceeded(book, claim.rules, net))
    if any(not one.within for one in variances) and not claim.waived:
        return _exception(book, claim, variances)
    most = total_bound(book, claim.rules)
    if claim.waived and most is not None:
        net = min(net, max(0, most - book.invoiced_minor))
    code = "RECEIPT_MISSING" if claim.rules.by_receipt and not claim.waived else None
    if code:
        variances.append(Variance(code, net))
    state = "WAIVED" if claim.waived else "PARTIAL" if code else "MATCHED"
    matched = Match(state, code, book.id, net, variances=variances)
    if code:
        matched.message = said(variances[-1], claim.currency)
    return matched


def _total_exceeded(book: OrderBook, rules: Rules, net: int) -> Iterator[Variance]:
    most = total_bound(book, rules)
    if most is None:
        return
    over = book.invoiced_minor + net - most
    if over > 0:
        facts = {
            "ordered_minor": book.total_minor,
            "before_minor": book.invoiced_minor,
            "asked_minor": net,
        }
        within = over <= rules.tolerance.amount_over_minor
        yield Variance("AMOUNT_EXCEEDED", over, facts=facts, within=within)


# --- Line by line -----------------------------------------------------------------------------


def _lines(
    book: OrderBook, claim: Claim, pairs: list[Paired], given: Credits
) -> tuple[list[Variance], list[_Taken]]:
    variances: list[Variance] = []
    taken: list[_Taken] = []
    extra: list[Variance] = []
    for line, (ordered, by, problem) in zip(claim.lines, pairs, strict=True):
        own = given.of(line)
        minor = line.net_minor - own.minor
        if ordered is None:
            facts = {"named": line.order_line_ref or line.items.name}
            one = Variance(problem, max(0, minor), line.line_ref, facts=facts)
            (extra if problem == "LINE_EXTRA" else variances).append(one)
            continue
        by_factor = factor(line.unit, ordered.unit, book.packs.get(ordered.line_ref, ()))
        if by_factor is None:
            facts = {"ordered": ordered.unit or "", "invoiced": line.unit or ""}
            variances.append(
                Variance("UNIT_DIFFERS", max(0, minor), line.line_ref, ordered.line_ref, facts)
            )
            continue
        if by == "name":
            variances.append(
                Variance("PAIRED_BY_NAME", 0, line.line_ref, ordered.line_ref, within=True)
            )
        micro = converted(line.quantity_micro or 0, by_factor)
        back = Given(converted(own.micro, by_factor), own.minor)
        taken.append(_Taken(line, ordered, by, max(0, micro - back.micro), minor, back))
    spare = claim.rules.tolerance.amount_over_minor
    within = sum(one.amount_minor for one in extra) <= spare
    return variances + [dataclasses.replace(one, within=within) for one in extra], taken


def _differences(rules: Rules, taken: list[_Taken]) -> list[Variance]:
    """Compare price and tax of each line with the ordered ones."""
    found: list[Variance] = []
    for one in taken:
        price = one.ordered.price
        if price is not None and one.micro:
            found += _price(rules, one, price)
        asked, ordered = one.claim.tax_ppm, one.ordered.tax_ppm
        if asked is not None and ordered is not None and asked != ordered:
            amount = abs(round_half_up(Fraction(one.minor * (asked - ordered), PPM)))
            facts = {"ordered_ppm": ordered, "invoiced_ppm": asked}
            within = amount <= rules.tolerance.amount_over_minor
            found.append(_variance("TAX_DIFFERS", amount, one, facts, within=within))
    return found


def _price(rules: Rules, one: _Taken, price: Fraction) -> Iterator[Variance]:
    expected = price * one.micro
    over = one.minor - round_half_up(expected)
    facts = {"ordered_minor": round_half_up(expected), "invoiced_minor": one.minor}
    tolerance = rules.tolerance
    if over > _ROUNDING:
        limit = int(expected * (tolerance.price_share - 1))
        if tolerance.price_over_minor is not None:
            limit = min(limit, tolerance.price_over_minor)
        yield _variance("PRICE_ABOVE", over, one, facts, within=over <= limit)
    elif -over > _ROUNDING and tolerance.price_under_ppm is not None:
        limit = int(expected * tolerance.price_under_ppm / PPM)
        yield _variance("PRICE_BELOW", -over, one, facts, within=-over <= limit)


def _variance(
    code: str, amount: int, one: _Taken, facts: Mapping[str, object], *, within: bool = False
) -> Variance:
    return Variance(code, amount, one.claim.line_ref, one.ordered.line_ref, facts, within)


def _bounds(rules: Rules, ordered: LineBook) -> tuple[int | None, int | None]:
    micro, minor = ordered.quantity_micro, ordered.net_minor
    return (
        None if micro is None else rules.ordered_bound(micro),
        None if minor is None else rules.amount_bound(minor, micro),
    )


def _by_order_line(taken: list[_Taken]) -> dict[str, list[_Taken]]:
    lines: dict[str, list[_Taken]] = defaultdict(list)
    for one in taken:
        lines[one.ordered.line_ref].append(one)
    return lines


def _beyond(book: OrderBook, rules: Rules, taken: list[_Taken]) -> list[Variance]:
    """Find where more would be invoiced than was ordered, per line and in sum."""
    found: list[Variance] = []
    for own in _by_order_line(taken).values():
        ordered = own[0].ordered
        micro, minor = sum(one.micro for one in own), sum(one.minor for one in own)
        most_micro, most_minor = _bounds(rules, ordered)
        if most_micro is not None and ordered.invoiced_micro + micro > most_micro:
            excess = ordered.invoiced_micro + micro - most_micro
            price = ordered.price or Fraction(max(0, minor), micro or 1)
            facts: Mapping[str, object] = {
                "ordered_micro": ordered.quantity_micro,
                "before_micro": ordered.invoiced_micro,
                "asked_micro": micro,
                "excess_micro": excess,
            }
            found.append(
                _variance("QUANTITY_EXCEEDED", round_half_up(price * excess), own[0], facts)
            )
        over = 0 if most_minor is None else ordered.invoiced_minor + minor - most_minor
        if over > 0 or ordered.invoiced_minor + minor < 0:
            facts = {
                "ordered_minor": ordered.net_minor or 0,
                "before_minor": ordered.invoiced_minor,
                "asked_minor": minor,
            }
            found.append(_variance("AMOUNT_EXCEEDED", max(0, over), own[0], facts))
    if not found and taken:
        found += _total_exceeded(book, rules, sum(one.minor for one in taken))
    return found


def _settles(variances: list[Variance], given: Credits) -> bool:
    """Tell whether a credit without lines pays for everything in which the invoice differs.

    What no money settles (an unknown line, a unit) it does not.
    """
    worth: dict[str, int] = defaultdict(int)
    for one in variances:
        if one.code in {"QUANTITY_EXCEEDED", "AMOUNT_EXCEEDED", "PRICE_ABOVE", "LINE_EXTRA"}:
            worth[one.line] = max(worth[one.line], one.amount_minor)
        elif not one.within:
            return False
    return sum(worth.values()) <= given.sum


def _unproven(rules: Rules, taken: list[_Taken]) -> list[Variance]:
    """Find the lines on which more is invoiced than the buyer received, or the seller sent."""
    found: list[Variance] = []
    if not rules.by_receipt:
        return found
    for own in _by_order_line(taken).values():
        ordered = own[0].ordered
        asked = sum(one.micro for one in own)
        if not asked:
            continue
        for code, proven in (
            ("RECEIPT_MISSING", ordered.received_micro),
            ("DESPATCH_MISSING", ordered.despatched_micro),
        ):
            if code == "DESPATCH_MISSING" and not covers(rules.mode, "despatch"):
                continue
            if ordered.matched_micro + asked > rules.tolerance.most(proven):
                facts: Mapping[str, object] = {
                    "proven_micro": proven,
                    "before_micro": ordered.matched_micro,
                    "asked_micro": asked,
                }
                lacking = min(asked, ordered.matched_micro + asked - proven)
                stake = round_half_up(Fraction(sum(one.minor for one in own) * lacking, asked))
                found.append(_variance(code, max(0, stake), own[0], facts))
                break
    return found


def count(book: OrderBook, result: Match, *, sign: int = 1) -> None:
    """Let an invoice take its part of the order, or give it back."""
    book.touched = True
    book.invoiced_minor += sign * result.counted_minor
    by_id = {line.id: line for line in book.lines.values()}
    for one in result.lines.values():
        ordered = by_id[one.order_line_id or ""]
        ordered.touched = True
        ordered.invoiced_micro += sign * one.counted_micro
        ordered.invoiced_minor += sign * one.counted_minor
        if result.state == "MATCHED":
            ordered.matched_micro += sign * one.counted_micro
