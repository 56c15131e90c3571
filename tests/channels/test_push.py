"""Signed messages to us: proven by their signature, good for five minutes, taken once."""

import datetime as dt

import pytest
from standardwebhooks import Webhook
from werkzeug.test import TestResponse

from scf.channels import commands
from scf.channels.push import WINDOW
from scf.db.engine import Database
from scf.notices.webhooks.secrets import OVERLAP, new_secret
from scf.parties.factors.vault import Vault
from tests.channels.papers import as_json
from tests.support.people import small_prepare
from tests.support.served import HOST, KEY, Served, served_small

prepare = small_prepare
VAULT = Vault(KEY.encode())


class Sender:
    """A program of the supplier's that knows the channel's secret."""

    def __init__(self, db: Database) -> None:
        self.served: Served = served_small(db)
        self.world = self.served.world
        self.who = self.world.people["treasurer"]
        wanted = {"name": "Shop", "kind": "PUSH", "document_type": "invoice"}
        secret, made = commands.add(self.world.platform, VAULT, self.who, wanted, key="push")
        assert secret is not None
        self.secret, self.id = secret, str(made.result["id"])

    def send(
        self, content: bytes, message: str = "m-1", *, ago: int = 0, secret: str = "", **other: str
    ) -> TestResponse:
        at = self.world.clock.now() - dt.timedelta(seconds=ago)
        signed = Webhook(secret or self.secret).sign(message, at, content.decode())
        headers = {
            "webhook-id": message,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signed,
        } | {name.replace("_", "-"): value for name, value in other.items()}
        path = f"/api/v1/channels/{other.get('channel', self.id)}/messages?name=a.json"
        return self.served.app.test_client().post(
            path, base_url=HOST, data=content, headers=headers
        )


@pytest.fixture
def sender(db: Database) -> Sender:
    return Sender(db)


def test_a_signed_message_is_an_upload_of_the_channels_own_person(sender: Sender) -> None:
    answer = sender.send(as_json("I-1"))
    assert answer.status_code == 202
    assert answer.json is not None
    sender.world.platform.worker().drain()
    told = sender.served.api("treasurer", "GET", f"/uploads/{answer.json['id']}").json
    assert told is not None
    assert (told["state"], told["stored"], told["name"]) == ("DONE", 1, "a.json")
    assert answer.headers["Location"].endswith(answer.json["id"])


def test_a_message_that_comes_again_is_the_same_upload(sender: Sender) -> None:
    first, again = sender.send(as_json("I-1")), sender.send(as_json("I-1"), ago=60)
    assert first.json == again.json
    other = sender.send(as_json("I-2"))
    assert other.status_code == 422
    assert other.json is not None
    assert other.json["code"] == "IDEMPOTENCY_MISMATCH"


def test_whatever_does_not_fit_is_refused_alike(sender: Sender) -> None:
    good = as_json("I-1")
    late = int(WINDOW.total_seconds()) + 1
    answers = [
        sender.send(good, ago=late),
        sender.send(good, ago=-late),
        sender.send(good, secret=new_secret()),
        sender.send(good, channel="nowhere"),
        sender.send(good, webhook_signature=""),
        sender.send(good, webhook_signature="v1,!!!"),
        sender.send(good, webhook_signature="v2,AAAA"),
        sender.send(good, webhook_timestamp="yesterday"),
        sender.send(good, webhook_timestamp="9" * 40),
        sender.send(good, webhook_id="other"),
        sender.send(good, webhook_id="x" * 500),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.json["code"] for answer in answers if answer.json} == {"SIGNATURE"}
    assert sender.send(good).status_code == 202


def test_both_secrets_are_good_for_a_day_and_none_once_it_is_paused(sender: Sender) -> None:
    fresh, _ = commands.rotate(sender.world.platform, VAULT, sender.who, sender.id, key="rotate")
    assert fresh is not None
    assert sender.send(as_json("I-1"), "m-1").status_code == 202
    assert sender.send(as_json("I-2"), "m-2", secret=fresh).status_code == 202
    sender.world.clock.advance(OVERLAP + dt.timedelta(seconds=1))
    assert sender.send(as_json("I-3"), "m-3").status_code == 401
    sender.world.run("channel.change", sender.who, channel_id=sender.id, state="PAUSED")
    assert sender.send(as_json("I-4"), "m-4", secret=fresh).status_code == 401
