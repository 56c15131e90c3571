"""Possible duplicates: two papers side by side, and the financier's own word on them."""

from collections.abc import Iterable
from typing import Any

from flask import render_template, url_for
from flask_babel import gettext as _

from scf.kernel.errors import ScfError
from scf.parties.access import may
from scf.reporting.alike import Alike, Paper, alike, one_alike
from web.context import actor
from web.i18n import day, money
from web.portal.alike import RULES, asked_of, typed
from web.portal.officer.desk import act, done, errors_of, missing, page, reading
from web.portal.officer.words import acceptance_state, match_state


@page("/duplicates", "duplicate.read")
def duplicates() -> str:
    """Show what waits for this financier's word, and what it said of others."""
    with reading() as session:
        waiting, decided = alike(session, actor()), alike(session, actor(), decided=True)
    return render_template("officer/duplicates.html", waiting=waiting, decided=decided, rules=RULES)


@page("/duplicates/<suspicion_id>", "duplicate.read")
def duplicate(suspicion_id: str) -> str:
    """Show two papers that may be one claim, and the form for this person's word."""
    return _one(suspicion_id, {}, {})


def _found(suspicion_id: str) -> Alike:
    with reading() as session:
        found = one_alike(session, actor(), suspicion_id)
    if found is None:
        raise missing("duplicate")
    return found


def _one(suspicion_id: str, form: dict[str, str], errors: dict[str, str]) -> str:
    found = _found(suspicion_id)
    return render_template(
        "officer/duplicate.html",
        one=found,
        rule=RULES[found.code],
        rows=list(compared(found.twin, found.paper)) if found.twin else [],
        form=form,
        errors=errors,
        may_decide=may(actor(), "duplicate.decide") and found.waits,
        own_word=found.by_id == actor().user_id,
    )


def compared(twin: Paper, paper: Paper) -> Iterable[tuple[str, str, str, bool | None]]:
    """Give label, earlier, later, and whether they are equal; None: it proves nothing."""
    yield _("Seller"), twin.seller, paper.seller, twin.seller == paper.seller
    yield _("Buyer"), twin.buyer, paper.buyer, twin.buyer == paper.buyer
    yield _("Number"), twin.number, paper.number, twin.number == paper.number
    amounts = [money(one.payable_minor, one.currency) for one in (twin, paper)]
    yield _("To pay"), *amounts, twin.payable_minor == paper.payable_minor
    yield (
        _("Invoice date"),
        day(twin.issue_on),
        day(paper.issue_on),
        twin.issue_on == paper.issue_on,
    )
    due = [day(one.due_on) if one.due_on else "–" for one in (twin, paper)]
    yield _("Due"), *due, twin.due_on == paper.due_on
    same_order = twin.order == paper.order if twin.order or paper.order else None
    yield _("Order"), twin.order or "–", paper.order or "–", same_order
    if twin.lines or paper.lines:
        yield _("Lines"), str(twin.lines), str(paper.lines), None
    matched = [match_state(one.match_state)[0] for one in (twin, paper)]
    yield _("Fits its order"), *matched, None
    accepted = [acceptance_state(one.acceptance_state)[0] for one in (twin, paper)]
    yield _("Buyer's word"), *accepted, None
    taken = [money(one.taken_minor, one.currency) for one in (twin, paper)]
    yield _("Held or paid out"), *taken, None
    yield _("Handed in by"), twin.came_from, paper.came_from, None


@page("/duplicates/<suspicion_id>", "duplicate.decide", method="POST")
def decide_duplicate(suspicion_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Say whether two papers are one claim, and why."""
    found = _found(suspicion_id)
    asked, errors = asked_of(found)
    form = typed()
    if errors:
        return _one(suspicion_id, form, errors), 422
    try:
        result = act("duplicate.decide", asked).result
    except ScfError as refusal:
        return _one(suspicion_id, form, errors_of(refusal, ("reason",))), refusal.http_status
    said = (
        _("Your word is recorded; a second person has to say the same.")
        if result["state"] == "PROPOSED"
        else _("Your word is recorded.")
    )
    return done(said, _following(suspicion_id))


def _following(suspicion_id: str) -> str:
    """Give the next pair that waits for this person's word, else the list."""
    with reading() as session:
        rest = [one for one in alike(session, actor()) if one.by_id != actor().user_id]
    for one in rest:
        if one.id != suspicion_id:
            return url_for("officer.duplicate", suspicion_id=one.id)
    return url_for("officer.duplicates")
