"""The declared evaluation of the trained model: run it seed by seed, make the page of it."""

import importlib.util
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from config.settings import DEFAULTS
from scf.cli.common import console, show
from scf.cli.risk import risk
from scf.kernel.errors import InvalidInput, Unavailable
from scf.risk.evaluation import chains, report, tables

DECLARED = DEFAULTS.with_name("risk_evaluation.toml")

Out = Annotated[Path, typer.Option(help="Folder of results, one file a seed", file_okay=False)]


class Part(StrEnum):
    """What can be evaluated; ``chain`` is all five regimes, the primary one first."""

    POLISH = "polish"
    CHAIN = "chain"
    MAIN = "main"
    CHECKS = "checks"
    CONTROL = "control"
    HIGH = "high"
    SHOCKCTL = "shockctl"
    SHOCK = "shock"


def attach(_app: typer.Typer) -> None:
    """Nothing more: these commands hang under ``risk``, which the room of risk brings."""


@risk.command("evaluate")
def evaluate(
    part: Annotated[Part, typer.Option(help="What to evaluate")] = Part.CHAIN,
    out: Out = Path("var/evaluation"),
    data: Annotated[Path, typer.Option(help="Folder with the published table")] = Path(),
    seeds: Annotated[str, typer.Option(help="Some of the declared: 101-105,110")] = "",
) -> None:
    """Run the evaluation as declared; it goes on where it was cut, and takes an hour for all."""
    _needs_model()
    told = _declared()
    if part is Part.POLISH:
        chosen = _chosen(seeds, told["polish"]["seeds"])
        _report(part, tables.run(told["polish"], data, out, chosen))
        return
    all_seeds = [*told["chain"]["seeds"], *told["chain"]["more_seeds"]]
    every = (chains.PRIMARY, chains.CHECKS, *chains.REGIMES[1:])
    for regime in every if part is Part.CHAIN else (part.value,):
        chosen = _chosen(seeds, all_seeds) or told["chain"]["seeds"]
        if regime == chains.CHECKS:
            _report(regime, chains.check(told["chain"], out, chosen))
            continue
        _report(regime, chains.run(told["chain"], regime, out, chosen))
        if not seeds:
            further = report.more_seeds(told, regime, out)
            _report(regime, chains.run(told["chain"], regime, out, further))


@risk.command("accuracy")
def accuracy(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Of `scf risk evaluate`")],
    docs: Annotated[Path, typer.Option(help="Where page and pictures go")] = Path("docs"),
) -> None:
    """Make the page on accuracy from the seeds that are finished; the rest stays open."""
    _needs_model()
    found = report.results(_declared(), folder)
    written = report.write(found, docs)
    goals = [*found["polish"]["goals"], *found["chain"]["goals"]]
    show(
        {
            "goals": len(goals),
            "met": sum(goal["met"] is True for goal in goals),
            "missed": sum(goal["met"] is False for goal in goals),
            "open": sum(goal["met"] is None for goal in goals),
            "written": [str(path) for path in written],
        }
    )


def _declared() -> dict[str, Any]:
    return tomllib.loads(DECLARED.read_text(encoding="utf-8"))


def _needs_model() -> None:
    if importlib.util.find_spec("sklearn") is None:
        raise Unavailable(
            "SET_MISSING", "This needs the set model: python3 tools/setup.py install core model"
        )


def _chosen(text: str, declared: list[int]) -> list[int] | None:
    """Read ``101-105,110``; None for all. Seeds that were not declared are no evaluation."""
    if not text:
        return None
    chosen: list[int] = []
    for word in text.split(","):
        first, _, last = word.partition("-")
        if not (first.isascii() and first.isdigit() and (not last or last.isdigit())):
            raise InvalidInput(
                "SEEDS_UNREADABLE", "Write seeds as 101-105,110.", got=text, declared=declared
            )
        chosen += [seed for seed in declared if int(first) <= seed <= int(last or first)]
    if not chosen:
        raise InvalidInput(
            "SEEDS_NOT_DECLARED", "None of these seeds was declared.", got=text, declared=declared
        )
    return chosen


def _report(part: str, seeds: Iterator[tuple[int, bool]]) -> None:
    for seed, is_new in seeds:
        console.print(f"{part} {seed}: {'finished' if is_new else 'was there'}", markup=False)
