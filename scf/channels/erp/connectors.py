"""Every make of system that there is a connector to."""

from collections.abc import Mapping
from typing import Final

from scf.channels.erp.erpnexterp import ERPNEXT
from scf.channels.erp.odooerp import ODOO
from scf.channels.erp.oscardocs import OSCAR
from scf.channels.erp.port import Make
from scf.channels.erp.trytonerp import TRYTON
from scf.kernel.errors import InvalidInput

MAKES: Final[Mapping[str, Make]] = {one.kind: one for one in (TRYTON, ODOO, ERPNEXT, OSCAR)}


def make_of(kind: str) -> Make:
    """Give the make of a kind.

    Raises
    ------
    InvalidInput
        ERP_KIND.
    """
    if kind not in MAKES:
        raise InvalidInput(
            "ERP_KIND", "There is no connector to this: choose %(kinds)s.", kinds=sorted(MAKES)
        )
    return MAKES[kind]
