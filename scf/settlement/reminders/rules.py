"""Which step of the reminders an item has come to; the plan is configuration, handed in once."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

NAMES: Final = (
    "upcoming", "missed", "last_call", "overdue", "overdue_15", "overdue_30", "overdue_60",
    "overdue_90",
)  # fmt: skip
_BASES: Final = ("due", "grace_end")


@dataclass(frozen=True)
class Step:
    """One step: its name, and how many days after the due day, or the end of grace, it comes."""

    name: str
    base: str
    days: int


@dataclass(frozen=True)
class Plan:
    """The steps in their order."""

    version: str
    steps: tuple[Step, ...]

    @property
    def days_ahead(self) -> int:
        """How long before a due day the first step comes."""
        return max([0, *(-one.days for one in self.steps)])

    def rank(self, step: str) -> int:
        """Give the place of a step, the gravest highest."""
        return [one.name for one in self.steps].index(step)


def plan_of(data: Mapping[str, Any]) -> Plan:
    """Read a plan from its plain content.

    Raises
    ------
    ValueError
        For a step that has no words, comes twice, or counts from something else.
    """
    steps = tuple(
        Step(str(one["name"]), str(one["from"]), int(one["days"])) for one in data["step"]
    )
    names = [one.name for one in steps]
    if [one for one in NAMES if one in names] != names:
        raise ValueError(f"the steps are {', '.join(NAMES)}, in this order, each at most once.")
    if any(one.base not in _BASES for one in steps):
        raise ValueError(f"a step counts from {' or '.join(_BASES)}.")
    return Plan(str(data["version"]), steps)


class _InForce:
    plan: ClassVar[Plan | None] = None


def install_plan(data: Mapping[str, Any] | None) -> None:
    """Set the plan of this process from the content of its file, or that nobody is reminded."""
    _InForce.plan = None if data is None else plan_of(data)


def in_force() -> Plan | None:
    """Give the plan in force, if there is one."""
    return _InForce.plan


def step_of(plan: Plan, due_on: dt.date, grace_days: int, on: dt.date) -> str:
    """Name the latest step that has come by the close of a day; empty before the first.

    Of two steps that fall on one day the graver counts: without grace what is missed is overdue
    at once, and there is no last call. A last call is for whoever was told once before.
    """
    come = ""
    for one in plan.steps:
        day = due_on if one.base == "due" else due_on + dt.timedelta(days=grace_days)
        if one.base == "grace_end" and one.days < 0 and grace_days + one.days <= 0:
            continue
        if day + dt.timedelta(days=one.days) <= on:
            come = one.name
    return come
