"""Which documents of an import are to be judged, and the rows by which they wait for it."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Table

from scf.db.bulk import insert_mappings
from scf.db.runner import Context
from scf.documents.canonical import Kind
from scf.documents.einvoice.models import RuleCheck
from scf.documents.einvoice.rulesets import declares
from scf.documents.rows import Draft

_CHECK: Final[Table] = RuleCheck.__table__  # type: ignore[attr-defined]
_NEW: Final = {"state": "WAITING", "rules": "", "fatal_count": 0, "warning_count": 0}
_JUDGED: Final = frozenset({Kind.INVOICE, Kind.CREDIT_NOTE})


def await_judgement(ctx: Context, drafts: Sequence[Draft]) -> list[Draft]:
    """Let the documents that declare rules wait to be held against them; gives these."""
    waiting = [
        made for made in drafts if made.document.kind in _JUDGED and declares(made.document.profile)
    ]
    rows = [
        {
            "document_id": made.id,
            "document_type": made.document.kind.value,
            "user_id": made.origin.user_id,
            **made.origin.columns(),
        }
        for made in waiting
    ]
    insert_mappings(ctx.conn, _CHECK, rows, _NEW)
    return waiting
