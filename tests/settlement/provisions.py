"""An impairment policy for tests, and what officers do by it."""

import copy
import tomllib
from importlib.resources import files
from typing import Any, Final

from scf.impairment.booking import MOVEMENT, STANDING
from scf.impairment.models import AllowanceMovement, LossAllowance
from scf.impairment.policy import Policy, install_policy, policy_of
from tests.settlement.world import CHECKER, MAKER, World

SHIPPED: Final[dict[str, Any]] = tomllib.loads(
    files("config").joinpath("impairment.toml").read_text("utf-8")
)


def policy(unassessed_pd: str = "0.0015") -> dict[str, Any]:
    """The shipped policy with another PD of who owes: that of the posting table."""
    data = copy.deepcopy(SHIPPED)
    data["unassessed_pd"]["value"] = unassessed_pd
    return data


def provide(unassessed_pd: str = "0.0015") -> Policy:
    """Let losses be provided for from now on."""
    install_policy(policy(unassessed_pd))
    return policy_of(policy(unassessed_pd))


def proposed(world: World, advance_id: str, kind: str, amount: int | None = None) -> str:
    """A maker's proposal."""
    done = world.run(
        "impairment.propose", MAKER, advance_id=advance_id, kind=kind, amount_minor=amount,
        ground="default", note="insolvency opened, court file 12",
    )  # fmt: skip
    return str(done["proposal_id"])


def agreed(world: World, advance_id: str, kind: str, amount: int | None = None) -> dict[str, Any]:
    """What a maker proposes and a checker agrees to."""
    proposal_id = proposed(world, advance_id, kind, amount)
    return world.run("impairment.decide", CHECKER, proposal_id=proposal_id, agree=True)


def stands(world: World, advance_id: str) -> Any:  # noqa: ANN401 - a row
    return world.get(LossAllowance, advance_id)


def told(world: World) -> list[tuple[str, int, int]]:
    """The movements: kind, stage, what stands after."""
    rows = sorted(world.all(AllowanceMovement), key=lambda row: (row.advance_id, row.number))
    return [(row.kind, row.to_stage, row.after_minor) for row in rows]


__all__ = [
    "MOVEMENT",
    "STANDING",
    "agreed",
    "policy",
    "proposed",
    "provide",
    "stands",
    "told",
]
