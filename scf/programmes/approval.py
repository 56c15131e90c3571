"""Who decides on how much: the approval matrix of a programme, as data of its terms.

A band reaches up to an amount of the request's face and says how many people decide within it, in
which roles, and whether the policy may decide by itself. The last band has no end, so that every
amount has somebody. ``"four_eyes"`` is the short way to say: two people for every amount, and
never the policy.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from scf.db.types import Currency, OptMinor
from scf.kernel.actor import Role

Officer = Literal[Role.OFFICER_MAKER, Role.OFFICER_CHECKER, Role.HEAD_OFFICE]
MAKERS: Final[tuple[Officer, ...]] = (Role.OFFICER_MAKER,)
CHECKERS: Final[tuple[Officer, ...]] = (Role.OFFICER_CHECKER, Role.HEAD_OFFICE)


class Band(BaseModel):
    """Who decides on requests up to and including an amount.

    ``first`` may decide alone where one person is enough, else propose; ``second`` confirms what
    another person has proposed, also where something else than the amount asks for two.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    up_to_minor: OptMinor = None
    auto: bool = False
    people: Literal[1, 2] = 2
    first: tuple[Officer, ...] = Field(default=MAKERS, min_length=1)
    second: tuple[Officer, ...] = Field(default=CHECKERS, min_length=1)

    def reaches(self, face: int) -> bool:
        """Tell whether an amount lies within the band, whatever lies below it."""
        return self.up_to_minor is None or face <= self.up_to_minor


def _covers_every_amount_once(bands: tuple[Band, ...]) -> tuple[Band, ...]:
    ends = [band.up_to_minor for band in bands]
    if ends[-1] is not None:
        msg = "the last band of an approval matrix has no up_to: some amount would have nobody"
        raise ValueError(msg)
    below = [end for end in ends[:-1] if end is not None]
    if len(below) != len(ends) - 1 or below != sorted(set(below)):
        msg = "the bands of an approval matrix end at rising amounts, each named once"
        raise ValueError(msg)
    return bands


Bands = Annotated[
    tuple[Band, ...],
    Field(min_length=1, max_length=20),
    AfterValidator(_covers_every_amount_once),
]
Approval = Literal["four_eyes"] | dict[Currency, Bands]
FOUR_EYES: Final = Band()


def band_for(approval: Approval, currency: str, face: int) -> Band:
    """Give the band that an amount falls into."""
    if isinstance(approval, str):
        return FOUR_EYES
    return next(band for band in approval[currency] if band.reaches(face))


def without(approval: Approval, currencies: Sequence[str]) -> list[str]:
    """Give the currencies that a matrix forgets."""
    return [] if isinstance(approval, str) else sorted(set(currencies) - set(approval))


def bands_of_file(approval: object) -> list[tuple[str, dict[str, object]]]:
    """Give every band as the programme file writes it, with its currency."""
    if not isinstance(approval, dict):
        return []
    return [
        (currency, band)
        for currency, bands in approval.items()
        if isinstance(bands, list)
        for band in bands
        if isinstance(band, dict)
    ]
