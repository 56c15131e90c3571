"""What another margin would do to a case, before anybody saves it: price, money, return, people."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import Session, col

from scf.financing import authority
from scf.financing.models import FinancingRequest
from scf.financing.reprice import WorkedOut, worked_out
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import ScfError
from scf.programmes.terms import Terms
from scf.reporting.economics import Economics, figures_of
from scf.risk import remaking
from scf.risk.remaking import Remade

# Who proposes a price, and another person.
_NOBODY_ALONE: Final = 2


@dataclass(frozen=True, slots=True)
class Effect:
    """The price as it stands beside the one that would be. ``refusal``: why there is none.

    ``parts``: of the largest invoice, each component with its basis points before and after.
    ``people`` is how many say a word; ``roles`` whose the last one is.
    """

    shift_bp: int
    currency: str
    rate_before: str
    rate_after: str
    net_before_minor: int
    net_after_minor: int
    all_in_before_ppm: int
    all_in_after_ppm: int
    parts: tuple[tuple[str, int, int], ...]
    before: Economics
    after: Economics | None
    people: int
    roles: tuple[Role, ...]
    refusal: ScfError | None

    @property
    def more_minor(self) -> int:
        """What the seller would receive more; less than nothing is less."""
        return self.net_after_minor - self.net_before_minor


def effect(session: Session, who: Actor, request_id: str, shift_bp: int) -> Effect | None:
    """Work out what so much on the margin would do; nothing where the reader does not finance it.

    Raises
    ------
    RuleViolation
        PRICE_BY_CONTRACT.
    """
    row = session.execute(
        select(FinancingRequest).where(
            col(FinancingRequest.id) == request_id, col(FinancingRequest.financier_id) == who.org_id
        )
    ).scalar_one_or_none()
    if row is None:
        return None
    found = worked_out(session.connection(), row, shift_bp)
    return _told(row, found, shift_bp)


def _told(row: Any, found: WorkedOut, shift_bp: int) -> Effect:  # noqa: ANN401 - a record
    again, quote, terms = found
    refused = next((one.refusal for one in again.made if one.refusal is not None), None)
    largest = max(
        zip(again.advances, again.made, strict=True), key=lambda pair: pair[0].face_minor
    )[1]
    pairs = [(one, made.results) for one, made in zip(again.advances, again.made, strict=True)]
    whole = again.price
    band = terms.band_for(row.currency, row.face_minor)
    return Effect(
        shift_bp=shift_bp,
        currency=row.currency,
        rate_before=quote.rate_percent,
        rate_after=max(again.lines, key=lambda line: line.rate).rate_percent if whole else "",
        net_before_minor=row.net_minor,
        net_after_minor=whole.net_minor if whole else row.net_minor,
        all_in_before_ppm=row.all_in_ppm,
        all_in_after_ppm=whole.all_in_ppm if whole else row.all_in_ppm,
        parts=largest.parts,
        before=_figures([(one, now) for one, (now, _then) in pairs], terms, largest),
        after=_figures([(one, then) for one, (_now, then) in pairs], terms, largest)
        if whole
        else None,
        people=_NOBODY_ALONE,
        roles=band.first
        if band.people == 1 and row.route != authority.TWO_OFFICERS
        else band.second,
        refusal=remaking.refusal_of(refused) if refused else None,
    )


def _figures(made: list[tuple[Any, dict[str, Any]]], terms: Terms, line: Remade) -> Economics:
    return figures_of(made, terms.day_count.basis, line.row, line.hurdle)
