"""The toys are there in every test of the database room."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from scf.kernel.clock import FixedClock
from tests.db import toys


@pytest.fixture(autouse=True)
def toy_commands() -> Iterator[None]:
    yield from toys.install()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 10, 9, 0, tzinfo=UTC))
