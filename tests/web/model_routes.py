"""Who may read what trained models were made of, and take the steps with them, through the API."""

from collections.abc import Callable
from typing import Any, Final

from scf.kernel.actor import Role

BANK: Final = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER, Role.HEAD_OFFICE})
SECOND: Final = frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE})


def routes(api: Callable[..., Any]) -> dict[tuple[str, str], Any]:
    """Give the routes, each with its roles, body and object."""
    address, said = "/api/v1/risk-models/<model_id>", {"reason": "because it must be"}
    steps = {
        "validate": (SECOND, said),
        "challenge": (BANK, None),
        "propose": (BANK, None),
        "promote": (SECOND, None),
        "retire": (BANK, said),
        "kill": (BANK, said),
    }
    return {
        ("GET", "/api/v1/risk-models"): api(BANK),
        ("GET", address): api(BANK, thing="model"),
        ("GET", "/api/v1/risk-monitor"): api(BANK),
        ("GET", "/api/v1/model-alarms"): api(BANK),
        ("POST", "/api/v1/model-alarms/<model_alarm_id>/answer"): api(BANK, said, "model_alarm"),
        **{
            ("POST", f"{address}/{name}"): api(who, body, "model")
            for name, (who, body) in steps.items()
        },
    }
