"""The price of many items: columns where they are exact, row by row where they might not be."""

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from scoring.capital import PD_FLOOR
from scoring.hazard import hazard_of
from scoring.lgd import lgd_of
from scoring.many import formulas
from scoring.many.columns import CASES, CLAIMS, REFUSALS, ROUTES, Book, Prices, Risks, no_prices
from scoring.policy import Policy, Scale
from scoring.pricing import price
from scoring.schema import COMPONENTS, MICRO, Claim, LgdTerms
from scoring.stack import BP, CAPITAL_REFERENCE, funding_rate, to_micro

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

_PPM: Final = 1_000_000
_SAFE: Final = float(2**62)
_YEAR: Final = 365
_CODE: Final = {code: number for number, code in enumerate(REFUSALS)}
_ROUTE: Final = {name: number for number, name in enumerate(ROUTES)}
_GRADE, _AMOUNT, _FEW = 1, 2, 4


def price_many(book: Book, policy: Policy) -> Prices:
    """Return the prices of many items.

    Parameters
    ----------
    book : Book
        The items, in columns of one length n; amounts as `PriceInputs` takes them.
    policy : Policy
        All figures.

    Returns
    -------
    Prices
        Row by row what `scoring.pricing.price` gives for `Book.inputs_at`. O(n).

    Examples
    --------
    See ``tests/scoring/test_many.py``, where random books are held against the single price.
    """
    import numpy as np

    prices = no_prices(len(book))
    prices.refusal[:] = _gate(book, policy)
    prices.route[:] = np.where(
        prices.refusal == 0, 0, np.where(
            prices.refusal == _CODE["MODEL_UNAVAILABLE"], _ROUTE["officer"], _ROUTE["refuse"]
        ),
    )  # fmt: skip
    special = book.by_row
    rows = np.flatnonzero((prices.refusal == 0) & ~special)
    single = np.flatnonzero(special)
    if len(rows):
        doubtful = rows[_fill(prices, rows, book.take(rows), policy)]
        single = np.concatenate((single, doubtful))
    for row in single.tolist():
        prices.set_row(row, price(book.inputs_at(row, policy), policy), policy)
    return prices


def _gate(book: Book, policy: Policy) -> "Ints":
    """Give the refusals of items that have no price at all, the first that holds of each."""
    import numpy as np

    undertaken = book.claim == CLAIMS.index(Claim.UNDERTAKING)
    unknown = ~book.obligor.known | (~book.seller.known & ~undertaken)
    charges = policy.charges
    plain, sure = (
        np.array([margin + shift < 0 for shift in _span(book.margin_shift_bp)], dtype=np.bool_)
        for margin in (charges.margin_bp, charges.margin_undertaking_bp)
    )
    at = book.margin_shift_bp - int(book.margin_shift_bp.min(initial=0))
    below = np.where(undertaken, sure[at], plain[at])
    return np.select(
        [book.tenor_days < 1, unknown, book.obligor.defaulted, below],
        [_CODE["TENOR_SHORT"], _CODE["MODEL_UNAVAILABLE"], _CODE["OBLIGOR_IN_DEFAULT"],
         _CODE["PRICE_BELOW_HURDLE"]],
        0,
    ).astype(np.int64)  # fmt: skip


def _span(values: "Ints") -> range:
    return range(int(values.min(initial=0)), int(values.max(initial=0)) + 1)


def _fill(prices: Prices, rows: "Ints", book: Book, policy: Policy) -> "Bools":
    """Price items that have a price; tells which of them a row has to decide."""
    import numpy as np

    made = _Stack(book, policy)
    micro = made.micro
    total = micro.sum(axis=1)
    rate = (2 * total + MICRO) // (2 * MICRO)
    bounds = np.array([float(grade.from_pd) for grade in policy.scale.grades])
    grade = np.searchsorted(bounds, made.pd_year, side="right") - 1
    discount, wide = _discount(book, rate)
    net = book.face_minor - discount - book.fees_minor
    refusal = _verdict(book, policy, rate, micro[:, -1], grade, net)
    route, reasons = _routes(book, policy, grade, refusal)
    prices.rate_bp[rows] = rate
    prices.micro_bp[rows] = micro
    prices.bp[rows] = formulas.whole_bp(micro, rate)
    prices.pd_one_year[rows] = made.pd_year
    prices.pd_item[rows] = made.pd_item
    prices.lgd[rows] = made.lgd
    prices.grade[rows] = grade
    prices.route[rows] = route
    prices.refusal[rows] = refusal
    prices.reasons[rows] = reasons
    return np.asarray(made.doubtful | wide | ~np.isfinite(made.pd_item))


class _Stack:
    """The eleven components of items, see `scoring.stack.stack`."""

    def __init__(self, book: Book, policy: Policy) -> None:
        import numpy as np

        self.book, self.policy = book, policy
        size = len(book)
        self.doubtful: Bools = book.obligor.by_row | book.seller.by_row
        self.undertaken = book.claim == CLAIMS.index(Claim.UNDERTAKING)
        self.late = np.where(self.undertaken, 0, book.late_days)
        self.window = book.tenor_days + self.late
        self.own, self.total, _ = floored(book.obligor, policy.scale)
        _, self.seller, _ = floored(book.seller, policy.scale)
        self.lgd = _lgd(book, policy)
        self.per_year = BP / (book.tenor_days / book.basis)
        year = formulas.pd_within(self.total, _YEAR)
        self.pd_year = year
        self.pd_item = formulas.pd_within(self.total, self.window)
        without = formulas.pd_within(self.own, self.window)
        effective = year.copy()
        answers = book.recourse & ~self.undertaken
        self._recourse(np.flatnonzero(answers), self.pd_item, without, effective)
        self.micro: Ints = np.zeros((size, len(COMPONENTS)), dtype=np.int64)
        self._losses(without, effective)
        self._charges()
        self.micro[:, -1] = np.maximum(0, self._lowest() - self.micro.sum(axis=1))

    def _recourse(self, rows: "Ints", *debtors: "Floats") -> None:
        """Lower the PDs of item, item without the chain, and year, by what the seller is worth."""
        import numpy as np

        model, book = self.policy.model, self.book
        rho = np.full(len(rows), np.nan)
        sales, pair = book.seller_sales[rows], book.pair_sales[rows]
        part, whole = np.where(sales > 0, pair, 1), np.where(sales > 0, sales, 1)
        for band in model.recourse_rho:
            from_here = formulas.at_least(part, whole, band.from_dependency)
            rho[from_here] = math.nan if band.rho is None else float(band.rho)
        counts = ~np.isnan(rho)
        rows, rho = rows[counts], rho[counts]
        wait = model.recourse_call_days + book.after_days[rows]
        call = formulas.pd_within(self.seller[rows], self.window[rows] + wait)
        in_year = formulas.pd_within(self.seller[rows], _YEAR)
        phi = float(model.recourse_phi)
        for debtor, seller in zip(debtors, (call, call, in_year), strict=True):
            alone = debtor[rows]
            both = formulas.joint_pd(alone, seller, rho)
            self.doubtful[rows[np.isnan(both)]] = True
            debtor[rows] = alone - phi * (alone - both)

    def _losses(self, without: "Floats", effective: "Floats") -> None:
        """Work out default, dilution and the capital behind both."""
        import numpy as np

        policy, book = self.policy, self.book
        whole = self._put(self.per_year * self.pd_item * self.lgd)
        own = self._put(self.per_year * without * self.lgd, "default_own")
        self._set("default_chain", np.maximum(whole - own, 0))
        k = formulas.capital_share(np.maximum(effective, PD_FLOOR), self.lgd)
        rows = np.flatnonzero(~self.undertaken)
        call = formulas.pd_within(
            self.seller[rows], self.window[rows] + policy.model.recourse_call_days
        )
        lost = 1 - float(policy.model.repurchase_phi) * (1 - call)
        share = formulas.diluted_share(
            book.credited_minor[rows], book.gross_minor[rows], book.items[rows], policy.model
        )
        self.doubtful[rows[~((share > 0) & (share < 1))]] = True
        reserve = np.where(book.covers_credit[rows], 0, book.reserve_ppm[rows]) / _PPM
        diluted = formulas.diluted_beyond(share, reserve, policy.model.dilution_concentration)
        loss = np.zeros(len(book))
        loss[rows] = self.per_year[rows] * diluted * lost
        self._put(loss, "dilution")
        k_dilution = np.zeros(len(book))
        k_dilution[rows] = formulas.capital_share(
            np.minimum(1.0, diluted * _YEAR / self.window[rows]),
            np.where(book.basel[rows], 1.0, lost),
        )
        charges = policy.charges

        def bound(days: int, window: int) -> float:
            over = max(charges.hurdle - funding_rate(policy.funding, days), Fraction(0))
            held = charges.capital_ratio / CAPITAL_REFERENCE
            return float(over * held * Fraction(BP * window, days))

        factor = formulas.by_pair(book.tenor_days, self.window, bound, np.float64)
        self._put((k + k_dilution) * factor, "capital")

    def _charges(self) -> None:
        """Work out what a table of the policy and small whole numbers decide."""
        import numpy as np

        policy, book = self.policy, self.book
        charges = policy.charges

        def funding(days: int, late: int) -> int:
            return to_micro(BP * funding_rate(policy.funding, days) * Fraction(late, days))

        days = book.tenor_days
        self._set("late_days", formulas.by_pair(days, self.late, funding, np.int64))
        self._set("funding", formulas.by_pair(days, days, funding, np.int64))
        until = charges.uncertainty_until_items
        free = book.obligor.rated | (book.settled_items >= until)
        unsure = np.array(
            [
                to_micro(float(charges.uncertainty_bp) / math.sqrt(1 + items))
                for items in range(max(until, 1))
            ]
        )
        self._set("uncertainty", np.where(free, 0, unsure[np.where(free, 0, book.settled_items)]))
        margins = np.array([to_micro(charges.margin_bp), to_micro(charges.margin_undertaking_bp)])
        shift = book.margin_shift_bp * MICRO
        self._set("margin", margins[self.undertaken.astype(np.int64)] + shift)
        self._operating()

    def _operating(self) -> None:
        """Work out the fixed cost of an item over its face and time, exactly."""
        import numpy as np

        charges, book = self.policy.charges, self.book
        fixed, more = charges.operating_fixed, charges.operating_variable_bp * MICRO
        whole_more_is_part = more.denominator > 1  # then the sum rounds otherwise than its parts
        digits = book.exponent
        top = fixed.numerator * BP * MICRO * book.basis * 10**digits
        size = fixed.numerator * BP * MICRO * book.basis.astype(np.float64) * 10.0**digits
        under = fixed.denominator * book.face_minor * book.tenor_days
        under_size = fixed.denominator * book.face_minor.astype(np.float64) * book.tenor_days
        wide = (2 * size + under_size >= _SAFE) | (2 * under_size >= _SAFE) | whole_more_is_part
        self.doubtful |= wide
        under = np.where(wide, 1, under)
        top = np.where(wide, 0, top)
        self._set("operating", (2 * top + under) // (2 * under) + math.floor(more))

    def _lowest(self) -> "Ints":
        import numpy as np

        over = self.policy.charges.floor_over_funding_bp

        def lowest(days: int, _same: int) -> int:
            return to_micro(BP * funding_rate(self.policy.funding, days) + over)

        found: Any = formulas.by_pair(self.book.tenor_days, self.book.tenor_days, lowest, np.int64)
        return found  # type: ignore[no-any-return]

    def _put(self, bp: "Floats", name: str = "") -> "Ints":
        micro, doubtful = formulas.to_micro(bp)
        self.doubtful |= doubtful
        if name:
            self._set(name, micro)
        return micro

    def _set(self, name: str, micro: "NDArray[Any]") -> None:
        self.micro[:, COMPONENTS.index(name)] = micro


def floored(firms: Risks, scale: Scale) -> "tuple[Floats, Floats, Bools]":
    """Return own and total hazards after the floor on the PD; see `scoring.scale.floored`."""
    import numpy as np

    low = firms.rated | firms.documented
    at_low, at_other = float(scale.floor_documented), float(scale.floor_other)
    lowest = np.where(low, at_low, at_other)
    bound = ~(formulas.pd_within(firms.total, _YEAR) >= lowest) & ~firms.defaulted
    least = np.where(low, hazard_of(at_low), hazard_of(at_other))
    total = np.where(bound, np.maximum(least, firms.total), firms.total)
    own = np.where(bound, total - (firms.total - firms.own), firms.own)
    gone = firms.defaulted
    return np.where(gone, np.inf, own), np.where(gone, np.inf, total), bound


def _lgd(book: Book, policy: Policy) -> "Floats":
    """Give the LGD of each item; the few that the terms allow are worked out once each."""
    import numpy as np

    covered = book.covers_credit & (book.reserve_ppm > 0)
    flags = 2 * (2 * book.case + book.silent) + book.cross_border
    keys, place = np.unique(
        flags * (_PPM + 1) + np.where(covered, book.reserve_ppm, 0), return_inverse=True
    )

    def one(key: int) -> float:
        flag, reserve = divmod(key, _PPM + 1)
        terms = LgdTerms(
            CASES[flag // 4],
            silent=bool(flag // 2 % 2),
            cross_border=bool(flag % 2),
            credit_reserve_advance=1 - Fraction(reserve, _PPM) if reserve else None,
        )
        return float(lgd_of(terms, policy.lgd))

    return np.array([one(int(key)) for key in keys])[place]


def _discount(book: Book, rate: "Ints") -> "tuple[Ints, Bools]":
    """Give what is kept from each face, and where it leaves what 64 bits hold."""
    import numpy as np

    growth = rate * book.tenor_days
    under = BP * book.basis + np.where(book.proceeds, growth, 0)
    top = book.face_minor.astype(np.float64) * growth
    wide = 2 * top + under >= _SAFE
    above = np.where(wide, 0, book.face_minor) * growth
    return (2 * above + under) // (2 * under), wide


def _verdict(
    book: Book, policy: Policy, rate: "Ints", addon: "Ints", grade: "Ints", net: "Ints"
) -> "Ints":
    """Give why priced items are not offered."""
    import numpy as np

    refused = np.array([one.route == "refuse" for one in policy.scale.grades])
    most = math.floor(policy.charges.cap * BP)
    legal = book.legal_cap_ppm * BP // _PPM
    cap = np.where(book.legal_cap_ppm < 0, most, np.minimum(most, legal))
    return np.select(
        [refused[grade], (book.margin_shift_bp < 0) & (addon > 0), rate > cap, net <= 0],
        [_CODE["RISK_BELOW_FLOOR"], _CODE["PRICE_BELOW_FLOOR"], _CODE["PRICE_ABOVE_CAP"],
         _CODE["NOTHING_LEFT"]],
        0,
    ).astype(np.int64)  # fmt: skip


def _routes(book: Book, policy: Policy, grade: "Ints", refusal: "Ints") -> "tuple[Ints, Ints]":
    """Give who decides, and what set that."""
    import numpy as np

    by_grade = np.array([_ROUTE[one.route] for one in policy.scale.grades])[grade]
    officer = _ROUTE["officer"]
    large = np.zeros(len(book), dtype=np.bool_)
    for place, one in enumerate(policy.scale.grades):
        if one.route != "auto" or one.auto_limit is None:
            continue
        for digits in np.unique(book.exponent).tolist():
            here = (grade == place) & (book.exponent == digits)
            large |= here & (book.face_minor > math.floor(one.auto_limit * 10**digits))
    few = ~book.obligor.rated & (book.settled_items < policy.charges.officer_below_items)
    route = np.maximum(by_grade, np.where(large | few, officer, 0))
    reasons = (
        np.where(by_grade == route, _GRADE, 0)
        | np.where(large & (route == officer), _AMOUNT, 0)
        | np.where(few & (route == officer), _FEW, 0)
    )
    refused = refusal > 0
    return np.where(refused, _ROUTE["refuse"], route), np.where(refused, 0, reasons)
