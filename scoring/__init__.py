"""Risk and price.

Pure: dataclasses and arrays in and out; no database, no clock, no settings, nothing of scf.
What may stand here, and what may not: ``scoring/README.md``.
"""
