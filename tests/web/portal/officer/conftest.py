"""The start world with its officers ready to sign, on both engines."""

from pathlib import Path

import pytest

from scf.db.engine import Database
from tests.support.engines import Prepare
from tests.web.api.story import start
from tests.web.portal.officer.desk import Desk


@pytest.fixture
def prepare() -> Prepare:
    """Let every test begin in the start world."""
    return start


@pytest.fixture
def desk(db: Database, tmp_path: Path) -> Desk:
    """Serve the start world; requests are made over HTTP as a treasurer makes them."""
    return Desk(db, tmp_path)
