"""Arrears and provisions of a financier: stages, buckets, and the way from opening to closing.

The movement table is that of IFRS 7.35H: what was originated, what went from one stage to another,
what was measured anew, released or written off; each line sums to the difference of the two days.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select
from sqlmodel import Session, col

from scf.financing.lifecycle import OUT
from scf.financing.models import Advance
from scf.financing.reserve import carried_face
from scf.impairment.models import AllowanceMovement, ImpairmentProposal, LossAllowance
from scf.parties.models import Firm

STAGES: Final = (1, 2, 3)
# The first day past due of each bucket, and its name.
BUCKETS: Final = ((91, "over_90"), (61, "61_90"), (31, "31_60"), (1, "1_30"), (0, "not_due"))
LINES: Final = (
    "opening", "originated", "transferred", "remeasured", "released", "written_off", "closing",
)  # fmt: skip
_LINE_OF: Final = {
    "ORIGINATED": "originated",
    "REMEASURED": "remeasured",
    "AGREED": "remeasured",
    "TRANSFERRED": "remeasured",
    "CORRECTED": "remeasured",
    "ENDED": "released",
    "WRITTEN_OFF": "written_off",
}
MOST: Final = 200


@dataclass(slots=True)
class Sum:
    """Advances of one stage or bucket in one currency; amounts in its minor units."""

    name: str
    currency: str
    advances: int = 0
    exposure_minor: int = 0
    allowance_minor: int = 0

    @property
    def coverage_ppm(self) -> int:
        """What is set aside of each million that is carried."""
        return self.allowance_minor * 1_000_000 // self.exposure_minor if self.exposure_minor else 0


@dataclass(frozen=True, slots=True)
class Case:
    """One advance in stage 2 or 3."""

    advance_id: str
    invoice_id: str
    seller: str
    obligor: str
    stage: int
    reason: str
    since_on: dt.date
    days_past_due: int
    currency: str
    exposure_minor: int
    allowance_minor: int


@dataclass(frozen=True)
class Provisions:
    """All of it: by stage, by days past due, the movement by currency, the cases, what waits."""

    stages: tuple[Sum, ...]
    buckets: tuple[Sum, ...]
    movement: dict[str, dict[str, dict[int, int]]] = field(default_factory=dict)
    cases: tuple[Case, ...] = ()
    waiting: tuple[ImpairmentProposal, ...] = ()


def provisions(session: Session, first: dt.date, last: dt.date) -> Provisions:
    """Give arrears and provisions as they stand, and the movement over two days and all between.

    Only what the reader of the session may see.
    """
    rows = session.execute(
        select(LossAllowance, Advance)
        .join(Advance, col(Advance.id) == col(LossAllowance.id))
        .where(col(Advance.state).in_(OUT))
    ).all()
    stages: dict[tuple[str, str], Sum] = {}
    buckets: dict[tuple[str, str], Sum] = {}
    for stands, row in rows:
        late = max(0, (last - row.due_on).days) if carried_face(row) else 0
        bucket = next(name for days, name in BUCKETS if late >= days)
        for found, name in ((stages, str(stands.stage)), (buckets, bucket)):
            one = found.setdefault((row.currency, name), Sum(name, row.currency))
            one.advances += 1
            one.exposure_minor += stands.exposure_minor
            one.allowance_minor += stands.allowance_minor
    order = [name for _days, name in BUCKETS[::-1]]
    return Provisions(
        tuple(stages[key] for key in sorted(stages)),
        tuple(buckets[key] for key in sorted(buckets, key=lambda k: (k[0], order.index(k[1])))),
        movement(session, first, last),
        _cases(session, last),
        tuple(
            session.scalars(
                select(ImpairmentProposal)
                .where(col(ImpairmentProposal.state) == "PROPOSED")
                .order_by(col(ImpairmentProposal.id))
                .limit(MOST)
            )
        ),
    )


def movement(
    session: Session, first: dt.date, last: dt.date
) -> dict[str, dict[str, dict[int, int]]]:
    """Give by currency and line the amounts by stage; the lines of a stage sum to its closing."""
    found: dict[str, dict[str, dict[int, int]]] = {}
    rows = session.scalars(select(AllowanceMovement).where(col(AllowanceMovement.on_date) <= last))
    for row in rows:
        table = found.setdefault(row.currency, {line: dict.fromkeys(STAGES, 0) for line in LINES})
        _enter(table, row, earlier=row.on_date < first)
    return found


def _enter(table: dict[str, dict[int, int]], row: AllowanceMovement, *, earlier: bool) -> None:
    came, went = row.to_stage, row.from_stage or row.to_stage
    table["closing"][went] -= row.before_minor
    table["closing"][came] += row.after_minor
    if earlier:
        table["opening"][went] -= row.before_minor
        table["opening"][came] += row.after_minor
        return
    if went != came:
        table["transferred"][went] -= row.before_minor
        table["transferred"][came] += row.before_minor
    table[_LINE_OF[row.kind]][came] += row.after_minor - row.before_minor


def _cases(session: Session, today: dt.date) -> tuple[Case, ...]:
    rows = session.execute(
        select(LossAllowance, Advance)
        .join(Advance, col(Advance.id) == col(LossAllowance.id))
        .where(col(Advance.state).in_(OUT), col(LossAllowance.stage) > 1)
        .order_by(
            col(LossAllowance.stage).desc(),
            col(LossAllowance.allowance_minor).desc(),
            col(LossAllowance.id),
        )
        .limit(MOST)
    ).all()
    firms = {row.seller_id for _stands, row in rows} | {row.obligor_id for _stands, row in rows}
    names: dict[str, str] = dict(
        session.execute(
            select(col(Firm.id), col(Firm.name)).where(col(Firm.id).in_(sorted(firms)))
        ).all()
    )
    return tuple(
        Case(
            row.id,
            row.invoice_id,
            names.get(row.seller_id, row.seller_id),
            names.get(row.obligor_id, row.obligor_id),
            stands.stage,
            stands.reason,
            stands.since_on,
            max(0, (today - row.due_on).days),
            row.currency,
            stands.exposure_minor,
            stands.allowance_minor,
        )
        for stands, row in rows
    )


@dataclass(frozen=True)
class Provision:
    """What is set aside for one advance: where it stands, each movement, each proposal."""

    stands: LossAllowance | None
    movements: tuple[AllowanceMovement, ...]
    proposals: tuple[ImpairmentProposal, ...]

    @property
    def waiting(self) -> ImpairmentProposal | None:
        """The proposal that waits for a second person."""
        return next((one for one in self.proposals if one.state == "PROPOSED"), None)


def provision(session: Session, advance_id: str) -> Provision:
    """Give what is set aside for one advance, the newest movement first."""
    return Provision(
        session.get(LossAllowance, advance_id),
        tuple(
            session.scalars(
                select(AllowanceMovement)
                .where(col(AllowanceMovement.advance_id) == advance_id)
                .order_by(col(AllowanceMovement.number).desc())
                .limit(MOST)
            )
        ),
        tuple(
            session.scalars(
                select(ImpairmentProposal)
                .where(col(ImpairmentProposal.advance_id) == advance_id)
                .order_by(col(ImpairmentProposal.id).desc())
            )
        ),
    )
