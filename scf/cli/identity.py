"""Who documents mean: open cases, people's answers, records of one firm joined and parted."""

from typing import Annotated

import typer

from scf.cli.common import SESSION, show, show_list
from scf.cli.people import FirmWord, firm
from scf.documents.identity.cases import case, cases

Why = Annotated[str, typer.Option(help="What was looked at")]


def attach(_app: typer.Typer) -> None:
    """Nothing more: these commands hang under ``firm``, which the room of people brings."""


@firm.command("who")
def firm_who(
    finding: Annotated[str, typer.Argument(help="Id of a case; all of them if left out")] = "",
) -> None:
    """List firms that documents name and no number settles, or one with who may be meant."""
    with SESSION.platform.db.snapshot() as conn:
        if finding:
            asked = case(conn, SESSION.actor, finding)
            rows = [
                {
                    "firm": one.firm_id,
                    "name": one.name,
                    "points": one.score.points,
                    "tier": one.score.tier.value,
                    "because": ", ".join(
                        f"{part.code} {part.points:+d}" for part in one.score.parts
                    ),
                }
                for one in asked.candidates
            ]
            show_list(rows, "candidates")
            return
        found = cases(conn, SESSION.actor)
    show_list(
        [
            {
                "finding": one.finding_id,
                "name": one.name,
                "side": one.side,
                "told_by": one.told_by,
                "documents": one.documents,
                "likeliest": one.candidates[0].name if one.candidates else "",
                "points": one.candidates[0].score.points if one.candidates else 0,
            }
            for one in found
        ],
        "cases",
    )


@firm.command("resolve")
def firm_resolve(
    finding: Annotated[str, typer.Argument(help="Id of the case")],
    reason: Why,
    into: Annotated[str, typer.Option("--is", help="The firm that is meant")] = "",
    new: Annotated[bool, typer.Option("--new", help="Invite it as a new firm")] = False,
) -> None:
    """Say who a document means; without --is and --new the documents go back to their sender."""
    outcome = "KNOWN" if into else "NEW" if new else "SENT_BACK"
    payload = {
        "finding_id": finding,
        "outcome": outcome,
        "firm_id": SESSION.firm(into) if into else None,
        "reason": reason,
    }
    result = SESSION.run("identity.decide", payload).result
    show(result | {"jobs": SESSION.platform.worker("command line").drain()})


@firm.command("merge")
def firm_merge(
    which: FirmWord,
    reason: Why,
    into: Annotated[str, typer.Option(help="The record that stands for both")],
) -> None:
    """Propose that one record of a firm stands for another; a second person decides."""
    payload = {
        "firm_id": SESSION.firm(which),
        "survivor_id": SESSION.firm(into),
        "reason": reason,
    }
    show(SESSION.run("firm.merge", payload).result)


@firm.command("unmerge")
def firm_unmerge(
    record: Annotated[str, typer.Argument(help="Id of the record that was given up")],
    reason: Why,
) -> None:
    """Propose that a record stands for itself again; a second person decides."""
    show(SESSION.run("firm.unmerge", {"firm_id": record, "reason": reason}).result)


@firm.command("decide-merge")
def firm_decide_merge(
    merge: Annotated[str, typer.Argument(help="Id of the proposal")],
    reason: Why,
    refuse: Annotated[bool, typer.Option("--refuse", help="Strike the proposal out")] = False,
) -> None:
    """Carry a proposal to join or part records out, or strike it out."""
    payload = {"merge_id": merge, "confirm": not refuse, "reason": reason}
    result = SESSION.run("firm.merge.decide", payload).result
    show(result | {"jobs": SESSION.platform.worker("command line").drain()})
