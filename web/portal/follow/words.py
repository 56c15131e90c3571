"""What the steps of a trail are called, how each stands, and where it leads a reader."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from scf.kernel.actor import Actor, Role
from scf.reporting.trail import Law, Step
from web.i18n import day, money
from web.names import event_name
from web.portal.follow.elsewhere import Elsewhere
from web.portal.officer.words import part_name, state_of

_TITLES: Final = {
    "order": _l("Order %(number)s"),
    "order_answer": _l("Word on the order: %(number)s"),
    "despatch": _l("Despatch %(number)s"),
    "receipt": _l("Goods received: %(number)s"),
    "invoice": _l("Invoice %(number)s"),
    "due": _l("Due: invoice %(number)s"),
    "accepted": _l("Accepted by the buyer"),
    "rejected": _l("Rejected by the buyer"),
    "dispute": _l("Disputed by the buyer"),
    "dispute_ended": _l("Dispute ended"),
    "credit_note": _l("Credit note %(number)s"),
    "request": _l("Early payment requested"),
    "payment": _l("Payment ordered"),
    "paid_out": _l("Payment booked by the bank"),
    "money_in": _l("Money in"),
    "paid": _l("Paid by the buyer"),
    "paid_back": _l("A payment of the buyer was taken back"),
    "over_advance": _l("Less is owed than was financed"),
}  # fmt: skip
_WORDS: Final = {
    "APPROVE": _l("Decision: approved"),
    "APPROVED": _l("Decision: approved"),
    "AUTO_OK": _l("Decision: approved by the policy"),
    "COUNTER": _l("Decision: less was offered"),
    "RETURN": _l("Decision: the seller was asked"),
    "DECLINE": _l("Decision: declined"),
    "DECLINED": _l("Decision: declined"),
    "DIFFER": _l("Decision: the second word differed"),
    "UNDO": _l("Decision taken back"),
}
_LAWS: Final = {
    "INVOICE": _l("Invoice %(about)s: owed = credited + paid + open"),
    "FACE": _l("Advance on %(about)s: face = paid out + cost + kept back"),
    "PAID_OUT": _l("Advance on %(about)s: paid out = booked by the bank"),
    "RECEIPT": _l("Receipt %(about)s: the sum of what it paid and of what waits"),
    "ENTRIES": _l("Own book: debits = credits"),
}
_BAD: Final = frozenset({
    "REJECTED", "RETURNED", "FAILED", "OVERDUE", "RECOURSE_CALLED", "DECLINED", "DECLINE",
    "REVERSED", "TAKEN_BACK", "WRITTEN_OFF", "VOID", "REFUSED",
})  # fmt: skip
_BAD_KINDS: Final = frozenset({"rejected", "dispute", "over_advance", "paid_back"})
_BOOKS: Final = frozenset({"entry", "closes"})


@dataclass(frozen=True)
class Told:
    """A step in words: what, more of it, and the page behind it."""

    step: Step
    text: str
    note: str
    href: str
    kind: str  # done bad book todo


def law_words(law: Law) -> str:
    """Tell what two sums are."""
    return str(_LAWS[law.code]) % {"about": law.about or "–"}


def told(
    step: Step, who: Actor, names: Mapping[str, str], today: dt.date, elsewhere: Elsewhere
) -> Told:
    """Tell one step to its reader."""
    bad = step.kind in _BAD_KINDS or step.code in _BAD
    kind = "bad" if bad else "book" if step.kind in _BOOKS else "done"
    kind = "todo" if step.kind == "due" and step.on > today else kind
    note = _note(step, names, elsewhere.get((step.kind, step.about), ""))
    return Told(step, _title(step), note, _page(step, who), kind)


def _title(step: Step) -> str:
    if step.kind in _BOOKS:
        return event_name(step.code)
    if step.kind == "advance":
        return str(_("Advance: %(state)s", state=state_of("advance", step.code)[0]))
    if step.kind == "decision":
        return str(_WORDS.get(step.code, _("Decision")))
    if step.kind == "allocation":
        return part_name(str(step.facts["kind"]))
    if step.kind == "accepted" and step.code == "IPU":
        return str(_("Accepted by the buyer, irrevocably"))
    return str(_TITLES[step.kind]) % {"number": step.number or "–"}


def _note(step: Step, names: Mapping[str, str], elsewhere: str) -> str:
    found = [*_parts(step, names.get(step.firm_id, "")), elsewhere]
    return " · ".join(str(one) for one in found if one)


def _parts(step: Step, firm: str) -> list[str]:  # noqa: PLR0911 - a line a kind
    facts = step.facts
    match step.kind:
        case "payment" | "paid_out":
            found = [firm, part_name(str(facts["kind"])), step.number]
            stands = [state_of("payment", step.code)[0], step.note]
            return found + (stands if step.kind == "payment" else [])
        case "request":
            net = money(facts["net_minor"], step.currency)
            return [firm, _("%(sum)s to be paid out", sum=net)]
        case "decision":
            return [firm, _by(facts.get("by"), facts.get("step")), step.note]
        case "advance":
            return [firm]
        case "credit_note":
            return [_("on invoice %(number)s", number=facts["invoice"])]
        case "money_in":
            return [firm, step.number, *_shares(step)]
        case "allocation":
            return [_("taken back") if step.code == "TAKEN_BACK" else "", firm]
        case "over_advance":
            still = facts["open_minor"]
            left = _("%(sum)s still open", sum=money(still, step.currency))
            return [left if still else _("cured")]
        case "closes":
            closes = ngettext("%(num)d close", "%(num)d closes", facts["count"])
            return [closes, _("since %(day)s", day=day(facts["first_on"]))]
    return [step.note]


def _by(who: object, step: object) -> str:
    if who == "policy":
        return str(_("by the policy"))
    return str(_("second word") if step and int(str(step)) > 1 else _("by an officer"))


def _shares(step: Step) -> list[str]:
    """Tell what a receipt paid of this trail, part by part."""
    found = []
    for one in step.facts["parts"]:
        words = f"{part_name(one['kind'])} {money(one['amount_minor'], step.currency)}"
        found.append(_("%(part)s, taken back", part=words) if one["taken_back"] else words)
    return found


# --- Where a step leads ---------------------------------------------------------------------------


def _page(step: Step, who: Actor) -> str:
    seller, buyer = Role.TREASURER in who.roles, bool(
        who.roles & {Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER}
    )  # fmt: skip
    if step.kind in _BOOKS:
        way = "books.entry" if seller or buyer else "officer.book_entry"
        return url_for(way, ledger_entry_id=step.about)
    if seller:
        return _of_seller(step)
    return _of_buyer(step) if buyer else _of_bank(step)


def _of_seller(step: Step) -> str:
    if step.kind in {"invoice", "due", "accepted", "rejected", "paid", "paid_back"}:
        return url_for("treasurer.invoice", invoice_id=step.about)
    if step.kind in {"request", "decision"}:
        return url_for("treasurer.request", request_id=step.about)
    if step.kind in {"payment", "paid_out"}:
        return url_for("treasurer.payments")
    return url_for("follow.order", order_id=step.about) if step.kind == "order" else ""


def _of_buyer(step: Step) -> str:
    if step.kind in {"invoice", "due", "accepted", "rejected", "paid", "paid_back"}:
        return url_for("anchor.invoice", invoice_id=step.about)
    if step.kind in {"dispute", "dispute_ended"}:
        return url_for("anchor.invoice", invoice_id=step.facts["invoice_id"])
    return url_for("follow.order", order_id=step.about) if step.kind == "order" else ""


def _of_bank(step: Step) -> str:
    if step.kind in {"request", "decision"}:
        return url_for("officer.case", request_id=step.about)
    if step.kind == "advance":
        return url_for("officer.advance", advance_id=step.about)
    if step.kind == "over_advance":
        return url_for("officer.advance", advance_id=step.facts["advance_id"])
    if step.kind in {"payment", "paid_out"} and step.facts["file_id"]:
        return url_for("officer.pay_out", file_id=step.facts["file_id"])
    return url_for("officer.receipt", entry_id=step.about) if step.kind == "money_in" else ""
