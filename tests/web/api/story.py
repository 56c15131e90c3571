"""The start world behind the API, and the steps of its main story, each asked by its person."""

import datetime as dt
from pathlib import Path
from typing import Any

from sqlalchemy import select
from werkzeug.test import TestResponse

from scf.db.engine import Database
from scf.demo import bank, world
from scf.kernel.clock import FixedClock
from scf.parties.models import Firm, User
from scf.parties.service import actor_of_user
from scf.settlement import day
from tests.support.people import World, platform_on
from tests.support.served import HOST, Served, application

DAY = dt.date(2026, 3, 10)
MORNING = dt.datetime(2026, 3, 10, 9, tzinfo=dt.UTC)
SAMPLES = Path(__file__).parents[3] / "docs" / "tutorial" / "samples"
INVOICE = "invoice-bv-2026-118.xml"
BEFORE_DECISION = ("duplicate", "screening", "tax_status", "title_search")
BEFORE_PAYOUT = ("e_signature", "registration", "recheck")
MIRA, CARL, ANNA, OMAR, CHEN, HANA = "mira", "carl", "anna", "omar", "chen", "hana"


def eur(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "EUR"}


def start(url: str) -> None:
    """Make the start world; a story begins in a copy of it."""
    db = Database(url)
    world.start(platform_on(db, FixedClock(MORNING)), DAY, Path(), None)
    db.close()


class Story:
    """Who does what over HTTP. ``say`` asserts the status and gives the answer."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.clock = FixedClock(MORNING)
        platform = platform_on(db, self.clock)
        self.folder = folder
        self.world = World(platform, self.clock)
        with platform.db.snapshot() as conn:
            firms = Firm.__table__  # type: ignore[attr-defined]
            users = User.__table__  # type: ignore[attr-defined]
            found = {row.name: row.id for row in conn.execute(select(firms))}
            self.world.firms = {
                "bank": found[world.FINANCIER],
                "anchor": found[world.ANCHOR],
                "supplier": found[world.SUPPLIER],
            }
            for row in conn.execute(select(users)):
                actor = actor_of_user(conn, row.id)
                assert actor is not None
                self.world.people[row.email.partition("@")[0]] = actor
        self.platform = platform
        self.db = db
        self.served = Served(self.world, application(self.world))
        for person in self.world.people:
            self.world.token(person)

    # --- Asking

    def ask(self, person: str | None, method: str, path: str, **how: Any) -> TestResponse:  # noqa: ANN401
        return self.served.api(person, method, path, **how)

    def say(self, person: str, method: str, path: str, status: int = 200, **how: Any) -> Any:  # noqa: ANN401
        answer = self.ask(person, method, path, **how)
        assert answer.status_code == status, (method, path, answer.get_data(as_text=True))
        return answer.get_json()

    def send(
        self,
        person: str,
        path: str,
        content: bytes,
        *,
        key: str = "",
        **how: Any,  # noqa: ANN401
    ) -> TestResponse:
        """Send the bytes of a file as they are."""
        return self.served.app.test_client().post(
            f"/api/v1{path}",
            base_url=HOST,
            data=content,
            content_type=how.pop("content_type", "application/xml"),
            headers={
                "Authorization": f"Bearer {self.world.token(person)}",
                "Idempotency-Key": key or self.world.key(),
                **how,
            },
        )

    # --- The steps

    def upload(self, person: str, name: str, **how: Any) -> str:  # noqa: ANN401
        sent = self.send(person, f"/uploads?name={name}", (SAMPLES / name).read_bytes(), **how)
        assert sent.status_code == 202, sent.get_data(as_text=True)
        return str(sent.get_json()["id"])

    def invoice(self) -> str:
        """Hand the sample invoice in; gives its id."""
        upload_id = self.upload(MIRA, INVOICE)
        (row,) = self.say(MIRA, "GET", f"/invoices?upload_id={upload_id}")["items"]
        return str(row["id"])

    def accepted(self) -> str:
        invoice_id = self.invoice()
        self.say(ANNA, "POST", f"/invoices/{invoice_id}/accept", json={})
        return invoice_id

    def quote(self, invoice_id: str, **ask: Any) -> dict[str, Any]:  # noqa: ANN401
        body = {"invoice_ids": [invoice_id], **ask}
        made: dict[str, Any] = self.say(MIRA, "POST", "/quotes", 201, json=body)
        return made

    def request(self, quote_id: str) -> dict[str, Any]:
        made: dict[str, Any] = self.say(
            MIRA, "POST", "/financing-requests", 201, json={"quote_id": quote_id}
        )
        return made

    def check(self, request_id: str, *kinds: str, result: str = "CLEAR") -> None:
        for kind in kinds:
            body = {"kind": kind, "result": result, "evidence": "seen in the file room"}
            self.say(OMAR, "POST", f"/financing-requests/{request_id}/checks", json=body)

    def decide(self, person: str, request_id: str, **word: Any) -> dict[str, Any]:  # noqa: ANN401
        shown = self.ask(person, "GET", f"/financing-requests/{request_id}")
        body = {"request_id": request_id, "outcome": "APPROVE", **word}
        headers = {"If-Match": shown.headers["ETag"]}
        done: dict[str, Any] = self.say(
            person, "POST", "/decisions", 201, json=body, headers=headers
        )
        return done

    def requested(self) -> str:
        return str(self.request(self.quote(self.accepted())["id"])["id"])

    def ready(self) -> str:
        """Bring the sample invoice to where its pay-out can be prepared."""
        request_id = self.requested()
        self.check(request_id, *BEFORE_DECISION)
        self.decide(OMAR, request_id)
        self.decide(CHEN, request_id)
        self.check(request_id, *BEFORE_PAYOUT)
        return request_id

    def prepared(self) -> str:
        (file,) = self.say(OMAR, "POST", "/payment-files", 201, json={})["files"]
        return str(file["id"])

    def released(self) -> bytes:
        """Release what is ready; gives the file for the bank."""
        file_id = self.prepared()
        self.say(CHEN, "POST", f"/payment-files/{file_id}/release")
        return self.ask(OMAR, "GET", f"/payment-files/{file_id}/content").get_data()

    def bank_answers(self, content: bytes, on: dt.date = DAY) -> list[Any]:
        """Let the bank answer a payment file and hand in what it says."""
        files = bank.answer(content, on=on, state_dir=self.folder)
        return [self.bank_says(data) for _name, data in files]

    def bank_says(self, data: bytes) -> Any:  # noqa: ANN401
        answer = self.send(OMAR, "/bank-statements", data)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return answer.get_json()

    def receive(
        self, amount_minor: int, reference: str, on: dt.date, *, stranger: bool = False
    ) -> bytes:
        """Let the anchor pay, or somebody nobody knows; gives the bank's statement."""
        numbers = {name: row[3] for name, row in world.FIRMS.items()}
        _name, data = bank.receive(
            from_name="Nobody You Know" if stranger else world.ANCHOR,
            from_account="DE89370400440532013000" if stranger else numbers[world.ANCHOR],
            to_account=numbers[world.FINANCIER],
            amount_minor=amount_minor,
            currency="EUR",
            reference=reference,
            on=on,
            state_dir=self.folder,
        )
        return data

    def funded(self) -> str:
        """Bring the sample invoice to its money; gives the advance."""
        request_id = self.ready()
        self.bank_answers(self.released())
        (row,) = self.say(OMAR, "GET", f"/advances?request_id={request_id}")["items"]
        return str(row["id"])

    def close_to(self, on: dt.date) -> None:
        day.close_to(self.platform, self.world.firms["bank"], on)
