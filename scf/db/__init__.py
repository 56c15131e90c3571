"""The database room: types, engines, the command runner, audit, outbox and jobs.

Owns how a change reaches the database (one command = one transaction = one runner) and how a
reader is kept to what it may see. Knows no invoice, no firm and no money rule.
"""
