"""What lay before a person who decided, kept with the word, and what is different since.

The second officer is not asked to read everything again: what the first one saw is compared with
what is there now, line by line.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.financing import requests
from scf.financing.models import ManualCheck, RequestOverride
from scf.financing.signing import account_numbers
from scf.offers.models import Quote
from scf.programmes.models import LimitHold, LimitNode

_CHECK: Final[Table] = ManualCheck.__table__  # type: ignore[attr-defined]
_OVERRIDE: Final[Table] = RequestOverride.__table__  # type: ignore[attr-defined]
_QUOTE: Final[Table] = Quote.__table__  # type: ignore[attr-defined]
_HOLD: Final[Table] = LimitHold.__table__  # type: ignore[attr-defined]
_NODE: Final[Table] = LimitNode.__table__  # type: ignore[attr-defined]


class Difference(NamedTuple):
    """One line of the comparison."""

    what: str
    then: Any
    now: Any

    @property
    def agrees(self) -> bool:
        """Whether nothing has moved here."""
        return bool(self.then == self.now)


def seen(conn: Connection, row: Any, lines: Sequence[Any]) -> dict[str, Any]:  # noqa: ANN401
    """Give what a decision on a request rests on at this moment, ready to be stored."""
    quote = conn.execute(
        select(_QUOTE.c.grade, _QUOTE.c.rate_percent).where(_QUOTE.c.id == row.quote_id)
    ).one()
    checks = conn.execute(
        select(_CHECK.c.kind, _CHECK.c.result)
        .where(_CHECK.c.request_id == row.id)
        .order_by(_CHECK.c.at, _CHECK.c.id)
    )
    overrides = conn.execute(
        select(_OVERRIDE.c.code).where(_OVERRIDE.c.request_id == row.id).order_by(_OVERRIDE.c.id)
    ).scalars()
    numbers = account_numbers(conn, (line.payee_account_id for line in lines))
    offered = requests.standing(conn, row)
    return {
        "face_minor": row.face_minor,
        "net_minor": (offered or row).net_minor,
        "currency": row.currency,
        "rate_percent": (offered or quote).rate_percent,
        "grade": quote.grade,
        "route": row.route,
        "value_on": lines[0].value_on.isoformat() if lines else None,
        "payee": sorted(_masked(number) for number in numbers.values()),
        "invoices": sorted([line.invoice_id, line.face_minor] for line in lines),
        "checks": {check.kind: check.result for check in checks},
        "limits": _limits(conn, [line.id for line in lines]),
        "overrides": list(overrides),
    }


def _masked(number: str) -> str:
    return f"{number[:4]}…{number[-4:]}"


def _limits(conn: Connection, advance_ids: Sequence[str]) -> dict[str, int]:
    """Give the height of each limit that the request draws on, by node."""
    nodes = conn.execute(
        select(_NODE.c.kind, _NODE.c.subject_id, _NODE.c.limit_minor)
        .distinct()
        .join(_HOLD, _HOLD.c.node_id == _NODE.c.id)
        .where(_HOLD.c.advance_id.in_(advance_ids))
    )
    return {f"{node.kind}:{node.subject_id}": node.limit_minor for node in nodes}


def compared(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Compare what a word rested on with what is there now."""
    return [Difference(name, then.get(name), now.get(name)) for name in {**then, **now}]
