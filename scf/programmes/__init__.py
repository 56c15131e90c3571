"""Programmes: the agreement that a piece of finance is made under.

Owns programmes with their versioned terms, benchmark fixings, the limit tree with its holds, the
claim that ties an invoice to one programme, and the commands by which a buyer accepts, rejects
and disputes (an acceptance under a programme is an undertaking, and is booked).
"""
