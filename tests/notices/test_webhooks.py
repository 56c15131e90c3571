"""Events reach an organisation's own programs: signed, until they are heard, and nobody else's."""

import datetime as dt
import json
from typing import Any, cast

import pytest
from sqlalchemy import select, update
from standardwebhooks import Webhook

from scf.db.engine import Database
from scf.db.models import AuditLog, Idempotency, Outbox
from scf.kernel.errors import Conflict, InvalidInput, NotFound
from scf.notices.tries import WAITS
from scf.notices.webhooks import commands, events
from scf.notices.webhooks.delivery import Courier
from scf.notices.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from scf.notices.webhooks.secrets import OVERLAP
from scf.notices.webhooks.targets import Targets
from scf.parties.factors.vault import Vault
from tests.support.people import World, small_prepare, small_world
from tests.support.racing import race
from tests.support.receiver import Receiver, receiving

VAULT = Vault(b"k" * 32)
TARGETS = Targets(loopback=True)
JSON = b'{"documents": [{"kind": "invoice", "number": "I-1"}]}'
prepare = small_prepare


class Told:
    """A small world whose supplier has a receiver."""

    def __init__(self, db: Database, told: Receiver) -> None:
        self.world: World = small_world(db)
        self.told = told
        self.who = self.world.people["supplier-admin"]
        wanted = {"url": told.url, "events": ["upload.finished"]}
        self.secret, made = commands.add(
            self.world.platform, VAULT, TARGETS, self.who, wanted, key="the-endpoint"
        )
        self.id = made.result["id"]
        self.courier = Courier(self.world.platform, VAULT, TARGETS, jitter=lambda: 1.0)

    def happen(self) -> None:
        """Let an upload of the supplier end."""
        world = self.world
        who = world.people["treasurer"]
        name = world.key()
        received = world.run("upload.receive", who, name=name, content=JSON, queue=True)
        assert received["job_id"]
        world.platform.worker().drain()

    def rows(self, model: Any) -> list[Any]:  # noqa: ANN401
        with self.world.platform.db.snapshot() as conn:
            table = model.__table__
            return list(conn.execute(select(table).order_by(table.c.id)))

    def endpoint(self) -> Any:  # noqa: ANN401
        return self.rows(WebhookEndpoint)[0]

    def run(self, name: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401
        return self.world.run(name, self.who, webhook_id=self.id, **data)


@pytest.fixture
def told(db: Database) -> Any:  # noqa: ANN401
    with receiving() as receiver:
        yield Told(db, receiver)


def test_an_event_arrives_signed_with_its_id_and_time(told: Told) -> None:
    told.happen()
    assert told.courier.send_due() == 1
    (came,) = told.told.came
    body = json.loads(came.body)
    assert body["type"] == "upload.finished"
    assert body["data"]["items"][0]["bad_count"] == 1
    at = told.world.clock.now()
    assert came.headers["webhook-timestamp"] == str(int(at.timestamp()))
    assert told.secret is not None
    expected = Webhook(told.secret).sign(came.headers["webhook-id"], at, came.body)
    assert came.headers["webhook-signature"] == expected
    assert told.courier.send_due() == 0


def test_an_event_handed_on_twice_is_sent_once(told: Told) -> None:
    told.happen()
    with told.world.platform.db.writer.begin() as conn:
        conn.execute(update(Outbox).values(done_at=None, lease_until=None))
    told.world.platform.worker().drain()
    while told.courier.send_due():
        pass
    assert len(told.told.came) == 1


def test_a_failure_is_tried_again_later_with_the_same_id_and_body(told: Told) -> None:
    told.told.answers = [500, 302, 200]
    told.happen()
    assert told.courier.send_due() == 1
    assert told.courier.send_due() == 0, "not before its time"
    for wait in WAITS[:2]:
        told.world.clock.advance(wait)
        assert told.courier.send_due() == 1
    assert len(told.told.came) == 3
    assert len({(one.headers["webhook-id"], one.body) for one in told.told.came}) == 1
    assert [(row.status, row.problem) for row in told.rows(WebhookAttempt)] == [
        (500, "STATUS"), (302, "REDIRECT"), (200, None),
    ]  # fmt: skip
    assert told.endpoint().failures == 0


def test_after_days_without_an_answer_the_endpoint_is_disabled_and_its_people_are_told(
    told: Told,
) -> None:
    told.told.answers = [503]
    told.happen()
    begun = told.world.clock.now()
    told.courier.send_due()
    for wait in WAITS:
        told.world.clock.advance(wait)
        told.courier.send_due()
    assert len(told.told.came) == len(WAITS) + 1
    assert told.world.clock.now() - begun > dt.timedelta(days=2)
    assert (told.endpoint().state, told.endpoint().reason) == ("DISABLED", "UNREACHABLE")
    assert "webhook.disabled" in [row.topic for row in told.rows(Outbox)]
    told.happen()
    assert told.courier.send_due() == 0
    told.told.answers = [200]
    told.run("webhook.change", state="ACTIVE")
    assert told.courier.send_due() == 1, "what happened meanwhile was kept"


def test_an_endpoint_that_says_it_is_gone_is_disabled_at_once(told: Told) -> None:
    told.told.answers = [410]
    told.happen()
    told.courier.send_due()
    assert (told.endpoint().state, told.endpoint().reason) == ("DISABLED", "GONE")


def test_a_new_secret_signs_beside_the_former_one_for_a_day(told: Told) -> None:
    fresh, _ = commands.rotate(told.world.platform, VAULT, told.who, told.id, key="rotate")
    told.happen()
    told.courier.send_due()
    told.world.clock.advance(OVERLAP + dt.timedelta(seconds=1))
    told.run("webhook.test")
    told.courier.send_due()
    both, one = told.told.came
    assert told.secret is not None
    assert fresh is not None
    for secret in (told.secret, fresh):
        sent = dt.datetime.fromtimestamp(int(both.headers["webhook-timestamp"]), dt.UTC)
        signed = Webhook(secret).sign(both.headers["webhook-id"], sent, both.body)
        assert signed in both.headers["webhook-signature"].split()
    assert len(one.headers["webhook-signature"].split()) == 1


def test_everything_since_an_instant_is_sent_again_under_the_same_ids(told: Told) -> None:
    told.happen()
    told.courier.send_due()
    told.world.clock.advance(dt.timedelta(days=2))
    since = told.world.clock.now()
    told.happen()
    told.courier.send_due()
    assert told.run("webhook.replay", since=since)["replayed"] == 1
    told.courier.send_due()
    first, second, again = told.told.came
    assert again.body == second.body != first.body
    assert again.headers["webhook-id"] == second.headers["webhook-id"]


def test_nothing_is_sent_while_it_is_paused_or_removed(told: Told) -> None:
    told.run("webhook.change", state="PAUSED")
    told.happen()
    assert told.courier.send_due() == 0
    with pytest.raises(Conflict):
        told.run("webhook.test")
    told.run("webhook.change", state="ACTIVE")
    assert told.courier.send_due() == 1
    told.run("webhook.change", state="REMOVED")
    told.happen()
    assert told.courier.send_due() == 0
    with pytest.raises(Conflict):
        told.run("webhook.change", state="ACTIVE")


def test_four_workers_at_once_send_everything_once(told: Told) -> None:
    for _ in range(6):
        told.happen()

    def work(_number: int) -> str:
        courier = Courier(told.world.platform, VAULT, TARGETS)
        return str(sum(courier.send_due() for _ in range(6)))

    race(4, work)
    while told.courier.send_due():
        pass
    ids = [one.headers["webhook-id"] for one in told.told.came]
    assert len(ids) == len(set(ids)) == 6


def test_the_secret_stands_nowhere_but_sealed(told: Told) -> None:
    assert told.secret is not None
    told.happen()
    told.courier.send_due()
    with told.world.platform.db.snapshot() as conn:
        rows = [
            str(row)
            for model in (AuditLog, Idempotency, WebhookEndpoint, WebhookDelivery, WebhookAttempt)
            for row in conn.execute(select(cast("Any", model).__table__))
        ]
    assert not [row for row in rows if told.secret.removeprefix("whsec_") in row]
    (tried,) = told.rows(WebhookAttempt)
    assert "webhook-signature: v1,…" in tried.request_head
    assert "of-theirs" not in tried.request_head


def test_other_organisations_see_and_change_nothing_of_it(told: Told) -> None:
    stranger = told.world.people["bank-admin"]
    told.happen()
    with told.world.platform.db.read(stranger) as session:
        for model in (WebhookEndpoint, WebhookDelivery):
            assert session.execute(select(model)).all() == []
    with pytest.raises(NotFound):
        told.world.run("webhook.change", stranger, webhook_id=told.id, state="REMOVED")


def test_only_events_that_happen_to_an_organisation_can_be_asked_for(told: Told) -> None:
    for wanted in ([], ["payout.released"], ["user.roles_set"], ["upload.finished", "x"]):
        with pytest.raises(InvalidInput):
            told.run("webhook.change", events=wanted)


def test_no_event_about_an_invoice_tells_how_it_was_financed() -> None:
    """The buyer reads the same event as the seller, and must not learn the seller's finance."""
    secret = {"held", "outstanding", "offered", "discount", "ppm", "repaid", "retention", "net"}
    for kind in events.KINDS.values():
        if kind.name.startswith(("invoice.", "upload.")):
            assert not [name for name in kind.fields if set(name.split("_")) & secret]
    assert not [name for name in events.KINDS if name.startswith(("user.", "session."))]
