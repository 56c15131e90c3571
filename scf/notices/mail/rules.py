"""Kinds of notices, how each may be told by e-mail, and when a letter of several leaves.

Money is never batched, and what happens to the own sign-in is always told at once: whoever takes a
sign-in over must not be able to switch the warning off.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from typing import Final
from zoneinfo import ZoneInfo

from scf.kernel.actor import Role
from scf.kernel.errors import InvalidInput

AT_ONCE: Final = "AT_ONCE"
HOURLY: Final = "HOURLY"
DAILY: Final = "DAILY"
PORTAL: Final = "PORTAL"

_TRADERS: Final = frozenset({Role.TREASURER, Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER})
_OFFICERS: Final = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER})
_BANK: Final = _OFFICERS | {Role.HEAD_OFFICE}
_HOUR: Final = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Kind:
    """One kind of notice: whom it can concern, how it may be told, the usual way first."""

    name: str
    topics: tuple[str, ...]  # of events, by how they begin
    roles: frozenset[Role]
    choices: tuple[str, ...]

    @property
    def usual(self) -> str:
        """How a person is told who has not chosen."""
        return self.choices[0]


KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("money", ("request.", "recourse."), frozenset({Role.TREASURER}), (AT_ONCE, PORTAL)),
        Kind(
            "trade",
            ("invoice.", "pack.", "tax.against"),
            _TRADERS,
            (HOURLY, AT_ONCE, DAILY, PORTAL),
        ),
        Kind("payments", ("reminder.",), _TRADERS, (AT_ONCE, DAILY, PORTAL)),
        Kind("files", ("upload.",), _TRADERS, (HOURLY, AT_ONCE, DAILY, PORTAL)),
        Kind("provisions", ("provision.",), _BANK, (HOURLY, AT_ONCE, DAILY, PORTAL)),
        Kind("alerts", ("tax.alert",), _OFFICERS, (HOURLY, AT_ONCE, DAILY, PORTAL)),
        Kind("models", ("model.alarm",), _BANK, (HOURLY, AT_ONCE, DAILY, PORTAL)),
        Kind(
            "connections",
            ("webhook.", "channel.", "erp."),
            _TRADERS | {Role.ADMINISTRATOR},
            (HOURLY, AT_ONCE, DAILY, PORTAL),
        ),
        Kind("sign_in", ("user.", "mail."), frozenset(Role), (AT_ONCE,)),
    )
}
ALL_CHOICES: Final = (AT_ONCE, HOURLY, DAILY, PORTAL)


def kind_of(topic: str) -> Kind:
    """Give the kind that an event belongs to."""
    return next(kind for kind in KINDS.values() if topic.startswith(kind.topics))


def kinds_for(roles: frozenset[Role]) -> tuple[Kind, ...]:
    """Give the kinds of notices that a person with these roles can get."""
    return tuple(kind for kind in KINDS.values() if kind.roles & roles)


def next_slot(choice: str, after: dt.datetime, zone: str, hour: int) -> tuple[str, dt.datetime]:
    """Name the next letter of several that leaves after an instant, and say when it does.

    An hourly one leaves at the full hour. A daily one leaves at the person's hour, by the clock
    of the person's zone: where the clocks go forward over that hour, just after they did.
    """
    if choice == HOURLY:
        due = after.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0) + _HOUR
        return f"hour:{due:%Y-%m-%dT%H}", due
    there = ZoneInfo(zone)
    day = after.astimezone(there).date()
    due = dt.datetime.combine(day, dt.time(hour), there).astimezone(dt.UTC)
    if due <= after:
        day += dt.timedelta(days=1)
        due = dt.datetime.combine(day, dt.time(hour), there).astimezone(dt.UTC)
    return f"day:{day.isoformat()}", due


def must_be_an_address(text: str) -> None:
    """Refuse what no mail server takes as the address of one mailbox.

    Raises
    ------
    InvalidInput
        MAILBOX_ADDRESS.
    """
    try:
        read = Address(addr_spec=text)
    except (HeaderParseError, ValueError, IndexError):
        read = None
    if read is None or read.addr_spec != text or not text.isprintable() or " " in text:
        raise InvalidInput("MAILBOX_ADDRESS", "No mail can be sent to this address.")
