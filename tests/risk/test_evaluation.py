"""An evaluation runs seed by seed, goes on where it was cut, and its page says what was run."""

import copy
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from config.settings import DEFAULTS
from scf.cli.main import main
from scf.kernel.errors import Conflict, InvalidInput, NotFound
from scf.risk.evaluation import chains, files, report, tables
from scoring.evaluation import ChainSettings, TableSettings
from scoring.evaluation.page import notes_of, page, pictures
from scoring.evaluation.summary import (
    chain_goals,
    decile_band,
    more_seeds_due,
    table_goals,
    total_ratio,
)

DOCS = Path(__file__).parents[2] / "docs"
DECLARED = tomllib.loads(DEFAULTS.with_name("risk_evaluation.toml").read_text(encoding="utf-8"))


@pytest.fixture
def told() -> dict[str, Any]:
    """The declared evaluation, as small as it runs."""
    small = copy.deepcopy(DECLARED)
    learner = {"trees": 3, "leaves": 4}
    small["polish"] |= {"seeds": [1, 2], "folds": 2, "inner_folds": 2}
    small["polish"]["learner"] |= learner
    small["chain"] |= {"firms": 40, "folds": 2, "oracle_repeats": 2, "seeds": [101, 102]}
    small["chain"] |= {"oracle_doubled": [101]}
    small["chain"]["learner"] |= learner
    return small


def table(folder: Path) -> Path:
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((80, 2))
    fails = rows[:, 0] + rng.standard_normal(80) > 0.8
    lines = ["@attribute a numeric", "@attribute b numeric", "@attribute class {0,1}", "@data"]
    pairs = zip(rows, fails, strict=True)
    lines += [f"{a:.3f},{'?' if b > 1 else format(b, '.3f')},{int(bad)}" for (a, b), bad in pairs]
    folder.mkdir(exist_ok=True)
    (folder / "5year.arff").write_text("\n".join([*lines, lines[-1]]), encoding="ascii")
    return folder


def test_a_run_goes_on_where_it_was_cut(told: dict[str, Any], tmp_path: Path) -> None:
    data, out = table(tmp_path / "data"), tmp_path / "out"
    assert next(tables.run(told["polish"], data, out)) == (1, True)
    assert [path.name for path in out.iterdir()] == ["polish-1.npz"]
    kept = (out / "polish-1.npz").read_bytes()
    assert list(tables.run(told["polish"], data, out)) == [(1, False), (2, True)]
    assert (out / "polish-1.npz").read_bytes() == kept
    again = dict(tables.run(told["polish"], data, tmp_path / "other"))
    assert again == {1: True, 2: True}
    both = [tables.kept(told["polish"], folder, (1, 2)) for folder in (out, tmp_path / "other")]
    for (meta, one), (_, other) in zip(*both, strict=True):
        assert np.array_equal(one.told, other.told)
        assert meta["rows_in_file"] == 81
        assert len(one.fails) == 80
        assert {"python", "numpy", "scikit-learn"} <= set(meta["versions"])
    told["polish"]["learner"]["trees"] = 4
    with pytest.raises(Conflict, match="results of other settings"):
        next(tables.run(told["polish"], data, out))


def test_a_table_that_is_none_is_refused(told: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"5year\.arff"):
        next(tables.run(told["polish"], tmp_path, tmp_path / "out"))
    for text, says in (
        ("@data\n1,2", "Line 2 has 2 values for 0 attributes"),
        ("@attribute a numeric\n@attribute c {0,1}\n@data\nx,1", "Line 4 holds a value"),
        ("@attribute a numeric\n@attribute c {0,1}\n@data\ninf,1", "not finite"),
        ("@attribute a numeric\n@attribute c {0,1}\n@data\n1,2", "0 and 1 only"),
        ("", "no rows"),
        ("é", "ascii"),
    ):
        (tmp_path / "5year.arff").write_text(text, encoding="utf-8")
        with pytest.raises(InvalidInput) as refused:
            next(tables.run(told["polish"], tmp_path, tmp_path / "out"))
        assert says in str(refused.value.facts["reason"])


def test_what_was_not_run_stays_open_on_the_page(told: dict[str, Any], tmp_path: Path) -> None:
    out, docs = tmp_path / "out", tmp_path / "docs"
    docs.mkdir()
    empty = report.results(told, out)
    goals = [*empty["polish"]["goals"], *empty["chain"]["goals"]]
    assert {goal["met"] for goal in goals} == {None}
    assert {goal["found"] for goal in goals} == {None}
    assert pictures(empty) == {}
    assert "No chain was run." in page(empty)
    assert "The table was not run." in page(empty)
    assert list(chains.run(told["chain"], "main", out, [101])) == [(101, True)]
    written = report.write(report.results(told, out), docs)
    assert {path.name for path in written} >= {"accuracy.md", "accuracy.json", "accuracy-share.svg"}
    text = (docs / report.PAGE).read_text(encoding="utf-8")
    assert "| main | losses, lost demand and late payment spread (primary) | 1 of 2 |" in text
    assert "| control | as main, nothing spreads (placebo) | 0 of 2 |" in text
    by_hand = text.replace("None yet.", "A cause.")
    (docs / report.PAGE).write_text(by_hand, encoding="utf-8")
    report.write(report.results(told, out), docs)
    assert (docs / report.PAGE).read_text(encoding="utf-8") == by_hand
    assert list(chains.run(told["chain"], "main", out, [101])) == [(101, False)]
    assert list(chains.check(told["chain"], out)) == [(101, True)]
    assert list(chains.check(told["chain"], out)) == [(101, False)]
    found = report.results(told, out)
    assert "share_shuffled" in found["chain"]["regimes"]["main"]["figures"]["101"]
    assert found["chain"]["goals"][-1]["seeds"] == 1
    with pytest.raises(NotFound, match="no such folder"):
        report.write(found, tmp_path / "nowhere")


def test_the_page_of_the_docs_is_made_from_its_results() -> None:
    found = json.loads((DOCS / report.RESULTS).read_text(encoding="utf-8"))
    text = (DOCS / report.PAGE).read_text(encoding="utf-8")
    assert page(found, notes_of(text)) == text
    drawn = {
        path.name: path.read_text(encoding="utf-8")
        for path in (DOCS / report.PICTURES).glob("accuracy-*.svg")
    }
    assert pictures(found) == drawn
    for part in ("polish", "chain"):
        assert found[part]["declared"] == DECLARED[part]
        assert found[part]["settings"] == files.digest(DECLARED[part])


SEEDS = range(101, 121)


def regimes(share: float, gain: float, spread: float, failures: float = 50.0) -> dict[str, Any]:
    """Five regimes of twenty seeds; the two placebos show nothing."""
    wave = np.resize([1.0, -1.0], 20)
    found = {}
    for name in chains.REGIMES:
        is_placebo = name in {"control", "shockctl"}
        base, more = (0.0, 0.0) if is_placebo else (share, gain)
        figures = {
            str(seed): {
                "share": base + spread * step,
                "auc_gain": more + spread * step,
                "share_shuffled": spread * step,
                "auc_gain_shuffled": spread * step,
                "failures": failures,
                "stressed_total": 60.0,
                **({"share_oracle_twice": base + spread * step + 0.005} if seed < 104 else {}),
            }
            for seed, step in zip(SEEDS, wave, strict=True)
        }
        sd = spread * float(np.std(wave, ddof=1))
        found[name] = {
            "seeds": list(SEEDS),
            "figures": figures,
            "over_seeds": {"share": {"sd": sd}, "auc_gain": {"sd": sd}},
            "realised_over_priced": total_ratio(np.full(20, failures), np.full(20, 50.0)),
            "deciles": decile_band(np.full((20, 10), failures / 10), np.full((20, 10), 5.0)),
        }
    return found


def verdicts(told: dict[str, Any]) -> dict[str, bool | None]:
    settings = ChainSettings.from_mapping(DECLARED["chain"])
    return {goal.name: goal.met for goal in chain_goals(settings, told)}


def test_goals_are_met_missed_or_open() -> None:
    good = verdicts(regimes(0.1, 0.0, 0.01))
    assert set(good.values()) == {True}
    assert len(good) == 14
    weak = verdicts(regimes(0.05, -0.03, 0.01, failures=80.0))
    assert not weak["main: share of the gap"]
    assert not weak["high: share of the gap"]
    assert weak["main: AUC gain"] is False
    assert weak["main: realised over priced"] is False
    assert weak["main: realised over priced, lowest tenth"] is False
    assert weak["shock: stress covers"] is False
    assert weak["control: AUC gain"] is True
    # So uneven a placebo proves nothing before the further seeds are there.
    uneven = regimes(0.1, 0.0, 0.04)
    settings = ChainSettings.from_mapping(DECLARED["chain"])
    assert more_seeds_due(settings, "control", uneven["control"])
    assert not more_seeds_due(settings, "main", uneven["main"])
    assert verdicts(uneven)["control: AUC gain"] is None
    few = regimes(0.1, 0.0, 0.01)
    del few["main"]["figures"]["120"]
    assert verdicts(few)["main: share of the gap"] is None
    nothing = verdicts({})
    assert set(nothing.values()) == {None}
    table_settings = TableSettings.from_mapping(DECLARED["polish"])
    none: dict[str, Any] = {"models": {}, "behind_peer": None}
    assert {goal.met for goal in table_goals(table_settings, none)} == {None}


def test_a_band_for_ten_holds_for_all_ten_at_once() -> None:
    """Of many sets of twenty seeds with a perfect model, about 95 % lie wholly inside."""
    rng = np.random.default_rng(7)
    expected = np.geomspace(3, 60, 10)
    inside = 0
    for trial in range(100):
        failures = rng.poisson(expected, (20, 10)).astype(np.float64)
        band = decile_band(failures, np.tile(expected, (20, 1)), seed=trial)
        assert band is not None
        low, high = np.array(band["low"]), np.array(band["high"])
        inside += bool(((low <= 1) & (high >= 1)).all())
    assert 85 <= inside <= 99


def test_the_command_takes_declared_seeds_only(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for words, code in (
        (["--part", "main", "--seeds", "7"], "SEEDS_NOT_DECLARED"),
        (["--part", "main", "--seeds", "1O1"], "SEEDS_UNREADABLE"),
        (["--part", "polish", "--data", str(tmp_path)], "EVALUATION_DATA_MISSING"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["risk", "evaluate", "--out", str(tmp_path / "out"), *words])
        assert ended.value.code == 1
        assert code in capsys.readouterr().err
    docs = tmp_path / "docs"
    docs.mkdir()
    with pytest.raises(SystemExit) as done:
        main(["risk", "accuracy", str(tmp_path / "out"), "--docs", str(docs)])
    assert done.value.code == 0
    assert "open: 20" in capsys.readouterr().out
    assert (docs / report.PAGE).exists()
