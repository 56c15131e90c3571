"""Programme files: what is agreed is read exactly, and what cannot be done is refused early."""

import pytest

from scf.kernel.daycount import DayCount
from scf.kernel.errors import InvalidInput
from scf.programmes.terms import Terms, load_file, load_terms, terms_of
from tests.support.deals import programme_file


def test_the_shipped_programme_is_read() -> None:
    code, name, terms = load_file(programme_file().encode())
    assert code == "payables-finance"
    assert name == "Payables finance on accepted invoices"
    assert terms.day_count is DayCount.ACT_360
    assert terms.benchmarks["EUR"] == "EURIBOR-3M"
    assert terms.currency["EUR"].amount_min_minor == 100_00
    assert terms.margin_for(90) == 12_000
    assert terms.margin_for(181) is None
    assert (terms.cut_off_time.hour, terms.with_recourse) == (16, False)
    assert len(terms.checks_before_decision) == 4
    assert len(terms.checks_before_payout) == 3


def test_terms_survive_being_stored() -> None:
    terms = load_terms(programme_file(recourse='"full"', grace_free="true").encode())
    assert terms_of(terms.model_dump(mode="json")) == terms


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("technique", '"factoring"'),
        ("cost_bearer", '"anchor"'),
        ("price_mode", '"risk"'),
        ("approval", '"one_person"'),
        ("day_count", '"ACT/364"'),
        ("roll", '"BACKWARDS"'),
        ("cut_off", '"25:00"'),
        ("cut_off", '"4pm"'),
        ("cut_off_zone", '"Mars/Olympus"'),
        ("advance_ppm", "1_000_001"),
        ("advance_ppm", "0"),
        ("rebate_share_ppm", "1.5"),
        ("value_date_offset", "11"),
        ("value_date_offset", "-1"),
        ("quote_minutes", "0"),
        ("fixing_lag_days", "-1"),
        ("tenor_min_days", "200"),
        ("tenor_max_days", "181"),
        ("checks_before_decision", '["duplicate", "duplicate"]'),
        ("checks_before_payout", '["crystal_ball"]'),
        ("unheard_of", "1"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidInput, match="PROGRAMME_FILE") as refused:
        load_terms(programme_file(**{name: value}).encode())
    assert refused.value.facts["problems"]


@pytest.mark.parametrize(
    "text",
    [
        "not toml at all",
        "",
        "[terms]\n",
        '[programme]\ncode = "x"\n[terms]\n',
        '[programme]\ncode = "x"\nname = " "\n[terms]\n',
        '[programme]\ncode = 1\nname = "x"\n[terms]\n',
        "x = 1\n" * 20_000,
    ],
)
def test_a_file_that_is_no_programme_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="PROGRAMME_FILE"):
        load_file(text.encode())


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ('"1e3"', "AMOUNT_FORMAT"),
        ('"1.005"', "AMOUNT_DECIMALS"),
        ('"-1.00"', "AMOUNT_RANGE"),
        ("100.0", "PROGRAMME_FILE"),
    ],
)
def test_amounts_of_a_programme_are_exact_texts(amount: str, code: str) -> None:
    text = programme_file().replace('amount_min = "100.00"', f"amount_min = {amount}", 1)
    with pytest.raises(InvalidInput) as refused:
        load_file(text.encode())
    assert refused.value.code == code


def test_a_krona_of_iceland_has_no_decimals() -> None:
    part = '\n[terms.currency.ISK]\nbenchmark = "ISK-3M"\namount_min = "5000"\n'
    terms = load_terms((programme_file() + part).encode())
    assert terms.currency["ISK"].amount_min_minor == 5000


def test_fees_stand_with_their_currency() -> None:
    part = (
        '\n[[terms.currency.GBP.fees]]\ncode = "service"\nshare_ppm = 1_500\nmax = "600.00"\n'
        '[[terms.currency.GBP.fees]]\ncode = "desk"\nflat = "5.00"\n'
    )
    fees = load_terms((programme_file() + part).encode()).currency["GBP"].fees
    assert [(fee.share_ppm, fee.flat_minor, fee.max_minor) for fee in fees] == [
        (1_500, 0, 600_00),
        (0, 5_00, None),
    ]


def test_a_margin_grid_rises_and_reaches_the_longest_tenor() -> None:
    base = load_terms(programme_file().encode()).model_dump(mode="json")
    for grid in (
        [{"max_days": 90, "margin_ppm": 1}],
        [{"max_days": 180, "margin_ppm": 1}, {"max_days": 90, "margin_ppm": 2}],
        [{"max_days": 180, "margin_ppm": 1}, {"max_days": 180, "margin_ppm": 2}],
        [],
    ):
        with pytest.raises(InvalidInput):
            terms_of(base | {"margin": grid})
    assert isinstance(terms_of(base), Terms)
