"""Who may say who a document means, and join or part records of one firm, through the API."""

from collections.abc import Callable
from typing import Any, Final

from scf.kernel.actor import Role

TRADERS: Final = frozenset({Role.TREASURER, Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER})
OFFICERS: Final = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER})
BANK: Final = OFFICERS | {Role.HEAD_OFFICE}


def routes(api: Callable[..., Any]) -> dict[tuple[str, str], Any]:
    """Give the routes, each with its roles, body and object."""
    return {
        ("GET", "/api/v1/identity-cases"): api(TRADERS | OFFICERS),
        ("GET", "/api/v1/identity-cases/<finding_id>"): api(TRADERS | OFFICERS, thing="finding"),
        ("POST", "/api/v1/identity-cases/<finding_id>/decide"): api(
            TRADERS | OFFICERS, {"outcome": "SENT_BACK", "reason": "because it must be"}, "finding"
        ),
        ("GET", "/api/v1/firm-merges"): api(OFFICERS),
        ("GET", "/api/v1/firm-merges/<merge_id>"): api(OFFICERS, thing="merge"),
        ("POST", "/api/v1/firm-merges"): api(
            OFFICERS,
            {"firm_id": "{firm}", "survivor_id": "{firm}", "reason": "because it must be"},
            "firm",
        ),
        ("POST", "/api/v1/firm-merges/<merge_id>/decide"): api(
            BANK, {"confirm": False, "reason": "because it must be"}, "merge"
        ),
        ("POST", "/api/v1/firms/<firm_id>/unmerge"): api(
            OFFICERS, {"reason": "because it must be"}, "firm"
        ),
        ("GET", "/api/v1/firms/<firm_id>/merge-effect/<survivor_id>"): api(OFFICERS, thing="firm"),
    }
