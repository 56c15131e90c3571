"""Deciding without a person: within policy at once, else to an officer with the reason why not.

The verdict is taken inside the command that submits, on what is locked there, and its lines are
stored with the request: the officer reads the same ones. No single line may be missing: what is
not known (no model, no graph, a check that nobody answered) is a reason to ask a person.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Table, func, insert, select

from scf.chain.rings import Ring, rings_through
from scf.db.runner import Context
from scf.documents.models import Invoice
from scf.financing import requests
from scf.financing.authority import POLICY
from scf.financing.checks import Found
from scf.financing.models import FinancingRequest, RequestReview
from scf.financing.signing import signed
from scf.financing.taxwatch.standstill import standing_against
from scf.kernel.ids import digest, new_id
from scf.kernel.money import format_minor
from scf.kernel.rates import PPM
from scf.parties.service import business_date, firm_names
from scf.programmes.registry.asking import is_member, not_free
from scf.programmes.terms import Terms
from scf.risk.champions import stopped
from scf.risk.groups import groups_of
from scf.risk.models import PriceAssessment

_REQUEST: Final[Table] = FinancingRequest.__table__  # type: ignore[attr-defined]
_ASSESSED: Final[Table] = PriceAssessment.__table__  # type: ignore[attr-defined]
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_REVIEW: Final[Table] = RequestReview.__table__  # type: ignore[attr-defined]
UNFINISHED: Final = "search not finished"
# What ended before any money moved counts for nothing.
_CAME_TO_NOTHING: Final = ("DECLINED", "WITHDRAWN", "EXPIRED", "LAPSED")


class Line(NamedTuple):
    """One criterion of the policy, with what was found."""

    code: str
    passed: bool
    measured: str
    needed: str


class Verdict(NamedTuple):
    """What the policy says of a request, and by which version of it."""

    lines: tuple[Line, ...]
    version: str

    @property
    def approves(self) -> bool:
        """Whether the request is decided without a person."""
        return all(line.passed for line in self.lines)

    def as_json(self) -> list[dict[str, Any]]:
        """Give the lines as they are stored and shown."""
        return [line._asdict() for line in self.lines]


def judge(
    ctx: Context, terms: Terms, quote: Row[Any], lines: Sequence[Row[Any]], found: Sequence[Found]
) -> Verdict:
    """Judge a request whose limits are held and whose quote was taken a moment ago."""
    already = _approved_today(ctx, quote) if quote.route == "auto" else 0
    return Verdict(
        (
            *_price(ctx, terms, quote, lines),
            _route(quote),
            _band(terms, quote, already),
            *_checks(terms, found),
            *_registry(ctx, quote, lines),
            *_tax_alert(ctx, quote),
            *_groups(ctx, quote, lines),
            # The command holds every limit before it comes here, or refuses.
            Line("LIMITS", passed=True, measured="held at every node", needed="headroom"),
        ),
        policy_version(quote, lines),
    )


def policy_version(quote: Row[Any], lines: Sequence[Row[Any]]) -> str:
    """Name what the policy decided by: the terms, and the assessments behind the price."""
    return digest([quote.programme_version_id, *sorted(str(line.assessment_id) for line in lines)])


def _price(
    ctx: Context, terms: Terms, quote: Row[Any], lines: Sequence[Row[Any]]
) -> Iterable[Line]:
    """A risk price stands on a stored assessment of every line, of the very business date."""
    if terms.price_mode == "contract":
        return
    found = ctx.conn.execute(
        select(_ASSESSED.c.as_of_on, _ASSESSED.c.route_reasons, _ASSESSED.c.model_id).where(
            _ASSESSED.c.quote_line_id.in_([line.id for line in lines])
        )
    ).all()
    today = business_date(ctx.conn, quote.financier_id)
    known = quote.grade is not None and len(found) == len(lines)
    fresh = all(one.as_of_on == today for one in found)
    oldest = min((one.as_of_on for one in found), default=None)
    yield Line("MODEL", known, quote.grade or "none", "an assessment of every invoice")
    if models := {one.model_id for one in found if one.model_id is not None}:
        over = stopped(ctx, models)
        yield Line("MODEL_STANDS", not over, "stopped" if over else "in use", "not stopped since")
    if quote.model_kind == "simulated":
        # It prices in a demo world and is labelled so; that nobody looks is not part of the demo.
        yield Line("MODEL_SIMULATED", passed=False, measured="simulated", needed="real firms")
    yield Line("MODEL_DATE", fresh, str(oldest or ""), today.isoformat())
    if quote.route == "auto":
        return
    for code in dict.fromkeys(code for one in found for code in one.route_reasons):
        yield Line(str(code), passed=False, measured="", needed="nothing to look at")


def _route(quote: Row[Any]) -> Line:
    return Line("ROUTE", quote.route == "auto", quote.route or "none", "auto")


def _band(terms: Terms, quote: Row[Any], already: int) -> Line:
    """Amounts of one seller and day count together: a large one is not passed in slices."""
    total = quote.face_minor + already
    band = terms.band_for(quote.currency, total)
    measured = f"{format_minor(total, quote.currency)} {quote.currency}"
    return Line("BAND", band.auto, measured, "an amount that the policy may decide on")


def _approved_today(ctx: Context, quote: Row[Any]) -> int:
    on = business_date(ctx.conn, quote.financier_id)
    total = ctx.conn.execute(
        select(func.coalesce(func.sum(_REQUEST.c.face_minor), 0)).where(
            _REQUEST.c.seller_id == quote.seller_id,
            _REQUEST.c.programme_id == quote.programme_id,
            _REQUEST.c.currency == quote.currency,
            _REQUEST.c.submitted_on == on,
            _REQUEST.c.decided_by == "policy",
            _REQUEST.c.state.not_in(_CAME_TO_NOTHING),
        )
    ).scalar_one()
    return int(total)


def _checks(terms: Terms, found: Sequence[Found]) -> Iterable[Line]:
    results = {one.kind: one.result for one in found}
    for kind in terms.checks_before_decision:
        if kind not in terms.platform_checks:
            yield Line(f"CHECK_{kind.upper()}", passed=False, measured="", needed="an officer")
        else:
            result = results.get(kind, "")
            yield Line(f"CHECK_{kind.upper()}", result == "CLEAR", result, "CLEAR")


def _registry(ctx: Context, quote: Row[Any], lines: Sequence[Row[Any]]) -> Iterable[Line]:
    """Let a member of a duplicate registry decide alone only on what the registry shows as free."""
    if is_member(ctx.conn, quote.financier_id):
        left = not_free(ctx.conn, quote.financier_id, [one.invoice_id for one in lines], ctx.now)
        worst = next(iter(sorted(left.values())), "FREE")
        yield Line("REGISTRY", not left, worst, "FREE")


def _tax_alert(ctx: Context, quote: Row[Any]) -> Iterable[Line]:
    """Let a person look while an invoice of the seller, financed here, is void or otherwise."""
    alert = standing_against(ctx.conn, quote.financier_id, [quote.seller_id])
    if alert is not None:
        yield Line("TAX_ALERT", passed=False, measured=alert.kind, needed="no open alert")


def _groups(ctx: Context, quote: Row[Any], lines: Sequence[Row[Any]]) -> Iterable[Line]:
    """Let a person look at claims inside one ownership group, and at goods that come back.

    A claim of a firm on its own group is worth what the group is worth, whoever owes it.
    """
    groups = groups_of(ctx.conn, quote.financier_id)
    rows = ctx.conn.execute(
        select(_INVOICE).where(_INVOICE.c.id.in_([line.invoice_id for line in lines]))
    ).all()
    inside = [
        one for one in rows
        if one.seller_id in groups and groups[one.seller_id] == groups.get(one.buyer_id)
    ]  # fmt: skip
    if inside:
        names = firm_names(ctx.conn, {inside[0].seller_id, inside[0].buyer_id})
        told = " / ".join(sorted(names.values()))
        yield Line("OWN_GROUP", passed=False, measured=told, needed="two groups")
    found = rings_through(ctx.conn, rows, groups)
    if not found.rings:
        yield Line("RING", found.finished, "" if found.finished else UNFINISHED, "no ring")
        return
    around = _told(ctx, found.rings[0])
    yield Line("RING", passed=False, measured=around, needed="no ring")


def _told(ctx: Context, ring: Ring) -> str:
    """Name the firms around a ring; firms of one group at one place stand side by side."""
    names = firm_names(ctx.conn, {*ring.firm_ids, *ring.buyer_ids})
    places = []
    for buyer, seller in zip((ring.buyer_ids[-1], *ring.buyer_ids), ring.firm_ids, strict=False):
        both = dict.fromkeys((names.get(buyer, buyer), names.get(seller, seller)))
        places.append(" / ".join(both))
    return " → ".join((*places, places[0]))


# --- What follows -----------------------------------------------------------------------------


def put_on_record(
    ctx: Context,
    row: Row[Any],
    lines: Sequence[Row[Any]],
    verdict: Verdict,
    terms: Terms,
) -> None:
    """Store the policy's word like a person's, and draw some of them for a later look."""
    requests.record_decision(
        ctx,
        row,
        step=1,
        outcome="APPROVE",
        signed_digest=signed(ctx.conn, row, lines, row.version),
        seen={"reasons": verdict.as_json()},
        user_id=POLICY,
        policy_version=verdict.version,
    )
    if is_drawn(row.id, verdict.version, terms.sample_ppm):
        review_id = new_id()
        ctx.conn.execute(
            insert(_REVIEW),
            {
                "id": review_id,
                "request_id": row.id,
                "financier_id": row.financier_id,
                "state": "OPEN",
                "outcome": None,
                "code": None,
                "note": None,
                "user_id": None,
                "drawn_at": ctx.now,
                "reviewed_at": None,
            },
        )
        ctx.change("request_review", review_id, None, {"request_id": row.id})


def is_drawn(request_id: str, seed: str, share_ppm: int) -> bool:
    """Tell whether an automatic approval is looked at later.

    By its digest, so that anybody can check the draw and nobody can choose: the id is made when
    the request is submitted.
    """
    return int(digest([request_id, seed])[:15], 16) % PPM < share_ppm
