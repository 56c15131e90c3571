"""From the results of seeds to figures, intervals and whether the declared goals are met.

A goal is open until every declared seed has a result: what is there is shown, with the number of
seeds it stands on, and nothing is concluded from a part.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from scoring.evaluation.contrast import Contrast
from scoring.evaluation.settings import ChainSettings, TableSettings
from scoring.evaluation.tables import Split
from scoring.metrics import holm, is_nothing, over_seeds
from scoring.odds import Floats

PLACEBOS: Final = ("control", "shockctl")
STRESSED: Final = ("high", "shock")
COVERED_OF_20: Final = 19
FLOOR: Final = 0.0005  # the least one-year probability that a price may stand on
_DRAWS: Final = 2_000
_LEAST_SEEDS: Final = 2

Figures = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Goal:
    """One declared goal and what was found.

    Parameters
    ----------
    name, asks : str
        What is measured, and what was declared of it.
    found : float or None
        The figure, None where nothing was run.
    low, high : float or None
        Its 95 % interval, where it has one.
    seeds, declared : int
        How many it stands on, and how many were declared.
    met : bool or None
        None while seeds are missing.
    """

    name: str
    asks: str
    found: float | None
    low: float | None
    high: float | None
    seeds: int
    declared: int
    met: bool | None


def _goal(name: str, asks: str, figures: Figures | None, declared: int, *, is_met: bool) -> Goal:
    told = figures or {"mean": None, "low": None, "high": None, "seeds": 0}
    verdict = is_met if told["seeds"] >= declared else None
    ends = told["low"], told["high"]
    return Goal(name, asks, told["mean"], *ends, told["seeds"], declared, verdict)


def over(values: Sequence[float]) -> Figures | None:
    """Return mean, deviation and interval over seeds; None for fewer than two that have a figure.

    Examples
    --------
    >>> over([0.1, 0.2, 0.3])["seeds"], over([0.1])
    (3, None)
    """
    told = np.array([value for value in values if math.isfinite(value)])
    return dataclasses.asdict(over_seeds(told)) if len(told) >= _LEAST_SEEDS else None


def total_ratio(realised: Floats, priced: Floats) -> Figures | None:
    """Return realised over priced in total, with the interval of a ratio whose unit is the seed.

    Notes
    -----
    W. G. Cochran, "Sampling Techniques", 3rd ed. 1977, 6.4, with Student's t.

    Examples
    --------
    >>> found = total_ratio(np.array([9.0, 11.0]), np.array([10.0, 10.0]))
    >>> found["mean"], round(found["low"], 3)
    (1.0, -0.271)
    """
    from scipy.stats import t

    n = len(realised)
    if n < _LEAST_SEEDS or not priced.sum() > 0:
        return None
    ratio = float(realised.sum() / priced.sum())
    rest = realised - ratio * priced
    error = math.sqrt(n / (n - 1) * float((rest**2).sum())) / float(priced.sum())
    half = float(t.ppf(0.975, n - 1)) * error
    return {"mean": ratio, "low": ratio - half, "high": ratio + half, "seeds": n}


def decile_band(failures: Floats, priced: Floats, *, seed: int = 0) -> Figures | None:
    """Return realised over priced of each tenth, with a band that holds for all ten at once.

    Parameters
    ----------
    failures, priced : ndarray of float64, shape (s, 10)
        Of each seed and tenth, the least risky tenth first.
    seed : int
        Of the draws.

    Returns
    -------
    dict
        ``ratio``, ``low``, ``high``: ten figures each; None for fewer than two seeds.

    Notes
    -----
    Whole seeds are drawn with replacement; the band is as wide as 95 % of the draws' largest
    studentised deviation asks for (max-t). J. L. Romano, M. Wolf, Econometrica 73, 2005.
    """
    n = len(failures)
    if n < _LEAST_SEEDS:
        return None
    ratio = failures.sum(axis=0) / priced.sum(axis=0)
    some = np.random.default_rng(seed).integers(0, n, (_DRAWS, n))
    drawn = failures[some].sum(axis=1) / priced[some].sum(axis=1)
    sd = np.maximum(drawn.std(axis=0, ddof=1), 1e-12)
    wide = float(np.quantile(np.abs((drawn - ratio) / sd).max(axis=1), 0.95))
    return {
        "ratio": ratio.tolist(),
        "low": (ratio - wide * sd).tolist(),
        "high": (ratio + wide * sd).tolist(),
        "failures": failures.sum(axis=0).tolist(),
        "priced": priced.sum(axis=0).tolist(),
        "seeds": n,
    }


# --- Simulated chains -----------------------------------------------------------------------------


def regime_summary(results: Sequence[Contrast]) -> Figures:
    """Return the figures of each seed of a regime, and over them."""
    each = {str(result.seed): result.figures() for result in results}
    names = list(dict.fromkeys(name for figures in each.values() for name in figures))
    groups: dict[str, dict[str, float]] = {}
    for result in results:
        for name, told in result.groups().items():
            at = groups.setdefault(name, dict.fromkeys(told, 0.0))
            for key, value in told.items():
                at[key] += value
    sums = {
        key: np.array([figures[key] for figures in each.values()])
        for key in ("failures", "priced", "oracle_total")
    }
    floored = [1.0 - (1.0 - result.having) ** 2 < FLOOR for result in results]
    return {
        "seeds": [result.seed for result in results],
        "figures": each,
        "over_seeds": {
            name: over([figures[name] for figures in each.values() if name in figures])
            for name in names
        },
        "realised_over_priced": total_ratio(sums["failures"], sums["priced"]),
        "realised_over_oracle": total_ratio(sums["failures"], sums["oracle_total"]),
        "deciles": _tenths_of_chains(results),
        "groups": groups,
        "below_floor_share": float(np.concatenate(floored).mean()) if floored else None,
    }


def _tenths_of_chains(results: Sequence[Contrast]) -> Figures | None:
    tenths = [result.deciles() for result in results]
    band = decile_band(
        np.array([tenth["failures"] for tenth in tenths]),
        np.array([tenth["priced"] for tenth in tenths]),
    )
    if band is not None:
        foretold = np.zeros(10)
        for result in results:
            parts = np.array_split(np.argsort(result.having, kind="stable"), 10)
            foretold += [result.oracle[part].sum() for part in parts]
        band["oracle"] = foretold.tolist()
    return band


def more_seeds_due(settings: ChainSettings, regime: str, summary: Mapping[str, Any]) -> bool:
    """Say whether the rule fixed beforehand asks for more seeds of a placebo."""
    told = [summary["over_seeds"].get(name) for name in ("share", "auc_gain")]
    return (
        regime in PLACEBOS
        and set(settings.seeds) <= set(summary["seeds"])
        and any(figure and figure["sd"] > settings.more_seeds_above_sd for figure in told)
    )


def chain_goals(settings: ChainSettings, regimes: Mapping[str, Mapping[str, Any]]) -> list[Goal]:
    """Return the declared goals on simulated chains; secondary ones keep their family's level."""
    goals = settings.goals
    found: list[Goal] = []
    declared = len(settings.seeds)

    def values(regime: str, name: str) -> Floats:
        told = regimes.get(regime, {}).get("figures", {}).values()
        return np.array([figures[name] for figures in told if name in figures])

    def add(name: str, asks: str, figures: Figures | None, met: bool, of: int = declared) -> None:  # noqa: FBT001
        found.append(_goal(name, asks, figures, of, is_met=met))

    family = _family(values("high", "share"), values("main", "auc_gain"), goals)
    for regime in ("main", "high"):
        share, least = over(values(regime, "share").tolist()), goals[f"{regime}_share_mean"]
        bound = goals[f"{regime}_share_lower"]
        met = bool(share and share["mean"] >= least and share["low"] > bound)
        rank = "primary" if regime == "main" else "secondary, Holm"
        asks = f"mean ≥ {least} and lower bound > {bound:g} ({rank})"
        add(f"{regime}: share of the gap", asks, share, met and (regime == "main" or family[0]))
    gain, bound = over(values("main", "auc_gain").tolist()), goals["main_auc_gain_lower"]
    met = bool(gain and gain["low"] > bound) and family[1]
    add("main: AUC gain", f"lower bound > {bound} (secondary, Holm)", gain, met)
    for regime, suffix in (("control", ""), ("shockctl", ""), ("main", "_shuffled")):
        more = bool(regimes.get(regime)) and more_seeds_due(settings, regime, regimes[regime])
        of = declared + len(settings.more_seeds) * more
        label = "main, edges permuted" if suffix else regime
        for name, text, key in (
            ("share", "share of the gap", "placebo_share_within"),
            ("auc_gain", "AUC gain", "placebo_auc_gain_within"),
        ):
            told = values(regime, name + suffix)
            within = over(told.tolist())
            met = within is not None and is_nothing(told, goals[key])
            asks = f"shown to lie within ±{goals[key]} (placebo, two one-sided tests)"
            add(f"{label}: {text}", asks, within, met, of)
    ratio = regimes.get("main", {}).get("realised_over_priced")
    low, high = (goals[f"main_realised_over_priced_{end}"] for end in ("from", "to"))
    met = bool(ratio and low <= ratio["mean"] <= high)
    add("main: realised over priced", f"{low} to {high} in total", ratio, met)
    tenths = regimes.get("main", {}).get("deciles")
    bottom = tenths and {
        "mean": tenths["ratio"][0],
        "low": tenths["low"][0],
        "high": tenths["high"][0],
        "seeds": tenths["seeds"],
    }
    most = goals["bottom_decile_ratio"]
    met = bool(bottom and bottom["mean"] <= most)
    add("main: realised over priced, lowest tenth", f"≤ {most}", bottom, met)
    for regime in STRESSED:
        came, told = values(regime, "failures"), values(regime, "stressed_total")
        covered = int((came <= told).sum())
        counted: Figures = {"mean": covered, "low": None, "high": None, "seeds": len(told)}
        asks = f"failures ≤ priced at the 99 % stress in ≥ {COVERED_OF_20} of {declared} seeds"
        met = covered >= COVERED_OF_20
        add(f"{regime}: stress covers", asks, counted if len(told) else None, met)
    doubled = [
        figures["share_oracle_twice"] - figures["share"]
        for figures in regimes.get("main", {}).get("figures", {}).values()
        if "share_oracle_twice" in figures
    ]
    most = goals["oracle_doubling_moves_share_by"]
    moved = max((abs(value) for value in doubled), default=math.nan)
    worst: Figures = {"mean": moved, "low": None, "high": None, "seeds": len(doubled)}
    asks = f"twice the runs move the share by < {most}"
    of = len(settings.oracle_doubled)
    add("main: the oracle has settled", asks, worst if doubled else None, moved < most, of)
    return found


def _family(share: Floats, gain: Floats, goals: Mapping[str, float]) -> tuple[bool, bool]:
    """Say which of the two secondary hypotheses hold while the family keeps its level."""
    from scipy.stats import t

    p_values = []
    for told, bound in ((share, goals["high_share_lower"]), (gain, goals["main_auc_gain_lower"])):
        if len(told) < _LEAST_SEEDS or not np.isfinite(told).all():
            p_values.append(1.0)
            continue
        error = float(told.std(ddof=1)) / math.sqrt(len(told))
        p_values.append(2 * float(t.sf((float(told.mean()) - bound) / error, len(told) - 1)))
    first, second = holm((p_values[0], p_values[1]))
    return first, second


# --- A table --------------------------------------------------------------------------------------


def table_summary(results: Sequence[Split]) -> Figures:
    """Return the figures of each model and split, and over the splits."""
    models: dict[str, Figures] = {}
    for model in ("told", "raw", "scorecard", "peer"):
        each = {}
        for split in results:
            told = getattr(split, model)
            if len(told):
                each[str(split.seed)] = split.figures(told)
        if each:
            names = next(iter(each.values()))
            models[model] = {
                "figures": each,
                "over_seeds": {
                    name: over([figures[name] for figures in each.values()]) for name in names
                },
            }
    for split in results:
        low, high = split.interval(split.told)
        models["told"]["figures"][str(split.seed)] |= {"auc_low": low, "auc_high": high}
    return {
        "seeds": [split.seed for split in results],
        "rows": len(results[0].fails) if results else None,
        "failures": int(results[0].fails.sum()) if results else None,
        "models": models,
        "behind_peer": over(
            [
                split.fold_auc(split.told) - split.fold_auc(split.peer)
                for split in results
                if len(split.peer)
            ]
        ),
        "tenths": {model: _tenths(results, model) for model in ("told", "raw") if results},
    }


def _tenths(results: Sequence[Split], model: str) -> Figures:
    sums = np.zeros((2, 10))
    for split in results:
        told = getattr(split, model)
        for at, part in enumerate(np.array_split(np.argsort(told, kind="stable"), 10)):
            sums[:, at] += split.fails[part].sum(), told[part].sum()
    return {"failures": sums[0].tolist(), "priced": sums[1].tolist()}


def table_goals(settings: TableSettings, summary: Mapping[str, Any]) -> list[Goal]:
    """Return the declared goals on a table."""
    goals, declared = settings.goals, len(settings.seeds)
    model = summary["models"].get("told", {"over_seeds": {}, "figures": {}})
    found: list[Goal] = []

    def add(name: str, asks: str, figures: Figures | None, met: bool) -> None:  # noqa: FBT001
        found.append(_goal(name, asks, figures, declared, is_met=met))

    def mean(name: str) -> Figures | None:
        told: Figures | None = model["over_seeds"].get(name)
        return told

    fold, least = mean("fold_auc"), goals["fold_auc_mean"]
    add("AUC, mean of folds", f"≥ {least}", fold, bool(fold and fold["mean"] >= least))
    lows = [figures["auc_low"] for figures in model["figures"].values()]
    lowest = {"mean": min(lows), "low": None, "high": None, "seeds": len(lows)} if lows else None
    least = goals["auc_lower"]
    asks = f"≥ {least} in every split"
    add("AUC, lower 95 % bound", asks, lowest, bool(lowest and lowest["mean"] >= least))
    squared, most = mean("brier"), goals["brier"]
    add("Brier score", f"≤ {most}", squared, bool(squared and squared["mean"] <= most))
    for name, text, key in (
        ("slope", "calibration slope", "slope"),
        ("realised_over_predicted", "realised over predicted", "realised_over_predicted"),
    ):
        told, low, high = mean(name), goals[f"{key}_from"], goals[f"{key}_to"]
        met = bool(told and low <= told["mean"] <= high)
        add(text, f"{low} to {high}", told, met)
    behind, most = summary["behind_peer"], goals["auc_within_of_lightgbm"]
    met = bool(behind and behind["mean"] >= -most)
    add("AUC less LightGBM's, same folds", f"≥ -{most}", behind, met)
    return found
