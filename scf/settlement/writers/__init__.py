"""Write what goes to banks: credit transfer orders (pain.001)."""

from scf.settlement.writers.pain001 import is_sepa, payment_information_ids, write_pain001
from scf.settlement.writers.payments import (
    VERSION_03,
    VERSION_09,
    PaymentAccount,
    PaymentBatch,
    PaymentInstruction,
    PaymentParty,
    end_to_end_id,
)

__all__ = [
    "VERSION_03",
    "VERSION_09",
    "PaymentAccount",
    "PaymentBatch",
    "PaymentInstruction",
    "PaymentParty",
    "end_to_end_id",
    "is_sepa",
    "payment_information_ids",
    "write_pain001",
]
