"""The anchor's pages: what to accept, what to pay to whom, its suppliers and its programme."""

from web.portal.anchor import (
    acceptances,
    assignment,
    disputes,
    duplicates,
    home,
    invoice,
    matching,
    payments,
    suppliers,
)
from web.portal.anchor.blueprint import anchor

__all__ = [
    "acceptances",
    "anchor",
    "assignment",
    "disputes",
    "duplicates",
    "home",
    "invoice",
    "matching",
    "payments",
    "suppliers",
]
