"""Read what banks send: statements (camt.052, 053, 054) and payment status reports (pain.002).

Every version of a message reads through the same few lines, by local names. A reader either
refuses the file (InvalidInput) or returns values with findings; it raises nothing else,
whatever the bytes are.
"""

from scf.settlement.readers.camt053 import read_statements
from scf.settlement.readers.messages import (
    AccountId,
    Balance,
    BankAnswer,
    BankEntry,
    BankStatement,
    EntryDetail,
    EntryStatus,
    Participant,
    StatementFile,
    Status,
    StatusReason,
    StatusReport,
    TransactionStatus,
)
from scf.settlement.readers.pain002 import read_status_report
from scf.settlement.readers.sniff import BankFormat, bank_format

__all__ = [
    "AccountId",
    "Balance",
    "BankAnswer",
    "BankEntry",
    "BankFormat",
    "BankStatement",
    "EntryDetail",
    "EntryStatus",
    "Participant",
    "StatementFile",
    "Status",
    "StatusReason",
    "StatusReport",
    "TransactionStatus",
    "bank_format",
    "read_statements",
    "read_status_report",
]
