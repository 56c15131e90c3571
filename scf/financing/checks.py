"""The recorded checks of a request: an officer's, and those that the platform answers itself.

A programme names the checks it requires, and which of them the platform may answer
(``platform_checks``). The platform's answer is a row like an officer's, with its own evidence; it
is never silent. The latest row of a kind counts, so an officer may look again.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Table, insert, or_, select

from scf.db.runner import Context
from scf.documents.duplicates.finding import look
from scf.documents.duplicates.standing import in_the_way
from scf.documents.models import Invoice
from scf.documents.taxcheck.asking import standings
from scf.financing import advances, guards
from scf.financing.authority import POLICY
from scf.financing.lifecycle import BEFORE_INSTRUCTED, STEP_OF_CHECK
from scf.financing.models import ManualCheck
from scf.kernel.errors import Conflict, RuleViolation, Words, words_as_stored
from scf.kernel.ids import new_id
from scf.parties.service import business_date
from scf.programmes.models import ProgrammeClaim
from scf.programmes.service import terms_of_version
from scf.programmes.terms import CHECKS_BEFORE_PAYOUT, Terms

_CHECK: Final[Table] = ManualCheck.__table__  # type: ignore[attr-defined]
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_CLAIM: Final[Table] = ProgrammeClaim.__table__  # type: ignore[attr-defined]
_STATE_BEFORE: Final = {"e_signature": "DECIDED", "registration": "SIGNED", "recheck": "REGISTERED"}
# A second search of the title is of the day of payment: an earlier record opens no step.
_OF_ITS_DAY: Final = "recheck"


class Found(NamedTuple):
    """What a check has come to, and where that can be seen."""

    kind: str
    result: str
    evidence: str


# --- Recording --------------------------------------------------------------------------------


def record(ctx: Context, request_id: str, found: Found, *, by_platform: bool = False) -> None:
    """Put a check on record."""
    check_id = new_id()
    ctx.conn.execute(
        insert(_CHECK),
        {
            "id": check_id,
            "request_id": request_id,
            "kind": found.kind,
            "result": found.result,
            "source": "platform" if by_platform else "officer",
            "evidence": str(found.evidence),
            "words": words_as_stored(found.evidence),
            "user_id": POLICY if by_platform else ctx.actor.user_id,
            "at": ctx.now,
        },
    )
    ctx.change("manual_check", check_id, None, {"kind": found.kind, "result": found.result})


# --- What the platform answers ----------------------------------------------------------------


def duplicates(ctx: Context, rows: Sequence[Row[Any]], financier_id: str) -> Found:
    """Search the platform for the same claims: other documents, and other programmes' claims.

    The key of a claim is one for every format in which its invoice can arrive, and claims are seen
    across financiers; what is told of them is only that there is one. A document that only looks
    like another is a person's to judge.
    """
    look(ctx, [row.id for row in rows])
    alike = in_the_way(ctx.conn, [row.id for row in rows], financier_id)
    keys = {row.duplicate_key: row for row in rows}
    own = [row.id for row in rows]
    twin = _INVOICE.alias("twin")
    found = ctx.conn.execute(
        select(twin.c.duplicate_key)
        .outerjoin(_CLAIM, (_CLAIM.c.invoice_id == twin.c.id) & _CLAIM.c.live.is_(True))
        .where(
            # the number is part of the key, and has an index over documents of every state
            twin.c.canonical_number.in_(sorted({row.canonical_number for row in rows})),
            twin.c.duplicate_key.in_(sorted(keys)),
            twin.c.id.not_in(own),
            or_(
                twin.c.document_state.in_(["VALIDATED", "INCOMPLETE"]),
                twin.c.held_minor + twin.c.outstanding_minor > 0,
                _CLAIM.c.id.is_not(None),
            ),
        )
    ).scalars()
    again = sorted({keys[key].number for key in found})
    if again:
        said = Words("Also on the platform as another claim: %(numbers)s.", numbers=again)
        return Found("duplicate", "HIT", said)
    if alike:
        pairs = sorted(f"{one.number} ~ {one.other}" if one.other else one.number for one in alike)
        said = Words("May be the same claim as another: %(pairs)s.", pairs=pairs)
        return Found("duplicate", "HIT", said)
    return Found(
        "duplicate",
        "CLEAR",
        Words(
            "%(count)s of %(count)s claim keys searched over all documents and live claims of the "
            "platform: no other.",
            count=len(keys),
        ),
    )


def tax_status(ctx: Context, scheme: str, rows: Sequence[Row[Any]], financier_id: str) -> Found:
    """Say what the tax authority has said of each invoice; a request on a bad word never came."""
    known = standings(ctx.conn, rows, scheme, financier_id)
    said = [
        f"{one.number}: {one.word.reference or one.word.answer}"
        for one in known.values()
        if one.word is not None
    ]
    return Found(
        "tax_status",
        "CLEAR" if len(said) == len(rows) else "HIT",
        Words("The tax authority has called these valid (%(scheme)s): %(said)s.",
              scheme=scheme, said=said),
    )  # fmt: skip


def platform_answers(
    ctx: Context,
    terms: Terms,
    rows: Sequence[Row[Any]],
    signature: str | None,
    financier_id: str,
) -> list[Found]:
    """Give what the platform finds for the checks that the programme lets it answer."""
    required = {*terms.checks_before_decision, *terms.checks_before_payout}
    may = [kind for kind in terms.platform_checks if kind in required]
    found = [duplicates(ctx, rows, financier_id)] if "duplicate" in may else []
    if "tax_status" in may and terms.tax_scheme is not None:
        found.append(tax_status(ctx, terms.tax_scheme, rows, financier_id))
    if "e_signature" in may and signature is not None:
        found.append(Found("e_signature", "CLEAR", signature))
    return found


# --- Steps that checks open -------------------------------------------------------------------


def terms_of(ctx: Context, row: Row[Any]) -> Terms:
    """Give the terms under which a request was made."""
    first = advances.of_request(ctx.conn, row.id)[0]
    return terms_of_version(ctx.conn, first.programme_version_id)


def missing(ctx: Context, row: Row[Any], terms: Terms) -> list[str]:
    """Give the required checks that the next step still waits for."""
    required = (
        terms.checks_before_payout if row.state == "APPROVED" else terms.checks_before_decision
    )
    return guards.missing_checks(ctx.conn, row.id, required)


def take_steps(ctx: Context, row: Row[Any], kind: str, terms: Terms) -> None:
    """Let the advances take the step that a clear check opens.

    Raises
    ------
    Conflict
        CHECK_STATE when everything is with the bank already.
    RuleViolation
        CHECK_ORDER when an earlier check is missing.
    """
    rows = [one for one in lock_advances(ctx, row) if one.state in BEFORE_INSTRUCTED]
    today = business_date(ctx.conn, row.financier_id)
    if not rows:
        raise Conflict("CHECK_STATE", "Every advance of this request is with the bank already.")
    if kind not in STEP_OF_CHECK:
        if not guards.missing_checks(ctx.conn, row.id, terms.checks_before_decision):
            held = [one for one in rows if one.state == "HELD"]
            advances.transition_many(
                ctx, held, "precheck", today, {"checks": list(terms.checks_before_decision)}
            )
        return
    for earlier in CHECKS_BEFORE_PAYOUT[: CHECKS_BEFORE_PAYOUT.index(kind)]:
        rows = _pass_or_stop(ctx, rows, earlier, terms)
    event = STEP_OF_CHECK[kind]
    rows = advances.transition_many(ctx, rows, event, today, {"check": kind})
    pass_the_rest(ctx, rows, terms, after=kind)


def _pass_or_stop(
    ctx: Context, rows: Sequence[Row[Any]], kind: str, terms: Terms
) -> list[Row[Any]]:
    """Pass a step that the programme does not require, in so many words; stop at one it does."""
    waiting = [one for one in rows if one.state == _STATE_BEFORE[kind]]
    facts: dict[str, Any] = {"check": kind}
    if kind not in terms.checks_before_payout:
        facts["not_required"] = True
    elif waiting and not _is_on_record(ctx, waiting, kind):
        raise RuleViolation(
            "CHECK_ORDER", "Record the %(kind)s check first.", missing=[kind], kind=kind
        )
    today = business_date(ctx.conn, rows[0].financier_id)
    passed = advances.transition_many(ctx, waiting, STEP_OF_CHECK[kind], today, facts)
    moved = {one.id: one for one in passed}
    return [moved.get(one.id, one) for one in rows]


def _is_on_record(ctx: Context, rows: Sequence[Row[Any]], kind: str) -> bool:
    """Tell whether a step's check was recorded before the step could be taken."""
    return kind != _OF_ITS_DAY and kind in guards.clear_checks(ctx.conn, rows[0].request_id)


def pass_the_rest(
    ctx: Context, rows: Sequence[Row[Any]], terms: Terms, after: str | None = None
) -> None:
    """Take the following steps as long as each is not required or its check is on record."""
    start = CHECKS_BEFORE_PAYOUT.index(after) + 1 if after is not None else 0
    for later in CHECKS_BEFORE_PAYOUT[start:]:
        if later in terms.checks_before_payout and not _is_on_record(ctx, rows, later):
            return
        rows = _pass_or_stop(ctx, rows, later, terms)


def lock_advances(ctx: Context, row: Row[Any]) -> list[Row[Any]]:
    """Lock the advances of a request that are still part of it, with all they hang on."""
    ids = [one.id for one in advances.of_request(ctx.conn, row.id)]
    locked = advances.lock(ctx, ids)
    return [locked[one] for one in ids if locked[one].state != "CANCELLED"]
