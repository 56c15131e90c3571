"""The books as accountants want them: journals for export, trial balances, and their checks.

Reads the ledger and, for the checks, every slice whose state the books must agree with.
Writes nothing but the account
numbers of firms' own systems.
"""
