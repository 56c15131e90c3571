"""The examples in the docstrings run, and give what they show."""

import doctest
import importlib
import pkgutil

import pytest

import scoring

MODULES = [module.name for module in pkgutil.walk_packages(scoring.__path__, "scoring.")]
WITH_EXAMPLES = {
    "scoring.backtest", "scoring.bands", "scoring.many.columns",
    "scoring.canonical", "scoring.capital", "scoring.dilution", "scoring.estimators.binary",
    "scoring.estimators.default", "scoring.estimators.late", "scoring.estimators.shares",
    "scoring.evaluation.datasets", "scoring.metrics", "scoring.evaluation.page",
    "scoring.evaluation.pictures", "scoring.evaluation.summary", "scoring.evaluation.tables",
    "scoring.explain",
    "scoring.features.events", "scoring.features.measuring", "scoring.features.paying",
    "scoring.features.registry",
    "scoring.features.standing", "scoring.hazard", "scoring.lgd", "scoring.modelfile",
    "scoring.monitoring", "scoring.observed", "scoring.odds", "scoring.pricing", "scoring.reasons",
    "scoring.recourse", "scoring.scale", "scoring.simulate.regimes", "scoring.simulate.running",
    "scoring.stack", "scoring.term",
}  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
    assert bool(result.attempted) == (name in WITH_EXAMPLES)
