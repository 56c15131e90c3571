"""Open items and the bank entries that pay them, made as payers and their clerks make them.

Few payers owe most; sums are often round and many are equal; numbers run on, seller by seller. One
entry in five has a damaged number. The truth is kept beside each entry, with what still tells it:
an entry is *decidable* when what it shows fits the true items and nothing else that is open.
"""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from rapidfuzz.distance import OSA

from scf.documents.fingerprints import canonical_number
from scf.settlement.reconcile import Entries, OpenItems

TODAY: Final = 740_000
_FORMS: Final[tuple[Callable[[int, int], str], ...]] = (
    lambda seller, number: f"INV-2026-{number:06d}",
    lambda seller, number: f"RE{seller % 90 + 10}/26/{number:05d}",
    lambda seller, number: f"{4_000_000 + seller * 100_000 + number}",
    lambda seller, number: f"FA26{number:05d}-{seller % 7}",
    lambda seller, number: f"{seller % 900 + 100}.{number:06d}",
)
_WORDS: Final = (
    "{}",
    "Invoice {}",
    "Payment of invoice {} thank you",
    "/RFB/{}",
    "Rechnung {} vom 12.03.2026",
    "PAGO FACTURA {} CLIENTE 88",
    "{} EUR 1.250,00 val 14.03.2026",
    "our ref 9917 your invoice {}",
)
_ROUND: Final = tuple(range(50_000, 2_050_000, 50_000))
DAMAGES: Final = ("typo", "swap", "missing", "cut", "glued")


@dataclass(slots=True)
class Truth:
    """What an entry pays (item, minor units), how it was made, and whether it still shows that."""

    kind: str
    pays: tuple[tuple[int, int], ...]
    decidable: bool = True


@dataclass(slots=True)
class Made:
    """The columns, and the truth of each entry."""

    entries: Entries
    items: OpenItems
    truth: list[Truth]


@dataclass(slots=True)
class _Draft:
    chance: random.Random
    rows: list[tuple[int, str, tuple[str, ...], str, Truth]] = field(default_factory=list)

    def add(self, amount: int, text: str, payer: int | None, truth: Truth, name: str = "") -> None:
        senders = () if payer is None else (f"P{payer}",)
        self.rows.append((amount, text, senders, name, truth))


def make(count: int, seed: int = 7) -> Made:
    """Make about ``count`` entries for as many open items."""
    chance = random.Random(seed)
    payers = max(20, count // 40)
    weights = [1 / (rank + 3) ** 0.7 for rank in range(payers)]
    sellers_of = [
        [chance.randrange(payers * 2) for _ in range(3 + payer % 9)] for payer in range(payers)
    ]
    owing = chance.choices(range(payers), weights, k=count)
    numbers: dict[int, int] = defaultdict(lambda: chance.randrange(1, 40_000))
    usual = [[chance.choice(_ROUND) for _ in range(2)] for _ in range(payers)]
    written, amounts, due = [], [], []
    for payer in owing:
        seller = chance.choice(sellers_of[payer])
        numbers[seller] += chance.choice((1, 1, 1, 2, 5))
        written.append(_FORMS[seller % len(_FORMS)](seller, numbers[seller]))
        kind = chance.random()
        if kind < 0.35:  # the same sum again and again
            amounts.append(chance.choice(usual[payer]))
        elif kind < 0.70:
            amounts.append(chance.choice(_ROUND))
        else:
            amounts.append(int(chance.lognormvariate(12.5, 1.2)) + 100)
        due.append(TODAY - 10 + chance.randrange(60))
    items = OpenItems(
        ids=[f"{place:08d}" for place in range(count)],
        numbers=[canonical_number(one) for one in written],
        amounts=amounts,
        currencies=["EUR"] * count,
        payers=[f"P{one}" for one in owing],
        due=due,
        spellings=written,
        names=[_name(one) for one in owing],
    )
    return _pay(items, owing, chance)


def _name(payer: int) -> str:
    first = ("nord", "alpen", "delta", "hansa", "iber", "sino", "terra", "vista")[payer % 8]
    second = ("werk", "handel", "metall", "textil", "food", "print")[payer // 8 % 6]
    return f"{first}{second} {payer // 48} gmbh"


def _pay(items: OpenItems, owing: list[int], chance: random.Random) -> Made:
    draft = _Draft(chance)
    by_payer: dict[int, list[int]] = defaultdict(list)
    for place, payer in enumerate(owing):
        by_payer[payer].append(place)
    for payer, owed in by_payer.items():
        places = sorted(owed, key=lambda one: items.due[one])
        at = 0
        while at < len(places):
            kind = chance.random()
            if kind < 0.01 and at + 3 < len(places):
                size = chance.randrange(2, min(7, len(places) - at))
                _lump(draft, items, payer, places[at : at + size])
                at += size
                continue
            if kind < 0.03:
                _instalments(draft, items, payer, places[at])
            elif kind < 0.07:
                _stranger(draft, payer)
            else:
                _single(draft, items, payer, places[at])
            at += 1
    chance.shuffle(draft.rows)
    entries = Entries(
        ids=[f"E{place:08d}" for place in range(len(draft.rows))],
        amounts=[row[0] for row in draft.rows],
        currencies=["EUR"] * len(draft.rows),
        texts=[row[1] for row in draft.rows],
        senders=[row[2] for row in draft.rows],
        names=[row[3] for row in draft.rows],
    )
    made = Made(entries, items, [row[4] for row in draft.rows])
    _judge(made)
    return made


def _single(draft: _Draft, items: OpenItems, payer: int, place: int) -> None:
    chance = draft.chance
    damaged = chance.random() < 0.2
    kind = chance.choice(DAMAGES) if damaged else "clean"
    amount = items.amounts[place]
    if chance.random() < 0.01:  # the bank has kept its charges
        amount -= min(1_500, amount * 4 // 1000) or 1
        kind = f"charges {kind}"
    text = _text(chance, kind.split()[-1], items.spellings[place])
    known = chance.random() >= 0.02  # paid from an account that nobody knows
    if not known:
        kind = f"unknown {kind}"
    draft.add(
        amount, text, payer if known else None, Truth(kind, ((place, amount),)), items.names[place]
    )


def _text(chance: random.Random, kind: str, number: str) -> str:
    words = chance.choice(_WORDS)
    if kind == "missing":
        return chance.choice(("thank you", "payment", "Sammelzahlung", "monthly run", ""))
    if kind == "glued":
        return chance.choice(("Rechnung{}danke", "{}INVOICE", "PAGO{}", "X{}Y")).format(
            "".join(sign for sign in number if sign.isalnum())
        )
    return words.format(damage(chance, kind, number))


def damage(chance: random.Random, kind: str, number: str) -> str:
    """Damage a number as a hurried hand, a narrow field or a scanner does."""
    digits = [at for at, sign in enumerate(number) if sign.isdigit()]
    if kind == "typo":
        at = chance.choice(digits)
        what = chance.random()
        sign = chance.choice("0123456789")
        if what < 0.6:
            return number[:at] + sign + number[at + 1 :]
        return number[:at] + (sign + number[at] if what < 0.8 else "") + number[at + 1 :]
    if kind == "swap":
        at = chance.choice([at for at in digits if at + 1 in digits] or [0])
        return number[:at] + number[at + 1 : at + 2] + number[at] + number[at + 2 :]
    if kind == "cut":
        keep = chance.randrange(4, max(5, len(number)))
        return number[-keep:] if chance.random() < 0.5 else number[:keep]
    return number


def _lump(draft: _Draft, items: OpenItems, payer: int, places: list[int]) -> None:
    chance = draft.chance
    pays = tuple((place, items.amounts[place]) for place in places)
    kind = chance.choice(("listed", "listed", "one damaged", "nothing"))
    spelt = [items.spellings[place] for place in places]
    if kind == "one damaged":
        spelt[0] = damage(chance, chance.choice(("typo", "swap")), spelt[0])
    text = chance.choice((", ", " ", " ; ")).join(spelt) if kind != "nothing" else "monthly run"
    draft.add(sum(one for _at, one in pays), text, payer, Truth(f"lump {kind}", pays))


def _instalments(draft: _Draft, items: OpenItems, payer: int, place: int) -> None:
    chance = draft.chance
    left = items.amounts[place]
    times = chance.randrange(2, 4)
    for turn in range(times):
        amount = left if turn == times - 1 else max(1, left // chance.randrange(2, 5))
        left -= amount
        kind = chance.choice(("clean", "clean", "clean", *DAMAGES))
        text = _text(chance, kind, items.spellings[place])
        if amount:
            draft.add(amount, text, payer, Truth(f"part {kind}", ((place, amount),)))


def _stranger(draft: _Draft, payer: int) -> None:
    """Money for something that is not open here, of a payer or of nobody known."""
    chance = draft.chance
    amount = chance.choice(_ROUND) if chance.random() < 0.6 else chance.randrange(1_000, 3_000_000)
    form = chance.choice(_FORMS)
    text = chance.choice(
        ("rent", "salary 03/2026", "", form(chance.randrange(900), chance.randrange(60_000)))
    )
    draft.add(amount, text, payer if chance.random() < 0.5 else None, Truth("foreign", ()))


# --- What still tells the truth -------------------------------------------------------------------


def _judge(made: Made) -> None:
    """Mark what nothing in the entry tells: several open items fit it equally well."""
    items = made.items
    by_sum: dict[tuple[str, int], list[int]] = defaultdict(list)
    by_payer: dict[str, list[int]] = defaultdict(list)
    by_amount: dict[int, list[int]] = defaultdict(list)
    for place, (payer, amount) in enumerate(zip(items.payers, items.amounts, strict=True)):
        by_sum[payer, amount].append(place)
        by_payer[payer].append(place)
        by_amount[amount].append(place)
    bare = [_bare(one) for one in items.spellings]
    for place, truth in enumerate(made.truth):
        senders, amount = made.entries.senders[place], made.entries.amounts[place]
        kind = truth.kind.split()[-1]
        if truth.kind == "foreign" or kind in {"clean", "listed", "damaged"}:
            continue
        if truth.kind == "lump nothing" or (kind == "missing" and truth.kind != "missing"):
            truth.decidable = False
            continue
        item = truth.pays[0][0]
        whole = items.amounts[item] == amount
        if not senders:
            among = by_amount[amount] if whole else []
        else:
            among = by_sum[senders[0], amount] if whole else by_payer[senders[0]]
        if kind == "missing":
            truth.decidable = among == [item]
            continue
        text = made.entries.texts[place]
        own = _apart(bare[item], text)
        truth.decidable = item in among and all(
            own < _apart(bare[one], text) for one in among if one != item
        )


def _bare(text: str) -> str:
    return "".join(sign for sign in text.upper() if sign.isalnum())


def _apart(number: str, text: str) -> int:
    """Count the signs by which the likest word of a text differs from a number."""
    words = [_bare(word) for word in text.split()] or [""]
    found = min(OSA.distance(number, word) for word in words)
    return 0 if any(number in word for word in words) else found
