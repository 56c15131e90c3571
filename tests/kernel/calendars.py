"""The calendars that ship, as the composition root would build them."""

import tomllib
from pathlib import Path

from scf.kernel.calendar import BusinessCalendar

FOLDER = Path(__file__).parents[2] / "config" / "calendars"


def load_calendar(name: str) -> BusinessCalendar:
    """Build a shipped calendar from its file."""
    return BusinessCalendar.from_mapping(
        name, tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    )
