"""What an evaluation was declared to be before it ran."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from scoring.features.registry import NAMES
from scoring.simulate.regimes import REGIMES, TEST_WEEKS, TRAIN_WEEKS, VERSION, digest

if TYPE_CHECKING:
    from scoring.estimators import Blend


@dataclasses.dataclass(frozen=True, slots=True)
class Learner:
    """Settings of a model; the same for every seed."""

    trees: int
    leaves: int
    rate: float
    penalty: float
    boosting_weight: float
    random_state: int

    def blend(self, signs: tuple[int, ...] | None = None) -> "Blend":
        """Return the blend with these settings, not fitted."""
        from scoring.estimators import Blend

        return Blend(
            signs=signs,
            weight=self.boosting_weight,
            trees=self.trees,
            leaves=self.leaves,
            rate=self.rate,
            C=self.penalty,
            random_state=self.random_state,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class ChainSettings:
    """The evaluation on simulated chains.

    Parameters
    ----------
    firms : int
    seeds, oracle_doubled : tuple of int
        Chains; and those for which the oracle also runs twice as often.
    more_seeds : tuple of int
        Added when the deviation over seeds of a placebo is above `more_seeds_above_sd`.
    more_seeds_above_sd : float
    oracle_repeats : int
    regimes : dict of str to str
        Name and fingerprint; a chain drawn with anything else is no part of the evaluation.
    learner : Learner
    folds : int
        By firm, for the own probabilities that the chain's figures are worked out from.
    without : tuple of str
        Features of the model without the network; the one with it has all.
    goals : dict of str to float
    """

    firms: int
    seeds: tuple[int, ...]
    more_seeds: tuple[int, ...]
    more_seeds_above_sd: float
    oracle_repeats: int
    oracle_doubled: tuple[int, ...]
    regimes: dict[str, str]
    learner: Learner
    folds: int
    without: tuple[str, ...]
    goals: dict[str, float]

    @classmethod
    def from_mapping(cls, told: Mapping[str, Any]) -> Self:
        """Read the table ``chain`` of the declared settings.

        Raises
        ------
        ValueError
            The generator or its weeks are not the declared ones, or a feature is not declared.
        """
        if told["generator"] != VERSION:
            raise ValueError(f"declared for {told['generator']}; the generator is {VERSION}.")
        for name, weeks in (("train_weeks", TRAIN_WEEKS), ("test_weeks", TEST_WEEKS)):
            if tuple(told[name]) != weeks:
                raise ValueError(f"{name} are declared as {told[name]}, and are {list(weeks)}.")
        for name, declared in told["regimes"].items():
            if name not in REGIMES or digest(REGIMES[name]) != declared:
                raise ValueError(f"the parameters of regime {name} are not the declared ones.")
        for name in told["without"]:
            if name not in NAMES:
                raise ValueError(f"{name} is no declared feature.")
        return cls(
            firms=told["firms"],
            seeds=tuple(told["seeds"]),
            more_seeds=tuple(told["more_seeds"]),
            more_seeds_above_sd=told["more_seeds_above_sd"],
            oracle_repeats=told["oracle_repeats"],
            oracle_doubled=tuple(told["oracle_doubled"]),
            regimes=dict(told["regimes"]),
            learner=Learner(**told["learner"]),
            folds=told["folds"],
            without=tuple(told["without"]),
            goals=dict(told["goals"]),
        )


@dataclasses.dataclass(frozen=True, slots=True)
class TableSettings:
    """The evaluation of the estimator alone, on rows without dates or relations.

    Parameters
    ----------
    seeds : tuple of int
        Of the splits.
    folds, inner_folds : int
        Of a split, and of the calibration inside each training part.
    learner : Learner
    goals : dict of str to float
    """

    seeds: tuple[int, ...]
    folds: int
    inner_folds: int
    learner: Learner
    goals: dict[str, float]

    @classmethod
    def from_mapping(cls, told: Mapping[str, Any]) -> Self:
        """Read a table of the declared settings."""
        return cls(
            seeds=tuple(told["seeds"]),
            folds=told["folds"],
            inner_folds=told["inner_folds"],
            learner=Learner(**told["learner"]),
            goals=dict(told["goals"]),
        )
