"""Stories of money: named, told to a world under programme terms, and judged by the books."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Row

from scf.financing.models import Advance
from scf.settlement.models import Allocation
from tests.settlement.world import World

Story = Callable[[World], None]
Told = tuple[str, dict[str, Any], Story]


class Stories(list[Told]):
    """The stories of one page; the name of each is its claim."""

    def story(self, **terms: Any) -> Callable[[Story], Story]:  # noqa: ANN401 - programme terms
        """Add a story under programme terms."""

        def add(tell: Story) -> Story:
            self.append((tell.__name__, terms, tell))
            return tell

        return add


def state(world: World, advance_id: str) -> str:
    """Give the state of an advance."""
    return str(world.get(Advance, advance_id).state)


def parts(world: World) -> dict[str, int]:
    """Give what all receipts have paid, by kind."""
    found: dict[str, int] = {}
    for row in world.all(Allocation):
        if row.reversed_by is None:
            found[row.kind] = found.get(row.kind, 0) + row.amount_minor
    return found


def waiting(world: World) -> Row[Any]:
    """Give the first receipt that waits, or a part of it."""
    return next(row for row in world.entries() if row.unallocated_minor)
