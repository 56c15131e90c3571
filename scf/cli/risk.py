"""Risk: what is thought of a firm and why; making an old price again."""

import json
from typing import Annotated, Any

import typer
from sqlalchemy import select
from sqlmodel import col

from scf.cli.common import EXIT_REFUSED, SESSION, show, show_list
from scf.db.visibility import not_found
from scf.kernel.errors import NotFound
from scf.offers.models import QuoteLine
from scf.parties.access import authorise
from scf.risk import nightly
from scf.risk.models import RiskAssessment
from scf.risk.replay import replay as replay_lines

risk = typer.Typer(help="Assessments of firms: make the day's, show one.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.add_typer(risk, name="risk")
    app.command()(replay)


@risk.command("assess")
def assess_now() -> None:
    """Assess every financier's firms on the newest chain; once a day is enough."""
    show_list(nightly.assess_all(SESSION.platform), "assessments")


@risk.command("show")
def show_firm(
    firm: Annotated[str, typer.Argument(metavar="FIRM", help="Id, or scheme:value")],
) -> None:
    """Show what your bank thinks of a firm: inputs, points, risk alone and along the chain."""
    authorise(SESSION.actor, "risk.read")
    firm_id = SESSION.firm(firm)
    with SESSION.platform.db.read(SESSION.actor) as session:
        row = session.scalars(
            select(RiskAssessment)
            .where(col(RiskAssessment.firm_id) == firm_id)
            .order_by(col(RiskAssessment.as_of_on).desc())
            .limit(1)
        ).one_or_none()
    if row is None:
        raise NotFound(
            "NOT_ASSESSED",
            "This firm has no assessment yet. `scf eod` makes them, or `scf risk assess`.",
            firm_id=firm_id,
        )
    result = json.loads(row.result)
    show(
        {
            "firm_id": row.firm_id,
            "as_of_on": row.as_of_on,
            "model": {"kind": row.kind, "version": row.policy_version},
            "grade": row.grade,
            "pd": result["pd"],
            "own_hazard": result["risk"]["own_hazard"],
            "total_hazard": result["risk"]["total_hazard"],
            "flags": result["flags"],
            "points": [
                {"input": name, "value": value, "points": points, "missing": missing}
                for name, value, points, missing in result["points"]
            ],
            "chain": row.splits or {},
            "inputs": json.loads(row.inputs),
        }
    )


def replay(
    quote: Annotated[str, typer.Argument(metavar="QUOTE", help="Id of a quote priced by risk")],
) -> None:
    """Make a quote's price again, from its stored inputs and from the database as of then."""
    authorise(SESSION.actor, "risk.read")
    with SESSION.platform.db.read(SESSION.actor) as session:
        lines = session.scalars(
            select(QuoteLine).where(col(QuoteLine.quote_id) == quote).order_by(col(QuoteLine.place))
        ).all()
        ids = [line.id for line in lines if line.assessment_id]
    if not lines:
        raise not_found("quote", quote)
    if not ids:
        raise NotFound("NOT_BY_RISK", "This quote has a contract price; nothing is replayed.")
    with SESSION.reading() as conn:
        found = replay_lines(conn, ids)
    answer: dict[str, Any] = {"quote_id": quote, "lines": found.lines, "equal": found.is_equal}
    if not found.is_equal:
        answer["differences"] = [
            {
                "source": one.source,
                "line": one.line_id,
                "field": one.field,
                "stored": json.dumps(one.stored),
                "replayed": json.dumps(one.replayed),
            }
            for one in found.differences
        ]
    show(answer)
    if not found.is_equal:
        raise SystemExit(EXIT_REFUSED)
