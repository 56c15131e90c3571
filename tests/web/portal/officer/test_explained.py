"""The officer's page explains a price of a real chain to the basis point: done again by hand.

Nothing of ``scoring`` is used: the figures are read off the page, and the formulas are those of
pricing.md 1.1 to 1.10, written out here.
"""

import html
import math
import re
from collections.abc import Iterator
from statistics import NormalDist

import pytest

from tests.support.demo_world import DemoCopy, DemoWorld
from tests.support.plain_case import PlainCase, plain_case

NORMAL = NormalDist()
LINE = re.compile(r'<tr id="line-(\w+)">(.*?)</tr>', re.DOTALL)
PAIR = re.compile(r"<dt>(.*?)</dt><dd>(.*?)</dd>", re.DOTALL)
CELLS = re.compile(r'<td class="num" data-label="[^"]*">([^<]*)</td>')
NAMES = (
    "funding", "late_days", "default_own", "default_chain", "dilution", "capital", "operating",
    "channel", "uncertainty", "margin", "floor_addon",
)  # fmt: skip


@pytest.fixture(scope="module")
def demo(demo_world: DemoWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCopy]:
    with demo_world.copied(tmp_path_factory.mktemp("explained")) as copy:
        yield copy


@pytest.fixture(scope="module")
def case(demo: DemoCopy) -> PlainCase:
    return plain_case(demo)


@pytest.fixture(scope="module")
def page(demo: DemoCopy, case: PlainCase) -> str:
    answer = demo.served.browser("omar").get(f"/officer/cases/{case.request_id}")
    assert answer.status_code == 200
    return html.unescape(answer.get_data(as_text=True))


def figures(page: str) -> dict[str, dict[str, float]]:
    """Read the figures of each line as a person would: shares of 1, days, points, money."""
    found = {}
    for name, body in LINE.findall(page):
        values: dict[str, float] = {}
        for label, shown in PAIR.findall(body):
            text = re.sub(r"<[^>]+>|[A-Z]{3}|\s|bp|days?|,", "", shown)
            if text.endswith("%"):
                values[label] = float(text[:-1]) / 100
            elif re.fullmatch(r"-?[0-9.]+", text):
                values[label] = float(text)
        exact, whole = CELLS.findall(body)
        found[name] = values | {"exact": float(exact), "bp": float(whole)}
    return found


def k(pd: float, lgd: float) -> float:
    """Basel: K of the corporate function at a maturity of a year."""
    if not pd:
        return 0.0
    pd = max(pd, 0.0)
    e = (1 - math.exp(-50 * pd)) / (1 - math.exp(-50))
    r = 0.12 * e + 0.24 * (1 - e)
    inside = (NORMAL.inv_cdf(pd) + math.sqrt(r) * NORMAL.inv_cdf(0.999)) / math.sqrt(1 - r)
    b = (0.11852 - 0.05478 * math.log(pd)) ** 2
    longer = (1 + (1 - 2.5) * b) / (1 - 1.5 * b)
    return float((lgd * NORMAL.cdf(inside) - pd * lgd) * longer)


def beyond(share: float, reserve: float, steps: int = 400_000) -> float:
    """E[max(0, X − reserve)] of X ~ Beta(20δ, 20(1−δ)), summed up beyond the reserve."""
    a, b = 20 * share, 20 * (1 - share)
    scale = math.exp(math.lgamma(20) - math.lgamma(a) - math.lgamma(b))
    width = (1 - reserve) / steps
    total = 0.0
    for step in range(steps):
        x = reserve + (step + 0.5) * width
        total += (x - reserve) * scale * math.pow(x, a - 1) * math.pow(1 - x, b - 1) * width
    return total


def test_every_line_is_worked_out_from_what_the_page_shows(page: str) -> None:
    lines = figures(page)
    assert tuple(lines) == NAMES
    f, own, chain = lines["funding"], lines["default_own"], lines["default_chain"]
    tenor, money = f["tenor"], f["the bank's money a year"]
    tau = tenor / own["days of a year"]
    late = lines["late_days"]["late, with the insurer's wait"]
    assert f["exact"] == pytest.approx(10_000 * money, abs=1e-4)
    assert lines["late_days"]["exact"] == pytest.approx(10_000 * money * late / tenor, abs=1e-4)

    # Default: the hazards of the obligor over the tenor and its late days, and what is lost.
    alone = 1 - math.exp(-own["hazard a year, alone"] * own["a default costs us within"] / 365)
    assert own["a default costs us within"] == tenor + late
    assert own["PD of this claim, alone"] == pytest.approx(alone, abs=1e-9)
    hazard = own["hazard a year, alone"] + chain["hazard a year, by the chain"]
    both = 1 - math.exp(-hazard * (tenor + late) / 365)
    assert chain["PD of this claim, with the chain"] == pytest.approx(both, abs=1e-9)
    lost = own["loss if it fails"] * own["exposed after cash margin"] / tau
    assert own["exact"] == pytest.approx(10_000 * alone * lost, abs=2e-3)
    assert chain["exact"] == pytest.approx(10_000 * (both - alone) * lost, abs=2e-3)
    assert chain["bp"] > 0

    d = lines["dilution"]
    assert d["credited beyond the reserve"] == pytest.approx(
        beyond(d["expected to be credited"], d["reserve"]), abs=1e-7
    )
    unbought = 1 - 0.9 * (1 - d["PD of the seller until it has bought back"])
    assert d["of it not bought back"] == pytest.approx(unbought, abs=1e-9)
    assert d["exact"] == pytest.approx(
        10_000 * d["credited beyond the reserve"] * unbought / tau, abs=2e-3
    )

    c = lines["capital"]
    pd_year = 1 - math.exp(-hazard)
    assert c["PD of a year, after recourse"] == pytest.approx(pd_year, abs=1e-9)
    k_default = k(max(pd_year, 0.0005), c["loss if it fails"])
    assert c["capital for default"] == pytest.approx(k_default, abs=1e-8)
    k_dilution = k(min(1, d["credited beyond the reserve"] * 365 / (tenor + late)), unbought)
    assert c["capital for dilution"] == pytest.approx(k_dilution, abs=1e-6)
    tied = (k_default * own["exposed after cash margin"] + k_dilution) * c["capital ratio"] / 0.08
    assert c["exact"] == pytest.approx(
        10_000 * tied * (c["hurdle a year"] - money) * (tenor + late) / tenor, abs=2e-2
    )

    o = lines["operating"]
    assert o["exact"] == pytest.approx(
        10_000 * o["cost of one claim"] / (o["financed face"] * tau), abs=1e-4
    )
    assert lines["channel"]["exact"] == 0
    items = lines["uncertainty"]["settled items known"]
    charge = 0 if items >= 30 else 60 / math.sqrt(1 + items)
    assert lines["uncertainty"]["exact"] == pytest.approx(charge, abs=1e-5)
    assert lines["margin"]["exact"] == 60
    least = 10_000 * money + 40
    missing = max(0.0, least - sum(lines[name]["exact"] for name in NAMES[:-1]))
    assert lines["floor_addon"]["exact"] == pytest.approx(missing, abs=1e-4)


def test_the_whole_points_sum_to_the_rate_that_was_quoted(page: str, case: PlainCase) -> None:
    lines = figures(page)
    exact = [lines[name]["exact"] for name in NAMES]
    rate = math.floor(sum(exact) + 0.5)
    shown = [math.floor(one) for one in exact]
    by_rest = sorted(range(len(exact)), key=lambda at: (-(exact[at] % 1), at))
    for at in by_rest[: rate - sum(shown)]:
        shown[at] += 1
    assert shown == [lines[name]["bp"] for name in NAMES]
    assert rate == case.quote["rate_ppm"] // 100
    total = re.search(r'<tfoot><tr><th scope="row" colspan="2">.*?</tr></tfoot>', page)
    assert total is not None
    assert CELLS.findall(total[0])[-1] == str(rate)


def test_the_chains_line_is_split_three_ways(page: str) -> None:
    whole = int(figures(page)["default_chain"]["bp"])
    splits = page.split("Where the chain's", 1)[1].split("</details>", 1)[0]
    assert splits.lstrip().startswith(f"{whole} bp")
    ways = splits.split("<h3>")[1:]
    assert len(ways) == 3
    for way in ways:
        assert sum(int(bp) for bp in re.findall(r"<dd>(\d+) bp</dd>", way)) == whole


def test_the_band_and_what_would_lower_it_are_told(page: str, case: PlainCase) -> None:
    rate = case.quote["rate_ppm"] // 100
    band = re.search(r"Expert band: (\d+) to (\d+) bp", page)
    assert band is not None
    assert int(band[1]) < rate < int(band[2])
    table = page.split('id="lower"', 1)[1].split("</table>", 1)[0]
    found = re.findall(r">(\d+) bp</td><td class=\"num\" data-label=\"[^\"]*\">−(\d+) bp<", table)
    assert len(found) >= 2
    assert all(int(low) + int(saved) == rate and int(saved) > 0 for low, saved in found)


def test_the_seller_reads_none_of_it(demo: DemoCopy, case: PlainCase) -> None:
    people = demo.served.world.people
    name = next(word for word, one in people.items() if one.org_id == case.seller_id)
    answer = demo.served.browser(name).get(f"/treasurer/requests/{case.request_id}")
    assert answer.status_code == 200
    text = html.unescape(answer.get_data(as_text=True))
    assert "Why this price?" in text
    assert "What would make it cheaper" in text
    assert re.search(r"about [0-9.]+% a year", text)
    for word in ("PD ", "hazard", "hurdle", "Capital", "default_", "margin of the policy"):
        assert word not in text
