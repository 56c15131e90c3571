"""FraudSim-1, the part about invoices: a year of honest trade and the copies hidden in it.

Small and seeded. Honest business brings its lookalikes along: part shipments with equal amounts,
billing days, monthly fees, corrected and rebilled invoices, numbers that start again in January.
Half of the copies are placed where these are. Detectors never read ``fraud`` or ``copy_of``.
Source: fraud.md section 2.4.
"""

import dataclasses
import datetime as dt
import string
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from scf.documents.duplicates.rules import Print, lines_print, named_lines
from scf.documents.fingerprints import canonical_number

START = dt.date(2025, 7, 1)
DAYS = 365
STYLES = ("INV-{year}-{n:05d}", "R{n:06d}", "{year}/{n:04d}", "{n}", "AB-{n:05d}", "F{year}{n:05d}")
CYRILLIC = str.maketrans(
    "ABEHKMOPCTX", "\u0410\u0412\u0415\u041d\u041a\u041c\u041e\u0420\u0421\u0422\u0425"
)


@dataclasses.dataclass
class Paper:
    """One invoice of the simulated year."""

    seller: int
    buyer: int
    number: str
    issue_on: dt.date
    amount: int
    order: str
    lines: list[tuple[str, int, int]]
    upload: str
    sort: str  # catalogue project recurring
    ordered: int | None = None  # what the order comes to, where the buyer handed it in
    batch: bool = False
    shipment: bool = False
    replaces: int | None = None  # place of the void or credited invoice that it stands for
    fraud: str = ""
    copy_of: int | None = None


def _digits(change: Callable[[str], str]) -> Callable[[str], str]:
    """Change the last run of digits of a number."""

    def changed(number: str) -> str:
        end = len(number.rstrip(string.ascii_letters + "-/. "))
        start = end
        while start and number[start - 1].isdigit():
            start -= 1
        return number[:start] + change(number[start:end]) + number[end:]

    return changed


def _wide(sign: str) -> str:
    return chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign


# What costs a forger nothing: thirteen ways to write the same number differently.
DISGUISES: dict[str, Callable[[str], str]] = {
    "case": str.swapcase,
    "spaces": " ".join,
    "dashes": lambda number: number.replace("-", "").replace("/", "-"),
    "long dash": lambda number: number.replace("-", "\u2013") + "\u2014",
    "dots": lambda number: number.replace("-", ".").replace("/", ".") + ".",
    "slashes": lambda number: number.replace("-", "/"),
    "cyrillic": lambda number: number.translate(CYRILLIC),
    "fullwidth": lambda number: "".join(map(_wide, number)),
    "O for 0": lambda number: number.replace("0", "O"),
    "I for 1": lambda number: number.replace("1", "I"),
    "zeros more": _digits(lambda run: f"00{run}"),
    "zeros less": _digits(lambda run: run.lstrip("0") or "0"),
    "words": lambda number: f"Invoice No. {number}",
}  # fmt: skip


def _swapped(run: str) -> str:
    for at in range(len(run) - 1, 0, -1):
        if run[at] != run[at - 1]:
            return run[: at - 1] + run[at] + run[at - 1] + run[at + 1 :]
    return run + run[-1]


RENUMBERED = ("renumbered", "suffix", "digit swap", "amount")


class _World:
    def __init__(self, seed: int, pairs: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.papers: list[Paper] = []
        self.sellers = max(2, pairs // 3)
        self.pairs = pairs
        self.counters: dict[int, int] = {}
        self.orders = 0

    def number(self, seller: int, day: dt.date, style: int, *, restart: bool) -> str:
        key = seller * 10_000 + (day.year if restart else 0)
        start = 1 if restart else 100 + seller * 37
        self.counters[key] = self.counters.get(key, start) + 1
        return STYLES[style].format(year=day.year, n=self.counters[key])

    def run(self) -> list[Paper]:
        rng = self.rng
        habits = [
            (int(rng.integers(len(STYLES))), rng.random() < 0.10, rng.random() < 0.40,
             rng.random() < 0.5, int(rng.integers(5)))
            for _ in range(self.sellers)
        ]  # fmt: skip
        planned: list[dict[str, Any]] = []
        for pair in range(self.pairs):
            seller = int(rng.integers(self.sellers))
            planned += self._of_pair(seller, pair, habits[seller])
        planned.sort(key=lambda one: one["day"])
        for one in planned:
            style, restart, *_ = habits[one["seller"]]
            self._write(one, style, restart=restart)
        return self.papers

    def _of_pair(
        self, seller: int, buyer: int, habits: tuple[Any, ...]
    ) -> Iterator[dict[str, Any]]:
        rng = self.rng
        _, _, batch, month_end, weekday = habits
        sort = str(rng.choice(["catalogue", "project", "recurring"], p=[0.60, 0.25, 0.15]))
        median = float(np.exp(np.log(8_000) + 0.8 * rng.standard_normal()))
        known_orders = rng.random() < 0.7
        many = 12 if sort == "recurring" else int(rng.poisson(20 if sort == "catalogue" else 6))
        base = int(rng.integers(28))
        for n in range(many):
            if sort == "recurring":
                month = dt.date(2025 + (6 + n) // 12, (6 + n) % 12 + 1, 1)
                day = month + dt.timedelta(days=base + int(rng.integers(-2, 3)))
            else:
                day = START + dt.timedelta(days=int(rng.integers(DAYS)))
            day = _business(_batch_day(day, weekday, month_end=month_end) if batch else day)
            yield {
                "seller": seller, "buyer": buyer, "day": day, "sort": sort, "median": median,
                "known": known_orders, "batch": batch,
            }  # fmt: skip

    def _write(self, one: dict[str, Any], style: int, *, restart: bool) -> None:
        rng = self.rng
        sort, day, seller = one["sort"], one["day"], one["seller"]
        cents = int(one["median"] * 100)
        upload = f"{seller}:{day}" if one["batch"] else f"{seller}:{day}:{len(self.papers)}"
        number = self.number(seller, day, style, restart=restart)
        if sort == "recurring":
            self._add(one, number, cents, "", [("monthly fee", 1, cents)], upload)
            return
        self.orders += 1
        order = f"PO-{self.orders:06d}"
        if sort == "project":
            amount = int(cents * float(np.exp(0.40 * rng.standard_normal())))
            stage = f"stage {int(rng.integers(1, 20))}"
            self._add(one, number, amount, order, [(stage, 1, amount)], upload)
            return
        price = int(cents / 20 * float(np.exp(0.05 * rng.standard_normal()))) or 1
        lines = [
            (f"article {int(rng.integers(1, 6))}", int(rng.integers(1, 41)))
            for _ in range(int(rng.integers(1, 4)))
        ]
        priced = [(item, many, many * price) for item, many in lines]
        total = sum(net for _, _, net in priced)
        if rng.random() >= 0.30:
            self._add(one, number, total, order, priced, upload, ordered=total)
            return
        parts = int(rng.integers(2, 6))
        equal = rng.random() < 0.25
        shares = np.full(parts, 1 / parts) if equal else rng.dirichlet(np.full(parts, 4.0))
        numbered = day.year
        for part, share in enumerate(shares, start=1):
            later = {**one, "day": _business(day + dt.timedelta(days=3 * (part - 1)))}
            if restart and later["day"].year != numbered:
                # Its numbers begin again: one of last year's would stand on two papers of this.
                numbered = later["day"].year
                number = self.number(seller, later["day"], style, restart=True)
            goods = [(item, 1, int(net * share)) for item, _, net in priced]
            self._add(
                later, f"{number}-{part}", sum(net for _, _, net in goods), order, goods,
                f"{upload}:{part}", ordered=total, shipment=True,
            )  # fmt: skip

    def _add(
        self,
        one: dict[str, Any],
        number: str,
        amount: int,
        order: str,
        lines: list[tuple[str, int, int]],
        upload: str,
        *,
        ordered: int | None = None,
        shipment: bool = False,
    ) -> None:
        made = Paper(
            one["seller"], one["buyer"], number, one["day"], max(1, amount), order, lines, upload,
            one["sort"], (ordered or amount) if one["known"] and order else None, one["batch"],
            shipment,
        )  # fmt: skip
        self.papers.append(made)
        fate = self.rng.random()
        if fate < 0.02 and not shipment:  # void and reissued, or credited and billed again
            again = f"{number}/R" if fate < 0.01 else self.number(
                one["seller"], made.issue_on, int(self.rng.integers(len(STYLES))), restart=False
            )  # fmt: skip
            self.papers.append(
                dataclasses.replace(
                    made, number=again, replaces=len(self.papers) - 1, upload=f"{upload}:again",
                    issue_on=_business(made.issue_on + dt.timedelta(days=2)),
                )
            )  # fmt: skip


def _business(day: dt.date) -> dt.date:
    return day + dt.timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


def _batch_day(day: dt.date, weekday: int, *, month_end: bool) -> dt.date:
    if month_end:
        return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=3)
    return day + dt.timedelta(days=weekday - day.weekday())


def honest(seed: int, pairs: int) -> list[Paper]:
    """Give a year of honest invoices in the order in which they were written."""
    return _World(seed, pairs).run()


def with_copies(seed: int, papers: list[Paper], share: float) -> list[Paper]:
    """Hide copies among honest invoices, half of them where honest lookalikes are."""
    rng = np.random.default_rng(seed + 1_000_000)
    aware = [
        n for n, one in enumerate(papers) if one.batch or one.shipment or one.sort == "recurring"
    ]
    stood_for = {one.replaces for one in papers}
    copies = []
    for n in range(max(1, int(len(papers) * share))):
        place = int(rng.choice(aware)) if n % 2 else int(rng.integers(len(papers)))
        if place in stood_for:
            continue
        copies.append(_copy(rng, papers, place, RENUMBERED[n % 4], n))
    return [*papers, *copies]


def _copy(rng: np.random.Generator, papers: list[Paper], place: int, kind: str, n: int) -> Paper:
    one = papers[place]
    number, amount, lines, days = one.number, one.amount, one.lines, int(rng.integers(0, 4))
    if kind == "suffix":
        number += str(rng.choice(["A", "-1", "/B", "X", "-2"]))
    elif kind == "digit swap":
        number = _digits(_swapped)(number)
    else:
        number = _digits(lambda run: str(int(run or 0) + int(rng.integers(1, 400))))(number)
    if kind == "amount":
        ppm = int(rng.integers(10_000, 20_000)) * int(rng.choice([-1, 1]))
        amount += amount * ppm // 1_000_000
        lines = [(item, many, net + net * ppm // 1_000_000) for item, many, net in lines]
        days = int(rng.integers(0, 8))
    # A copy typed into a spreadsheet has lost its lines, some their order too.
    lines = [] if rng.random() < 0.25 else lines
    order = "" if rng.random() < 0.10 else one.order
    return dataclasses.replace(
        one, number=number, amount=amount, lines=lines, order=order, upload=f"copy:{n}",
        ordered=one.ordered if order else None, fraud=kind,
        issue_on=one.issue_on + dt.timedelta(days=days), copy_of=place, replaces=None,
    )  # fmt: skip


def with_parts(seed: int, papers: list[Paper], many: int) -> list[Paper]:
    """Hide copies that bear a new number and have lost a line or got one more."""
    rng = np.random.default_rng(seed + 2_000_000)
    stood_for = {one.replaces for one in papers}
    whole = [n for n, one in enumerate(papers) if len(one.lines) > 2 and n not in stood_for]
    copies = []
    for n, place in enumerate(rng.choice(whole, many, replace=False)):
        one = papers[int(place)]
        lost = int(rng.integers(len(one.lines)))
        more = [("freight", 1, int(rng.integers(1_000, 90_000)))]
        lines = one.lines[:lost] + one.lines[lost + 1 :] if n % 2 else one.lines + more
        copies.append(
            dataclasses.replace(
                one, number=f"Z{seed}{n:06d}", amount=sum(net for *_, net in lines), lines=lines,
                order="", ordered=None, upload=f"part:{n}", fraud="part", copy_of=int(place),
                issue_on=one.issue_on + dt.timedelta(days=int(rng.integers(0, 7))), replaces=None,
            )
        )  # fmt: skip
    return [*papers, *copies]


def prints(papers: list[Paper]) -> dict[tuple[int, int], list[Print]]:
    """Give what a detector sees by pair: void ones left out, orders counted as they come."""
    gone = {one.replaces for one in papers}
    taken: dict[tuple[int, int, str], int] = defaultdict(int)
    found: dict[tuple[int, int], list[Print]] = defaultdict(list)
    for place, one in enumerate(papers):
        if place in gone:
            continue
        fits = None
        if one.ordered is not None:
            key = (one.seller, one.buyer, one.order)
            fits = taken[key] + one.amount <= one.ordered
            taken[key] += one.amount if fits else 0
        named = named_lines((item, many) for item, many, _ in one.lines)
        found[one.seller, one.buyer].append(
            Print(
                f"{place:08d}", one.number, canonical_number(one.number), one.issue_on, one.amount,
                one.order, fits, lines_print(named), one.upload, named,
            )
        )  # fmt: skip
    return found
