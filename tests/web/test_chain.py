"""The chain on pages and over the API: full for the bank, partners and counts for the others."""

import datetime as dt
import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from lxml import etree

from scf.bootstrap import load_appetite
from scf.chain import nightly, picture, service
from scf.chain.models import GraphEdge, GraphNode, GraphSnapshot
from scf.chain.standing import standing_of
from scf.db.engine import Database
from scf.kernel.actor import OPERATOR, Role
from tests.chain.rows import put_sales
from tests.support.deals import table
from tests.support.people import NOON, World, world_on
from tests.support.served import Served, application

ON = dt.date(2026, 2, 1)
DUE = dt.date(2026, 4, 1)
PASSED = dt.date(2026, 2, 10)
SECOND_TIER = [f"deep-{n}" for n in range(6)]
ODD = "=Cut <b>& Sons"


@pytest.fixture
def served(db: Database) -> Served:
    """Deep firms sell to two suppliers, these to the anchor and one to a rival; one firm is late.

    anchor ← supplier ← deep-0…5; anchor ← second ← odd; supplier → rival; elsewhere: two firms
    that hang together with nobody.
    """
    world = world_on(db)
    world.firm("bank", "financier")
    for firm in ("anchor", "supplier", "second", "rival", "far", "farther", *SECOND_TIER):
        world.firm(firm)
    world.firms["odd"] = str(world.run("firm.add", OPERATOR, name=ODD, country="DE")["id"])
    world.person("omar", "bank", Role.OFFICER_MAKER)
    world.person("chen", "bank", Role.OFFICER_CHECKER)
    world.person("anna", "anchor", Role.ANCHOR_APPROVER)
    world.person("mira", "supplier", Role.TREASURER)
    world.person("rita", "rival", Role.ANCHOR_CLERK)
    loaded = world.run(
        "programme.load",
        world.people["omar"],
        content=files("config").joinpath("programmes/payables-finance.toml").read_text("utf-8"),
        anchor_id=world.firms["anchor"],
        effective_on=NOON.date(),
    )
    world.run("programme.activate", world.people["chen"], programme_id=loaded["id"])
    ids = world.firms
    sales = [
        (ids["supplier"], ids["anchor"], 600_000_00, ON, DUE),
        (ids["supplier"], ids["rival"], 200_000_00, ON, PASSED),
        (ids["second"], ids["anchor"], 100_000_00, ON, DUE),
        (ids["odd"], ids["second"], 9_000_00, ON, DUE),
        (ids["far"], ids["farther"], 5_00, ON, DUE),
        *((ids[deep], ids["supplier"], 10_000_00, ON, DUE) for deep in SECOND_TIER),
    ]
    with db.writer.begin() as conn:
        put_sales(conn, sales, NOON - dt.timedelta(days=3))
    nightly.build_all(world.platform)
    return Served(world, application(world))


def page(served: Served, person: str, path: str, status: int = 200) -> str:
    answer = served.browser(person).get(path)
    assert answer.status_code == status, answer.get_data(as_text=True)[:500]
    return str(answer.get_data(as_text=True))


def names_on(text: str, world: World) -> set[str]:
    """Give the short names of the firms that a page names, by their names or ids."""
    return {
        short for short, firm in world.firms.items()
        if short != "bank" and (firm in text or f"{short.title()} Company" in text)
    }  # fmt: skip


# --- The bank -------------------------------------------------------------------------------------


def test_the_bank_sees_the_whole_chain_and_nothing_of_other_chains(
    served: Served,
) -> None:
    text = page(served, "omar", "/officer/chain")
    seen = names_on(text, served.world)
    assert {"anchor", "supplier", "second", "rival", *SECOND_TIER} <= seen
    assert not {"far", "farther"} & seen
    assert "10 relations" in text
    assert "Tier 2" in text

    answer = served.browser("omar").get("/officer/chain.csv")
    text = answer.get_data(as_text=True)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="chain-2026-03-02.csv"'
    assert text.startswith("\ufeffseller_id,")
    assert len(text.splitlines()) == 11
    assert f"'{ODD}" in text
    assert ",600000.00," in text


def test_the_picture_is_the_same_for_all_and_says_what_its_table_says(
    served: Served,
) -> None:
    text = page(served, "omar", "/officer/chain")
    drawn = re.findall(r'<a class="chain-firm[^>]* aria-label="([^",]+),', text)
    rows = re.findall(
        r'<td data-label="Firm"><a href="[^"]*">([^<]+)</a>',
        page(served, "omar", "/officer/chain?view=table"),
    )
    assert rows == drawn
    assert len(rows) == 11

    def drawing(person: str) -> str:
        text = page(served, person, "/officer/chain?colour=overdue")
        return text[
            text.index('<svg class="chain"') : text.index("</figure>")
            if "</figure>" in text
            else text.rindex("</svg>")
        ]

    assert drawing("omar").partition("</svg>")[0] == drawing("chen").partition("</svg>")[0]

    text = page(served, "omar", "/officer/chain")
    found = Attributes()
    found.feed(text)
    assert found.styles == []
    assert all(firm["href"] and firm["aria-label"] for firm in found.firms)
    assert "<b>& Sons" not in text
    svg = text[text.index('<svg class="chain"') :].partition("</svg>")[0] + "</svg>"
    assert etree.fromstring(svg).tag == "svg"  # every value is quoted, every shape closed
    assert svg.count('class="chain-hit"') == 11


def test_a_firm_is_shown_with_its_steps_its_ties_and_its_partners(
    served: Served,
) -> None:
    supplier = served.world.firms["supplier"]
    text = page(served, "omar", f"/officer/chain?firm={supplier}&up=1&down=1&colour=overdue")
    assert {"supplier", "anchor", "rival", *SECOND_TIER} == names_on(text, served.world)
    assert "75.0%" in text  # of its sales go to the anchor
    assert "0.625" in text
    assert "pays late" in text
    assert "stroke-dasharray" in text

    assert "<h1>Supplier Company</h1>" in page(served, "omar", "/officer/chain?q=supplier+comp")
    several = page(served, "omar", "/officer/chain?q=deep")
    assert "Several firms fit" in several
    assert several.count("Deep-3 Company") >= 1
    assert "No firm of the chain fits" in page(served, "omar", "/officer/chain?q=farther")

    ids = served.world.firms
    text = page(
        served, "omar", f"/officer/chain?firm={ids['deep-1']}&to={ids['anchor']}&up=0&down=2"
    )
    assert "How they are tied" in text
    assert "2 steps" in text
    assert text.count('class="chain-lit"') >= 2
    none = page(served, "omar", f"/officer/chain?firm={ids['deep-1']}&to={ids['far']}")
    assert "No way leads" in none

    text = page(served, "omar", f"/officer/chain?firm={served.world.firms['far']}")
    assert "in no relation of the chain" in text


def test_before_the_first_build_the_pages_say_so(db: Database) -> None:
    world = world_on(db)
    world.firm("bank", "financier")
    world.firm("anchor")
    world.person("omar", "bank", Role.OFFICER_MAKER)
    world.person("anna", "anchor", Role.ANCHOR_APPROVER)
    served = Served(world, application(world))
    assert "has not been built yet" in page(served, "omar", "/officer/chain")
    assert "No chain shows your organisation" in page(served, "anna", "/anchor/chain")
    answer = served.api("omar", "GET", f"/chain/{world.firms['anchor']}")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "GRAPH_MISSING")


class Attributes(HTMLParser):
    """Collects what a page says of its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.styles: list[str] = []
        self.firms: list[dict[str, str | None]] = []
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "style" in given or tag == "style":
            self.styles.append(tag)
        if tag == "a" and "chain-firm" in str(given.get("class")):
            self.firms.append(given)


def test_risk_is_told_by_letter_and_shape_beside_the_colour(served: Served) -> None:
    ids = served.world.firms
    marks = picture.Marks(
        "risk",
        risk={
            ids["supplier"]: "D1", ids["rival"]: "E", ids["second"]: "A2", ids["anchor"]: "X",
        },
    )  # fmt: skip
    with served.world.platform.db.snapshot() as conn:
        snapshot = service.latest_snapshot(conn, ids["bank"])
        drawn = picture.whole(conn, snapshot, marks)
    shapes = {one.id: (one.shape, one.letter) for one in drawn.firms}
    assert shapes[ids["supplier"]] == ("diamond", "D")
    assert shapes[ids["rival"]] == ("ring", "E")
    assert shapes[ids["second"]] == ("circle", "A")
    assert shapes[ids["anchor"]] == ("ring", "X")  # in default looks no better than E
    boxes = [
        (one.label.x, one.label.y, one.label.x + one.label.width, one.label.y + 30)
        for one in drawn.firms if one.label
    ]  # fmt: skip
    assert len(boxes) >= 5
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]


def test_the_bank_looks_back_at_the_chain_of_any_past_day(served: Served) -> None:
    ids, omar = served.world.firms, served.browser("omar")
    path = f"/officer/chain?firm={ids['anchor']}&on=2026-02-28"
    text = page(served, "omar", path)
    assert "No chain is kept of 28 Feb 2026 or earlier" in text
    action = f"/officer/chain/look-back?firm={ids['anchor']}&on=2026-02-28"
    key = re.search(r'name="key" value="([^"]+)"', text)
    assert key is not None
    answer = omar.post(action, data={"key": key[1]})
    assert answer.status_code == 303
    assert f"firm={ids['anchor']}" in answer.location
    assert "on=2026-02-28" in answer.location
    text = page(served, "omar", path)
    assert "You look back: the chain as known before 28 Feb 2026" in text
    assert "colour=exposure" not in text  # nobody keeps what was owed on that day
    assert "What if" not in text
    # the documents were stored on 27 February: they were known before the 28th, not before the 27th
    assert {"anchor", "supplier"} <= names_on(text, served.world)
    made = served.api("omar", "POST", "/chain/snapshots", json={"as_of_on": "2026-02-27"})
    assert (made.status_code, made.get_json()["relations"]) == (201, 0)
    gone = served.api("omar", "GET", f"/chain/{ids['anchor']}?on=2026-02-27")
    assert gone.get_json()["code"] == "NOT_IN_CHAIN"
    then = served.api("omar", "GET", f"/chain/{ids['anchor']}?on=2026-02-28").get_json()
    assert then["as_of_on"] == "2026-02-28"
    assert then["place"]["cut_off_without_it"] == 9
    now = page(served, "omar", "/officer/chain")
    assert "You look back" not in now
    wrong = omar.post("/officer/chain/look-back?on=nonsense", data={"key": "another-key-12345"})
    assert wrong.status_code == 303
    mira = served.api("mira", "GET", f"/chain/{ids['supplier']}?on=2026-02-28").get_json()
    assert (mira["as_of_on"], mira["place"]) == ("2026-02-28", None)
    assert served.api("anna", "POST", "/chain/snapshots", json={}).status_code == 403


def test_the_bank_asks_what_happens_when_a_firm_fails_pays_late_or_is_downgraded(
    served: Served,
) -> None:
    load_appetite()
    ids = served.world.firms
    path = f"/officer/chain/what-if?firm={ids['anchor']}"
    assert f"/officer/chain/what-if?firm={ids['supplier']}" in page(
        served, "omar", f"/officer/chain?firm={ids['supplier']}"
    )
    text = page(served, "omar", path)
    assert "<h1>What if Anchor Company fails</h1>" in text
    assert {"supplier", "second"} <= names_on(text, served.world)
    assert "700,000.00" in text  # open on it with its two suppliers
    assert "Supplier Company" in text[text.index('id="moved"') :]  # how a deep firm is reached
    assert "pays 45 days late" in page(served, "omar", path + "&event=late&days=45")
    assert "falls by 2 grades" in page(served, "omar", path + "&event=downgrade&notches=2")
    assert "it fails" in page(served, "omar", path + "&event=x&days=²&notches=-1")
    for firm in (ids["far"], "", "nobody"):
        gone = page(served, "omar", f"/officer/chain/what-if?firm={firm}", status=404)
        assert "in no relation of the chain" in gone

    told = served.api("omar", "GET", f"/chain/{ids['anchor']}/what-if").get_json()
    assert told["firms"][0]["firm_id"] in {ids["supplier"], ids["second"]}
    deep = next(one for one in told["firms"] if one["firm_id"] == ids["deep-1"])
    assert deep["path"] == [ids["anchor"], ids["supplier"], ids["deep-1"]]
    listed = sum(one["pd_after_ppm"] - one["pd_before_ppm"] for one in told["firms"])
    assert abs(told["change_micro"] - told["rest_micro"] - listed) <= len(told["firms"])
    assert told["receivable"] == {"amount_minor": 700_000_00, "currency": "EUR"}
    late = served.api("omar", "GET", f"/chain/{ids['anchor']}/what-if?event=late&days=20")
    assert (late.get_json()["event"], late.get_json()["size"]) == ("late", 20)
    wrong = served.api("omar", "GET", f"/chain/{ids['anchor']}/what-if?event=late&days=121")
    assert wrong.status_code == 422
    foreign = served.api("mira", "GET", f"/chain/{ids['supplier']}/what-if")
    assert (foreign.status_code, served.browser("mira").get(path).status_code) == (403, 403)


# --- Everybody else -------------------------------------------------------------------------------


def test_a_trader_sees_its_partners_and_an_anchor_counts_behind_them(served: Served) -> None:
    text = page(served, "anna", "/anchor/chain")
    assert names_on(text, served.world) == {"anchor", "supplier", "second"}
    assert "7 firms" in text  # six behind one supplier and one behind the other, together

    shown = served.api("rita", "GET", f"/chain/{served.world.firms['rival']}?up=5").get_json()
    assert {one["id"] for one in shown["firms"]} == {
        served.world.firms[name] for name in ("rival", "supplier")
    }
    assert shown["deeper"] == []
    shown = served.api(
        "anna", "GET", f"/chain/{served.world.firms['anchor']}?up=5&down=5"
    ).get_json()
    assert shown["deeper"] == [{"level": 2, "firms": 7}]

    for person, firm in (("anna", "supplier"), ("mira", "anchor"), ("mira", "deep-1")):
        foreign = served.api(person, "GET", f"/chain/{served.world.firms[firm]}")
        missing = served.api(person, "GET", "/chain/nobody")
        assert foreign.status_code == missing.status_code == 404
    for person in ("anna", "mira"):
        assert served.browser(person).get("/officer/chain").status_code == 403
        assert served.browser(person).get("/officer/chain.csv").status_code == 403
    assert served.browser("mira").get("/anchor/chain").status_code == 403


def test_who_reads_which_field(served: Served) -> None:
    supplier = served.world.firms["supplier"]
    own = served.api("mira", "GET", f"/chain/{supplier}").get_json()
    full = served.api("omar", "GET", f"/chain/{supplier}").get_json()
    assert {one["id"] for one in own["firms"]} == {one["id"] for one in full["firms"]}
    assert {(one["tier_up"], one["in_circle"]) for one in own["firms"]} == {(None, None)}
    to_anchor = {
        side: next(r for r in answer["relations"] if r["buyer_id"] == served.world.firms["anchor"])
        for side, answer in (("own", own), ("full", full))
    }
    assert to_anchor["own"]["payments_52w"] is None
    assert to_anchor["full"]["payments_52w"] == {"amount_minor": 0, "currency": "EUR"}
    assert to_anchor["own"]["sales_52w"] == {"amount_minor": 600_000_00, "currency": "EUR"}
    assert {one["id"]: one["tier_up"] for one in full["firms"]}[served.world.firms["deep-1"]] == 2


def test_another_clients_data_changes_nothing_a_trader_reads(served: Served, db: Database) -> None:
    """Two worlds that differ in what a supplier buys: the anchor reads the same bytes."""
    world = served.world
    path = f"/chain/{world.firms['anchor']}?up=5&down=5"
    read, seen = served.api("anna", "GET", path).data, page(served, "anna", "/anchor/chain")
    hidden = [(world.firms["deep-0"], world.firms["supplier"], 77_000_00, ON, PASSED)] * 3
    with db.writer.begin() as conn:
        put_sales(conn, hidden, NOON - dt.timedelta(days=2))
        for model in (GraphEdge, GraphNode, GraphSnapshot):
            conn.execute(table(model).delete())
    again = world.run("graph.build", world.people["omar"])
    assert again["built"] is True
    assert served.api("anna", "GET", path).data == read
    after = page(served, "anna", "/anchor/chain")
    token = re.compile(r'name="(csrf_token|key|idempotency_key)" value="[^"]*"')
    assert token.sub("", after) == token.sub("", seen)


def test_the_bank_reads_where_a_firm_stands_in_the_whole_chain(served: Served) -> None:
    """Six firms sell through the supplier alone; the odd one through the second."""
    ids = served.world.firms
    text = page(served, "omar", f"/officer/chain?firm={ids['supplier']}")
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text))
    assert facts["Cut off from every anchor without it"] == "6 firms"
    assert facts["Steps of its goods to an anchor"] == "1"
    assert facts["Its own goods must pass"] == "Anchor Company"
    assert facts["Weight by the sales that lead to it"] == "2 of 11"
    assert facts["Core of partners"] == "1, the deepest is 1"
    assert facts["Trades in a circle"] == "no"
    deep = page(served, "omar", f"/officer/chain?firm={ids['deep-0']}")
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", deep))
    assert facts["Its own goods must pass"] == "Supplier Company"
    assert facts["Cut off from every anchor without it"] == "0 firms"
    with served.world.platform.db.snapshot() as conn:
        snapshot = service.latest_snapshot(conn, ids["bank"])
        assert standing_of(conn, snapshot, "nobody") is None
        assert standing_of(conn, snapshot, ids["far"]) is None, "of no chain of ours"
    assert "Its place in the whole chain" not in page(served, "anna", "/anchor/chain")
