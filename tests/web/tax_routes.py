"""Who may read what tax authorities say, ask again and speak in their place, through the API."""

from collections.abc import Callable
from typing import Any, Final

from scf.kernel.actor import Role

OFFICERS: Final = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER})
BANK: Final = OFFICERS | {Role.HEAD_OFFICE}
ALL: Final = BANK | {Role.TREASURER, Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER}
SECOND: Final = frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE})


def routes(api: Callable[..., Any]) -> dict[tuple[str, str], Any]:
    """Give the routes, each with its roles, body and object."""
    closed = {"outcome": "CLEARED", "note": "because it must be"}
    # Of a trade, the seller asks: it answers for its tax invoice.
    asks = api(
        OFFICERS | {Role.TREASURER}, {}, "invoice", refused=lambda who: who.org == "anchor-x"
    )
    vouches = api(OFFICERS, {"evidence": "seen with my own eyes"}, "invoice")
    return {
        ("GET", "/api/v1/tax-checks"): api(ALL),
        ("POST", "/api/v1/invoices/<invoice_id>/tax-checks"): asks,
        ("GET", "/api/v1/tax-alerts"): api(BANK),
        ("POST", "/api/v1/tax-alerts/<alert_id>/take"): api(BANK, {}, "alert"),
        ("POST", "/api/v1/tax-alerts/<alert_id>/close"): api(BANK, closed, "alert"),
        ("GET", "/api/v1/tax-vouches"): api(BANK),
        ("POST", "/api/v1/invoices/<invoice_id>/tax-vouches"): vouches,
        ("POST", "/api/v1/tax-vouches/<vouch_id>/decide"): api(SECOND, {"agree": False}, "vouch"),
    }
