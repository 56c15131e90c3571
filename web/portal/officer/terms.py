"""The terms of a programme, said in words a banker would use."""

from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import ngettext

from scf.documents.quantities import from_micro
from web.i18n import money
from web.portal.officer.words import check_name

Sentence = tuple[str, str, str]  # the key of the terms, what it is about, what was agreed
_PERCENT: Final = 10_000


def _rate(ppm: int) -> str:
    """Write parts per million as a percentage with no more digits than it has."""
    whole, rest = divmod(abs(ppm), _PERCENT)
    digits = f"{rest:04d}".rstrip("0")
    decimals = f".{digits.ljust(2, '0')}" if digits else ""
    return f"{'-' if ppm < 0 else ''}{whole}{decimals}%"


def sentences(terms: object) -> list[Sentence]:
    """Give the terms, one sentence a subject, in the order in which people ask."""
    if not isinstance(terms, dict):
        return []
    return [
        (key, title, text)
        for key, title, text in (
            *_claim(terms),
            *_price(terms),
            *_cover(terms),
            *_range(terms),
            *_days(terms),
            *_late(terms),
            *_looks(terms),
        )
        if text
    ]


def changed(before: object, after: object) -> set[str]:
    """Give the subjects whose terms differ between two versions."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return set()
    return {key for key in {*before, *after} if before.get(key) != after.get(key)}


def _claim(terms: dict[str, Any]) -> list[Sentence]:
    recourse = {
        "full": _("The seller answers if the obligor does not pay: a loan in the books."),
        "after_days": _(
            "The seller answers once the obligor is %(days)s days late: a loan in the books.",
            days=terms.get("recourse_after_days", 0),
        ),
    }.get(terms.get("recourse", "none"), _("Without recourse: the purchase is final."))
    undertaking = (
        _("The anchor's acceptance is an irrevocable promise to pay.")
        if terms.get("ipu") == "from_acceptance"
        else _("The acceptance is no promise to pay.")
    )
    told = _("The obligor is told.") if terms.get("disclosed") else _("The obligor is not told.")
    return [
        ("recourse", _("Recourse"), recourse),
        ("ipu", _("Undertaking"), undertaking),
        ("disclosed", _("Assignment"), told),
    ]


def _price(terms: dict[str, Any]) -> list[Sentence]:
    if terms.get("price_mode") == "risk":
        mode = _("Priced by risk: eleven components for each quote.")
    else:
        mode = _("Priced by contract: benchmark of the day plus margin.")
    steps = [
        _("%(rate)s up to %(days)s days", rate=_rate(step["margin_ppm"]), days=step["max_days"])
        for step in terms.get("margin", ())
    ]
    currencies = []
    for code, part in terms.get("currency", {}).items():
        least = money(part.get("amount_min_minor", 1), code)
        currencies.append(
            _(
                "%(code)s on %(benchmark)s, from %(least)s",
                code=code,
                benchmark=part["benchmark"],
                least=least,
            )
            if part.get("benchmark")
            else _("%(code)s, from %(least)s", code=code, least=least)
        )
    basis = (
        _("The rate is applied to the face.")
        if terms.get("rate_basis", "face") == "face"
        else _("The rate is applied to the cash paid out.")
    )
    floor = terms.get("rate_floor_ppm", 0)
    held = ngettext(
        "A quote is held for %(num)d minute.",
        "A quote is held for %(num)d minutes.",
        terms.get("quote_minutes", 15),
    )
    return [
        ("price_mode", _("Price"), mode),
        ("margin", _("Margin"), "; ".join(steps)),
        ("currency", _("Currencies"), "; ".join(currencies)),
        ("rate_basis", _("Basis"), basis),
        (
            "rate_floor_ppm",
            _("Floor"),
            _("Never below %(rate)s.", rate=_rate(floor)) if floor else _("None"),
        ),
        ("quote_minutes", _("Quote"), held),
    ]


def _cover(terms: dict[str, Any]) -> list[Sentence]:
    """Say what a credit insurer covers, what it costs, and when it pays."""
    cover = terms.get("insurance")
    if not cover:
        return [("insurance", _("Credit insurance"), _("None"))]
    said = _(
        "Policy %(policy)s of %(insurer)s pays %(share)s of a loss, %(days)s days after the due "
        "date, for a premium of %(premium)s a year on the financed face. Each debtor needs the "
        "insurer's own limit.",
        policy=cover["policy"],
        insurer=cover["insurer"],
        share=_rate(cover["cover_ppm"]),
        days=cover.get("waiting_days", 0),
        premium=_rate(cover.get("premium_ppm", 0)),
    )
    return [("insurance", _("Credit insurance"), said)]


def _range(terms: dict[str, Any]) -> list[Sentence]:
    days = _(
        "From %(least)s to %(most)s days.",
        least=terms.get("tenor_min_days", 1),
        most=terms.get("tenor_max_days", 365),
    )
    share = _("%(share)s of what is eligible.", share=_rate(terms.get("advance_ppm", 1_000_000)))
    parts = (
        _("A part of an invoice may be financed.")
        if terms.get("partial_allowed", True)
        else _("An invoice is financed whole or not at all.")
    )
    match = {
        "none": _("Matching with an order is not required."),
        "order": _("The invoice must match its order first."),
        "receipt": _("The invoice must match its order and what the buyer has received."),
        "despatch": _("The invoice must match its order, what was sent and what was received."),
    }[terms.get("match_mode", "none")]
    return [
        ("tenor_max_days", _("Tenor"), days),
        ("advance_ppm", _("Advance"), share),
        ("partial_allowed", _("Parts"), parts),
        ("match_mode", _("Matching"), match),
        ("tolerance", _("Tolerated"), _tolerated(terms.get("tolerance", {}))),
        ("currency", _("Differences in money"), _differences(terms.get("currency", {}))),
        ("tax_check", _("Tax authority"), _tax(terms)),
        ("einvoice_rules", _("E-invoice rules"), _rules(terms)),
    ]


def _tolerated(limits: dict[str, Any]) -> str:
    """Say which shares an invoice may lie beside its order and its receipts."""
    parts = []
    if limits.get("quantity_over_ppm"):
        most = limits.get("quantity_over_micro")
        over = _rate(limits["quantity_over_ppm"])
        parts.append(
            _("quantity %(rate)s over", rate=over)
            if most is None
            else _("quantity %(rate)s over, at most %(most)s", rate=over, most=from_micro(most))
        )
    if limits.get("quantity_under_ppm"):
        parts.append(_("complete from %(rate)s under", rate=_rate(limits["quantity_under_ppm"])))
    if limits.get("price_over_ppm"):
        parts.append(_("price %(rate)s over", rate=_rate(limits["price_over_ppm"])))
    if limits.get("price_under_ppm") is not None:
        parts.append(_("price %(rate)s under", rate=_rate(limits["price_under_ppm"])))
    return "; ".join(parts) or str(_("No share of quantity or price."))


def _differences(currencies: dict[str, Any]) -> str:
    """Say which sums an invoice may lie beside its order, and what a clerk may let pass."""
    parts = []
    for code, agreed in currencies.items():
        least = agreed.get("price_over_minor")
        if least is not None:
            parts.append(_("at most %(amount)s on a line's price", amount=money(least, code)))
        if agreed.get("variance_minor"):
            beside = money(agreed["variance_minor"], code)
            parts.append(_("%(amount)s beside the order", amount=beside))
        if agreed.get("clerk_waives_minor"):
            alone = money(agreed["clerk_waives_minor"], code)
            parts.append(_("a clerk lets %(amount)s pass", amount=alone))
    return "; ".join(parts) or str(_("None; a clerk lets nothing pass alone."))


def _tax(terms: dict[str, Any]) -> str:
    scheme = terms.get("tax_scheme") or ""
    said = {
        "none": _("It is not asked."),
        "offer": _("It must confirm the invoice before an offer (%(scheme)s).", scheme=scheme),
        "full": _(
            "It must confirm the invoice before an offer and before money leaves, and is asked "
            "every week until it is paid (%(scheme)s).",
            scheme=scheme,
        ),
    }[terms.get("tax_check", "none")]
    return str(said)


def _rules(terms: dict[str, Any]) -> str:
    if terms.get("einvoice_rules", "inform") == "demand":
        return str(_("An invoice that does not keep EN 16931 is not financed."))
    return str(_("A broken rule of EN 16931 is told and keeps nothing out."))


def _days(terms: dict[str, Any]) -> list[Sentence]:
    cut_off = _(
        "Until %(time)s, %(zone)s.",
        time=terms.get("cut_off", ""),
        zone=terms.get("cut_off_zone", ""),
    )
    return [
        ("day_count", _("Day count"), str(terms.get("day_count", ""))),
        ("cut_off", _("Cut-off"), cut_off),
    ]


def _late(terms: dict[str, Any]) -> list[Sentence]:
    grace = ngettext("%(num)d day of grace.", "%(num)d days of grace.", terms.get("grace_days", 0))
    free = (
        _("The grace is free of cost.")
        if terms.get("grace_free")
        else _("After it, the penalty counts from the due date.")
    )
    penalty = _(
        "%(share)s of the contract rate.", share=_rate(terms.get("penalty_multiple_ppm", 0))
    )
    rebate = _(
        "%(share)s of the discount that was not earned is given back.",
        share=_rate(terms.get("rebate_share_ppm", 0)),
    )
    return [
        ("grace_days", _("Grace"), f"{grace} {free}"),
        ("penalty_multiple_ppm", _("Penalty"), penalty),
        ("rebate_share_ppm", _("Repaid early"), rebate),
    ]


def _looks(terms: dict[str, Any]) -> list[Sentence]:
    before = ", ".join(check_name(kind) for kind in terms.get("checks_before_decision", ()))
    then = ", ".join(check_name(kind) for kind in terms.get("checks_before_payout", ()))
    return [
        ("checks_before_decision", _("Checks before the decision"), before or _("None")),
        ("checks_before_payout", _("Checks before the pay-out"), then or _("None")),
    ]
