"""How often the verdicts on made-up entries were right, and what went to a person."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scf.settlement.reconcile import Proposal, Verdict
from tests.settlement.reconcile.payers import Made


@dataclass(frozen=True)
class Counted:
    """Entries by what became of them.

    ``right`` counts decidable entries whose first proposal is the truth to the cent, and money
    for nothing that is open here where it was not posted; ``wrong`` what was posted wrongly.
    """

    entries: int
    decidable: int
    right: int
    wrong: int
    certain: int
    reviewed: int
    unmatched: int
    among: int
    by_confidence: dict[str, tuple[int, float]]

    @property
    def right_share(self) -> float:
        """The right ones among what is decidable."""
        return self.right / self.decidable


def count(made: Made, verdicts: Sequence[Verdict]) -> Counted:
    """Hold verdicts against the truth."""
    right = wrong = among = 0
    grades: dict[int, Counter[bool]] = {}
    for verdict, truth in zip(verdicts, made.truth, strict=True):
        want = tuple(sorted(truth.pays))
        best = verdict.best
        fits = best is not None and _pays(best) == want
        is_right = fits if want else not verdict.certain
        right += is_right and truth.decidable
        wrong += verdict.certain and not is_right
        among += truth.decidable and any(_pays(one) == want for one in verdict.proposals)
        if best is not None:
            grades.setdefault(best.confidence_ppm, Counter())[fits] += 1
    return Counted(
        entries=len(verdicts),
        decidable=sum(truth.decidable for truth in made.truth),
        right=right,
        wrong=wrong,
        certain=sum(one.certain for one in verdicts),
        reviewed=sum(not one.certain and one.best is not None for one in verdicts),
        unmatched=sum(one.best is None for one in verdicts),
        among=among,
        by_confidence={
            str(grade): (counts.total(), round(counts[True] / counts.total(), 4))
            for grade, counts in sorted(grades.items(), reverse=True)
        },
    )


def _pays(proposal: Proposal) -> tuple[tuple[int, int], ...]:
    return tuple(sorted((one.item, one.amount) for one in proposal.pays))
