"""The bank officer's pages: the queue and its cases, limits, pay-outs, books, firms.

Routes and views only: what is true and what is allowed is decided below, in ``scf``.
"""

from web.portal.officer import (
    advances,
    bank_files,
    books,
    case,
    duplicates,
    firms,
    fixings,
    grading,
    limits,
    memo,
    merging,
    models,
    override,
    payouts,
    programmes,
    provisions,
    queue,
    receipts,
    repricing,
    reviews,
    taxes,
    watching,
    whatif,
)
from web.portal.officer.desk import officer

__all__ = [
    "advances",
    "bank_files",
    "books",
    "case",
    "duplicates",
    "firms",
    "fixings",
    "grading",
    "limits",
    "memo",
    "merging",
    "models",
    "officer",
    "override",
    "payouts",
    "programmes",
    "provisions",
    "queue",
    "receipts",
    "repricing",
    "reviews",
    "taxes",
    "watching",
    "whatif",
]
