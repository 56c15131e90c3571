"""Money out and money in: what was paid, what the bank says, and which claim it settles.

Owns payment batches and their files (``writers``), bank statements and payment status
reports (``readers``), and the matching of booked entries to what is owed.
Reads advances and invoices of earlier slices; only a booked bank entry makes money real here.
The readers and writers are pure: bytes in, values out, no database and no clock.
"""
