"""Papers may come in any order, any format and at once: what they come to is the same."""

import dataclasses
import itertools
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from sqlalchemy import select

from scf.db.engine import Database
from scf.documents import conservation, intake
from scf.documents.canonical import Kind
from scf.documents.match.tolerance import Rules, Tolerance
from scf.documents.models import OrderLine
from tests.documents import messages, ubl
from tests.documents.match.papers import agreeing, file, line, paper
from tests.documents.trade import LINE_INVOICES, ORDERS, Trade, line_table, trade_on

PRICE = 10_00
TOLERANCE = 100_000  # ten in a hundred


@pytest.fixture
def trade(db: Database) -> Trade:
    return trade_on(db)


def sound(trade: Trade) -> list[Any]:
    with trade.db.snapshot() as conn:
        return list(conservation.breaches(conn))


def lines_of(trade: Trade) -> dict[str, Any]:
    table = OrderLine.__table__  # type: ignore[attr-defined]
    numbers = {row.id: row.number for row in trade.rows(Kind.ORDER)}
    with trade.db.snapshot() as conn:
        return {numbers[row.order_id]: row for row in conn.execute(select(table))}


def test_every_order_of_arrival_ends_the_same_and_tells_it_once(trade: Trade) -> None:
    def papers(number: str) -> list[tuple[bytes, bool]]:
        """The papers of one order; what the seller hands in is marked."""
        return [
            (file(paper("order", number, line("1", "10", 100_00))), False),
            (file(paper("receipt", f"R{number}", line("1", "1", of="1", unit="DZN"),
                        order=number)), False),
            (file(paper("invoice", f"I{number}", line("1", "12", 120_00, of="1"),
                        order=number)), True),
            (file(paper("credit_note", f"G{number}", line("1", "1", 10_00, of="1"),
                        credits=f"I{number}")), True),
        ]  # fmt: skip

    rules = Rules("receipt", Tolerance(quantity_over_ppm=TOLERANCE))
    turns = list(itertools.permutations(range(4)))[::2]  # each paper first, and last
    with agreeing(rules):
        for place, turn in enumerate(turns):
            made = papers(f"{place + 100}")
            for one in turn:
                content, by_seller = made[one]
                actor = trade.seller if by_seller else trade.buyer
                assert trade.hand_in(content, actor=actor)["stored"] == 1
        assert sound(trade) == []
    ends = {
        (row.match_state, row.match_code, row.credited_minor, row.counted_minor)
        for row in trade.rows()
    }
    # Received 11 of the 12 that came: what may be invoiced of it is 12, and one came back.
    assert ends == {("MATCHED", None, 10_00, 110_00)}
    counters = {
        (one.received_micro, one.invoiced_micro, one.matched_micro, one.invoiced_minor)
        for one in lines_of(trade).values()
    }
    assert counters == {(11_000_000, 11_000_000, 11_000_000, 110_00)}
    open_ones = [one.code for one in trade.findings() if one.resolved_at is None]
    assert set(open_ones) <= {"QUANTITY_EXCEEDED"}
    assert len(open_ones) == len(turns)  # each over-delivery once, and no exception is left


# --- Against an independent model -------------------------------------------------------------


@dataclasses.dataclass
class Model:
    """What one order of a single line should come to, worked out from the papers alone."""

    mode: str
    ordered: int
    received: int = 0
    sent: int = 0
    cancelled: bool = False
    invoices: list[tuple[str, int, int]] = dataclasses.field(default_factory=list)
    returned: dict[str, int] = dataclasses.field(default_factory=lambda: defaultdict(int))

    def states(self) -> dict[str, str]:
        def more(quantity: int) -> int:
            return quantity + quantity * TOLERANCE // 1_000_000

        arrived = min(self.received, more(self.ordered))
        by_receipt = self.mode != "order"
        most = more(more(self.ordered)) if by_receipt else more(self.ordered)
        claimed = matched = 0
        found = {}
        for number, quantity, price in self.invoices:
            kept = quantity - min(quantity, self.returned[number])
            if self.cancelled or claimed + kept > most or (kept and price > PRICE):
                found[number] = "EXCEPTION"
                continue
            claimed += kept
            proven = [more(arrived)] if by_receipt else []
            proven += [more(self.sent)] if self.mode == "despatch" else []
            if kept and any(matched + kept > bound for bound in proven):
                found[number] = "PARTIAL"
                continue
            matched += kept
            found[number] = "MATCHED"
        return found


M = 1_000_000


def _csv(kind: Any, number: str, quantity: int, net: int, **more: str) -> tuple[bytes, Any]:  # noqa: ANN401
    money = f"{net // 100}.{net % 100:02d}"
    row = {"number": number, "amount": money, "quantity": str(quantity), "net": money} | more
    return line_table([row]), kind


def stream(rng: random.Random, number: str, model: Model) -> list[tuple[bytes, Any, bool]]:
    """Make the papers of one order in a random order of arrival, and tell the model."""
    whole, final = model.ordered // M, model.ordered // M
    papers: list[tuple[bytes, Any, bool]] = []
    as_csv = rng.random() < 0.5
    if as_csv:
        papers.append((*_csv(ORDERS, number, whole, whole * PRICE), False))
    else:
        papers.append((file(paper("order", number, line("1", str(whole), whole * PRICE))), None,
                       False))  # fmt: skip
    for turn in range(1, rng.choice([1, 1, 2, 3])):
        final = rng.randint(4, 40)
        said = ("1", str(final), f"{final * 10}.00", "3")
        papers.append((messages.change(f"C{turn}-{number}", number, said, sequence=turn), None,
                       False))  # fmt: skip
    for turn in range(rng.randint(0, 3)):
        count = rng.randint(1, 15)
        if rng.random() < 0.5:
            content = ubl.receipt(f"R{turn}-{number}", number, received=str(count))
        else:
            goods = line("1", str(count), of="1", unit=rng.choice(["EA", "DZN"]))
            content = file(paper("receipt", f"R{turn}-{number}", goods, order=number))
            count *= 12 if goods["unit"] == "DZN" else 1
        model.received += count * M
        papers.append((content, None, False))
    for turn in range(rng.randint(0, 2)):
        count = rng.randint(1, 15)
        model.sent += count * M
        content = messages.despatch(f"D{turn}-{number}", number, str(count))
        papers.append((content, None, True))
    for turn in range(rng.randint(1, 4)):
        name, count = f"I{turn}-{number}", rng.randint(1, 20)
        price = rng.choice([PRICE, PRICE, PRICE, PRICE + 100, PRICE - 100])
        if rng.random() < 0.5:
            made = _csv(LINE_INVOICES, name, count, count * price, order=number, order_line="1")
            papers.append((*made, True))
        else:
            goods = line("1", str(count), count * price, of="1")
            papers.append((file(paper("invoice", name, goods, order=number)), None, True))
        model.invoices.append((name, count * M, price))
        if rng.random() < 0.4:
            back = rng.randint(1, count)
            model.returned[name] += back * M
            note = line("1", str(back), back * price, of="1")
            papers.append((file(paper("credit_note", f"G-{name}", note, credits=name)), None, True))
    if rng.random() < 0.1:
        model.cancelled = True
        papers.append((messages.cancellation(f"X-{number}", number), None, False))
    model.ordered = final * M
    # Among invoices the earlier has the goods: they keep their own order, all else may come anyhow.
    places = list(range(len(papers)))
    rng.shuffle(places)
    invoices = iter(one for one in papers if _is_invoice(one))
    return [next(invoices) if _is_invoice(papers[at]) else papers[at] for at in places]


def _is_invoice(one: tuple[bytes, Any, bool]) -> bool:
    return one[1] is LINE_INVOICES or b'"kind": "invoice"' in one[0]


def run_streams(
    trade: Trade, seed: int, streams: int, before: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Hand in papers and compare all invoices with the model's; ``before`` are those of others."""
    rng = random.Random(seed)
    expected = dict(before)
    for at in range(streams):
        mode = rng.choice(["order", "receipt", "despatch"])
        model = Model(mode, rng.randint(4, 40) * M)
        rules = Rules(mode, Tolerance(quantity_over_ppm=TOLERANCE))  # type: ignore[arg-type]
        with agreeing(rules):
            for content, mapping, by_seller in stream(rng, f"{seed}{at:04d}7", model):
                actor = trade.seller if by_seller else trade.buyer
                assert trade.hand_in(content, mapping, actor=actor)["stored"] == 1
        expected |= model.states()
    with agreeing(Rules("order", Tolerance(quantity_over_ppm=TOLERANCE))):
        assert sound(trade) == []
    assert {row.number: row.match_state for row in trade.rows()} == expected
    assert len(set(expected.values())) > 1
    return expected


def test_random_papers_agree_with_an_independent_model_and_lose_nothing(trade: Trade) -> None:
    run_streams(trade, 5, 8)


@pytest.mark.long
def test_many_random_papers_agree_with_an_independent_model(trade: Trade) -> None:
    expected: dict[str, str] = {}
    for seed in range(11, 19):
        expected = run_streams(trade, seed, 60, expected)


# --- At the same instant ----------------------------------------------------------------------


def test_an_order_and_its_papers_that_come_at_one_instant_find_each_other(trade: Trade) -> None:
    rounds = 5
    for place in range(rounds):
        number = f"{place + 50}"
        papers = [
            file(paper("order", number, line("1", "10", 100_00))),
            file(paper("receipt", f"R{number}", line("1", "10", of="1"), order=number)),
            file(paper("invoice", f"I{number}", line("1", "8", 80_00, of="1"), order=number)),
            messages.change(f"C{number}", number, ("1", "9", "90.00", "3")),
        ]
        uploads = [trade.receive(content) for content in papers]
        start = threading.Barrier(len(uploads))
        workers = [
            threading.Thread(target=_meet, args=(start, intake.run_upload, trade, upload))
            for upload in uploads
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert sound(trade) == []
    assert {row.match_state for row in trade.rows()} == {"MATCHED"}
    ends = {(one.quantity_micro, one.received_micro) for one in lines_of(trade).values()}
    assert ends == {(9_000_000, 9_000_000)}


def _meet(start: threading.Barrier, work: Callable[..., Any], trade: Trade, upload_id: str) -> None:
    start.wait()
    work(trade.world.platform, upload_id)
