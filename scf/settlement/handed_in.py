"""That a person handed in a file of the bank, before it has any effect.

What a file does follows from its bytes alone, whoever hands it in and however often (see
``statements.py``). This command only ties a caller's key to those bytes: the same key with another
file is refused before anything of that file is believed.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict

from scf.db.runner import Context, command
from scf.db.types import Code, Text


class HandIn(BaseModel):
    """A file of the bank by its fingerprint, and what is to become of refused pay-outs.

    ``mapping`` is the fingerprint of the mapping by which a table is read, ``account`` names
    the one whose kept mapping counts.
    """

    model_config = ConfigDict(extra="forbid")
    name: Text = ""
    sha256: Code
    keep_rejected: bool = False
    mapping: Code = ""
    account: Code = ""


@command("bank_file.hand_in", HandIn)
def hand_in(ctx: Context, data: HandIn) -> dict[str, Any]:
    """The trail shows who brought which file of the bank, and when."""
    ctx.change("bank_file", data.sha256, None, {"name": data.name})
    return {"sha256": data.sha256}
