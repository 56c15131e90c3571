"""What must be true of every book after every story."""

from scf.accounting import check
from scf.financing import retelling
from scf.financing.models import Advance
from scf.impairment import proof
from scf.programmes import limits
from tests.settlement.world import World


def must_agree(world: World) -> None:
    """Entries balance, books say what the rows say, finished lives are zero, limits add up.

    And the events of every advance, told again, give the advance.
    """
    rows = world.all(Advance)
    with world.db.snapshot() as conn:
        assert check.ledger(conn) == []
        assert check.agrees(conn) == []
        assert check.finished_lives(conn) == []
        assert limits.recompute(conn) == []
        assert list(proof.breaches(conn)) == []
        for row in rows:
            told = retelling.replay(retelling.events_of(conn, row.id))
            for column, value in vars(told).items():
                assert value == getattr(row, column), column
