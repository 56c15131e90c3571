"""A worker that is killed at what it does with other systems loses nothing and repeats nothing."""

import json
from pathlib import Path

import pytest

from scf.channels.models import ChannelFile
from scf.db.engine import Database
from scf.notices.webhooks import commands
from scf.notices.webhooks.delivery import Courier
from scf.notices.webhooks.models import WebhookDelivery
from scf.notices.webhooks.targets import Targets
from tests.channels.desk import VAULT, Desk
from tests.channels.killing import killed, sends, visits
from tests.channels.papers import as_json
from tests.channels.test_sftp import Partner, Remote, partner
from tests.support.deals import table
from tests.support.people import small_prepare, small_world
from tests.support.receiver import receiving

prepare = small_prepare
__all__ = ["partner"]
# Every step of a visit to one file, and two beyond; here those where the most is half done.
LONG = range(1, 21)
SOME = (3, 5, 11)
points = pytest.mark.parametrize(
    "moments", [SOME, pytest.param(LONG, marks=pytest.mark.long)], ids=["some", "every"]
)


def pick_up(desk: Desk, db: Database, moments: range | tuple[int, ...]) -> int:
    """Let a worker die once over each file; gives how many files there were."""
    folders = (desk.root, desk.keys)
    died = 0
    for moment in moments:
        desk.drop(f"{moment}.json", as_json(f"I-{moment}"))
        desk.drop(f"{moment}.json.done", b"")
        desk.world.clock.advance(minutes=1)
        died += killed(visits, db, desk.world.clock.now(), moment, folders)
        for _round in range(3):
            desk.world.clock.advance(minutes=11)  # past every lease
            desk.look()
    assert died >= len(SOME)
    return len(moments)


def holds(desk: Desk, files: int, moments: range | tuple[int, ...]) -> None:
    """Every file is in the books once, in the archive once, and answered."""
    assert desk.invoices() == sorted(f"I-{moment}" for moment in moments)
    rows = desk.rows(ChannelFile)
    assert [(row.state, row.reason) for row in rows] == [("TAKEN", None)] * files
    assert desk.names("in") == desk.names(".work") == desk.names("error") == []
    assert len(desk.names("archive")) == len(desk.names("ack")) == files
    for name in desk.names("ack"):
        told = json.loads((desk.folder / "ack" / name).read_text("utf-8"))
        assert (told["state"], told["stored"]) == ("DONE", 1)
    assert len(desk.uploads()) == files


@points
def test_a_drop_folder(db: Database, tmp_path: Path, moments: tuple[int, ...]) -> None:
    desk = Desk(db, tmp_path)
    holds(desk, pick_up(desk, db, moments), moments)


@points
def test_a_pick_up_by_sftp(
    db: Database,
    tmp_path: Path,
    partner: Partner,
    moments: tuple[int, ...],
) -> None:
    desk = Remote(db, tmp_path, partner)
    holds(desk, pick_up(desk, db, moments), moments)


@points
def test_a_message_to_a_receiver(db: Database, moments: tuple[int, ...]) -> None:
    world = small_world(db)
    who = world.people["supplier-admin"]
    with receiving() as told:
        wanted = {"url": told.url, "events": ["upload.finished"]}
        commands.add(world.platform, VAULT, Targets(loopback=True), who, wanted, key="endpoint")
        courier = Courier(world.platform, VAULT, Targets(loopback=True), jitter=lambda: 1.0)
        died = 0
        for moment in moments:
            content = as_json(f"I-{moment}") + b" " * moment
            treasurer = world.people["treasurer"]
            world.run("upload.receive", treasurer, name="a.json", content=content, queue=True)
            died += killed(sends, db, world.clock.now(), moment)
            for _round in range(3):
                world.clock.advance(minutes=11)
                world.platform.worker().drain()
                while courier.send_due():
                    pass
    assert died >= len(SOME)
    with db.snapshot() as conn:
        rows = conn.execute(table(WebhookDelivery).select()).all()
    assert [row.state for row in rows] == ["DONE"] * len(moments), "none is lost"
    came = {one.headers["webhook-id"]: one.body for one in told.came}
    assert set(came) == {row.event_id for row in rows}
    assert all(came[one.headers["webhook-id"]] == one.body for one in told.came), "one id, one body"
    assert len(told.came) <= len(moments) + died, "a second time only where the first had no end"
