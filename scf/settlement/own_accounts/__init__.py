"""How each own bank account is served: the mapping of its tables, and how its bank wants payments.

Versions, kept: a change is a new one. What was read or sent under an earlier version stays.
"""
