"""Keeping how a price was made: its inputs and its result, whole, under one fingerprint."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Table, insert

from scf.db.runner import Context
from scf.kernel.ids import canonical_json, digest, new_id
from scf.risk import appetite as policies
from scf.risk import champions
from scf.risk.asof import AsOf
from scf.risk.models import PriceAssessment
from scf.risk.pricing import Priced
from scoring import canonical

PRICE: Final[Table] = PriceAssessment.__table__  # type: ignore[attr-defined]


def store_prices(
    ctx: Context,
    morning: AsOf,
    appetite: policies.Appetite,
    priced: Sequence[Priced],
    line_ids: Sequence[str],
) -> list[str]:
    """Keep the making of each line's price; gives the ids in their order."""
    rows = [
        _row(ctx, morning, appetite, one, line_id)
        for one, line_id in zip(priced, line_ids, strict=True)
    ]
    champions.hold(ctx, {one.model_id for one in priced if one.model_id is not None})
    policies.keep(ctx, appetite)
    ctx.conn.execute(insert(PRICE), rows)
    return [row["id"] for row in rows]


def _row(
    ctx: Context, morning: AsOf, appetite: policies.Appetite, one: Priced, line_id: str
) -> dict[str, Any]:
    if one.obligor is None:
        msg = "a price without an assessment of who owes has been refused"
        raise AssertionError(msg)
    texts = texts_of(one)
    return {
        "id": new_id(),
        "financier_id": morning.financier_id,
        "quote_line_id": line_id,
        "invoice_id": one.claimed.invoice_id,
        "obligor_id": one.claimed.obligor_id,
        "seller_id": one.claimed.seller_id,
        "obligor_assessment_id": one.obligor.row.id,
        "seller_assessment_id": one.seller.row.id if one.seller is not None else None,
        "as_of_on": morning.on,
        "sequence": morning.sequence,
        "kind": one.result.kind,
        "model_id": one.model_id,
        "policy_digest": appetite.digest,
        "policy_version": appetite.policy.version,
        **texts,
        "digest": digest(list(texts.values())),
        "route": one.route,
        "route_reasons": list(one.route_reasons),
        "at": ctx.now,
    }


def texts_of(one: Priced) -> dict[str, str]:
    """Give terms, inputs and result of a price as they are kept and compared."""
    return {
        "terms": canonical_json(
            {"claimed": canonical.dump(one.claimed), "pair": canonical.dump(one.pair)}
        ),
        "inputs": canonical.dump(one.inputs),
        "result": canonical.dump(one.result),
    }
