"""What a model says of a firm, as it is stored: its curves, why, or why not; plain values."""

import dataclasses
from typing import Final

from scoring.term import TermStructure

# Why a person decides and the expert's card prices; what stands behind a colon is the input.
NO_ANSWER: Final = "MODEL_NO_ANSWER"
UNSEEN: Final = "MODEL_UNSEEN"
UNUSUAL: Final = "MODEL_UNUSUAL"
UNREAD: Final = "MODEL_UNREAD"
LATELY: Final = "MODEL_LATELY"


@dataclasses.dataclass(frozen=True, slots=True)
class Why:
    """What one input did to the one-year probability against the middle of the training rows.

    Parameters
    ----------
    name : str
        Of the feature.
    value : float or None
        Of the firm; None where nothing was known.
    points : int
        A hundredth of a logit each; above 0 it raised the risk.
    chain : bool
        It tells of others, not of the firm.
    """

    name: str
    value: float | None
    points: int
    chain: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Opinion:
    """What a model says of one firm.

    Parameters
    ----------
    term : TermStructure or None
        None where it has no answer.
    refer : tuple of str
        Why nothing may be priced by it; empty where nothing speaks against that.
    features_digest : str
        Of what it looked at.
    why : tuple of Why
        The strongest first.
    """

    term: TermStructure | None
    refer: tuple[str, ...]
    features_digest: str
    why: tuple[Why, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether a price may rest on it."""
        return self.term is not None and not self.refer


def silent(reason: str) -> Opinion:
    """Return the opinion of a model that was not asked or could not be."""
    return Opinion(None, (reason,), "")
