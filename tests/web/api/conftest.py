"""The story's world on both engines."""

from pathlib import Path

import pytest

from scf.db.engine import Database
from tests.web.api.story import Story


@pytest.fixture
def story(db: Database, tmp_path: Path) -> Story:
    """Serve the start world on one engine."""
    return Story(db, tmp_path)
