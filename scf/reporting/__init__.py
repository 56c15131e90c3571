"""Read-only looks across the rooms, above all the proof that what must be true is true.

Owns no data and changes nothing.
"""
