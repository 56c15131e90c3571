"""What people are shown of a trained model: the same for command line, API and page."""

import json
from typing import Any, Final

from scf.risk.models import RiskModel

PEOPLE: Final = ("trained_by", "validated_by", "proposed_by", "promoted_by", "ended_by")
_PLAIN: Final = (
    "id", "name", "kind", "state", "file_digest", "schema_hash", "data_hash", "trained_on",
    *PEOPLE, "trained_at", "validated_at", "validation", "proposed_at", "promoted_at", "ended_at",
    "end_reason",
)  # fmt: skip


def of(row: RiskModel) -> dict[str, Any]:
    """Give a model with its card taken apart: windows, inputs, measures, calibration."""
    card = json.loads(row.card)
    return {name: getattr(row, name) for name in _PLAIN} | {
        "target": card["target"],
        "windows": card["windows"],
        "inputs": [
            {name: column[name] for name in ("name", "unit", "sign", "lowest", "highest")}
            for column in card["columns"]
        ],
        "settings": card["settings"],
        "measures": card["measures"],
        "calibration": tenths(row, "model"),
        "calibration_of_card": tenths(row, "card"),
    }


def tenths(row: RiskModel, whose: str) -> list[dict[str, float]]:
    """Give what was told and what happened on the test window, from the lowest tenth up."""
    found: list[list[float]] = row.tenths[whose]
    return [{"firms": rows, "told": told, "failed": failed} for rows, told, failed in found]
