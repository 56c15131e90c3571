"""What a model may look at of a firm, each declared once."""

import dataclasses
from typing import Final, Literal

Group = Literal["own", "trade", "buyers", "chain"]


@dataclasses.dataclass(frozen=True, slots=True)
class Feature:
    """One figure of a firm before a morning.

    Parameters
    ----------
    name : str
        Column.
    unit : str
        What it counts in.
    group : str
        "own": what the firm did and reports; "trade": whom it trades with; "buyers": how those
        behave that owe it money; "chain": what lies further off. Only "own" holds no state of
        anybody else, so the own layer of the price may use nothing but that.
    sign : int
        How risk moves as the value rises: 1 never falls, -1 never rises, 0 free.
    reason : str
        Why it raises the risk, in the words of an officer's page.
    dtype : str
        Of the column; NaN where nothing was known.
    """

    name: str
    unit: str
    group: Group
    sign: int
    reason: str
    dtype: str = "float64"


FEATURES: Final = (
    # What the firm did and reports.
    Feature("late_share", "share", "own", 1, "It pays a large part of its bills late."),
    Feature("worst_dpd", "days", "own", 1, "A bill of it has been overdue for long."),
    Feature("trend_days", "days", "own", 1, "It pays later than it used to."),
    Feature("late_days", "days", "own", 1, "It pays many days after the due date."),
    Feature("overdue_share", "share", "own", 1, "Much of what it owes is overdue."),
    Feature("months_observed", "months", "own", -1, "It has been observed for a short time."),
    Feature("firm_age_years", "years", "own", -1, "It is a young firm."),
    Feature("revenue_log10", "log10 of major units", "own", -1, "It is a small firm."),
    Feature("sales_ratio", "ratio", "own", -1, "Its sales have fallen."),
    Feature("margin", "share", "own", -1, "It earns little on its sales."),
    Feature("equity_ratio", "share", "own", -1, "It has little equity."),
    Feature("liquidity_weeks", "weeks", "own", -1, "Its cash lasts for few weeks."),
    Feature("diluted_share", "share", "own", 1, "Much of what it invoices is credited again."),
    # Whom it trades with.
    Feature("buyers", "firms", "trade", 0, "The number of its buyers is unusual."),
    Feature("suppliers", "firms", "trade", 0, "The number of its suppliers is unusual."),
    Feature("sales_log10", "log10 of major units", "trade", 0, "Its visible sales are unusual."),
    Feature("purchases_log10", "log10 of major units", "trade", 0, "Its purchases are unusual."),
    Feature("sales_hhi", "index", "trade", 1, "Its sales hang on few buyers."),
    Feature("sales_top_share", "share", "trade", 1, "One buyer makes up much of its sales."),
    Feature("purchases_hhi", "index", "trade", 0, "Its purchases hang on few suppliers."),
    Feature("purchases_top_share", "share", "trade", 0, "One supplier makes up much of its needs."),
    Feature("days_since_sale", "days", "trade", 1, "It has not sold anything for some time."),
    Feature("reciprocity", "share", "trade", 0, "It sells to firms that it buys from."),
    Feature("undertaken_share", "share", "trade", -1, "Few of its sales are backed by promises."),
    Feature("coverage", "ratio", "trade", 0, "Its reported sales differ from those seen here."),
    # How those behave that owe it money.
    Feature("buyers_late_days", "days", "buyers", 1, "Its buyers pay late."),
    Feature("buyers_overdue", "share", "buyers", 1, "Its buyers have much overdue."),
    Feature("buyers_pd", "probability", "buyers", 1, "Its buyers are risky."),
    Feature("buyers_defaulted", "share", "buyers", 1, "Buyers of it have failed."),
    Feature("overdue_to_buffer", "ratio", "buyers", 1, "Much is overdue to it for its cash."),
    Feature("stressed_exposure", "ratio", "buyers", 1, "Its buyers in trouble owe it much."),
    # What lies further off.
    Feature("second_step_overdue", "share", "chain", 1, "The buyers of its buyers pay late."),
    Feature("suppliers_overdue", "share", "chain", 1, "Its suppliers are in trouble."),
    Feature("pagerank", "share", "chain", 0, "Its place in the chain is unusual."),
    Feature("anchor_distance", "steps", "chain", 1, "It is far from any anchor."),
    Feature("chain_hazard", "per year", "chain", 1, "Risk reaches it along the chain."),
    Feature("stressed_pd", "probability", "chain", 1, "It fails in bad years of the chain."),
)

NAMES: Final = tuple(feature.name for feature in FEATURES)


def named(names: tuple[str, ...]) -> tuple[Feature, ...]:
    """Return features by name.

    Raises
    ------
    ValueError
        One is not declared.

    Examples
    --------
    >>> named(("margin",))[0].sign
    -1
    """
    known = {feature.name: feature for feature in FEATURES}
    for name in names:
        if name not in known:
            raise ValueError(f"{name} is no declared feature.")
    return tuple(known[name] for name in names)


def of_groups(*groups: Group) -> tuple[str, ...]:
    """Return the names of the features of some groups, in their order.

    Examples
    --------
    >>> of_groups("trade")[:2]
    ('buyers', 'suppliers')
    """
    return tuple(feature.name for feature in FEATURES if feature.group in groups)
