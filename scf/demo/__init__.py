"""A world to try the platform in: for now the bank, as files.

Nothing of the platform imports this; the demo enters through the same doors as real data.
"""
