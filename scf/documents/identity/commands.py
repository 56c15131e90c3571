"""A person's word on who a document means; what waited for it goes on by the commands it had."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Table, delete, insert, select, update

from scf.db.runner import Context, command
from scf.documents.arrivals import finding_row
from scf.documents.canonical import Kind
from scf.documents.identity.cases import Case, case, digest_of, told, told_candidate
from scf.documents.identity.models import IdentityDecision
from scf.documents.lifecycle import DOCUMENT
from scf.documents.models import UNKNOWN_FIRM, DocumentFinding, PendingParty
from scf.documents.rows import Origin
from scf.documents.storing import TABLES
from scf.kernel.actor import Role
from scf.kernel.errors import InvalidInput, NotAllowed, Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.ids import new_id
from scf.parties import commands as parties
from scf.parties.models import Firm, FirmIdentifier
from scf.parties.service import matching_firms

_decision: Final[Table] = IdentityDecision.__table__  # type: ignore[attr-defined]
_finding: Final[Table] = DocumentFinding.__table__  # type: ignore[attr-defined]
_pending: Final[Table] = PendingParty.__table__  # type: ignore[attr-defined]
_identifier: Final[Table] = FirmIdentifier.__table__  # type: ignore[attr-defined]
_OFFICERS: Final = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER})
_AT_ONCE: Final = 500


class DecideIdentity(BaseModel):
    """Who a document means: a known firm, a new one, or nobody that can be told."""

    model_config = ConfigDict(extra="forbid", str_max_length=4000)
    finding_id: str = Field(max_length=64)
    outcome: Literal["KNOWN", "NEW", "SENT_BACK"]
    firm_id: str | None = Field(default=None, max_length=64)
    reason: str = Field(min_length=3, max_length=2000)


@command("identity.decide", DecideIdentity)
def decide_identity(ctx: Context, data: DecideIdentity) -> dict[str, Any]:
    """It is settled who a document means, for exactly the words that it uses.

    KNOWN: the organisation's documents that say the same lead to this firm from now on; those
    that wait are looked at again. Said by an officer, valid public numbers that name nobody yet
    name the firm for everybody. NEW: the firm is invited. SENT_BACK: the documents that wait are
    VOID, and their sender reads why.

    What the deciding person was shown is kept with the decision.

    Raises
    ------
    RuleViolation
        ``IDENTITY_SETTLED`` when it is known by now who is meant.
    NotAllowed
        ``NUMBER_NAMES_ANOTHER`` when a trader overrules a public number; its financier may.
    InvalidInput
        ``IDENTITY_FIRM`` when the firm is missing where one is meant, or named where none is.
    """
    if (data.firm_id is None) is (data.outcome == "KNOWN"):
        raise InvalidInput("IDENTITY_FIRM", "Name the firm that is meant, and only then one.")
    asked = case(ctx.conn, ctx.actor, data.finding_id)
    result: dict[str, Any] = {"outcome": data.outcome, "name": asked.name}
    if data.outcome == "KNOWN":
        result |= _known(ctx, asked, str(data.firm_id))
    elif data.outcome == "NEW":
        result |= parties.add(ctx, parties.AddFirm(finding_id=data.finding_id))
    else:
        result |= {"id": None, "documents": _send_back(ctx, asked, data.reason)}
    decision_id = new_id()
    ctx.conn.execute(
        insert(_decision),
        {
            "id": decision_id,
            "org_id": asked.org_id,
            "finding_id": data.finding_id,
            "said_digest": asked.digest,
            "said": told(asked),
            "seen": [told_candidate(one) for one in asked.candidates],
            "outcome": data.outcome,
            "firm_id": result["id"],
            "reason": data.reason,
            "decided_by": ctx.actor.user_id,
            "decided_by_org": ctx.actor.org_id,
            "at": ctx.now,
        },
    )
    after = {"outcome": data.outcome, "firm_id": result["id"], "said": told(asked)}
    ctx.change("identity_decision", decision_id, None, after)
    return result


def _known(ctx: Context, asked: Case, firm_id: str) -> dict[str, Any]:
    firm = ctx.visible(Firm, firm_id)
    decides = bool(ctx.actor.roles & _OFFICERS) or ctx.actor.is_operator
    hits = matching_firms(ctx.conn, asked.numbers, asked.name, asked.org_id)
    others = {hit[1] for hit in hits if hit[0].public and hit[1] != firm.id}
    if others and not decides:
        raise NotAllowed(
            "NUMBER_NAMES_ANOTHER",
            "A number on the document is that of another firm. Your financier's officers decide.",
        )
    _remember(ctx, asked, firm.id)
    if not any(hit[1] != firm.id for hit in hits):
        # Nothing that the document says means another firm: every word of it may be remembered.
        parties.identify(ctx, parties.IdentifyFirm(firm_id=firm.id, finding_id=asked.finding_id))
    elif firm.state == "ACTIVE":
        ctx.enqueue("documents.revalidate", {"firm_id": firm.id}, f"{firm.id}:{ctx.command_id}")
    if firm.state == "ACTIVE":
        _close(ctx, asked)
    return {"id": firm.id, "state": firm.state}


def _remember(ctx: Context, asked: Case, firm_id: str) -> None:
    """Keep that the organisation means this firm by exactly these words from now on."""
    same = (
        (_identifier.c.scheme == "said")
        & (_identifier.c.value == asked.digest)
        & (_identifier.c.scope_org_id == asked.org_id)
    )
    ctx.conn.execute(delete(_identifier).where(same))
    ctx.conn.execute(
        insert(_identifier),
        {
            "id": new_id(),
            "firm_id": firm_id,
            "scheme": "said",
            "value": asked.digest,
            "scope_org_id": asked.org_id,
            "created_at": ctx.now,
        },
    )


def _send_back(ctx: Context, asked: Case, reason: str) -> int:
    """Void what waits for these words, and tell the sender; gives how many documents that are."""
    rows = ctx.conn.execute(
        select(_pending.c.document_id, _pending.c.document_type, _pending.c.side)
        .where(
            _pending.c.scheme == "said",
            _pending.c.value == asked.digest,
            _pending.c.org_id == asked.org_id,
        )
        .order_by(_pending.c.document_id)
    ).all()
    by_kind: dict[str, list[str]] = {}
    for row in rows:
        by_kind.setdefault(row.document_type, []).append(row.document_id)
    voided = [
        (kind, row)
        for kind, ids in sorted(by_kind.items())
        for start in range(0, len(ids), _AT_ONCE)
        for row in _void(ctx, kind, ids[start : start + _AT_ONCE])
    ]
    findings = [_told_back(ctx, kind, row, asked, reason) for kind, row in voided]
    if findings:
        ctx.conn.execute(insert(_finding), findings)
    gone = sorted({row.id for _kind, row in voided})
    for start in range(0, len(gone), _AT_ONCE):
        part = gone[start : start + _AT_ONCE]
        ctx.conn.execute(delete(_pending).where(_pending.c.document_id.in_(part)))
    _close(ctx, asked)
    return len(gone)


def _void(ctx: Context, kind: str, ids: list[str]) -> Sequence[Any]:
    table = TABLES[Kind(kind)]
    rows = ctx.conn.execute(
        select(table.c.id, table.c.upload_id, table.c.org_id, table.c.document_state)
        .where(table.c.id.in_(ids), table.c.document_state == "INCOMPLETE")
        .order_by(table.c.id)
        .with_for_update()
    ).all()
    values: dict[str, Any] = {"document_state": DOCUMENT.after("INCOMPLETE", "void")}
    if "version" in table.c:
        values["version"] = table.c.version + 1
    found = [row.id for row in rows]
    ctx.conn.execute(update(table).where(table.c.id.in_(found)).values(**values))
    for row in rows:
        before = {"document_state": row.document_state}
        ctx.change(table.name, row.id, before, {"document_state": "VOID"})
    return rows


def _told_back(ctx: Context, kind: str, row: Row[Any], asked: Case, reason: str) -> dict[str, Any]:
    said = Words(
        "Nobody could tell which firm the %(side)s is: %(reason)s", side=asked.side, reason=reason
    )
    origin = Origin(row.org_id, "", row.upload_id, "", ctx.now)
    found = Finding(Severity.ERROR, "FIRM_SENT_BACK", said, "", asked.name)
    return finding_row(origin, found, kind, row.id)


def _close(ctx: Context, asked: Case) -> None:
    """Mark every open report of the same words by the same organisation."""
    rows = ctx.conn.execute(
        select(_finding).where(
            _finding.c.org_id == asked.org_id,
            UNKNOWN_FIRM,
        )
    ).all()
    same = [row.id for row in rows if digest_of(row) == asked.digest]
    for start in range(0, len(same), _AT_ONCE):
        part = same[start : start + _AT_ONCE]
        ctx.conn.execute(
            update(_finding).where(_finding.c.id.in_(part)).values(resolved_at=ctx.now)
        )
