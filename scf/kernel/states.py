"""A lifecycle: which event leads from which state to which, as one table.

Every machine of the platform is such a table, so that an illegal step is refused in one place
and tests can walk every (state, event) pair. Guards and effects belong to the commands.
"""

from collections.abc import Mapping
from types import MappingProxyType

from scf.kernel.errors import Conflict


class Lifecycle:
    """The legal steps of one kind of thing."""

    def __init__(self, name: str, transitions: Mapping[tuple[str, str], str]) -> None:
        self.name = name
        self.transitions: Mapping[tuple[str, str], str] = MappingProxyType(dict(transitions))

    def __repr__(self) -> str:
        return f"Lifecycle({self.name!r}, {len(self.transitions)} transitions)"

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, in the order in which the table names them."""
        pairs = ((start, end) for (start, _), end in self.transitions.items())
        return tuple(dict.fromkeys(state for pair in pairs for state in pair))

    @property
    def events(self) -> tuple[str, ...]:
        """Every event, in the order in which the table names them."""
        return tuple(dict.fromkeys(event for _, event in self.transitions))

    def allowed(self, state: str) -> tuple[str, ...]:
        """Return the events that may happen in this state; none in a final one."""
        return tuple(event for start, event in self.transitions if start == state)

    def after(self, state: str, event: str) -> str:
        """Return the state that the event leads to.

        Raises
        ------
        Conflict
            ILLEGAL_TRANSITION, with the events that the present state allows.
        """
        try:
            return self.transitions[state, event]
        except KeyError:
            allowed = self.allowed(state)
            raise Conflict(
                "ILLEGAL_TRANSITION",
                "%(event)s is not possible in the state %(state)s of a %(machine)s.",
                machine=self.name,
                state=str(state),
                event=str(event),
                allowed=list(allowed),
            ) from None
