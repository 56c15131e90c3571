"""Is this still the ERP that was written to? Whether it was set back is asked before each round.

An ERP that was restored from a backup lacks what was written after it; another database behind the
same address lacks everything. In both the latest move that was written is missing, which a posted
move otherwise never is. Then nothing is read or written until a person says to go on: each write is
looked for there again, and only what is missing is made.
"""

from typing import Any, Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.channels.erp.models import ErpWrite
from scf.channels.erp.port import Erp, described
from scf.channels.erp.wire import Refused

_write: Final[Table] = ErpWrite.__table__  # type: ignore[attr-defined]
RESTORED: Final = "ERP_RESTORED"


def must_be_as_left(conn: Connection, erp: Erp, connection_id: str) -> None:
    """Look for the move that was written last.

    Raises
    ------
    Refused
        ERP_RESTORED with that move, when it is not there any more.
    """
    last = latest(conn, connection_id)
    if last is not None and not erp.there([described(last.label, last.subject_id)]):
        raise Refused(RESTORED, f"{last.remote}: {last.label}")


def latest(conn: Connection, connection_id: str) -> Any:  # noqa: ANN401 - a row
    """Give the journal entry that was written last, if any was."""
    return conn.execute(
        select(_write)
        .where(
            _write.c.connection_id == connection_id,
            _write.c.kind == "JOURNAL",
            _write.c.state == "DONE",
        )
        .order_by(_write.c.done_at.desc(), _write.c.id.desc())
        .limit(1)
    ).one_or_none()
