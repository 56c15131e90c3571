"""Who a name, an address or an account may mean: normal forms, blocking keys, scores, look-ups.

Names and scores are pure; a score explains itself and decides nothing but identifiers.
"""
