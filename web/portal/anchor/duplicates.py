"""Two invoices that may be one claim: those that wait for the buyer's word, and the word."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _

from scf.db.visibility import not_found
from scf.kernel.errors import NotAllowed, NotFound, ScfError
from scf.reporting.alike import alike, one_alike
from web.context import actor, platform
from web.portal.acting import act, must
from web.portal.alike import RULES, asked_of, typed
from web.portal.anchor.blueprint import anchor, one_invoice
from web.portal.anchor.invoice import invoice_page
from web.refusals import refusal_text


@anchor.get("/duplicates")
def duplicates() -> str:
    """Show the invoices that look like another one, and what was said of others."""
    with platform().db.read(actor()) as reading:
        return render_template(
            "anchor/duplicates.html",
            waiting=alike(reading, actor()),
            decided=alike(reading, actor(), decided=True),
            rules=RULES,
        )


@anchor.post("/invoices/<invoice_id>/duplicates/<suspicion_id>")
def decide_duplicate(invoice_id: str, suspicion_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Say whether an invoice and another are two claims, or one twice, whose copy is refused."""
    must("duplicate.decide")
    with platform().db.read(actor()) as reading:
        one_invoice(reading, invoice_id)
        found = one_alike(reading, actor(), suspicion_id)
    papers = () if found is None else (found.paper, *([found.twin] if found.twin else []))
    if found is None or invoice_id not in {one.invoice_id for one in papers}:
        raise not_found("duplicate", suspicion_id)
    asked, wrong = asked_of(found)
    if not wrong:
        try:
            act("duplicate.decide", asked)
        except (NotAllowed, NotFound):
            raise
        except ScfError as refused:
            wrong = {"reason": refusal_text(refused)}
    if wrong:
        said = typed()
        form = {"suspicion": found.id, "outcome": said["outcome"], "saw": said["reason"]}
        errors = {f"{name}-{found.id}": text for name, text in wrong.items()}
        return invoice_page(invoice_id, form, errors), 422
    copy = found.twin if found.twin and asked["copy_is"] == "EARLIER" else found.paper
    with platform().db.read(actor()) as reading:
        undertaken = one_invoice(reading, copy.invoice_id).ipu
    if asked["outcome"] != "SAME":
        told = _("Recorded: they are two claims.")
    elif undertaken:
        told = _(
            "Recorded: invoice %(number)s is disputed. Your undertaking stands until the supplier"
            " sends a credit note.",
            number=copy.number,
        )
    else:
        told = _("Recorded: invoice %(number)s is rejected.", number=copy.number)
    flash(told, "ok")
    return redirect(url_for("anchor.invoice", invoice_id=invoice_id), 303)
