"""From a batch of receivables with what is known of their firms to a batch of prices."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from scf.risk.batch.firms import FLAGS
from scf.risk.batch.special import refuse, specials
from scoring import canonical
from scoring.many import CASES, CLAIMS, REFUSALS, ROUTES, Book, Prices, Risks, price_many
from scoring.many.columns import REASONS
from scoring.policy import Policy
from scoring.scale import IN_DEFAULT
from scoring.schema import COMPONENTS, FirmRisk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Columns = Mapping[str, NDArray[Any]]

_MICRO: Final = 10**10  # millionths of a basis point in one
_PPM_PER_BP: Final = 100
_LOSS: Final = tuple(
    COMPONENTS.index(name) for name in ("default_own", "default_chain", "dilution")
)
_RISK: Final = ("rated", "documented")
_OFFICER: Final = ROUTES.index("officer")
_REFUSED: Final = ROUTES.index("refuse")
_FLAGS: Final = (*FLAGS, "SNAPSHOT_STALE", "COVER_COUNTS_FOR_NOTHING")


def joined(receivables: Any, pairs: Any, risks: Any) -> Any:  # noqa: ANN401 - tables of ibis
    """Put beside each receivable what is known of who owes, who sells, and of the two."""
    owes = risks.select(
        **{f"o_{name}": risks[name] for name in (
            "number", "owing_own", "owing_total", "owing_defaulted", *_RISK, "late_days",
            "settled_items", "large", "flags", "owing_told",
        )}
    )  # fmt: skip
    sells = risks.select(
        **{f"s_{name}": risks[name] for name in (
            "number", "own", "total", "defaulted", *_RISK, "sales_52", "flags", "told",
        )}
    )  # fmt: skip
    past = pairs.select(
        p_seller=pairs.seller, p_buyer=pairs.buyer, p_credited=pairs.credited_minor,
        p_gross=pairs.closed_minor, p_items=pairs.closed_items, p_sold=pairs.sold_52,
    )  # fmt: skip
    rows = receivables.left_join(owes, receivables.buyer == owes.o_number)
    rows = rows.left_join(sells, rows.seller == sells.s_number)
    rows = rows.left_join(past, (rows.seller == past.p_seller) & (rows.buyer == past.p_buyer))
    return rows.drop("p_seller", "p_buyer", "twice", "broken", "reason", "seller", "buyer")


def schema() -> Any:  # noqa: ANN401 - of Arrow
    """Give the columns of the prices."""
    import pyarrow as pa

    whole, text, share = pa.int64(), pa.string(), pa.float64()
    return pa.schema(
        [
            ("receivable_id", text), ("seller_id", text), ("obligor_id", text),
            ("currency", text), ("face", whole), ("days", whole), ("rate_bp", whole),
            *((name, whole) for name in COMPONENTS),
            ("pd", share), ("pd_item", share), ("lgd", share), ("grade", text),
            ("route", text), ("route_reasons", text), ("refusal", text),
            ("expected_loss", whole), ("bought_ppm", whole), ("moved_ppm", whole),
            ("by_row", pa.bool_()),
        ]
    )  # fmt: skip


def mapping(
    policy: Policy, exponents: Mapping[str, int], t: int, *, days_old: int = 0
) -> Callable[[Any], Any]:
    """Give the function that prices a batch; it travels to the workers of a cluster.

    Parameters
    ----------
    exponents
        Decimals of each currency.
    t
        The day of the prices, as days since 1970.
    days_old
        How much older than that day the morning is; a person then decides.
    """
    return functools.partial(
        _priced, policy=policy, exponents=dict(exponents), t=t, days_old=days_old
    )


def _priced(
    batch: Any,  # noqa: ANN401 - an Arrow record batch
    *,
    policy: Policy,
    exponents: Mapping[str, int],
    t: int,
    days_old: int,
) -> Any:  # noqa: ANN401
    import numpy as np
    import pyarrow as pa

    given = {name: batch.column(at) for at, name in enumerate(batch.schema.names)}
    columns = {name: _plain(column) for name, column in given.items() if name not in _KEPT}
    decimals = _coded(given["currency"], list(exponents), list(exponents.values()))
    special, unread = specials(given["special"], columns["face"])
    book = dataclasses.replace(_book(given, columns, decimals, t), special=special)
    prices = price_many(book, policy)
    refuse(prices, unread)
    found = prices.rate_bp >= 0
    loss, fine = _loss(book, prices)
    route, reasons = _routed(book, columns, prices, days_old)
    grades = np.array([*(one.name for one in policy.scale.grades), IN_DEFAULT, ""], dtype=object)
    nowhere = np.where(prices.refusal == REFUSALS.index("OBLIGOR_IN_DEFAULT"), -2, -1)
    bought = columns["bought_ppm"]
    known = ~_nulls(given["bought_ppm"])

    def whole(values: Any, holds: Any) -> Any:  # noqa: ANN401
        return pa.array(values, pa.int64(), mask=~holds)

    def share(values: Any) -> Any:  # noqa: ANN401
        return pa.array(values, pa.float64(), mask=np.isnan(values))

    return pa.record_batch(
        [
            *(given[name].cast(pa.string()) for name in _KEPT),
            pa.array(book.face_minor),
            pa.array(book.tenor_days),
            whole(prices.rate_bp, found),
            *(whole(prices.bp[:, at], found) for at in range(len(COMPONENTS))),
            share(prices.pd_one_year),
            share(prices.pd_item),
            share(prices.lgd),
            pa.array(grades[np.where(prices.grade < 0, nowhere, prices.grade)], pa.string()),
            pa.array(np.array(ROUTES, dtype=object)[route], pa.string()),
            pa.array(reasons, pa.string()),
            pa.array(np.array(REFUSALS, dtype=object)[prices.refusal], pa.string()),
            whole(loss, fine),
            whole(bought, known),
            whole(prices.rate_bp * _PPM_PER_BP - bought, known & found),
            pa.array(prices.by_row),
        ],
        schema=schema(),
    )


_KEPT: Final = ("receivable_id", "seller_id", "obligor_id", "currency")


def _book(
    given: Mapping[str, Any], columns: "Columns", decimals: "NDArray[np.int64]", t: int
) -> Book:
    import numpy as np

    claim = _coded(given["claim"], [str(one) for one in CLAIMS], list(range(len(CLAIMS))))
    undertaken = claim == 0
    rated, large = columns["o_rated"], columns["o_large"]
    case = np.where(
        undertaken & (rated | large),
        CASES.index("undertaking"),
        np.where(large, CASES.index("large_debtor"), CASES.index("other_debtor")),
    )
    face = columns["face"]
    return Book(
        claim=claim,
        case=case,
        face_minor=face,
        fees_minor=np.zeros_like(face),
        tenor_days=columns["due_on"] - t,
        basis=columns["basis"],
        exponent=decimals,
        obligor=_firm(given, columns, "o_", "owing_"),
        seller=_firm(given, columns, "s_", ""),
        silent=~columns["disclosed"],
        cross_border=columns["cross_border"],
        settled_items=columns["o_settled_items"],
        late_days=columns["o_late_days"],
        reserve_ppm=columns["reserve_ppm"],
        covers_credit=columns["reserve_covers_credit"] & (columns["reserve_ppm"] > 0),
        basel=_coded(given["dilution_capital"], ["economic", "basel"], [0, 1]) == 1,
        credited_minor=columns["p_credited"],
        gross_minor=columns["p_gross"],
        items=columns["p_items"],
        recourse=columns["recourse"],
        after_days=columns["recourse_after_days"],
        pair_sales=columns["p_sold"],
        seller_sales=columns["s_sales_52"],
        proceeds=_coded(given["rate_basis"], ["face", "proceeds"], [0, 1]) == 1,
        legal_cap_ppm=np.where(_nulls(given["legal_cap_ppm"]), -1, columns["legal_cap_ppm"]),
        margin_shift_bp=columns["margin_shift_bp"],
    )


def _firm(given: Mapping[str, Any], columns: "Columns", side: str, risk: str) -> Risks:
    return Risks(
        own=columns[f"{side}{risk}own"],
        total=columns[f"{side}{risk}total"],
        rated=columns[f"{side}rated"],
        documented=columns[f"{side}documented"],
        defaulted=columns[f"{side}{risk}defaulted"],
        known=~_nulls(given[f"{side}number"]),
        told=_told(given[f"{side}{risk}told"]),
    )


def _told(column: Any) -> "NDArray[np.object_] | None":  # noqa: ANN401 - an Arrow array
    """Read what a champion said of firms; nothing where it said nothing of any."""
    import numpy as np

    if column.null_count == len(column):
        return None
    texts = column.to_pylist()
    read = {text: canonical.load(FirmRisk, text) for text in set(texts) - {None}}
    found = np.full(len(texts), None, dtype=object)
    found[:] = [read.get(text) for text in texts]
    return found


def _plain(column: Any) -> Any:  # noqa: ANN401 - an Arrow array
    """Give a column as numpy has it; what is empty is nothing."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if kinds.is_string(column.type) or kinds.is_large_string(column.type):
        return None
    if kinds.is_null(column.type):
        column = column.cast(pa.int64())
    if column.null_count:
        column = column.fill_null(False if kinds.is_boolean(column.type) else 0)
    values = column.to_numpy(zero_copy_only=False)
    return values.astype("int64") if kinds.is_integer(column.type) else values


def _nulls(column: Any) -> Any:  # noqa: ANN401
    return column.is_null().to_numpy(zero_copy_only=False)


def _coded(column: Any, words: list[str], codes: list[int]) -> "NDArray[np.int64]":  # noqa: ANN401
    """Give a number for each word of a column; every word has one."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    places = pc.index_in(column.cast(pa.string()), value_set=pa.array(words, pa.string()))
    found: NDArray[np.int64] = np.asarray(codes, dtype=np.int64)[
        places.to_numpy(zero_copy_only=False)
    ]
    return found


def _loss(book: Book, prices: Prices) -> "tuple[NDArray[np.int64], NDArray[np.bool_]]":
    """Give the expected loss of each item over its time, minor units, rounded half up."""
    import numpy as np

    rate = prices.micro_bp[:, _LOSS].sum(axis=1)
    found = prices.rate_bp >= 0
    under = 2 * _MICRO * book.basis
    top = 2.0 * book.face_minor * rate * book.tenor_days + under
    small = top < float(2**62)
    above = np.where(small & found, book.face_minor * rate * book.tenor_days, 0)
    loss = (2 * above + _MICRO * book.basis) // under
    for row in np.flatnonzero(found & ~small).tolist():
        exact = 2 * int(book.face_minor[row]) * int(rate[row]) * int(book.tenor_days[row])
        loss[row] = (exact + _MICRO * int(book.basis[row])) // int(under[row])
    return loss, found


def _routed(
    book: Book, columns: "Columns", prices: Prices, days_old: int
) -> "tuple[NDArray[np.int64], NDArray[Any]]":
    """Leave to a person what the price alone would let through; see `scf.risk.pricing`."""
    import numpy as np

    both = np.where(book.claim == 0, 0, np.where(book.seller.known, columns["s_flags"], 0))
    flags: Any = np.where(book.obligor.known, columns["o_flags"], 0) | both
    if days_old:
        flags = flags | (1 << len(FLAGS))
    for row in np.flatnonzero(book.by_row).tolist():
        cover = None if book.special is None else book.special[row].insurance
        if cover is not None and not cover.cover:
            flags[row] |= 1 << len(FLAGS) + 1
    flags = np.where(prices.route == _REFUSED, 0, flags)
    route = np.where(flags > 0, np.maximum(prices.route, _OFFICER), prices.route)
    own = np.where(prices.route == route, prices.reasons, 0)
    refusal = np.where(prices.route == route, prices.refusal, 0)
    keys, place = np.unique((refusal << 24) | (own << 16) | flags, return_inverse=True)
    said = np.array([_words(int(key)) for key in keys], dtype=object)
    return route, said[place] if len(keys) else np.array([], dtype=object)


def _words(key: int) -> str:
    """Give the reasons of a route in one text."""
    refusal, own, flags = key >> 24, key >> 16 & 255, key & 65_535
    words = [REFUSALS[refusal]] if refusal else []
    words += [name for bit, name in enumerate(REASONS) if own >> bit & 1]
    words += [name for bit, name in enumerate(_FLAGS) if flags >> bit & 1]
    return " ".join(words)
