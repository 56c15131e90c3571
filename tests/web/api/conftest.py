"""The story's world on both engines."""

from pathlib import Path

import pytest

from scf.db.engine import Database
from tests.support.engines import Prepare
from tests.web.api.story import Story, start


@pytest.fixture
def prepare() -> Prepare:
    """Let every test begin in the start world."""
    return start


@pytest.fixture
def story(db: Database, tmp_path: Path) -> Story:
    """Serve the start world on one engine."""
    return Story(db, tmp_path)
