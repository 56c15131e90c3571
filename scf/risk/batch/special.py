"""What few receivables have and no column says: a cover, cash held, one group, a leaf."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from scf.risk.appetite import Appetite
from scf.risk.asof import AsOf
from scf.risk.pricing import Covered, insurance_at, insurer_risk
from scoring import canonical
from scoring.many import REFUSALS, ROUTES, Prices, Special
from scoring.schema import Claim, LeafState

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def special_of(
    conn: Connection, morning: AsOf, appetite: Appetite, said: Mapping[str, Any], face: int
) -> dict[str, str | None]:
    """Say what no column does: an insurer's cover at its risk of the morning, cash, a leaf."""
    if not any(said.get(name) for name in ("insurance", "cash_margin_minor", "leaf", "same_group")):
        return {"special": None}
    cover = None
    if said.get("insurance") is not None:
        cover = canonical.load(Covered, json.dumps(said["insurance"]))
    special = Special(
        insurance=insurance_at(cover, insurer_risk(conn, morning, appetite, cover)),
        cash_margin_minor=min(said.get("cash_margin_minor", 0), face),
        same_group=said.get("same_group", False),
        leaf=None if said.get("leaf") is None else LeafState(said["leaf"]),
        transfers=said.get("transfers", 0),
    )
    text: dict[str, str | None] = {"special": canonical.dump(special)}
    return text if special.leaf is None else text | {"claim": str(Claim.UNDERTAKING)}


def specials(
    column: Any,  # noqa: ANN401 - an Arrow array
    face: "NDArray[np.int64]",
) -> "tuple[NDArray[np.object_] | None, NDArray[np.int64]]":
    """Read what few rows say beside the columns, and which of them cannot be read."""
    import numpy as np

    unread: list[int] = []
    if column.null_count == len(column):
        return None, np.array(unread, dtype=np.int64)
    found = np.full(len(column), None, dtype=object)
    for row, text in enumerate(column.to_pylist()):
        if text is None:
            continue
        try:
            found[row] = canonical.load(Special, text)
        except ValueError:
            unread.append(row)
            continue
        if found[row].cash_margin_minor > face[row]:
            found[row] = None
            unread.append(row)
    return found, np.array(unread, dtype=np.int64)


def refuse(prices: Prices, rows: "NDArray[np.int64]") -> None:
    """Leave rows without a price whose terms nobody can read."""
    prices.rate_bp[rows] = prices.grade[rows] = -1
    prices.micro_bp[rows] = prices.bp[rows] = prices.reasons[rows] = 0
    for column in (prices.pd_one_year, prices.pd_item, prices.lgd):
        column[rows] = float("nan")
    prices.route[rows], prices.refusal[rows] = ROUTES.index("refuse"), REFUSALS.index("TERMS_WRONG")
