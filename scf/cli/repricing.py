"""A whole book priced again, from the platform's database or from a warehouse's tables."""

import datetime as dt
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from scf.cli.common import SESSION, show
from scf.cli.risk import risk
from scf.kernel.errors import InvalidInput
from scf.parties.access import authorise

_STRESSES: Final = ("late", "downgrade")
_PPM_PER_BP: Final = 100


def attach(_app: typer.Typer) -> None:
    """Nothing more: these commands hang under ``risk``, which the room of risk brings."""


@risk.command("tables")
def tables(
    folder: Annotated[Path, typer.Argument(help="Where the tables are written", file_okay=False)],
) -> None:
    """Write your bank's book as Parquet: invoices, firms, receivables, as known this morning."""
    from scf.reporting import book
    from scf.risk.appetite import in_force
    from scf.risk.batch import engines

    authorise(SESSION.actor, "risk.read")
    engines.need(("pyarrow",), "core batch")
    load_policy()
    with SESSION.reading() as conn:
        found = book.book_of(conn, SESSION.actor.org_id, in_force())
    rows = found.write(folder)
    show({"on": found.on, "as_of_on": found.morning.on, **rows})


@risk.command("reprice")
def reprice(
    tables: Annotated[
        str, typer.Option(metavar="DIR", help="Tables of a warehouse; default: your book here")
    ] = "",
    on: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="With --tables: its morning")
    ] = None,
    engine: Annotated[str, typer.Option(help="duckdb, or spark://HOST:PORT")] = "duckdb",
    out: Annotated[str, typer.Option(help="Write the prices: FILE.parquet or FILE.csv")] = "",
    stress: Annotated[str, typer.Option(help="late, downgrade, or fails:FIRM")] = "",
    refused: Annotated[int, typer.Option(help="How many rows set aside are named")] = 20,
) -> None:
    """Price every receivable again as known at the morning; nothing is changed.

    Rows that no receivable or invoice can be are set aside with the reason.
    """
    from scf.risk.appetite import in_force
    from scf.risk.batch import engines, repricing
    from scf.risk.batch.writing import checked

    wanted = _stress(stress)
    target = checked(out)
    load_policy()
    appetite = in_force()
    with engines.opened(engine) as running, tempfile.TemporaryDirectory(prefix="scf-book-") as at:
        if tables:
            if on is None:
                raise InvalidInput("MORNING_MISSING", "Tables need --on, the morning they tell of.")
            morning = day = on.date()
            paths = repricing.tables_in(tables)
        else:
            day, morning = _own_book(Path(at), given=on)
            paths = repricing.tables_in(at)
        asked = repricing.Asked(**paths, on=day, morning=morning, stress=wanted)
        made = repricing.reprice(running, asked, appetite, target)
        summary = summary_of(made, refused)
    policy = appetite.policy
    show(
        {
            "as_of_on": morning,
            "on": day,
            "model": {"kind": policy.kind, "version": policy.version},
            "engine": running.name,
            "stress": str(wanted) or "none",
            **summary,
            **({"written": target} if target else {}),
        }
    )


def load_policy() -> None:
    """Put the risk appetite in force; no database is needed for tables of a warehouse."""
    from scf.bootstrap import load_appetite

    load_appetite()


def _own_book(folder: Path, *, given: dt.datetime | None) -> tuple[dt.date, dt.date]:
    from scf.reporting import book
    from scf.risk.appetite import in_force

    authorise(SESSION.actor, "risk.read")
    if given is not None:
        raise InvalidInput("MORNING_MISSING", "Your book here stands on its business date.")
    with SESSION.reading() as conn:
        found = book.book_of(conn, SESSION.actor.org_id, in_force())
    found.write(folder)
    return found.on, found.morning.on


def _stress(word: str) -> Any:  # noqa: ANN401 - loaded only here
    from scf.risk.batch.firms import Stress

    what, _, firm_id = word.partition(":")
    if (what in _STRESSES and not firm_id and ":" not in word) or not word:
        return Stress(what)
    if what == "fails" and firm_id:
        return Stress(what, firm_id)
    raise InvalidInput("STRESS", "A stress is late, downgrade or fails:FIRM.", given=word[:100])


# --- Summary --------------------------------------------------------------------------------------


def summary_of(made: Any, named: int) -> dict[str, Any]:  # noqa: ANN401 - of the batch
    """Give the figures that people read: by currency, by grade, refused, set aside."""
    groups: Sequence[Mapping[str, Any]] = made.groups
    currencies = sorted({one["currency"] for one in groups})
    return {
        "receivables": sum(one["receivables"] for one in groups),
        "priced": sum(one["priced"] for one in groups),
        "priced_by_row": sum(one["by_row"] for one in groups),
        "invoices": made.invoices,
        "pairs": made.pairs,
        "firms": made.firms,
        "set_aside": sum(made.aside_by_reason.values()),
        "book": [
            _figures({"currency": one}, [row for row in groups if row["currency"] == one])
            for one in currencies
        ],
        "grades": [
            _figures(
                {"currency": one, "grade": grade or "-"},
                [row for row in groups if (row["currency"], row["grade"]) == (one, grade)],
            )
            for one, grade in sorted({(row["currency"], row["grade"]) for row in groups})
        ],
        "routes": _counted(groups, "route"),
        "refusals": _counted([row for row in groups if row["refusal"]], "refusal"),
        "set_aside_by_reason": [
            {"reason": reason, "count": count}
            for reason, count in sorted(made.aside_by_reason.items())
        ],
        "rows_set_aside": list(made.aside)[:named],
        "seconds": made.seconds,
    }


def _figures(head: dict[str, str], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    sums = Counter[str]()
    for row in rows:
        for name, value in row.items():
            if isinstance(value, (int, Decimal)):
                sums[name] += int(value)
    priced_face = sum(int(row["face"]) for row in rows if row["priced"])
    return {
        **head,
        "receivables": sums["receivables"],
        "face_minor": sums["face"],
        "priced_face_minor": priced_face,
        "mean_rate_bp": _mean(sums["face_times_bp"], priced_face),
        "expected_loss_minor": sums["expected_loss"],
        "moved_bp": _mean(sums["face_times_moved"], sums["face_compared"] * _PPM_PER_BP),
        "dearer": sums["dearer"],
        "cheaper": sums["cheaper"],
    }


def _mean(part: int, whole: int) -> str:
    """Give a weighted mean with two decimals."""
    return f"{Decimal(part) / whole:.2f}" if whole else "-"


def _counted(rows: Sequence[Mapping[str, Any]], name: str) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], Counter[str]] = {}
    for row in rows:
        sums = found.setdefault((row["currency"], row[name]), Counter())
        sums["receivables"] += row["receivables"]
        sums["face_minor"] += int(row["face"])
    return [
        {"currency": currency, name: word, **sums}
        for (currency, word), sums in sorted(found.items())
    ]
