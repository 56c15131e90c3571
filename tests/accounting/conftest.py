"""The world of settlement, whose books are exported and checked here."""

from tests.settlement.conftest import make_world, world

__all__ = ["make_world", "world"]
