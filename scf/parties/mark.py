"""How a demo world is told from a real one: by the commands that made it."""

from sqlalchemy import select
from sqlalchemy.engine import Connection

from scf.db.models import Idempotency
from scf.kernel.actor import OPERATOR

KEY = "demo:"
_key = Idempotency.__table__  # type: ignore[attr-defined]


def is_demo(conn: Connection) -> bool:
    """Tell whether the books of this database were opened by ``scf demo``."""
    found = conn.execute(
        select(_key.c.key)
        .where(
            _key.c.org_id == OPERATOR.org_id,
            _key.c.command == "day.open",
            _key.c.key.startswith(KEY, autoescape=True),
        )
        .limit(1)
    )
    return found.one_or_none() is not None


def begun(conn: Connection) -> bool:
    """Tell whether any command of a demo world has run in this database."""
    found = conn.execute(
        select(_key.c.key).where(_key.c.key.startswith(KEY, autoescape=True)).limit(1)
    )
    return found.first() is not None
