"""Provisions: what is set aside, why, and officers' words on single cases."""

import datetime as dt
from typing import Annotated, Any

import typer

from scf.cli.common import SESSION, show
from scf.financing.models import Advance
from scf.kernel.money import format_minor, parse_minor
from scf.parties.access import authorise
from scf.parties.service import business_date
from scf.reporting import provisions as reading

impairment = typer.Typer(help="Expected losses, stage by stage.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.add_typer(impairment, name="impairment")


@impairment.command("show")
def impairment_show(
    advance: Annotated[str, typer.Argument(metavar="[ADVANCE]", help="One, with its figures")] = "",
    first: Annotated[
        dt.datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day of the movement"),
    ] = None,
) -> None:
    """Show stages, arrears and the movement of the allowance; or how one advance is measured."""
    authorise(SESSION.actor, "allowance.read")
    with SESSION.platform.db.read(SESSION.actor) as session:
        today = business_date(session.connection(), SESSION.actor.org_id)
        if advance:
            show(_one(reading.provision(session, advance)))
            return
        begin = first.date() if first else today.replace(day=1)
        found = reading.provisions(session, begin, today)
        show(
            {
                "from": begin.isoformat(),
                "to": today.isoformat(),
                "stages": [_sum(one) for one in found.stages],
                "days_past_due": [_sum(one) for one in found.buckets],
                "movement": [
                    {
                        "currency": currency,
                        "line": line,
                        **{
                            f"stage_{stage}": format_minor(amount, currency)
                            for stage, amount in amounts.items()
                        },
                        "total": format_minor(sum(amounts.values()), currency),
                    }
                    for currency, lines in sorted(found.movement.items())
                    for line, amounts in lines.items()
                ],
                "waiting": [
                    {
                        "proposal_id": one.id,
                        "advance_id": one.advance_id,
                        "kind": one.kind,
                        "amount": format_minor(one.amount_minor, one.currency),
                    }
                    for one in found.waiting
                ],
            }
        )


def _sum(one: reading.Sum) -> dict[str, Any]:
    return {
        "name": one.name,
        "currency": one.currency,
        "advances": one.advances,
        "exposure": format_minor(one.exposure_minor, one.currency),
        "allowance": format_minor(one.allowance_minor, one.currency),
    }


def _one(found: reading.Provision) -> dict[str, Any]:
    stands = found.stands
    return {
        "stage": stands.stage if stands else None,
        "reason": stands.reason if stands else None,
        "since_on": stands.since_on.isoformat() if stands else None,
        "allowance": format_minor(stands.allowance_minor, stands.currency) if stands else None,
        "movements": [
            {
                "on": one.on_date.isoformat(),
                "kind": one.kind,
                "stage": one.to_stage,
                "before": format_minor(one.before_minor, one.currency),
                "after": format_minor(one.after_minor, one.currency),
                "exposure": format_minor(one.exposure_minor, one.currency),
                "pd": one.pd,
                "days": one.days,
                "lgd": one.lgd,
                "source": one.source,
                "assessment_id": one.assessment_id,
            }
            for one in found.movements
        ],
        "proposals": [
            {"proposal_id": one.id, "kind": one.kind, "state": one.state, "note": one.note}
            for one in found.proposals
        ],
    }


@impairment.command("propose")
def impairment_propose(
    advance: Annotated[str, typer.Argument(metavar="ADVANCE")],
    kind: Annotated[str, typer.Argument(metavar="KIND", help="allowance, rule or write_off")],
    note: Annotated[str, typer.Option(help="What it rests on")],
    amount: Annotated[str, typer.Option(help="Of an allowance")] = "",
    ground: Annotated[
        str,
        typer.Option(
            help="default, insolvency, unlikely_to_pay, uncollectible, settlement, recovered"
        ),
    ] = "default",
) -> None:
    """Propose an allowance or a write-off; another person agrees with `decide`."""
    payload: dict[str, Any] = {
        "advance_id": advance, "kind": kind, "ground": ground, "note": note,
    }  # fmt: skip
    if amount:
        with SESSION.platform.db.read(SESSION.actor) as session:
            row = session.get(Advance, advance)
            currency = row.currency if row is not None else "EUR"
        payload["amount_minor"] = parse_minor(amount, currency)
    show(SESSION.run("impairment.propose", payload).result)


@impairment.command("decide")
def impairment_decide(
    proposal: Annotated[str, typer.Argument(metavar="PROPOSAL")],
    agree: Annotated[bool, typer.Option("--agree/--refuse", help="Agree, or refuse")],
    note: Annotated[str, typer.Option(help="In words")] = "",
) -> None:
    """Agree to what another person proposed, which books it, or refuse it."""
    payload = {"proposal_id": proposal, "agree": agree, "note": note}
    show(SESSION.run("impairment.decide", payload).result)
