"""One slip of every trade: an invoice sent twice under two numbers, and both accepted."""

import dataclasses
import datetime as dt

from scf.demo import sheets, trade, world
from scf.demo.story import Story
from scf.demo.trade import Paper


def come(story: Story, papers: list[Paper]) -> None:
    """Let a supplier of the appliance maker send its smallest free invoice once more.

    The copy has a number of its own and a later day, so it is no exact duplicate: it waits for an
    officer, and nothing is paid on either before.
    """
    mine = [
        one
        for one in papers
        if one.buyer.name == world.ANCHOR and one.seller.name != world.SUPPLIER
    ]
    if not mine:
        return
    paper = min(mine, key=lambda one: (one.amount_minor, one.number))
    later = min(paper.issued_on + dt.timedelta(days=1), story.today - dt.timedelta(days=1))
    copy = dataclasses.replace(paper, number=f"{paper.number}-A", issued_on=later)
    content = trade.invoices_csv([copy])
    story.upload(story.people[paper.seller.name], "sent-again", sheets.INVOICES, content)
    story.remember([copy])
    story.accept(story.people[world.ANCHOR], [copy])
