"""What if a firm of the chain fails, falls by some grades or pays late: asked and answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, get_args

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.engine import Connection

from scf.chain import picture, views
from scf.chain.picture import Marks, Picture
from scf.kernel.errors import RuleViolation, ScfError
from scf.kernel.rates import PPM, round_half_up
from scf.parties.service import firm_names
from scf.reporting import whatif as book
from scf.risk import whatif
from scf.risk.chainstate import ChainState, state_of
from scf.risk.whatif import Answer, Event
from web.context import actor
from web.i18n import number
from web.portal.officer.desk import act, done, page, reading
from web.portal.officer.words import refused

_MOST: Final = 40  # firms beyond it are summed up; the API has all
_STEPS_UP: Final = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for; what cannot be meant is asked for anew by the form."""

    firm: str
    event: Event
    days: int
    notches: int

    @property
    def size(self) -> int:
        """Give the days or the grades, whichever the event has."""
        return {"late": self.days, "downgrade": self.notches}.get(self.event, 0)


def _asked() -> Asked:
    def count(name: str, usual: int, most: int) -> int:
        given = request.args.get(name, "")
        # ASCII alone: a figure of another script is no number here.
        right = given.isascii() and given.isdigit() and len(given) <= len(str(most))
        return int(given) if right and 1 <= int(given) <= most else usual

    word = request.args.get("event", "")
    event: Event = next((one for one in get_args(Event) if one == word), "fails")
    return Asked(
        request.args.get("firm", "")[:64],
        event,
        count("days", 30, whatif.MOST_DAYS_LATE),
        count("notches", 1, whatif.MOST_NOTCHES),
    )


@page("/chain/look-back", "graph.look_back", method="POST")
def look_back() -> Any:  # noqa: ANN401 - a way on
    """Put together the chain of a past day, and show it where the person was looking."""
    view = {name: value[:100] for name, value in request.args.items()}
    explorer = url_for("chain.explorer", **view)  # type: ignore[arg-type]
    try:
        act("graph.look_back", {"as_of_on": view.get("on", "")})
    except ScfError as refusal:
        flash(refused(refusal), "bad")
        return redirect(explorer, 303)
    return done(_("The chain of that day is put together."), explorer)


@page("/chain/what-if", "graph.explore")
def what_if() -> Any:  # noqa: ANN401 - a page, and whether all is well
    """Show whom a firm's trouble reaches, what is out on them, and which limits would be over."""
    asked, who = _asked(), actor()
    with reading() as session:
        conn = session.connection()
        try:
            state = state_of(conn, who.org_id)
            state.place(asked.firm)
        except ScfError as missing:
            return render_template("officer/whatif.html", asked=asked, missing=refused(missing)), (
                missing.http_status
            )
        shared: dict[str, Any] = {"asked": asked, "events": _events(), "as_of_on": state.as_of_on}
        try:
            told = book.ask(session, who.org_id, asked.firm, asked.event, asked.size)
        except RuleViolation as refusal:
            names = firm_names(conn, [asked.firm])
            return render_template(
                "officer/whatif.html", **shared, names=names, refusal=refused(refusal)
            )
        answer = told.found
        drawn = _drawn(conn, state, answer)
        shown = answer.moved[:_MOST]
        names = firm_names(
            conn,
            {asked.firm, *answer.touched[:_MOST], *(step for one in shown for step in one.path)}
            | {one.firm_id for one in told.over}
            | {firm for firm, _cents in answer.quiet[:_MOST]},
        )
    return render_template(
        "officer/whatif.html",
        **shared,
        answer=answer,
        moved=shown,
        more=len(answer.moved) - len(shown),
        more_change=sum(answer.moved.changes[_MOST:]),
        short=answer.short[:_MOST],
        quiet=answer.quiet[:_MOST],
        claims=_by_firm(told.claims),
        over=told.over,
        picture=drawn,
        names=names,
        ppm=_ppm,
        expected=_failures(answer.total),
        too_small=_failures(answer.rest),
    )


def _failures(expected: float) -> str:
    return number(round_half_up(Fraction(expected) * 1000), 3)


def _ppm(probability: float) -> int:
    return round_half_up(Fraction(probability) * PPM)


def _events() -> list[tuple[str, str]]:
    return [
        ("fails", str(_("it fails"))),
        ("late", str(_("it pays late"))),
        ("downgrade", str(_("it is downgraded"))),
    ]


def _by_firm(claims: Sequence[book.Claim]) -> Mapping[str, list[book.Claim]]:
    found: dict[str, list[book.Claim]] = {}
    for one in claims:
        found.setdefault(one.firm_id, []).append(one)
    return found


def _drawn(conn: Connection, state: ChainState, answer: Answer) -> Picture | None:
    """Draw the suppliers that the trouble runs up to, by the grades they would have."""
    try:
        seen = views.chain_of(conn, actor(), answer.firm_id, _STEPS_UP, 0)
    except ScfError:
        return None
    after = answer.moved.grades_after()
    grades = {**state.grades(seen.level), **after, answer.firm_id: answer.grade_after}
    path = answer.moved[0].path if answer.moved else ()
    inside = path if all(step in seen.level for step in path) else ()
    return picture.around(seen, Marks("risk", risk=grades), highlight=inside)
