"""A worker killed between the server's yes and our note of it sends the same letter once more."""

import datetime as dt
import os
import signal
from collections.abc import Iterator
from itertools import count
from multiprocessing.connection import Connection

import pytest
from sqlalchemy import event, select

from scf.bootstrap import build
from scf.db.engine import Database
from scf.kernel.clock import FixedClock
from scf.notices.mail.delivery import LEASE, Postman
from scf.notices.mail.models import Letter
from scf.notices.mail.relay import Relay
from tests.notices.mailing import VAULT, WRITE, Mailing
from tests.support.crashing import started
from tests.support.deals import table
from tests.support.people import small_prepare
from tests.support.postoffice import SENDER, PostOffice, post_office

prepare = small_prepare
SECONDS = 60
TAKING_UP, WRITING_DOWN = 1, 2  # the commits of a worker that sends one letter


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as found:
        yield found


def sends(url: str, at: dt.datetime, port: int, dies_at: int, said: Connection) -> None:
    """Be the worker that sends what is due, until the commit at which it is killed."""
    platform = build(url, clock=FixedClock(at))
    commits = count(1)

    def step(_conn: object) -> None:
        if next(commits) == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(platform.db.writer, "commit", step)
    relay = Relay("127.0.0.1", port, SENDER, "none")
    Postman(platform, VAULT, relay, WRITE, lambda: 1.0).send_due()
    said.send_bytes(b".")


def let_go_of(db: Database) -> None:
    """Wait until the server has noticed the death and given the letter free."""
    with db.writer.begin() as conn:
        conn.execute(select(table(Letter).c.id).with_for_update()).all()


@pytest.mark.parametrize(
    ("dies_at", "copies"), [(WRITING_DOWN, 2), pytest.param(TAKING_UP, 1, marks=pytest.mark.long)]
)
def test_the_letter_arrives_and_a_second_copy_is_the_same(
    db: Database, office: PostOffice, dies_at: int, copies: int
) -> None:
    mailing = Mailing(db, office)
    mailing.confirm()
    mailing.sign_in_changed()
    url, now = db.url.render_as_string(hide_password=False), mailing.world.clock.now()
    with started(sends, url, now, office.port, dies_at) as worker:
        worker.process.join(SECONDS)
        assert worker.process.exitcode == -signal.SIGKILL
    assert len(office.came) == copies - 1
    if copies > 1:
        assert mailing.send() == 0, "nobody else takes it up while the lease holds"
    let_go_of(db)
    mailing.world.clock.advance(LEASE + dt.timedelta(seconds=1))
    assert mailing.send() == 1
    assert len({came.raw for came in office.came}) == 1
    assert len(office.came) == copies
    assert [row.state for row in mailing.letters()] == ["SENT"]
