"""What is lost when firms fail: stages, loss allowances, write-offs; IFRS 9, in exact integers.

Owns the allowance of each advance, the movements that led there, and officers' proposals on
single cases. Reads advances and the assessments of who owes; the settlement calls it at the end of
each day and whenever money moves.
"""
