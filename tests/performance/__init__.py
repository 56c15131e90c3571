"""Measurements against peers in the same run; ``make bench`` writes what they say."""
