"""Another price for a case: what it would do is shown, then it is signed with code and note."""

import re
from collections.abc import Mapping
from typing import Any, Final

from flask import render_template, request, url_for
from flask_babel import gettext as _

from scf.kernel.errors import ScfError
from scf.reporting.repriced import Effect, effect
from web.context import actor
from web.i18n import money, percent, role_name
from web.portal.officer import caseview, verdicts, words
from web.portal.officer.case import bound, file_of
from web.portal.officer.desk import act, done, errors_of, page, reading, typed
from web.second_factor import check

_LEAST_WORDS: Final = 3
_WHOLE: Final = re.compile(r"[+\-\u2212]?\d{1,4}")


@page("/cases/<request_id>/price", "request.reprice")
def price(request_id: str) -> Any:  # noqa: ANN401 - a page, and whether all is well
    """Show what the price is, and with a number typed what it would be."""
    text = request.args.get("bp", "").strip()[:8]
    return _page(request_id, text, {}, 200)


def shift_of(text: str) -> int | None:
    """Read whole basis points, more or less; nothing where it is none."""
    return int(text.replace("\u2212", "-")) if _WHOLE.fullmatch(text) and text.isascii() else None


def _page(request_id: str, text: str, errors: Mapping[str, str], status: int) -> tuple[str, int]:
    file = file_of(request_id)
    shift, found, told = shift_of(text), None, dict(errors)
    if text and shift is None:
        told["bp"] = _("Write whole basis points, for example -10 or 15.")
        status = 422
    try:
        with reading() as session:
            found = effect(session, actor(), request_id, shift or 0)
    except ScfError as refusal:
        told["form"] = words.refused(refusal)
    body = render_template(
        "officer/reprice.html",
        case=caseview.view(file, actor()),
        effect=_shown(found) if found is not None and shift is not None else None,
        now=_now(found) if found is not None else None,
        codes=verdicts.override_codes(),
        open=found is not None and any(a.name == "reprice" and a.allowed for a in file.acts),
        bp=text,
        typed={name: value[:4000] for name, value in request.form.items()},
        errors=told,
    )
    return body, status


def _now(found: Effect) -> list[tuple[str, str]]:
    return [
        (_("Price"), f"{found.rate_before}%"),
        (_("Pays out"), money(found.net_before_minor, found.currency)),
        (_("Risk-adjusted return"), _return(found.before)),
    ]


def _return(figures: Any) -> str:  # noqa: ANN401 - figures, or nothing
    if figures is None or figures.return_ppm is None:
        return "–"
    return percent(figures.return_ppm, 1)


def _shown(found: Effect) -> dict[str, Any]:
    """Give what would change, row by row: before, after, and the difference where there is one."""
    if found.refusal is not None:
        return {"refused": words.refused(found.refusal), "rows": [], "parts": []}
    more = found.more_minor
    sign = "+" if more > 0 else ""
    rows = [
        (_("Price"), f"{found.rate_before}%", f"{found.rate_after}%"),
        (
            _("All-in a year, simple"),
            percent(found.all_in_before_ppm),
            percent(found.all_in_after_ppm),
        ),
        (
            _("Pays out"),
            money(found.net_before_minor, found.currency),
            money(found.net_after_minor, found.currency),
        ),
        (_("Risk-adjusted return"), _return(found.before), _return(found.after)),
        (
            _("Expected loss"),
            money(found.before.expected_loss_minor, found.currency),
            money(found.after.expected_loss_minor, found.currency) if found.after else "–",
        ),
    ]
    roles = ", ".join(role_name(role.value) for role in found.roles)
    return {
        "refused": "",
        "rows": rows,
        "parts": [(words.component(name), before, after) for name, before, after in found.parts],
        "total": (sum(one[1] for one in found.parts), sum(one[2] for one in found.parts)),
        "hurdle": percent(found.before.hurdle_ppm, 1),
        "more": f"{sign}{money(more, found.currency)}",
        "same": found.rate_before == found.rate_after,
        "needs": _(
            "%(count)s people, the last word for: %(roles)s.", count=found.people, roles=roles
        ),
    }


@page("/cases/<request_id>/price", "request.reprice", method="POST")
def reprice_case(request_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Propose the price that was shown; the case begins again with a first word."""
    file = file_of(request_id)
    text, note = typed("bp", 8), typed("note")
    shift = shift_of(text)
    if shift is None:
        return _page(request_id, text or "?", {}, 422)
    if len(note) < _LEAST_WORDS:
        return _page(request_id, text, {"note": _("Say why, in a few words.")}, 422)
    version = request.form.get("version", "")
    number = int(version) if version.isascii() and version.isdigit() else 0
    payload = {
        "request_id": request_id,
        "version": number,
        "margin_shift_bp": shift,
        "code": typed("why", 64),
        "note": note,
    }
    try:
        check(bound(file, number))
        act("request.reprice", payload)
    except ScfError as refusal:
        return _page(request_id, text, errors_of(refusal, ("note",)), refusal.http_status)
    said = _("The price is proposed. The case begins again with a first word.")
    return done(said, url_for("officer.case", request_id=request_id))
