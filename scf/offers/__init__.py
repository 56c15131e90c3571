"""Offers: what a seller can receive for its invoices now, at what all-in cost, until when.

Owns the pricing of a contract programme, the one list of reasons why finance is refused, and firm
quotes.
"""
