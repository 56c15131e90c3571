"""Where a programme demands that invoices keep the rules of EN 16931: how each stands, and why not.

The rules inform wherever nobody demands them (decision 0026). Where they are demanded, an invoice
that waits for its judgement waits with it, and what nobody could judge is not valid.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import BindParameter, Table, bindparam, select
from sqlalchemy.engine import Connection

from scf.documents.einvoice.models import RULE_BROKEN, RuleCheck
from scf.documents.models import DocumentFinding
from scf.kernel.errors import Refusal, Words

_check: Final[Table] = RuleCheck.__table__  # type: ignore[attr-defined]
_finding: Final[Table] = DocumentFinding.__table__  # type: ignore[attr-defined]
_IDS: Final[BindParameter[Any]] = bindparam("ids", expanding=True)
_STATES: Final = select(_check.c.document_id, _check.c.state, _check.c.fatal_count).where(
    _check.c.document_id.in_(_IDS)
)
_BROKEN: Final = (
    select(_finding.c.document_id, _finding.c.value, _finding.c.place)
    .where(_finding.c.document_id.in_(_IDS), _finding.c.code == RULE_BROKEN)
    .order_by(_finding.c.id)
)
UNDECLARED: Final = ""


class RuleStanding(NamedTuple):
    """The verdict on one invoice; of a broken one its first rule, with the place."""

    state: str = UNDECLARED
    broken: int = 0
    rule: str = ""
    place: str = ""


def rule_standings(conn: Connection, invoice_ids: Sequence[str]) -> dict[str, RuleStanding]:
    """Give how invoices stand with the rules; one that declares none is not in the answer."""
    found = {
        row.document_id: RuleStanding(row.state, row.fatal_count)
        for row in conn.execute(_STATES, {"ids": list(invoice_ids)})
    }
    broken = [one for one, standing in found.items() if standing.state == "BROKEN"]
    for row in conn.execute(_BROKEN, {"ids": broken}) if broken else ():
        if not found[row.document_id].rule:
            found[row.document_id] = found[row.document_id]._replace(
                rule=row.value, place=row.place
            )
    return found


def rules_against(number: str, standing: RuleStanding) -> Refusal | None:
    """Give why an invoice is not valid enough for a programme that demands it, or nothing."""
    match standing.state:
        case "VALID":
            return None
        case "WAITING":
            return Refusal(
                "RULES_WAITING",
                standing.state,
                "VALID",
                "when the rules have been applied",
                "Wait a moment: the document is being judged.",
                Words("Invoice %(number)s is not judged yet.", number=number),
            )
        case "BROKEN":
            return Refusal(
                "RULES_BROKEN",
                f"{standing.rule}, {standing.place}",
                "VALID",
                None,
                "Correct the invoice where the rule says, and hand it in with a number of its own.",
                Words(
                    "Invoice %(number)s breaks %(count)s rules of EN 16931, first %(rule)s "
                    "at %(place)s.",
                    number=number,
                    count=standing.broken,
                    rule=standing.rule,
                    place=standing.place,
                ),
            )
        case "UNJUDGED":
            return Refusal(
                "RULES_UNJUDGED",
                standing.state,
                "VALID",
                "when somebody has looked again",
                "Ask the platform to judge the document again.",
                Words("The rules could not be applied to invoice %(number)s.", number=number),
            )
    return Refusal(
        "RULES_UNDECLARED",
        "no rules declared",
        "EN 16931",
        None,
        "Hand in the invoice as an e-invoice that declares EN 16931.",
        Words("Invoice %(number)s declares no rules of EN 16931.", number=number),
    )
