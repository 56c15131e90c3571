"""The examples in the docstrings run, and give what they show."""

import doctest
import importlib
import pkgutil

import pytest

import scoring

MODULES = [f"scoring.{module.name}" for module in pkgutil.iter_modules(scoring.__path__)]
WITH_EXAMPLES = {
    "scoring.canonical", "scoring.capital", "scoring.dilution", "scoring.explain",
    "scoring.hazard", "scoring.lgd", "scoring.observed", "scoring.pricing", "scoring.reasons",
    "scoring.recourse", "scoring.scale", "scoring.stack",
}  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
    assert bool(result.attempted) == (name in WITH_EXAMPLES)
