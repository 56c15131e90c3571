"""Looking over a decision: a route or reason set aside, and automatic approvals looked at later."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Table, insert, select, update

from scf.db.runner import Context, command
from scf.db.types import Code, Count, Id
from scf.financing import authority, requests
from scf.financing.lifecycle import DECIDABLE
from scf.financing.models import RequestOverride, RequestReview
from scf.financing.reasons import OverrideCode, ReviewCode
from scf.kernel.actor import Role
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed
from scf.kernel.ids import new_id
from scf.offers.models import Quote

_OVERRIDE: Final[Table] = RequestOverride.__table__  # type: ignore[attr-defined]
_REVIEW: Final[Table] = RequestReview.__table__  # type: ignore[attr-defined]
_QUOTE: Final[Table] = Quote.__table__  # type: ignore[attr-defined]


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class OverrideRequest(_Input):
    """What is set aside, by which code, on the version that was read.

    ``value`` is the new route (officer or two_officers: nobody orders an automatic approval), or
    the code of the reason that shall not count.
    """

    request_id: Id
    version: Count
    what: Literal["route", "reason"]
    value: Code
    code: OverrideCode
    note: str = Field(min_length=3, max_length=4000)


class ReviewRequest(_Input):
    """What an officer thinks of an approval that the policy gave."""

    request_id: Id
    outcome: Literal["AGREE", "DISAGREE"]
    code: ReviewCode | None = None
    note: str = Field(min_length=3, max_length=4000)


@command("request.override", OverrideRequest)
def override_request(ctx: Context, data: OverrideRequest) -> dict[str, Any]:
    """A person sets the route or a reason aside, and stands for it with a code and a note.

    More eyes may be asked for by any officer; fewer only by the head office, and who lowered the
    route does not then decide alone. A first word that was spoken already is void.

    Raises
    ------
    NotAllowed
        AUTHORITY for a lower route by anybody but the head office; FOUR_EYES.
    Conflict
        STALE; DECISION_STATE when nothing is to be decided.
    InvalidInput
        OVERRIDE_VALUE for no route, the same route, or a reason that the case does not have.
    """
    row = requests.locked(ctx, data.request_id, side="financier")
    requests.same_version(row, data.version)
    authority.has_no_part(ctx.conn, ctx.actor, row)
    if row.state not in DECIDABLE:
        raise Conflict("DECISION_STATE", "The request is %(state)s.", state=row.state)
    before = _before(ctx, row, data)
    lowers = data.what == "route" and _eyes(data.value) < _eyes(before)
    if lowers and Role.HEAD_OFFICE not in authority.present_roles(ctx.conn, ctx.actor):
        raise NotAllowed("AUTHORITY", "Fewer eyes are for the head office to allow.")
    override_id = new_id()
    ctx.conn.execute(
        insert(_OVERRIDE),
        {
            "id": override_id,
            "request_id": row.id,
            "what": data.what,
            "before": before,
            "after": data.value if data.what == "route" else "SET_ASIDE",
            "code": data.code,
            "note": data.note,
            "user_id": ctx.actor.user_id,
            "at": ctx.now,
        },
    )
    ctx.change("request_override", override_id, {data.what: before}, {"code": data.code})
    requests.take_back_offers(ctx, row)
    columns: dict[str, Any] = {"round": row.round + 1}
    if data.what == "route":
        columns["route"] = data.value
    return requests.answer(requests.move(ctx, row, "review", columns), override_id=override_id)


def _before(ctx: Context, row: Row[Any], data: OverrideRequest) -> str:
    """Give what is set aside."""
    if data.what == "route":
        if data.value not in authority.ROUTES[1:] or data.value == row.route:
            raise InvalidInput(
                "OVERRIDE_VALUE", "Name another route than the present one.", route=row.route
            )
        return str(row.route)
    quoted = ctx.conn.execute(
        select(_QUOTE.c.reasons).where(_QUOTE.c.id == row.quote_id)
    ).scalar_one()
    known = {*(line["code"] for line in row.reasons), *map(str, quoted)}
    if data.value not in known:
        raise InvalidInput("OVERRIDE_VALUE", "The case has no such reason.", reasons=sorted(known))
    return data.value


def _eyes(route: str) -> int:
    """Count the people whom a route asks for; one that is not known asks for one."""
    return authority.ROUTES.index(route) if route in authority.ROUTES else 1


@command("request.review", ReviewRequest)
def review_request(ctx: Context, data: ReviewRequest) -> dict[str, Any]:
    """An officer has looked at an automatic approval that was drawn for it.

    Raises
    ------
    InvalidInput
        CODE_MISSING for a disagreement without one.
    Conflict
        REVIEW_STATE when it was not drawn, or has been looked at.
    """
    row = requests.locked(ctx, data.request_id, side="financier")
    authority.has_no_part(ctx.conn, ctx.actor, row)
    if data.outcome == "DISAGREE" and data.code is None:
        raise InvalidInput("CODE_MISSING", "Say with a code what was wrong.")
    done = ctx.conn.execute(
        update(_REVIEW)
        .where(_REVIEW.c.request_id == row.id, _REVIEW.c.state == "OPEN")
        .values(
            state="DONE",
            outcome=data.outcome,
            code=data.code,
            note=data.note,
            user_id=ctx.actor.user_id,
            reviewed_at=ctx.now,
        )
        .returning(_REVIEW.c.id)
    ).one_or_none()
    if done is None:
        raise Conflict("REVIEW_STATE", "No open review of this request.", request_id=row.id)
    ctx.change("request_review", done.id, {"state": "OPEN"}, {"outcome": data.outcome})
    return {
        "id": done.id,
        "request_id": row.id,
        "state": "DONE",
        "outcome": data.outcome,
        "code": data.code,
    }
