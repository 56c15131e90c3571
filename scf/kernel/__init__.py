"""The kernel: money, rates, day counts, calendars, time, ids, lifecycles, errors, findings.

Pure values and functions that every slice shares; no database, no settings, no network.
The only door to the machine's clock and random source is here (``clock``, ``ids``).
"""
