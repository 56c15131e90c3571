"""The posting tables 4.6, 4.7 and 4.8, word for word, as the tests read them.

``S`` is the seller, ``O`` the debtor, ``F`` the factor; see ``posting_tables.py``.
"""

# ruff: noqa: E501 - a row of a table stands on one line

from tests.settlement.posting_tables import Row, parsed

TABLES = {
    "4.6 pay-out": """
        S: Dr cash 421,000; Dr service fee expense 4,000; Dr due from factor 75,000; Cr trade receivables 500,000
        F: Dr receivables purchased 500,000; Cr cash 421,000; Cr deferred service fee 4,000; Cr due to sellers (reserve) 75,000""",
    "4.6 fee earned": "F: Dr deferred service fee 4,000; Cr service fee income 4,000",
    "4.6 closes": """
        S: Dr finance cost 5,489.58; Cr accrued interest 5,489.58
        F: Dr interest receivable 5,489.58; Cr interest income 5,489.58""",
    "4.6 credit note": """
        S: Dr revenue (returns) 12,000; Cr due from factor 12,000
        O: Dr trade payables 12,000; Cr purchases or inventory 12,000
        F: Dr due to sellers (reserve) 12,000; Cr receivables purchased 12,000""",
    "4.6 debtor pays": """
        O: Dr trade payables 488,000; Cr cash 488,000
        F: Dr cash 488,000; Cr receivables purchased 488,000""",
    "4.6 reserve released": """
        S: Dr cash 57,510.42; Dr accrued interest 5,489.58; Cr due from factor 63,000
        F: Dr due to sellers (reserve) 63,000; Cr interest receivable 5,489.58; Cr cash 57,510.42""",
    "4.7 pay-out": """
        S: Dr cash 421,000; Dr service fee expense 4,000; Cr borrowings 425,000
        F: Dr loans to sellers 425,000; Cr cash 421,000; Cr deferred service fee 4,000""",
    "4.7 credit note": """
        S: Dr revenue (returns) 12,000; Cr trade receivables 12,000
        O: Dr trade payables 12,000; Cr purchases or inventory 12,000""",
    "4.7 debtor pays": """
        S: Dr cash clearing (held by factor) 488,000; Cr trade receivables 488,000
        O: Dr trade payables 488,000; Cr cash 488,000
        F: Dr cash 488,000; Cr collections due to sellers 488,000""",
    "4.7 waterfall": """
        S: Dr borrowings 425,000; Dr accrued interest 5,489.58; Dr cash 57,510.42; Cr cash clearing (held by factor) 488,000
        F: Dr collections due to sellers 488,000; Cr interest receivable 5,489.58; Cr loans to sellers 425,000; Cr cash 57,510.42""",
    "4.7 interest to day 165": """
        S: Dr finance cost 12,077.08; Cr accrued interest 12,077.08
        F: Dr interest receivable 12,077.08; Cr interest income 12,077.08""",
    "4.7 recourse paid": """
        S: Dr borrowings 425,000; Dr accrued interest 12,077.08; Cr cash 437,077.08
        F: Dr cash 437,077.08; Cr loans to sellers 425,000; Cr interest receivable 12,077.08""",
    "4.8 credit note": """
        S: Dr revenue (returns) 90,000; Cr due from factor 75,000; Cr due to factor (repurchase) 15,000
        O: Dr trade payables 90,000; Cr purchases or inventory 90,000
        F: Dr due to sellers (reserve) 75,000; Dr due from sellers (repurchase) 15,000; Cr receivables purchased 90,000""",
    "4.8 gap paid": """
        S: Dr due to factor (repurchase) 15,000; Cr cash 15,000
        F: Dr cash 15,000; Cr due from sellers (repurchase) 15,000""",
    "4.8 whole item": """
        S: Dr trade receivables 500,000; Cr due from factor 75,000; Cr cash 425,000
        F: Dr cash 425,000; Dr due to sellers (reserve) 75,000; Cr receivables purchased 500,000""",
}  # fmt: skip


def rows(*names: str) -> Row:
    """Give rows of the tables as one event group: their sum, accounts at zero left out."""
    found: Row = {}
    for name in names:
        for key, amount in parsed(TABLES[name]).items():
            found[key] = found.get(key, 0) + amount
    return {key: amount for key, amount in found.items() if amount}
