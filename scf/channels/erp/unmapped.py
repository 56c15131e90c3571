"""Which account numbers journals over a connection still wait for."""

from typing import Any, Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.accounting.mapping.reading import numbers_of
from scf.channels.erp.models import ErpWrite
from scf.ledger.models import Account, Posting

_account: Final[Table] = Account.__table__  # type: ignore[attr-defined]
_posting: Final[Table] = Posting.__table__  # type: ignore[attr-defined]
_write: Final[Table] = ErpWrite.__table__  # type: ignore[attr-defined]
UNMAPPED: Final = "ERP_UNMAPPED"
_MOST_SAID: Final = 400


def lacking(conn: Connection, connection: Any) -> list[str]:  # noqa: ANN401 - a row
    """Give the accounts of waiting entries that the connection's table still has no number for."""
    codes = conn.execute(
        select(_account.c.code)
        .join(_posting, _posting.c.account_id == _account.c.id)
        .join(_write, _write.c.subject_id == _posting.c.entry_id)
        .where(
            _write.c.connection_id == connection.id,
            _write.c.kind == "JOURNAL",
            _write.c.state == "FAILED",
            _write.c.problem == UNMAPPED,
        )
        .distinct()
    ).scalars()
    return numbers_of(conn, connection.org_id, connection.mapping).missing(codes)


def said_of(codes: list[str]) -> str:
    """Give codes as the words of a refusal, none of them cut in two."""
    text = ", ".join(codes)
    while len(text) > _MOST_SAID:
        text = text.rpartition(", ")[0]
    return text
