"""What became of firms of past mornings: who failed, by what was known when; who is left out."""

import datetime as dt

from scf.db.engine import Database
from scf.ledger.service import Journal, LedgerEvent, credit, debit, post
from scf.reporting.watching.export import lines
from scf.reporting.watching.figures import Figures, figures
from scf.reporting.watching.losses import charged, losses
from scf.risk.watch.outcomes import QUARTER, YEAR
from tests.risk.watch.months import Months, month
from tests.support.deals import BANK, OTHER_BANK

BUYERS = 12
FAILING = tuple(f"b{number:02d}" for number in range(6))


def read(world: Months, bank: str = BANK) -> Figures | None:
    with world.db.snapshot() as conn:
        return figures(conn, bank)


def test_who_stops_to_pay_has_failed_within_the_horizon_and_is_left_out_afterwards(
    db: Database,
) -> None:
    world = Months(db, BUYERS)
    assert read(world) is None, "nobody was assessed yet"
    for number in range(-2, 9):
        world.trade(number, failing=FAILING if number >= 1 else ())
        if number >= 0:
            world.night(month(number) + dt.timedelta(days=1))
    found = read(world)
    assert found is not None
    quarter = next(one for one in found.judged if one.rows.horizon == QUARTER)
    year = next(one for one in found.judged if one.rows.horizon == YEAR)
    assert year.rows.told.size == 0, "no morning is a year old"
    assert year.rows.left_out["too_young"] > 0
    # Sold on 1 August and due on the 31st, unpaid: more than 90 days past due on 30 November. On
    # 2 August that is more than 91 days ahead; on 2 December they are in default and left out.
    rows = quarter.rows
    pairs = list(zip(rows.keys, rows.fails.tolist(), strict=True))  # in the order of mornings
    by_firm = {
        firm: [fails for (_snapshot, name), fails in pairs if name == firm]
        for firm in (*FAILING, "b11")
    }
    assert [by_firm[firm] for firm in FAILING] == [[0, 1, 1, 1]] * len(FAILING)
    assert by_firm["b11"] == [0, 0, 0, 0, 0]
    assert quarter.rows.left_out["in_default"] >= len(FAILING)
    whole = quarter.calibration.whole
    assert whole.failed_firms == len(FAILING)
    assert whole.verdict == "low", "the card told far less than half"
    assert whole.low is not None
    assert whole.rate is not None
    assert whole.low <= whole.rate
    # Every group adds up to the whole.
    for groups in (quarter.calibration.tenths, *quarter.calibration.parts.values()):
        assert sum(one.rows for one in groups) == whole.rows
        assert sum(one.failed_rows for one in groups) == whole.failed_rows
    assert quarter.calibration.slope is None, "six failures carry no slope"
    assert read(world, OTHER_BANK) is None
    assert any(one["measure"] == "verdict" and one["value"] == "low" for one in lines(found))


def test_a_later_payment_does_not_undo_that_a_firm_had_failed(db: Database) -> None:
    world = Months(db, 6)
    for number in range(-2, 7):
        world.trade(number, failing=("b00",) if 1 <= number < 6 else ())
        if number in {0, 1, 2, 3}:
            world.night(month(number) + dt.timedelta(days=1))
    world.set_date(month(6) + dt.timedelta(days=20), BANK)
    world.at(month(6) + dt.timedelta(days=20))
    found = read(world)
    assert found is not None
    rows = next(one.rows for one in found.judged if one.rows.horizon == QUARTER)
    failed = {
        firm for (_, firm), fails in zip(rows.keys, rows.fails.tolist(), strict=True) if fails
    }
    assert failed == {"b00"}


def test_losses_are_whole_cents_and_stand_beside_what_was_charged(db: Database) -> None:
    parts = {"funding": 250, "default_own": 96, "default_chain": 28, "margin": 60}
    # 166,250 split over 434 parts: 95,766.13, 36,774.19, 10,725.81 and 22,983.87, to the cent.
    assert charged(parts, 166_250) == 36_774 + 10_726
    assert charged({"default_own": 7}, 166_250) == 166_250
    assert charged({"funding": 7}, 166_250) == charged({}, 166_250) == 0
    world = Months(db, 3)
    with world.db.writer.begin() as conn:
        post(
            world.context(conn),
            [
                LedgerEvent(
                    "loss-1", "impairment", "some-advance", "EUR", month(0), month(0), "stage 3",
                    [Journal(BANK, [debit("impairment_loss", 40_000),
                                    credit("loss_allowance", 40_000)])],
                ),
                LedgerEvent(
                    "loss-2", "recovery", "some-advance", "EUR", month(1), month(1), "came back",
                    [Journal(BANK, [debit("cash", 15_000),
                                    credit("recoveries_of_amounts_written_off", 15_000)])],
                ),
            ],
        )  # fmt: skip
    with world.db.snapshot() as conn:
        found = losses(conn, BANK, month(2))
        assert losses(conn, OTHER_BANK, month(2)).elsewhere_minor == 0
    assert (found.vintages, found.grades, found.elsewhere_minor) == ((), (), 25_000)
