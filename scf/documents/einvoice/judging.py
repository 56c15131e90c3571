"""The job that judges stored documents, and the command that keeps what came of it.

Judging is done between transactions, by the processes of ``service``; a verdict is kept once, on
a document that still waits for it. So the job may run twice, and a worker that dies loses nothing.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Table, bindparam, insert, select, update

from scf.db.leases import Claimed
from scf.db.platform import Platform
from scf.db.runner import Context, command
from scf.documents.arrivals import finding_row
from scf.documents.einvoice.models import (
    RULE_ADVICE,
    RULE_BROKEN,
    RULES_UNCHECKED,
    RuleCheck,
)
from scf.documents.einvoice.sentences import sentence
from scf.documents.einvoice.service import RuleService, Unjudged, shared_service
from scf.documents.einvoice.validator import FATAL, Verdict
from scf.documents.models import DocumentFinding, Original
from scf.documents.readers.files import MAX_DOCUMENT_BYTES
from scf.documents.readers.sniff import Format, sniff, unpack
from scf.documents.rows import Origin
from scf.kernel.actor import OPERATOR
from scf.kernel.cms import signed_content
from scf.kernel.errors import InvalidInput, TooLarge
from scf.kernel.findings import Finding, Severity
from scf.kernel.ids import digest
from scf.kernel.pdf import MAX_PDF_BYTES, open_pdf

# One run of the job ends well before its lease; every slice of an import brings a job of its own.
MOST_A_RUN: Final = 1000
# Verdicts are kept in transactions of so many.
MOST_A_TURN: Final = 200
# Advice is told, but not by the hundred.
MOST_ADVICE: Final = 10
_check: Final[Table] = RuleCheck.__table__  # type: ignore[attr-defined]
_original: Final[Table] = Original.__table__  # type: ignore[attr-defined]
_finding: Final[Table] = DocumentFinding.__table__  # type: ignore[attr-defined]

_Id = Annotated[str, Field(max_length=64)]


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BrokenRule(_Input):
    """One rule that a document breaks."""

    rule: str = Field(max_length=60)
    flag: Literal["fatal", "warning"]
    place: str = Field(max_length=400)
    said: str = Field(max_length=400)


class Judged(_Input):
    """The verdict on one document; ``reason`` says why there is none."""

    document_id: _Id
    rules: str = Field(default="", max_length=100)
    reason: str = Field(default="", max_length=60)
    fatal: int = Field(default=0, ge=0, strict=True)
    warnings: int = Field(default=0, ge=0, strict=True)
    broken: list[BrokenRule] = Field(default_factory=list, max_length=100)


class KeepVerdicts(_Input):
    """Verdicts on documents that wait for one."""

    verdicts: list[Judged] = Field(max_length=MOST_A_TURN)


@command("documents.keep_verdicts", KeepVerdicts)
def keep_verdicts(ctx: Context, data: KeepVerdicts) -> dict[str, Any]:
    """Each document shows what the rules say of it, to everybody who sees the document.

    A broken rule keeps no document out and takes it from no financing by itself: see decision
    0026. A document that was judged meanwhile is left as it is.
    """
    by_id = {one.document_id: one for one in data.verdicts}
    waiting = ctx.conn.execute(
        select(_check)
        .where(_check.c.document_id.in_(sorted(by_id)), _check.c.state == "WAITING")
        .order_by(_check.c.document_id)
        .with_for_update()
    ).all()
    counts = {"VALID": 0, "BROKEN": 0, "UNJUDGED": 0}
    rows: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    for row in waiting:
        one = by_id[row.document_id]
        state = _state(one)
        counts[state] += 1
        changes.append(
            {
                "of": row.document_id,
                "state": state,
                "rules": one.rules,
                "reason": one.reason or None,
                "fatal_count": one.fatal,
                "warning_count": one.warnings,
                "checked_at": ctx.now,
            }
        )
        origin = Origin(row.org_id, row.user_id, row.upload_id, row.original_id, ctx.now)
        for found, facts in _told(one):
            rows.append(finding_row(origin, found, row.document_type, row.document_id, facts))
    if changes:
        names = ("state", "rules", "reason", "fatal_count", "warning_count", "checked_at")
        ctx.conn.execute(
            update(_check)
            .where(_check.c.document_id == bindparam("of"))
            .values({name: bindparam(name) for name in names}),
            changes,
        )
    if rows:
        ctx.conn.execute(insert(_finding), rows)
    return counts


class JudgeAgain(_Input):
    """Nothing to say: all that could not be judged is meant."""


@command("documents.judge_again", JudgeAgain)
def judge_again(ctx: Context, _data: JudgeAgain) -> dict[str, Any]:
    """What could not be judged waits again, and the remark that it could not is settled."""
    waiting = ctx.conn.execute(
        update(_check)
        .where(_check.c.state == "UNJUDGED")
        .values(state="WAITING", reason=None, checked_at=None)
        .returning(_check.c.document_id)
    ).scalars()
    ids = sorted(waiting)
    for start in range(0, len(ids), MOST_A_RUN):
        part = ids[start : start + MOST_A_RUN]
        of_them = (_finding.c.code == RULES_UNCHECKED, _finding.c.document_id.in_(part))
        ctx.conn.execute(update(_finding).where(*of_them).values(resolved_at=ctx.now))
    return {"waiting": len(ids)}


def _state(one: Judged) -> str:
    if one.reason or not one.rules:
        return "UNJUDGED"
    return "BROKEN" if one.fatal else "VALID"


def _told(one: Judged) -> Iterator[tuple[Finding, dict[str, Any] | None]]:
    """Give the findings of one verdict, each with the words of the rule itself."""
    if _state(one) == "UNJUDGED":
        message = "The rules of EN 16931 could not be applied to this document."
        yield Finding(Severity.WARNING, RULES_UNCHECKED, message, "", one.reason), None
        return
    advice = 0
    for broken in one.broken:
        binds = broken.flag == FATAL
        advice += not binds
        if advice > MOST_ADVICE:
            return
        severity, code = (Severity.WARNING, RULE_BROKEN) if binds else (Severity.INFO, RULE_ADVICE)
        message = sentence(broken.rule)
        found = Finding(severity, code, message, broken.place, broken.rule)
        yield found, {"rules": one.rules, "said": broken.said}


# --- The job ----------------------------------------------------------------------------------


def judge_job(platform: Platform, job: Claimed) -> dict[str, Any]:
    """Do the job "documents.judge": judge what waits, oldest first, at most a slice of it.

    Raises
    ------
    Unavailable
        When the rules are not installed or cannot be run; the documents wait on.
    """
    del job  # it only says that something waits
    return judge_waiting(platform, shared_service())


def judge_waiting(platform: Platform, service: RuleService) -> dict[str, int]:
    """Judge up to a thousand waiting documents; gives how many came to what."""
    with platform.db.snapshot() as conn:
        waiting = [
            (row.document_id, row.original_id)
            for row in conn.execute(
                select(_check.c.document_id, _check.c.original_id)
                .where(_check.c.state == "WAITING")
                .order_by(_check.c.created_at, _check.c.document_id)
                .limit(MOST_A_RUN)
            )
        ]
    total = {"VALID": 0, "BROKEN": 0, "UNJUDGED": 0}
    for start in range(0, len(waiting), MOST_A_TURN):
        part = waiting[start : start + MOST_A_TURN]
        verdicts = _judge(platform, service, part)
        payload = KeepVerdicts(verdicts=verdicts)
        key = f"verdicts:{digest([one.model_dump() for one in verdicts])}"
        kept = platform.run("documents.keep_verdicts", payload, OPERATOR, key=key).result
        total = {state: total[state] + kept[state] for state in total}
    return total


def judge_all(platform: Platform, service: RuleService, key: str) -> dict[str, int]:
    """Judge all that waits and all that could not be judged before; gives how many came to what."""
    platform.run("documents.judge_again", JudgeAgain(), OPERATOR, key=key)
    total = {"VALID": 0, "BROKEN": 0, "UNJUDGED": 0}
    while any((found := judge_waiting(platform, service)).values()):
        total = {state: total[state] + found[state] for state in total}
    return total


def _judge(
    platform: Platform, service: RuleService, documents: list[tuple[str, str]]
) -> list[Judged]:
    found = dict(service.check_all(_contents(platform, documents)))
    # A process may have ended for a reason of the machine: each such document is asked once more.
    again = [one for one in documents if _failed(found[one[0]])]
    found.update(service.check_all(_contents(platform, again)))
    return [_judged(document_id, found[document_id]) for document_id, _ in documents]


def _failed(found: Verdict | Unjudged) -> bool:
    return isinstance(found, Unjudged) and found.reason in {"DIED", "SILENT"}


def _contents(platform: Platform, documents: list[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:
    """Give the documents one by one, so that only those being judged are in memory."""
    for document_id, original_id in documents:
        with platform.db.snapshot() as conn:
            content = conn.execute(
                select(_original.c.content).where(_original.c.id == original_id)
            ).scalar_one()
        yield document_id, xml_of(content)


def xml_of(content: bytes) -> bytes:
    """Give the XML of a file as it was handed in: unpacked, or out of what is around it.

    What holds none comes back as it is, and is refused as XML.
    """
    try:
        if sniff(content) is Format.GZIP:
            content = unpack(content, max(MAX_DOCUMENT_BYTES, MAX_PDF_BYTES))
        if sniff(content) is Format.SIGNED:
            content = signed_content(content)
        if sniff(content) is Format.PDF:
            content = open_pdf(content, text=False).invoice.content
    except (InvalidInput, TooLarge):
        pass
    return content


def _judged(document_id: str, found: Verdict | Unjudged) -> Judged:
    if isinstance(found, Unjudged):
        return Judged(document_id=document_id, reason=found.reason)
    if not found.rules:
        return Judged(document_id=document_id, reason="NO_RULES")
    return Judged(
        document_id=document_id,
        rules=found.rules,
        fatal=found.fatal,
        warnings=found.warnings,
        broken=[
            BrokenRule(rule=one.rule, flag=one.flag, place=one.place, said=one.said)
            for one in found.broken
        ],
    )
