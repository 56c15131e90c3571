"""A person with a confirmed mailbox, a mail server, and events of which that person is told."""

import datetime as dt
from collections.abc import Callable
from itertools import count
from typing import Any

from sqlalchemy import select, update

from scf.db.engine import Database
from scf.kernel.actor import OPERATOR
from scf.notices.mail import commands
from scf.notices.mail.delivery import Postman
from scf.notices.mail.models import Letter, Mailbox
from scf.notices.mail.relay import Relay
from scf.parties.factors.vault import Vault
from tests.support.deals import table
from tests.support.people import World, small_world
from tests.support.postoffice import SENDER, PostOffice
from web.letters import writer

VAULT = Vault(b"k" * 32)
SITE = "https://scf.example.com"
WRITE = writer(SITE)
BAD = b'{"documents": [{"kind": "invoice", "number": "I-1"}]}'
ADDRESS = "treasurer@supplier.example"


class Mailing:
    """The small world, in which the supplier's treasurer reads mail."""

    def __init__(self, db: Database, office: PostOffice) -> None:
        self.world: World = small_world(db)
        self.office = office
        self.who = self.world.people["treasurer"]
        self.postman = self.another_postman()
        self._events = count()

    def another_postman(self, jitter: Callable[[], float] = lambda: 1.0) -> Postman:
        """Give a worker's postman."""
        relay = Relay("127.0.0.1", self.office.port, SENDER, "none")
        return Postman(self.world.platform, VAULT, relay, WRITE, jitter)

    def ask(self, language: str = "en", zone: str = "UTC") -> str:
        """Ask for a code and give it as the letter shows it."""
        made = commands.with_code(VAULT, self.who, language=language, zone=zone)
        self.run("mail.ask", **made)
        self.postman.send_due()
        words = self.office.came[-1].text.split()
        return next(word for word in words if word.count("-") == 2)

    def confirm(self, language: str = "en", zone: str = "UTC") -> None:
        """Let the treasurer confirm the mailbox; what came until then is put away."""
        self.run("mail.confirm", code=self.ask(language, zone))
        self.office.came.clear()

    def choose(self, choice: str, *, zone: str = "UTC", hour: int = 7) -> None:
        """Let the treasurer choose how files are told."""
        self.run("mail.choose", choices={"files": choice}, zone=zone, hour=hour)

    def run(self, name: str, **data: object) -> dict[str, Any]:
        """Run a command of the treasurer's."""
        return self.world.run(name, self.who, **data)

    def file(self, name: str) -> None:
        """Let a file of the treasurer be read, of which something is to be fixed."""
        self.hand_in(name)
        self.world.platform.worker().drain()

    def hand_in(self, name: str) -> None:
        """Hand a file of the treasurer in, which a worker will read."""
        self.world.run("upload.receive", self.who, name=name, content=BAD, queue=True)

    def sign_in_changed(self) -> None:
        """Let the treasurer's sign-in be changed, which is told at once."""
        event = {"event_id": f"event-{next(self._events)}", "topic": "user.roles_set"}
        told = event | {"payload": {"user_id": self.who.user_id}}
        self.world.run("notice.tell", OPERATOR, **told)

    def tried(self, attempts: int) -> None:
        """Let every letter have been tried so often."""
        letters = table(Letter)
        with self.world.platform.db.writer.begin() as conn:
            conn.execute(update(letters).values(attempts=attempts))

    def send(self) -> int:
        """Send all that is due."""
        tried = 0
        while now := self.postman.send_due():
            tried += now
        return tried

    def send_at(self, at: dt.datetime) -> int:
        """Send what is due at an instant."""
        self.world.clock.advance(at - self.world.clock.now())
        return self.send()

    def letters(self, kind: str = "") -> list[Any]:
        """Give the letters of the treasurer, but for codes."""
        letters = table(Letter)
        with self.world.platform.db.snapshot() as conn:
            rows = conn.execute(select(letters).order_by(letters.c.id)).all()
        return [row for row in rows if row.kind == kind or (not kind and row.kind != "CODE")]

    def mailbox(self) -> Any:  # noqa: ANN401 - a row
        """Give the treasurer's mailbox."""
        with self.world.platform.db.snapshot() as conn:
            return conn.execute(select(table(Mailbox))).one_or_none()
