"""Read-only looks across the rooms: does everything that must be true hold?

Owns no data and changes nothing.
"""
