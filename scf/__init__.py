"""The platform: one slice per stage of the money, in the order in which it moves.

Knows the database, no HTTP. The order of the slices is a contract (pyproject.toml).
"""
