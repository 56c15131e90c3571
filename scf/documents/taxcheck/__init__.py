"""What tax authorities say of invoices: valid, void, credited, unknown, or not as we have it.

Owns the identity under which an authority knows an invoice, the port through which it is asked,
and every answer with its reference and time. What an answer does to money, later slices say.
"""
