"""Trained models in words: what a figure rests on, and what each input of a model looks at."""

from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

_KINDS: Final = {
    "expert_prior": (_l("expert prior, not estimated"), ""),
    "trained": (_l("trained model, promoted by two people"), "info"),
    "simulated": (_l("model of simulated firms, demo only"), "warn"),
}
_INPUTS: Final = {
    "late_share": _l("Share of items paid late"),
    "worst_dpd": _l("Longest open arrears, days"),
    "trend_days": _l("Trend of lateness, days"),
    "late_days": _l("Days paid after due"),
    "overdue_share": _l("Share of its debts overdue"),
    "months_observed": _l("Months of history here"),
    "firm_age_years": _l("Age of the firm, years"),
    "revenue_log10": _l("Yearly revenue, power of ten"),
    "sales_ratio": _l("Sales against a year ago"),
    "margin": _l("Margin on sales"),
    "equity_ratio": _l("Equity ratio"),
    "liquidity_weeks": _l("Weeks of cost in cash"),
    "diluted_share": _l("Share credited again"),
    "buyers": _l("Number of buyers"),
    "suppliers": _l("Number of suppliers"),
    "sales_log10": _l("Visible sales, power of ten"),
    "purchases_log10": _l("Visible purchases, power of ten"),
    "sales_hhi": _l("Concentration of sales"),
    "sales_top_share": _l("Largest buyer's share of sales"),
    "purchases_hhi": _l("Concentration of purchases"),
    "purchases_top_share": _l("Largest supplier's share of purchases"),
    "days_since_sale": _l("Days since its last sale"),
    "reciprocity": _l("Share of sales to its own suppliers"),
    "undertaken_share": _l("Share of sales with an undertaking"),
    "coverage": _l("Share of its revenue that is seen here"),
    "buyers_late_days": _l("Days its buyers pay late"),
    "buyers_overdue": _l("Share its buyers have overdue"),
    "buyers_pd": _l("Default risk of its buyers"),
    "buyers_defaulted": _l("Buyers that have failed lately"),
    "overdue_to_buffer": _l("Overdue to it, against its cash"),
    "stressed_exposure": _l("Owed by buyers in trouble, against its cash"),
    "second_step_overdue": _l("Overdue among its buyers' buyers"),
    "suppliers_overdue": _l("Overdue among its suppliers"),
    "pagerank": _l("Weight in the chain"),
    "anchor_distance": _l("Steps to the nearest anchor"),
    "chain_hazard": _l("Risk that arrives along the chain"),
    "stressed_pd": _l("Default risk in bad years of the chain"),
}
_REFER: Final = {
    "MODEL_UNREAD": _l("The champion's file could not be read; the expert's card priced."),
    "MODEL_UNSEEN": _l("The champion knows nothing of this firm; the expert's card priced."),
    "MODEL_UNUSUAL": _l("The firm is unlike those it learnt from; the expert's card priced."),
    "MODEL_NO_ANSWER": _l("The champion has no answer for this firm; the expert's card priced."),
    "MODEL_LATELY": _l("The firm has only just come back from default; the expert's card priced."),
}


def kind(name: str) -> dict[str, str]:
    """Return the chip that says what figures rest on."""
    text, colour = _KINDS[name]
    return {"text": str(text), "kind": colour}


def model_input(name: str) -> str:
    """Return what an input of a trained model looks at."""
    return str(_INPUTS.get(name, name))


def note(firm: str, kind_name: str, model: str, refer: tuple[str, ...]) -> str:
    """Say by what a firm's risk was scored, over the list of what moved it."""
    if kind_name == "expert_prior":
        said = _(
            "%(firm)s: points of the expert's card, 100 are one logit. Set by judgement, not"
            " estimated.",
            firm=firm,
        )
        why = [str(_REFER[code]) for code in _codes(refer)]
        return " ".join([str(said), *why])
    if kind_name == "simulated":
        return str(
            _(
                "%(firm)s: what moved the champion %(model)s against an ordinary firm, 100 points"
                " are one logit. Learnt from simulated firms; it prices in this demo only.",
                firm=firm,
                model=model,
            )
        )
    return str(
        _(
            "%(firm)s: what moved the champion %(model)s against an ordinary firm, 100 points are"
            " one logit. Learnt from defaults that happened.",
            firm=firm,
            model=model,
        )
    )


def _codes(refer: tuple[str, ...]) -> list[str]:
    """Give the codes of why a champion's word did not stand, each once."""
    found = dict.fromkeys(code.partition(":")[0] for code in refer)
    return [code for code in found if code in _REFER]
