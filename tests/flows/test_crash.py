"""The application, and the database, die without warning in the middle of a batch.

A batch of five hundred advances lives from the file of invoices to the last payment while its
process is killed at random points; what was acknowledged stands in a journal outside the database.
Source: promises.md P2, P3, P8, P30.
"""

import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from scf.bootstrap import Platform
from scf.financing.models import Advance
from tests.support.crashing import Batch, moments, must_be_whole, platform_at
from tests.support.deals import table
from tests.support.plans import Plan
from tests.support.postgres import PostgresServer

BATCH = ("plain", "together", "early")
SHORT = Plan(seed=20260310, lives=25, stories=BATCH, invoices=20, file_size=50)
LONG = Plan(seed=20260310, lives=100, stories=BATCH, invoices=20, file_size=100)
# At least so many acts are acknowledged in all, without those in the moment before each kill.
ACKS = {SHORT: 330, LONG: 900}


def advances(platform: Platform) -> int:
    with platform.db.snapshot() as conn:
        count = select(func.count()).select_from(table(Advance))
        return int(conn.execute(count).scalar_one())


def killed(url: str, folder: Path, plan: Plan, kills: int) -> None:
    batch = Batch(url, folder, plan)
    batch.killed_at(moments(plan.seed + kills, kills, ACKS[plan]))
    batch.finish()
    assert batch.kills == kills
    platform, _clock = platform_at(url)
    assert advances(platform) == plan.lives * plan.invoices
    must_be_whole(platform, batch)
    platform.close()


def test_thirty_kills_in_a_batch_of_500_advances_lose_and_double_nothing(
    engine_url: str, tmp_path: Path
) -> None:
    killed(engine_url, tmp_path / "batch", SHORT, 30)


@pytest.mark.long
def test_two_hundred_kills_in_a_batch_of_2000_advances(engine_url: str, tmp_path: Path) -> None:
    killed(engine_url, tmp_path / "batch", LONG, 200)


def server_killed(server: PostgresServer, folder: Path, plan: Plan, kills: int) -> None:
    batch = Batch(server.url("scf"), folder, plan)
    with batch.running() as child:
        for acks, moment in moments(plan.seed + kills, kills, ACKS[plan]):
            child.hear(acks)
            time.sleep(moment)
            server.crash()
            server.start()
        child.end()
    platform, _clock = platform_at(server.url("scf"))
    assert advances(platform) == plan.lives * plan.invoices
    must_be_whole(platform, batch)
    platform.close()


def test_five_crashes_of_the_database_server(
    crash_postgres: PostgresServer, tmp_path: Path
) -> None:
    server_killed(crash_postgres, tmp_path / "batch", SHORT, 5)


@pytest.mark.long
def test_two_hundred_crashes_of_the_database_server(
    crash_postgres: PostgresServer, tmp_path: Path
) -> None:
    server_killed(crash_postgres, tmp_path / "batch", LONG, 200)
