"""Features by hand, against the scalar formulas of the price, and never from the future."""

import dataclasses
import doctest
import importlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scoring.features import (
    CREDITED,
    DISPUTED,
    FEATURES,
    KINDS,
    MOVED,
    NAMES,
    PAID,
    SOLD,
    UNDERTAKEN,
    Changes,
    Events,
    Failures,
    Foundings,
    Invoices,
    Position,
    Statements,
    features,
    named,
    of_groups,
)
from scoring.features import standing as standing_of
from scoring.observed import late_share
from tests.scoring.features.ledgers import EURO, drawn, written

Floats = NDArray[np.float64]


@pytest.mark.parametrize("name", ["registry", "standing", "paying", "events", "measuring"])
def test_the_examples_in_the_docstrings_run(name: str) -> None:
    tried = doctest.testmod(importlib.import_module(f"scoring.features.{name}"))
    assert tried.attempted > 0
    assert tried.failed == 0


def one(found: Floats, firm: int, name: str) -> float:
    return float(found[firm, NAMES.index(name)])


def joined(first: Events, second: Events) -> Events:
    """The rows of both, those of the second stored later."""

    def rows(name: str) -> Any:  # noqa: ANN401
        a, b = getattr(first, name), getattr(second, name)
        return type(a)(
            *(
                np.concatenate((getattr(a, field.name), getattr(b, field.name)))
                for field in dataclasses.fields(a)
            )
        )

    names = ("invoices", "changes", "statements", "foundings", "failures")
    return dataclasses.replace(first, **{name: rows(name) for name in names})


# --- Never from the future ------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), t=st.integers(0, 1_000))
def test_features_of_the_whole_ledger_are_those_of_the_ledger_cut_that_day(
    seed: int, t: int
) -> None:
    whole = drawn(seed, invoices=120)
    assert features(whole, t).tobytes() == features(whole.before(t), t).tobytes()


@pytest.mark.parametrize("portion", [1, 7, 64])
@pytest.mark.parametrize("narrow", [False, True])
def test_invoices_read_in_portions_give_the_same_bytes(
    portion: int, narrow: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = drawn(5)
    at_once = [features(ledger, t).tobytes() for t in (0, 400, 800)]
    if narrow:
        trade = ledger.invoices
        ledger = dataclasses.replace(
            ledger,
            invoices=dataclasses.replace(
                trade, seller=trade.seller.astype(np.int32), buyer=trade.buyer.astype(np.int32)
            ),
        )
    monkeypatch.setattr("scoring.features.events.PORTION", portion)
    assert [len(part.invoices) <= portion for part in ledger.portions(400)].count(True) > 4
    assert [features(ledger, t).tobytes() for t in (0, 400, 800)] == at_once


def future(kind: str, t: int) -> Events:
    """One row of a kind that became known on day t itself, and could change much."""
    none = written(12, [])
    number = np.array([3])
    if kind == "invoice":
        day = np.array([t - 40])
        return dataclasses.replace(
            none, invoices=Invoices(number, number + 1, number * 10**7, day, day + 5, day + 40)
        )
    if kind == "statement":
        money = np.array([5e9])
        row = Statements(
            number, money, money / 99, money, money, np.array([t - 90]), number * 0 + t
        )
        return dataclasses.replace(none, statements=row)
    if kind == "founding":
        return dataclasses.replace(none, foundings=Foundings(number, -number, number * 0 + t))
    if kind == "failure":
        return dataclasses.replace(none, failures=Failures(number, number * 0 + t))
    raise ValueError(kind)


@pytest.mark.parametrize("kind", ["invoice", "statement", "founding", "failure", *KINDS])
def test_what_becomes_known_today_changes_nothing(kind: str | int) -> None:
    past = drawn(7)
    t = 600
    if isinstance(kind, str):
        after = joined(past, future(kind, t))
        tomorrow = features(after, t + 1)
    else:
        # The open invoices all hear of it at once: what matters must show on the next day.
        which = np.flatnonzero(past.invoices.known < t)
        amount = past.invoices.amount[which] * 9 // 10
        size = len(which)
        told = Changes(
            which,
            np.full(size, kind, np.int8),
            amount,
            np.full(size, t - 3),
            np.full(size, t),
        )
        after = dataclasses.replace(
            past,
            changes=Changes(
                *(
                    np.concatenate((getattr(past.changes, name), getattr(told, name)))
                    for name in Changes.__annotations__
                )
            ),
        )
        tomorrow = features(after, t + 1)
    assert features(after, t).tobytes() == features(past, t).tobytes()
    assert tomorrow.tobytes() != features(past, t + 1).tobytes()


def test_a_position_of_today_is_refused() -> None:
    nothing = np.full(2, np.nan)
    here = Position(50, nothing, nothing, nothing, nothing, nothing)
    ledger = written(2, [(0, 1, 10, 0, 30)])
    with pytest.raises(ValueError, match="stored on day 50, not before day 50"):
        features(ledger, 50, here)
    assert features(ledger, 51, here).shape == (2, len(NAMES))


# --- By hand --------------------------------------------------------------------------------------


def test_a_bill_paid_in_parts_is_settled_by_the_part_that_left_a_crumb() -> None:
    ledger = written(
        2,
        [(0, 1, 100_000, 0, 30)],
        [(0, PAID, 60_000, 30), (0, PAID, 39_500, 50), (0, PAID, 500, 300)],
    )
    state = standing_of(ledger, 400)
    assert (state.settled[0], state.settled_on[0], state.dpd[0]) == (True, 50, 20)
    returned = written(
        2,
        [(0, 1, 100_000, 0, 30)],
        [(0, PAID, 100_000, 30), (0, PAID, -100_000, 33), (0, PAID, 100_000, 90)],
    )
    state = standing_of(returned, 400)
    assert (state.settled_on[0], state.dpd[0]) == (90, 60)
    reopened = standing_of(returned.before(60), 60)
    assert (reopened.settled[0], reopened.dpd[0]) == (False, 30)


def test_a_disputed_part_waits_and_returns_with_its_old_due_date() -> None:
    bill = [(0, 1, 100_000, 0, 30)]
    raised, decided = (0, DISPUTED, 100_000, 40), (0, DISPUTED, -100_000, 80)
    waiting = standing_of(written(2, bill, [raised]), 100)
    assert (waiting.rest[0], waiting.dpd[0]) == (0, 0)
    back = standing_of(written(2, bill, [raised, decided]), 100)
    assert (back.rest[0], back.dpd[0]) == (100_000 * EURO, 70)


def test_a_due_date_on_a_weekend_is_kept_until_monday() -> None:
    # Day 0 is a Thursday, so day 30 is a Saturday and day 32 the Monday after.
    assert standing_of(written(2, [(0, 1, 100_000, 0, 30)]), 32).dpd[0] == 0
    assert standing_of(written(2, [(0, 1, 100_000, 0, 30)]), 33).dpd[0] == 3
    moved = written(2, [(0, 1, 100_000, 0, 30)], [(0, MOVED, 0, 60)])
    assert standing_of(moved, 64).dpd[0] == 4


def test_what_is_sold_or_promised_is_no_risk_of_the_seller() -> None:
    ledger = written(
        2,
        [(0, 1, 100, 0, 30), (0, 1, 100, 0, 30), (0, 1, 100, 0, 30)],
        [(0, SOLD, 70, 2), (1, UNDERTAKEN, 100, 2), (2, CREDITED, 40, 2)],
    )
    assert (standing_of(ledger, 20).kept / EURO).tolist() == [30.0, 0.0, 60.0]


def test_late_share_is_that_of_the_card() -> None:
    ledger = drawn(3)
    t = 700
    found, state = features(ledger, t), standing_of(ledger.before(t), t)
    buyer = ledger.before(t).invoices.buyer
    for firm in range(ledger.n_firms):
        due = (buyer == firm) & (state.net > 0) & (state.due >= t - 365) & (state.due <= t - 6)
        late = due & (state.dpd > 5)
        wanted = late_share(int(state.net[late].sum()), int(state.net[due].sum()), int(due.sum()))
        assert wanted is not None
        assert one(found, firm, "late_share") == pytest.approx(float(wanted), rel=1e-12)


def test_a_chain_of_three_by_hand() -> None:
    """2 sells to 1 and 3, 1 sells to 0; 0 pays late, 3 failed."""
    liquid = Statements(
        *(np.array([value]) for value in (2, 5_200_00.0, 90_00.0, 450_00.0, 0.3, 10, 12))
    )
    ledger = written(
        4,
        [(1, 0, 8_000, 0, 14), (2, 1, 3_000, 90, 150), (2, 3, 1_000, 90, 150)],
        statements=liquid,
        failures=Failures(np.array([3]), np.array([95])),
    )
    found = features(ledger, 100)
    assert one(found, 0, "worst_dpd") == 86
    assert one(found, 0, "overdue_share") == 1.0
    assert one(found, 1, "buyers_overdue") == 1.0
    assert one(found, 2, "buyers_overdue") == 0.0
    assert one(found, 2, "second_step_overdue") == 1.0  # only 1 has a buyer of whom one knows
    assert one(found, 2, "buyers_defaulted") == 0.25
    assert one(found, 2, "sales_top_share") == 0.75
    assert one(found, 2, "sales_hhi") == 0.625
    assert one(found, 2, "liquidity_weeks") == 5.0
    assert one(found, 2, "margin") == pytest.approx(0.1)
    # 1,000 owed by 3 and eight of thirteen weeks' sales to it, over max(450, two weeks' sales).
    weekly = 4_000 / 13
    assert one(found, 2, "stressed_exposure") == pytest.approx(
        (1_000 + 1_000 * 8 / 13) / max(450, 2 * weekly)
    )
    assert one(found, 2, "days_since_sale") == 10
    assert one(found, 1, "reciprocity") == 0.0
    assert np.isnan(one(found, 0, "sales_hhi"))
    assert np.isnan(one(found, 3, "late_share"))


def test_firms_without_anything_have_no_figures_and_break_nothing() -> None:
    found = features(written(3, []), 100)
    silent = {"worst_dpd", "buyers", "suppliers"}
    for number, name in enumerate(NAMES):
        assert (found[:, number] == 0).all() if name in silent else np.isnan(found[:, number]).all()
    mixed = features(written(3, [(0, 0, 10, 0, 9), (1, 2, 0, 0, 9)]), 100)
    assert not np.isinf(mixed).any()


def test_no_figure_is_infinite_and_shares_are_shares() -> None:
    for seed in range(5):
        found = features(drawn(seed), 800)
        assert not np.isinf(found).any()
        for feature in FEATURES:
            column = found[:, NAMES.index(feature.name)]
            if feature.unit == "share" and feature.name not in {"margin", "equity_ratio"}:
                assert np.nanmin(column, initial=0) >= 0
                assert np.nanmax(column, initial=0) <= 1 + 1e-12


def test_every_feature_is_declared_once_with_all_it_needs() -> None:
    assert len(set(NAMES)) == len(NAMES)
    for feature in FEATURES:
        assert feature.sign in {-1, 0, 1}
        assert feature.reason.endswith(".")
        assert np.dtype(feature.dtype) == np.float64
    assert of_groups("own", "trade", "buyers", "chain") == NAMES
    with pytest.raises(ValueError, match="colour is no declared feature"):
        named(("colour",))


def test_own_features_hold_nothing_of_a_counterparty() -> None:
    """What the debtors of a firm do to others leaves its own layer as it is."""
    ledger = drawn(11)
    t, firm = 700, 4
    changed = dataclasses.replace(
        ledger, failures=Failures(np.array([1, 2, 3, 5]), np.array([650] * 4))
    )
    others = ledger.invoices.buyer[ledger.changes.invoice] != firm
    mine = ledger.invoices.seller[ledger.changes.invoice] == firm
    keep = ~(others & ~mine) | (ledger.changes.kind != PAID)
    changed = dataclasses.replace(changed, changes=ledger.changes.of(keep))
    own = [NAMES.index(name) for name in of_groups("own")]
    before, after = features(ledger, t)[firm], features(changed, t)[firm]
    assert before[own].tobytes() == after[own].tobytes()
    assert before.tobytes() != after.tobytes()


def test_columns_that_do_not_fit_are_refused() -> None:
    ledger = written(2, [(0, 1, 10, 0, 30)])
    with pytest.raises(ValueError, match="Changes has columns"):
        dataclasses.replace(
            ledger, changes=dataclasses.replace(ledger.changes, on=np.zeros(3, np.int64))
        )
    with pytest.raises(ValueError, match="buyer names 1 to 1; there are 1"):
        dataclasses.replace(ledger, n_firms=1)
    with pytest.raises(ValueError, match="negative amount"):
        written(2, [(0, 1, -10, 0, 30)])
