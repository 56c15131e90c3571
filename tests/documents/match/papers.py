"""Small papers of the pair in the platform's own JSON: only what matching looks at."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scf.documents.match import tolerance
from scf.documents.match.tolerance import Rules
from tests.documents.trade import BUYER, SELLER

_SELLER = {"name": "Seller", "identifiers": [{"scheme": "duns", "value": SELLER}]}
_BUYER = {"name": "Buyer", "identifiers": [{"scheme": "duns", "value": BUYER}]}
_AMOUNTS = {"order", "invoice", "credit_note"}


def line(ref: str, quantity: str, net: int | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of many types
    """Write a line; ``of`` names the order line, ``item`` the buyer's number of the article."""
    said: dict[str, Any] = {"line_id": ref, "quantity": quantity, "unit": more.pop("unit", "EA")}
    if net is not None:
        said["net_minor"] = net
    for name, field in (("of", "order_line"), ("name", "item_name"), ("tax", "tax_percent")):
        if name in more:
            said[field] = more.pop(name)
    if "item" in more:
        said["item_ids"] = [{"scheme": "buyer", "value": more.pop("item")}]
    return said | more


def paper(kind: str, number: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of many types
    """Write a paper; ``order`` and ``credits`` name the papers that it is about."""
    said: dict[str, Any] = {
        "kind": kind, "number": number, "issue_on": "2026-02-01", "currency": "EUR",
        "seller": _SELLER, "buyer": _BUYER, "lines": list(lines),
    }  # fmt: skip
    if kind == "invoice":
        said["due_on"] = "2026-06-30"
    if "order" in more:
        said["order_reference"] = more.pop("order")
    if "credits" in more:
        said["billing_references"] = [{"number": more.pop("credits")}]
    if kind in _AMOUNTS and "payable_minor" not in more:
        said["payable_minor"] = sum(one.get("net_minor", 0) for one in lines)
    return said | more


def file(*papers: dict[str, Any]) -> bytes:
    """Write a file of papers."""
    return json.dumps({"documents": list(papers)}).encode()


@contextmanager
def agreeing(rules: Rules) -> Iterator[None]:
    """Let every pair have agreed this."""
    before = tolerance._Registered.agreed
    tolerance.agreed_by(lambda _conn, pairs: dict.fromkeys(pairs, rules))
    try:
        yield
    finally:
        tolerance._Registered.agreed = before
