"""The currency of a book, published exchange rates, and the revaluation of foreign balances.

Entries balance in each currency of their own; what a foreign balance is worth in the book's
currency is worked out from turnovers and published rates, and the difference that time makes is
booked in the book's currency (decision 0062).
"""
