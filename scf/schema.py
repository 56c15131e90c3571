"""Every table and trigger of the platform in one place, for migrations and their checks."""

from sqlmodel import SQLModel

import scf.accounting.mapping.models
import scf.chain.models
import scf.channels.erp.models
import scf.channels.models
import scf.db.models
import scf.documents.archives.models
import scf.documents.duplicates.models
import scf.documents.einvoice.models
import scf.documents.identity.models
import scf.documents.match.models
import scf.documents.messages.models
import scf.documents.models
import scf.documents.posted.models
import scf.documents.repairs.models
import scf.documents.taxcheck.models
import scf.documents.transfers.models
import scf.financing.models
import scf.financing.taxwatch.models
import scf.impairment.models
import scf.ledger.currency.models
import scf.ledger.models
import scf.notices.mail.models
import scf.notices.models
import scf.notices.webhooks.models
import scf.offers.models
import scf.parties.factors.models
import scf.parties.identity.models
import scf.parties.models
import scf.programmes.models
import scf.programmes.registry.models
import scf.risk.models
import scf.risk.watch.models
import scf.settlement.advised.models
import scf.settlement.models
import scf.settlement.own_accounts.models
import scf.settlement.reminders.models  # noqa: F401 - imported so that their tables are known
from scf.ledger.triggers import TRIGGERS

metadata = SQLModel.metadata


def triggers(dialect: str) -> dict[str, str]:
    """Give the statements that make every trigger (and its function) of one engine, by name."""
    return TRIGGERS[dialect]
