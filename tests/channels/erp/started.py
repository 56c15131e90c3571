"""Databases in which tests of the ERP begin: made once per worker and engine, then copied."""

import datetime as dt
import tempfile
from pathlib import Path
from typing import Final

from scf.bootstrap import build
from scf.demo import world
from scf.kernel.clock import FixedClock
from tests.support.journal import Journal
from tests.support.lives import Lives
from tests.support.plans import START, Plan

# Lives whose documents came by file before any ERP was connected.
EARLIER: Final = Plan(11, 3, ("plain", "short"))


def start_world(url: str) -> None:
    """Make the start world."""
    clock = FixedClock(dt.datetime.combine(START, dt.time(9), dt.UTC))
    platform = build(url, clock=clock)
    with tempfile.TemporaryDirectory() as folder:
        world.ensure(platform, START, Path(folder) / "users.json")
    platform.close()


def lived_world(url: str) -> None:
    """Make the start world and live some lives in it."""
    start_world(url)
    clock = FixedClock(dt.datetime.combine(START, dt.time(9), dt.UTC))
    platform = build(url, clock=clock)
    with tempfile.TemporaryDirectory() as folder:
        Lives(platform, clock, Path(folder), EARLIER, Journal()).live()
        platform.worker().drain()
    platform.close()
