"""Read what banks send: statements (camt, MT940, CSV) and payment status reports (pain.002).

Every version of a message reads through the same few lines, by local names. A reader either
refuses the file (InvalidInput) or returns values with findings; it raises nothing else,
whatever the bytes are.
"""

from scf.kernel.errors import InvalidInput
from scf.settlement.readers.camt053 import read_camt
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
from scf.settlement.readers.mt940 import read_mt940
from scf.settlement.readers.pain002 import read_status_report
from scf.settlement.readers.sniff import BankFormat, bank_format, is_mt, is_table
from scf.settlement.readers.table import read_table
from scf.settlement.readers.table_mapping import StatementMapping

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
    "StatementMapping",
    "Status",
    "StatusReason",
    "StatusReport",
    "TransactionStatus",
    "bank_format",
    "read_statements",
    "read_status_report",
]


def read_statements(data: bytes, mapping: StatementMapping | None = None) -> StatementFile:
    """Read every statement of a file in whichever form it is written, with all its findings.

    Raises
    ------
    InvalidInput
        What ``read_camt``, ``read_mt940`` or ``read_table`` raises; MAPPING_MISSING for a table
        without a mapping.
    """
    if is_mt(data):
        return read_mt940(data)
    if not is_table(data):
        return read_camt(data)
    if mapping is None:
        raise InvalidInput(
            "MAPPING_MISSING",
            "A bank's table is read by a mapping of its columns; hand it in with the file.",
        )
    return read_table(data, mapping)
