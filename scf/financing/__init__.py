"""Financing: from a seller's request to money that is owed back.

Owns requests, decisions by two persons, the recorded checks, and advances with their events. The
money itself moves in ``settlement``, which drives an advance through ``advances.py``.
"""
