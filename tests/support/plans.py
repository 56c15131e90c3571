"""Which lives of receivables a test wants: chosen by a seed, the same at every run."""

import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

START: Final = dt.date(2026, 3, 10)  # a Tuesday
EARLY: Final = dt.date(2026, 3, 13)
DUE: Final = (dt.date(2026, 3, 19), dt.date(2026, 3, 20))
LATE: Final = dt.date(2026, 3, 30)
LAST: Final = dt.date(2026, 3, 31)

# Story → how often it is told in a thousand lives. The names say what is not plain about a life.
STORIES: Final[Mapping[str, int]] = {
    "plain": 200, "part": 90, "several": 60, "together": 60, "credited": 60, "contested": 50,
    "conceded": 30, "late": 80, "in_parts": 60, "over": 50, "short": 50, "early": 60,
    "unreferenced": 30, "refused": 20, "resent": 20, "returned": 20, "unwound": 20,
    "withdrawn": 20, "dropped": 20, "declined": 20, "hit": 20, "requoted": 20, "undecided": 20,
    "rejected": 20,
}  # fmt: skip
UNFINANCED: Final = {"refused", "unwound", "withdrawn", "dropped", "declined", "hit", "rejected"}
PAID_LATER: Final = {"late", "in_parts", "short"}


@dataclass(frozen=True)
class Life:
    """Some invoices that are financed in one request, and what becomes of them."""

    number: int
    story: str
    faces: tuple[int, ...]
    due_on: dt.date

    @property
    def key(self) -> str:
        """What the keys of its acts begin with."""
        return f"life-{self.number:05d}"

    @property
    def numbers(self) -> list[str]:
        """Numbers of its invoices, with a check number: no typing error leads to another one."""
        places = (100 * self.number + place for place in range(1, len(self.faces) + 1))
        return [f"L{place:07d}{place * 7919 % 997:03d}" for place in places]


@dataclass(frozen=True)
class Plan:
    """Which lives there are; the same for the same words."""

    seed: int
    lives: int
    stories: tuple[str, ...] = tuple(STORIES)
    invoices: int = 0  # in each life; by chance one to three where none is said
    file_size: int = 25  # advances in one payment file

    def made(self) -> list[Life]:
        """Give the lives; each story at least once where there are enough lives."""
        chance = random.Random(self.seed)
        weights = [STORIES[story] for story in self.stories]
        told = [*self.stories, *chance.choices(self.stories, weights, k=self.lives)][: self.lives]
        chance.shuffle(told)
        return [
            Life(
                number,
                story,
                tuple(chance.randint(50_000, 300_000) for _ in range(self._count(story, chance))),
                chance.choice(DUE),
            )
            for number, story in enumerate(told)
        ]

    def _count(self, story: str, chance: random.Random) -> int:
        if self.invoices:
            return self.invoices
        if story in {"part", "several"}:
            return 1  # a part of several invoices could leave a crumb on one of them
        return chance.randint(2, 3) if story == "together" else chance.choice((1, 1, 1, 2))


def pieces(story: str, amount: int) -> list[int]:
    """Give the payments that the buyer makes of an amount on the due date."""
    if story == "in_parts":
        return [amount // 3, amount // 4]
    if story == "short":
        return [amount - amount // 10]
    if story == "over":
        return [amount + 1_234]
    return [amount]
