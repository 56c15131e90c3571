"""Small ledgers of events, drawn from a seed or written down by hand."""

from typing import Any

import numpy as np

from scoring.features import (
    KINDS,
    Changes,
    Events,
    Failures,
    Foundings,
    Invoices,
    Statements,
    empty,
)

EURO = 100


def drawn(seed: int, *, firms: int = 12, invoices: int = 300, days: int = 900) -> Events:
    """A ledger with everything in it: part payments, returns, disputes, self-trade, failures."""
    rng = np.random.default_rng(seed)
    issued = rng.integers(0, days, invoices)
    trade = Invoices(
        seller=rng.integers(0, firms, invoices),
        buyer=rng.integers(0, firms, invoices),
        amount=rng.integers(0, 9_000 * EURO, invoices),
        issued=issued,
        due=issued + rng.choice([14, 30, 60, 90], invoices),
        known=issued + rng.integers(0, 20, invoices),
    )
    several = 2 * invoices
    which = rng.integers(0, invoices, several)
    kind = rng.choice(KINDS, several, p=[0.55, 0.08, 0.08, 0.06, 0.06, 0.06, 0.06, 0.05])
    part = rng.choice([-0.2, 0.3, 0.7, 1.0], several, p=[0.1, 0.3, 0.3, 0.3])
    on = trade.due[which] + rng.integers(-20, 60, several)
    changes = Changes(
        invoice=which,
        kind=kind.astype(np.int8),
        amount=(trade.amount[which] * part).astype(np.int64),
        on=on,
        known=on + rng.integers(0, 9, several),
    )
    order = np.argsort(changes.known, kind="stable")
    said = 3 * firms
    end = rng.integers(-300, days, said)
    statements = Statements(
        firm=rng.integers(0, firms, said),
        revenue=rng.choice([np.nan, 1e7, 1e8], said),
        weekly_cost=rng.choice([np.nan, 1e5, 2e6], said),
        liquid=rng.choice([np.nan, 0.0, 5e5, 5e6], said),
        equity_ratio=rng.normal(0.2, 0.2, said),
        period_end=end,
        known=end + 90,
    )
    return Events(
        firms,
        trade,
        Changes(*(getattr(changes, name)[order] for name in Changes.__annotations__)),
        statements,
        Foundings(np.arange(firms), rng.integers(-4_000, 0, firms), rng.integers(0, days, firms)),
        Failures(rng.integers(0, firms, 4), rng.integers(0, days, 4)),
    )


def written(
    n_firms: int,
    invoices: list[tuple[int, int, int, int, int]],
    changes: list[tuple[int, int, int, int]] = [],  # noqa: B006 - never changed
    **others: Any,  # noqa: ANN401
) -> Events:
    """A ledger by hand: (seller, buyer, euros, issued, due) and (invoice, kind, euros, on)."""
    s, b, amount, issued, due = np.array(invoices, np.int64).reshape(-1, 5).T
    which, kind, euros, on = np.array(changes, np.int64).reshape(-1, 4).T
    rows = {
        "statements": empty(Statements), "foundings": empty(Foundings), "failures": empty(Failures)
    } | others  # fmt: skip
    return Events(
        n_firms,
        Invoices(s, b, amount * EURO, issued, due, issued),
        Changes(which, kind.astype(np.int8), euros * EURO, on, on),
        **rows,
    )
