"""Firms with labelled namesakes, made by a seed: who is whom is known, and nothing else is used.

A firm is described again as documents do: another legal form's spelling, typing mistakes, words
in another order, a transcription, an address written differently, some facts left out. Beside it
stand other honest firms whose names are at most two edits away, and names in Chinese.
"""

import random
from dataclasses import dataclass, field
from typing import Final

from scf.parties.identity.score import Facts

_SYLLABLES: Final = (
    "al", "an", "ar", "bel", "ber", "bo", "bra", "bro", "ca", "cor", "da", "del", "den", "dor",
    "el", "em", "fa", "fer", "fi", "ga", "gar", "go", "gra", "ha", "hel", "hol", "ka", "kel",
    "kor", "la", "lan", "lem", "lin", "lo", "lu", "ma", "mar", "mel", "mi", "mon", "na", "nor",
    "o", "or", "pa", "pel", "per", "pra", "ra", "ren", "ri", "ro", "sa", "sel", "so", "sta",
    "sto", "ta", "tel", "ter", "to", "tra", "u", "val", "ver", "vi", "vol", "wa", "wel", "win",
    "za", "zel", "zo",
)  # fmt: skip
_TRADES: Final = (
    "Valves", "Castings", "Logistics", "Foods", "Timber", "Textiles", "Tools", "Paper",
    "Plastics", "Steel", "Optics", "Pumps", "Motors", "Glass", "Ceramics", "Packaging",
    "Chemicals", "Bearings", "Cables", "Furniture",
)  # fmt: skip
_FORMS: Final = {
    "DE": (
        ("GmbH", "Gesellschaft mit beschränkter Haftung", "G.m.b.H."),
        ("AG", "Aktiengesellschaft"),
    ),
    "GB": (("Ltd", "Limited", "LTD."), ("plc", "P.L.C.")),
    "FR": (("SARL", "S.A.R.L."), ("SAS", "S.A.S.")),
    "IT": (("S.p.A.", "SPA"), ("S.r.l.", "SRL")),
    "US": (("Inc.", "Incorporated"), ("LLC", "L.L.C.")),
}  # fmt: skip
_PLACES: Final = ("深圳", "上海", "广州", "苏州", "宁波", "青岛", "天津", "杭州", "无锡", "东莞")
_SIGNS: Final = "恒达精密华瑞信泰宏远盛昌明德鑫隆嘉禾兴业福安博远天成永昌"
_CHINESE_TRADES: Final = (
    "电子", "机械", "贸易", "科技", "纺织", "化工", "塑料", "食品", "包装", "物流",
)  # fmt: skip
_STREETS: Final = (
    "Mill", "Station", "Harbour", "Church", "Market", "River", "Forest", "School", "North",
    "Garden",
)  # fmt: skip
_LETTERS: Final = "abcdefghijklmnoprstuvwxyz"


@dataclass(frozen=True)
class Labelled:
    """Descriptions of one firm: its record, and what documents say of it."""

    number: int
    record: Facts
    told: tuple[Facts, ...]


@dataclass
class Namesakes:
    """So many firms of one seed."""

    seed: int
    firms: int
    near: float = 0.02  # share of firms whose name is at most two edits from another firm's
    chinese: float = 0.05
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Begin at the seed."""
        self._chance = random.Random(self.seed)

    def made(self) -> list[Labelled]:
        """Give the firms; no two of one name and country."""
        taken: set[tuple[str, str]] = set()
        found: list[Labelled] = []
        while len(found) < self.firms:
            country, base = self._named(found)
            if (country, base.lower()) in taken:
                continue
            taken.add((country, base.lower()))
            found.append(self._firm(len(found), country, base))
        return found

    def _named(self, earlier: list[Labelled]) -> tuple[str, str]:
        chance = self._chance
        if earlier and chance.random() < self.near:
            other = chance.choice(earlier).record
            base = other.names[0].rpartition(" ")[0]
            if base and base.isascii():
                return other.country, self._edited(base, chance.randint(1, 2))
        if chance.random() < self.chinese:
            own = "".join(chance.sample(_SIGNS, chance.randint(2, 3)))
            return "CN", f"{chance.choice(_PLACES)}{own}{chance.choice(_CHINESE_TRADES)}"
        word = "".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))).title()
        return chance.choice(sorted(_FORMS)), f"{word} {chance.choice(_TRADES)}"

    def _edited(self, text: str, edits: int) -> str:
        chance, letters = self._chance, list(text)
        for _ in range(edits):
            at = chance.randrange(1, len(letters))
            kind = chance.randrange(3)
            if kind == 0:
                letters[at] = chance.choice(_LETTERS)
            elif kind == 1:
                letters.insert(at, chance.choice(_LETTERS))
            elif len(letters) > 4:
                del letters[at]
        return "".join(letters)

    def _firm(self, number: int, country: str, base: str) -> Labelled:
        chance = self._chance
        spellings = ("有限公司",) if country == "CN" else chance.choice(_FORMS[country])
        blank = "" if country == "CN" else " "
        street, house = chance.choice(_STREETS), chance.randint(1, 200)
        code, town = chance.randint(10_000, 99_999), chance.choice(_SYLLABLES).title() + "ton"
        record = Facts(
            names=(f"{base}{blank}{spellings[0]}",),
            country=country,
            identifiers=((f"reg:{country}", f"{number:08d}"),),
            address=f"{street} Street {house}, {code}, {town}",
            mailboxes=frozenset({f"firm{number}.example"}),
            accounts=frozenset({f"ACCOUNT{number:08d}"}),
        )
        again = f"{house} {street} St., {town} {code}"
        told = tuple(
            self._told(record, f"{name}{blank}{chance.choice(spellings)}", again)
            for name in self._ways(base, country)
        )
        return Labelled(number, record, told)

    def _ways(self, base: str, country: str) -> list[str]:
        """Give ways in which documents write a name."""
        if country == "CN":
            return [base, base[2:]]
        words = base.split()
        return [
            base.upper(),
            self._edited(base, 1),
            self._edited(base, 2),
            " ".join(reversed(words)),
            "".join(words),
        ]

    def _told(self, record: Facts, name: str, address: str) -> Facts:
        """Leave out what a document happens not to say; half of them carry the number."""
        chance = self._chance
        return Facts(
            names=(name,),
            country=record.country if chance.random() < 0.9 else "",
            identifiers=record.identifiers if chance.random() < 0.5 else (),
            address=address if chance.random() < 0.6 else "",
            mailboxes=record.mailboxes if chance.random() < 0.3 else frozenset(),
            accounts=record.accounts if chance.random() < 0.3 else frozenset(),
        )
