"""The page on accuracy, made from the results of an evaluation and from nothing else."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scoring.evaluation.pictures import Strip, strips, tenths

NOTES_BEGIN: Final = "<!-- notes: what stands between these marks is written by hand and kept -->"
NOTES_END: Final = "<!-- end of notes -->"
FOLDER: Final = "../pictures"

_MODELS: Final = {
    "told": "boosting, calibrated (judged)",
    "raw": "boosting, before calibration",
    "scorecard": "scorecard",
    "peer": "LightGBM, not calibrated",
}
_REGIMES: Final = {
    "main": "losses, lost demand and late payment spread (primary)",
    "high": "sales hang on fewer buyers, thinner buffers",
    "shock": "unforeseeable shocks dominate",
    "control": "as main, nothing spreads (placebo)",
    "shockctl": "as shock, nothing spreads (placebo)",
}

Results = Mapping[str, Any]


def notes_of(page: str) -> str:
    """Return what was written by hand in an earlier page; nothing for a new one.

    Examples
    --------
    >>> notes_of(f"a {NOTES_BEGIN} b {NOTES_END} c")
    'b'
    """
    _, begun, rest = page.partition(NOTES_BEGIN)
    notes, ended, _ = rest.partition(NOTES_END)
    return notes.strip() if begun and ended else ""


def page(results: Results, notes: str = "") -> str:
    """Return the page as Markdown.

    Parameters
    ----------
    results : mapping
        As `pictures` takes it: what the seeds said, with goals.
    notes : str
        Written by hand: causes and conclusions.
    """
    goals = [*results["polish"]["goals"], *results["chain"]["goals"]]
    met = sum(goal["met"] is True for goal in goals)
    missed = sum(goal["met"] is False for goal in goals)
    lines = [
        "# How accurate the trained model is",
        "",
        (
            f"Results of {results['version']}, declared in `config/risk_evaluation.toml` before "
            "the first run: seeds, settings, one primary metric, goals. This page is made by "
            "`scf risk accuracy` from [the results](accuracy.json); only the notes are by hand."
        ),
        "",
        (
            f"Of {len(goals)} declared goals {met} are met and {missed} are missed; all of their "
            "seeds were run."
            if met + missed == len(goals)
            else f"Of {len(goals)} declared goals {met} are met, {missed} are missed and "
            f"{len(goals) - met - missed} are open, because not all of their seeds were run. "
            "An open goal shows what its finished seeds say, and no conclusion is drawn from them."
        ),
        "",
        (
            "The simulated chains are invented. They show whether the method finds what is in "
            "them, never what a bank will lose; a model trained on them prices nothing but the "
            "demo world."
        ),
        "",
        "## Notes",
        "",
        NOTES_BEGIN,
        "",
        notes or "None yet.",
        "",
        NOTES_END,
        "",
        *_of_chain(results["chain"]),
        *_of_table(results["polish"]),
        *_again(results),
    ]
    return "\n".join(lines)


def pictures(results: Results) -> dict[str, str]:
    """Return the pictures of the page by name of file; what was not run has none."""
    found = {}
    regimes, chain_goals = results["chain"]["regimes"], results["chain"]["declared"]["goals"]
    for key, file, title, bound in (
        ("share", "accuracy-share.svg", "Share of the gap to the oracle that the network closes",
         "placebo_share_within"),
        ("auc_gain", "accuracy-auc-gain.svg", "AUC with the network less AUC without",
         "placebo_auc_gain_within"),
    ):  # fmt: skip
        lines = []
        for regime in _REGIMES:
            if regime not in regimes:
                continue
            for suffix, label in (("", regime), ("_shuffled", f"{regime}, permuted")):
                is_placebo = bool(suffix) or regime in ("control", "shockctl")
                edge = chain_goals[bound]
                wanted = (-edge, edge) if is_placebo else _wanted(chain_goals, regime, key)
                line = _strip(label, regimes[regime], key + suffix, wanted)
                lines += [line] if line.values else []
        if lines:
            found[file] = strips(title, lines, also=0.0)
    main = regimes.get("main", {}).get("deciles")
    if main:
        title = f"Realised over priced by tenth, main, {main['seeds']} seeds, band for all ten"
        found["accuracy-tenths.svg"] = tenths(title, main["ratio"], main["low"], main["high"])
    models = results["polish"]["models"]
    if models:
        goals = results["polish"]["declared"]["goals"]
        lines = []
        for model, label in _MODELS.items():
            if model in models and model != "raw":
                wanted = (goals["fold_auc_mean"], None) if model == "told" else None
                lines.append(_strip(label.split(",")[0], models[model], "fold_auc", wanted))
        found["accuracy-polish.svg"] = strips("Polish companies: mean AUC of ten folds", lines)
    return found


def _wanted(
    goals: Mapping[str, float], regime: str, key: str
) -> tuple[float | None, float | None] | None:
    name = {"share": f"{regime}_share_mean", "auc_gain": f"{regime}_auc_gain_lower"}[key]
    return (goals[name], None) if name in goals else None


def _strip(
    label: str,
    told: Results,
    key: str,
    wanted: tuple[float | None, float | None] | None = None,
) -> Strip:
    values = [figures[key] for figures in told["figures"].values() if figures.get(key) is not None]
    over = told["over_seeds"].get(key) or {"mean": None, "low": None, "high": None}
    return Strip(label, values, over["mean"], over["low"], over["high"], wanted)


# --- Sections -------------------------------------------------------------------------------------


def _of_chain(chain: Results) -> list[str]:
    regimes = chain["regimes"]
    declared = chain["declared"]
    lines = ["## Does the network help? Simulated chains", ""]
    lines += [
        (
            f"{declared['generator']}, {declared['firms']:,} firms a seed. The blend of scorecard "
            "and monotone boosting, with features of the network, against the same blend without "
            "them; trained on weeks 52 to 234, tested on weeks 260, 286 and 312. The *share* is "
            "the part of the Brier gap between the blend without the network and an oracle that "
            f"knows the true state ({declared['oracle_repeats']} re-simulations, their noise taken "
            "off). The seed is the unit; intervals are 95 % by Student's t."
        ),
        "",
    ]
    finished = {name: regimes[name]["seeds"] for name in _REGIMES if name in regimes}
    lines += _table(
        ["regime", "what it is", "seeds finished"],
        [
            [name, text, _finished(len(finished.get(name, [])), declared)]
            for name, text in _REGIMES.items()
        ],
    )
    lines += _goals(chain["goals"])
    if not finished:
        return [*lines, "No chain was run.", ""]
    lines += _image("accuracy-share.svg", "Share of the gap closed, each seed a dot")
    lines += _image("accuracy-auc-gain.svg", "Gain in AUC, each seed a dot")
    rows = []
    for name in finished:
        over = regimes[name]["over_seeds"]
        for text, share, gain in (
            ("blend", "share", "auc_gain"),
            ("boosting alone", "share_boosting", "auc_gain_boosting"),
            ("scorecard alone", "share_scorecard", "auc_gain_scorecard"),
            ("blend, edges permuted", "share_shuffled", "auc_gain_shuffled"),
            ("blend that never saw the firm", "share_strangers", None),
        ):
            if over.get(share):
                row = [name, text, str(over[share]["seeds"]), _interval(over[share])]
                rows.append([*row, _interval(over.get(gain)) if gain else "–"])
    lines += ["### With the network against without it", ""]
    lines += _table(["regime", "model", "seeds", "share of the gap", "gain in AUC"], rows)
    rows = []
    for name in finished:
        told = regimes[name]
        over = told["over_seeds"]
        rows.append(
            [
                name,
                _mean(over.get("auc_without")),
                _mean(over.get("auc")),
                _mean(over.get("auc_oracle")),
                _mean(over.get("brier_without"), 5),
                _mean(over.get("brier"), 5),
                _interval(told["realised_over_priced"]),
                _interval(told["realised_over_oracle"]),
                _share(told["below_floor_share"]),
            ]
        )
    lines += ["### Levels and calibration", ""]
    lines += _table(
        [
            "regime", "AUC without", "with", "oracle", "Brier without", "with",
            "realised / priced", "realised / oracle", "below the floor",
        ],
        rows,
    )  # fmt: skip
    main = regimes.get("main")
    if main and main["deciles"]:
        lines += ["### Main by tenth of the predictions", ""]
        lines += _image("accuracy-tenths.svg", "Realised over priced by tenth")
        at = main["deciles"]
        lines += _table(
            [
                "tenth",
                "failures",
                "priced",
                "the oracle says",
                "realised / priced",
                "band for all ten",
            ],
            [
                [
                    str(number + 1),
                    f"{at['failures'][number]:.0f}",
                    f"{at['priced'][number]:.1f}",
                    f"{at['oracle'][number]:.1f}",
                    f"{at['ratio'][number]:.2f}",
                    f"{at['low'][number]:.2f} to {at['high'][number]:.2f}",
                ]
                for number in range(10)
            ],
        )
        lines += ["### Main by tier, sector and test week", ""]
        lines += _table(
            ["group", "rows", "failures", "priced", "realised / priced"],
            [
                [
                    name,
                    f"{told['rows']:.0f}",
                    f"{told['failures']:.0f}",
                    f"{told['priced']:.1f}",
                    f"{told['failures'] / told['priced']:.2f}",
                ]
                for name, told in main["groups"].items()
            ],
        )
    return lines


def _of_table(table: Results) -> list[str]:
    declared = table["declared"]
    lines = ["## The estimator alone: Polish companies, fifth year", ""]
    lines += [
        (
            "Data set 365 of the UCI repository, not part of this repository. Annual ratios, one "
            "firm a row, no dates and no relations: it tries the estimator and says nothing about "
            f"chains. {declared['folds']} folds, split anew by each of {len(declared['seeds'])} "
            "seeds; rows that stand twice are dropped first; calibration inside the training "
            "folds. Splits share their rows, so the interval over seeds says how much the split "
            "matters and no more; the lower bound draws rows with replacement."
        ),
        "",
    ]
    lines += _goals(table["goals"])
    if not table["seeds"]:
        return [*lines, "The table was not run.", ""]
    lines += [
        (
            f"{table['rows_in_file']:,} rows, {table['rows']:,} after those that stand twice were "
            f"dropped, {table['failures']} failures; {len(table['seeds'])} of "
            f"{len(declared['seeds'])} seeds finished."
        ),
        "",
    ]
    lines += _image("accuracy-polish.svg", "Mean AUC of ten folds, each seed a dot")
    rows = []
    for model, label in _MODELS.items():
        if model in table["models"]:
            over = table["models"][model]["over_seeds"]
            each = [f["fold_auc"] for f in table["models"][model]["figures"].values()]
            spread = f"{min(each):.4f} to {max(each):.4f}"
            names = ("brier", "slope", "realised_over_predicted")
            row = [label, _mean(over["fold_auc"], 4), spread]
            rows.append([*row, *(_mean(over[name], 4) for name in names)])
    head = ["model", "AUC, mean of folds", "over seeds", "Brier", "slope", "realised / predicted"]
    lines += _table(head, rows)
    lines += ["### By tenth of the predictions, all splits together", ""]
    told, raw = table["tenths"]["told"], table["tenths"]["raw"]
    lines += _table(
        ["tenth", "failures", "predicted", "before calibration"],
        [
            [
                str(number + 1),
                f"{told['failures'][number] / len(table['seeds']):.1f}",
                f"{told['priced'][number] / len(table['seeds']):.1f}",
                f"{raw['priced'][number] / len(table['seeds']):.1f}",
            ]
            for number in range(10)
        ],
    )
    return lines


def _again(results: Results) -> list[str]:
    lines = ["## Run it again", "", "```sh"]
    lines += ["scf risk evaluate --part polish --data DIR --out var/evaluation"]
    lines += ["scf risk evaluate --part chain --out var/evaluation   # goes on where it was cut"]
    lines += ["scf risk accuracy var/evaluation --docs docs", "```", ""]
    rows = []
    for name in ("polish", "chain"):
        part = results[name]
        for made in part["made_with"]:
            with_ = ", ".join(f"{library} {number}" for library, number in made.items())
            rows.append([name, f"{part['cpu_seconds']:,.0f}", part["settings"][:16], with_])
    if rows:
        lines += _table(["part", "CPU seconds", "settings", "made with"], rows)
    if results["polish"].get("data"):
        lines += [f"SHA-256 of the table's text: `{results['polish']['data']}`.", ""]
    return lines


# --- Parts ----------------------------------------------------------------------------------------


def _finished(done: int, declared: Mapping[str, Any]) -> str:
    """Say how many seeds are there, and which of them the rule of more seeds brought."""
    first, more = len(declared["seeds"]), len(declared["more_seeds"])
    if done <= first:
        return f"{done} of {first}"
    return f"{done} of {first + more}, {more} of them by the rule that was declared"


def _goals(goals: Sequence[Mapping[str, Any]]) -> list[str]:
    words = {True: "met", False: "**missed**", None: "open"}
    rows = []
    for goal in goals:
        found = "not run" if goal["found"] is None else _interval({**goal, "mean": goal["found"]})
        seeds = f"{goal['seeds']} of {goal['declared']}"
        rows.append([goal["name"], goal["asks"], found, seeds, words[goal["met"]]])
    return _table(["goal", "declared", "found", "seeds", ""], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def _image(name: str, text: str) -> list[str]:
    return [f"![{text}]({FOLDER}/{name})", ""]


def _mean(figures: Results | None, digits: int = 3) -> str:
    return "–" if not figures else f"{figures['mean']:.{digits}f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _interval(figures: Results | None) -> str:
    if not figures:
        return "–"
    mean = figures["mean"]
    shown = f"{mean:.4f}" if isinstance(mean, float) else str(mean)
    if figures["low"] is None:
        return shown
    return f"{shown} [{figures['low']:.4f}, {figures['high']:.4f}]"
