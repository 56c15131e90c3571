"""Risk: what is thought of a firm and why; making an old price again."""

import datetime as dt
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
from scf.parties.service import business_date
from scf.reporting.watching.export import lines
from scf.reporting.watching.figures import figures
from scf.risk import cards, nightly
from scf.risk.appetite import in_force
from scf.risk.models import RiskAssessment, RiskModel
from scf.risk.promoting import only_in_a_demo
from scf.risk.replay import replay as replay_lines
from scf.risk.watch import nightly as watching

risk = typer.Typer(
    help="Assessments of firms; the models that are trained for them.", no_args_is_help=True
)


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


# --- How what judges firms is watched -------------------------------------------------------------


@risk.command("watch")
def watch_now() -> None:
    """Look how far the firms have moved; once a day is enough, and `scf eod` does it."""
    show_list(watching.watch_all(SESSION.platform), "watched")


@risk.command("monitor")
def monitor(
    section: Annotated[
        str, typer.Option("--section", help="Only what begins so: drift, calibration, losses …")
    ] = "",
) -> None:
    """Show all that is watched of what judges firms, one figure a line; --json for programs."""
    authorise(SESSION.actor, "risk.read")
    with SESSION.reading() as conn:
        found = figures(conn, SESSION.actor.org_id)
        told = list(lines(found)) if found is not None else []
    show_list([one for one in told if one["section"].startswith(section)], "figures")


# --- Trained models -------------------------------------------------------------------------------


@risk.command("train")
def train(
    on: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Default: the business date")
    ] = None,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="From a simulated chain, for a demo world only")
    ] = False,
) -> None:
    """Train a model on what your books held before a day; it takes a minute and judges nobody yet.

    Where too few firms have failed so far there is no model, and the answer says how few.
    """
    from scf.risk import training

    authorise(SESSION.actor, "model.register")
    financier_id = SESSION.actor.org_id
    with SESSION.reading() as conn:
        day = on.date() if on is not None else business_date(conn, financier_id)
        if simulated:
            only_in_a_demo(conn, "simulated")
            made = training.train_simulated(day)
        else:
            made = training.train_own(conn, financier_id, day, in_force())
    payload = {"file_digest": made.file_digest, "content": made}
    _show_model(
        SESSION.run("model.register", payload, key=f"train-{made.file_digest}").result["id"]
    )


@risk.command("models")
def models() -> None:
    """List your bank's trained models: what each may do, and what it was made of."""
    authorise(SESSION.actor, "risk.read")
    with SESSION.platform.db.read(SESSION.actor) as session:
        rows = session.scalars(select(RiskModel).order_by(col(RiskModel.trained_at).desc())).all()
    show_list(
        [
            {
                name: getattr(row, name)
                for name in ("id", "name", "kind", "state", "trained_on", "file_digest")
            }
            for row in rows
        ],
        "models",
    )


Model = Annotated[str, typer.Argument(metavar="MODEL", help="Id; `scf risk models` lists them")]
Note = Annotated[str, typer.Option("--because", help="In your own words; it is kept")]


@risk.command("model")
def model(model_id: Model) -> None:
    """Show a model's card: windows, inputs, measures, who answers for it."""
    authorise(SESSION.actor, "risk.read")
    _show_model(model_id)


@risk.command("validate")
def validate(model_id: Model, note: Note) -> None:
    """Say, as another person than its maker, what you held a model against and what you found."""
    show(SESSION.run("model.validate", {"model_id": model_id, "reason": note}).result)


@risk.command("challenge")
def challenge(model_id: Model) -> None:
    """Let a validated model stand beside what prices, to be promoted or put away."""
    show(SESSION.run("model.challenge", {"model_id": model_id}).result)


@risk.command("propose")
def propose(model_id: Model) -> None:
    """Propose a challenger as champion; another person promotes it."""
    show(SESSION.run("model.propose", {"model_id": model_id}).result)


@risk.command("promote")
def promote(model_id: Model) -> None:
    """Make a challenger the champion, as another person than who proposed it."""
    show(SESSION.run("model.promote", {"model_id": model_id}).result)


@risk.command("retire")
def retire(model_id: Model, note: Note) -> None:
    """Put a model away that is not the champion."""
    show(SESSION.run("model.retire", {"model_id": model_id, "reason": note}).result)


@risk.command("kill")
def kill(model_id: Model, note: Note) -> None:
    """Stop a champion or challenger at once; one person is enough."""
    show(SESSION.run("model.kill", {"model_id": model_id, "reason": note}).result)


def _show_model(model_id: str) -> None:
    with SESSION.platform.db.read(SESSION.actor) as session:
        row = session.scalars(select(RiskModel).where(col(RiskModel.id) == model_id)).one_or_none()
    if row is None:
        raise not_found("risk_model", model_id)
    show(cards.of(row))
