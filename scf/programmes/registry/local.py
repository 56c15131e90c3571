"""A registry whose book this installation keeps itself: for financiers on the same platform."""

from collections.abc import Sequence
from typing import Any, Final

from scf.db.platform import Platform
from scf.kernel.actor import OPERATOR
from scf.kernel.errors import Conflict, ScfError
from scf.kernel.ids import new_id
from scf.programmes.registry.port import STATES, Act, Answer, Claim, away

_TRIES: Final = 3


class LocalRegistry:
    """The book in the platform's own database, asked through its command."""

    def __init__(self, platform: Platform, consortium: str) -> None:
        self._platform = platform
        self._consortium = consortium

    def ask(self, act: Act, member: str, claims: Sequence[Claim]) -> list[Answer]:
        """Answer from the book; who loses a race is told so by asking again."""
        payload = {
            "act": act,
            "consortium": self._consortium,
            "member": member,
            "claims": [sent(claim) for claim in claims],
        }
        for _ in range(_TRIES):
            try:
                made = self._platform.run("registry.enter", payload, OPERATOR, key=new_id())
            except Conflict:
                continue
            except ScfError as away_:
                return away(claims, away_.code)
            return [answer(one) for one in made.result["answers"]]
        return away(claims, "BUSY")


def sent(claim: Claim) -> dict[str, Any]:
    """Give a claim as it is handed over: no more than its prints and the member's name for it."""
    return {"ref": claim.ref, "prints": [one._asdict() for one in claim.prints]}


def answer(said: dict[str, Any]) -> Answer:
    """Read one answer of the book."""
    if said["state"] not in STATES:
        raise ValueError(said["state"])
    return Answer(said["state"], said["reference"], said["version"])
