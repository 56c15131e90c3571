"""Which documents of an import are to be judged, and the rows by which they wait for it."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import insert

from scf.db.runner import Context
from scf.documents.canonical import Kind
from scf.documents.einvoice.models import RuleCheck
from scf.documents.einvoice.rulesets import declares
from scf.documents.rows import Draft, Origin

_INSERT: Final = insert(RuleCheck.__table__).values(  # type: ignore[attr-defined]
    state="WAITING", rules="", fatal_count=0, warning_count=0
)
_JUDGED: Final = frozenset({Kind.INVOICE, Kind.CREDIT_NOTE})


def await_judgement(ctx: Context, origin: Origin, drafts: Sequence[Draft]) -> int:
    """Let the documents that declare rules wait to be held against them; gives how many do."""
    rows = [
        {
            "document_id": made.id,
            "document_type": made.document.kind.value,
            "user_id": origin.user_id,
            **origin.columns(),
        }
        for made in drafts
        if made.document.kind in _JUDGED and declares(made.document.profile)
    ]
    if rows:
        ctx.conn.execute(_INSERT, rows)
    return len(rows)
