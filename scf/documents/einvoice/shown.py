"""The verdict of the rules on documents, as a page or an answer shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from scf.documents.einvoice.models import RULE_BROKEN, RULE_CODES, RULES_UNCHECKED, RuleCheck
from scf.documents.models import DocumentFinding

MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class ShownRule:
    """One broken rule: its number and place, our sentence, and the rule's own words."""

    rule: str
    binds: bool
    place: str
    told: str
    said: str


@dataclass(frozen=True, slots=True)
class ShownVerdict:
    """What the rules say of one document; ``broken`` has those that bind first."""

    document_id: str
    state: str
    rules: str
    broken: tuple[ShownRule, ...]


def verdicts(session: Session, document_ids: Sequence[str]) -> list[ShownVerdict]:
    """Give the verdicts that the reader may see, in the order asked for; undeclared ones lack."""
    checks = session.execute(
        select(RuleCheck).where(col(RuleCheck.document_id).in_(document_ids))
    ).scalars()
    by_id = {check.document_id: check for check in checks}
    if not by_id:
        return []
    broken: dict[str, list[ShownRule]] = {document_id: [] for document_id in by_id}
    found = session.execute(
        select(DocumentFinding)
        .where(
            col(DocumentFinding.document_id).in_(sorted(by_id)),
            col(DocumentFinding.code).in_(set(RULE_CODES) - {RULES_UNCHECKED}),
        )
        .order_by(col(DocumentFinding.id))
        .limit(MOST_SHOWN)
    ).scalars()
    for one in found:
        said = str((one.facts or {}).get("said", ""))
        rule = ShownRule(one.value, one.code == RULE_BROKEN, one.place, one.told, said)
        broken[str(one.document_id)].append(rule)
    return [
        ShownVerdict(
            document_id,
            by_id[document_id].state,
            by_id[document_id].rules,
            tuple(sorted(broken[document_id], key=lambda one: not one.binds)),
        )
        for document_id in document_ids
        if document_id in by_id
    ]
