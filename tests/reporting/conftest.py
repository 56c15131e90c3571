"""The world of settlement, whose cash is forecast here."""

from tests.settlement.conftest import make_world, world

__all__ = ["make_world", "world"]
