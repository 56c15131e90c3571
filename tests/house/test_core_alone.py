"""Pages open on what `make run` installs: nothing on their way needs the libraries of models."""

import ast
import json
import subprocess
import sys

from tests.house.sources import ROOT

# Where pages and their figures are made; training and asking models say what is missing instead.
_ROOMS = ("web", "scf/reporting", "scf/risk/watch", "scf/offers", "scf/financing")
_HEAVY = ("sklearn", "skops", "numba", "ibis", "duckdb", "pyarrow")
_TRY = """
import importlib, json, sys
for name in {heavy!r}:
    sys.modules[name] = None
wrong = {{}}
for name in {names!r}:
    try:
        importlib.import_module(name)
    except ImportError as error:
        wrong[name] = str(error)
print(json.dumps(wrong))
"""


def _asked_for(tree: ast.Module) -> set[str]:
    """Give the modules of ours that a file imports at any depth, but for types alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    return {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module
        and node.module.partition(".")[0] in {"scoring", "graph"}
    }


def test_what_pages_import_needs_no_library_of_models() -> None:
    """Keep what a page needs out of modules that import scikit-learn; see ``scoring/odds.py``."""
    names: set[str] = set()
    for room in _ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            names |= _asked_for(ast.parse(path.read_text("utf-8")))
    assert len(names) > 5
    program = _TRY.format(heavy=_HEAVY, names=sorted(names))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {}
