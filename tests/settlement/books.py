"""What must be true of every book after every story."""

from scf.accounting import check
from scf.programmes import limits
from tests.settlement.world import World


def must_agree(world: World) -> None:
    """Entries balance, books say what the rows say, finished lives are zero, limits add up."""
    with world.db.snapshot() as conn:
        assert check.ledger(conn) == []
        assert check.agrees(conn) == []
        assert check.finished_lives(conn) == []
        assert limits.recompute(conn) == []
