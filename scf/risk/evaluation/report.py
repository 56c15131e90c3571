"""What the finished seeds of a folder say, as one document, a page and pictures."""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from scf.kernel.errors import NotFound
from scf.risk.evaluation import chains, files, tables

PAGE: Final = Path("reference/accuracy.md")
RESULTS: Final = Path("reference/accuracy.json")
PICTURES: Final = Path("pictures")


def results(told: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Sum up the finished seeds; what has not been run is empty, and its goals are open.

    Raises
    ------
    Conflict
        The folder holds results of other settings.
    """
    from scoring.evaluation import ChainSettings, TableSettings
    from scoring.evaluation import summary as sums

    table = TableSettings.from_mapping(told["polish"])
    splits = tables.kept(told["polish"], folder, table.seeds)
    said = sums.table_summary([split for _, split in splits])
    polish = {
        **said,
        **_made([meta for meta, _ in splits], told["polish"]),
        "data": splits[0][0]["data"] if splits else None,
        "rows_in_file": splits[0][0]["rows_in_file"] if splits else None,
        "goals": [dataclasses.asdict(goal) for goal in sums.table_goals(table, said)],
    }
    settings = ChainSettings.from_mapping(told["chain"])
    regimes, metas = {}, []
    for regime in chains.REGIMES:
        seeds = (*settings.seeds, *settings.more_seeds)
        found = chains.kept(told["chain"], regime, folder, seeds)
        metas += [meta for meta, _ in found]
        if found:
            regimes[regime] = sums.regime_summary([one for _, one in found])
    chain = {
        "regimes": regimes,
        **_made(metas, told["chain"]),
        "goals": [dataclasses.asdict(goal) for goal in sums.chain_goals(settings, regimes)],
    }
    whole: dict[str, Any] = _finite({"version": told["version"], "polish": polish, "chain": chain})
    return whole


def more_seeds(told: Mapping[str, Any], regime: str, folder: Path) -> tuple[int, ...]:
    """Give the further seeds that the rule fixed beforehand asks for; mostly none."""
    from scoring.evaluation import ChainSettings
    from scoring.evaluation import summary as sums

    settings = ChainSettings.from_mapping(told["chain"])
    found = chains.kept(told["chain"], regime, folder, settings.seeds)
    said = sums.regime_summary([one for _, one in found])
    return settings.more_seeds if sums.more_seeds_due(settings, regime, said) else ()


def write(found: Mapping[str, Any], docs: Path) -> list[Path]:
    """Write page, results and pictures; what was written by hand in the page is kept.

    Raises
    ------
    NotFound
        There is no such folder.
    """
    from scoring.evaluation.page import notes_of, page, pictures

    if not docs.is_dir():
        raise NotFound("FOLDER_MISSING", "There is no such folder.", folder=str(docs))
    there = docs / PAGE
    notes = notes_of(there.read_text(encoding="utf-8")) if there.exists() else ""
    texts = {
        there: page(found, notes),
        docs / RESULTS: json.dumps(found, indent=1, ensure_ascii=False) + "\n",
        **{docs / PICTURES / name: drawn for name, drawn in pictures(found).items()},
    }
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(texts)


def _made(metas: Sequence[Mapping[str, Any]], declared: Mapping[str, Any]) -> dict[str, Any]:
    """Say with what the results of a part were made."""
    made: list[dict[str, str]] = []
    for meta in metas:
        if meta["versions"] not in made:
            made.append(meta["versions"])
    return {
        "declared": dict(declared),
        "settings": files.digest(declared),
        "made_with": made,
        "cpu_seconds": round(sum(meta["cpu_seconds"] for meta in metas), 1),
    }


def _finite(value: Any) -> Any:  # noqa: ANN401 - anything that JSON holds
    """Give None for a figure that is none, as JSON can say it."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
