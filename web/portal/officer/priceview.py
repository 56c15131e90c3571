"""How a case's price comes about, in the words of the page: formulas, figures, splits, what if."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from babel.numbers import format_decimal
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scf.reporting.priced import CasePrice
from web.i18n import money
from web.portal.officer import words

_MICRO: Final = Decimal(1_000_000)
_SHARES: Final = frozenset({
    "funding_rate", "own_hazard", "chain_hazard", "pd_item", "pd_item_alone", "pd_one_year",
    "pd_effective", "pd_seller", "pd_seller_call", "pd_insurer", "lgd", "lgd_uninsured", "exposed",
    "k_default", "k_dilution", "capital_ratio", "hurdle", "share", "reserve", "beyond_reserve",
    "not_bought_back", "cover", "insurance_phi", "recourse_phi", "dependency",
})  # fmt: skip
_BP: Final = frozenset({
    "hop_fee_bp", "premium_bp", "uncertainty_bp", "policy_margin_bp", "shift_bp", "variable_bp",
    "floor_over_funding_bp", "effect_on_rate_bp",
})  # fmt: skip
_DAYS: Final = frozenset({"tenor_days", "late_days", "window_days", "seller_window_days"})
_FIGURES: Final = {
    "tenor_days": _l("tenor"),
    "basis": _l("days of a year"),
    "funding_rate": _l("the bank's money a year"),
    "late_days": _l("late, with the insurer's wait"),
    "window_days": _l("a default costs us within"),
    "own_hazard": _l("hazard a year, alone"),
    "chain_hazard": _l("hazard a year, by the chain"),
    "pd_item_alone": _l("PD of this claim, alone"),
    "pd_item": _l("PD of this claim, with the chain"),
    "pd_one_year": _l("PD of a year, with the chain"),
    "pd_effective": _l("PD of a year, after recourse"),
    "lgd": _l("loss if it fails"),
    "lgd_uninsured": _l("loss if it fails, uninsured"),
    "exposed": _l("exposed after cash margin"),
    "raised_to_floor": _l("raised to the floor"),
    "dependency": _l("debtor's share of the seller's sales"),
    "rho": _l("correlation of debtor and seller"),
    "seller_window_days": _l("the seller must live for"),
    "pd_seller": _l("PD of the seller within it"),
    "recourse_phi": _l("calls that are honoured"),
    "cover": _l("insured share"),
    "insurance_phi": _l("claims that are paid"),
    "pd_insurer": _l("PD of the insurer"),
    "share": _l("expected to be credited"),
    "reserve": _l("reserve"),
    "beyond_reserve": _l("credited beyond the reserve"),
    "pd_seller_call": _l("PD of the seller until it has bought back"),
    "not_bought_back": _l("of it not bought back"),
    "k_default": _l("capital for default"),
    "k_dilution": _l("capital for dilution"),
    "capital_ratio": _l("capital ratio"),
    "hurdle": _l("hurdle a year"),
    "fixed": _l("cost of one claim"),
    "face_minor": _l("financed face"),
    "variable_bp": _l("variable cost"),
    "transfers": _l("transfers"),
    "hop_fee_bp": _l("fee of each"),
    "premium_bp": _l("insurance premium"),
    "settled_items": _l("settled items known"),
    "rated": _l("rated"),
    "uncertainty_bp": _l("charge without any item"),
    "free_from_items": _l("free from items"),
    "policy_margin_bp": _l("margin of the policy"),
    "shift_bp": _l("moved by people"),
    "floor_over_funding_bp": _l("least above the bank's money"),
    "effect_on_rate_bp": _l("effect of the chain on the whole rate"),
}
_FORMULAS: Final = {
    "funding": _l("the bank's money at this tenor"),
    "late_days": _l("the bank's money × late days ÷ tenor"),
    "default_own": _l("PD alone × loss × exposed ÷ (tenor ÷ days of a year)"),
    "default_chain": _l("(PD with the chain − PD alone) × loss × exposed ÷ (tenor ÷ year)"),
    "dilution": _l("credited beyond the reserve × not bought back ÷ (tenor ÷ days of a year)"),
    "capital": _l(
        "(capital for default × exposed + capital for dilution) × ratio ÷ 8% × "
        "(hurdle − the bank's money) × (tenor + late days) ÷ tenor"
    ),
    "operating": _l("cost ÷ face ÷ (tenor ÷ days of a year) + variable cost"),
    "channel": _l("transfers × fee + premium"),
    "uncertainty": _l("charge ÷ √(1 + settled items); none from so many items or if rated"),
    "margin": _l("margin of the policy + moved by people"),
    "floor_addon": _l("what is missing to the bank's money and the least above it"),
}
_LOWER: Final = {
    "UNDERTAKING": _l("The obligor undertakes irrevocably to pay"),
    "RECOURSE": _l("The seller answers in full"),
    "INSURANCE": _l("Insured as in your other programme"),
    "NO_INSURANCE": _l("Without the credit insurance"),
    "MORE_RESERVE": _l("Ten points more of the face kept in reserve"),
    "SHORTER_TENOR": _l("Thirty days shorter"),
    "BETTER_GRADE": _l("The obligor one grade better"),
}


def view(price: CasePrice | None, currency: str) -> dict[str, Any] | None:
    """Give the explained price as its templates draw it; nothing for a price by contract."""
    if price is None:
        return None
    found = price.explained
    chain = next(line for line in found.lines if line.name == "default_chain")
    return {
        "number": price.number,
        "lines": [
            {
                "name": line.name,
                "text": words.component(line.name),
                "formula": str(_FORMULAS[line.name]),
                "figures": _figures(dict(line.facts), currency),
                "exact": _decimal(Decimal(line.micro_bp) / _MICRO, 6),
                "bp": line.bp,
            }
            for line in found.lines
        ],
        "rate": found.rate_bp,
        "exact": _decimal(Decimal(sum(line.micro_bp for line in found.lines)) / _MICRO, 6),
        "splits": [
            (title, rows)
            for title, rows in (
                (_("by where the risk begins"), _named(chain.by_origin, price.names)),
                (_("by the direct customer"), _named(chain.by_first_hop, price.names)),
                (_("by the number of steps"), [(_hop(hop), bp) for hop, bp in chain.by_hop if bp]),
            )
            if rows
        ],
        "chain_bp": chain.bp,
        "band": None
        if found.band is None
        else str(
            _(
                "%(label)s: %(low)s to %(high)s bp, for a probability of default of %(less)s to "
                "%(more)s a year and nothing else varied",
                label=_band(found.band.label),
                low=found.band.low_bp,
                high=found.band.high_bp,
                less=_share(found.band.pd_low, 2),
                more=_share(found.band.pd_high, 2),
            )
        ),
        "lower": [
            {
                "what": str(_LOWER[str(one.lever)]),
                "rate": f"{one.rate_bp} bp",
                "saves": f"−{one.saves_bp} bp",
                "route": words.price_asks_for(one.route),
            }
            for one in price.lower
        ],
    }


def _figures(facts: Mapping[str, Any], currency: str) -> list[tuple[str, str]]:
    return [
        (str(_FIGURES[name]), _shown(name, value, facts, currency))
        for name, value in facts.items()
        if name in _FIGURES and value not in {None, ""}
    ]


def _shown(name: str, value: Any, facts: Mapping[str, Any], currency: str) -> str:  # noqa: ANN401
    """Write a figure with the digits that its line is worked out from."""
    if name in _SHARES:
        shown = _share(value, 8)
    elif name in _BP:
        shown = f"{_decimal(Decimal(str(value)), 0)} bp"
    elif name in _DAYS:
        shown = str(ngettext("%(num)d day", "%(num)d days", value))
    elif name == "face_minor":
        shown = money(value, currency)
    elif name == "fixed":
        shown = money(round(value * 10 ** facts["exponent"]), currency)
    elif name == "rated":
        shown = str(_("yes") if value == "yes" else _("no"))
    elif name == "raised_to_floor":
        sides = {"obligor": _("obligor"), "seller": _("seller")}
        shown = ", ".join(str(sides.get(side, side)) for side in str(value).split(", "))
    else:
        shown = str(value)
    return shown


def _share(value: float, digits: int) -> str:
    return f"{_decimal(Decimal(repr(value)) * 100, digits)}%"


def _decimal(value: Decimal, digits: int) -> str:
    exact = value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    pattern = "0" + ("." + "0" * digits if digits else "")
    return str(format_decimal(exact, format=pattern, locale=get_locale()))


def _named(parts: Sequence[tuple[str, int]], names: Mapping[str, str]) -> list[tuple[str, int]]:
    return [(names.get(firm, firm), bp) for firm, bp in parts if bp]


def _hop(word: str) -> str:
    if word == "beyond":
        return str(_("further away"))
    return str(ngettext("%(num)d step", "%(num)d steps", int(word)))


def _band(label: str) -> str:
    return str(_("Expert band") if label == "expert band" else label)
