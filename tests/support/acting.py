"""How lives are lived on a platform: acts under keys, once each, with patience and a journal."""

import datetime as dt
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from scf.db.platform import Platform
from scf.demo import world
from scf.kernel.actor import Actor
from scf.kernel.clock import FixedClock
from scf.kernel.errors import ScfError, Unavailable
from scf.parties.models import BusinessDate
from scf.parties.service import actor_of_email
from scf.settlement import day
from tests.support.deals import table
from tests.support.journal import Journal
from tests.support.plans import START, Plan

PATIENCE: Final = 400


class Acting:
    """People of the start world on a platform, who do everything once."""

    def __init__(
        self, platform: Platform, clock: FixedClock, folder: Path, plan: Plan, journal: Journal
    ) -> None:
        self.platform, self.clock, self.folder = platform, clock, folder
        self.plan, self.journal = plan, journal
        self.bank = folder / "bank"
        self.people: dict[str, Actor] = {}
        self.ids: dict[str, str] = {}

    # --- Acts

    def once(self, key: str, act: Callable[[], Any]) -> Any:  # noqa: ANN401 - ready for JSON
        """Do something that was not acknowledged before; insist while the platform is away."""
        if key in self.journal.answers:
            return self.journal.answers[key]
        for _ in range(PATIENCE):
            try:
                return self.journal.add(key, act())
            except Unavailable:
                time.sleep(0.05)
        return self.journal.add(key, act())

    def do(self, key: str, name: str, who: str, /, **payload: object) -> dict[str, Any]:
        """Run one command; a refusal is an answer too."""
        actor = self.people[who]

        def act() -> dict[str, Any]:
            try:
                outcome = self.platform.run(name, payload, actor, key=key)
            except Unavailable:
                raise
            except ScfError as refusal:
                return {"command": name, "refused": refusal.code}
            return {
                "command": name,
                "org_id": actor.org_id,
                "command_id": outcome.command_id,
                "result": outcome.result,
            }

        answer: dict[str, Any] = self.once(key, act)
        return answer

    def result(self, key: str, name: str, who: str, /, **payload: object) -> dict[str, Any]:
        """Run one command that must not be refused."""
        answer = self.do(key, name, who, **payload)
        assert "result" in answer, (key, answer)
        found: dict[str, Any] = answer["result"]
        return found

    def _meet(self) -> None:
        self._at(START)
        for word, *_more in world.PEOPLE:
            self.people[word] = self.read(partial(_person, word))

    def read(self, ask: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - whatever is asked
        """Read, patiently."""
        for _ in range(PATIENCE):
            try:
                with self.platform.db.snapshot() as conn:
                    return ask(conn)
            except Unavailable:
                time.sleep(0.05)
        with self.platform.db.snapshot() as conn:
            return ask(conn)

    def _at(self, on: dt.date) -> None:
        target = dt.datetime.combine(on, dt.time(9), dt.UTC)
        self.clock.advance(target - self.clock.now())

    def _to(self, on: dt.date) -> None:
        """Go to the morning of a day: every day before it is closed."""
        self._at(on)
        financier = self.people["omar"].org_id
        self.once(
            f"day:{on}", lambda: day.close_to(self.platform, financier, on - dt.timedelta(days=1))
        )

    def _today(self) -> dt.date:
        found: dt.date = self.read(
            lambda conn: conn.execute(select(table(BusinessDate).c.current_on)).scalar_one()
        )
        return found


def _person(word: str, conn: Connection) -> Actor | None:
    return actor_of_email(conn, f"{word}@{world.DOMAIN}")
