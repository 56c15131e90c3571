"""The chain: build a day's snapshot, show a firm in it."""

import datetime as dt
from typing import Annotated, Any

import typer
from sqlalchemy.engine import Connection

from scf.chain import nightly, service, views
from scf.chain.standing import standing_of
from scf.cli.common import SESSION, show, show_list
from scf.kernel.money import format_minor
from scf.parties.access import authorise
from scf.parties.service import firm_names
from scf.reporting import whatif as book
from scf.risk import whatif

graph = typer.Typer(help="The supply chain as a graph: build, show.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.add_typer(graph, name="graph")


@graph.command("build")
def build_chains(
    on: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Put together your bank's chain of a past day"),
    ] = None,
) -> None:
    """Build every financier's chain as known before its business date; once a day is enough."""
    if on:
        show(SESSION.run("graph.look_back", {"as_of_on": on.date()}).result)
        return
    show_list(nightly.build_all(SESSION.platform), "snapshots")


@graph.command("show")
def show_firm(
    firm: Annotated[str, typer.Argument(metavar="FIRM", help="Id, or scheme:value")],
    up: Annotated[int, typer.Option(help="Steps towards suppliers")] = 1,
    down: Annotated[int, typer.Option(help="Steps towards customers")] = 1,
    on: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="As known before that day; see build --on"),
    ] = None,
) -> None:
    """Show a firm's place, what its trade hangs on, and its partners, as you may see them."""
    authorise(SESSION.actor, "graph.read")
    firm_id = SESSION.firm(firm)
    with SESSION.reading() as conn:
        day = on.date() if on else None
        seen = views.chain_of(conn, SESSION.actor, firm_id, up, down, on=day)
        whole = _whole(conn, seen) if seen.full else {}
    answer: dict[str, Any] = {
        "firm": seen.names.get(firm_id, firm_id),
        "as_of_on": seen.as_of_on,
        **_place(seen, firm_id),
        **whole,
    }
    shares = views.concentrations(seen.relations, firm_id)
    if SESSION.as_json:
        show(
            answer
            | {
                "concentration": [_share(one, seen) for one in shares],
                "firms": [_firm(seen, one) for one in _ordered(seen)],
                "relations": [_relation(one, seen) for one in seen.relations],
                "deeper": [{"level": d.level, "firms": d.firms} for d in seen.deeper],
                "complete": seen.complete,
            }
        )
        return
    show(answer)
    show_list([_share(one, seen) for one in shares], "concentrations")
    show_list([_firm(seen, one) for one in _ordered(seen)], "firms")
    largest = sorted(seen.relations, key=lambda one: -one.sales_52w_minor)[:20]
    show_list([_relation(one, seen) for one in largest], "relations")
    for one in seen.deeper:
        count = "fewer than 5" if one.firms is None else one.firms
        typer.echo(f"level {one.level:+d}: {count} more firms")


@graph.command("what-if")
def what_if(
    firm: Annotated[str, typer.Argument(metavar="FIRM", help="Id, or scheme:value")],
    late: Annotated[int, typer.Option(metavar="DAYS", help="It pays so many days late")] = 0,
    downgrade: Annotated[
        int, typer.Option(metavar="GRADES", help="It falls by so many grades")
    ] = 0,
) -> None:
    """Show whom a firm's failure reaches (or its delay, or a worse grade); nothing is changed."""
    if late and downgrade:
        raise typer.BadParameter("Either --late or --downgrade.")
    authorise(SESSION.actor, "graph.explore")
    firm_id, bank_id = SESSION.firm(firm), SESSION.actor.org_id
    event: whatif.Event = "late" if late else "downgrade" if downgrade else "fails"
    with SESSION.platform.db.read(SESSION.actor) as session:
        asked = book.ask(session, bank_id, firm_id, event, late or downgrade)
        found = asked.found
        steps = {step for one in found.moved for step in one.path}
        names = firm_names(session.connection(), {firm_id, *found.touched, *steps})
    answer: dict[str, Any] = {
        "firm": names.get(firm_id, firm_id),
        "as_of_on": found.as_of_on,
        "snapshot_id": found.snapshot_id,
        "event": found.event,
        "grade": f"{found.grade_before} -> {found.grade_after}",
        "more_failures": round(found.total, 6),
        "of_which_not_listed": round(found.rest, 6),
        "open_on_it": format_minor(found.receivable_minor, whatif.PLANNING),
        "put_off": format_minor(found.put_off_minor, whatif.PLANNING),
    }
    tables: dict[str, list[dict[str, Any]]] = {
        "firms": [
            {
                "firm": names.get(one.firm_id, one.firm_id),
                "pd_before_percent": round(100 * one.pd_before, 4),
                "pd_after_percent": round(100 * one.pd_after, 4),
                "grade": f"{one.grade_before} -> {one.grade_after}",
                "open_on_it": format_minor(one.receivable_minor, whatif.PLANNING),
                "path": " > ".join(names.get(step, step) for step in one.path),
            }
            for one in found.moved
        ],
        "short": [
            {
                "firm": names.get(one.firm_id, one.firm_id),
                "week": one.week,
                "unpaid_before": format_minor(one.before_minor, whatif.PLANNING),
                "unpaid_after": format_minor(one.after_minor, whatif.PLANNING),
            }
            for one in found.short
        ],
        "claims": [
            {
                "firm": names.get(one.firm_id, one.firm_id),
                "currency": one.currency,
                "owed": format_minor(one.owed_minor, one.currency),
                "recourse": format_minor(one.recourse_minor, one.currency),
            }
            for one in asked.claims
        ],
        "limits": [
            {
                "kind": one.line.kind,
                "name": one.line.name,
                "taken": format_minor(one.line.taken_minor, one.line.currency),
                "limit": format_minor(one.line.limit_minor, one.line.currency),
                "because_of": names.get(one.firm_id, one.firm_id),
            }
            for one in asked.over
        ],
    }
    if SESSION.as_json:
        show(answer | tables)
        return
    show(answer)
    for name, rows in tables.items():
        if rows:
            show_list(rows, name)


def _place(seen: views.ChainView, firm_id: str) -> dict[str, Any]:
    node = seen.nodes.get(firm_id)
    if node is None:
        return {}
    return {
        "tier_up": node.tier_up,
        "tier_down": node.tier_down,
        "trades_in_a_circle": node.circle_id is not None,
    }


def _whole(conn: Connection, seen: views.ChainView) -> dict[str, Any]:
    snapshot = service.latest_snapshot(conn, SESSION.actor.org_id, on=seen.as_of_on)
    found = standing_of(conn, snapshot, seen.firm_id)
    if found is None:
        return {}
    names = firm_names(conn, [found.through] if found.through else [])
    return {
        "core": f"{found.core} of {found.deepest}",
        "weight_rank": f"{found.rank} of {found.firms}",
        "firms_of_its_community": found.community,
        "cut_off_without_it": found.behind,
        "its_goods_must_pass": names.get(found.through or "", found.through or ""),
    }


def _ordered(seen: views.ChainView) -> list[str]:
    return sorted(seen.level, key=lambda firm: (-seen.level[firm], seen.names.get(firm, firm)))


def _firm(seen: views.ChainView, firm_id: str) -> dict[str, Any]:
    return {
        "id": firm_id,
        "name": seen.names.get(firm_id, ""),
        "level": seen.level[firm_id],
        **_place(seen, firm_id),
    }


def _share(one: views.Share, seen: views.ChainView) -> dict[str, Any]:
    return {
        "currency": one.currency,
        "side": one.side,
        "amount": format_minor(one.total_minor, one.currency),
        "partners": one.partners,
        "hhi": round(one.hhi, 4),
        "largest": seen.names.get(one.top_id, one.top_id),
        "largest_percent": round(100 * one.top_share, 2),
    }


def _relation(one: views.Relation, seen: views.ChainView) -> dict[str, Any]:
    return {
        "seller": seen.names.get(one.seller_id, one.seller_id),
        "buyer": seen.names.get(one.buyer_id, one.buyer_id),
        "currency": one.currency,
        "sales_52w_amount": format_minor(one.sales_52w_minor, one.currency),
        "open_amount": format_minor(one.open_minor, one.currency),
        "overdue_days": one.overdue_days,
        "last_on": one.last_on,
    }
