"""Two ordinary muddles of names: a supplier written without a number, and a firm recorded twice."""

import datetime as dt
from typing import Any, Final

from scf.demo import cast, world
from scf.demo.story import Story
from scf.kernel.actor import Role

_COLUMNS: Final = {
    "number": "number", "issue_on": "date", "due_on": "due", "payable": "amount",
    "seller_name": "supplier", "buyer_duns": "buyer",
}  # fmt: skip


def come(story: Story) -> None:
    """Let the anchor enter a supplier by a name cut short, and a carrier invite a firm anew.

    The invoices wait until somebody says who is meant; that the new record is the shipper's own
    one maker has proposed, and another officer decides.
    """
    anchor = story.cast.firms[world.ANCHOR]
    meant = next(one for one in story.cast.of("supplier") if one.name != world.SUPPLIER)
    issued, due = story.today - dt.timedelta(days=3), story.today + dt.timedelta(days=57)
    rows = [
        f"{meant.duns[-4:]}-{place},{issued},{due},{2650 + 940 * place}.00,{meant.name[:-1]},"
        f"{anchor.duns}"
        for place in (1, 2)
    ]
    content = "\n".join(["number,date,due,amount,supplier,buyer", *rows, ""]).encode()
    mapping: dict[str, Any] = {"kind": "invoice", "columns": _COLUMNS}
    story.upload(story.people[world.ANCHOR], "by-name", mapping, content)

    carrier = story.cast.of("carrier")[0].name
    twin = story.run(
        "firm.add", {"name": f"{cast.SHIPPER} GmbH", "country": "DE"}, story.people[carrier]
    )
    story.run(
        "firm.merge",
        {
            "firm_id": twin["id"], "survivor_id": story.firms[cast.SHIPPER],
            "reason": "One register entry and one address; the carrier typed the form as well.",
        },
        story.staff[Role.OFFICER_MAKER],
    )  # fmt: skip
