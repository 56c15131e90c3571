"""A thousand lives of receivables, each in its own way, while the process is killed in between.

In the end every life is over and every account that it touched is back at zero.
Source: finance.md F2 to F11; promises.md P2, P15, P30.
"""

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from scf.bootstrap import Platform
from scf.financing.models import Advance
from scf.offers.models import Quote
from scf.settlement.models import Allocation, PaymentInstruction
from tests.support.crashing import Batch, moments, must_be_whole, platform_at
from tests.support.deals import table
from tests.support.plans import STORIES, Plan


def lived(url: str, folder: Path, plan: Plan, kills: int, acks: int) -> None:
    """Live the plan with kills in between, and look at everything when all is over."""
    told = {life.story for life in plan.made()}
    assert told == set(STORIES)
    batch = Batch(url, folder, plan)
    batch.killed_at(moments(plan.seed, kills, acks), between=True)
    batch.finish()
    platform, _clock = platform_at(url)
    must_be_whole(platform, batch)
    must_have_happened(platform, batch)
    platform.close()


def must_have_happened(platform: Platform, batch: Batch) -> None:
    """The stories were not only planned: each left the traces that it must."""
    stories = Counter(life.story for life in batch.plan.made())
    with platform.db.snapshot() as conn:

        def states(model: type[Advance | Quote | PaymentInstruction]) -> Counter[str]:
            return Counter(conn.execute(select(table(model).c.state)).scalars())

        advances, payments = states(Advance), states(PaymentInstruction)
        parts = Counter(conn.execute(select(table(Allocation).c.kind)).scalars())
    assert advances["CLOSED"] >= stories.total() // 2
    assert advances["DECLINED"] >= stories["declined"] + stories["hit"]
    assert advances["CANCELLED"] >= stories["withdrawn"] + stories["dropped"]
    assert advances["EXPIRED"] >= stories["undecided"]
    assert advances["UNWOUND"] >= stories["refused"] + stories["unwound"]
    assert payments["REJECTED"] >= stories["refused"] + stories["resent"]
    assert payments["RETURNED"] >= stories["returned"] + stories["unwound"]
    assert parts["penalty"] >= stories["late"]
    assert parts["rebate"] >= stories["early"]
    assert parts["payer"] >= stories["over"]
    assert parts["seller"] >= stories["part"]
    refused = [
        one for one in batch.journal().values() if isinstance(one, dict) and "refused" in one
    ]
    assert Counter(one["refused"] for one in refused) == {"QUOTE_EXPIRED": stories["requoted"]}


def test_sixty_lives_with_eight_kills_leave_every_account_at_zero(
    engine_url: str, tmp_path: Path
) -> None:
    lived(engine_url, tmp_path / "lives", Plan(seed=7, lives=60), kills=8, acks=650)


@pytest.mark.long
def test_a_thousand_lives_with_sixty_kills_leave_every_account_at_zero(
    engine_url: str, tmp_path: Path
) -> None:
    plan = Plan(seed=1000, lives=1_000, file_size=100)
    lived(engine_url, tmp_path / "lives", plan, kills=60, acks=9_500)
