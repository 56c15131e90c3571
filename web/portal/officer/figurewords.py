"""What the figures that judge a firm are called, and the groups in which firms are looked at."""

from collections.abc import Mapping
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

# Inputs of the card and features of trained models: what is measured, and in which unit.
FIGURES: Final[Mapping[str, tuple[object, object]]] = {
    "score": (_l("Probability of default"), _l("grade")),
    "late_share": (_l("Bills paid late"), _l("share of the amount due")),
    "worst_days_past_due": (_l("Oldest overdue bill"), _l("days")),
    "worst_dpd": (_l("Oldest overdue bill"), _l("days")),
    "trend_days": (_l("Later or earlier than it used to pay"), _l("days")),
    "late_days": (_l("Days paid after the due date"), _l("days")),
    "overdue_share": (_l("Overdue part of what it owes"), _l("share")),
    "months_observed": (_l("Time since its first settled bill"), _l("months")),
    "firm_age_years": (_l("Age of the firm"), _l("years")),
    "revenue_eur": (_l("Revenue"), _l("EUR a year")),
    "revenue_log10": (_l("Revenue"), _l("power of ten")),
    "sales_ratio": (_l("Sales against a year ago"), _l("ratio")),
    "margin": (_l("Profit on its sales"), _l("share")),
    "equity_ratio": (_l("Equity"), _l("share of the balance sheet")),
    "liquidity_weeks": (_l("Cash and open credit lines"), _l("weeks of cost")),
    "diluted_share": (_l("Invoiced and credited again"), _l("share")),
    "buyers": (_l("Buyers"), _l("firms")),
    "suppliers": (_l("Suppliers"), _l("firms")),
    "sales_log10": (_l("Visible sales"), _l("power of ten")),
    "purchases_log10": (_l("Visible purchases"), _l("power of ten")),
    "sales_hhi": (_l("Sales hang on few buyers"), _l("Herfindahl index")),
    "sales_top_share": (_l("Largest buyer"), _l("share of sales")),
    "purchases_hhi": (_l("Purchases hang on few suppliers"), _l("Herfindahl index")),
    "purchases_top_share": (_l("Largest supplier"), _l("share of purchases")),
    "days_since_sale": (_l("Time since its last sale"), _l("days")),
    "reciprocity": (_l("Trade in both directions"), _l("share")),
    "undertaken_share": (_l("Sales that a buyer has undertaken to pay"), _l("share")),
    "coverage": (_l("Visible against reported sales"), _l("ratio")),
    "buyers_late_days": (_l("Days its buyers pay late"), _l("days")),
    "buyers_overdue": (_l("Overdue part of what its buyers owe"), _l("share")),
    "buyers_pd": (_l("Risk of its buyers"), _l("probability")),
    "buyers_defaulted": (_l("Buyers that have failed"), _l("share")),
    "overdue_to_buffer": (_l("Overdue to it against its cash"), _l("ratio")),
    "stressed_exposure": (_l("Owed to it by buyers in trouble"), _l("ratio")),
    "second_step_overdue": (_l("Overdue at the buyers of its buyers"), _l("share")),
    "suppliers_overdue": (_l("Overdue at its suppliers"), _l("share")),
    "pagerank": (_l("Weight of its place in the chain"), _l("share")),
    "anchor_distance": (_l("Steps to the nearest anchor"), _l("steps")),
    "chain_hazard": (_l("Risk that reaches it along the chain"), _l("a year")),
    "stressed_pd": (_l("Failures in drawn bad years"), _l("probability")),
}
GROUPS: Final[Mapping[str, object]] = {
    "tenth": _l("Tenths"),
    "grade": _l("Grade"),
    "tier": _l("Tier"),
    "size": _l("Size"),
    "region": _l("Country"),
    "history": _l("History"),
    "vintage": _l("Vintage"),
}
_PARTS: Final[Mapping[str, object]] = {
    "ANCHOR": _l("Anchors"),
    "TIER_1": _l("Tier 1"),
    "TIER_2": _l("Tier 2"),
    "TIER_3": _l("Tier 3 and further"),
    "NO_ANCHOR": _l("No anchor reached"),
    "UNDER_1M": _l("Below 1m EUR"),
    "TO_10M": _l("1m to 10m EUR"),
    "TO_100M": _l("10m to 100m EUR"),
    "FROM_100M": _l("From 100m EUR"),
    "UNKNOWN": _l("Not known"),
    "NONE": _l("Nothing settled yet"),
    "UNDER_A_YEAR": _l("Below a year"),
    "UNDER_3_YEARS": _l("1 to 3 years"),
    "FROM_3_YEARS": _l("From 3 years"),
    "BETTER": _l("Graded better by people"),
    "WORSE": _l("Graded worse by people"),
    "AS_TOLD": _l("As judged"),
}
VERDICTS: Final[Mapping[str, tuple[object, str]]] = {
    "few": (_l("not enough failures"), ""),
    "agrees": (_l("agrees"), "ok"),
    "low": (_l("too little told"), "bad"),
    "high": (_l("too much told"), "warn"),
}
LEVELS: Final[Mapping[str, tuple[object, str]]] = {
    "none": (_l("being gathered"), ""),
    "calm": (_l("calm"), "ok"),
    "watch": (_l("watch"), "warn"),
    "act": (_l("act"), "bad"),
}
CODES: Final[Mapping[str, object]] = {
    "EVIDENCE_SEEN": _l("Evidence outside the model's inputs"),
    "RELATION_KNOWN": _l("Long experience with the firm"),
    "GROUP_SUPPORT": _l("A parent stands behind it, or has stopped to"),
    "BAD_NEWS": _l("Bad news from outside"),
    "MODEL_LIMIT": _l("A kind of firm the model was not made for"),
    "DATA_CORRECTED": _l("An input was wrong and is put right"),
    "MITIGANT_AGREED": _l("A security that is not on record yet"),
    "CAUTION": _l("More eyes wanted"),
}


def figure(name: str) -> tuple[str, str]:
    """Return what a figure is called and its unit; a name that nobody knows stands for itself."""
    text, unit = FIGURES.get(name, (name, ""))
    return str(text), str(unit)


def part(group: str, name: str) -> str:
    """Return what a part of the book is called."""
    if group == "tenth":
        if name == "1":
            return str(_("1, the safest"))
        return str(_("10, the riskiest")) if name == "10" else name
    if group in {"vintage", "quarter"}:
        year, _dash, quarter = name.partition("-Q")
        return str(_("%(year)s Q%(quarter)s", year=year, quarter=quarter))
    return str(_PARTS.get(name, name))


def code(name: str) -> str:
    """Return the reason that a person gave, in words."""
    return str(CODES.get(name, name))
