"""Stubs of Odoo and ERPNext: small servers written from published API documentation.

No real Odoo or ERPNext runs in our tests. What these servers refuse, the real ones refuse by their
documentation; what nobody wrote down there, a stub cannot tell.
"""
