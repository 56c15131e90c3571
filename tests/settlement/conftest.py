"""A world of money on each engine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scf.db.engine import Database
from tests.settlement.world import World

MakeWorld = Callable[..., World]


@pytest.fixture
def make_world(db: Database, tmp_path: Path) -> MakeWorld:
    """Build the world with these programme terms."""

    def make(**terms: Any) -> World:  # noqa: ANN401 - programme terms
        return World(db, tmp_path / "bank", **terms)

    return make


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return make_world()
