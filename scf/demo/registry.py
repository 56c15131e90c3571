"""The two banks of the demo world share a duplicate registry, with a third that is not here."""

from scf.demo.story import Story
from scf.demo.trade import Paper
from scf.kernel.actor import Actor
from scf.programmes.registry.asking import claims_of
from scf.programmes.registry.connecting import HERE

ELSEWHERE = "harbour"  # a bank with an installation of its own


def joined(story: Story, *administrators: Actor) -> bool:
    """Let the banks take part, where this installation reaches the registry of its platform."""
    if HERE not in story.platform.services.get("registry", {}):
        return False
    for name, who in zip(("wharf", "northgate"), administrators, strict=True):
        story.run("registry.join", {"consortium": HERE, "member": name}, who)
    return True


def pledged(story: Story, paper: Paper) -> None:
    """Let a seller have pledged an invoice elsewhere already: the next bank finds it taken."""
    there = story.platform.services["registry"][HERE](story.platform, ELSEWHERE)
    with story.platform.db.snapshot() as conn:
        claims = claims_of(conn, there.keys, ELSEWHERE, [story.ids[paper.number]])
    there.registry.ask("register", ELSEWHERE, list(claims.values()))
