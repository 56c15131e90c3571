"""What the firms of the demo world would hand in, month by month: tables of papers, from one seed.

Pure: the cast in, dated papers out. An order comes before its invoice, a payment after it; some
pay late, some credit or contest a part, and who has failed pays nobody any more.
"""

import calendar
import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from scf.demo.cast import Actor, Cast, Relation
from scf.kernel.money import format_minor

CURRENCY: Final = "EUR"


@dataclass(frozen=True)
class Paper:
    """One invoice from its order to its payment; ``paid_on`` is None where nobody pays."""

    number: str
    order: str
    seller: Actor
    buyer: Actor
    ordered_on: dt.date
    issued_on: dt.date
    due_on: dt.date
    amount_minor: int
    paid_on: dt.date | None
    credited_minor: int


@dataclass(frozen=True)
class Month:
    """The papers that were issued in one month."""

    first: dt.date
    last: dt.date
    papers: list[Paper] = field(default_factory=list)


def history(cast: Cast, seed: int, first: dt.date, today: dt.date) -> list[Month]:
    """Give the trade of every month from ``first`` to the eve of ``today``."""
    chance = random.Random(seed)  # noqa: S311 - a play, not a secret
    counted: dict[str, int] = defaultdict(int)
    months = []
    for place, (start, end) in enumerate(_months(first, today)):
        month = Month(start, end)
        for relation in cast.relations:
            month.papers.extend(_papers(chance, cast, relation, month, place, counted))
        month.papers.sort(key=lambda paper: (paper.issued_on, paper.number))
        months.append(month)
    return months


def _months(first: dt.date, today: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    start = first
    while start < today:
        end = start.replace(day=calendar.monthrange(start.year, start.month)[1])
        yield start, min(end, today - dt.timedelta(days=1))
        start = end + dt.timedelta(days=1)


def _papers(
    chance: random.Random,
    cast: Cast,
    relation: Relation,
    month: Month,
    place: int,
    counted: dict[str, int],
) -> Iterator[Paper]:
    days = (month.last - month.first).days + 1
    seller, buyer = cast.firms[relation.seller], cast.firms[relation.buyer]
    whole = int(relation.a_month * days / 30)
    count = whole + (chance.random() < relation.a_month * days / 30 - whole)
    if seller.fails_in is not None and place >= seller.fails_in:
        return
    for _ in range(count):
        counted[seller.name] += 1
        word = "".join(part[0] for part in seller.name.split() if part[0].isalpha())
        issued = month.first + dt.timedelta(days=chance.randrange(days))
        due = issued + dt.timedelta(days=relation.days)
        late = max(0, round(chance.gauss(buyer.late_days, 1 + buyer.late_days / 2)))
        if buyer.part == "anchor":
            late = min(late, 1)  # over a weekend still within the days of grace
        failed = buyer.fails_in is not None and place + relation.days // 30 >= buyer.fails_in
        amount = max(20_000, round(relation.mean_minor * chance.lognormvariate(0, 0.4)))
        credited = amount // 20 if chance.random() < seller.credits * 8 else 0
        place_of = f"{counted[seller.name]:03d}"
        yield Paper(
            number=f"{word}-{issued.year}-{seller.duns[-4:]}{place_of}",
            order=f"PO-{issued:%y%m}-{seller.duns[-4:]}-{place_of}",
            seller=seller,
            buyer=buyer,
            ordered_on=issued - dt.timedelta(days=chance.randrange(10, 30)),
            issued_on=issued,
            due_on=due,
            amount_minor=amount,
            paid_on=None if failed else _on_a_weekday(due + dt.timedelta(days=late)),
            credited_minor=credited,
        )


def _on_a_weekday(day: dt.date) -> dt.date:
    return day + dt.timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)  # noqa: PLR2004 - Friday


def invoices_csv(papers: list[Paper]) -> bytes:
    """Write the invoices that a buyer enters."""
    return _csv(
        "number,order,date,due,amount,seller,buyer",
        [
            (
                paper.number, paper.order, paper.issued_on, paper.due_on,
                format_minor(paper.amount_minor, CURRENCY), paper.seller.duns, paper.buyer.duns,
            )
            for paper in papers
        ],
    )  # fmt: skip


def orders_csv(papers: list[Paper]) -> bytes:
    """Write the orders that a buyer has placed, one line each."""
    return _csv(
        "number,date,amount,seller,buyer,line,quantity,unit,net",
        [
            (
                paper.order, paper.ordered_on, amount, paper.seller.duns, paper.buyer.duns,
                "1", "1", "LS", amount,
            )
            for paper in papers
            for amount in [format_minor(paper.amount_minor, CURRENCY)]
        ],
    )  # fmt: skip


def payments_csv(papers: list[Paper]) -> bytes:
    """Write what a seller has received."""
    return _csv(
        "reference,paid,amount,payee,payer",
        [
            (
                paper.number, paper.paid_on,
                format_minor(paper.amount_minor - paper.credited_minor, CURRENCY),
                paper.seller.duns, paper.buyer.duns,
            )
            for paper in papers
        ],
    )  # fmt: skip


def credits_csv(papers: list[Paper], on: dt.date) -> bytes:
    """Write the credit notes of a seller on some of its invoices."""
    return _csv(
        "number,date,amount,invoice,seller,buyer",
        [
            (
                f"CN-{paper.number}", on, format_minor(paper.credited_minor, CURRENCY),
                paper.number, paper.seller.duns, paper.buyer.duns,
            )
            for paper in papers
        ],
    )  # fmt: skip


def _csv(head: str, rows: list[tuple[object, ...]]) -> bytes:
    lines = [head, *(",".join(str(cell) for cell in row) for row in rows)]
    return ("\n".join(lines) + "\n").encode()
